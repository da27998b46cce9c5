-- What is kept, and for how long: a dossier closed to its structure after two years, a person erased after six. Locks usager and dossier while a
-- check and an index are made of them (they are read once); mandat, the contents and a few others for the time of a policy or a trigger.

alter table usager
  add column erased_at timestamptz(3),
  alter column sub drop not null,
  alter column prenoms drop not null,
  alter column nom_naissance drop not null,
  alter column birthdate drop not null,
  add constraint usager_entier_ou_efface check (case
    when erased_at is null then num_nulls(sub, prenoms, nom_naissance, birthdate) = 0
    else num_nonnulls(sub, prenoms, nom_naissance, nom_usage, birthdate, birthplace, birthcountry, email, telephone, contact_lecteur) = 0
  end);

alter table dossier add column archived_at timestamptz(3);

-- Indexed again when its name changes, not when it is closed; of who is erased there is nothing left to index.
create or replace function dossier_indexe() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  u public.usager;
begin
  select * into u from public.usager where id = new.usager_id;
  new.tri := array_to_string(public.mots_ordonnes(coalesce(u.nom_usage, u.nom_naissance) || ' ' || array_to_string(u.prenoms, ' ')), ' ');
  new.naissance := coalesce(u.birthdate, '');
  return new;
end
$$;
create or replace trigger dossier_indexe before insert or update of tri on dossier for each row execute function dossier_indexe();
create or replace trigger dossier_mots_indexe after insert or update of tri on dossier for each row execute function dossier_mots_indexe();

/* When the last mandat of a person is over, or will be: with this structure, or with any (null). Null when she has none. */
create function derniere_fin(p_structure uuid, p_usager uuid) returns timestamptz
language sql stable
return (
  select max(coalesce(m.ended_at, m.expires_at))
  from public.mandat m
  where m.usager_id = p_usager and (p_structure is null or m.structure_id = p_structure)
);

-- The archive, two years after the last mandat of a person with a structure (`archived_at`, by applique_les_termes below)

/* As before; and who comes back opens her dossier again. */
create or replace function reconnaitre_usager(
  p_sub text, p_prenoms text[], p_nom_naissance text, p_nom_usage text, p_birthdate text, p_birthplace text, p_birthcountry text
) returns uuid
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_id uuid;
begin
  if public.app_who() <> 'aidant' or public.app_structure() is null then
    raise exception 'only an aidant opens a dossier' using errcode = 'insufficient_privilege';
  end if;
  insert into public.usager (sub, prenoms, nom_naissance, nom_usage, birthdate, birthplace, birthcountry)
  values (p_sub, p_prenoms, p_nom_naissance, p_nom_usage, p_birthdate, p_birthplace, p_birthcountry)
  on conflict (sub) do nothing;
  -- The person before her dossiers, here as when her identity is refreshed (which re-indexes them all): two structures never wait for each other.
  select id into v_id from public.usager where sub = p_sub for no key update;
  insert into public.dossier (structure_id, usager_id) values (public.app_structure(), v_id) on conflict do nothing;
  -- No key: a line about her, written by who holds her mandat, must not wait for us while we wait for that mandat.
  perform 1 from public.dossier where structure_id = public.app_structure() and usager_id = v_id for no key update;
  update public.dossier set archived_at = null where structure_id = public.app_structure() and usager_id = v_id and archived_at is not null;
  return v_id;
end
$$;

-- What hangs on it: her name (usager, through dossier), her mandats, the words.
create policy en_archive on dossier as restrictive for select to traitdunion_app
  using (app_who() not in ('aidant', 'referent') or archived_at is null);
create policy en_archive on mandat as restrictive for select to traitdunion_app
  using (app_who() not in ('aidant', 'referent')
    or exists (select 1 from dossier d where d.structure_id = mandat.structure_id and d.usager_id = mandat.usager_id));
create policy en_archive on mandat_contenu as restrictive for select to traitdunion_app
  using (app_who() not in ('aidant', 'referent')
    or exists (select 1 from dossier d where d.structure_id = mandat_contenu.structure_id and d.usager_id = mandat_contenu.usager_id));
create policy en_archive on demarche_contenu as restrictive for select to traitdunion_app
  using (app_who() not in ('aidant', 'referent')
    or exists (select 1 from dossier d where d.structure_id = demarche_contenu.structure_id and d.usager_id = demarche_contenu.usager_id));
create policy en_archive on journal_contenu as restrictive for select to traitdunion_app
  using (app_who() not in ('aidant', 'referent') or usager_id is null
    or exists (select 1 from dossier d where d.structure_id = journal_contenu.structure_id and d.usager_id = journal_contenu.usager_id));

-- Erasure: one function, of a role that signs in nowhere, and that alone may empty contents

create or replace trigger insertion_seule before update or delete on journal_contenu
  for each row when (current_user <> 'traitdunion_effaceur') execute function refuse_modification();
create or replace trigger insertion_seule before update or delete on mandat_contenu
  for each row when (current_user <> 'traitdunion_effaceur') execute function refuse_modification();
create or replace trigger insertion_seule before update or delete on demarche_contenu
  for each row when (current_user <> 'traitdunion_effaceur') execute function refuse_modification();
alter table journal_contenu enable always trigger insertion_seule;
alter table mandat_contenu enable always trigger insertion_seule;
alter table demarche_contenu enable always trigger insertion_seule;

-- Its whole power, in columns. Nothing on journal but to add its own line.
grant select, update (sub, prenoms, nom_naissance, nom_usage, birthdate, birthplace, birthcountry, email, telephone, suivi, email_prouve_at,
  telephone_prouve_at, contact_lecteur, erased_at) on usager to traitdunion_effaceur;
grant select, update (archived_at) on dossier to traitdunion_effaceur;
grant select on mandat, code_preuve to traitdunion_effaceur;
grant select, insert on journal to traitdunion_effaceur;
grant select, insert, update (payload, salt) on journal_contenu to traitdunion_effaceur;
grant select, delete on mandat_contenu, demarche_contenu, code_verification, session, acces, message, brouillon, telephone, papier_du
  to traitdunion_effaceur;
grant select, update (replaced_at), delete on code_prive to traitdunion_effaceur;
grant execute on function horloge() to traitdunion_effaceur;
do $$
declare
  v_table text;
begin
  foreach v_table in array array['usager', 'dossier', 'mandat', 'code_preuve', 'journal_contenu', 'mandat_contenu', 'demarche_contenu',
    'code_verification', 'session', 'acces', 'message', 'brouillon', 'telephone', 'papier_du', 'code_prive']
  loop
    execute format('create policy effaceur on %I to traitdunion_effaceur using (true) with check (true)', v_table);
  end loop;
end
$$;
create policy effaceur on journal to traitdunion_effaceur using (true) with check (action = 'donnees_effacees');

/*
 * Erases all that can name a person, in every structure, and writes the one line that says so. `p_motif`: 'conservation' when six years have passed
 * since the end of her last mandat; else what the DPO decided ('demande', 'decision', 'erreur'). One row: why not (`refus`) and, when it is for its
 * term, until when (`le`); or when she was erased, under which line, and how many of each thing. Twice: the first time is told, nothing is done.
 * Bare ids, dates and thématiques stay, and the line of each fact.
 */
create function efface(p_usager uuid, p_motif text)
returns table (refus text, le timestamptz, ligne bigint, lignes int, mandats int, demarches int, acces int, messages int)
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_now timestamptz;
  v_sub text;
  v_salt bytea := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
  v_payload text;
begin
  if p_motif is null or p_motif not in ('conservation', 'demande', 'decision', 'erreur') then
    raise exception 'no such reason' using errcode = 'invalid_parameter_value';
  end if;
  -- Who signs or enters holds her row, who writes a line about her shares her dossier: they come before, or find her erased.
  select u.erased_at, u.sub into le, v_sub from public.usager u where u.id = p_usager for no key update;
  if not found then
    refus := 'personne_inconnue';
    return next;
    return;
  elsif le is not null then
    select j.id into ligne from public.journal j where j.usager_id = p_usager and j.action = 'donnees_effacees';
    return next;
    return;
  end if;
  perform 1 from public.dossier d where d.usager_id = p_usager order by d.structure_id for update;
  v_now := public.horloge();
  if exists (select 1 from public.mandat m where m.usager_id = p_usager and m.ended_at is null and m.expires_at > v_now) then
    refus := 'mandat_en_cours';
  else
    select coalesce(public.derniere_fin(null, p_usager), u.created_at) + interval '6 years' into le from public.usager u where u.id = p_usager;
    if p_motif = 'conservation' and le > v_now then
      refus := 'conservation';
    end if;
  end if;
  if refus is not null then
    return next;
    return;
  end if;
  le := v_now;

  -- What is told of a mandat, of a printed sheet or of a code has its id second in its key.
  delete from public.message q
  where split_part(q.cle, ':', 2) in (
    select m.id::text from public.mandat m where m.usager_id = p_usager
    union all
    select j.id::text from public.journal j where j.usager_id = p_usager and j.action = 'attestation_imprimee'
    union all
    select c.id::text from public.code_preuve c join public.session s on s.id = c.session_id where s.usager_id = p_usager);
  get diagnostics messages = row_count;
  -- A space that is being opened with her code is waited for, then closed.
  perform 1 from public.code_prive c where c.usager_id = p_usager for update;
  delete from public.session s where s.usager_id = p_usager;
  delete from public.code_prive c where c.usager_id = p_usager;
  delete from public.telephone t where t.identite ->> 'sub' = v_sub;
  delete from public.brouillon b where b.usager_id = p_usager or b.identite ->> 'sub' = v_sub;
  delete from public.papier_du p where p.usager_id = p_usager;
  delete from public.acces a where a.usager_id = p_usager;
  get diagnostics acces = row_count;
  delete from public.code_verification v using public.mandat m where m.id = v.mandat_id and m.usager_id = p_usager;
  delete from public.demarche_contenu c where c.usager_id = p_usager;
  get diagnostics demarches = row_count;
  delete from public.mandat_contenu c where c.usager_id = p_usager;
  get diagnostics mandats = row_count;
  update public.journal_contenu c set payload = null, salt = null where c.usager_id = p_usager and c.payload is not null;
  get diagnostics lignes = row_count;

  -- RFC 8785, as `jcs` writes it: sorted keys, no space.
  v_payload := format('{"demarches":%s,"lignes":%s,"mandats":%s,"motif":"%s"}', demarches, lignes, mandats, p_motif);
  insert into public.journal (action, acteur, usager_id, commitment)
  values ('donnees_effacees', case when public.app_who() = 'worker' then 'systeme' else 'operateur' end, p_usager,
    sha256(v_salt || convert_to(v_payload, 'UTF8')))
  returning id into ligne;
  insert into public.journal_contenu (journal_id, usager_id, payload, salt) values (ligne, p_usager, v_payload, v_salt);
  update public.usager u
  set sub = null, prenoms = null, nom_naissance = null, nom_usage = null, birthdate = null, birthplace = null, birthcountry = null, email = null,
    telephone = null, suivi = 'papier', email_prouve_at = null, telephone_prouve_at = null, contact_lecteur = null, erased_at = le
  where u.id = p_usager;
  update public.dossier d set archived_at = le where d.usager_id = p_usager and d.archived_at is null;
  return next;
end
$$;

/*
 * Applies the terms to the `p_combien` persons after this one, by their ids: closes to its structure the dossier whose last mandat has been over for
 * two years, erases her whose last one has been for six. `dernier`: where the next call begins; null when there is nobody more. Whoever calls
 * chooses nobody, and hastens nothing: the database's clock does. Twice at once, each thing is done once.
 */
create function applique_les_termes(p_apres uuid, p_combien int) returns table (dernier uuid, archives int, effaces int)
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_now timestamptz := public.horloge();
  v_usagers uuid[];
  d record;
begin
  select array_agg(u.id order by u.id) into v_usagers
  from (select id from public.usager where id > p_apres and erased_at is null order by id limit p_combien) u;
  dernier := v_usagers[p_combien];
  archives := 0;
  effaces := 0;
  for d in
    select o.structure_id, o.usager_id
    from public.dossier o
    where o.usager_id = any (v_usagers) and o.archived_at is null
      and coalesce(public.derniere_fin(o.structure_id, o.usager_id), o.created_at) + interval '2 years' <= v_now
    for no key update skip locked
  loop
    -- Asked again now that it is held: she may have signed meanwhile.
    update public.dossier o
    set archived_at = v_now
    where o.structure_id = d.structure_id and o.usager_id = d.usager_id
      and coalesce(public.derniere_fin(o.structure_id, o.usager_id), o.created_at) + interval '2 years' <= v_now;
    archives := archives + found::int;
  end loop;
  for d in
    select u.id
    from public.usager u
    where u.id = any (v_usagers) and coalesce(public.derniere_fin(null, u.id), u.created_at) + interval '6 years' <= v_now
    for no key update skip locked
  loop
    effaces := effaces + (select count(e.lignes) from public.efface(d.id, 'conservation') e)::int;
  end loop;
  return next;
end
$$;
revoke execute on function efface(uuid, text), applique_les_termes(uuid, int) from public;
grant execute on function efface(uuid, text) to traitdunion_operator;
grant execute on function applique_les_termes(uuid, int) to traitdunion_app;
-- Given to its role by whoever migrates: the owner of the tables is no member of it.
set local role none;
grant create on schema public to traitdunion_effaceur;
alter function efface(uuid, text) owner to traitdunion_effaceur;
alter function applique_les_termes(uuid, int) owner to traitdunion_effaceur;
revoke create on schema public from traitdunion_effaceur;
set local role traitdunion_owner;

/* Who a person is never changes without its line, nor disappears without the one that says so. Checked at commit. */
create or replace function identite_journalisee() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if not exists (
    select 1 from public.journal
    where usager_id = new.id and action = case when new.erased_at is null then 'identite_modifiee' else 'donnees_effacees' end
      and xid = pg_current_xact_id()
  ) then
    raise exception 'identity changes with its line' using errcode = 'check_violation', constraint = 'identite_journalisee';
  end if;
  return null;
end
$$;
create or replace function contact_journalise() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if not exists (
    select 1 from public.journal
    where usager_id = new.id and action = case when new.erased_at is null then 'contact_modifie' else 'donnees_effacees' end
      and xid = pg_current_xact_id()
  ) then
    raise exception 'contacts change with their line' using errcode = 'check_violation', constraint = 'contact_journalise';
  end if;
  return null;
end
$$;

/* A content belongs to its line: same person, same structure, and its commitment. Of who is erased nothing more is written. */
create or replace function journal_contenu_engage() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if not exists (
    select 1
    from public.journal j
    where j.id = new.journal_id and j.commitment = sha256(new.salt || convert_to(new.payload, 'UTF8'))
      and j.structure_id is not distinct from new.structure_id and j.usager_id is not distinct from new.usager_id
  ) then
    raise exception 'content does not match line %', new.journal_id using errcode = 'check_violation', constraint = 'journal_contenu_engage';
  end if;
  if exists (select 1 from public.usager u where u.id = new.usager_id and u.erased_at is not null) then
    raise exception 'the person of line % is erased', new.journal_id using errcode = 'check_violation', constraint = 'personne_effacee';
  end if;
  return null;
end
$$;

-- An erased mandat gets no code again.
create or replace function mandats_sans_code() returns setof uuid
language sql stable security definer set search_path = pg_catalog, public
as $$
  select c.mandat_id
  from public.mandat_contenu c
  where public.app_who() = 'worker' and not exists (select 1 from public.code_verification v where v.mandat_id = c.mandat_id)
$$;

-- The audit sees whether the words of a fact are still there, never the words.
create policy auditeur on mandat_contenu for select to traitdunion_auditor using (true);
create policy auditeur on demarche_contenu for select to traitdunion_auditor using (true);
grant select (mandat_id) on mandat_contenu to traitdunion_auditor;
grant select (demarche_id) on demarche_contenu to traitdunion_auditor;
