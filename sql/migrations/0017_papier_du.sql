-- What a person told on paper is still owed; a renewal is of one person; a counter says when it ends. Locks mandat, autorisation, suspension and
-- brouillon for the time of a trigger, limite for the time of a column.

create table papier_du (
  id uuid primary key default gen_random_uuid(),
  mandat_id uuid not null,
  structure_id uuid not null,
  usager_id uuid not null,
  quoi text not null check (quoi in ('signe', 'arret', 'pause', 'reprise')),
  created_at timestamptz(3) not null default horloge(),
  remis_at timestamptz(3),
  remis_par uuid,
  foreign key (mandat_id, structure_id, usager_id) references mandat (id, structure_id, usager_id),
  foreign key (remis_par, structure_id) references habilitation (aidant_id, structure_id),
  check ((remis_at is null) = (remis_par is null))
);
create unique index papier_du_une_fois on papier_du (mandat_id, quoi) where remis_at is null;
create index papier_du_structure on papier_du (structure_id, created_at) where remis_at is null;
create index papier_du_usager on papier_du (usager_id);
comment on table papier_du is 'Nouvelle à remettre sur papier à qui a choisi le papier, ou dont d’autres lisent le contact ; effacée trente jours après sa remise';

/* Owed with its fact, whoever writes it: told to her on paper, or on a telephone that others read. */
create function papier_du() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_mandat uuid := to_jsonb(new) ->> case tg_table_name when 'mandat' then 'id' else 'mandat_id' end;
begin
  insert into public.papier_du (mandat_id, structure_id, usager_id, quoi)
  select m.id, m.structure_id, m.usager_id, tg_argv[0]
  from public.mandat m
  join public.usager u on u.id = m.usager_id
  where m.id = v_mandat and (u.suivi = 'papier' or u.contact_lecteur is not null)
  on conflict (mandat_id, quoi) where remis_at is null do nothing;
  return null;
end
$$;
create trigger papier_du after insert on mandat for each row execute function papier_du('signe');
-- Of a death nobody writes to her; of a structure that closes nobody is left there to.
create trigger papier_du after update on autorisation for each row
  when (old.revoked_at is null and new.revoked_how in ('revoque', 'renonce', 'protection')) execute function papier_du('arret');
create trigger papier_du after insert on suspension for each row execute function papier_du('pause');
create trigger papier_du_repris after update on suspension for each row
  when (old.until_at is null and new.until_at is not null) execute function papier_du('reprise');

/* Handed over once, now, by who says so. */
create function papier_remis() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if old.remis_at is not null then
    raise exception 'paper % is handed over once', old.id using errcode = 'check_violation', constraint = 'papier_remis_une_fois';
  end if;
  new.remis_at := public.horloge();
  new.remis_par := public.app_aidant();
  return new;
end
$$;
create trigger papier_remis before update on papier_du for each row execute function papier_remis();
alter table papier_du enable always trigger papier_remis;

alter table papier_du enable row level security;
create policy structure_lit on papier_du for select to traitdunion_app
  using (app_who() = 'aidant' and structure_id = (select app_structure()));
create policy aidant_remet on papier_du for update to traitdunion_app
  using (app_who() = 'aidant' and structure_id = (select app_structure()))
  with check (app_who() = 'aidant' and structure_id = app_structure());
create policy service_lit on papier_du for select to traitdunion_app using (app_who() = 'worker');
create policy service_purge on papier_du for delete to traitdunion_app
  using (app_who() = 'worker' and remis_at < (select horloge()) - interval '30 days');
grant select, update (remis_at, remis_par), delete on papier_du to traitdunion_app;

/* A renewal is hers and no one else's: the draft says whose, and another's identity never enters it. */
create function renouvelle_la_meme() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if (tg_op = 'UPDATE' and new.usager_id is distinct from old.usager_id)
    or (new.usager_id is not null and new.identite is not null
      and not exists (select 1 from public.usager where id = new.usager_id and sub = new.identite ->> 'sub'))
  then
    raise exception 'draft % is another person''s renewal', new.id using errcode = 'check_violation', constraint = 'renouvelle_la_meme';
  end if;
  return new;
end
$$;
create trigger renouvelle_la_meme before insert or update on brouillon for each row execute function renouvelle_la_meme();
alter table brouillon enable always trigger renouvelle_la_meme;

-- Each rate has its window: kept no longer. What was counted before goes with the longest.
alter table limite add column fin timestamptz(3) not null default horloge() + interval '24 hours';
