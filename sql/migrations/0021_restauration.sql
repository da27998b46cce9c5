-- After a restore the tree goes on under another name, that its line says. The index holds the journal's writers while it is built (one second for a
-- million lines); the new policy holds the journal for a moment.

create index journal_restauration on journal (id) where action = 'restauration';

-- The name that signs the tree follows from it: written by who owns the tables, when a database was restored, and never by the service.
create policy restauration_reservee on journal as restrictive for insert to traitdunion_app, traitdunion_operator
  with check (action <> 'restauration');

/* What each restore says, with what proves that it is what its line was written for: of nobody, and for everybody to read. */
create function journal_restaurations() returns table (ligne bigint, at timestamptz, rang bigint, payload text, salt bytea)
language sql stable security definer set search_path = pg_catalog, public
as $$
  select j.id, j.at, f.leaf_index, c.payload, c.salt
  from public.journal j
  join public.journal_contenu c on c.journal_id = j.id
  left join public.journal_feuille f on f.journal_id = j.id
  where j.action = 'restauration'
  order by j.id
$$;
revoke execute on function journal_restaurations() from public;
grant execute on function journal_restaurations() to traitdunion_app, traitdunion_sequencer, traitdunion_auditor;

/*
 * A checkpoint is over the whole tree as it stands, written by who holds the lease, dated by the database, and in the name of the last restore: a
 * name that signed what was lost would sign a second tree of the same size.
 */
create or replace function journal_point_entier() returns trigger
language plpgsql set search_path = pg_catalog, public
as $$
declare
  v_nom text;
begin
  if new.epoch <> (select epoch from public.journal_bail) then
    raise exception 'the lease of the sequencer has passed to another' using errcode = 'check_violation', constraint = 'journal_epoque';
  end if;
  if new.taille <> (select leaf_index + 1 from public.journal_feuille order by leaf_index desc limit 1) then
    raise exception 'checkpoint % is not over the whole tree', new.taille using errcode = 'check_violation', constraint = 'journal_point_entier';
  end if;
  select payload::jsonb ->> 'nom' into v_nom from public.journal_restaurations() order by ligne desc limit 1;
  if v_nom <> split_part(new.note, E'\n', 1) then
    raise exception 'since its restore the journal is called %', v_nom using errcode = 'check_violation', constraint = 'journal_point_nom';
  end if;
  new.created_at := public.horloge();
  return new;
end
$$;

-- A stolen seal key: what it sealed counts when its line is in the tree before the cut-off. Nobody ever wrote `retired_at`: what a key may do is in the
-- service's own file. The closed list of actions is lengthened as it stands, which reads the journal once.

do $$
begin
  execute (
    select 'alter table journal drop constraint journal_action, add constraint journal_action '
      || replace(pg_get_constraintdef(oid), '''restauration''::text', '''restauration''::text, ''cle_compromise''::text')
    from pg_constraint
    where conrelid = 'journal'::regclass and conname = 'journal_action');
end
$$;

drop trigger retrait_une_fois on cle;
drop function retrait_une_fois();
drop policy service_retire on cle;
alter table cle
  drop column retired_at,
  -- Leaves before this one count.
  add column coupure bigint check (coupure >= 0),
  add column coupure_journal_id bigint references journal,
  add constraint cle_coupure_entiere check ((coupure is null) = (coupure_journal_id is null));
create policy operateur on cle to traitdunion_operator using (true) with check (true);
grant select, update (coupure, coupure_journal_id) on cle to traitdunion_operator;
create policy operateur on journal_point for select to traitdunion_operator using (true);
grant select (taille, created_at) on journal_point to traitdunion_operator;

/* A stolen key is said to be so under its own line; the moment of the theft may be found to be earlier, never later. */
create function coupure_de_cle() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if new.coupure is null or new.coupure > old.coupure then
    raise exception 'a cut-off only goes back' using errcode = 'check_violation', constraint = 'coupure_recule';
  end if;
  if not exists (
    select 1 from public.journal j where j.id = new.coupure_journal_id and j.xid = pg_current_xact_id() and j.action = 'cle_compromise'
  ) then
    raise exception 'line % does not say this fact', new.coupure_journal_id using errcode = 'check_violation', constraint = 'ligne_du_fait';
  end if;
  return new;
end
$$;
create trigger coupure_de_cle before update on cle for each row execute function coupure_de_cle();
alter table cle enable always trigger coupure_de_cle;

/* Sealed with a stolen key, and its line is not in the tree before the cut-off: it does not count. */
create function mandat_coupe(p_mandat uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, public
as $$
  select exists (
    select 1
    from public.mandat m
    join public.mandat_contenu c on c.mandat_id = m.id
    join public.cle k
      on split_part(c.sceau, '.', 1) = public.base64url(convert_to('{"alg":"ES256","kid":"' || k.kid || '","typ":"mandat+jwt"}', 'UTF8'))
    where m.id = p_mandat and k.coupure is not null
      and not exists (select 1 from public.journal_feuille f where f.journal_id = m.journal_id and f.leaf_index < k.coupure))
$$;

/* The line that signed a mandat, with its facts, to whoever holds its seal: they say that it is this very seal. */
create function ligne_du_sceau(p_mandat uuid, p_empreinte bytea) returns table (id bigint, entry bytea, payload text, salt bytea)
language sql stable security definer set search_path = pg_catalog, public
as $$
  select j.id, j.entry, l.payload, l.salt
  from public.mandat m
  join public.mandat_contenu c on c.mandat_id = m.id
  join public.journal j on j.id = m.journal_id
  join public.journal_contenu l on l.journal_id = j.id
  where m.id = p_mandat and sha256(convert_to(c.sceau, 'UTF8')) = p_empreinte and l.payload is not null
$$;

/* How many mandats a cut-off leaves out, for whoever declares it. */
create function mandats_coupes() returns bigint
language sql stable security definer set search_path = pg_catalog, public
as $$
  select count(*) from public.mandat m where public.mandat_coupe(m.id)
$$;

/* As before, and whether the mandat is cut off. */
drop function verifie(bytea, text);
create function verifie(p_empreinte bytea, p_annee text)
returns table (
  prenoms text[], nom_naissance text, nom_usage text, birthdate text, structure_nom text, siret text, fuseau text,
  signed_at timestamptz, expires_at timestamptz, coupe boolean, thematique text, etat text)
language sql stable security definer set search_path = pg_catalog, public
as $$
  select array(select jsonb_array_elements_text(c.identite -> 'prenoms')), c.identite ->> 'nomNaissance', c.identite ->> 'nomUsage',
    c.identite ->> 'birthdate', c.structure ->> 'nom', c.structure ->> 'siret', c.structure ->> 'fuseau',
    a.signed_at, a.expires_at, public.mandat_coupe(v.mandat_id), a.thematique, a.etat
  from public.code_verification v
  join public.mandat_contenu c on c.mandat_id = v.mandat_id
  join public.autorisation_etat a on a.mandat_id = v.mandat_id
  where v.empreinte = p_empreinte and left(c.identite ->> 'birthdate', 4) = p_annee and public.app_who() = 'verifier'
  order by array_position(public.thematiques(), a.thematique)
$$;
revoke execute on function mandat_coupe(uuid), ligne_du_sceau(uuid, bytea), mandats_coupes(), verifie(bytea, text) from public;
grant execute on function mandat_coupe(uuid), ligne_du_sceau(uuid, bytea), verifie(bytea, text) to traitdunion_app;
grant execute on function mandats_coupes() to traitdunion_operator;
