-- What the audit may hold to its line: who did what, how a mandat ended, when a letter came, which keys are published. Locks each of these tables for the
-- time of a policy, journal while the few lines about keys are indexed (one second for a million lines).

grant select (structure_id, usager_id, aidant_id, genre) on demarche to traitdunion_auditor;
grant select (ended_how) on mandat to traitdunion_auditor;
grant select (revoked_how) on autorisation to traitdunion_auditor;
create policy auditeur on arret_recu for select to traitdunion_auditor using (true);
create policy auditeur on ouverture for select to traitdunion_auditor using (true);
create policy auditeur on cle for select to traitdunion_auditor using (true);
create policy auditeur on jwks_archive for select to traitdunion_auditor using (true);
grant select (autorisation_id, mandat_id, maniere, recu_le, journal_id) on arret_recu to traitdunion_auditor;
grant select (aidant_id, usager_id, journal_id) on ouverture to traitdunion_auditor;
grant select (kid, jwk, journal_id, coupure, coupure_journal_id) on cle to traitdunion_auditor;
grant select (id, journal_id) on jwks_archive to traitdunion_auditor;
create index journal_cle on journal (id) where action in ('cle_publiee', 'cle_compromise', 'jwks_archive');

/*
 * For the audit: of the lines that say what was granted, stopped or paused, and which keys are used, the facts that name nobody. Whoever rewrites this
 * function misleads the auditor; the administrator reads the contents themselves.
 */
create or replace function journal_accords(p_ids bigint[]) returns table (journal_id bigint, faits jsonb)
language sql stable security definer set search_path = pg_catalog, public
as $$
  select j.id, (select jsonb_object_agg(f.key, f.value) from jsonb_each(c.payload::jsonb) f
    where f.key in ('perimetre', 'thematique', 'duree', 'signed_at', 'expires_at', 'how', 'maniere', 'recu_le', 'kid', 'jwk', 'coupure', 'id'))
  from public.journal j
  join public.journal_contenu c on c.journal_id = j.id
  where j.id = any (p_ids) and c.payload is not null and j.action in ('mandat_signe', 'autorisation_remplacee', 'autorisation_revoquee',
    'autorisation_suspendue', 'autorisation_retablie', 'mandat_termine', 'arret_recu', 'cle_publiee', 'cle_compromise', 'jwks_archive')
$$;
