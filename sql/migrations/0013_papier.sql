-- The private code of a person, printed on her own sheet. Locks nothing: new table.

create table code_prive (
  id uuid primary key default gen_random_uuid(),
  usager_id uuid not null,
  structure_id uuid not null,
  mandat_id uuid,
  empreinte bytea not null constraint code_prive_unique unique check (length(empreinte) = 32),
  journal_id bigint not null unique references journal,
  created_at timestamptz(3) not null default horloge(),
  replaced_at timestamptz(3) check (replaced_at >= created_at),
  foreign key (structure_id, usager_id) references dossier,
  foreign key (mandat_id, structure_id, usager_id) references mandat (id, structure_id, usager_id)
);
-- One that serves for each structure: what another gives her never kills this one's.
create unique index code_prive_un_par_structure on code_prive (usager_id, structure_id) nulls not distinct where replaced_at is null;
create index code_prive_usager on code_prive (usager_id);
comment on table code_prive is 'Empreinte, sous clé, du code privé imprimé pour la personne ; pour chaque structure un seul sert, le dernier';

/* A code serves until the next one is drawn, and that is all that ever changes of it. */
create function code_prive_remplace() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if old.replaced_at is not null or new.replaced_at is null
    or (old.id, old.usager_id, old.structure_id, old.mandat_id, old.empreinte, old.journal_id, old.created_at)
      is distinct from (new.id, new.usager_id, new.structure_id, new.mandat_id, new.empreinte, new.journal_id, new.created_at) then
    raise exception 'a private code is only replaced, once' using errcode = 'check_violation', constraint = 'code_prive_remplace';
  end if;
  return new;
end
$$;
create trigger code_prive_remplace before update on code_prive for each row execute function code_prive_remplace();
alter table code_prive enable always trigger code_prive_remplace;
create constraint trigger ligne_du_fait after insert on code_prive for each row execute function ligne_du_fait('journal_id', 'attestation_imprimee');

/*
 * Replaces the code that the calling structure had printed for a person by the one just printed; those of other structures, and the one she drew
 * herself, serve as before. Nobody writes this table by a grant, hence security definer; only an aidant who reads this person's mandat in force
 * with her structure, and has just written the line that says so. Returns nothing.
 */
create function remplacer_code_prive(p_usager uuid, p_empreinte bytea, p_journal bigint) returns void
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if public.app_who() <> 'aidant' or not public.mandat_en_vigueur(public.app_structure(), p_usager)
    or not public.lit_comme_aidant(public.app_structure(), p_usager) then
    raise exception 'no private code without a mandat in force' using errcode = 'insufficient_privilege';
  end if;
  if not exists (
    select 1
    from public.journal
    where id = p_journal and xid = pg_current_xact_id() and action = 'attestation_imprimee' and acteur_id = public.app_aidant()
      and structure_id = public.app_structure() and usager_id = p_usager
  ) then
    raise exception 'a private code is printed with its line' using errcode = 'check_violation', constraint = 'ligne_du_fait';
  end if;
  -- Two at once: one after the other. Not by a lock on the person: who prints holds her mandat, who signs holds her and waits for that mandat.
  perform pg_advisory_xact_lock(hashtext('code_prive'), hashtext(p_usager::text));
  update public.code_prive
  set replaced_at = greatest(created_at, public.horloge())
  where usager_id = p_usager and structure_id = public.app_structure() and replaced_at is null;
  insert into public.code_prive (usager_id, structure_id, mandat_id, empreinte, journal_id)
  select p_usager, public.app_structure(), mandat_id, p_empreinte, id from public.journal where id = p_journal;
end
$$;

alter table code_prive enable row level security;
revoke execute on function remplacer_code_prive(uuid, bytea, bigint) from public;
grant execute on function remplacer_code_prive(uuid, bytea, bigint) to traitdunion_app;
