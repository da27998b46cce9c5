-- Of two words that many names hold, those named so come before those who hold the word elsewhere: the page is full at once (ADR 0051).
-- Locks dossier_mot while it is rewritten: seconds for a hundred thousand persons.

alter table dossier_mot
  add column cle text collate "C" not null generated always as (mot || case when starts_with(tri, mot) then ' 0' else ' 1' end) stored;
comment on column dossier_mot.cle is 'Le mot, puis 0 si le nom commence par lui, 1 sinon : l’ordre d’une recherche';
drop index dossier_mot_recherche;
create index dossier_mot_recherche on dossier_mot (structure_id, cle, tri, usager_id, mot);
