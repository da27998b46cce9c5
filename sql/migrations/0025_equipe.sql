-- The team of a structure, run by its référent: invitations, suspension, direction, second factor. Locks habilitation while it is rewritten with a
-- column more, acces while an index is built, journal for the time of a policy.

-- Since when she may act, her coming or her return: inactivity counts from there, and from this migration for who was there before it.
-- `alerte_at`: when she was told of it.
alter table habilitation
  add column ouverte_at timestamptz(3) not null default horloge(),
  add column alerte_at timestamptz(3);
create index acces_activite on acces (structure_id, aidant_id, id desc);

/* True while this aidant directs this structure. */
create function dirige(p_aidant uuid, p_structure uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, public
as $$
  select exists (
    select 1
    from public.habilitation h
    join public.aidant a on a.id = h.aidant_id
    where h.aidant_id = p_aidant and h.structure_id = p_structure and h.referent and h.ended_at is null and a.suspended_at is null
  )
$$;
revoke execute on function dirige(uuid, uuid) from public;
grant execute on function dirige(uuid, uuid) to traitdunion_app;

create table invitation (
  id uuid primary key default gen_random_uuid(),
  structure_id uuid not null,
  invite_par uuid not null,
  genre text not null check (genre in ('arrivee', 'facteur')),
  email text not null check (email = lower(btrim(email)) and length(email) <= 254),
  prenom text not null check (length(prenom) between 1 and 60),
  nom text not null check (length(nom) between 1 and 60),
  aidant_id uuid,
  jeton bytea not null constraint invitation_jeton_unique unique check (length(jeton) = 32),
  sent_at timestamptz(3) not null default horloge(),
  cancelled_at timestamptz(3),
  used_at timestamptz(3),
  used_xid xid8,
  foreign key (invite_par, structure_id) references habilitation (aidant_id, structure_id),
  foreign key (aidant_id, structure_id) references habilitation (aidant_id, structure_id),
  constraint invitation_de_qui check ((aidant_id is not null) = (genre = 'facteur' or used_at is not null)),
  check ((used_at is null) = (used_xid is null)),
  check (used_at is null or cancelled_at is null)
);
create unique index invitation_une_par_adresse on invitation (structure_id, email)
  where genre = 'arrivee' and used_at is null and cancelled_at is null;
create unique index invitation_un_facteur on invitation (aidant_id) where genre = 'facteur' and used_at is null and cancelled_at is null;
comment on table invitation is 'Lien envoyé par un référent pour rejoindre sa structure ou associer un nouveau second facteur : sept jours, une fois ; effacé un mois après';

/* What has served or was cancelled is over. */
create function invitation_finie() returns trigger
language plpgsql
as $$
begin
  if old.used_at is not null or old.cancelled_at is not null then
    raise exception 'invitation % is over', old.id using errcode = 'check_violation', constraint = 'invitation_finie';
  end if;
  return new;
end
$$;
create trigger invitation_finie before update on invitation for each row execute function invitation_finie();
alter table invitation enable always trigger invitation_finie;

/* True while this link leads somewhere: seven days, once, and as long as who sent it directs a structure that is open. */
create function invitation_ouverte(i invitation) returns boolean
language sql stable
as $$
  select i.used_at is null and i.cancelled_at is null and i.sent_at > (select horloge()) - interval '7 days'
    and dirige(i.invite_par, i.structure_id)
    and exists (select 1 from structure s where s.id = i.structure_id and s.suspended_at is null)
$$;

/*
 * Takes up an invitation, for the doorkeeper: who is known by this e-mail keeps her account and her factor, anyone else has an account made, with
 * this factor; a factor sent anew is hers alone. Tells whose. Refused, without saying why, when the link is not open.
 */
create function accepter_invitation(p_jeton bytea, p_secret bytea, p_pas bigint) returns uuid
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  i public.invitation;
  v_aidant uuid;
  v_new boolean;
begin
  select * into i from public.invitation where jeton = p_jeton for update;
  if public.app_who() is distinct from 'portier' or i.id is null or not public.invitation_ouverte(i) then
    raise exception 'this invitation is not open' using errcode = 'check_violation', constraint = 'invitation_fermee';
  end if;
  v_aidant := i.aidant_id;
  v_new := i.genre = 'facteur';
  if i.genre = 'arrivee' then
    insert into public.aidant (email, prenom, nom) values (i.email, i.prenom, i.nom)
    on conflict (email) do nothing
    returning id into v_aidant;
    v_new := found;
    if not v_new then
      select id into v_aidant from public.aidant where email = i.email;
    end if;
    insert into public.habilitation (aidant_id, structure_id) values (v_aidant, i.structure_id) on conflict do nothing;
  end if;
  if v_new <> (p_secret is not null) then
    raise exception 'a factor is set with an account, or when it was asked anew' using errcode = 'check_violation', constraint = 'invitation_facteur';
  end if;
  if v_new then
    insert into public.facteur (aidant_id, genre, secret, dernier_pas) values (v_aidant, 'totp', p_secret, p_pas);
  end if;
  update public.invitation
  set aidant_id = v_aidant, used_at = public.horloge(), used_xid = pg_current_xact_id()
  where id = i.id;
  return v_aidant;
end
$$;
revoke execute on function accepter_invitation(bytea, bytea, bigint) from public;
grant execute on function accepter_invitation(bytea, bytea, bigint) to traitdunion_app;

/* Who joins a structure has her line, written with it. Checked at commit. */
create function arrivee_journalisee() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if not exists (
    select 1 from public.journal
    where structure_id = new.structure_id and cible_aidant_id = new.aidant_id and action = 'aidant_ajoute' and xid = pg_current_xact_id()
  ) then
    raise exception 'an aidant joins with her line' using errcode = 'check_violation', constraint = 'arrivee_journalisee';
  end if;
  return null;
end
$$;
create constraint trigger arrivee_journalisee after update on invitation deferrable initially deferred
  for each row when (new.genre = 'arrivee' and new.used_at is not null) execute function arrivee_journalisee();

-- The line is the act of the référent who invited: the doorkeeper writes it in her name, while her invitation is being taken up.
create policy portier_accueille on journal for insert to traitdunion_app
  with check (app_who() = 'portier' and action = 'aidant_ajoute' and acteur = 'aidant' and exists (
    select 1
    from invitation i
    where i.structure_id = journal.structure_id and i.invite_par = acteur_id and i.aidant_id = cible_aidant_id
      and i.used_xid = pg_current_xact_id()));
create policy portier_relit on journal for select to traitdunion_app
  using (app_who() = 'portier' and action = 'aidant_ajoute' and xid = pg_current_xact_id());

alter table invitation enable row level security;
create policy referent on invitation to traitdunion_app
  using (app_who() = 'referent' and structure_id = (select app_structure()) and (select est_referent()))
  with check (app_who() = 'referent' and structure_id = app_structure() and invite_par = app_aidant() and (select est_referent()));
create policy portier_lit on invitation for select to traitdunion_app using (app_who() = 'portier');
create policy service_lit on invitation for select to traitdunion_app using (app_who() = 'worker');
create policy service_purge on invitation for delete to traitdunion_app
  using (app_who() = 'worker' and sent_at < (select horloge()) - interval '37 days');
grant select, insert (structure_id, invite_par, genre, email, prenom, nom, aidant_id, jeton), update (jeton, invite_par, sent_at, cancelled_at), delete
  on invitation to traitdunion_app;

/*
 * The last sign of this aidant in this structure, for its référent and the service: a session, a dossier looked at, a line. What she does in
 * another structure is not told.
 */
create function derniere_activite(p_aidant uuid, p_structure uuid) returns timestamptz
language sql stable security definer set search_path = pg_catalog, public
as $$
  select greatest(
    (select at from public.acces where structure_id = p_structure and aidant_id = p_aidant order by id desc limit 1),
    (select max(last_seen_at) from public.session where structure_id = p_structure and aidant_id = p_aidant),
    (select at from public.journal
      where structure_id = p_structure and acteur_id = p_aidant and acteur = 'aidant' and action <> 'aidant_ajoute'
      order by id desc limit 1))
  where public.app_who() = 'worker'
    or (public.app_who() = 'referent' and p_structure = public.app_structure() and public.est_referent())
$$;
revoke execute on function derniere_activite(uuid, uuid) from public;
grant execute on function derniere_activite(uuid, uuid) to traitdunion_app;

/*
 * Holds what someone does and may do in a structure until the commit, and its team: in the order that acts take them, her drafts, her
 * habilitation, the structure. What is read in a later statement stays true.
 */
create function tient_l_equipe(p_aidant uuid, p_structure uuid) returns void
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if (public.app_who() = 'worker' or public.app_who() = 'referent' and p_structure = public.app_structure()) is not true then
    raise exception 'only a référent of the structure changes its team' using errcode = 'insufficient_privilege', constraint = 'equipe_du_referent';
  end if;
  perform 1 from public.brouillon where aidant_id = p_aidant and structure_id = p_structure for update;
  perform 1 from public.habilitation where aidant_id = p_aidant and structure_id = p_structure for update;
  perform 1 from public.structure where id = p_structure for no key update;
end
$$;
revoke execute on function tient_l_equipe(uuid, uuid) from public;
grant execute on function tient_l_equipe(uuid, uuid) to traitdunion_app;

/*
 * Suspends an aidant in a structure, brings her back, names her référent or no longer: by its référent, or by the service for who is no
 * longer there; with its line, written before; and a structure that has a référent keeps one. Suspended, she loses what she had open there: her
 * sessions, her drafts and their round trips. Back, she is an aidant: she directs when she is named again.
 */
create function changer_habilitation(p_aidant uuid, p_structure uuid, p_geste text) returns void
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  h public.habilitation;
begin
  perform public.tient_l_equipe(p_aidant, p_structure);
  select * into h from public.habilitation where aidant_id = p_aidant and structure_id = p_structure;
  if (public.app_who() = 'referent' and p_structure = public.app_structure() and public.dirige(public.app_aidant(), p_structure)
    or public.app_who() = 'worker' and p_geste = 'suspendre') is not true
  then
    raise exception 'only a référent of the structure changes its team' using errcode = 'insufficient_privilege', constraint = 'equipe_du_referent';
  end if;
  if h.aidant_id is null or (case p_geste
    when 'suspendre' then h.ended_at is null
    when 'retablir' then h.ended_at is not null
    when 'designer' then h.ended_at is null and not h.referent
    when 'retirer' then h.ended_at is null and h.referent
  end) is not true then
    raise exception 'nothing to change' using errcode = 'check_violation', constraint = 'equipe_inchangee';
  end if;
  if p_geste in ('suspendre', 'retirer') and h.referent and not exists (
    select 1 from public.habilitation o where o.structure_id = p_structure and o.aidant_id <> p_aidant and public.dirige(o.aidant_id, p_structure))
  then
    raise exception 'a structure keeps a référent' using errcode = 'check_violation', constraint = 'equipe_dernier_referent';
  end if;
  if not exists (
    select 1
    from public.journal j
    where j.structure_id = p_structure and j.cible_aidant_id = p_aidant and j.xid = pg_current_xact_id()
      and j.action = case p_geste when 'suspendre' then 'aidant_suspendu' when 'retablir' then 'aidant_retabli' else 'structure_modifiee' end)
  then
    raise exception 'a team changes with its line' using errcode = 'check_violation', constraint = 'equipe_journalisee';
  end if;
  update public.habilitation
  set referent = p_geste = 'designer',
    ended_at = case when p_geste = 'suspendre' then public.horloge() end,
    ouverte_at = case when p_geste = 'retablir' then public.horloge() else ouverte_at end
  where aidant_id = p_aidant and structure_id = p_structure;
  if p_geste = 'suspendre' then
    delete from public.brouillon where aidant_id = p_aidant and structure_id = p_structure;
    update public.session set ended_at = public.horloge()
    where aidant_id = p_aidant and structure_id = p_structure and ended_at is null;
  end if;
end
$$;
revoke execute on function changer_habilitation(uuid, uuid, text) from public;
grant execute on function changer_habilitation(uuid, uuid, text) to traitdunion_app;

/* Says that she was told of her inactivity; once for each absence. */
create function alerter_inactivite(p_aidant uuid, p_structure uuid) returns boolean
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  update public.habilitation
  set alerte_at = public.horloge()
  where aidant_id = p_aidant and structure_id = p_structure and ended_at is null and public.app_who() = 'worker'
    and (alerte_at is null or alerte_at < greatest(ouverte_at, public.derniere_activite(aidant_id, structure_id)));
  return found;
end
$$;
revoke execute on function alerter_inactivite(uuid, uuid) from public;
grant execute on function alerter_inactivite(uuid, uuid) to traitdunion_app;

/* Takes away the second factor of an aidant who acts for the calling référent's structure, with its line: her sessions end, everywhere, and her link begun before. */
create function retirer_facteur(p_aidant uuid) returns void
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if (public.app_who() = 'referent' and p_aidant <> public.app_aidant() and public.dirige(public.app_aidant(), public.app_structure())
    and exists (
      select 1 from public.habilitation where aidant_id = p_aidant and structure_id = public.app_structure() and ended_at is null)) is not true
  then
    raise exception 'only a référent of the structure resets a factor' using errcode = 'insufficient_privilege', constraint = 'equipe_du_referent';
  end if;
  if not exists (
    select 1
    from public.journal j
    where j.structure_id = public.app_structure() and j.cible_aidant_id = p_aidant and j.xid = pg_current_xact_id() and j.action = 'structure_modifiee')
  then
    raise exception 'a team changes with its line' using errcode = 'check_violation', constraint = 'equipe_journalisee';
  end if;
  update public.facteur set removed_at = public.horloge() where aidant_id = p_aidant and removed_at is null;
  update public.session set ended_at = public.horloge() where aidant_id = p_aidant and ended_at is null;
  update public.code_connexion set used_at = public.horloge() where aidant_id = p_aidant and used_at is null;
  update public.invitation set cancelled_at = public.horloge()
  where aidant_id = p_aidant and genre = 'facteur' and used_at is null and cancelled_at is null;
end
$$;
revoke execute on function retirer_facteur(uuid) from public;
grant execute on function retirer_facteur(uuid) to traitdunion_app;

/*
 * True while this aidant may act for this structure. Asked by what is written in her name, it holds her habilitation until the commit: a
 * suspension comes before the act, or after it.
 */
create or replace function aidant_actif(p_aidant uuid, p_structure uuid) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, public
as $$
begin
  perform 1
  from public.habilitation h
  join public.aidant a on a.id = h.aidant_id
  join public.structure s on s.id = h.structure_id
  where h.aidant_id = p_aidant and h.structure_id = p_structure
    and h.ended_at is null and a.suspended_at is null and s.suspended_at is null
  for share of h;
  return found;
end
$$;
