-- A line takes its number, its time and its bytes from the database alone: whoever chose its number (overriding system value) stopped the tree for
-- ever with one that cannot be read back, or took those that others were to come. Locks journal for a grant.

revoke insert on journal from traitdunion_app, traitdunion_operator, traitdunion_effaceur;
grant insert (action, acteur, acteur_id, structure_id, usager_id, mandat_id, cible_aidant_id, commitment)
  on journal to traitdunion_app, traitdunion_operator, traitdunion_effaceur;
