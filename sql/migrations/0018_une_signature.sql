-- A mandat is signed once, and replaced only by another. Locks journal while an index is built on its signatures.

create unique index journal_signe_une_fois on journal (mandat_id) where action = 'mandat_signe';

/* A thématique said replaced was granted again, in the same transaction, by a mandat of the same person with the same structure. Checked at commit. */
create function remplace_par_un_autre() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if not exists (
    select 1
    from public.autorisation a
    join public.journal j on j.id = a.journal_id and j.xid = pg_current_xact_id()
    where a.structure_id = new.structure_id and a.usager_id = new.usager_id and a.thematique = new.thematique and a.mandat_id <> new.mandat_id
  ) then
    raise exception 'nothing replaces autorisation %', new.id using errcode = 'check_violation', constraint = 'remplace_par_un_autre';
  end if;
  return null;
end
$$;
create constraint trigger remplace_par_un_autre after update on autorisation deferrable initially deferred
  for each row when (new.revoked_how = 'remplace' and old.revoked_at is null) execute function remplace_par_un_autre();
