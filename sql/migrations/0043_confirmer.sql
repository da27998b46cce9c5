-- An aidant who came by ProConnect confirms an act there. Locks connexion while its checks read its rows (one day of them).

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
