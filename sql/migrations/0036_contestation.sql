-- The person contests an act and is answered; an act is corrected by adding to it. New tables; locks journal while its lines are read once for a check,
-- message and suspension while theirs are for another, and the others for that of a policy.

alter table journal
  drop constraint journal_acteur_action,
  add constraint journal_acteur_action check (case
    when action in ('demarche_realisee', 'demarche_corrigee', 'acte_hors_mandat', 'contestation_repondue') then acteur = 'aidant'
    when action = 'arret_recu' then acteur in ('aidant', 'operateur')
    when action = 'demarche_contestee' then acteur in ('usager', 'aidant')
    when action = 'mandat_expire' then acteur = 'systeme'
    else true
  end);
-- Where an e-mail to an aidant leads, behind her sign-in: the page of a mandat, or what the direction has to answer.
alter table message
  drop constraint message_chemin_d_un_courriel,
  add constraint message_chemin_d_un_courriel check (chemin is null or (canal = 'email'
    and chemin ~ '^(/mandats/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(/arret)?|/structure/contestations)$'));

create table contestation (
  id uuid primary key,
  demarche_id uuid not null references demarche,
  mandat_id uuid not null,
  structure_id uuid not null,
  usager_id uuid not null,
  motif text not null check (motif in ('pas_demande', 'pas_au_courant', 'inexact', 'autre')),
  contested_at timestamptz(3) not null,
  journal_id bigint not null unique references journal,
  aidant_id uuid,
  maniere text check (maniere in ('bulletin', 'courrier', 'telephone', 'visite', 'email')),
  recu_le timestamptz(3),
  auteur_seul boolean not null,
  reponse text check (reponse in ('corrigee', 'reconnue', 'maintenue')),
  answered_at timestamptz(3),
  answered_by uuid,
  answered_journal_id bigint unique references journal,
  check (num_nulls(aidant_id, maniere, recu_le) in (0, 3)),
  check (num_nulls(reponse, answered_at, answered_by, answered_journal_id) in (0, 4)),
  foreign key (mandat_id, structure_id, usager_id) references mandat (id, structure_id, usager_id),
  foreign key (aidant_id, structure_id) references habilitation (aidant_id, structure_id),
  foreign key (answered_by, structure_id) references habilitation (aidant_id, structure_id)
);
-- One from her and one recorded for her: nobody keeps her from saying it by saying it first.
create unique index contestation_ouverte on contestation (demarche_id, (aidant_id is null)) where answered_at is null;
create index contestation_demarche on contestation (demarche_id, journal_id desc);
create index contestation_structure on contestation (structure_id, journal_id desc);
create index contestation_usager on contestation (usager_id);
comment on table contestation is 'La personne n’est pas d’accord avec un acte : ce qu’elle en dit, et la réponse de la structure ; les mots sont au journal, effaçables';

create table correction (
  id uuid primary key,
  demarche_id uuid not null references demarche,
  mandat_id uuid not null,
  structure_id uuid not null,
  usager_id uuid not null,
  aidant_id uuid not null,
  annulee boolean not null,
  resultat text not null check (resultat in ('deposee', 'terminee', 'en_attente', 'bloquee', 'refusee', 'abandonnee', 'a_faire_par_la_personne')),
  corrected_at timestamptz(3) not null,
  journal_id bigint not null unique references journal,
  check (resultat = 'abandonnee' or not annulee),
  foreign key (mandat_id, structure_id, usager_id) references mandat (id, structure_id, usager_id),
  foreign key (aidant_id, structure_id) references habilitation (aidant_id, structure_id)
);
create index correction_demarche on correction (demarche_id, journal_id desc);
create index correction_usager on correction (usager_id);
comment on table correction is 'Un acte corrigé, ou noté par erreur : s’ajoute à ce qui était noté, qui reste lisible ; les mots sont au journal, effaçables';

/*
 * Has her death been recorded, by any structure and under any identity, since this mandat was signed? Then nobody writes to her of it; no page says so,
 * for what another structure recorded is not shown.
 */
create function decedee(p_mandat uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, public
as $$
  select exists (
    select 1
    from public.mandat m
    join public.mandat d on d.usager_id in (select public.identites_de(m.usager_id)) and d.ended_how = 'deces' and d.ended_at >= m.signed_at
    where m.id = p_mandat)
$$;

/* True while someone else than this aidant directs this structure. */
create function un_autre_dirige(p_aidant uuid, p_structure uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, public
as $$
  select exists (
    select 1 from public.habilitation where structure_id = p_structure and aidant_id <> p_aidant and public.dirige(aidant_id, p_structure))
$$;

/*
 * Who answers what is contested: an active référent, and not the author of the act, unless she directed alone when it was contested, and does:
 * sending the others away opens nothing to her. The person may be afraid of her aidant: neither she nor a colleague reads that she complained.
 */
create function repond(p_contestation uuid, p_aidant uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, public
as $$
  select exists (
    select 1
    from public.contestation c
    join public.demarche d on d.id = c.demarche_id
    where c.id = p_contestation and public.dirige(p_aidant, c.structure_id) and public.aidant_actif(p_aidant, c.structure_id)
      and (d.aidant_id <> p_aidant or (c.auteur_seul and not public.un_autre_dirige(p_aidant, c.structure_id))))
$$;

/* Her own act, contested under its line, by herself or by the aidant who says how and when it came; its words are not for the journal's page. */
create function contestation_conforme() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_auteur uuid;
begin
  select at into new.contested_at
  from public.journal
  where id = new.journal_id and xid = pg_current_xact_id() and mandat_id = new.mandat_id and action = 'demarche_contestee'
    and case when new.aidant_id is null then acteur = 'usager' else acteur_id = new.aidant_id end;
  if not found or new.answered_at is not null then
    raise exception 'line % does not say this fact', new.journal_id using errcode = 'check_violation', constraint = 'ligne_du_fait';
  end if;
  select aidant_id into v_auteur
  from public.demarche d
  where (d.id, d.mandat_id, d.structure_id, d.usager_id) = (new.demarche_id, new.mandat_id, new.structure_id, new.usager_id)
    and (new.recu_le is null or new.recu_le between d.done_at and new.contested_at);
  if not found then
    raise exception 'not an act of this person' using errcode = 'check_violation', constraint = 'contestation_de_son_acte';
  end if;
  if new.aidant_id = v_auteur then
    raise exception 'recorded by another than its author' using errcode = 'check_violation', constraint = 'contestation_par_un_autre';
  end if;
  new.auteur_seul := not public.un_autre_dirige(v_auteur, new.structure_id);
  if new.aidant_id is not null and not public.aidant_actif(new.aidant_id, new.structure_id) then
    raise exception 'aidant not active' using errcode = 'check_violation', constraint = 'contestation_aidant_actif';
  end if;
  return new;
end
$$;
create trigger contestation_conforme before insert on contestation for each row execute function contestation_conforme();

/* Answered once, now, by who answers; « corrigé » only when it is. The grant names the only columns that may move. */
create function contestation_repondue() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  select at into new.answered_at
  from public.journal
  where id = new.answered_journal_id and xid = pg_current_xact_id() and mandat_id = new.mandat_id and action = 'contestation_repondue'
    and acteur_id = new.answered_by;
  if not found then
    raise exception 'line % does not say this fact', new.answered_journal_id using errcode = 'check_violation', constraint = 'ligne_du_fait';
  end if;
  if old.answered_at is not null then
    raise exception 'contestation % is answered once', old.id using errcode = 'check_violation', constraint = 'contestation_repondue_une_fois';
  end if;
  if not public.repond(new.id, new.answered_by) then
    raise exception 'not who answers' using errcode = 'check_violation', constraint = 'contestation_par_qui';
  end if;
  if new.reponse = 'corrigee' and not exists (
    select 1 from public.correction where demarche_id = new.demarche_id and journal_id > new.journal_id
  ) then
    raise exception 'nothing is corrected' using errcode = 'check_violation', constraint = 'contestation_corrigee';
  end if;
  return new;
end
$$;
create trigger contestation_repondue before update on contestation for each row execute function contestation_repondue();

/* Corrected under its line, by its author or the direction. */
create function correction_conforme() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  select at into new.corrected_at
  from public.journal
  where id = new.journal_id and xid = pg_current_xact_id() and mandat_id = new.mandat_id and action = 'demarche_corrigee'
    and acteur_id = new.aidant_id;
  if not found then
    raise exception 'line % does not say this fact', new.journal_id using errcode = 'check_violation', constraint = 'ligne_du_fait';
  end if;
  if not exists (
    select 1
    from public.demarche d
    where (d.id, d.mandat_id, d.structure_id, d.usager_id) = (new.demarche_id, new.mandat_id, new.structure_id, new.usager_id)
      and public.aidant_actif(new.aidant_id, d.structure_id)
      and (d.aidant_id = new.aidant_id or (not d.reclamation and exists (
        select 1 from public.habilitation h where h.aidant_id = new.aidant_id and h.structure_id = d.structure_id and h.referent)))
  ) then
    raise exception 'corrected by its author or the direction' using errcode = 'check_violation', constraint = 'correction_par_qui';
  end if;
  return new;
end
$$;
create trigger correction_conforme before insert on correction for each row execute function correction_conforme();

-- Their words are read as those of the act they are about, never on the journal's page.
create constraint trigger demarche_discrete after insert on contestation deferrable initially deferred
  for each row execute function demarche_discrete();
create constraint trigger demarche_discrete after insert on correction deferrable initially deferred
  for each row execute function demarche_discrete();
create trigger jamais_efface before delete on contestation for each row execute function refuse_modification();
create trigger jamais_vide before truncate on contestation for each statement execute function refuse_modification();
create trigger insertion_seule before update or delete on correction for each row execute function refuse_modification();
create trigger insertion_seule_table before truncate on correction for each statement execute function refuse_modification();
alter table contestation enable always trigger contestation_conforme;
alter table contestation enable always trigger contestation_repondue;
alter table contestation enable always trigger jamais_efface;
alter table contestation enable always trigger jamais_vide;
alter table correction enable always trigger correction_conforme;
alter table correction enable always trigger insertion_seule;
alter table correction enable always trigger insertion_seule_table;

-- A pause of her own may be asked for while another waits for an answer: it begins then, and outlives it.
alter table suspension
  add column contestation_id uuid unique references contestation,
  drop constraint suspension_une_a_la_fois,
  add constraint suspension_une_a_la_fois exclude using gist (
    autorisation_id with =, ((contestation_id is null)::int) with =, tstzrange(from_at, until_at) with &&);

/* A pause that waits for an answer is of the thématique contested, under whichever mandat it goes on; it is lifted by her, or with the answer. */
create function suspension_contestee() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if tg_op = 'INSERT' then
    if not exists (
      select 1
      from public.contestation c
      join public.demarche d on d.id = c.demarche_id
      join public.autorisation a on a.id = new.autorisation_id and a.thematique = d.thematique
      where c.id = new.contestation_id and (c.structure_id, c.usager_id) = (new.structure_id, new.usager_id) and c.answered_at is null
        and new.aidant_id is null
    ) then
      raise exception 'this pause waits for no answer' using errcode = 'check_violation', constraint = 'suspension_contestee';
    end if;
  elsif not exists (
    select 1
    from public.journal j
    where j.id = new.until_journal_id and (j.acteur = 'usager' or exists (
      select 1
      from public.contestation c
      join public.journal r on r.id = c.answered_journal_id and r.xid = pg_current_xact_id() and r.acteur_id = j.acteur_id
      where c.id = new.contestation_id))
  ) then
    raise exception 'lifted by her, or with the answer' using errcode = 'check_violation', constraint = 'reprise_par_qui';
  end if;
  return new;
end
$$;
create trigger suspension_contestee before insert on suspension for each row when (new.contestation_id is not null)
  execute function suspension_contestee();
create trigger reprise_par_qui before update on suspension for each row when (old.until_at is null) execute function suspension_contestee();
alter table suspension enable always trigger suspension_contestee;
alter table suspension enable always trigger reprise_par_qui;
create policy referent_leve on suspension for update to traitdunion_app
  using (app_who() = 'referent' and structure_id = (select app_structure()) and contestation_id is not null);

alter table contestation enable row level security;
alter table correction enable row level security;

create policy personne on contestation to traitdunion_app
  using (app_who() = 'usager' and usager_id = any (app_usagers()))
  with check (app_who() = 'usager' and usager_id = any (app_usagers()));
create policy aidant_ecrit on contestation for insert to traitdunion_app
  with check (app_who() = 'aidant' and structure_id = app_structure() and aidant_id = app_aidant()
    and (lit_comme_aidant(structure_id, usager_id) or dossier_ouvert(structure_id, usager_id)) and exists (select 1 from demarche d where d.id = demarche_id));
create policy referent on contestation to traitdunion_app
  using (app_who() = 'referent' and structure_id = (select app_structure()) and repond(id, (select app_aidant())))
  with check (app_who() = 'referent' and structure_id = app_structure() and answered_by = app_aidant() and dossier_ouvert(structure_id, usager_id));
create policy referent_vraiment on contestation as restrictive to traitdunion_app
  using (app_who() <> 'referent' or (select est_referent())) with check (app_who() <> 'referent' or (select est_referent()));
create policy personne_lit on correction for select to traitdunion_app using (app_who() = 'usager' and usager_id = any (app_usagers()));
create policy structure_lit on correction for select to traitdunion_app
  using (app_who() in ('aidant', 'referent') and structure_id = (select app_structure()) and exists (select 1 from demarche d where d.id = demarche_id));
create policy service_lit on correction for select to traitdunion_app
  using (app_who() = 'worker' and mandat_id in (select mandat_id from arret_recu where aidant_id is null));
create policy structure_ecrit on correction for insert to traitdunion_app
  with check (app_who() in ('aidant', 'referent') and structure_id = app_structure() and aidant_id = app_aidant()
    and (lit_comme_aidant(structure_id, usager_id) or dossier_ouvert(structure_id, usager_id)) and exists (select 1 from demarche d where d.id = demarche_id));
create policy de_ce_code on contestation as restrictive to traitdunion_app
  using ((select app_voit_tout()) or structure_id = (select app_code_structure()));
-- An aidant may have printed the sheet: without a contact proven, what it opens does not tell that she complained.
create policy a_son_niveau on contestation as restrictive to traitdunion_app using ((select app_niveau()) <> 'code_prive');
create policy de_ce_code on correction as restrictive to traitdunion_app
  using ((select app_voit_tout()) or structure_id = (select app_code_structure()));

-- Their words: of a correction, for who reads those of the act; of a contestation, for who answers it, with the dossier open.
create policy correction_lit on journal_contenu for select to traitdunion_app
  using (app_who() in ('aidant', 'referent') and structure_id = (select app_structure()) and exists (
    select 1 from correction k join demarche_contenu c on c.demarche_id = k.demarche_id where k.journal_id = journal_contenu.journal_id));
create policy contestation_lit on journal_contenu for select to traitdunion_app
  using (app_who() = 'referent' and structure_id = (select app_structure()) and dossier_ouvert(structure_id, usager_id) and exists (
    select 1 from contestation k where journal_contenu.journal_id in (k.journal_id, k.answered_journal_id)));
drop policy a_son_niveau on journal_contenu;
create policy a_son_niveau on journal_contenu as restrictive for select to traitdunion_app
  using ((select app_niveau()) = 'identite' or exists (
    select 1 from correction k join demarche_contenu c on c.demarche_id = k.demarche_id where k.journal_id = journal_contenu.journal_id));
drop policy a_son_niveau on journal;
create policy a_son_niveau on journal as restrictive for insert to traitdunion_app
  with check (app_niveau() = 'identite' or (app_niveau() = 'contact_prouve'
    and action in ('autorisation_suspendue', 'autorisation_revoquee', 'mandat_termine', 'demarche_contestee')));
create policy reponse_reservee on journal as restrictive for insert to traitdunion_app
  with check (action <> 'contestation_repondue' or app_who() = 'referent');

grant select, insert, update (reponse, answered_at, answered_by, answered_journal_id) on contestation to traitdunion_app;
grant select, insert on correction to traitdunion_app;
revoke execute on function repond(uuid, uuid), un_autre_dirige(uuid, uuid), decedee(uuid) from public;
grant execute on function repond(uuid, uuid), decedee(uuid) to traitdunion_app;

-- The audit holds them to their lines.
create policy auditeur on contestation for select to traitdunion_auditor using (true);
create policy auditeur on correction for select to traitdunion_auditor using (true);
grant select (id, demarche_id, mandat_id, structure_id, usager_id, motif, contested_at, journal_id, aidant_id, maniere, recu_le, reponse, answered_at,
  answered_by, answered_journal_id) on contestation to traitdunion_auditor;
grant select on correction to traitdunion_auditor;
grant select (contestation_id) on suspension to traitdunion_auditor, traitdunion_operator;
create or replace function journal_accords(p_ids bigint[]) returns table (journal_id bigint, faits jsonb)
language sql stable security definer set search_path = pg_catalog, public
as $$
  select j.id, (select jsonb_object_agg(f.key, f.value) from jsonb_each(c.payload::jsonb) f
    where f.key in ('perimetre', 'thematique', 'duree', 'signed_at', 'expires_at', 'how', 'maniere', 'recu_le', 'kid', 'jwk', 'coupure', 'id',
      'demarche', 'contestation', 'pause', 'motif', 'reponse', 'annulee', 'resultat'))
  from public.journal j
  join public.journal_contenu c on c.journal_id = j.id
  where j.id = any (p_ids) and c.payload is not null and j.action in ('mandat_signe', 'autorisation_remplacee', 'autorisation_revoquee',
    'autorisation_suspendue', 'autorisation_retablie', 'mandat_termine', 'arret_recu', 'cle_publiee', 'cle_compromise', 'jwks_archive',
    'demarche_contestee', 'contestation_repondue', 'demarche_corrigee')
$$;
