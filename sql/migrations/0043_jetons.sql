-- A form names the session it was begun in by its token: it still does once the session goes on under another. Locks session for a new column.

alter table session add column jetons_avant bytea[] not null default '{}';
comment on column session.jetons_avant is 'Empreintes des jetons d’avant un second facteur : n’ouvrent rien, disent de qui est un formulaire commencé avant';
create index session_jetons_avant on session using gin (jetons_avant);
