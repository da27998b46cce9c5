-- One person under two FranceConnect subs: her rows stay two and say that they are one person's. Rewrites usager for a column (one row a person) and
-- indexes it; locks connexion while a check reads its rows (one day of them), autorisation for the time of a trigger.

alter table usager
  add column personne_id uuid not null default gen_random_uuid(),
  add column personnes_avant uuid[] not null default '{}',
  add column reunion_refusee_at timestamptz(3);
comment on column usager.personne_id is 'Même valeur : une seule personne, que FranceConnect a connue sous plusieurs identifiants ; chaque ligne garde son histoire';
comment on column usager.personnes_avant is 'Son personne_id avant chaque réunion encore en vigueur, la dernière à la fin : séparer la défait';
comment on column usager.reunion_refusee_at is 'Elle a dit que l’autre identité n’est pas la sienne, ou les a séparées : on ne le lui propose plus';
create index usager_personne on usager (personne_id);
create index usager_naissance on usager (birthcountry, left(birthdate, 4), birthplace);

alter table connexion
  drop constraint connexion_but_check,
  add constraint connexion_but_check check (but in ('mandat', 'espace', 'telephone', 'reunion', 'aidant', 'signature')),
  drop constraint connexion_de_cette_session,
  add constraint connexion_de_cette_session check ((but in ('reunion', 'signature')) = (session_id is not null));

/* Every identity of the person that this one is hers, itself included. */
create function identites_de(p_usager uuid) returns setof uuid
language sql stable security definer set search_path = pg_catalog, public
as $$
  select o.id
  from public.usager u
  join public.usager o on o.personne_id = u.personne_id
  where u.id = p_usager
$$;

/*
 * The same civil status, as far as both say it: same birth name and country and place of birth, first names of which one list begins the other, birth
 * dates of which one is the other less its unknown part; without case, accents nor hyphens. FranceConnect draws the sub from these very words, so two
 * subs always differ by something: a second first name added, a day found, an accent, or the sex, which is not kept (ADR 0003).
 */
create function meme_etat_civil(a usager, b usager) returns boolean
language sql stable
as $$
  select coalesce(
    a.birthcountry = b.birthcountry and a.birthplace is not distinct from b.birthplace
    and left(a.birthdate, 4) = left(b.birthdate, 4)
    and left(a.birthdate, least(length(a.birthdate), length(b.birthdate))) = left(b.birthdate, least(length(a.birthdate), length(b.birthdate)))
    and array_to_string(public.mots_ordonnes(a.nom_naissance), '') = array_to_string(public.mots_ordonnes(b.nom_naissance), '')
    and (select cardinality(m.un) > 0 and cardinality(m.autre) > 0
        and m.un[1:cardinality(m.autre)] = m.autre[1:cardinality(m.un)]
      from (select public.mots_ordonnes(array_to_string(a.prenoms, ' ')) as un, public.mots_ordonnes(array_to_string(b.prenoms, ' ')) as autre) m),
    false)
$$;

/* Is somebody of the calling person's civil status known under another sub, that she has not said is not she? Nothing more is told. */
create function autre_etat_civil() returns boolean
language sql stable security definer set search_path = pg_catalog, public
as $$
  select public.app_who() = 'usager' and public.app_niveau() = 'identite' and exists (
    select 1
    from public.usager u
    join public.usager o on o.birthcountry = u.birthcountry and left(o.birthdate, 4) = left(u.birthdate, 4)
    where u.id = any (public.app_usagers()) and u.reunion_refusee_at is null and o.personne_id <> u.personne_id and public.meme_etat_civil(u, o))
$$;

/* Whom FranceConnect names by this sub, as the calling aidant's structure knows her: the identities of hers that it has a dossier of, first this one. */
create function identites_connues(p_sub text) returns setof uuid
language sql stable security definer set search_path = pg_catalog, public
as $$
  select o.id
  from public.usager u
  join public.usager o on o.personne_id = u.personne_id
  join public.dossier d on d.usager_id = o.id and d.structure_id = public.app_structure() and d.archived_at is null
  where u.sub = p_sub and public.app_who() = 'aidant'
  order by o.id <> u.id, o.created_at
$$;

/*
 * Unites the identity that FranceConnect has just given (`p_id` for its row, made when it has none) with the one whose paper's code opened this
 * session, and all that is already one with either: `app.usager_ids` names them all. False, and nothing is written, unless the session is still open
 * and both have the same civil status; null when they are one already. No row changes but for whose they are.
 */
create function reunir_identites(
  p_session uuid, p_id uuid, p_sub text, p_prenoms text[], p_nom_naissance text, p_nom_usage text, p_birthdate text, p_birthplace text,
  p_birthcountry text
) returns boolean
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_ancien public.usager;
  v_nouveau public.usager;
begin
  if public.app_who() is distinct from 'usager' or public.app_niveau() <> 'identite' then
    raise exception 'only the person unites her identities' using errcode = 'insufficient_privilege';
  end if;
  select u.* into v_ancien from public.session s join public.usager u on u.id = s.usager_id where s.id = p_session and s.code_prive_id is not null;
  v_nouveau.prenoms := p_prenoms;
  v_nouveau.nom_naissance := p_nom_naissance;
  v_nouveau.birthdate := p_birthdate;
  v_nouveau.birthplace := p_birthplace;
  v_nouveau.birthcountry := p_birthcountry;
  if not public.meme_etat_civil(v_ancien, v_nouveau) then
    return false;
  end if;
  insert into public.usager (id, sub, prenoms, nom_naissance, nom_usage, birthdate, birthplace, birthcountry)
  values (p_id, p_sub, p_prenoms, p_nom_naissance, p_nom_usage, p_birthdate, p_birthplace, p_birthcountry)
  on conflict do nothing;
  -- All held, in one order: who signs, enters or is erased under any of them comes before, or after.
  perform 1 from public.usager where id = any (public.app_usagers()) order by id for no key update;
  if (
    select array_agg(o.id order by o.id)
    from public.usager o
    where o.erased_at is null and o.personne_id in (select u.personne_id from public.usager u where u.id = v_ancien.id or u.sub = p_sub)
  ) is distinct from (select array_agg(id order by id) from unnest(public.app_usagers()) as id) then
    raise exception 'others were united meanwhile' using errcode = 'serialization_failure';
  end if;
  -- Its code replaced, or her dead: closed.
  perform 1 from public.session where id = p_session and ended_at is null for share;
  if not found then
    return false;
  end if;
  if (select count(distinct personne_id) from public.usager where id = any (public.app_usagers())) = 1 then
    return null;
  end if;
  update public.usager
  set personne_id = (select personne_id from public.usager where id = v_ancien.id), personnes_avant = personnes_avant || personne_id,
    reunion_refusee_at = null
  where id = any (public.app_usagers());
  return true;
end
$$;

/*
 * The calling person says that this identity of hers is not of all those it is with: the last union is undone, so that whoever joined by theft goes
 * with what was his and no more, and what she had united before stays hers. Those it was with, if any, are told; she is asked no more. The codes of
 * all are cancelled: the sheet that served serves no more.
 */
create function separer_identite(p_usager uuid) returns setof uuid
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_ids uuid[];
begin
  if public.app_who() is distinct from 'usager' or public.app_niveau() <> 'identite' or not coalesce(p_usager = any (public.app_usagers()), false) then
    raise exception 'only the person separates her identities' using errcode = 'insufficient_privilege';
  end if;
  perform 1 from public.usager where id = any (public.app_usagers()) order by id for no key update;
  v_ids := array(select id from public.identites_de(p_usager) as id order by id);
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

-- Whose a row is never changes without its line.
create constraint trigger personne_journalisee after update of personne_id on usager deferrable initially deferred for each row
  when (old.personne_id is distinct from new.personne_id) execute function identite_journalisee();

-- At most one autorisation in force for each structure, person and thématique, whichever identity she gave it under

/*
 * What the exclusion constraint says of one identity, said of the person. Her row is held: who unites her identities waits, or came first and is seen;
 * and two that sign for her under two of them go one after the other.
 */
create function autorisation_une_par_personne() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_personne uuid;
begin
  select personne_id into v_personne from public.usager where id = new.usager_id for no key update;
  perform pg_advisory_xact_lock(hashtext('personne'), hashtext(v_personne::text));
  if exists (
    select 1
    from public.autorisation a
    where a.structure_id = new.structure_id and a.thematique = new.thematique and a.usager_id <> new.usager_id
      and a.usager_id in (select public.identites_de(new.usager_id))
      and tstzrange(a.signed_at, least(a.expires_at, a.revoked_at)) && tstzrange(new.signed_at, new.expires_at)
  ) then
    raise exception 'one autorisation in force for a person' using errcode = 'exclusion_violation', constraint = 'autorisation_une_en_vigueur';
  end if;
  return new;
end
$$;
create trigger autorisation_une_par_personne before insert on autorisation for each row execute function autorisation_une_par_personne();
alter table autorisation enable always trigger autorisation_une_par_personne;

/* United, she has not two in force. Checked at commit: what is replaced ends after the link. */
create function reunion_sans_double() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if exists (
    select 1
    from public.autorisation a
    join public.autorisation b on b.structure_id = a.structure_id and b.thematique = a.thematique and b.usager_id <> a.usager_id
    where a.usager_id = new.id and b.usager_id in (select public.identites_de(new.id))
      and a.revoked_at is null and a.expires_at > public.horloge() and b.revoked_at is null and b.expires_at > public.horloge()
  ) then
    raise exception 'one autorisation in force for a person' using errcode = 'exclusion_violation', constraint = 'autorisation_une_en_vigueur';
  end if;
  return null;
end
$$;
create constraint trigger reunion_sans_double after update of personne_id on usager deferrable initially deferred for each row
  when (old.personne_id is distinct from new.personne_id) execute function reunion_sans_double();

-- Nobody gives her another paper when she unites them: that an older accord ends by it is owed to her.
drop trigger papier_du on autorisation;
create trigger papier_du after update on autorisation for each row
  when (old.revoked_at is null
    and (new.revoked_how in ('revoque', 'renonce', 'protection') or (new.revoked_how = 'remplace' and app_who() = 'usager')))
  execute function papier_du('arret');

/* As in 0030; and she may unite two identities of hers, which replaces what she gave under both. Checked at commit. */
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
    when 'remplace' then v_acteur in ('aidant', 'usager')
    else v_acteur = 'aidant'
  end) then
    raise exception '% does not end autorisation % so (%)', v_acteur, new.id, new.revoked_how
      using errcode = 'check_violation', constraint = 'fin_par_qui';
  end if;
  return null;
end
$$;

/*
 * As in 0018, of the person: a thématique said replaced was granted again in the same transaction, or is in force under the other identity that she
 * unites with this one in the same transaction. Checked at commit.
 */
create or replace function remplace_par_un_autre() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if not exists (
    select 1
    from public.autorisation a
    join public.journal j on j.xid = pg_current_xact_id()
      and (j.id = a.journal_id or (j.usager_id = a.usager_id and j.action = 'identite_modifiee' and a.usager_id <> new.usager_id
        and a.revoked_at is null and a.signed_at >= new.signed_at))
    where a.structure_id = new.structure_id and a.usager_id in (select public.identites_de(new.usager_id)) and a.thematique = new.thematique
      and a.mandat_id <> new.mandat_id
  ) then
    raise exception 'nothing replaces autorisation %', new.id using errcode = 'check_violation', constraint = 'remplace_par_un_autre';
  end if;
  return null;
end
$$;

-- What a structure records of her holds for all her identities, and a renewal is hers under any

/* As in 0017, of the person. */
create or replace function renouvelle_la_meme() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if (tg_op = 'UPDATE' and new.usager_id is distinct from old.usager_id)
    or (new.usager_id is not null and new.identite is not null
      and not exists (select 1 from public.usager where sub = new.identite ->> 'sub' and id in (select public.identites_de(new.usager_id))))
  then
    raise exception 'draft % is another person''s renewal', new.id using errcode = 'check_violation', constraint = 'renouvelle_la_meme';
  end if;
  return new;
end
$$;

/* As in 0022, of the person. */
create or replace function mandat_apres_deces() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if exists (
    select 1
    from public.mandat
    where structure_id = new.structure_id and usager_id in (select public.identites_de(new.usager_id)) and ended_how = 'deces'
  ) then
    raise exception 'a mandat after a death' using errcode = 'check_violation', constraint = 'mandat_apres_deces';
  end if;
  return new;
end
$$;

/* As in 0012, of the person: every dossier that the calling aidant's structure has of her. */
create or replace function tient_le_dossier(p_usager uuid) returns void
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if public.app_who() is distinct from 'aidant' then
    raise exception 'only an aidant holds a dossier' using errcode = 'insufficient_privilege';
  end if;
  perform 1
  from public.dossier
  where structure_id = public.app_structure() and usager_id in (select public.identites_de(p_usager))
  order by usager_id
  for no key update;
end
$$;

/* As in 0014, of the person: whichever identity the death or the measure was recorded under. */
create or replace function ferme_ses_portes(p_usager uuid) returns void
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_ids uuid[] := array(select public.identites_de(p_usager));
  v_how text;
begin
  select m.ended_how into v_how
  from public.mandat m
  join public.journal j on j.id = m.ended_journal_id
  where m.usager_id = any (v_ids) and m.structure_id = public.app_structure() and m.ended_how in ('deces', 'protection')
    and j.xid = pg_current_xact_id() and j.acteur = 'aidant'
  limit 1;
  if public.app_who() is distinct from 'aidant' or v_how is null then
    raise exception 'only a death or a protection measure closes her doors' using errcode = 'insufficient_privilege';
  end if;
  update public.code_prive set replaced_at = greatest(created_at, public.horloge()) where usager_id = any (v_ids) and replaced_at is null;
  update public.session set ended_at = public.horloge() where usager_id = any (v_ids) and ended_at is null;
  if v_how = 'deces' then
    -- What is told of a mandat has it second in its key; what is told to an aidant says so.
    delete from public.message
    where sent_at is null and position(':aidant:' in cle) = 0
      and split_part(cle, ':', 2) in (select id::text from public.mandat where usager_id = any (v_ids));
  end if;
end
$$;

-- Her space is opened for all her identities

/* As in 0032; `usager_ids`: every identity of hers that is not erased, first the one that this session was opened for. */
drop function session_tenue(bytea, interval, interval, interval, interval);
create function session_tenue(p_jeton bytea, p_inactive interval, p_age interval, p_preuve interval, p_confirme interval)
returns table (
  id uuid, aidant_id uuid, usager_ids uuid[], niveau text, imprime_par uuid, prenom text, nom text, cgu_version int, structure_id uuid,
  structure_nom text, fuseau text, referent boolean, par_proconnect boolean, structures bigint, confirmee boolean, prenoms text[], nom_naissance text,
  nom_usage text, stale boolean)
language sql volatile security definer set search_path = pg_catalog, public
as $$
  select s.id, s.aidant_id,
    array(select o.id from public.usager o where o.personne_id = u.personne_id and o.erased_at is null order by o.id <> u.id, o.created_at),
    case when s.prouve_at <= h.now - p_preuve then 'code_prive' else s.niveau end, c.structure_id, a.prenom, a.nom, a.cgu_version,
    st.id, st.nom, st.fuseau, coalesce(ha.referent, false), s.proconnect_id_token is not null,
    (select count(*) from public.habilitation o join public.structure os on os.id = o.structure_id
      where o.aidant_id = s.aidant_id and o.ended_at is null and os.suspended_at is null),
    s.confirme_at > h.now - p_confirme, u.prenoms, u.nom_naissance, u.nom_usage, s.last_seen_at < h.now - interval '1 minute'
  from (select public.horloge() as now offset 0) h
  join public.session s on s.last_seen_at > h.now - p_inactive and s.created_at > h.now - p_age
  left join public.aidant a on a.id = s.aidant_id
  left join public.habilitation ha on ha.aidant_id = s.aidant_id and ha.structure_id = s.structure_id and ha.ended_at is null
  left join public.structure st on st.id = ha.structure_id and st.suspended_at is null
  left join public.usager u on u.id = s.usager_id
  left join public.code_prive c on c.id = s.code_prive_id
  where s.jeton = p_jeton and s.ended_at is null and a.suspended_at is null
$$;

revoke execute on function identites_de(uuid), autre_etat_civil(), identites_connues(text), separer_identite(uuid),
  reunir_identites(uuid, uuid, text, text[], text, text, text, text, text), session_tenue(bytea, interval, interval, interval, interval) from public;
grant execute on function autre_etat_civil(), identites_connues(text), separer_identite(uuid),
  reunir_identites(uuid, uuid, text, text[], text, text, text, text, text), session_tenue(bytea, interval, interval, interval, interval)
  to traitdunion_app;

-- Kept and erased as one: her term is that of the last mandat of all her identities

/* When the last mandat of a person is over, or will be, whichever identity she gave it under: with this structure, or with any (null). Null when she has none. */
create or replace function derniere_fin(p_structure uuid, p_usager uuid) returns timestamptz
language sql stable
return (
  select max(coalesce(m.ended_at, m.expires_at))
  from public.usager u
  join public.usager o on o.personne_id = u.personne_id
  join public.mandat m on m.usager_id = o.id
  where u.id = p_usager and (p_structure is null or m.structure_id = p_structure)
);

set local role none;
grant create on schema public to traitdunion_effaceur;
-- The operator keeps it: after a restoration, what was united or separated since is lost, and each identity is erased again as it had been.
alter function efface(uuid, text) rename to efface_identite;

/*
 * Erases a person under all her identities, or under none: as `efface_identite` (0020) does each, and answers. `ligne`: of the identity asked for;
 * the counts: of all; `usagers`: those erased, now or before, first the one asked for.
 */
create function efface(p_usager uuid, p_motif text)
returns table (refus text, le timestamptz, ligne bigint, lignes int, mandats int, demarches int, acces int, messages int, usagers uuid[])
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_ids uuid[];
  v_id uuid;
  e record;
begin
  -- All held, in one order: none is signed for, or united with another, meanwhile. United while this waited: seen by the next reading, and held too.
  loop
    v_ids := array(
      select o.id
      from public.usager u
      join public.usager o on o.personne_id = u.personne_id
      where u.id = p_usager and u.erased_at is null and o.erased_at is null
      order by o.id
      for no key update of o);
    exit when not exists (
      select 1
      from public.usager u
      join public.usager o on o.personne_id = u.personne_id
      where u.id = p_usager and u.erased_at is null and o.erased_at is null and o.id <> all (v_ids));
  end loop;
  if exists (
    select 1 from public.mandat m where m.usager_id = any (v_ids) and m.ended_at is null and m.expires_at > public.horloge()
  ) then
    refus := 'mandat_en_cours';
    return next;
    return;
  end if;
  for e in select f.* from public.efface_identite(p_usager, p_motif) f loop
    refus := e.refus;
    le := e.le;
    ligne := e.ligne;
    lignes := e.lignes;
    mandats := e.mandats;
    demarches := e.demarches;
    acces := e.acces;
    messages := e.messages;
  end loop;
  if lignes is not null then
    foreach v_id in array array_remove(v_ids, p_usager) loop
      for e in select f.* from public.efface_identite(v_id, p_motif) f where f.lignes is not null loop
        lignes := lignes + e.lignes;
        mandats := mandats + e.mandats;
        demarches := demarches + e.demarches;
        acces := acces + e.acces;
        messages := messages + e.messages;
      end loop;
    end loop;
  end if;
  usagers := array(
    select o.id
    from public.usager u
    join public.usager o on o.personne_id = u.personne_id
    where u.id = p_usager and o.erased_at is not null
    order by o.id <> p_usager, o.id);
  return next;
end
$$;
revoke execute on function efface(uuid, text) from public;
grant execute on function efface(uuid, text) to traitdunion_operator;
alter function efface(uuid, text) owner to traitdunion_effaceur;
revoke create on schema public from traitdunion_effaceur;
set local role traitdunion_owner;
