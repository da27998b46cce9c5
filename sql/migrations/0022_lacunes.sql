-- What was known to be missing of papers, verification, ends and renewal. Locks message while a check reads its rows (thirty days of them at most),
-- acces and papier_du while theirs are read once for another check, usager while an index is built on its e-mails.

-- Where an e-mail to an aidant leads, behind her sign-in; never an SMS, never anything but the page of a mandat.
alter table message
  add column chemin text constraint message_chemin_d_un_courriel
    check (chemin is null or (canal = 'email' and chemin ~ '^/mandats/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(/arret)?$'));

/*
 * Wrong years of birth tried with a private code, in all: there are a hundred of them, and whoever found the sheet has time. The fifteenth kills
 * the code, for good: another sheet is printed.
 */
create table code_prive_essai (
  code_prive_id uuid primary key references code_prive on delete cascade,
  faux int not null check (faux between 1 and 15),
  bloque_at timestamptz(3),
  dit_at timestamptz(3),
  constraint code_prive_essai_bloque check ((faux = 15) = (bloque_at is not null)),
  constraint code_prive_essai_dit check (dit_at is null or bloque_at is not null)
);
create index code_prive_essai_a_dire on code_prive_essai (bloque_at) where bloque_at is not null and dit_at is null;
comment on table code_prive_essai is 'Années de naissance fausses essayées avec un code privé, en tout ; à quinze il ne sert plus, et cela se dit';

alter table acces
  drop constraint acces_genre_check,
  add constraint acces_genre_check check (genre in ('connexion', 'deconnexion', 'changement_structure', 'dossier_consulte', 'demarche_consultee',
    'mandat_consulte', 'espace_ouvert_par_code', 'code_prive_remplace', 'code_prive_annule', 'code_prive_bloque')),
  drop constraint acces_d_elle_meme,
  add constraint acces_d_elle_meme check (genre not in ('espace_ouvert_par_code', 'code_prive_remplace', 'code_prive_annule', 'code_prive_bloque')
    or (usager_id is not null and aidant_id is null and structure_id is null));
alter table papier_du
  drop constraint papier_du_quoi_check,
  add constraint papier_du_quoi_check check (quoi in ('signe', 'arret', 'pause', 'reprise', 'code'));

/*
 * Whose space this code opens, for whoever also knows her year of birth: its id and hers, and nothing when anything is wrong. The code is held
 * until the session is open: replaced meanwhile, it would close the others and miss this one. `p_compte`: a wrong year counts; not one that
 * would have been refused if it were right, which tells nothing to whoever tries.
 */
drop function ouvre_par_code(bytea, text);
create function ouvre_par_code(p_empreinte bytea, p_annee text, p_compte boolean) returns table (code_id uuid, usager_id uuid)
language plpgsql volatile security definer set search_path = pg_catalog, public
as $$
declare
  v_code public.code_prive;
  v_faux int;
begin
  if public.app_who() is distinct from 'portier' then
    return;
  end if;
  select * into v_code from public.code_prive c where c.empreinte = p_empreinte and c.replaced_at is null;
  if exists (select 1 from public.usager u where u.id = v_code.usager_id and left(u.birthdate, 4) = p_annee) then
    return query select c.id, c.usager_id from public.code_prive c where c.id = v_code.id and c.replaced_at is null for share of c;
  elsif v_code.id is not null and p_compte then
    insert into public.code_prive_essai as e (code_prive_id, faux)
    values (v_code.id, 1)
    on conflict (code_prive_id) do update
    set faux = e.faux + 1, bloque_at = case when e.faux + 1 = 15 then public.horloge() end
    where e.faux < 15
    returning faux into v_faux;
    if v_faux = 15 then
      update public.code_prive c set replaced_at = greatest(c.created_at, public.horloge()) where c.id = v_code.id and c.replaced_at is null;
      insert into public.acces (genre, usager_id) values ('code_prive_bloque', v_code.usager_id);
      insert into public.papier_du (mandat_id, structure_id, usager_id, quoi)
      select v_code.mandat_id, v_code.structure_id, u.id, 'code'
      from public.usager u
      where u.id = v_code.usager_id and v_code.mandat_id is not null and (u.suivi = 'papier' or u.contact_lecteur is not null)
      on conflict (mandat_id, quoi) where remis_at is null do nothing;
    end if;
  end if;
end
$$;
revoke execute on function ouvre_par_code(bytea, text, boolean) from public;
grant execute on function ouvre_par_code(bytea, text, boolean) to traitdunion_app;

-- Told by the service, afterwards: whose code it was, and by which mandat it was printed.
alter table code_prive_essai enable row level security;
create policy service on code_prive_essai to traitdunion_app using (app_who() = 'worker') with check (app_who() = 'worker');
create policy service_lit on code_prive for select to traitdunion_app using (app_who() = 'worker');
grant select, update (dit_at) on code_prive_essai to traitdunion_app;
grant select (mandat_id) on code_prive to traitdunion_app;

/*
 * One mailbox, however its address is written: in small letters, and without what follows a « + » (RFC 5233), which the same person reads. Nothing
 * more is taken for the same: dots count, but where one provider says that they do not.
 */
create function boite(p_email text) returns text
language sql immutable strict parallel safe
return regexp_replace(lower(btrim(p_email)), '^([^+@]+)\+[^@]*@', '\1@');
drop index usager_email;
create index usager_boite on usager (boite(email)) where email is not null;

create or replace function contact_partage(p_contact text, p_sub text) returns boolean
language sql stable security definer set search_path = pg_catalog, public
as $$
  select public.app_who() = 'aidant' and (
    select count(*) >= 3
    from (
      select 1 from public.usager u where u.sub <> p_sub and (public.boite(u.email) = public.boite(p_contact) or u.telephone = p_contact) limit 3
    ) others)
$$;

/* No mandat of someone whose death this structure has recorded. What another structure recorded is not looked at. */
create function mandat_apres_deces() returns trigger
language plpgsql security definer set search_path = pg_catalog, public
as $$
begin
  if exists (
    select 1 from public.mandat where structure_id = new.structure_id and usager_id = new.usager_id and ended_how = 'deces'
  ) then
    raise exception 'a mandat after a death' using errcode = 'check_violation', constraint = 'mandat_apres_deces';
  end if;
  return new;
end
$$;
create trigger mandat_apres_deces before insert on mandat for each row execute function mandat_apres_deces();
alter table mandat enable always trigger mandat_apres_deces;
