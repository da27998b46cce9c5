-- A pause asked for at a desk, by telephone or by letter, recorded by an aidant in her name. Locks suspension for the time of its columns and of
-- one check.

alter table suspension
  add column aidant_id uuid,
  add column maniere text check (maniere in ('bulletin', 'courrier', 'telephone', 'visite', 'email')),
  add check ((aidant_id is null) = (maniere is null)),
  add foreign key (aidant_id, structure_id) references habilitation (aidant_id, structure_id);

/* A pause is hers, or says by whom it was recorded; its line says the same. Nothing here lifts one: that gives power back, and is hers alone. */
create function suspension_par_qui() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if not exists (
    select 1
    from public.journal
    where id = new.journal_id
      and case when new.aidant_id is null then acteur = 'usager' else acteur = 'aidant' and acteur_id = new.aidant_id end
  ) then
    raise exception 'the line of this pause names another' using errcode = 'check_violation', constraint = 'suspension_par_qui';
  end if;
  if new.aidant_id is not null and not public.aidant_actif(new.aidant_id, new.structure_id) then
    raise exception 'aidant not active' using errcode = 'check_violation', constraint = 'suspension_aidant_actif';
  end if;
  return new;
end
$$;
create trigger suspension_par_qui before insert on suspension for each row execute function suspension_par_qui();
alter table suspension enable always trigger suspension_par_qui;

create policy aidant_ecrit on suspension for insert to traitdunion_app
  with check (app_who() = 'aidant' and structure_id = app_structure() and aidant_id = app_aidant());

-- The audit holds who recorded a pause or a stop to its line, and how it was asked.
grant select (aidant_id, maniere) on suspension to traitdunion_auditor;
grant select (aidant_id) on arret_recu to traitdunion_auditor;
