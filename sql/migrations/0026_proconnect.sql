-- ProConnect: an aidant's account there, her session opened by it, her round trips (sign-in, and the signature of a draft). Locks aidant,
-- session and connexion for the time of their constraints (a few rows, read once).

/* Her account at ProConnect, tied at the first sign-in whose e-mail and SIRET are hers here. Only the operator unties it. */
alter table aidant add column proconnect_sub text constraint aidant_proconnect_unique unique check (proconnect_sub ~ '^[!-~]{1,255}$');
grant update (proconnect_sub) on aidant to traitdunion_app;
create function proconnect_lie() returns trigger
language plpgsql
as $$
begin
  if old.proconnect_sub is not null and new.proconnect_sub is distinct from old.proconnect_sub and public.app_who() = 'portier' then
    raise exception 'the account of aidant % is tied already', old.id using errcode = 'check_violation', constraint = 'proconnect_lie';
  end if;
  return new;
end
$$;
create trigger proconnect_lie before update of proconnect_sub on aidant for each row execute function proconnect_lie();
alter table aidant enable always trigger proconnect_lie;

/* What closes her session there too, and when she last authenticated there: each authentication counts once, as a code does. */
alter table session
  add column proconnect_id_token text,
  add column proconnect_auth_at timestamptz(3),
  add constraint session_proconnect_entiere check ((proconnect_id_token is null) = (proconnect_auth_at is null)),
  add constraint session_proconnect_aidant check (proconnect_id_token is null or (aidant_id is not null and structure_id is not null));
create function authentification_avance() returns trigger
language plpgsql
as $$
begin
  if new.proconnect_auth_at is distinct from old.proconnect_auth_at and (new.proconnect_auth_at > old.proconnect_auth_at) is not true then
    raise exception 'session % cannot go back', old.id using errcode = 'check_violation', constraint = 'authentification_avance';
  end if;
  return new;
end
$$;
create trigger authentification_avance before update on session for each row execute function authentification_avance();
alter table session enable always trigger authentification_avance;

alter table connexion
  drop constraint connexion_but_check,
  drop constraint connexion_check,
  add column suite text,
  add column session_id uuid references session on delete cascade,
  add constraint connexion_but_check check (but in ('mandat', 'espace', 'telephone', 'aidant', 'signature')),
  add constraint connexion_de_ce_brouillon check ((but in ('mandat', 'signature')) = (brouillon_id is not null)),
  add constraint connexion_de_cette_session check ((but = 'signature') = (session_id is not null)),
  add constraint connexion_chez_qui check ((but in ('aidant', 'signature')) = (fournisseur = 'proconnect'));
create index connexion_session on connexion (session_id);
