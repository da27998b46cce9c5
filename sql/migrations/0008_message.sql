-- Messages to send (outbox) and keys. Locks nothing: new tables.

create table message (
  id uuid primary key default gen_random_uuid(),
  cle text not null constraint message_cle_unique unique,
  canal text not null check (canal in ('email', 'sms')),
  destinataire text not null,
  sujet text,
  corps text not null,
  created_at timestamptz(3) not null default horloge(),
  due_at timestamptz(3) not null default horloge(),
  tries int not null default 0,
  sent_at timestamptz(3),
  failed_at timestamptz(3),
  check ((canal = 'email') = (sujet is not null)),
  check (canal <> 'sms' or length(corps) <= 160)
);
create index message_a_envoyer on message (due_at) where sent_at is null and failed_at is null;
comment on table message is 'Messages écrits dans la transaction de leur fait, envoyés ensuite ; un seul par clé';

create table cle (
  kid text primary key,
  jwk jsonb not null check (not jwk ? 'd'),
  created_at timestamptz(3) not null default horloge(),
  retired_at timestamptz(3),
  journal_id bigint not null references journal
);
comment on table cle is 'Clés publiques de scellement publiées ; jamais de clé privée en base';

/* A key is retired once, when it is: dated from before, it would undo what it sealed meanwhile. */
create function retrait_une_fois() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if old.retired_at is not null or not public.maintenant(new.retired_at) then
    raise exception 'key % is retired once, now', old.kid using errcode = 'check_violation', constraint = 'retrait_une_fois';
  end if;
  return new;
end
$$;
create trigger retrait_une_fois before update on cle for each row execute function retrait_une_fois();
alter table cle enable always trigger retrait_une_fois;

create table jwks_archive (
  id text primary key,
  fournisseur text not null,
  jwks text not null,
  seen_at timestamptz(3) not null default horloge(),
  journal_id bigint not null references journal,
  check (id = base64url(sha256(convert_to(jwks, 'UTF8'))))
);
comment on table jwks_archive is 'Clés publiques du fournisseur d’identité, archivées le jour où elles ont servi';
/* A key is kept under its own line, written with it. */
create function ligne_de_cle() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if not exists (
    select 1 from public.journal j where j.id = new.journal_id and j.xid = pg_current_xact_id() and j.action = tg_argv[0]
  ) then
    raise exception 'line % does not say this fact', new.journal_id using errcode = 'check_violation', constraint = 'ligne_du_fait';
  end if;
  return null;
end
$$;
create constraint trigger ligne_de_cle after insert on cle for each row execute function ligne_de_cle('cle_publiee');
create constraint trigger ligne_de_cle after insert on jwks_archive for each row execute function ligne_de_cle('jwks_archive');
alter table cle enable always trigger ligne_de_cle;
alter table jwks_archive enable always trigger ligne_de_cle;

alter table mandat_contenu add foreign key (jwks_id) references jwks_archive;
alter table brouillon add foreign key (jwks_id) references jwks_archive;
create trigger insertion_seule before update or delete on jwks_archive for each row execute function refuse_modification();
create trigger insertion_seule_table before truncate on jwks_archive for each statement execute function refuse_modification();
alter table jwks_archive enable always trigger insertion_seule;
alter table jwks_archive enable always trigger insertion_seule_table;

alter table message enable row level security;
create policy ecrit on message for insert to traitdunion_app
  with check (app_who() in ('portier', 'aidant', 'referent', 'usager', 'worker'));
create policy service on message to traitdunion_app using (app_who() = 'worker');

-- Public keys are everyone's to read; the service publishes its own, the doorkeeper archives those that signed an identity.
alter table cle enable row level security;
alter table jwks_archive enable row level security;
create policy lit on cle for select to traitdunion_app using (true);
create policy service_ecrit on cle for insert to traitdunion_app with check (app_who() = 'worker');
create policy service_retire on cle for update to traitdunion_app using (app_who() = 'worker') with check (app_who() = 'worker');
create policy lit on jwks_archive for select to traitdunion_app using (true);
create policy portier_ecrit on jwks_archive for insert to traitdunion_app with check (app_who() = 'portier');

grant select, insert, update, delete on message to traitdunion_app;
grant select, insert on cle, jwks_archive to traitdunion_app;
grant update (retired_at) on cle to traitdunion_app;
