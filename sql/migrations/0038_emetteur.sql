-- Locks nothing.

/* The address (`iss`) under which the last mandat whose words are still here was sealed, for the service that starts under another. */
create function dernier_emetteur() returns text
language sql stable security definer set search_path = pg_catalog, public
as $$
  select convert_from(decode(rpad(translate(nullif(p.payload, ''), '-_', '+/'), (length(p.payload) + 3) / 4 * 4, '='), 'base64'), 'UTF8')::jsonb ->> 'iss'
  from public.mandat m
  join public.mandat_contenu c on c.mandat_id = m.id
  cross join lateral split_part(c.sceau, '.', 2) as p (payload)
  where public.app_who() = 'worker'
  order by m.journal_id desc
  limit 1
$$;
revoke execute on function dernier_emetteur() from public;
grant execute on function dernier_emetteur() to traitdunion_app;
