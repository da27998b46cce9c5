-- Mandats, autorisations, suspensions and their contents. Locks nothing: new tables.

create table mandat (
  id uuid primary key,
  structure_id uuid not null,
  usager_id uuid not null,
  aidant_id uuid not null,
  duree text not null check (duree in ('jour', 'mois', 'trimestre', 'semestre', 'an')),
  niveau text not null default 'franceconnect' check (niveau in ('franceconnect', 'papier')),
  signed_at timestamptz(3) not null check (signed_at = date_trunc('second', signed_at)),
  expires_at timestamptz(3) not null,
  statut_bloc int not null constraint mandat_bloc_unique unique check (statut_bloc >= 0),
  journal_id bigint not null unique references journal,
  ended_at timestamptz(3),
  ended_how text check (ended_how in ('revoque', 'remplace', 'renonce', 'deces', 'protection', 'structure_fermee')),
  ended_journal_id bigint unique references journal,
  foreign key (structure_id, usager_id) references dossier,
  foreign key (aidant_id, structure_id) references habilitation,
  unique (id, structure_id, usager_id),
  unique (id, structure_id, usager_id, signed_at, expires_at),
  constraint mandat_dure check (expires_at > signed_at),
  constraint mandat_fin_apres_debut check (ended_at >= signed_at),
  constraint mandat_fin_entiere check ((ended_at is null) = (ended_how is null) and (ended_at is null) = (ended_journal_id is null))
);
create index mandat_dossier on mandat (structure_id, usager_id);
create index mandat_usager on mandat (usager_id);
create index mandat_fin on mandat (expires_at) where ended_at is null;
comment on table mandat is 'Accord d’une personne : une structure peut faire certaines démarches jusqu’à une date';
-- A line is about a mandat of its structure and of its person. Deferred: the mandat comes after the line that it names.
alter table journal add foreign key (mandat_id, structure_id, usager_id) references mandat (id, structure_id, usager_id)
  deferrable initially deferred;

create table mandat_contenu (
  mandat_id uuid primary key,
  structure_id uuid not null,
  usager_id uuid not null,
  sceau text not null,
  conditions text not null,
  id_token text not null,
  jwks_id text not null,
  texte text not null,
  identite jsonb not null,
  structure jsonb not null,
  aidant jsonb not null,
  accord jsonb not null,
  foreign key (mandat_id, structure_id, usager_id) references mandat (id, structure_id, usager_id)
);
create index mandat_contenu_usager on mandat_contenu (usager_id);
comment on table mandat_contenu is 'Ce qui a été accepté, mot pour mot, et sa preuve ; effaçable après conservation';

create table autorisation (
  id uuid primary key default gen_random_uuid(),
  mandat_id uuid not null,
  structure_id uuid not null,
  usager_id uuid not null,
  thematique text not null check (thematique = any (thematiques())),
  signed_at timestamptz(3) not null,
  expires_at timestamptz(3) not null,
  journal_id bigint not null references journal,
  revoked_at timestamptz(3),
  revoked_how text check (revoked_how in ('revoque', 'remplace', 'renonce', 'deces', 'protection', 'structure_fermee')),
  revoked_journal_id bigint unique references journal,
  foreign key (mandat_id, structure_id, usager_id, signed_at, expires_at) references mandat (id, structure_id, usager_id, signed_at, expires_at),
  unique (mandat_id, thematique),
  unique (id, mandat_id, structure_id, usager_id),
  constraint autorisation_fin_apres_debut check (revoked_at >= signed_at),
  constraint autorisation_fin_entiere
    check ((revoked_at is null) = (revoked_how is null) and (revoked_at is null) = (revoked_journal_id is null)),
  constraint autorisation_une_en_vigueur exclude using gist (
    structure_id with =, usager_id with =, thematique with =, tstzrange(signed_at, least(expires_at, revoked_at)) with &&)
);
create index autorisation_usager on autorisation (usager_id);
comment on table autorisation is 'Une thématique d’un mandat : l’unité accordée, utilisée, suspendue, révoquée';

create table suspension (
  id uuid primary key default gen_random_uuid(),
  autorisation_id uuid not null,
  mandat_id uuid not null,
  structure_id uuid not null,
  usager_id uuid not null,
  from_at timestamptz(3) not null,
  until_at timestamptz(3),
  journal_id bigint not null unique references journal,
  until_journal_id bigint unique references journal,
  foreign key (autorisation_id, mandat_id, structure_id, usager_id) references autorisation (id, mandat_id, structure_id, usager_id),
  check (until_at >= from_at),
  check ((until_at is null) = (until_journal_id is null)),
  constraint suspension_une_a_la_fois exclude using gist (autorisation_id with =, tstzrange(from_at, until_at) with &&)
);
create index suspension_usager on suspension (usager_id);
comment on table suspension is 'Pause d’une autorisation, par la personne ou le temps d’une contestation';

/* What a signature must be, whoever writes it: now, by an active aidant, ending on the evening of the day shown. */
create function mandat_signe() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_fuseau text;
begin
  select fuseau into v_fuseau from public.structure where id = new.structure_id;
  if new.ended_at is not null then
    raise exception 'a mandat is signed in force' using errcode = 'check_violation', constraint = 'mandat_signe_en_vigueur';
  end if;
  if not public.maintenant(new.signed_at) then
    raise exception 'a mandat is signed now' using errcode = 'check_violation', constraint = 'mandat_signe_maintenant';
  end if;
  if new.expires_at <> (date_trunc('day', new.signed_at at time zone v_fuseau) + make_interval(days => public.jours(new.duree))
      + interval '23:59:59') at time zone v_fuseau then
    raise exception 'a mandat ends on the evening of its last day' using errcode = 'check_violation', constraint = 'mandat_fin_du_jour';
  end if;
  if not public.aidant_actif(new.aidant_id, new.structure_id) then
    raise exception 'aidant not active' using errcode = 'check_violation', constraint = 'mandat_aidant_actif';
  end if;
  return new;
end
$$;
create trigger mandat_signe before insert on mandat for each row execute function mandat_signe();

/* A thématique is granted in force, and only one that the structure offers at that moment. */
create function autorisation_accordee() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if new.revoked_at is not null then
    raise exception 'a thématique is granted in force' using errcode = 'check_violation', constraint = 'autorisation_accordee_en_vigueur';
  end if;
  if exists (select 1 from public.structure where id = new.structure_id and new.thematique = any (thematiques_desactivees)) then
    raise exception 'this structure does not offer %', new.thematique
      using errcode = 'check_violation', constraint = 'autorisation_thematique_proposee';
  end if;
  return new;
end
$$;
create trigger autorisation_accordee before insert on autorisation for each row execute function autorisation_accordee();

/* A pause begins now, and open. */
create function suspension_maintenant() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if new.until_at is not null or not public.maintenant(new.from_at) then
    raise exception 'a suspension begins now' using errcode = 'check_violation', constraint = 'suspension_maintenant';
  end if;
  return new;
end
$$;
create trigger suspension_maintenant before insert on suspension for each row execute function suspension_maintenant();

/* Ended stays ended: each end is written once, when it happens. The grant names the only columns that may move. */
create function fin_une_fois() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if old.ended_at is not null or not public.maintenant(new.ended_at) then
    raise exception 'the end of mandat % is written once, now', old.id using errcode = 'check_violation', constraint = 'fin_une_fois';
  end if;
  return new;
end
$$;
create trigger fin_une_fois before update on mandat for each row execute function fin_une_fois();

create function revocation_une_fois() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if old.revoked_at is not null or not public.maintenant(new.revoked_at) then
    raise exception 'the end of autorisation % is written once, now', old.id using errcode = 'check_violation', constraint = 'fin_une_fois';
  end if;
  return new;
end
$$;
create trigger revocation_une_fois before update on autorisation for each row execute function revocation_une_fois();

create function reprise_une_fois() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if old.until_at is not null or not public.maintenant(new.until_at) then
    raise exception 'the end of suspension % is written once, now', old.id using errcode = 'check_violation', constraint = 'fin_une_fois';
  end if;
  return new;
end
$$;
create trigger reprise_une_fois before update on suspension for each row execute function reprise_une_fois();

/* Last thématique revoked = mandat ended; a mandat ended leaves no thématique standing. Checked at commit. */
create function mandat_coherent() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_mandat uuid := case tg_table_name when 'mandat' then new.id else (to_jsonb(new) ->> 'mandat_id')::uuid end;
begin
  if exists (
    select 1
    from public.mandat m
    where m.id = v_mandat
      and (m.ended_at is null) <> exists (select 1 from public.autorisation a where a.mandat_id = m.id and a.revoked_at is null)
  ) then
    raise exception 'mandat % and its autorisations disagree', v_mandat using errcode = 'check_violation', constraint = 'mandat_coherent';
  end if;
  return null;
end
$$;
create constraint trigger mandat_coherent after insert or update on mandat deferrable initially deferred
  for each row execute function mandat_coherent();
create constraint trigger mandat_coherent after insert or update on autorisation deferrable initially deferred
  for each row execute function mandat_coherent();

/* A mandat never stands without the words that were agreed to, nor without a thématique. Checked at commit. */
create function mandat_entier() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if not exists (select 1 from public.mandat_contenu where mandat_id = new.id)
    or not exists (select 1 from public.autorisation where mandat_id = new.id) then
    raise exception 'mandat % is not whole', new.id using errcode = 'check_violation', constraint = 'mandat_entier';
  end if;
  return null;
end
$$;
create constraint trigger mandat_entier after insert on mandat deferrable initially deferred
  for each row execute function mandat_entier();

/* The line that a row claims says that fact, of that mandat or person, and was written with it: one kept from before serves nothing. */
create function ligne_du_fait() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_row jsonb := to_jsonb(new);
  v_line bigint := (v_row ->> tg_argv[0])::bigint;
  v_mandat uuid := (v_row ->> case tg_table_name when 'mandat' then 'id' else 'mandat_id' end)::uuid;
begin
  if v_line is not null and not exists (
    select 1
    from public.journal j
    where j.id = v_line and j.xid = pg_current_xact_id() and j.action = any (string_to_array(tg_argv[1], ' '))
      and j.mandat_id is not distinct from v_mandat
      and j.structure_id = (v_row ->> 'structure_id')::uuid and j.usager_id = (v_row ->> 'usager_id')::uuid
  ) then
    raise exception 'line % does not say this fact', v_line using errcode = 'check_violation', constraint = 'ligne_du_fait';
  end if;
  return null;
end
$$;
create constraint trigger ligne_du_fait after insert on mandat for each row execute function ligne_du_fait('journal_id', 'mandat_signe');
create constraint trigger ligne_de_fin after update on mandat for each row execute function ligne_du_fait('ended_journal_id', 'mandat_termine');
create constraint trigger ligne_du_fait after insert on autorisation for each row execute function ligne_du_fait('journal_id', 'mandat_signe');
create constraint trigger ligne_de_fin after update on autorisation
  for each row execute function ligne_du_fait('revoked_journal_id', 'autorisation_revoquee autorisation_remplacee');
create constraint trigger ligne_du_fait after insert on suspension
  for each row execute function ligne_du_fait('journal_id', 'autorisation_suspendue');
create constraint trigger ligne_de_fin after update on suspension
  for each row execute function ligne_du_fait('until_journal_id', 'autorisation_retablie');

create trigger insertion_seule before update or delete on mandat_contenu for each row execute function refuse_modification();
create trigger insertion_seule_table before truncate on mandat_contenu for each statement execute function refuse_modification();
create trigger jamais_efface before delete on mandat for each row execute function refuse_modification();
create trigger jamais_vide before truncate on mandat for each statement execute function refuse_modification();
create trigger jamais_efface before delete on autorisation for each row execute function refuse_modification();
create trigger jamais_vide before truncate on autorisation for each statement execute function refuse_modification();
create trigger jamais_efface before delete on suspension for each row execute function refuse_modification();
create trigger jamais_vide before truncate on suspension for each statement execute function refuse_modification();
alter table mandat_contenu enable always trigger insertion_seule;
alter table mandat_contenu enable always trigger insertion_seule_table;
alter table mandat enable always trigger mandat_signe;
alter table mandat enable always trigger fin_une_fois;
alter table mandat enable always trigger jamais_efface;
alter table mandat enable always trigger jamais_vide;
alter table autorisation enable always trigger autorisation_accordee;
alter table autorisation enable always trigger revocation_une_fois;
alter table autorisation enable always trigger jamais_efface;
alter table autorisation enable always trigger jamais_vide;
alter table suspension enable always trigger suspension_maintenant;
alter table suspension enable always trigger reprise_une_fois;
alter table suspension enable always trigger jamais_efface;
alter table suspension enable always trigger jamais_vide;

/* How many status lists are open. */
create function listes() returns int
language sql stable security definer set search_path = pg_catalog, public
as $$
  select (1 + count(*) / 3125)::int from public.mandat
$$;

/* A free block of 16 status slots, drawn at random so that neighbours say nothing; lists of 6,250 blocks, opened as they fill to half. */
create function bloc_libre() returns int
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_lists int;
  v_bloc int;
begin
  v_lists := public.listes();
  loop
    v_bloc := floor(random() * v_lists * 6250)::int;
    exit when not exists (select 1 from public.mandat where statut_bloc = v_bloc);
  end loop;
  return v_bloc;
end
$$;

/* Statuses of one list, for anyone: slot numbers and states, nothing else. */
create function statuts(p_liste int) returns table (bloc int, thematique text, etat text)
language sql stable security definer set search_path = pg_catalog, public
as $$
  select m.statut_bloc, a.thematique,
    case when a.revoked_at is not null then 'INVALID'
      when exists (select 1 from public.suspension s where s.autorisation_id = a.id and s.until_at is null) then 'SUSPENDED' end
  from public.mandat m
  join public.autorisation a on a.mandat_id = m.id
  where m.statut_bloc >= p_liste * 6250 and m.statut_bloc < (p_liste + 1) * 6250
    and (a.revoked_at is not null or exists (select 1 from public.suspension s where s.autorisation_id = a.id and s.until_at is null))
$$;

create view autorisation_etat with (security_invoker = true) as
select a.id, a.mandat_id, a.structure_id, a.usager_id, a.thematique, a.signed_at, a.expires_at, a.revoked_at, a.revoked_how,
  case
    when a.revoked_at is not null then 'termine'
    when a.expires_at <= (select horloge()) then 'expire'
    when exists (select 1 from suspension s where s.autorisation_id = a.id and s.until_at is null) then 'suspendu'
    else 'actif'
  end as etat
from autorisation a;
comment on view autorisation_etat is 'L’état de chaque thématique, à l’heure de la base';

create view mandat_etat with (security_invoker = true) as
select m.id, m.structure_id, m.usager_id, m.aidant_id, m.duree, m.niveau, m.signed_at, m.expires_at, m.statut_bloc, m.ended_at, m.ended_how,
  case
    when m.ended_at is not null then 'termine'
    when m.expires_at <= (select horloge()) then 'expire'
    when not exists (select 1 from autorisation_etat e where e.mandat_id = m.id and e.etat = 'actif') then 'suspendu'
    else 'actif'
  end as etat
from mandat m;
comment on view mandat_etat is 'L’unique définition de l’état d’un mandat : actif, suspendu, expire, termine';

/* True while a mandat of this person with this structure is in force: what opens the detail of her démarches to the aidants. */
create function mandat_en_vigueur(p_structure uuid, p_usager uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, public
as $$
  select exists (
    select 1
    from public.mandat
    where structure_id = p_structure and usager_id = p_usager and ended_at is null and expires_at > (select public.horloge())
  )
$$;

alter table mandat enable row level security;
alter table mandat_contenu enable row level security;
alter table autorisation enable row level security;
alter table suspension enable row level security;

create policy structure_lit on mandat for select to traitdunion_app
  using (app_who() in ('aidant', 'referent') and structure_id = (select app_structure()));
create policy personne_lit on mandat for select to traitdunion_app using (app_who() = 'usager' and usager_id = any (app_usagers()));
create policy service_lit on mandat for select to traitdunion_app using (app_who() = 'worker');
create policy aidant_signe on mandat for insert to traitdunion_app
  with check (app_who() = 'aidant' and structure_id = app_structure() and aidant_id = app_aidant());
create policy structure_termine on mandat for update to traitdunion_app
  using (app_who() in ('aidant', 'referent') and structure_id = (select app_structure()));
create policy personne_termine on mandat for update to traitdunion_app using (app_who() = 'usager' and usager_id = any (app_usagers()));

create policy structure_lit on autorisation for select to traitdunion_app
  using (app_who() in ('aidant', 'referent') and structure_id = (select app_structure()));
create policy personne_lit on autorisation for select to traitdunion_app using (app_who() = 'usager' and usager_id = any (app_usagers()));
create policy service_lit on autorisation for select to traitdunion_app using (app_who() = 'worker');
create policy aidant_signe on autorisation for insert to traitdunion_app with check (app_who() = 'aidant' and structure_id = app_structure());
create policy structure_termine on autorisation for update to traitdunion_app
  using (app_who() in ('aidant', 'referent') and structure_id = (select app_structure()));
create policy personne_termine on autorisation for update to traitdunion_app using (app_who() = 'usager' and usager_id = any (app_usagers()));

create policy structure_lit on suspension for select to traitdunion_app
  using (app_who() in ('aidant', 'referent') and structure_id = (select app_structure()));
create policy personne on suspension to traitdunion_app
  using (app_who() = 'usager' and usager_id = any (app_usagers())) with check (app_who() = 'usager' and usager_id = any (app_usagers()));
create policy service_lit on suspension for select to traitdunion_app using (app_who() = 'worker');

create policy personne_lit on mandat_contenu for select to traitdunion_app using (app_who() = 'usager' and usager_id = any (app_usagers()));
create policy aidant_signe on mandat_contenu for insert to traitdunion_app with check (app_who() = 'aidant' and structure_id = app_structure());

grant select, insert on mandat, mandat_contenu, autorisation, suspension to traitdunion_app;
grant update (ended_at, ended_how, ended_journal_id) on mandat to traitdunion_app;
grant update (revoked_at, revoked_how, revoked_journal_id) on autorisation to traitdunion_app;
grant update (until_at, until_journal_id) on suspension to traitdunion_app;
grant select on autorisation_etat, mandat_etat to traitdunion_app;
revoke execute on function listes(), bloc_libre(), statuts(int), mandat_en_vigueur(uuid, uuid) from public;
grant execute on function listes(), bloc_libre(), statuts(int), mandat_en_vigueur(uuid, uuid) to traitdunion_app;
