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

-- What the database refuses, that it did not. Locks habilitation for the time of a trigger, journal for that of two policies.

/*
 * Last thématique revoked = mandat ended, for a reason that one of them has; a mandat ended leaves no thématique standing. Checked at commit. Who may end a thématique how (fin_par_qui) then holds for the mandat too.
 */
create or replace function mandat_coherent() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_mandat uuid := case tg_table_name when 'mandat' then new.id else (to_jsonb(new) ->> 'mandat_id')::uuid end;
begin
  if exists (
    select 1
    from public.mandat m
    where m.id = v_mandat and (
      (m.ended_at is null) <> exists (select 1 from public.autorisation a where a.mandat_id = m.id and a.revoked_at is null)
      or (select bool_and(a.revoked_how <> m.ended_how) from public.autorisation a where a.mandat_id = m.id))
  ) then
    raise exception 'mandat % and its autorisations disagree', v_mandat using errcode = 'check_violation', constraint = 'mandat_coherent';
  end if;
  return null;
end
$$;

-- A line that the service never writes would say, for ever, what was not done; that of an erasure is its function's alone.
create policy reservees on journal as restrictive for insert to traitdunion_app
  with check (action not in ('donnees_effacees', 'cle_compromise', 'structure_ajoutee'));
create policy reservees_a_leur_fonction on journal as restrictive for insert to traitdunion_operator with check (action <> 'donnees_effacees');

/* A stolen key is said to be so under its own line, which says that key and that cut-off; the moment of the theft may be found to be earlier, never later. */
create or replace function coupure_de_cle() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if new.coupure is null or new.coupure > old.coupure then
    raise exception 'a cut-off only goes back' using errcode = 'check_violation', constraint = 'coupure_recule';
  end if;
  if not exists (
    select 1
    from public.journal j
    join public.journal_contenu c on c.journal_id = j.id
    where j.id = new.coupure_journal_id and j.xid = pg_current_xact_id() and j.action = 'cle_compromise'
      and c.payload::jsonb = jsonb_build_object('kid', new.kid, 'coupure', new.coupure)
  ) then
    raise exception 'line % does not say this fact', new.coupure_journal_id using errcode = 'check_violation', constraint = 'ligne_du_fait';
  end if;
  return new;
end
$$;

/* The operator makes nobody act for a structure, nor direct it, nor come back, without its line. Checked at commit. */
create function habilitation_journalisee() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if not exists (
    select 1
    from public.journal
    where structure_id = new.structure_id and cible_aidant_id = new.aidant_id and xid = pg_current_xact_id()
      and action in ('aidant_ajoute', 'aidant_suspendu', 'aidant_retabli', 'structure_modifiee')
  ) then
    raise exception 'a team changes with its line' using errcode = 'check_violation', constraint = 'equipe_journalisee';
  end if;
  return null;
end
$$;
create constraint trigger habilitation_journalisee after insert or update of referent, ended_at on habilitation deferrable initially deferred
  for each row when (current_user = 'traitdunion_operator') execute function habilitation_journalisee();
