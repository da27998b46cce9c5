-- Her accord: contacts proven by a code, who else reads them, identification on her own phone; what her death closes. Locks usager and connexion
-- for the time of an index or a check (usager is read once), brouillon for the time of a column; no row is rewritten.

alter table usager
  add column email_prouve_at timestamptz(3),
  add column telephone_prouve_at timestamptz(3),
  add column contact_lecteur text constraint usager_contact_lecteur check (contact_lecteur in ('personne', 'famille', 'proche', 'professionnel', 'ne_sait_pas')),
  add constraint usager_preuve_d_un_contact
    check ((email_prouve_at is null or email is not null) and (telephone_prouve_at is null or telephone is not null));
create index usager_email on usager (lower(email)) where email is not null;
create index usager_telephone on usager (telephone) where telephone is not null;
grant update (email_prouve_at, telephone_prouve_at, contact_lecteur) on usager to traitdunion_app;

/* What was proven of a value says nothing of the next one. */
create function preuve_de_ce_contact() returns trigger
language plpgsql
as $$
begin
  if new.email is distinct from old.email and new.email_prouve_at is not distinct from old.email_prouve_at then
    new.email_prouve_at := null;
  end if;
  if new.telephone is distinct from old.telephone and new.telephone_prouve_at is not distinct from old.telephone_prouve_at then
    new.telephone_prouve_at := null;
  end if;
  return new;
end
$$;
create trigger preuve_de_ce_contact before update on usager for each row execute function preuve_de_ce_contact();
alter table usager enable always trigger preuve_de_ce_contact;

/* Is this contact already that of three other persons, in whichever structures? Nothing more is told of them. */
create function contact_partage(p_contact text, p_sub text) returns boolean
language sql stable security definer set search_path = pg_catalog, public
as $$
  select public.app_who() = 'aidant' and (
    select count(*) >= 3
    from (
      select 1 from public.usager u where u.sub <> p_sub and (lower(u.email) = lower(p_contact) or u.telephone = p_contact) limit 3
    ) others)
$$;
revoke execute on function contact_partage(text, text) from public;
grant execute on function contact_partage(text, text) to traitdunion_app;

alter table brouillon
  add column contact_prouve_at timestamptz(3),
  add column contact_partage boolean not null default false,
  add column contact_lecteur text constraint brouillon_contact_lecteur check (contact_lecteur in ('personne', 'famille', 'proche', 'professionnel', 'ne_sait_pas')),
  add constraint brouillon_preuve_d_un_contact
    check (contact is not null or (contact_prouve_at is null and not contact_partage and contact_lecteur is null));

create table code_contact (
  brouillon_id uuid primary key references brouillon on delete cascade,
  code bytea not null check (length(code) = 32),
  essais int not null default 0 check (essais between 0 and 3),
  message_cle text not null constraint code_contact_sa_cle check (starts_with(message_cle, 'connexion:contact:')),
  created_at timestamptz(3) not null default horloge()
);
comment on table code_contact is 'Code envoyé à la personne pour prouver son contact : un à la fois, dix minutes, trois essais ; effacé dès qu’il a servi';

/* The message goes with its code, sent or not, and no other does: after a no, nobody's number is left in the outbox. */
create function message_du_code_efface() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  delete from public.message where cle = old.message_cle and starts_with(cle, 'connexion:contact:');
  return null;
end
$$;
create trigger message_du_code_efface after delete on code_contact for each row execute function message_du_code_efface();
alter table code_contact enable always trigger message_du_code_efface;

/* A code is for one contact: with another, or none, it goes. */
create function code_de_ce_contact() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  delete from public.code_contact where brouillon_id = new.id;
  return null;
end
$$;
create trigger code_de_ce_contact after update on brouillon
  for each row when (old.contact is distinct from new.contact) execute function code_de_ce_contact();
alter table brouillon enable always trigger code_de_ce_contact;

alter table code_contact enable row level security;
create policy aidant on code_contact to traitdunion_app
  using (app_who() = 'aidant' and brouillon_id in (select id from brouillon))
  with check (app_who() = 'aidant' and brouillon_id in (select id from brouillon));
grant select, insert, update (essais), delete on code_contact to traitdunion_app;

create table telephone (
  id uuid primary key default gen_random_uuid(),
  brouillon_id uuid not null constraint telephone_un_par_brouillon unique references brouillon on delete cascade,
  jeton bytea not null constraint telephone_jeton_unique unique check (length(jeton) = 32),
  nonce text not null check (length(nonce) >= 32),
  navigateur bytea check (length(navigateur) = 32),
  used_at timestamptz(3),
  identite jsonb,
  id_token text,
  jwks_id text references jwks_archive,
  auth_time timestamptz(3),
  identified_at timestamptz(3),
  essais int not null default 0 check (essais between 0 and 3),
  created_at timestamptz(3) not null default horloge(),
  constraint telephone_identite_entiere
    check ((identite is null) = (id_token is null) and (identite is null) = (jwks_id is null) and (identite is null) = (auth_time is null)
      and (identite is null) = (identified_at is null)),
  constraint telephone_ouvert check (identite is null or used_at is not null),
  constraint telephone_navigateur check ((used_at is null) = (navigateur is null))
);
create index telephone_navigateur on telephone (navigateur, identified_at desc);
comment on table telephone is 'Identification sur le téléphone de la personne ; l’identité y attend trente minutes au plus que son code soit lu à l’aidant';
create trigger usage_unique before update on telephone for each row execute function usage_unique();
alter table telephone enable always trigger usage_unique;

-- Not the aidant's to read: what waits there becomes the draft's only by the code that the person reads out.
alter table telephone enable row level security;
create policy portier on telephone to traitdunion_app using (app_who() = 'portier') with check (app_who() = 'portier');
create policy service on telephone to traitdunion_app using (app_who() = 'worker');
grant select, insert, update (navigateur, used_at, identite, id_token, jwks_id, auth_time, identified_at, essais), delete on telephone
  to traitdunion_app;

alter table connexion
  add column telephone_id uuid references telephone on delete cascade,
  drop constraint connexion_but_check,
  add constraint connexion_but_check check (but in ('mandat', 'espace', 'telephone')),
  add constraint connexion_de_ce_telephone check ((but = 'telephone') = (telephone_id is not null));
create index connexion_telephone on connexion (telephone_id);

-- Which thématiques a structure offers is its référent's to say, with its line; one at least stays (structure_une_thematique_reste).
create policy referent_regle on structure for update to traitdunion_app
  using (app_who() = 'referent' and id = (select app_structure()) and (select est_referent()))
  with check (app_who() = 'referent' and id = app_structure());
grant update (thematiques_desactivees) on structure to traitdunion_app;

/* What a structure offers never changes without its line, whoever the service speaks for: the line comes first. */
create function structure_journalisee() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if public.app_who() is not null and not exists (
    select 1 from public.journal where structure_id = new.id and action = 'structure_modifiee' and xid = pg_current_xact_id()
  ) then
    raise exception 'a structure changes with its line' using errcode = 'check_violation', constraint = 'structure_journalisee';
  end if;
  return null;
end
$$;
create trigger structure_journalisee after update of thematiques_desactivees on structure for each row
  when (old.thematiques_desactivees is distinct from new.thematiques_desactivees)
  execute function structure_journalisee();

/*
 * What her death or a protection measure, recorded just now by the calling aidant, closes beyond her mandats: the code of her paper and every
 * session of hers. After a death, what waits to be said to her is not said.
 */
create function ferme_ses_portes(p_usager uuid) returns void
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_how text;
begin
  select m.ended_how into v_how
  from public.mandat m
  join public.journal j on j.id = m.ended_journal_id
  where m.usager_id = p_usager and m.structure_id = public.app_structure() and m.ended_how in ('deces', 'protection')
    and j.xid = pg_current_xact_id() and j.acteur = 'aidant'
  limit 1;
  if public.app_who() is distinct from 'aidant' or v_how is null then
    raise exception 'only a death or a protection measure closes her doors' using errcode = 'insufficient_privilege';
  end if;
  update public.code_prive set replaced_at = greatest(created_at, public.horloge()) where usager_id = p_usager and replaced_at is null;
  update public.session set ended_at = public.horloge() where usager_id = p_usager and ended_at is null;
  if v_how = 'deces' then
    -- What is told of a mandat has it second in its key; what is told to an aidant says so.
    delete from public.message
    where sent_at is null and position(':aidant:' in cle) = 0
      and split_part(cle, ':', 2) in (select id::text from public.mandat where usager_id = p_usager);
  end if;
end
$$;
revoke execute on function ferme_ses_portes(uuid) from public;
grant execute on function ferme_ses_portes(uuid) to traitdunion_app;
