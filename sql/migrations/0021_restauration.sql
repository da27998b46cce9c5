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
