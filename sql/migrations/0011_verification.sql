-- The code printed on a mandat: its hash, and the one look-up that a third party may make. Locks nothing: new table.

create table code_verification (
  mandat_id uuid primary key references mandat,
  empreinte bytea not null constraint code_verification_unique unique check (length(empreinte) = 32)
);
comment on table code_verification is 'Empreinte du code imprimé sur un mandat ; écrite à la signature, lue par la seule fonction verifie()';
create trigger insertion_seule before update on code_verification for each row execute function refuse_modification();
alter table code_verification enable always trigger insertion_seule;

alter table code_verification enable row level security;
-- The mandat is seen through the caller's own policies: a structure gives no code to another's.
create policy aidant_signe on code_verification for insert to traitdunion_app
  with check (app_who() = 'aidant' and exists (select 1 from mandat m where m.id = mandat_id and m.aidant_id = app_aidant()));
-- Those signed before codes existed get theirs when the service starts.
create policy service_ecrit on code_verification for insert to traitdunion_app with check (app_who() = 'worker');
grant insert on code_verification to traitdunion_app;

create function mandats_sans_code() returns setof uuid
language sql stable security definer set search_path = pg_catalog, public
as $$
  select m.id
  from public.mandat m
  where public.app_who() = 'worker' and not exists (select 1 from public.code_verification v where v.mandat_id = m.id)
$$;
revoke execute on function mandats_sans_code() from public;
grant execute on function mandats_sans_code() to traitdunion_app;

/* What a paper says, and its thématiques as they are now, to whoever holds its code and knows the year of birth: one row for each thématique. */
create function verifie(p_empreinte bytea, p_annee text)
returns table (
  prenoms text[], nom_naissance text, nom_usage text, birthdate text, structure_nom text, siret text, fuseau text,
  signed_at timestamptz, expires_at timestamptz, thematique text, etat text)
language sql stable security definer set search_path = pg_catalog, public
as $$
  select array(select jsonb_array_elements_text(c.identite -> 'prenoms')), c.identite ->> 'nomNaissance', c.identite ->> 'nomUsage',
    c.identite ->> 'birthdate', c.structure ->> 'nom', c.structure ->> 'siret', c.structure ->> 'fuseau',
    a.signed_at, a.expires_at, a.thematique, a.etat
  from public.code_verification v
  join public.mandat_contenu c on c.mandat_id = v.mandat_id
  join public.autorisation_etat a on a.mandat_id = v.mandat_id
  where v.empreinte = p_empreinte and left(c.identite ->> 'birthdate', 4) = p_annee and public.app_who() = 'verifier'
  order by array_position(public.thematiques(), a.thematique)
$$;
revoke execute on function verifie(bytea, text) from public;
grant execute on function verifie(bytea, text) to traitdunion_app;
