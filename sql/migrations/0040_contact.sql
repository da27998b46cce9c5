-- How a person is told changes without a mandat: by herself, or by an aidant who is with her. Locks usager for the time of a trigger.

create table changement_contact (
  id uuid primary key,
  usager_id uuid not null references usager,
  aidant_id uuid,
  structure_id uuid,
  suivi text not null check (suivi in ('email', 'sms')),
  contact text not null check (length(contact) <= 254),
  partage boolean not null,
  code bytea not null check (length(code) = 32),
  essais int not null default 0 check (essais between 0 and 3),
  message_cle text not null constraint changement_contact_sa_cle check (starts_with(message_cle, 'connexion:contact:')),
  created_at timestamptz(3) not null default horloge(),
  foreign key (structure_id, usager_id) references dossier,
  foreign key (aidant_id, structure_id) references habilitation (aidant_id, structure_id),
  constraint changement_contact_par_qui check ((aidant_id is null) = (structure_id is null)),
  constraint changement_contact_un_a_la_fois unique nulls not distinct (usager_id, aidant_id, structure_id)
);
comment on table changement_contact is 'Contact qui attend le code envoyé là-bas : dix minutes, trois essais, un à la fois pour la personne, et pour chaque aidant dans chaque structure ; effacé dès qu’il a servi';
create trigger message_du_code_efface after delete on changement_contact for each row execute function message_du_code_efface();
alter table changement_contact enable always trigger message_du_code_efface;

/*
 * Who changes how this person is told: she, whom FranceConnect identified, or an aidant who reads her dossier while something of a mandat is in force
 * (all paused, she has told them to wait), and there is a former contact to tell: of one told on paper, nobody would know.
 */
create function peut_changer_contact(p_usager uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, public
as $$
  select coalesce(case public.app_who()
    when 'usager' then public.app_niveau() = 'identite' and p_usager = any (public.app_usagers())
    when 'aidant' then public.lit_comme_aidant(public.app_structure(), p_usager)
      and exists (
        select 1
        from public.autorisation_etat a
        where a.structure_id = public.app_structure() and a.usager_id = p_usager and a.etat = 'actif')
      and exists (
        select 1
        from public.usager u
        where u.id = p_usager and ((u.email is not null and u.email_prouve_at is not null) or (u.telephone is not null and u.telephone_prouve_at is not null)))
  end, false)
$$;

alter table changement_contact enable row level security;
create policy le_sien on changement_contact to traitdunion_app
  using (app_who() in ('usager', 'aidant') and aidant_id is not distinct from (select app_aidant())
    and structure_id is not distinct from (select app_structure()) and peut_changer_contact(usager_id))
  with check (app_who() in ('usager', 'aidant') and aidant_id is not distinct from app_aidant()
    and structure_id is not distinct from app_structure() and peut_changer_contact(usager_id));
create policy service on changement_contact to traitdunion_app using (app_who() = 'worker');
grant select, insert, update (essais), delete on changement_contact to traitdunion_app;

/*
 * The contact that waited (`p_changement`, whose code the caller has just checked), or paper alone without one, takes the place of all that this
 * person had, under each identity of hers that the caller reads; tells what that was. No row when it waits no more, or when others read it and
 * nobody says who.
 */
create function changer_contact(p_usager uuid, p_changement uuid, p_lecteur text)
returns table (usager_id uuid, suivi text, email text, telephone text)
language plpgsql security definer set search_path = pg_catalog, public
as $$
declare
  v_ids uuid[];
  v_apres public.changement_contact;
begin
  if not public.peut_changer_contact(p_usager)
    or (public.app_who() = 'aidant' and not public.aidant_actif(public.app_aidant(), public.app_structure())) then
    raise exception 'not hers to change' using errcode = 'insufficient_privilege';
  end if;
  select array_agg(held.id) into v_ids
  from (
    select u.id
    from public.usager u
    where u.id in (select public.identites_de(p_usager)) and u.erased_at is null
      and (public.app_who() = 'usager'
        or exists (select 1 from public.dossier d where d.usager_id = u.id and d.structure_id = public.app_structure()))
    order by u.id
    for no key update) held;
  select * into v_apres
  from public.changement_contact c
  where c.id = p_changement and c.usager_id = p_usager and c.aidant_id is not distinct from public.app_aidant()
    and c.structure_id is not distinct from public.app_structure() and c.essais < 3
    and c.created_at > public.horloge() - interval '10 minutes' and (p_lecteur is not null or not c.partage);
  if p_changement is not null and v_apres.id is null then
    return;
  end if;
  return query select u.id, u.suivi, u.email, u.telephone from public.usager u where u.id = any (v_ids) order by u.id;
  -- What waits for the morning goes where she is told now; the same words by the same way.
  update public.message q
  set destinataire = v_apres.contact
  from public.usager u
  where u.id = any (v_ids) and q.sent_at is null and q.failed_at is null and q.canal = v_apres.suivi
    and q.destinataire = case q.canal when 'sms' then u.telephone else u.email end and not starts_with(q.cle, 'contact:')
    and split_part(q.cle, ':', 2) in (select m.id::text from public.mandat m where m.usager_id = any (v_ids));
  update public.usager u
  set suivi = coalesce(v_apres.suivi, 'papier'),
    email = case v_apres.suivi when 'email' then v_apres.contact end,
    telephone = case v_apres.suivi when 'sms' then v_apres.contact end,
    email_prouve_at = case v_apres.suivi when 'email' then public.horloge() end,
    telephone_prouve_at = case v_apres.suivi when 'sms' then public.horloge() end,
    contact_lecteur = case when v_apres.partage then p_lecteur end
  where u.id = any (v_ids);
  -- Of hers or of an aidant: what another had begun is not added to this.
  delete from public.changement_contact c where c.usager_id = any (v_ids);
end
$$;

/*
 * What was sent to a contact proves nothing once it is replaced, under any of her identities, nor once they are apart: neither the code that stops,
 * nor the space that it had opened to that. Erased, nothing of hers waits either.
 */
create function contact_remplace() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  with codes as (
    update public.code_preuve p
    set used_at = greatest(p.created_at, public.horloge())
    from public.session s
    where s.id = p.session_id and s.usager_id in (select u.id from public.usager u where u.personne_id in (old.personne_id, new.personne_id))
      and p.used_at is null
    returning p.id
  )
  delete from public.message q using codes where q.cle = 'connexion:' || codes.id || ':preuve';
  -- A code that comes back at this very moment is waited for by the statement above: what it opened is seen by this one.
  update public.session set niveau = 'code_prive', prouve_at = null
  where usager_id in (select u.id from public.usager u where u.personne_id in (old.personne_id, new.personne_id)) and niveau = 'contact_prouve';
  if new.erased_at is not null then
    delete from public.changement_contact where usager_id = new.id;
  end if;
  return null;
end
$$;
create trigger contact_remplace after update of email, telephone, erased_at, personne_id on usager for each row
  when ((old.email, old.telephone, old.erased_at, old.personne_id) is distinct from (new.email, new.telephone, new.erased_at, new.personne_id))
  execute function contact_remplace();

/*
 * Is this contact already that of three other persons, in whichever structures, or, asked by the person, of one whom the same aidant helps? Nothing
 * more is told of them.
 */
create or replace function contact_partage(p_contact text, p_sub text) returns boolean
language sql stable security definer set search_path = pg_catalog, public
as $$
  with autres as (
    select u.id
    from public.usager u
    where (public.app_who() = 'aidant' or (public.app_who() = 'usager' and public.app_niveau() = 'identite'))
      and u.id not in (select public.identites_de(elle.id) from public.usager elle where elle.sub = p_sub)
      and (public.boite(u.email) = public.boite(p_contact) or u.telephone = p_contact)
  )
  select (select count(*) >= 3 from (select from autres limit 3) a)
    or (public.app_who() = 'usager' and exists (
      select 1
      from autres a
      join public.mandat autre on autre.usager_id = a.id
      join public.mandat sien on sien.aidant_id = autre.aidant_id and sien.structure_id = autre.structure_id
      where sien.usager_id = any (public.app_usagers())))
$$;

revoke execute on function peut_changer_contact(uuid), changer_contact(uuid, uuid, text), contact_remplace() from public;
grant execute on function peut_changer_contact(uuid), changer_contact(uuid, uuid, text) to traitdunion_app;
