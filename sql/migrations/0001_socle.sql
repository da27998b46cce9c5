-- Foundations: the clock, the caller's context, the closed vocabularies. Locks nothing: first migration.

create table horloge_reglage (
  seul boolean primary key default true check (seul),
  decalage interval not null default '0',
  fige timestamptz
);
comment on table horloge_reglage is 'Décalage de l’horloge pour les essais et la démonstration ; vide de sens et jamais modifiable par l’application en production';
insert into horloge_reglage default values;

/* The only source of time of the service: milliseconds, because hashes cover it. */
create function horloge() returns timestamptz
language sql volatile security definer set search_path = pg_catalog, public
as $$
  select date_trunc('milliseconds', coalesce(fige, clock_timestamp() + decalage))
  from public.horloge_reglage
$$;
-- What acts in the owner's name is for those who need it, said for each such function.
revoke execute on function horloge() from public;
grant execute on function horloge() to traitdunion_app, traitdunion_operator, traitdunion_sequencer;

/* True of a moment that is now: never to come, and just past only as long as a lock may be waited for or a second truncated. */
create function maintenant(p_at timestamptz) returns boolean
language sql volatile
as $$
  select p_at between h.now - interval '30 seconds' and h.now
  from (select public.horloge() as now) h
$$;

-- The caller, set by db.tx as its first statement; after a transaction the setting is '' and not null.
create function app_who() returns text
language sql stable parallel safe
return nullif(current_setting('app.who', true), '');

create function app_aidant() returns uuid
language sql stable parallel safe
return nullif(current_setting('app.aidant_id', true), '')::uuid;

create function app_structure() returns uuid
language sql stable parallel safe
return nullif(current_setting('app.structure_id', true), '')::uuid;

create function app_usagers() returns uuid[]
language sql stable parallel safe
return coalesce(nullif(current_setting('app.usager_ids', true), '')::uuid[], '{}');

create function thematiques() returns text[]
language sql immutable parallel safe
return array['papiers', 'famille', 'social', 'travail', 'logement', 'transports', 'argent', 'justice', 'etranger', 'loisirs'];

create function jours(duree text) returns int
language sql immutable parallel safe
return case duree when 'jour' then 1 when 'mois' then 31 when 'trimestre' then 92 when 'semestre' then 182 when 'an' then 365 end;

/* Words of a name as they are searched: no accent, no case, ligatures opened, apostrophes and hyphens split. */
create function mots(texte text) returns text[]
language sql stable parallel safe
as $$
  select coalesce(array_agg(distinct mot), '{}')
  from regexp_split_to_table(lower(public.unaccent('public.unaccent', coalesce(texte, ''))), '[^a-z0-9]+') as mot
  where mot <> ''
$$;

create function refuse_modification() returns trigger
language plpgsql
as $$
begin
  raise exception 'table % is insert-only', tg_table_name using errcode = 'insufficient_privilege', constraint = 'insertion_seule';
end
$$;
