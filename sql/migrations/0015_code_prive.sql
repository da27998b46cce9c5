-- Her space opened with the private code of her paper: to read, and to stop once a code sent to a contact of hers has come back. Locks session,
-- acces and code_prive while a check reads them (one day, twelve months, one line a sheet printed), and the other tables for a policy.

/*
 * How the calling person was recognised: 'identite' (FranceConnect), 'code_prive' (her paper), 'contact_prouve' (her paper, and a code sent to
 * her since). What is not said is her paper and no more, and a word of no meaning opens nothing. Whoever else calls has no level.
 */
create function app_niveau() returns text
language sql stable parallel safe
return case when app_who() = 'usager' then coalesce(nullif(current_setting('app.niveau', true), ''), 'code_prive') else 'identite' end;

/*
 * Whose paper opened her space: the structure that printed the code, '*' for one she drew herself. Said of no structure, it shows none: an aidant
 * may print a sheet for herself, and must learn from it nothing that another structure does.
 */
create function app_code_structure() returns uuid
language sql stable parallel safe
return nullif(nullif(current_setting('app.code_structure', true), ''), '*')::uuid;
create function app_voit_tout() returns boolean
language sql stable parallel safe
return app_who() is distinct from 'usager' or app_niveau() = 'identite' or current_setting('app.code_structure', true) is not distinct from '*';

alter table code_prive add constraint code_prive_de_la_personne unique (id, usager_id);
alter table session
  add column niveau text not null default 'identite' check (niveau in ('identite', 'code_prive', 'contact_prouve')),
  add column prouve_at timestamptz(3),
  add column code_prive_id uuid,
  add foreign key (code_prive_id, usager_id) references code_prive (id, usager_id),
  add constraint session_niveau_de_la_personne check (niveau = 'identite' or usager_id is not null),
  add constraint session_de_ce_code check ((niveau = 'identite') = (code_prive_id is null)),
  add constraint session_preuve_datee check ((niveau = 'contact_prouve') = (prouve_at is not null));

-- What the person does with her code is shown to her beside who looked; like the rest of this log, without the address it came from.
alter table acces
  drop constraint acces_genre_check,
  add constraint acces_genre_check check (genre in ('connexion', 'deconnexion', 'changement_structure', 'dossier_consulte', 'demarche_consultee',
    'mandat_consulte', 'espace_ouvert_par_code', 'code_prive_remplace', 'code_prive_annule')),
  add constraint acces_d_elle_meme check (genre not in ('espace_ouvert_par_code', 'code_prive_remplace', 'code_prive_annule')
    or (usager_id is not null and aidant_id is null and structure_id is null));

/* No space opens with a code without its line, whoever opens it. */
create function session_par_code_dite() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  insert into public.acces (genre, usager_id) values ('espace_ouvert_par_code', new.usager_id);
  return null;
end
$$;
create trigger session_par_code_dite after insert on session for each row when (new.niveau = 'code_prive')
  execute function session_par_code_dite();

-- A code is printed for her by a structure, under its line of the journal; or she draws one herself, in her space.
alter table code_prive
  alter column structure_id drop not null,
  alter column journal_id drop not null,
  add foreign key (usager_id) references usager,
  add constraint code_prive_imprime_ou_tire check ((structure_id is null) = (journal_id is null));

/* A code that serves no more keeps no space open. */
create function code_prive_ferme() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  -- One that is being changed for another (a code sent to her came back) is waited for: the statement after this one sees what took over from it.
  perform 1 from public.session where code_prive_id = new.id and ended_at is null for no key update;
  update public.session set ended_at = public.horloge() where code_prive_id = new.id and ended_at is null;
  return null;
end
$$;
create index session_code_prive on session (code_prive_id) where code_prive_id is not null;
create trigger code_prive_ferme after update on code_prive for each row execute function code_prive_ferme();

/*
 * Whose space this code opens, for whoever also knows her year of birth: its id and hers, and nothing when anything is wrong. The code is held
 * until the session is open: replaced meanwhile, it would close the others and miss this one.
 */
create function ouvre_par_code(p_empreinte bytea, p_annee text) returns table (code_id uuid, usager_id uuid)
language sql volatile security definer set search_path = pg_catalog, public
as $$
  select c.id, c.usager_id
  from public.code_prive c
  join public.usager u on u.id = c.usager_id
  where c.empreinte = p_empreinte and c.replaced_at is null and left(u.birthdate, 4) = p_annee and public.app_who() = 'portier'
  for share of c
$$;

/*
 * Replaces all the codes of the calling person, whoever printed them, by the one she has just drawn, or cancels them (without `p_empreinte`), and
 * says so in the access log. Only when FranceConnect said who she is. False when there was nothing to cancel.
 */
create function changer_code_prive(p_usager uuid, p_empreinte bytea) returns boolean
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_former boolean;
begin
  if public.app_who() is distinct from 'usager' or public.app_niveau() <> 'identite'
    or not coalesce(p_usager = any (public.app_usagers()), false) then
    raise exception 'a private code is changed by the person herself' using errcode = 'insufficient_privilege';
  end if;
  -- Printed at the same moment by an aidant: one after the other.
  perform pg_advisory_xact_lock(hashtext('code_prive'), hashtext(p_usager::text));
  update public.code_prive set replaced_at = greatest(created_at, public.horloge()) where usager_id = p_usager and replaced_at is null;
  v_former := found;
  if p_empreinte is not null then
    insert into public.code_prive (usager_id, empreinte) values (p_usager, p_empreinte);
  end if;
  if p_empreinte is not null or v_former then
    insert into public.acces (genre, usager_id)
    values (case when p_empreinte is null then 'code_prive_annule' else 'code_prive_remplace' end, p_usager);
  end if;
  return p_empreinte is not null or v_former;
end
$$;

create table code_preuve (
  id uuid primary key,
  session_id uuid not null references session on delete cascade,
  code bytea not null check (length(code) = 32),
  essais int not null default 0,
  created_at timestamptz(3) not null default horloge(),
  used_at timestamptz(3)
);
create index code_preuve_session on code_preuve (session_id, created_at desc);
comment on table code_preuve is 'Code à six chiffres envoyé au contact prouvé d’une personne, pour arrêter depuis un espace ouvert avec son papier';
create trigger usage_unique before update on code_preuve for each row execute function usage_unique();
alter table code_preuve enable always trigger usage_unique;
alter table code_preuve enable row level security;
create policy portier on code_preuve to traitdunion_app using (app_who() = 'portier') with check (app_who() = 'portier');
grant select on code_preuve to traitdunion_app;
grant insert (id, session_id, code), update (essais, used_at) on code_preuve to traitdunion_app;

-- She sees when her code was drawn and by whom; never the hash.
create policy personne_lit on code_prive for select to traitdunion_app
  using (app_who() = 'usager' and usager_id = any (app_usagers()) and (select app_niveau()) = 'identite');
-- The doorkeeper reads by whom the code of a session was printed.
create policy portier_lit on code_prive for select to traitdunion_app using (app_who() = 'portier');
grant select (id, usager_id, structure_id, created_at, replaced_at) on code_prive to traitdunion_app;

-- A code printed by a structure opens what is hers with that structure; of the others, not even that they know her.
create policy de_ce_code on mandat as restrictive to traitdunion_app
  using ((select app_voit_tout()) or structure_id = (select app_code_structure()));
create policy de_ce_code on autorisation as restrictive to traitdunion_app
  using ((select app_voit_tout()) or structure_id = (select app_code_structure()));
create policy de_ce_code on suspension as restrictive to traitdunion_app
  using ((select app_voit_tout()) or structure_id = (select app_code_structure()));
create policy de_ce_code on arret_recu as restrictive to traitdunion_app
  using ((select app_voit_tout()) or structure_id = (select app_code_structure()));
create policy de_ce_code on demarche as restrictive to traitdunion_app
  using ((select app_voit_tout()) or structure_id = (select app_code_structure()));
create policy de_ce_code on dossier as restrictive to traitdunion_app
  using ((select app_voit_tout()) or structure_id = (select app_code_structure()));
create policy de_ce_code on ouverture as restrictive to traitdunion_app
  using ((select app_voit_tout()) or structure_id = (select app_code_structure()));
-- What was done without any structure is hers: her own signing in, the openings of her space.
create policy de_ce_code on journal as restrictive to traitdunion_app
  using ((select app_voit_tout()) or structure_id is null or structure_id = (select app_code_structure()));
create policy de_ce_code on acces as restrictive to traitdunion_app
  using ((select app_voit_tout()) or structure_id is null or structure_id = (select app_code_structure()));
-- The names that go with them.
create policy de_ce_code on structure as restrictive for select to traitdunion_app
  using ((select app_voit_tout()) or id = (select app_code_structure()));
create policy de_ce_code on habilitation as restrictive for select to traitdunion_app
  using ((select app_voit_tout()) or structure_id = (select app_code_structure()));
create policy de_ce_code on aidant as restrictive for select to traitdunion_app
  using ((select app_voit_tout()) or exists (select 1 from habilitation h where h.aidant_id = aidant.id));

-- Whoever found the paper reads no more than a screen that others see: nothing sensitive, no complaint, not the words of the accord.
create policy a_son_niveau on demarche_contenu as restrictive for select to traitdunion_app
  using ((select app_niveau()) = 'identite'
    or exists (select 1 from demarche d where d.id = demarche_id and not d.sensible and not d.reclamation));
create policy a_son_niveau on journal_contenu as restrictive for select to traitdunion_app
  using ((select app_niveau()) = 'identite');
create policy a_son_niveau on mandat_contenu as restrictive for select to traitdunion_app using ((select app_niveau()) = 'identite');
-- Her name in full and how to reach her: with a contact proven, to tell her of the stop.
create policy a_son_niveau on usager as restrictive for select to traitdunion_app
  using ((select app_niveau()) in ('identite', 'contact_prouve'));
-- Every act has its line, written with it: without the line, no act. A pause or a stop, once a contact is proven, and nothing that gives power back.
create policy a_son_niveau on journal as restrictive for insert to traitdunion_app
  with check (app_niveau() = 'identite'
    or (app_niveau() = 'contact_prouve' and action in ('autorisation_suspendue', 'autorisation_revoquee', 'mandat_termine')));

revoke execute on function session_par_code_dite(), code_prive_ferme(), ouvre_par_code(bytea, text), changer_code_prive(uuid, bytea) from public;
grant execute on function ouvre_par_code(bytea, text), changer_code_prive(uuid, bytea) to traitdunion_app;
