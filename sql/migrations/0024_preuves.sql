-- Proofs for those who may read a line, and an audit of what each accord granted. New policies and grants hold journal_contenu, mandat, autorisation and
-- suspension for a moment; no row is read nor rewritten.

/*
 * While she has the dossier open with a reason, a référent reads the facts of its démarches in the journal as she reads the démarches. Through
 * demarche's own policy, so that a complaint stays between the person and its author.
 */
create policy referent_dossier_lit on journal_contenu for select to traitdunion_app
  using (app_who() = 'referent' and structure_id = (select app_structure()) and exists (
    select 1 from demarche d where d.journal_id = journal_contenu.journal_id and dossier_ouvert(d.structure_id, d.usager_id)));

/*
 * For the audit: of the lines that say what was granted, stopped or paused, the thématiques and the dates, and nothing else. Whoever rewrites this
 * function misleads the auditor; the administrator reads the contents themselves.
 */
create function journal_accords(p_ids bigint[]) returns table (journal_id bigint, faits jsonb)
language sql stable security definer set search_path = pg_catalog, public
as $$
  select j.id, (select jsonb_object_agg(f.key, f.value) from jsonb_each(c.payload::jsonb) f
    where f.key in ('perimetre', 'thematique', 'duree', 'signed_at', 'expires_at'))
  from public.journal j
  join public.journal_contenu c on c.journal_id = j.id
  where j.id = any (p_ids) and c.payload is not null and j.action in ('mandat_signe', 'autorisation_remplacee', 'autorisation_revoquee',
    'autorisation_suspendue', 'autorisation_retablie')
$$;
revoke execute on function journal_accords(bigint[]) from public;
grant execute on function journal_accords(bigint[]) to traitdunion_auditor;
grant select (structure_id, usager_id, aidant_id, duree, expires_at) on mandat to traitdunion_auditor;
grant select (structure_id, usager_id, thematique, expires_at) on autorisation to traitdunion_auditor;
grant select (autorisation_id) on suspension to traitdunion_auditor;
