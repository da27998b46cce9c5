-- What attacks on contestations, unions and corrections found. Locks journal and suspension for the time of a policy or a grant.

/*
 * As in 0036: the author reads and answers alone when she directed alone as it was contested. Where nobody directed, she did not: named since, she
 * waits for another as she would with one.
 */
create or replace function contestation_conforme() returns trigger
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
  new.auteur_seul := public.dirige(v_auteur, new.structure_id) and not public.un_autre_dirige(v_auteur, new.structure_id);
  if new.aidant_id is not null and not public.aidant_actif(new.aidant_id, new.structure_id) then
    raise exception 'aidant not active' using errcode = 'check_violation', constraint = 'contestation_aidant_actif';
  end if;
  return new;
end
$$;

/* As in 0036; what the direction has corrected, the author does not take back: she may be the one whom the person complained of. */
create or replace function correction_conforme() returns trigger
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
      and case when d.aidant_id = new.aidant_id
        then not exists (select 1 from public.correction k where k.demarche_id = d.id and k.aidant_id <> d.aidant_id)
        else not d.reclamation and exists (
          select 1 from public.habilitation h where h.aidant_id = new.aidant_id and h.structure_id = d.structure_id and h.referent) end
  ) then
    raise exception 'corrected by its author or the direction' using errcode = 'check_violation', constraint = 'correction_par_qui';
  end if;
  return new;
end
$$;

/* As in 0036, of the person: the thématique contested goes on under whichever identity of hers. */
create or replace function suspension_contestee() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if tg_op = 'INSERT' then
    if not exists (
      select 1
      from public.contestation c
      join public.demarche d on d.id = c.demarche_id
      join public.autorisation a on a.id = new.autorisation_id and a.thematique = d.thematique
      where c.id = new.contestation_id and c.structure_id = new.structure_id and new.usager_id in (select public.identites_de(c.usager_id))
        and c.answered_at is null and new.aidant_id is null
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

/* As in 0035: an identity of hers erased by itself, after a restoration, is not one that others united meanwhile. */
create or replace function separer_identite(p_usager uuid) returns setof uuid
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_ids uuid[];
begin
  if public.app_who() is distinct from 'usager' or public.app_niveau() <> 'identite' or not coalesce(p_usager = any (public.app_usagers()), false) then
    raise exception 'only the person separates her identities' using errcode = 'insufficient_privilege';
  end if;
  perform 1 from public.usager where id = any (public.app_usagers()) order by id for no key update;
  v_ids := array(
    select o.id
    from public.usager u
    join public.usager o on o.personne_id = u.personne_id
    where u.id = p_usager and o.erased_at is null
    order by o.id);
  if not v_ids <@ public.app_usagers() then
    raise exception 'others were united meanwhile' using errcode = 'serialization_failure';
  end if;
  update public.usager set reunion_refusee_at = public.horloge() where id = any (v_ids);
  if cardinality(v_ids) > 1 then
    update public.usager
    set personne_id = personnes_avant[cardinality(personnes_avant)], personnes_avant = trim_array(personnes_avant, 1)
    where id = any (v_ids);
    perform public.changer_code_prive(id, null) from unnest(v_ids) as id;
  end if;
  return query select id from unnest(v_ids) as id where id <> p_usager;
end
$$;

-- Which contestation a pause waits for is read by nobody on the pause itself

/* Does this pause wait for an answer? Not for whoever holds her paper alone, nor for a référent who does not answer it. */
create function attend_une_reponse(p_suspension uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, public
as $$
  select exists (
    select 1
    from public.suspension s
    where s.id = p_suspension and s.contestation_id is not null and public.app_niveau() <> 'code_prive'
      and (public.app_who() <> 'referent' or public.repond(s.contestation_id, public.app_aidant())))
$$;

/* The pause that waits for the answer to this contestation, which whoever asks has read. */
create function pause_qui_attend(p_contestation uuid) returns uuid
language sql stable security definer set search_path = pg_catalog, public
as $$
  select s.id from public.suspension s where s.contestation_id = p_contestation and s.until_at is null
$$;
revoke execute on function attend_une_reponse(uuid), pause_qui_attend(uuid) from public;
grant execute on function attend_une_reponse(uuid) to traitdunion_app, traitdunion_operator;
grant execute on function pause_qui_attend(uuid) to traitdunion_app;
revoke select on suspension from traitdunion_app;
revoke select (contestation_id) on suspension from traitdunion_operator;
grant select (id) on suspension to traitdunion_operator;
grant select (id, autorisation_id, mandat_id, structure_id, usager_id, from_at, until_at, journal_id, until_journal_id, aidant_id, maniere)
  on suspension to traitdunion_app;

-- In the structure's journal, that an act was contested and answered is read by who reads the contestation, and by who wrote the line.
create policy contestation_tue on journal as restrictive for select to traitdunion_app
  using (action not in ('demarche_contestee', 'contestation_repondue') or app_who() not in ('aidant', 'referent')
    or acteur_id = (select app_aidant()) or exists (select 1 from contestation k where journal.id in (k.journal_id, k.answered_journal_id)));
