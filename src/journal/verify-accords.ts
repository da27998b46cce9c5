import type { Tx } from '../db.ts'
import type { Fault, FaultKind } from './verify.ts'
import { type Numbers, type Reading, within } from './verify-queries.ts'

/**
 * Holds what the tables show to what these lines said: between whom each mandat is, who did each démarche, and by their contents the
 * thématiques, duration and dates of a mandat, the thématique, reason and receipt of each stop and pause; for who reads contents, the words too.
 * Lines that they no longer follow; contents erased as the law says tell nothing. The bounds stand on both sides of a large join: else the whole of
 * one is read for each slice.
 */
export async function checkAccords(tx: Tx, numbers: Numbers, reading: Reading): Promise<Fault[]> {
  const { sql } = tx
  const among = (id: ReturnType<Tx['sql']>) => within(tx, id, numbers)
  const faits =
    reading === 'contenus'
      ? sql`select journal_id, payload::jsonb as faits from journal_contenu where payload is not null and journal_id = any (array(select ligne from dites))`
      : sql`select journal_id, faits from journal_accords(array(select ligne from dites))`
  const wrong = await sql<{ kind: FaultKind; ligne: number; mandatId: string }[]>`
    with signes as materialized (
      select id, journal_id, structure_id, usager_id, aidant_id, duree, signed_at, expires_at
      from mandat
      where ${among(sql`journal_id`)}),
    touchees as materialized (
      select a.revoked_journal_id as ligne, a.mandat_id, a.thematique, a.revoked_how as how, r.maniere, r.recu_le
      from autorisation a
      left join arret_recu r on r.journal_id = a.revoked_journal_id
      where ${among(sql`a.revoked_journal_id`)}
      union all
      select m.ended_journal_id, m.id, null, m.ended_how, null, null
      from mandat m
      where ${among(sql`m.ended_journal_id`)}
      union all
      select r.journal_id, r.mandat_id, a.thematique, null, r.maniere, r.recu_le
      from arret_recu r
      join autorisation a on a.id = r.autorisation_id
      where ${among(sql`r.journal_id`)} and r.journal_id is distinct from a.revoked_journal_id
      union all
      select s.journal_id, s.mandat_id, a.thematique, null, s.maniere, null
      from suspension s
      join autorisation a on a.id = s.autorisation_id
      where ${among(sql`s.journal_id`)}
      union all
      select s.until_journal_id, s.mandat_id, a.thematique, null, null, null
      from suspension s
      join autorisation a on a.id = s.autorisation_id
      where ${among(sql`s.until_journal_id`)}),
    contestees as materialized (
      select q.journal_id as ligne, q.mandat_id, q.aidant_id, jsonb_strip_nulls(jsonb_build_object(
        'demarche', q.demarche_id, 'motif', q.motif, 'maniere', q.maniere, 'pause', (
          -- That a pause waits for the answer is said by the line of what it waits for, not by its own.
          select string_agg(a.thematique, ' ')
          from suspension s
          join autorisation a on a.id = s.autorisation_id
          where s.contestation_id = q.id))) as dit, q.recu_le
      from contestation q
      where ${among(sql`q.journal_id`)}
      union all
      select q.answered_journal_id, q.mandat_id, q.answered_by, jsonb_build_object('contestation', q.id, 'reponse', q.reponse), null
      from contestation q
      where ${among(sql`q.answered_journal_id`)}
      union all
      select k.journal_id, k.mandat_id, k.aidant_id, jsonb_build_object('demarche', k.demarche_id, 'annulee', k.annulee, 'resultat', k.resultat), null
      from correction k
      where ${among(sql`k.journal_id`)}
      union all
      -- Lifted: by her, or with the answer.
      select s.until_journal_id, s.mandat_id, q.answered_by, '{}', null
      from suspension s
      join journal j on j.id = s.until_journal_id and j.acteur = 'aidant'
      left join contestation q on q.id = s.contestation_id
      where ${among(sql`s.until_journal_id`)}),
    dites as (
      select journal_id as ligne from signes
      union all
      select ligne from touchees
      union all
      select ligne from contestees),
    faits as materialized (${faits}),
    ecarts as (
      select
        case
          when (m.structure_id, m.usager_id, m.aidant_id) is distinct from (j.structure_id, j.usager_id, j.acteur_id)
            or exists (
              select 1
              from autorisation a
              where a.mandat_id = m.id and (a.structure_id, a.usager_id) is distinct from (m.structure_id, m.usager_id))
            then 'parties_changees'
          when f.faits is null then null
          when array(select a.thematique from autorisation a where a.mandat_id = m.id order by 1)
            is distinct from array(select jsonb_array_elements_text(f.faits -> 'perimetre') order by 1) then 'perimetre_change'
          when (m.duree, m.signed_at, m.expires_at)
              is distinct from (f.faits ->> 'duree', (f.faits ->> 'signed_at')::timestamptz, (f.faits ->> 'expires_at')::timestamptz)
            or exists (
              select 1
              from autorisation a
              where a.mandat_id = m.id and (a.signed_at, a.expires_at) is distinct from (m.signed_at, m.expires_at))
            then 'dates_changees'
        end as kind, m.journal_id as ligne, m.id as mandat_id
      from signes m
      join journal j on j.id = m.journal_id
      left join faits f on f.journal_id = m.journal_id
      union all
      select
        case
          when t.thematique is distinct from f.faits ->> 'thematique' then 'thematique_changee'
          -- What ends a mandat repeats the receipt of its thématiques, which is kept with them.
          when t.how is distinct from f.faits ->> 'how' or (t.thematique is not null
              and (t.maniere, t.recu_le) is distinct from (f.faits ->> 'maniere', (f.faits ->> 'recu_le')::timestamptz))
            then 'fait_change'
        end, t.ligne, t.mandat_id
      from touchees t
      join faits f on f.journal_id = t.ligne
      union all
      select 'fait_change', j.id, r.mandat_id
      from (select journal_id, mandat_id, aidant_id from suspension union all select journal_id, mandat_id, aidant_id from arret_recu) r
      join journal j on j.id = r.journal_id
      where ${among(sql`r.journal_id`)} and r.aidant_id is distinct from case when j.acteur = 'aidant' then j.acteur_id end
      union all
      select 'fait_change', q.ligne, q.mandat_id
      from contestees q
      join journal j on j.id = q.ligne
      left join faits f on f.journal_id = q.ligne
      where q.aidant_id is distinct from case when j.acteur = 'aidant' then j.acteur_id end
        or (f.faits is not null and (not f.faits @> q.dit or q.recu_le is distinct from (f.faits ->> 'recu_le')::timestamptz
          or f.faits ->> 'pause' is distinct from q.dit ->> 'pause'))
      union all
      select 'fait_change', j.id, d.mandat_id
      from demarche d
      join journal j on j.id = d.journal_id and ${among(sql`j.id`)}
      where ${among(sql`d.journal_id`)} and (
        (d.structure_id, d.usager_id, d.aidant_id) is distinct from (j.structure_id, j.usager_id, j.acteur_id)
        or (d.genre = 'hors_mandat') <> (j.action = 'acte_hors_mandat'))${reading === 'contenus' ? words(tx, numbers) : sql``})
    select kind, ligne, mandat_id
    from ecarts
    where kind is not null
    order by ligne`
  return wrong.map(({ kind, ligne, mandatId }) => ({ kind, ligne, ou: mandatId }))
}

/** The words themselves, as `recordDemarche` and `signMandat` engage them: what a démarche was, the seal of a mandat, what was signed for it, and whom it names. */
const words = (tx: Tx, numbers: Numbers) => {
  const { sql } = tx
  const sha = (text: ReturnType<typeof sql>) => sql`base64url(sha256(convert_to(${text}, 'UTF8')))`
  const octets = sql`translate(split_part(c.sceau, '.', 2), '-_', '+/')`
  const scelle = sql`nullif(convert_from(decode(rpad(${octets}, (length(${octets}) + 3) / 4 * 4, '='), 'base64'), 'UTF8'), '')::jsonb`
  return sql`
  union all
  select 'fait_change', d.journal_id, d.mandat_id
  from demarche d
  join demarche_contenu c on c.demarche_id = d.id
  join journal_contenu l on l.journal_id = d.journal_id and ${within(tx, sql`l.journal_id`, numbers)},
    lateral (select l.payload::jsonb as dits) f
  where ${within(tx, sql`d.journal_id`, numbers)} and l.payload is not null and (
    d.done_at is distinct from (f.dits ->> 'done_at')::timestamptz
    or jsonb_strip_nulls(f.dits - 'done_at') <> jsonb_strip_nulls(jsonb_build_object(
      'genre', d.genre, 'thematique', d.thematique, 'nature', d.nature, 'mode', d.mode, 'presence', d.presence, 'canal', d.canal,
      'dureeMinutes', d.duree_minutes, 'resultat', d.resultat, 'motifBlocage', d.motif_blocage, 'code', c.code, 'titre', c.titre,
      'administration', c.administration, 'reference', c.reference, 'montantCentimes', c.montant_centimes, 'etapeQuoi', c.etape_quoi,
      'etapeQui', c.etape_qui, 'etapeQuand', c.etape_quand, 'orientation', c.orientation, 'note', c.note, 'motif', c.motif_hors_mandat)))
  union all
  select 'fait_change', m.journal_id, m.id
  from mandat m
  join mandat_contenu c on c.mandat_id = m.id
  join journal_contenu l on l.journal_id = m.journal_id,
    lateral (select l.payload::jsonb as dits) f
  where ${within(tx, sql`m.journal_id`, numbers)} and l.payload is not null and case
    when (${sha(sql`c.sceau`)}, ${sha(sql`c.conditions`)}, ${sha(sql`c.id_token`)}, c.jwks_id)
      is distinct from (f.dits ->> 'sceau_sha256', f.dits ->> 'conditions_sha256', f.dits ->> 'id_token_sha256', f.dits ->> 'jwks_id') then true
    -- Printed again from there, as it was sealed.
    else exists (
      select 1
      from (select ${scelle} as dit) s
      where (nullif(array_to_string(array(select jsonb_array_elements_text(c.identite -> 'prenoms')), ' '), ''), c.identite ->> 'nomNaissance',
          c.identite ->> 'birthdate', c.structure ->> 'siret', c.structure ->> 'nom', (c.aidant ->> 'prenom') || ' ' || (c.aidant ->> 'nom'))
        is distinct from (s.dit #>> '{mandant,given_name}', s.dit #>> '{mandant,family_name}', s.dit #>> '{mandant,birthdate}',
          s.dit #>> '{mandataire,siret}', s.dit #>> '{mandataire,nom}', s.dit #>> '{act,nom}'))
    end`
}

/** Holds the public keys, of seals and of the identity provider, and the cut-offs of the stolen ones, to the lines that say them. */
export async function checkCles({ sql }: Tx, reading: Reading): Promise<Fault[]> {
  const faits =
    reading === 'contenus'
      ? sql`select journal_id, payload::jsonb as faits from journal_contenu where payload is not null and journal_id = any (array(select id from dites))`
      : sql`select journal_id, faits from journal_accords(array(select id from dites))`
  const wrong = await sql<{ kid: string; ligne: number | null }[]>`
    with dites as materialized (
      select id, action
      from journal
      where action in ('cle_publiee', 'cle_compromise', 'jwks_archive')),
    faits as materialized (${faits}),
    publiees as (
      select d.id, f.faits ->> 'kid' as kid, f.faits -> 'jwk' as jwk
      from dites d
      left join faits f on f.journal_id = d.id
      where d.action = 'cle_publiee'),
    volees as (
      select distinct on (f.faits ->> 'kid') d.id, f.faits ->> 'kid' as kid, (f.faits ->> 'coupure')::bigint as coupure
      from dites d
      left join faits f on f.journal_id = d.id
      where d.action = 'cle_compromise'
      order by f.faits ->> 'kid', d.id desc),
    archivees as (
      select d.id, f.faits ->> 'id' as jwks
      from dites d
      left join faits f on f.journal_id = d.id
      where d.action = 'jwks_archive')
    select coalesce(k.kid, p.kid, v.kid) as kid, coalesce(p.id, v.id) as ligne
    from cle k
    full join publiees p on p.id = k.journal_id
    full join volees v on v.kid = k.kid
    where (k.kid, k.jwk) is distinct from (p.kid, p.jwk) or (k.coupure, k.coupure_journal_id) is distinct from (v.coupure, v.id)
    union all
    select coalesce(a.id, d.jwks), d.id
    from jwks_archive a
    full join archivees d on d.id = a.journal_id
    where a.id is distinct from d.jwks`
  return wrong.map(({ kid, ligne }) => ({ kind: 'cle_changee', ou: kid, ...(ligne !== null && { ligne }) }))
}
