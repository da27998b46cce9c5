-- Locks nothing but the function it replaces.

/*
 * As in 0028, and what was under way takes nothing back: a link, a code received or a change of structure that is about to open a session is waited
 * for, and the statements after that one see what it made.
 */
create or replace function retirer_facteur(p_aidant uuid) returns void
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if (public.app_who() = 'referent' and p_aidant <> public.app_aidant() and public.dirige(public.app_aidant(), public.app_structure())
    and exists (
      select 1 from public.habilitation where aidant_id = p_aidant and structure_id = public.app_structure() and ended_at is null)) is not true
  then
    raise exception 'only a référent of the structure resets a factor' using errcode = 'insufficient_privilege', constraint = 'equipe_du_referent';
  end if;
  if not public.facteur_journalise(p_aidant) then
    raise exception 'a team changes with its line' using errcode = 'check_violation', constraint = 'equipe_journalisee';
  end if;
  update public.invitation set cancelled_at = public.horloge()
  where aidant_id = p_aidant and genre = 'facteur' and used_at is null and cancelled_at is null;
  perform 1 from public.facteur where aidant_id = p_aidant and removed_at is null order by created_at, id for update;
  update public.code_connexion set used_at = public.horloge() where aidant_id = p_aidant and used_at is null;
  perform 1 from public.session where aidant_id = p_aidant and ended_at is null order by id for no key update;
  update public.session set ended_at = public.horloge() where aidant_id = p_aidant and ended_at is null;
  update public.facteur set removed_at = public.horloge() where aidant_id = p_aidant and removed_at is null;
  delete from public.code_secours where aidant_id = p_aidant;
end
$$;
