-- Several ways in for an aidant: passkeys beside authenticator applications, recovery codes, fresh factors. Locks facteur, session and
-- code_connexion for the time of their columns (a few rows, one update of facteur), journal for the time of a policy.

alter table facteur
  add column nom text check (length(nom) between 1 and 40),
  add column used_at timestamptz(3),
  add column cle_id bytea constraint facteur_cle_unique unique check (length(cle_id) between 16 and 1023),
  add column cle_publique bytea,
  alter column secret drop not null,
  drop constraint facteur_genre_check,
  add constraint facteur_genre_check check (genre in ('totp', 'cle_acces')),
  add constraint facteur_de_son_genre check (
    (genre = 'totp') = (secret is not null) and (genre = 'cle_acces') = (cle_id is not null) and (cle_id is null) = (cle_publique is null));
comment on table facteur is 'Moyen de connexion d’un aidant : secret d’application chiffré, ou clé publique d’une clé d’accès';
comment on column facteur.dernier_pas is 'Dernier pas de 30 s accepté d’une application, ou dernier compteur dit par une clé d’accès : ne recule jamais';
update facteur set used_at = to_timestamp(dernier_pas * 30) where dernier_pas > 0;

create or replace function facteur_avance() returns trigger
language plpgsql
as $$
begin
  if new.dernier_pas < old.dernier_pas
    or (new.aidant_id, new.genre, new.secret, new.cle_id, new.cle_publique) is distinct from (old.aidant_id, old.genre, old.secret, old.cle_id, old.cle_publique)
    or (old.removed_at is not null and new.removed_at is distinct from old.removed_at)
  then
    raise exception 'facteur % cannot go back', old.id using errcode = 'check_violation', constraint = 'facteur_avance';
  end if;
  return new;
end
$$;
grant update (used_at) on facteur to traitdunion_app;

create table code_secours (
  aidant_id uuid not null references aidant,
  empreinte bytea not null check (length(empreinte) = 32),
  created_at timestamptz(3) not null default horloge(),
  primary key (aidant_id, empreinte)
);
comment on table code_secours is 'Codes de secours qui restent à un aidant, effacés en servant ; seule une empreinte sous le secret du service est gardée';

create table defi (
  pour bytea primary key check (length(pour) = 32),
  aidant_id uuid references aidant,
  defi bytea not null check (length(defi) = 32),
  created_at timestamptz(3) not null default horloge()
);
comment on table defi is 'Ce qu’une clé d’accès doit signer, effacé en servant : cinq minutes. Pour qui : empreinte d’un navigateur à la connexion, ou d’une session et de ce qu’elle confirme';

create table ajout (
  id uuid primary key default gen_random_uuid(),
  aidant_id uuid not null references aidant,
  session_id uuid not null references session on delete cascade,
  genre text not null check (genre in ('totp', 'cle_acces')),
  nom text not null check (length(nom) between 1 and 40),
  defi bytea not null check (length(defi) = 32),
  created_at timestamptz(3) not null default horloge()
);
create index ajout_session on ajout (session_id);
comment on table ajout is 'Moyen de connexion que l’aidant a demandé, second facteur à l’appui, et qui reste à associer : dans sa session, une fois, quinze minutes';

alter table code_secours enable row level security;
alter table defi enable row level security;
alter table ajout enable row level security;
create policy portier on code_secours to traitdunion_app using (app_who() = 'portier') with check (app_who() = 'portier');
create policy les_siens on code_secours to traitdunion_app
  using (app_who() = 'aidant' and aidant_id = (select app_aidant()))
  with check (app_who() = 'aidant' and aidant_id = app_aidant());
create policy portier on defi to traitdunion_app
  using (app_who() = 'portier' and aidant_id is null)
  with check (app_who() = 'portier' and aidant_id is null);
create policy les_siens on defi to traitdunion_app
  using (app_who() in ('aidant', 'referent') and aidant_id = (select app_aidant()))
  with check (app_who() in ('aidant', 'referent') and aidant_id = app_aidant());
create policy service on defi to traitdunion_app using (app_who() = 'worker');
create policy les_siens on ajout to traitdunion_app
  using (app_who() = 'aidant' and aidant_id = (select app_aidant()))
  with check (app_who() = 'aidant' and aidant_id = app_aidant());
grant select, insert (aidant_id, empreinte), delete on code_secours to traitdunion_app;
grant select, insert (pour, aidant_id, defi), update (defi, created_at), delete on defi to traitdunion_app;
grant select, insert (id, aidant_id, session_id, genre, nom, defi) on ajout to traitdunion_app;

/* True when the calling transaction wrote that this aidant's ways in change. */
create function facteur_journalise(p_aidant uuid) returns boolean
language sql volatile security definer set search_path = pg_catalog, public
as $$
  select exists (
    select 1
    from public.journal j
    where j.structure_id = public.app_structure() and j.cible_aidant_id = p_aidant and j.xid = pg_current_xact_id() and j.action = 'structure_modifiee')
$$;
revoke execute on function facteur_journalise(uuid) from public;

-- An aidant says of herself, and of nobody else, that her ways in changed.
drop policy aidant_ecrit on journal;
create policy aidant_ecrit on journal for insert to traitdunion_app
  with check (app_who() in ('aidant', 'referent') and acteur = 'aidant' and acteur_id = app_aidant() and structure_id = app_structure()
    and (app_who() = 'referent'
      or action not in ('dossier_ouvert', 'aidant_ajoute', 'aidant_suspendu', 'aidant_retabli', 'structure_modifiee')
      or (action = 'structure_modifiee' and cible_aidant_id = app_aidant())));

/*
 * The calling aidant has paired what she asked to add, in the session that asked, within fifteen minutes, once, with its line. Holds the session:
 * a reset of her factors ends it first, and nothing is added, or comes after and takes this one away too.
 */
create function ajouter_facteur(p_ajout uuid, p_session uuid, p_secret bytea, p_cle_id bytea, p_cle_publique bytea, p_pas bigint) returns void
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  a public.ajout;
begin
  perform 1 from public.session where id = p_session and aidant_id = public.app_aidant() and ended_at is null for share;
  if not found or public.app_who() is distinct from 'aidant' then
    raise exception 'this addition is not open' using errcode = 'check_violation', constraint = 'ajout_ferme';
  end if;
  delete from public.ajout
  where id = p_ajout and aidant_id = public.app_aidant() and session_id = p_session and created_at > public.horloge() - interval '15 minutes'
  returning * into a;
  if a.id is null then
    raise exception 'this addition is not open' using errcode = 'check_violation', constraint = 'ajout_ferme';
  end if;
  if not public.facteur_journalise(a.aidant_id) then
    raise exception 'a factor changes with its line' using errcode = 'check_violation', constraint = 'facteur_journalise';
  end if;
  insert into public.facteur (aidant_id, genre, nom, secret, cle_id, cle_publique, dernier_pas)
  values (a.aidant_id, a.genre, a.nom, p_secret, p_cle_id, p_cle_publique, p_pas);
end
$$;
revoke execute on function ajouter_facteur(uuid, uuid, bytea, bytea, bytea, bigint) from public;
grant execute on function ajouter_facteur(uuid, uuid, bytea, bytea, bytea, bigint) to traitdunion_app;

/* The calling aidant takes away a factor of hers, with its line; never the last: of two removals at once, one waits and sees the other. */
create function retirer_mon_facteur(p_facteur uuid) returns void
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if public.app_who() is distinct from 'aidant' or not public.facteur_journalise(public.app_aidant()) then
    raise exception 'a factor changes with its line' using errcode = 'check_violation', constraint = 'facteur_journalise';
  end if;
  perform 1 from public.facteur where aidant_id = public.app_aidant() and removed_at is null order by created_at, id for update;
  if not exists (select 1 from public.facteur where aidant_id = public.app_aidant() and removed_at is null and id <> p_facteur) then
    raise exception 'the last factor stays' using errcode = 'check_violation', constraint = 'facteur_dernier';
  end if;
  update public.facteur set removed_at = public.horloge()
  where id = p_facteur and aidant_id = public.app_aidant() and removed_at is null;
end
$$;
revoke execute on function retirer_mon_facteur(uuid) from public;
grant execute on function retirer_mon_facteur(uuid) to traitdunion_app;

/*
 * Takes away every way in of an aidant who acts for the calling référent's structure, with its line: her factors, her recovery codes, her sessions
 * everywhere, and her link begun before. Her sessions end before her factors are read: what was being added is taken away as well.
 */
create or replace function retirer_facteur(p_aidant uuid) returns void
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if (public.app_who() = 'referent' and p_aidant <> public.app_aidant() and public.dirige(public.app_aidant(), public.app_structure())
    and exists (
      select 1 from public.habilitation where aidant_id = p_aidant and structure_id = public.app_structure() and ended_at is null)) is not true
  then
    raise exception 'only a référent of the structure resets a factor' using errcode = 'insufficient_privilege', constraint = 'equipe_du_referent';
  end if;
  if not public.facteur_journalise(p_aidant) then
    raise exception 'a team changes with its line' using errcode = 'check_violation', constraint = 'equipe_journalisee';
  end if;
  perform 1 from public.facteur where aidant_id = p_aidant and removed_at is null order by created_at, id for update;
  update public.session set ended_at = public.horloge() where aidant_id = p_aidant and ended_at is null;
  update public.facteur set removed_at = public.horloge() where aidant_id = p_aidant and removed_at is null;
  delete from public.code_secours where aidant_id = p_aidant;
  update public.code_connexion set used_at = public.horloge() where aidant_id = p_aidant and used_at is null;
  update public.invitation set cancelled_at = public.horloge()
  where aidant_id = p_aidant and genre = 'facteur' and used_at is null and cancelled_at is null;
end
$$;

alter table session add column confirme_at timestamptz(3) constraint session_confirme_aidant check (confirme_at is null or aidant_id is not null);
comment on column session.confirme_at is 'Dernier second facteur donné dans cette session ; un code de secours n’y compte pas';
alter table code_connexion add column secours boolean not null default false;
comment on column code_connexion.secours is 'Un code de secours a servi à la place de l’application';
