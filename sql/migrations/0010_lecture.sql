-- A référent reads and notes as an aidant for those whose mandat she signed herself, and for nobody else: that she noted one démarche no
-- longer opens the whole dossier. Locks demarche for the time of a policy (no row is read nor rewritten).

/*
 * True when the calling aidant reads this dossier as one: always, but for a référent who signed no mandat of the person, and reads it with
 * a reason only. What she noted does not count: a dossier opened for fifteen minutes lets her note, and would never close again.
 */
create or replace function lit_comme_aidant(p_structure uuid, p_usager uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, public
as $$
  select not exists (
      select 1 from public.habilitation where aidant_id = public.app_aidant() and structure_id = p_structure and referent)
    or exists (
      select 1 from public.mandat where aidant_id = public.app_aidant() and structure_id = p_structure and usager_id = p_usager)
$$;

/* Who may not read the dossier notes nothing in it. */
create policy dossier_lu on demarche as restrictive for insert to traitdunion_app
  with check (lit_comme_aidant(structure_id, usager_id) or dossier_ouvert(structure_id, usager_id));
