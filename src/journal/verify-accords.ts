import type { Tx } from '../db.ts'
import type { Fault, FaultKind } from './verify.ts'
import type { Reading } from './verify-queries.ts'

/**
 * Holds what the tables let an aidant do to what the lines after..upto said: between whom each mandat is, and by their contents its thématiques, its
 * duration and dates, the thématique of each stop and pause. The first line that they no longer follow; contents erased as the law says tell nothing.
 */
export async function checkAccords(tx: Tx, after: number, upto: number, reading: Reading): Promise<Fault | undefined> {
  const { sql } = tx
  const faits =
    reading === 'contenus'
      ? sql`select journal_id, payload::jsonb as faits from journal_contenu where payload is not null and journal_id = any (array(select ligne from dites))`
      : sql`select journal_id, faits from journal_accords(array(select ligne from dites))`
  const [wrong] = await sql<{ kind: FaultKind; ligne: number; mandatId: string }[]>`
    with signes as materialized (
      select id, journal_id, structure_id, usager_id, aidant_id, duree, signed_at, expires_at
      from mandat
      where journal_id > ${after} and journal_id <= ${upto}),
    touchees as materialized (
      select revoked_journal_id as ligne, mandat_id, thematique
      from autorisation
      where revoked_journal_id > ${after} and revoked_journal_id <= ${upto}
      union all
      select s.journal_id, s.mandat_id, a.thematique
      from suspension s
      join autorisation a on a.id = s.autorisation_id
      where s.journal_id > ${after} and s.journal_id <= ${upto}
      union all
      select s.until_journal_id, s.mandat_id, a.thematique
      from suspension s
      join autorisation a on a.id = s.autorisation_id
      where s.until_journal_id > ${after} and s.until_journal_id <= ${upto}),
    dites as (
      select journal_id as ligne from signes
      union all
      select ligne from touchees),
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
      select case when t.thematique is distinct from f.faits ->> 'thematique' then 'thematique_changee' end, t.ligne, t.mandat_id
      from touchees t
      join faits f on f.journal_id = t.ligne)
    select kind, ligne, mandat_id
    from ecarts
    where kind is not null
    order by ligne
    limit 1`
  return wrong && { kind: wrong.kind, ligne: wrong.ligne, ou: wrong.mandatId }
}
