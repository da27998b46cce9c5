-- What was known to be missing of papers, verification, ends and renewal. Locks message while a check reads its rows (thirty days of them at most).

-- Where an e-mail to an aidant leads, behind her sign-in; never an SMS, never anything but the page of a mandat.
alter table message
  add column chemin text constraint message_chemin_d_un_courriel
    check (chemin is null or (canal = 'email' and chemin ~ '^/mandats/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(/arret)?$'));
