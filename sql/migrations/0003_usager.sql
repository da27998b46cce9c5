-- Persons and what each structure knows of them. Locks nothing: new tables.

create table usager (
  id uuid primary key default gen_random_uuid(),
  sub text not null constraint usager_sub_unique unique check (length(sub) between 1 and 255),
  prenoms text[] not null check (cardinality(prenoms) between 1 and 20),
  nom_naissance text not null check (length(nom_naissance) between 1 and 100),
  nom_usage text check (length(nom_usage) between 1 and 100),
  birthdate text not null check (birthdate ~ '^\d{4}(-\d{2}(-\d{2})?)?$'),
  birthplace text,
  birthcountry text,
  email text,
  telephone text,
  suivi text not null default 'papier' check (suivi in ('email', 'sms', 'papier')),
  created_at timestamptz(3) not null default horloge(),
  refreshed_at timestamptz(3) not null default horloge()
);
comment on table usager is 'Personne qui donne mandat ; une ligne par identifiant FranceConnect, commune à toutes les structures';

create table dossier (
  structure_id uuid not null references structure,
  usager_id uuid not null references usager,
  tri text collate "C" not null default '',
  naissance text collate "C" not null default '',
  created_at timestamptz(3) not null default horloge(),
  primary key (structure_id, usager_id)
);
create index dossier_usager on dossier (usager_id);
create index dossier_tri on dossier (structure_id, tri, usager_id);
create index dossier_naissance on dossier (structure_id, naissance, tri, usager_id);
comment on table dossier is 'Une structure connaît une personne';

create table dossier_mot (
  structure_id uuid not null,
  usager_id uuid not null,
  mot text collate "C" not null,
  tri text collate "C" not null,
  primary key (structure_id, usager_id, mot),
  foreign key (structure_id, usager_id) references dossier on delete cascade
);
create index dossier_mot_recherche on dossier_mot (structure_id, mot, tri, usager_id);
comment on table dossier_mot is 'Mots du nom d’une personne, sans accents, pour la retrouver dans sa structure';

create function dossier_indexe() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  u public.usager;
begin
  select * into u from public.usager where id = new.usager_id;
  new.tri := array_to_string(public.mots_ordonnes(coalesce(u.nom_usage, u.nom_naissance) || ' ' || array_to_string(u.prenoms, ' ')), ' ');
  new.naissance := u.birthdate;
  return new;
end
$$;

/* Same normalisation as mots(), order kept: the sort key of a name. */
create function mots_ordonnes(texte text) returns text[]
language sql stable parallel safe
as $$
  select coalesce(array_agg(mot order by rang), '{}')
  from regexp_split_to_table(lower(public.unaccent('public.unaccent', coalesce(texte, ''))), '[^a-z0-9]+') with ordinality as m(mot, rang)
  where mot <> ''
$$;

create function dossier_mots_indexe() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  delete from public.dossier_mot where structure_id = new.structure_id and usager_id = new.usager_id;
  insert into public.dossier_mot (structure_id, usager_id, mot, tri)
  select new.structure_id, new.usager_id, mot, new.tri
  from public.usager u,
    unnest(public.mots(concat_ws(' ', u.nom_usage, u.nom_naissance, array_to_string(u.prenoms, ' ')))) as mot
  where u.id = new.usager_id;
  return null;
end
$$;

create function usager_reindexe() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  update public.dossier set tri = '' where usager_id = new.id;
  return null;
end
$$;

create trigger dossier_indexe before insert or update on dossier for each row execute function dossier_indexe();
create trigger dossier_mots_indexe after insert or update on dossier for each row execute function dossier_mots_indexe();
create trigger usager_reindexe after update of prenoms, nom_naissance, nom_usage, birthdate on usager
  for each row when (old is distinct from new) execute function usager_reindexe();

/*
 * The person behind a FranceConnect sub, known or made now, and her dossier in the calling structure. Crosses structures, hence
 * security definer; returns an id and nothing of what others know.
 */
create function reconnaitre_usager(
  p_sub text, p_prenoms text[], p_nom_naissance text, p_nom_usage text, p_birthdate text, p_birthplace text, p_birthcountry text
) returns uuid
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_id uuid;
begin
  if public.app_who() <> 'aidant' or public.app_structure() is null then
    raise exception 'only an aidant opens a dossier' using errcode = 'insufficient_privilege';
  end if;
  insert into public.usager (sub, prenoms, nom_naissance, nom_usage, birthdate, birthplace, birthcountry)
  values (p_sub, p_prenoms, p_nom_naissance, p_nom_usage, p_birthdate, p_birthplace, p_birthcountry)
  on conflict (sub) do nothing;
  -- The person before her dossiers, here as when her identity is refreshed (which re-indexes them all): two structures never wait for each other.
  select id into v_id from public.usager where sub = p_sub for no key update;
  insert into public.dossier (structure_id, usager_id) values (public.app_structure(), v_id) on conflict do nothing;
  -- No key: a line about her, written by who holds her mandat, must not wait for us while we wait for that mandat.
  perform 1 from public.dossier where structure_id = public.app_structure() and usager_id = v_id for no key update;
  return v_id;
end
$$;

/* Structures that know the calling person. */
create function structures_de_la_personne() returns setof uuid
language sql stable security definer set search_path = pg_catalog, public
as $$
  select d.structure_id from public.dossier d where d.usager_id = any (public.app_usagers())
$$;

/* Aidants who act or have acted for a structure that knows the calling person. */
create function aidants_de_la_personne() returns setof uuid
language sql stable security definer set search_path = pg_catalog, public
as $$
  select h.aidant_id
  from public.habilitation h
  where h.structure_id in (select public.structures_de_la_personne())
$$;

alter table usager enable row level security;
alter table dossier enable row level security;
alter table dossier_mot enable row level security;

create policy personne on usager for select to traitdunion_app using (app_who() = 'usager' and id = any (app_usagers()));
create policy aidant_lit on usager for select to traitdunion_app
  using (app_who() in ('aidant', 'referent') and exists (
    select 1 from dossier d where d.usager_id = usager.id and d.structure_id = (select app_structure())));
create policy portier_lit on usager for select to traitdunion_app using (app_who() in ('portier', 'worker'));
create policy aidant_met_a_jour on usager for update to traitdunion_app
  using (app_who() = 'aidant' and exists (
    select 1 from dossier d where d.usager_id = usager.id and d.structure_id = (select app_structure())));
create policy portier_met_a_jour on usager for update to traitdunion_app using (app_who() = 'portier');

create policy aidant_lit on dossier for select to traitdunion_app
  using (app_who() in ('aidant', 'referent') and structure_id = (select app_structure()));
create policy personne on dossier for select to traitdunion_app using (app_who() = 'usager' and usager_id = any (app_usagers()));
create policy aidant_lit on dossier_mot for select to traitdunion_app
  using (app_who() in ('aidant', 'referent') and structure_id = (select app_structure()));

create policy personne_lit on structure for select to traitdunion_app
  using (app_who() = 'usager' and id in (select structures_de_la_personne()));
create policy personne_lit on aidant for select to traitdunion_app
  using (app_who() = 'usager' and id in (select aidants_de_la_personne()));

grant select on usager, dossier, dossier_mot to traitdunion_app;
grant update (prenoms, nom_naissance, nom_usage, birthdate, birthplace, birthcountry, email, telephone, suivi, refreshed_at) on usager to traitdunion_app;
create policy personne_lit on habilitation for select to traitdunion_app
  using (app_who() = 'usager' and structure_id in (select structures_de_la_personne()));
revoke execute on function reconnaitre_usager(text, text[], text, text, text, text, text), structures_de_la_personne(), aidants_de_la_personne()
  from public;
grant execute on function reconnaitre_usager(text, text[], text, text, text, text, text), structures_de_la_personne(), aidants_de_la_personne()
  to traitdunion_app;
