-- The tree over the journal: which line is which leaf, full tiles, signed checkpoints, what witnesses saw, who sequences. An index on journal
-- holds its writers while it is built (one second for a million lines); new policies hold mandat, autorisation, suspension and demarche for a moment.

-- Lines of transactions that are over, and no others, are below the horizon: they are found by the transaction that wrote them.
create index journal_xid on journal (xid);

create table journal_bail (
  seul boolean primary key default true check (seul),
  titulaire uuid,
  epoch bigint not null default 0,
  -- The machine's own clock, never horloge(): a lease ends while the service's time stands still.
  jusqu_a timestamptz,
  -- Every line written by a transaction before this one has its leaf.
  horizon xid8 not null default '0'
);
comment on table journal_bail is 'Qui range le journal dans l’arbre, jusqu’à quand, et jusqu’où c’est fait ; une seule ligne';
insert into journal_bail default values;

create table journal_feuille (
  leaf_index bigint primary key check (leaf_index >= 0),
  journal_id bigint not null constraint journal_feuille_une_fois unique references journal,
  epoch bigint not null,
  hash bytea not null check (length(hash) = 32)
);
comment on table journal_feuille is 'Place de chaque ligne du journal dans l’arbre, et l’empreinte de ses octets';

create table journal_tuile (
  niveau int check (niveau between 0 and 63),
  numero bigint check (numero >= 0),
  hashes bytea not null check (length(hashes) = 8192),
  racine bytea not null check (length(racine) = 32),
  primary key (niveau, numero)
);
comment on table journal_tuile is 'Tuiles pleines de l’arbre : 256 empreintes, et la racine de ce qu’elles couvrent';

create table journal_point (
  taille bigint primary key check (taille > 0),
  racine bytea not null check (length(racine) = 32),
  epoch bigint not null,
  note text not null,
  created_at timestamptz(3) not null
);
comment on table journal_point is 'Points de contrôle signés : la taille du journal et la racine de l’arbre à un moment';

create table journal_temoignage (
  taille bigint references journal_point,
  temoin text check (temoin <> ''),
  ligne text not null,
  vu_at timestamptz not null,
  primary key (taille, temoin)
);
comment on table journal_temoignage is 'Signatures des témoins : un tiers a vu le journal à cette taille, et qu’il ne faisait que s’allonger';

/* A leaf follows the one before it, is the hash of its line, and is written by who holds the lease now: an earlier holder is fenced. */
create function journal_feuille_suit() returns trigger
language plpgsql set search_path = pg_catalog, public
as $$
declare
  v_first bigint;
  v_last bigint;
  v_count bigint;
begin
  select min(leaf_index), max(leaf_index), count(*) into v_first, v_last, v_count from nouvelles;
  if v_count = 0 then
    return null;
  end if;
  if exists (select 1 from nouvelles where epoch <> (select epoch from public.journal_bail)) then
    raise exception 'the lease of the sequencer has passed to another' using errcode = 'check_violation', constraint = 'journal_epoque';
  end if;
  if v_last - v_first + 1 <> v_count
    or (v_first > 0 and not exists (select 1 from public.journal_feuille where leaf_index = v_first - 1)) then
    raise exception 'leaf % does not follow', v_first using errcode = 'check_violation', constraint = 'journal_feuille_suit';
  end if;
  if exists (
    select 1
    from nouvelles n
    left join public.journal j on j.id = n.journal_id
    where n.hash is distinct from sha256('\x00'::bytea || j.entry)
  ) then
    raise exception 'a leaf is the hash of its line' using errcode = 'check_violation', constraint = 'journal_feuille_suit';
  end if;
  return null;
end
$$;
create trigger journal_feuille_suit after insert on journal_feuille referencing new table as nouvelles
  for each statement execute function journal_feuille_suit();

/* A checkpoint is over the whole tree as it stands, written by who holds the lease, and dated by the database. */
create function journal_point_entier() returns trigger
language plpgsql set search_path = pg_catalog, public
as $$
begin
  if new.epoch <> (select epoch from public.journal_bail) then
    raise exception 'the lease of the sequencer has passed to another' using errcode = 'check_violation', constraint = 'journal_epoque';
  end if;
  if new.taille <> (select leaf_index + 1 from public.journal_feuille order by leaf_index desc limit 1) then
    raise exception 'checkpoint % is not over the whole tree', new.taille using errcode = 'check_violation', constraint = 'journal_point_entier';
  end if;
  new.created_at := public.horloge();
  return new;
end
$$;
create trigger journal_point_entier before insert on journal_point for each row execute function journal_point_entier();

create trigger insertion_seule before update or delete on journal_feuille for each row execute function refuse_modification();
create trigger insertion_seule_table before truncate on journal_feuille for each statement execute function refuse_modification();
create trigger insertion_seule before update or delete on journal_tuile for each row execute function refuse_modification();
create trigger insertion_seule_table before truncate on journal_tuile for each statement execute function refuse_modification();
create trigger insertion_seule before update or delete on journal_point for each row execute function refuse_modification();
create trigger insertion_seule_table before truncate on journal_point for each statement execute function refuse_modification();
create trigger insertion_seule before update or delete on journal_temoignage for each row execute function refuse_modification();
create trigger insertion_seule_table before truncate on journal_temoignage for each statement execute function refuse_modification();
alter table journal_feuille enable always trigger journal_feuille_suit;
alter table journal_feuille enable always trigger insertion_seule;
alter table journal_feuille enable always trigger insertion_seule_table;
alter table journal_tuile enable always trigger insertion_seule;
alter table journal_tuile enable always trigger insertion_seule_table;
alter table journal_point enable always trigger journal_point_entier;
alter table journal_point enable always trigger insertion_seule;
alter table journal_point enable always trigger insertion_seule_table;
alter table journal_temoignage enable always trigger insertion_seule;
alter table journal_temoignage enable always trigger insertion_seule_table;

-- Nobody's rows: numbers, hashes and signatures, public by purpose. Written by the sequencer alone.
alter table journal_bail enable row level security;
alter table journal_feuille enable row level security;
alter table journal_tuile enable row level security;
alter table journal_point enable row level security;
alter table journal_temoignage enable row level security;
create policy sequenceur on journal_bail to traitdunion_sequencer using (true) with check (true);
create policy sequenceur on journal_feuille to traitdunion_sequencer using (true) with check (true);
create policy sequenceur on journal_tuile to traitdunion_sequencer using (true) with check (true);
create policy sequenceur on journal_point to traitdunion_sequencer using (true) with check (true);
create policy sequenceur on journal_temoignage to traitdunion_sequencer using (true) with check (true);
create policy lit on journal_feuille for select to traitdunion_app, traitdunion_auditor using (true);
create policy lit on journal_tuile for select to traitdunion_app, traitdunion_auditor using (true);
create policy lit on journal_point for select to traitdunion_app, traitdunion_auditor using (true);
create policy lit on journal_temoignage for select to traitdunion_app, traitdunion_auditor using (true);
grant select, update (titulaire, epoch, jusqu_a, horizon) on journal_bail to traitdunion_sequencer;
-- The audit knows from it which lines must have their leaf.
create policy lit on journal_bail for select to traitdunion_auditor using (true);
grant select (seul, horizon) on journal_bail to traitdunion_auditor;
grant select, insert on journal_feuille, journal_tuile, journal_point, journal_temoignage to traitdunion_sequencer;
grant select on journal_feuille, journal_tuile, journal_point, journal_temoignage to traitdunion_app, traitdunion_auditor;

/* How many lines wait for their leaf, and for how many seconds the oldest has. */
create function journal_retard(out en_attente bigint, out secondes double precision)
language sql stable security definer set search_path = pg_catalog, public
as $$
  select count(*), greatest(0, coalesce(extract(epoch from public.horloge() - min(j.at)), 0))::double precision
  from public.journal j
  where j.xid >= (select horizon from public.journal_bail)
    and not exists (select 1 from public.journal_feuille f where f.journal_id = j.id)
$$;

/*
 * For the audit: the hash that each content gives today, without the content. null: it is not there any more. Whoever reads it compares with the
 * commitment of the line.
 */
create function journal_empreintes(p_ids bigint[]) returns table (journal_id bigint, empreinte bytea)
language sql stable security definer set search_path = pg_catalog, public
as $$
  select i.id, sha256(c.salt || convert_to(c.payload, 'UTF8'))
  from unnest(p_ids) as i (id)
  left join public.journal_contenu c on c.journal_id = i.id
$$;
revoke execute on function journal_feuille_suit(), journal_point_entier(), journal_retard(), journal_empreintes(bigint[]) from public;
grant execute on function journal_retard() to traitdunion_app, traitdunion_sequencer, traitdunion_auditor;
grant execute on function journal_empreintes(bigint[]) to traitdunion_auditor;

-- The audit holds each fact to its line: identifiers and times, never what names someone.
grant execute on function horloge() to traitdunion_auditor;
create policy auditeur on mandat for select to traitdunion_auditor using (true);
create policy auditeur on autorisation for select to traitdunion_auditor using (true);
create policy auditeur on suspension for select to traitdunion_auditor using (true);
create policy auditeur on demarche for select to traitdunion_auditor using (true);
grant select (id, signed_at, journal_id, ended_at, ended_journal_id) on mandat to traitdunion_auditor;
grant select (id, mandat_id, signed_at, journal_id, revoked_at, revoked_journal_id) on autorisation to traitdunion_auditor;
grant select (id, mandat_id, from_at, journal_id, until_at, until_journal_id) on suspension to traitdunion_auditor;
grant select (id, mandat_id, recorded_at, journal_id) on demarche to traitdunion_auditor;
