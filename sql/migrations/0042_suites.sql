-- An aidant who came by ProConnect confirms an act there; who is named référent learns what waits for her answer. Locks connexion while its checks read its rows (one day of them).

alter table connexion
  add column objet bytea,
  drop constraint connexion_but_check,
  add constraint connexion_but_check
    check (but in ('mandat', 'espace', 'telephone', 'reunion', 'aidant', 'signature', 'confirmation')),
  drop constraint connexion_chez_qui,
  add constraint connexion_chez_qui check ((but in ('aidant', 'signature', 'confirmation')) = (fournisseur = 'proconnect')),
  drop constraint connexion_de_cette_session,
  add constraint connexion_de_cette_session check ((but in ('reunion', 'signature', 'confirmation')) = (session_id is not null)),
  -- Erased as it serves.
  add constraint connexion_de_cet_objet
    check (case when used_at is null then (but = 'confirmation') = (objet is not null) else objet is null end);
comment on column connexion.objet is 'Le formulaire qui attend d’être confirmé, chiffré par SECRETS_KEY ; effacé en servant';

/*
 * Do contestations wait for her whom the calling référent names in this very transaction? Of nobody else, and at no other time: whoever directs does not
 * learn thus that an act of hers is contested.
 */
create function nommee_attendue(p_aidant uuid, p_structure uuid) returns boolean
language sql volatile security definer set search_path = pg_catalog, public
as $$
  select exists (
    select 1
    from public.journal
    where structure_id = p_structure and cible_aidant_id = p_aidant and xid = pg_current_xact_id() and action = 'structure_modifiee')
  and exists (
    select 1
    from public.contestation c
    where c.structure_id = p_structure and c.answered_at is null and public.repond(c.id, p_aidant))
$$;
revoke execute on function nommee_attendue(uuid, uuid) from public;
grant execute on function nommee_attendue(uuid, uuid) to traitdunion_app;
