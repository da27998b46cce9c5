-- The door: sessions, sign-in codes, drafts, pending round trips, limits, technical access log. Locks nothing: new tables.

create table session (
  id uuid primary key default gen_random_uuid(),
  jeton bytea not null constraint session_jeton_unique unique check (length(jeton) = 32),
  aidant_id uuid references aidant,
  structure_id uuid,
  usager_id uuid references usager,
  created_at timestamptz(3) not null default horloge(),
  last_seen_at timestamptz(3) not null default horloge(),
  ended_at timestamptz(3),
  foreign key (aidant_id, structure_id) references habilitation,
  check ((aidant_id is null) <> (usager_id is null)),
  check (structure_id is null or aidant_id is not null)
);
create index session_aidant on session (aidant_id) where ended_at is null;
create index session_usager on session (usager_id) where ended_at is null;
comment on table session is 'Session d’un aidant ou d’une personne ; seule l’empreinte du jeton est gardée';

create table code_connexion (
  id uuid primary key default gen_random_uuid(),
  navigateur bytea not null check (length(navigateur) = 32),
  aidant_id uuid references aidant,
  code bytea not null check (length(code) = 32),
  lien bytea not null constraint code_lien_unique unique check (length(lien) = 32),
  essais int not null default 0,
  suite text,
  created_at timestamptz(3) not null default horloge(),
  used_at timestamptz(3)
);
create index code_connexion_navigateur on code_connexion (navigateur, created_at desc);
comment on table code_connexion is 'Code et lien envoyés à la connexion ; même ligne pour une adresse inconnue, sans aidant';

create table brouillon (
  id uuid primary key default gen_random_uuid(),
  structure_id uuid not null,
  aidant_id uuid not null,
  usager_id uuid references usager,
  perimetre text[] not null default '{}' check (perimetre <@ thematiques()),
  duree text check (duree in ('jour', 'mois', 'trimestre', 'semestre', 'an')),
  conditions text,
  identite jsonb,
  id_token text,
  jwks_id text,
  auth_time timestamptz(3),
  identified_at timestamptz(3),
  granted text[] check (granted <@ perimetre),
  accord_at timestamptz(3),
  dernier_jour date,
  suivi text check (suivi in ('email', 'sms', 'papier')),
  contact text check (length(contact) <= 254),
  created_at timestamptz(3) not null default horloge(),
  updated_at timestamptz(3) not null default horloge(),
  foreign key (aidant_id, structure_id) references habilitation,
  constraint brouillon_identite_entiere
    check ((identite is null) = (id_token is null) and (identite is null) = (identified_at is null) and (identite is null) = (auth_time is null)),
  constraint brouillon_accord_identifie check (accord_at is null or identite is not null),
  constraint brouillon_accord_date check ((accord_at is null) = (dernier_jour is null))
);
create index brouillon_aidant on brouillon (aidant_id, structure_id, updated_at desc);
comment on table brouillon is 'Mandat en préparation ; l’identité n’y reste que trente minutes, les choix vingt-quatre heures ; un refus efface tout';

create table connexion (
  id uuid primary key default gen_random_uuid(),
  fournisseur text not null check (fournisseur in ('franceconnect', 'proconnect')),
  but text not null check (but in ('mandat', 'espace')),
  etat bytea not null constraint connexion_etat_unique unique check (length(etat) = 32),
  navigateur bytea not null check (length(navigateur) = 32),
  nonce text not null check (length(nonce) >= 32),
  brouillon_id uuid references brouillon on delete cascade,
  created_at timestamptz(3) not null default horloge(),
  used_at timestamptz(3),
  check ((but = 'mandat') = (brouillon_id is not null))
);
create index connexion_brouillon on connexion (brouillon_id);
comment on table connexion is 'Aller-retour d’identification en attente : un navigateur, une fois, trente minutes';

create function usage_unique() returns trigger
language plpgsql
as $$
begin
  if old.used_at is not null and new.used_at is distinct from old.used_at then
    raise exception '% % is used once', tg_table_name, old.id using errcode = 'check_violation', constraint = 'usage_unique';
  end if;
  return new;
end
$$;
create trigger usage_unique before update on connexion for each row execute function usage_unique();
create trigger usage_unique before update on code_connexion for each row execute function usage_unique();
alter table connexion enable always trigger usage_unique;
alter table code_connexion enable always trigger usage_unique;

create table limite (
  cle bytea not null,
  debut timestamptz(3) not null,
  compte int not null,
  primary key (cle, debut)
);
comment on table limite is 'Compteurs des limites d’usage, clés hachées';

create table acces (
  id bigint generated always as identity primary key,
  at timestamptz(3) not null default horloge(),
  genre text not null check (genre in ('connexion', 'deconnexion', 'changement_structure', 'dossier_consulte', 'demarche_consultee', 'mandat_consulte')),
  aidant_id uuid references aidant,
  structure_id uuid references structure,
  autre_structure_id uuid references structure,
  usager_id uuid references usager,
  check ((genre = 'changement_structure') = (autre_structure_id is not null)),
  check ((genre in ('dossier_consulte', 'demarche_consultee', 'mandat_consulte')) <= (usager_id is not null))
);
create index acces_usager on acces (usager_id, id desc);
create index acces_aidant on acces (aidant_id, id desc);
comment on table acces is 'Journal technique des accès, douze mois, montré à la personne ; jamais mêlé au journal des démarches';
create trigger insertion_seule before update on acces for each row execute function refuse_modification();
alter table acces enable always trigger insertion_seule;

alter table session enable row level security;
alter table code_connexion enable row level security;
alter table brouillon enable row level security;
alter table connexion enable row level security;
alter table limite enable row level security;
alter table acces enable row level security;

create policy portier on session to traitdunion_app using (app_who() = 'portier') with check (app_who() = 'portier');
create policy service on session to traitdunion_app using (app_who() = 'worker');
create policy portier on code_connexion to traitdunion_app using (app_who() = 'portier') with check (app_who() = 'portier');
create policy service on code_connexion to traitdunion_app using (app_who() = 'worker');
create policy aidant on brouillon to traitdunion_app
  using (app_who() = 'aidant' and structure_id = (select app_structure()) and aidant_id = (select app_aidant()))
  with check (app_who() = 'aidant' and structure_id = app_structure() and aidant_id = app_aidant());
create policy service on brouillon to traitdunion_app using (app_who() = 'worker');
create policy portier on connexion to traitdunion_app using (app_who() = 'portier') with check (app_who() = 'portier');
create policy aidant on connexion to traitdunion_app
  using (app_who() = 'aidant' and brouillon_id in (select id from brouillon))
  with check (app_who() = 'aidant' and brouillon_id in (select id from brouillon));
create policy service on connexion to traitdunion_app using (app_who() = 'worker');
create policy portier on limite to traitdunion_app using (app_who() in ('portier', 'worker')) with check (app_who() in ('portier', 'worker'));
create policy aidant_ecrit on acces for insert to traitdunion_app
  with check (app_who() in ('aidant', 'referent') and aidant_id = app_aidant() and structure_id = app_structure());
create policy portier_ecrit on acces for insert to traitdunion_app with check (app_who() = 'portier');
create policy personne on acces for select to traitdunion_app using (app_who() = 'usager' and usager_id = any (app_usagers()));
create policy service_lit on acces for select to traitdunion_app using (app_who() = 'worker');
create policy service_purge on acces for delete to traitdunion_app
  using (app_who() = 'worker' and at < (select horloge()) - interval '12 months');

grant select, insert, update, delete on session, code_connexion, brouillon, connexion, limite to traitdunion_app;
grant select, delete on acces to traitdunion_app;
grant insert (genre, aidant_id, structure_id, autre_structure_id, usager_id) on acces to traitdunion_app;
