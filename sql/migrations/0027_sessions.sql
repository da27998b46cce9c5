-- Where someone is signed in, for her to read and close. Locks session for the time of a new column.

alter table session
  add column appareil text check (length(appareil) between 1 and 60),
  add column reseau bytea check (length(reseau) = 32);
comment on column session.appareil is 'Navigateur et appareil de la dernière demande, en mots de listes fermées';
comment on column session.reseau is 'Empreinte, sous le secret du service, du réseau de la dernière demande : le même que maintenant, ou un autre';

create policy la_sienne on session for select to traitdunion_app using (
  (app_who() = 'aidant' and aidant_id = (select app_aidant()))
  or (app_who() = 'usager' and app_niveau() = 'identite' and usager_id = any (app_usagers())));
create policy la_sienne_fermee on session for update to traitdunion_app
  using (
    (app_who() = 'aidant' and aidant_id = (select app_aidant()))
    or (app_who() = 'usager' and app_niveau() = 'identite' and usager_id = any (app_usagers())))
  with check (ended_at is not null);
-- Closed from afar, in whatever structure it was opened: its trace as any other's.
create policy aidant_sort on acces for insert to traitdunion_app
  with check (app_who() = 'aidant' and genre = 'deconnexion' and aidant_id = app_aidant());
