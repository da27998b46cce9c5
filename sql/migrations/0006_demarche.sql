-- Démarches: what was done, insert-only; contents apart. Locks nothing: new tables.

create table ouverture (
  id uuid primary key default gen_random_uuid(),
  aidant_id uuid not null,
  structure_id uuid not null,
  usager_id uuid not null,
  motif text not null check (motif in ('demande_de_la_personne', 'reclamation', 'controle', 'depart_aidant', 'urgence', 'autre')),
  opened_at timestamptz(3) not null default horloge(),
  journal_id bigint not null unique references journal,
  foreign key (structure_id, usager_id) references dossier,
  foreign key (aidant_id, structure_id) references habilitation
);
create index ouverture_recente on ouverture (aidant_id, usager_id, opened_at desc);
create index ouverture_usager on ouverture (usager_id);
comment on table ouverture is 'Ouverture d’un dossier par le référent, avec son motif, visible de la personne ; vaut quinze minutes';

create table demarche (
  id uuid primary key default gen_random_uuid(),
  mandat_id uuid not null,
  structure_id uuid not null,
  usager_id uuid not null,
  aidant_id uuid not null,
  genre text not null check (genre in ('reguliere', 'apres_coup', 'hors_mandat')),
  thematique text not null check (thematique = any (thematiques())),
  sensible boolean not null,
  reclamation boolean not null,
  nature text not null check (nature in ('demande', 'renouvellement', 'declaration', 'changement_de_situation', 'consultation', 'suivi',
    'reclamation', 'paiement', 'prise_de_rendez_vous', 'creation_de_compte')),
  mode text not null check (mode in ('avec_la_personne', 'a_sa_place', 'seule_avec_appui')),
  presence text not null check (presence in ('presente', 'absente_prevenue', 'absente')),
  canal text not null check (canal in ('en_ligne_franceconnect', 'en_ligne_autre', 'telephone', 'courrier', 'guichet', 'email', 'visio', 'messagerie')),
  done_at timestamptz(3) not null,
  recorded_at timestamptz(3) not null,
  duree_minutes int check (duree_minutes in (5, 15, 30, 45, 60, 90, 120)),
  resultat text not null check (resultat in ('deposee', 'terminee', 'en_attente', 'bloquee', 'refusee', 'abandonnee', 'a_faire_par_la_personne')),
  motif_blocage text check (motif_blocage in ('site_indisponible', 'compte_impossible', 'piece_manquante', 'identite_non_reconnue',
    'pas_d_interlocuteur', 'delai_anormal', 'langue', 'autre')),
  envoi uuid not null constraint demarche_envoi_unique unique,
  journal_id bigint not null unique references journal,
  foreign key (mandat_id, structure_id, usager_id) references mandat (id, structure_id, usager_id),
  foreign key (aidant_id, structure_id) references habilitation,
  unique (id, structure_id, usager_id, genre),
  constraint demarche_passee check (done_at <= recorded_at),
  constraint demarche_paiement_en_presence check (nature <> 'paiement' or presence = 'presente')
);
create index demarche_mandat on demarche (mandat_id, done_at desc);
create index demarche_dossier on demarche (structure_id, usager_id, done_at desc);
create index demarche_usager on demarche (usager_id, done_at desc);
create index demarche_structure on demarche (structure_id, recorded_at desc);
create index demarche_aidant on demarche (structure_id, aidant_id, recorded_at desc);
comment on table demarche is 'Un acte fait au nom de la personne ; deux heures : celle dite par l’aidant, celle de la base';

create table demarche_contenu (
  demarche_id uuid primary key,
  structure_id uuid not null,
  usager_id uuid not null,
  genre text not null,
  code text,
  titre text not null check (length(titre) between 1 and 120),
  administration text check (length(administration) <= 80),
  reference text check (length(reference) <= 40),
  montant_centimes int check (montant_centimes > 0),
  etape_quoi text check (length(etape_quoi) <= 120),
  etape_qui text check (etape_qui in ('personne', 'aidant', 'administration')),
  etape_quand text check (etape_quand ~ '^\d{4}-\d{2}-\d{2}$'),
  orientation text check (length(orientation) <= 120),
  note text check (length(note) <= 280),
  motif_hors_mandat text check (length(motif_hors_mandat) between 5 and 280),
  foreign key (demarche_id, structure_id, usager_id, genre) references demarche (id, structure_id, usager_id, genre),
  constraint demarche_hors_mandat_motivee check ((genre = 'hors_mandat') = (motif_hors_mandat is not null))
);
create index demarche_contenu_usager on demarche_contenu (usager_id);
comment on table demarche_contenu is 'Les mots d’une démarche : titre, référence, note ; effaçables après conservation';

/*
 * Re-checks, under the mandat's lock, what the application decided: the line says this fact and was written with it, the kind follows from
 * the two times and the autorisation, and nothing regular is ever recorded outside one. Each query is a later statement than the lock, so
 * it sees what the lock waited for.
 */
create function demarche_conforme() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_genre text;
  v_autorisation public.autorisation;
begin
  perform 1 from public.mandat where id = new.mandat_id and structure_id = new.structure_id for no key update;
  -- Here rather than by ligne_du_fait, since the line is read anyway: nothing is written more often.
  select at into new.recorded_at
  from public.journal
  where id = new.journal_id and xid = pg_current_xact_id() and mandat_id = new.mandat_id
    and action = case new.genre when 'hors_mandat' then 'acte_hors_mandat' else 'demarche_realisee' end;
  if not found then
    raise exception 'line % does not say this fact', new.journal_id using errcode = 'check_violation', constraint = 'ligne_du_fait';
  end if;
  select * into v_autorisation from public.autorisation where mandat_id = new.mandat_id and thematique = new.thematique;
  v_genre := case
    when v_autorisation.id is null
      or new.done_at < v_autorisation.signed_at
      or new.done_at >= least(v_autorisation.expires_at, v_autorisation.revoked_at)
      or exists (
        select 1 from public.suspension s
        where s.autorisation_id = v_autorisation.id and new.done_at >= s.from_at and (s.until_at is null or new.done_at < s.until_at))
      then 'hors_mandat'
    when new.recorded_at >= least(v_autorisation.expires_at, v_autorisation.revoked_at)
      or exists (select 1 from public.suspension s where s.autorisation_id = v_autorisation.id and s.until_at is null)
      or new.recorded_at > new.done_at + interval '24 hours'
      then 'apres_coup'
    else 'reguliere'
  end;
  if new.genre <> v_genre then
    raise exception 'this démarche is %, not %', v_genre, new.genre using errcode = 'check_violation', constraint = 'demarche_genre_exact';
  end if;
  if not public.aidant_actif(new.aidant_id, new.structure_id) then
    raise exception 'aidant not active' using errcode = 'check_violation', constraint = 'demarche_aidant_actif';
  end if;
  return new;
end
$$;
create trigger demarche_conforme before insert on demarche for each row execute function demarche_conforme();

/* The other side of the same lock: an end never comes before what was regularly noted. */
create function fin_apres_actes() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if exists (
    select 1
    from public.demarche d
    where d.mandat_id = new.mandat_id and d.thematique = new.thematique and d.genre = 'reguliere' and d.recorded_at > new.revoked_at
  ) then
    raise exception 'autorisation % ends before a démarche noted under it', new.id using errcode = 'check_violation', constraint = 'fin_apres_actes';
  end if;
  return new;
end
$$;
create trigger fin_apres_actes before update on autorisation for each row execute function fin_apres_actes();
alter table autorisation enable always trigger fin_apres_actes;

/* Money moves in front of the person. */
create function demarche_contenu_conforme() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if not exists (select 1 from public.demarche where id = new.demarche_id and presence = 'presente') then
    raise exception 'money moves in front of the person' using errcode = 'check_violation', constraint = 'demarche_paiement_en_presence';
  end if;
  return new;
end
$$;
create trigger demarche_contenu_conforme before insert on demarche_contenu
  for each row when (new.montant_centimes is not null) execute function demarche_contenu_conforme();

/* A démarche says what it was: its line alone is no record. Checked at commit. */
create function demarche_entiere() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if not exists (select 1 from public.demarche_contenu where demarche_id = new.id) then
    raise exception 'démarche % is not whole', new.id using errcode = 'check_violation', constraint = 'demarche_entiere';
  end if;
  return null;
end
$$;
create constraint trigger demarche_entiere after insert on demarche deferrable initially deferred
  for each row execute function demarche_entiere();

/* What is masked here is not readable in the journal by the direction either. Checked at commit. */
create function demarche_discrete() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if not exists (select 1 from public.journal_contenu where journal_id = new.journal_id and sensible) then
    raise exception 'the line of a sensitive démarche is sensitive' using errcode = 'check_violation', constraint = 'demarche_discrete';
  end if;
  return null;
end
$$;
create constraint trigger demarche_discrete after insert on demarche deferrable initially deferred
  for each row when (new.sensible or new.reclamation) execute function demarche_discrete();

create constraint trigger ligne_du_fait after insert on ouverture for each row execute function ligne_du_fait('journal_id', 'dossier_ouvert');

create trigger insertion_seule before update or delete on demarche for each row execute function refuse_modification();
create trigger insertion_seule_table before truncate on demarche for each statement execute function refuse_modification();
create trigger insertion_seule before update or delete on demarche_contenu for each row execute function refuse_modification();
create trigger insertion_seule_table before truncate on demarche_contenu for each statement execute function refuse_modification();
create trigger insertion_seule before update or delete on ouverture for each row execute function refuse_modification();
create trigger insertion_seule_table before truncate on ouverture for each statement execute function refuse_modification();
alter table demarche enable always trigger demarche_conforme;
alter table demarche enable always trigger insertion_seule;
alter table demarche enable always trigger insertion_seule_table;
alter table demarche_contenu enable always trigger demarche_contenu_conforme;
alter table demarche_contenu enable always trigger insertion_seule;
alter table demarche_contenu enable always trigger insertion_seule_table;
alter table ouverture enable always trigger insertion_seule;
alter table ouverture enable always trigger insertion_seule_table;

/* True while the calling référent has this dossier open, with a reason that the person sees. */
create function dossier_ouvert(p_structure uuid, p_usager uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, public
as $$
  select exists (
    select 1
    from public.ouverture o
    where o.aidant_id = public.app_aidant() and o.structure_id = p_structure and o.usager_id = p_usager
      and o.opened_at > (select public.horloge()) - interval '15 minutes'
  )
$$;

/*
 * True when the calling aidant reads this dossier as one: always, but for a référent who neither signed a mandat of the person nor noted a
 * démarche for her, and reads it with a reason only.
 */
create function lit_comme_aidant(p_structure uuid, p_usager uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, public
as $$
  select not exists (
      select 1 from public.habilitation where aidant_id = public.app_aidant() and structure_id = p_structure and referent)
    or exists (
      select 1 from public.mandat where aidant_id = public.app_aidant() and structure_id = p_structure and usager_id = p_usager)
    or exists (
      select 1 from public.demarche where aidant_id = public.app_aidant() and structure_id = p_structure and usager_id = p_usager)
$$;

alter table ouverture enable row level security;
alter table demarche enable row level security;
alter table demarche_contenu enable row level security;

create policy referent on ouverture to traitdunion_app
  using (app_who() = 'referent' and structure_id = (select app_structure()))
  with check (app_who() = 'referent' and structure_id = app_structure() and aidant_id = app_aidant());
create policy personne_lit on ouverture for select to traitdunion_app using (app_who() = 'usager' and usager_id = any (app_usagers()));
-- The words of an accord name her: once nothing is in force, only who signed it reads them.
create policy aidant_lit on mandat_contenu for select to traitdunion_app
  using (app_who() = 'aidant' and structure_id = (select app_structure()) and (
    exists (select 1 from mandat m where m.id = mandat_id and m.aidant_id = (select app_aidant()))
    or (mandat_en_vigueur(structure_id, usager_id) and lit_comme_aidant(structure_id, usager_id))));
-- The words of an accord name her and quote her: the direction reads them as the rest of her dossier, with a reason.
create policy referent_lit on mandat_contenu for select to traitdunion_app
  using (app_who() = 'referent' and structure_id = (select app_structure()) and dossier_ouvert(structure_id, usager_id));

create policy structure_lit on demarche for select to traitdunion_app
  using (app_who() in ('aidant', 'referent') and structure_id = (select app_structure())
    and (not reclamation or aidant_id = (select app_aidant())));
create policy personne_lit on demarche for select to traitdunion_app using (app_who() = 'usager' and usager_id = any (app_usagers()));
create policy aidant_ecrit on demarche for insert to traitdunion_app
  with check (app_who() = 'aidant' and structure_id = app_structure() and aidant_id = app_aidant());

/* Reads through demarche's own policy, so a complaint stays between the person and its author. */
create policy aidant_lit on demarche_contenu for select to traitdunion_app
  using (app_who() = 'aidant' and structure_id = (select app_structure()) and exists (
    select 1 from demarche d
    where d.id = demarche_id and (d.aidant_id = (select app_aidant())
      or (mandat_en_vigueur(d.structure_id, d.usager_id) and lit_comme_aidant(d.structure_id, d.usager_id)))));
create policy referent_lit on demarche_contenu for select to traitdunion_app
  using (app_who() = 'referent' and structure_id = (select app_structure()) and exists (
    select 1 from demarche d
    where d.id = demarche_id and (not d.sensible or d.aidant_id = (select app_aidant()) or dossier_ouvert(d.structure_id, d.usager_id))));
create policy personne_lit on demarche_contenu for select to traitdunion_app using (app_who() = 'usager' and usager_id = any (app_usagers()));
create policy aidant_ecrit on demarche_contenu for insert to traitdunion_app with check (app_who() = 'aidant' and structure_id = app_structure());

grant select on ouverture to traitdunion_app;
grant insert (id, aidant_id, structure_id, usager_id, motif, journal_id) on ouverture to traitdunion_app;
grant select, insert on demarche, demarche_contenu to traitdunion_app;
revoke execute on function dossier_ouvert(uuid, uuid), lit_comme_aidant(uuid, uuid) from public;
grant execute on function dossier_ouvert(uuid, uuid), lit_comme_aidant(uuid, uuid) to traitdunion_app;
