-- What waits for its place is asked by each check of health: it is counted up to ten thousand lines, in the order of their transactions, and
-- never read whole. Takes no lock.

create or replace function journal_retard(out en_attente bigint, out secondes double precision)
language sql stable security definer set search_path = pg_catalog, public
as $$
  select count(*), greatest(0, coalesce(extract(epoch from public.horloge() - min(p.at)), 0))::double precision
  from (
    select j.at
    from public.journal j
    where j.xid >= (select horizon from public.journal_bail)
      -- offset 0: each line looks for its own leaf; a join would read all the leaves there are.
      and not exists (select 1 from public.journal_feuille f where f.journal_id = j.id offset 0)
    order by j.xid
    limit 10000) p
$$;
