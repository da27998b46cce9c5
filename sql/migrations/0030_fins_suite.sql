-- A stop that reached the service itself; a paper said handed over by mistake; what the database too holds a signature and a renewal to. Locks
-- journal while its lines are read once for a check; arret_recu, autorisation, suspension, demarche, mandat, brouillon and papier_du for the time of a
-- column, a policy or a trigger.

-- The printed address for stopping is the service's: what arrives there the operator records, who is nobody's aidant.
alter table journal
  drop constraint journal_acteur_action,
  add constraint journal_acteur_action check (case
    when action in ('demarche_realisee', 'demarche_corrigee', 'acte_hors_mandat') then acteur = 'aidant'
    when action = 'arret_recu' then acteur in ('aidant', 'operateur')
    when action = 'demarche_contestee' then acteur = 'usager'
    when action = 'mandat_expire' then acteur = 'systeme'
    else true
  end);
alter table arret_recu alter column aidant_id drop not null;
comment on table arret_recu is 'Arrêt demandé par la personne et enregistré par un aidant, ou par l’exploitant quand il est arrivé au service : comment et quand';

/*
 * Received while the autorisation lived and not after now; recorded by an active aidant, or by the operator, with the end it explains, or once the
 * autorisation is over by its date or another end, under a line of its own.
 */
create or replace function arret_recu_conforme() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  new.recorded_at := public.horloge();
  if new.recu_le > new.recorded_at then
    raise exception 'a stop is not received in the future' using errcode = 'check_violation', constraint = 'arret_recu_passe';
  end if;
  if not exists (
    select 1
    from public.autorisation a
    join public.journal j on j.id = new.journal_id and (j.acteur = 'operateur') = (new.aidant_id is null)
    where a.id = new.autorisation_id and a.signed_at <= new.recu_le and case j.action
      when 'autorisation_revoquee' then a.revoked_how = 'revoque' and a.revoked_journal_id = j.id
      when 'arret_recu' then least(a.revoked_at, a.expires_at) > new.recu_le and least(a.revoked_at, a.expires_at) <= new.recorded_at
      else false
    end
  ) then
    raise exception 'a stop is received for what it ends' using errcode = 'check_violation', constraint = 'arret_recu_de_sa_fin';
  end if;
  if new.aidant_id is not null and not public.aidant_actif(new.aidant_id, new.structure_id) then
    raise exception 'aidant not active' using errcode = 'check_violation', constraint = 'arret_recu_aidant_actif';
  end if;
  return new;
end
$$;

/*
 * Who may end what: the person stops; an aidant or the operator stops in her name only on a request that says how and when it came; the structure
 * renounces, or learns of a death or a protection, by an aidant; the operator closes a structure. Checked at commit.
 */
create or replace function fin_par_qui() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_acteur text;
begin
  select acteur into v_acteur from public.journal where id = new.revoked_journal_id;
  if not (case new.revoked_how
    when 'revoque' then v_acteur = 'usager'
      or (v_acteur in ('aidant', 'operateur') and exists (select 1 from public.arret_recu where autorisation_id = new.id))
    when 'structure_fermee' then v_acteur = 'operateur'
    else v_acteur = 'aidant'
  end) then
    raise exception '% does not end autorisation % so (%)', v_acteur, new.id, new.revoked_how
      using errcode = 'check_violation', constraint = 'fin_par_qui';
  end if;
  return null;
end
$$;

-- To end one thématique, or all, the operator reads which ones a mandat has: of structures that are closed, and of the one that she names.
create function app_mandat() returns uuid
language sql stable parallel safe
return nullif(current_setting('app.mandat_id', true), '')::uuid;
create policy operateur_arrete on autorisation to traitdunion_operator using (mandat_id = (select app_mandat())) with check (true);
create policy operateur_arrete on suspension for select to traitdunion_operator using (mandat_id = (select app_mandat()));
create policy operateur_arrete on arret_recu for select to traitdunion_operator using (mandat_id = (select app_mandat()));
create policy operateur_ecrit on arret_recu for insert to traitdunion_operator with check (aidant_id is null);
grant select (autorisation_id, mandat_id, maniere, recu_le, recorded_at) on arret_recu to traitdunion_operator;
grant insert (autorisation_id, mandat_id, structure_id, usager_id, aidant_id, maniere, recu_le, journal_id) on arret_recu to traitdunion_operator;
-- The service tells both sides of it, and how many démarches were done meanwhile.
create policy service_lit on arret_recu for select to traitdunion_app using (app_who() = 'worker' and aidant_id is null);
create policy service_lit on demarche for select to traitdunion_app
  using (app_who() = 'worker' and mandat_id in (select mandat_id from arret_recu where aidant_id is null));

-- Said handed over by mistake: the row keeps who said so and who took it back, and what is owed is owed again.
alter table papier_du
  add column annule_at timestamptz(3),
  add column annule_par uuid,
  add foreign key (annule_par, structure_id) references habilitation (aidant_id, structure_id),
  add check ((annule_at is null) = (annule_par is null) and (annule_at is null or remis_at is not null));

/* Handed over once, now, by who says so; taken back once, the same day in the structure's zone. */
create or replace function papier_remis() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_fuseau text := (select fuseau from public.structure where id = new.structure_id);
begin
  if old.remis_at is null then
    new.remis_at := public.horloge();
    new.remis_par := public.app_aidant();
    new.annule_at := null;
    new.annule_par := null;
  elsif old.annule_at is null and new.annule_at is not null
    and (old.remis_at at time zone v_fuseau)::date = (public.horloge() at time zone v_fuseau)::date
  then
    new.remis_at := old.remis_at;
    new.remis_par := old.remis_par;
    new.annule_at := public.horloge();
    new.annule_par := public.app_aidant();
    insert into public.papier_du (mandat_id, structure_id, usager_id, quoi, created_at)
    values (old.mandat_id, old.structure_id, old.usager_id, old.quoi, old.created_at)
    on conflict (mandat_id, quoi) where remis_at is null do nothing;
  else
    raise exception 'paper % is handed over once', old.id using errcode = 'check_violation', constraint = 'papier_remis_une_fois';
  end if;
  return new;
end
$$;
grant update (annule_at, annule_par) on papier_du to traitdunion_app;

/* A mandat is signed from a draft whose contact is proven, and read by whom it says; a renewal is not of more days than its draft. */
create function mandat_de_son_brouillon() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_brouillon public.brouillon;
begin
  select * into v_brouillon from public.brouillon where id = new.id;
  if v_brouillon.suivi <> 'papier'
    and (v_brouillon.contact_prouve_at is null or (v_brouillon.contact_partage and v_brouillon.contact_lecteur is null))
  then
    raise exception 'the contact of draft % is not proven', new.id using errcode = 'check_violation', constraint = 'mandat_contact_pret';
  end if;
  if v_brouillon.usager_id is not null and public.jours(new.duree) > public.jours(v_brouillon.duree) then
    raise exception 'mandat % is longer than what it renews', new.id using errcode = 'check_violation', constraint = 'renouvelle_sans_elargir';
  end if;
  return new;
end
$$;
create trigger mandat_de_son_brouillon before insert on mandat for each row execute function mandat_de_son_brouillon();
alter table mandat enable always trigger mandat_de_son_brouillon;

/* A renewal begins with no more than a mandat of hers with this structure still holds, or held at its date; then it only narrows. */
create function renouvelle_sans_elargir() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if not (case tg_op
    when 'UPDATE' then new.perimetre <@ old.perimetre and public.jours(new.duree) <= public.jours(old.duree)
    else exists (
      select 1
      from public.mandat m
      where m.usager_id = new.usager_id and m.structure_id = new.structure_id and m.ended_at is null
        and public.jours(new.duree) <= public.jours(m.duree)
        and new.perimetre <@ array(select a.thematique from public.autorisation a where a.mandat_id = m.id and a.revoked_at is null))
  end) then
    raise exception 'draft % renews more than there was', new.id using errcode = 'check_violation', constraint = 'renouvelle_sans_elargir';
  end if;
  return new;
end
$$;
create trigger renouvelle_sans_elargir before insert or update on brouillon
  for each row when (new.usager_id is not null) execute function renouvelle_sans_elargir();
alter table brouillon enable always trigger renouvelle_sans_elargir;
