-- The database itself knows who directs, and that a contact changes with its line. Locks each of these tables for the time of a
-- policy or a trigger (no row is read nor rewritten).

/* True while the calling aidant directs the calling structure: the caller's word (app.who) is not enough. */
create function est_referent() returns boolean
language sql stable security definer set search_path = pg_catalog, public
as $$
  select exists (
    select 1
    from public.habilitation
    where aidant_id = public.app_aidant() and structure_id = public.app_structure() and referent and ended_at is null
  )
$$;
revoke execute on function est_referent() from public;
grant execute on function est_referent() to traitdunion_app;

create policy referent_vraiment on journal as restrictive to traitdunion_app
  using (app_who() <> 'referent' or (select est_referent())) with check (app_who() <> 'referent' or (select est_referent()));
create policy referent_vraiment on journal_contenu as restrictive to traitdunion_app
  using (app_who() <> 'referent' or (select est_referent())) with check (app_who() <> 'referent' or (select est_referent()));
create policy referent_vraiment on ouverture as restrictive to traitdunion_app
  using (app_who() <> 'referent' or (select est_referent())) with check (app_who() <> 'referent' or (select est_referent()));
create policy referent_vraiment on mandat_contenu as restrictive to traitdunion_app
  using (app_who() <> 'referent' or (select est_referent()));
create policy referent_vraiment on demarche_contenu as restrictive to traitdunion_app
  using (app_who() <> 'referent' or (select est_referent()));

/* How a person is reached never changes without its line. Checked at commit. */
create function contact_journalise() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if not exists (
    select 1 from public.journal where usager_id = new.id and action = 'contact_modifie' and xid = pg_current_xact_id()
  ) then
    raise exception 'contacts change with their line' using errcode = 'check_violation', constraint = 'contact_journalise';
  end if;
  return null;
end
$$;
create constraint trigger contact_journalise after update of email, telephone, suivi on usager
  deferrable initially deferred for each row
  when ((old.email, old.telephone, old.suivi) is distinct from (new.email, new.telephone, new.suivi))
  execute function contact_journalise();

-- An act is written with its line: the rows of a démarche name the line just written by their own session.
grant select on sequence journal_id_seq to traitdunion_app;
