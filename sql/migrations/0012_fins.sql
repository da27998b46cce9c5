-- Ends that reach everyone: stops received, who may end what, reminders, hours of SMS. Locks journal while its lines are read once for a check,
-- autorisation, suspension and mandat for the time of a trigger or a policy, structure for that of a column, and message while its SMS (thirty
-- days of them at most) are given a time zone.

-- A request to stop that is found once the mandat is over has its line too: an aidant's.
alter table journal
  drop constraint journal_action,
  add constraint journal_action check (action in (
    'mandat_signe', 'autorisation_remplacee', 'autorisation_revoquee', 'autorisation_suspendue', 'autorisation_retablie',
    'mandat_termine', 'mandat_expire', 'demarche_realisee', 'demarche_corrigee', 'acte_hors_mandat', 'demarche_contestee',
    'contestation_repondue', 'session_deleguee', 'attestation_imprimee', 'identite_modifiee', 'contact_modifie', 'dossier_ouvert',
    'export', 'structure_ajoutee', 'structure_modifiee', 'aidant_ajoute', 'aidant_suspendu', 'aidant_retabli', 'cle_publiee', 'jwks_archive',
    'donnees_effacees', 'restauration', 'arret_recu')),
  drop constraint journal_grammaire,
  add constraint journal_grammaire check (case
    when action in ('mandat_signe', 'autorisation_remplacee', 'autorisation_revoquee', 'autorisation_suspendue', 'autorisation_retablie',
      'mandat_termine', 'mandat_expire', 'demarche_realisee', 'demarche_corrigee', 'acte_hors_mandat', 'demarche_contestee',
      'contestation_repondue', 'session_deleguee', 'attestation_imprimee', 'arret_recu') then mandat_id is not null
    when action in ('identite_modifiee', 'contact_modifie', 'donnees_effacees') then usager_id is not null
    when action = 'dossier_ouvert' then acteur = 'aidant' and usager_id is not null and structure_id is not null
    when action in ('aidant_ajoute', 'aidant_suspendu', 'aidant_retabli') then cible_aidant_id is not null and structure_id is not null
    when action in ('structure_ajoutee', 'structure_modifiee') then structure_id is not null
    when action = 'export' then acteur in ('usager', 'aidant')
    else acteur in ('systeme', 'operateur')
  end),
  drop constraint journal_acteur_action,
  add constraint journal_acteur_action check (case
    when action in ('demarche_realisee', 'demarche_corrigee', 'acte_hors_mandat', 'arret_recu') then acteur = 'aidant'
    when action = 'demarche_contestee' then acteur = 'usager'
    when action = 'mandat_expire' then acteur = 'systeme'
    else true
  end);

create table arret_recu (
  autorisation_id uuid primary key,
  mandat_id uuid not null,
  structure_id uuid not null,
  usager_id uuid not null,
  aidant_id uuid not null,
  maniere text not null check (maniere in ('bulletin', 'courrier', 'telephone', 'visite', 'email')),
  recu_le timestamptz(3) not null,
  recorded_at timestamptz(3) not null default horloge(),
  journal_id bigint not null unique references journal,
  foreign key (autorisation_id, mandat_id, structure_id, usager_id) references autorisation (id, mandat_id, structure_id, usager_id),
  foreign key (aidant_id, structure_id) references habilitation
);
create index arret_recu_mandat on arret_recu (mandat_id);
create index arret_recu_usager on arret_recu (usager_id);
comment on table arret_recu is 'Arrêt demandé par la personne et enregistré par un aidant : comment et quand la demande est arrivée';

/*
 * Received while the autorisation lived and not after now; recorded by an active aidant, with the end it explains, or once the autorisation is over
 * by its date or another end, under a line of its own.
 */
create function arret_recu_conforme() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  new.recorded_at := public.horloge();
  if new.recu_le > new.recorded_at then
    raise exception 'a stop is not received in the future' using errcode = 'check_violation', constraint = 'arret_recu_passe';
  end if;
  if not exists (
    select 1
    from public.autorisation a
    join public.journal j on j.id = new.journal_id
    where a.id = new.autorisation_id and a.signed_at <= new.recu_le and case j.action
      when 'autorisation_revoquee' then a.revoked_how = 'revoque' and a.revoked_journal_id = j.id
      when 'arret_recu' then least(a.revoked_at, a.expires_at) > new.recu_le and least(a.revoked_at, a.expires_at) <= new.recorded_at
      else false
    end
  ) then
    raise exception 'a stop is received for what it ends' using errcode = 'check_violation', constraint = 'arret_recu_de_sa_fin';
  end if;
  if not public.aidant_actif(new.aidant_id, new.structure_id) then
    raise exception 'aidant not active' using errcode = 'check_violation', constraint = 'arret_recu_aidant_actif';
  end if;
  return new;
end
$$;
create trigger arret_recu_conforme before insert on arret_recu for each row execute function arret_recu_conforme();
create constraint trigger ligne_du_fait after insert on arret_recu for each row execute function ligne_du_fait('journal_id', 'autorisation_revoquee arret_recu');
create trigger insertion_seule before update or delete on arret_recu for each row execute function refuse_modification();
create trigger insertion_seule_table before truncate on arret_recu for each statement execute function refuse_modification();
alter table arret_recu enable always trigger arret_recu_conforme;
alter table arret_recu enable always trigger insertion_seule;
alter table arret_recu enable always trigger insertion_seule_table;

/*
 * Who may end what: the person stops; an aidant stops in her name only on a request that says how and when it came; the structure renounces,
 * or learns of a death or a protection, by an aidant; the operator closes a structure. Checked at commit.
 */
create function fin_par_qui() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_acteur text;
begin
  select acteur into v_acteur from public.journal where id = new.revoked_journal_id;
  if not (case new.revoked_how
    when 'revoque' then v_acteur = 'usager'
      or (v_acteur = 'aidant' and exists (select 1 from public.arret_recu where autorisation_id = new.id))
    when 'structure_fermee' then v_acteur = 'operateur'
    else v_acteur = 'aidant'
  end) then
    raise exception '% does not end autorisation % so (%)', v_acteur, new.id, new.revoked_how
      using errcode = 'check_violation', constraint = 'fin_par_qui';
  end if;
  return null;
end
$$;
create constraint trigger fin_par_qui after update on autorisation deferrable initially deferred
  for each row when (old.revoked_at is null and new.revoked_at is not null) execute function fin_par_qui();

/* A pause is of what is in force, and never comes before what was regularly noted (as an end: fin_apres_actes). */
create function suspension_conforme() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  perform 1 from public.mandat where id = new.mandat_id for no key update;
  if not exists (
    select 1 from public.autorisation where id = new.autorisation_id and revoked_at is null and expires_at > new.from_at
  ) then
    raise exception 'autorisation % is over', new.autorisation_id using errcode = 'check_violation', constraint = 'suspension_en_vigueur';
  end if;
  if exists (
    select 1
    from public.demarche d
    join public.autorisation a on a.mandat_id = d.mandat_id and a.thematique = d.thematique
    where a.id = new.autorisation_id and d.genre = 'reguliere' and d.recorded_at > new.from_at
  ) then
    raise exception 'a pause begins before a démarche noted' using errcode = 'check_violation', constraint = 'suspension_apres_actes';
  end if;
  return new;
end
$$;
create trigger suspension_conforme before insert on suspension for each row execute function suspension_conforme();
alter table suspension enable always trigger suspension_conforme;

/*
 * A thématique is granted in force, and only by a structure that is open and offers it at that moment. Its row is held until the commit: whoever
 * closes it, or changes what it offers, waits and then sees this autorisation, or came first and is seen here.
 */
create or replace function autorisation_accordee() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_structure public.structure;
begin
  if new.revoked_at is not null then
    raise exception 'a thématique is granted in force' using errcode = 'check_violation', constraint = 'autorisation_accordee_en_vigueur';
  end if;
  select * into v_structure from public.structure where id = new.structure_id for share;
  if v_structure.suspended_at is not null then
    raise exception 'this structure is suspended' using errcode = 'check_violation', constraint = 'autorisation_structure_ouverte';
  end if;
  if new.thematique = any (v_structure.thematiques_desactivees) then
    raise exception 'this structure does not offer %', new.thematique
      using errcode = 'check_violation', constraint = 'autorisation_thematique_proposee';
  end if;
  return new;
end
$$;

/* Holds the dossier that the calling aidant's structure has of a person: who signs and who learns of a death go one after the other. */
create function tient_le_dossier(p_usager uuid) returns void
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if public.app_who() is distinct from 'aidant' then
    raise exception 'only an aidant holds a dossier' using errcode = 'insufficient_privilege';
  end if;
  perform 1 from public.dossier where structure_id = public.app_structure() and usager_id = p_usager for no key update;
end
$$;
revoke execute on function tient_le_dossier(uuid) from public;
grant execute on function tient_le_dossier(uuid) to traitdunion_app;

create table rappel (
  mandat_id uuid primary key,
  structure_id uuid not null,
  usager_id uuid not null,
  at timestamptz(3) not null default horloge(),
  foreign key (mandat_id, structure_id, usager_id) references mandat (id, structure_id, usager_id)
);
create index rappel_usager on rappel (usager_id);
comment on table rappel is 'Rappel de la fin prochaine d’un mandat : un seul par mandat';

alter table arret_recu enable row level security;
alter table rappel enable row level security;
create policy structure_lit on arret_recu for select to traitdunion_app
  using (app_who() in ('aidant', 'referent') and structure_id = (select app_structure()));
create policy personne_lit on arret_recu for select to traitdunion_app using (app_who() = 'usager' and usager_id = any (app_usagers()));
create policy aidant_ecrit on arret_recu for insert to traitdunion_app
  with check (app_who() = 'aidant' and structure_id = app_structure() and aidant_id = app_aidant());
create policy service on rappel to traitdunion_app using (app_who() = 'worker') with check (app_who() = 'worker');
grant select on arret_recu, rappel to traitdunion_app;
grant insert (autorisation_id, mandat_id, structure_id, usager_id, aidant_id, maniere, recu_le, journal_id) on arret_recu to traitdunion_app;
grant insert (mandat_id, structure_id, usager_id) on rappel to traitdunion_app;

-- The operator ends the mandats of a structure that closes, without reading whose they are: the columns that an end needs, and thématiques only
-- where nobody acts any more. `closed_at`: a structure that was suspended before it closes has its line too, once.
alter table structure add column closed_at timestamptz(3);
create policy operateur on mandat to traitdunion_operator using (true) with check (true);
create policy operateur on autorisation to traitdunion_operator
  using (structure_id in (select id from structure where suspended_at is not null)) with check (true);
create policy operateur on suspension for select to traitdunion_operator
  using (structure_id in (select id from structure where suspended_at is not null));
grant select (id, structure_id, usager_id, aidant_id, duree, signed_at, expires_at, ended_at, ended_how) on mandat to traitdunion_operator;
grant select (id, mandat_id, structure_id, thematique, signed_at, expires_at, revoked_at, revoked_how) on autorisation to traitdunion_operator;
grant select (autorisation_id, mandat_id, structure_id, from_at, until_at) on suspension to traitdunion_operator;
grant update (ended_at, ended_how, ended_journal_id) on mandat to traitdunion_operator;
grant update (revoked_at, revoked_how, revoked_journal_id) on autorisation to traitdunion_operator;

/* When an SMS may leave: at once between 8 and 20 h on the clock of its zone, else at 8 h. Without a zone, at once. */
create function heure_decente(p_at timestamptz, p_fuseau text) returns timestamptz
language sql stable parallel safe
as $$
  select case
    when p_fuseau is null then p_at
    when l.at::time < '08:00' then (date_trunc('day', l.at) + interval '8 hours') at time zone p_fuseau
    when l.at::time >= '20:00' then (date_trunc('day', l.at) + interval '1 day 8 hours') at time zone p_fuseau
    else p_at
  end
  from (select p_at at time zone p_fuseau as at) l
$$;

-- `at_once`: she has just asked for it, and waits. Whoever forgets the zone of another SMS is refused.
alter table message
  add column fuseau text,
  add column at_once boolean not null default false;
update message set fuseau = 'Europe/Paris' where canal = 'sms';
alter table message
  add constraint message_fuseau_du_sms check ((canal = 'sms' and not at_once) = (fuseau is not null)),
  add constraint message_sms_simple
    check (canal <> 'sms' or (corps ~ '^[A-Za-z0-9 !"#$%&''()*+,./:;<=>?@_-]*$' and corps !~* 'https?:|www\.'));

-- What the operator sees of messages: that they failed, never to whom nor what they say.
create policy operateur on message to traitdunion_operator using (true) with check (true);
grant select (id, cle, canal, created_at, due_at, tries, sent_at, failed_at) on message to traitdunion_operator;
grant update (due_at, tries, failed_at) on message to traitdunion_operator;
