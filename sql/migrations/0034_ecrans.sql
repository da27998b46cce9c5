-- Locks demarche for the time of a constraint that old rows need not meet.

alter table demarche
  add constraint demarche_ensemble check (mode = 'a_sa_place' or presence <> 'absente') not valid;
