-- Structures, aidants, habilitations, second factors. Locks nothing: new tables.

create table structure (
  id uuid primary key default gen_random_uuid(),
  nom text not null check (length(nom) between 2 and 120),
  siret text not null constraint structure_siret_unique unique check (siret ~ '^\d{14}$'),
  adresse text not null check (length(adresse) between 5 and 200),
  telephone text not null check (length(telephone) between 6 and 20),
  fuseau text not null default 'Europe/Paris' check ((timestamp '2026-01-01' at time zone fuseau) is not null),
  thematiques_desactivees text[] not null default '{justice}'
    constraint structure_une_thematique_reste check (thematiques_desactivees <@ thematiques() and cardinality(thematiques_desactivees) < 10),
  created_at timestamptz(3) not null default horloge(),
  suspended_at timestamptz(3)
);
comment on table structure is 'Organisme mandataire ; frontière d’isolement';

create table aidant (
  id uuid primary key default gen_random_uuid(),
  email text not null constraint aidant_email_unique unique check (email = lower(btrim(email)) and length(email) <= 254),
  prenom text not null check (length(prenom) between 1 and 60),
  nom text not null check (length(nom) between 1 and 60),
  cgu_version int,
  cgu_accepted_at timestamptz(3),
  created_at timestamptz(3) not null default horloge(),
  suspended_at timestamptz(3),
  check ((cgu_version is null) = (cgu_accepted_at is null))
);
comment on table aidant is 'Professionnel habilité ; agit pour une structure, jamais pour lui-même';

create table habilitation (
  aidant_id uuid not null references aidant,
  structure_id uuid not null references structure,
  referent boolean not null default false,
  created_at timestamptz(3) not null default horloge(),
  ended_at timestamptz(3),
  primary key (aidant_id, structure_id)
);
create index habilitation_structure on habilitation (structure_id);
comment on table habilitation is 'Droit d’un aidant d’agir pour une structure ; fin datée, jamais effacée';

create table facteur (
  id uuid primary key default gen_random_uuid(),
  aidant_id uuid not null references aidant,
  genre text not null check (genre in ('totp')),
  secret bytea not null,
  dernier_pas bigint not null default 0,
  created_at timestamptz(3) not null default horloge(),
  removed_at timestamptz(3)
);
create index facteur_aidant on facteur (aidant_id) where removed_at is null;
comment on table facteur is 'Second facteur d’un aidant ; secret chiffré par l’application, dernier pas accepté contre le rejeu';

/* A code counts once: the accepted step only grows. */
create function facteur_avance() returns trigger
language plpgsql
as $$
begin
  if new.dernier_pas < old.dernier_pas or new.secret <> old.secret or new.aidant_id <> old.aidant_id then
    raise exception 'facteur % cannot go back', old.id using errcode = 'check_violation', constraint = 'facteur_avance';
  end if;
  return new;
end
$$;
create trigger facteur_avance before update on facteur for each row execute function facteur_avance();
alter table facteur enable always trigger facteur_avance;

/* Structures the calling aidant may act for, now. */
create function mes_structures() returns setof uuid
language sql stable security definer set search_path = pg_catalog, public
as $$
  select h.structure_id
  from public.habilitation h
  where h.aidant_id = public.app_aidant() and h.ended_at is null
$$;

/* True while this aidant may act for this structure: not suspended, habilitated, structure open. */
create function aidant_actif(p_aidant uuid, p_structure uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, public
as $$
  select exists (
    select 1
    from public.habilitation h
    join public.aidant a on a.id = h.aidant_id
    join public.structure s on s.id = h.structure_id
    where h.aidant_id = p_aidant and h.structure_id = p_structure
      and h.ended_at is null and a.suspended_at is null and s.suspended_at is null
  )
$$;

alter table structure enable row level security;
alter table aidant enable row level security;
alter table habilitation enable row level security;
alter table facteur enable row level security;

create policy aidant_lit on structure for select to traitdunion_app
  using (app_who() in ('aidant', 'referent') and id in (select mes_structures()));
create policy portier_lit on structure for select to traitdunion_app using (app_who() in ('portier', 'worker'));
create policy operateur on structure to traitdunion_operator using (true) with check (true);

create policy aidant_lit on habilitation for select to traitdunion_app
  using (app_who() in ('aidant', 'referent') and (structure_id = (select app_structure()) or aidant_id = (select app_aidant())));
create policy portier_lit on habilitation for select to traitdunion_app using (app_who() in ('portier', 'worker'));
create policy operateur on habilitation to traitdunion_operator using (true) with check (true);

create policy portier_lit on aidant for select to traitdunion_app using (app_who() in ('portier', 'worker'));
create policy aidant_lit on aidant for select to traitdunion_app
  using (app_who() in ('aidant', 'referent') and (id = (select app_aidant())
    or exists (select 1 from habilitation h where h.aidant_id = aidant.id and h.structure_id = (select app_structure()))));
create policy portier_cgu on aidant for update to traitdunion_app using (app_who() = 'portier');
create policy operateur on aidant to traitdunion_operator using (true) with check (true);

create policy portier_facteur on facteur to traitdunion_app using (app_who() = 'portier');
create policy aidant_facteur on facteur to traitdunion_app
  using (app_who() in ('aidant', 'referent') and aidant_id = (select app_aidant()))
  with check (app_who() in ('aidant', 'referent') and aidant_id = (select app_aidant()));
create policy operateur on facteur to traitdunion_operator using (true) with check (true);

grant select on structure, habilitation, aidant, facteur to traitdunion_app;
grant update (cgu_version, cgu_accepted_at) on aidant to traitdunion_app;
grant update (dernier_pas) on facteur to traitdunion_app;
grant select, insert, update on structure, aidant, habilitation, facteur to traitdunion_operator;
revoke execute on function mes_structures(), aidant_actif(uuid, uuid) from public;
grant execute on function mes_structures(), aidant_actif(uuid, uuid) to traitdunion_app;
