-- The journal: insert-only lines, erasable contents. Locks nothing: new tables. Format frozen (docs/adr, journal.md).

create table journal (
  id bigint generated always as identity primary key,
  xid xid8 not null default pg_current_xact_id(),
  at timestamptz(3) not null,
  action text not null,
  acteur text not null constraint journal_acteur check (acteur in ('usager', 'aidant', 'systeme', 'operateur')),
  acteur_id uuid,
  structure_id uuid,
  usager_id uuid,
  mandat_id uuid,
  mandat_seq int,
  cible_aidant_id uuid,
  entry bytea not null,
  commitment bytea not null check (length(commitment) = 32),
  foreign key (structure_id, usager_id) references dossier,
  constraint journal_sequence_unique unique (mandat_id, mandat_seq),
  constraint journal_action check (action in (
    'mandat_signe', 'autorisation_remplacee', 'autorisation_revoquee', 'autorisation_suspendue', 'autorisation_retablie',
    'mandat_termine', 'mandat_expire', 'demarche_realisee', 'demarche_corrigee', 'acte_hors_mandat', 'demarche_contestee',
    'contestation_repondue', 'session_deleguee', 'attestation_imprimee', 'identite_modifiee', 'contact_modifie', 'dossier_ouvert',
    'export', 'structure_ajoutee', 'structure_modifiee', 'aidant_ajoute', 'aidant_suspendu', 'aidant_retabli', 'cle_publiee', 'jwks_archive',
    'donnees_effacees', 'restauration')),
  constraint journal_acteur_nomme check ((acteur in ('usager', 'aidant')) = (acteur_id is not null)),
  constraint journal_mandat_complet check (mandat_id is null or (structure_id is not null and usager_id is not null)),
  constraint journal_sequence_si_mandat check ((mandat_id is null) = (mandat_seq is null)),
  constraint journal_grammaire check (case
    when action in ('mandat_signe', 'autorisation_remplacee', 'autorisation_revoquee', 'autorisation_suspendue', 'autorisation_retablie',
      'mandat_termine', 'mandat_expire', 'demarche_realisee', 'demarche_corrigee', 'acte_hors_mandat', 'demarche_contestee',
      'contestation_repondue', 'session_deleguee', 'attestation_imprimee') then mandat_id is not null
    when action in ('identite_modifiee', 'contact_modifie', 'donnees_effacees') then usager_id is not null
    when action = 'dossier_ouvert' then acteur = 'aidant' and usager_id is not null and structure_id is not null
    when action in ('aidant_ajoute', 'aidant_suspendu', 'aidant_retabli') then cible_aidant_id is not null and structure_id is not null
    when action in ('structure_ajoutee', 'structure_modifiee') then structure_id is not null
    when action = 'export' then acteur in ('usager', 'aidant')
    else acteur in ('systeme', 'operateur')
  end),
  constraint journal_acteur_action check (case
    when action in ('demarche_realisee', 'demarche_corrigee', 'acte_hors_mandat') then acteur = 'aidant'
    when action = 'demarche_contestee' then acteur = 'usager'
    when action = 'mandat_expire' then acteur = 'systeme'
    else true
  end)
);
create index journal_structure on journal (structure_id, id desc);
create index journal_usager on journal (usager_id, id desc);
create index journal_aidant on journal (structure_id, acteur_id, id desc);
create unique index journal_expire_une_fois on journal (mandat_id) where action = 'mandat_expire';
comment on table journal is 'Journal : une ligne par fait de droit, jamais modifiée ni effacée, sans nom ni texte libre';

create table journal_contenu (
  journal_id bigint primary key references journal,
  structure_id uuid,
  usager_id uuid,
  sensible boolean not null default false,
  payload text,
  salt bytea check (length(salt) = 32),
  constraint journal_contenu_entier check ((payload is null) = (salt is null))
);
create index journal_contenu_usager on journal_contenu (usager_id);
comment on table journal_contenu is 'Contenu effaçable d’une ligne : les faits en JCS et le sel de leur engagement';

create table journal_compteur (
  mandat_id uuid primary key,
  seq int not null
);
comment on table journal_compteur is 'Dernier numéro de ligne de chaque mandat, sans trou';

create function base64url(octets bytea) returns text
language sql immutable parallel safe
return rtrim(translate(replace(encode(octets, 'base64'), E'\n', ''), '+/', '-_'), '=');

/*
 * The frozen bytes of a line: RFC 8785 of its columns, absent ones left out. Values are identifiers, numbers and words of closed
 * lists, so no escaping can arise; keys stand in their sorted order.
 */
create function journal_entry(
  p_at timestamptz, p_action text, p_acteur text, p_acteur_id uuid, p_structure_id uuid, p_usager_id uuid, p_mandat_id uuid,
  p_mandat_seq int, p_cible_aidant_id uuid, p_commitment bytea
) returns bytea
language sql immutable parallel safe
return convert_to('{' || concat_ws(',',
  '"acteur":"' || p_acteur || '"',
  '"acteur_id":"' || p_acteur_id || '"',
  '"action":"' || p_action || '"',
  '"at":"' || to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '"',
  '"cible_aidant_id":"' || p_cible_aidant_id || '"',
  '"commitment":"' || base64url(p_commitment) || '"',
  '"mandat_id":"' || p_mandat_id || '"',
  '"mandat_seq":' || p_mandat_seq,
  '"structure_id":"' || p_structure_id || '"',
  '"usager_id":"' || p_usager_id || '"',
  '"v":1'
) || '}', 'UTF8');

/* The database, not the caller, gives a line its time, its number in the mandat and its bytes. */
create function journal_ecrit() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  new.xid := pg_current_xact_id();
  if new.mandat_id is not null then
    insert into public.journal_compteur as c (mandat_id, seq) values (new.mandat_id, 1)
    on conflict (mandat_id) do update set seq = c.seq + 1
    returning seq into new.mandat_seq;
  else
    new.mandat_seq := null;
  end if;
  new.at := public.horloge();
  new.entry := public.journal_entry(new.at, new.action, new.acteur, new.acteur_id, new.structure_id, new.usager_id, new.mandat_id,
    new.mandat_seq, new.cible_aidant_id, new.commitment);
  return new;
end
$$;
create trigger journal_ecrit before insert on journal for each row execute function journal_ecrit();

/* A content belongs to its line: same person, same structure, and its commitment. */
create function journal_contenu_engage() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if not exists (
    select 1
    from public.journal j
    where j.id = new.journal_id and j.commitment = sha256(new.salt || convert_to(new.payload, 'UTF8'))
      and j.structure_id is not distinct from new.structure_id and j.usager_id is not distinct from new.usager_id
  ) then
    raise exception 'content does not match line %', new.journal_id using errcode = 'check_violation', constraint = 'journal_contenu_engage';
  end if;
  return null;
end
$$;
create constraint trigger journal_contenu_engage after insert on journal_contenu for each row execute function journal_contenu_engage();

/* Who a person is never changes without its line. Checked at commit. */
create function identite_journalisee() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if not exists (
    select 1 from public.journal where usager_id = new.id and action = 'identite_modifiee' and xid = pg_current_xact_id()
  ) then
    raise exception 'identity changes with its line' using errcode = 'check_violation', constraint = 'identite_journalisee';
  end if;
  return null;
end
$$;
create constraint trigger identite_journalisee after update of prenoms, nom_naissance, nom_usage, birthdate, birthplace, birthcountry on usager
  deferrable initially deferred for each row
  when ((old.prenoms, old.nom_naissance, old.nom_usage, old.birthdate, old.birthplace, old.birthcountry)
    is distinct from (new.prenoms, new.nom_naissance, new.nom_usage, new.birthdate, new.birthplace, new.birthcountry))
  execute function identite_journalisee();

create trigger insertion_seule before update or delete on journal for each row execute function refuse_modification();
create trigger insertion_seule_table before truncate on journal for each statement execute function refuse_modification();
create trigger insertion_seule before update or delete on journal_contenu for each row execute function refuse_modification();
create trigger insertion_seule_table before truncate on journal_contenu for each statement execute function refuse_modification();
alter table journal enable always trigger journal_ecrit;
alter table journal enable always trigger insertion_seule;
alter table journal enable always trigger insertion_seule_table;
alter table journal_contenu enable always trigger insertion_seule;
alter table journal_contenu enable always trigger insertion_seule_table;

alter table journal enable row level security;
alter table journal_contenu enable row level security;
alter table journal_compteur enable row level security;

create policy structure_lit on journal for select to traitdunion_app
  using (app_who() in ('aidant', 'referent') and structure_id = (select app_structure()));
create policy personne_lit on journal for select to traitdunion_app using (app_who() = 'usager' and usager_id = any (app_usagers()));
create policy service_lit on journal for select to traitdunion_app using (app_who() in ('worker', 'portier') and acteur in ('systeme', 'usager'));
-- What directs the structure is written by the référent alone.
create policy aidant_ecrit on journal for insert to traitdunion_app
  with check (app_who() in ('aidant', 'referent') and acteur = 'aidant' and acteur_id = app_aidant() and structure_id = app_structure()
    and (app_who() = 'referent'
      or action not in ('dossier_ouvert', 'aidant_ajoute', 'aidant_suspendu', 'aidant_retabli', 'structure_modifiee')));
create policy personne_ecrit on journal for insert to traitdunion_app
  with check (app_who() = 'usager' and acteur = 'usager' and acteur_id = any (app_usagers()) and usager_id = any (app_usagers()));
create policy portier_ecrit on journal for insert to traitdunion_app
  with check (app_who() = 'portier' and ((acteur = 'usager' and acteur_id = usager_id and action in ('identite_modifiee', 'contact_modifie'))
    or (acteur = 'systeme' and action = 'jwks_archive')));
create policy systeme_ecrit on journal for insert to traitdunion_app with check (app_who() = 'worker' and acteur = 'systeme');
create policy operateur on journal to traitdunion_operator using (true) with check (acteur in ('operateur', 'systeme'));
create policy sequenceur on journal for select to traitdunion_sequencer using (true);
create policy auditeur on journal for select to traitdunion_auditor using (true);

create policy personne_lit on journal_contenu for select to traitdunion_app using (app_who() = 'usager' and usager_id = any (app_usagers()));
create policy auteur_lit on journal_contenu for select to traitdunion_app
  using (app_who() in ('aidant', 'referent') and structure_id = (select app_structure())
    and exists (select 1 from journal j where j.id = journal_id and j.acteur = 'aidant' and j.acteur_id = (select app_aidant())));
create policy referent_lit on journal_contenu for select to traitdunion_app
  using (app_who() = 'referent' and structure_id = (select app_structure()) and not sensible);
create policy ecrit on journal_contenu for insert to traitdunion_app
  with check (case app_who()
    when 'aidant' then structure_id = app_structure()
    when 'referent' then structure_id = app_structure()
    when 'usager' then usager_id = any (app_usagers())
    when 'portier' then true
    when 'worker' then true
    else false end);
create policy operateur on journal_contenu for insert to traitdunion_operator with check (true);

grant select, insert on journal, journal_contenu to traitdunion_app;
grant select, insert on journal to traitdunion_operator;
grant insert on journal_contenu to traitdunion_operator;
grant select on journal to traitdunion_sequencer, traitdunion_auditor;
