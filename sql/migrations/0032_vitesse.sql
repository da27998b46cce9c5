-- Every page asks who is calling, and every démarche noted writes four rows: fewer statements for both. Locks nothing.

/*
 * Who holds the token with this fingerprint, now: no row when it is unknown, ended, idle for `p_inactive`, `p_age` old, or its aidant is
 * suspended. A structure left or suspended since is no longer chosen; a proof of her contact lasts `p_preuve`, an
 * aidant's fresh factor `p_confirme`. One call outside any transaction
 * of a caller, since nobody is called yet: whoever has no token learns nothing.
 */
create function session_tenue(p_jeton bytea, p_inactive interval, p_age interval, p_preuve interval, p_confirme interval)
returns table (
  id uuid, aidant_id uuid, usager_id uuid, niveau text, imprime_par uuid, prenom text, nom text, cgu_version int, structure_id uuid,
  structure_nom text, fuseau text, referent boolean, par_proconnect boolean, structures bigint, confirmee boolean, prenoms text[], nom_naissance text,
  nom_usage text, stale boolean)
language sql volatile security definer set search_path = pg_catalog, public
as $$
  select s.id, s.aidant_id, s.usager_id,
    case when s.prouve_at <= h.now - p_preuve then 'code_prive' else s.niveau end, c.structure_id, a.prenom, a.nom, a.cgu_version,
    st.id, st.nom, st.fuseau, coalesce(ha.referent, false), s.proconnect_id_token is not null,
    (select count(*) from public.habilitation o join public.structure os on os.id = o.structure_id
      where o.aidant_id = s.aidant_id and o.ended_at is null and os.suspended_at is null),
    s.confirme_at > h.now - p_confirme, u.prenoms, u.nom_naissance, u.nom_usage, s.last_seen_at < h.now - interval '1 minute'
  from (select public.horloge() as now offset 0) h
  join public.session s on s.last_seen_at > h.now - p_inactive and s.created_at > h.now - p_age
  left join public.aidant a on a.id = s.aidant_id
  left join public.habilitation ha on ha.aidant_id = s.aidant_id and ha.structure_id = s.structure_id and ha.ended_at is null
  left join public.structure st on st.id = ha.structure_id and st.suspended_at is null
  left join public.usager u on u.id = s.usager_id
  left join public.code_prive c on c.id = s.code_prive_id
  where s.jeton = p_jeton and s.ended_at is null and a.suspended_at is null
$$;
revoke execute on function session_tenue(bytea, interval, interval, interval, interval) from public;
grant execute on function session_tenue(bytea, interval, interval, interval, interval) to traitdunion_app;
