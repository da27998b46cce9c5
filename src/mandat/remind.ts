import type { Db, Tx } from '../db.ts'
import type { Log } from '../http/log.ts'
import { oneByOne } from '../turns.ts'
import { remindAidants, remindEnd } from './announce.ts'

/** Of mandats long enough that their end may have been forgotten. */
const DUREES_RAPPELEES = ['trimestre', 'semestre', 'an']
const AHEAD_DAYS = 30

/**
 * Says once of each mandat that it ends within thirty days (case 36): to the person, and to the aidants concerned in one message each. What
 * is paused, ended, or of a suspended structure is not recalled. One transaction for each structure: its row in `rappel` makes it once.
 */
export async function remindEnds(db: Db, log: Log): Promise<number> {
  const structures = await db.tx(
    { kind: 'worker' },
    (tx) => tx.sql<{ structureId: string }[]>`
      select distinct m.structure_id
      from mandat_etat m
      join structure s on s.id = m.structure_id
      where m.etat = 'actif' and m.duree = any (${DUREES_RAPPELEES}) and s.suspended_at is null
        and m.expires_at <= ${tx.now}::timestamptz + make_interval(days => ${AHEAD_DAYS})
        and not exists (select 1 from rappel r where r.mandat_id = m.id)`,
  )
  return oneByOne(structures, { job: 'rappels', log }, ({ structureId }) =>
    db.tx({ kind: 'worker' }, (tx) => remindStructure(tx, structureId)),
  )
}

async function remindStructure(tx: Tx, structureId: string): Promise<number> {
  // Another worker's row, not committed yet, is waited for: then it is no longer ours to send.
  const reminded = await tx.sql<{ id: string; structureId: string; usagerId: string; aidantId: string; expiresAt: Date }[]>`
    with due as (
      select m.id, m.structure_id, m.usager_id, m.aidant_id, m.expires_at
      from mandat_etat m
      where m.structure_id = ${structureId} and m.etat = 'actif' and m.duree = any (${DUREES_RAPPELEES})
        and m.expires_at <= ${tx.now}::timestamptz + make_interval(days => ${AHEAD_DAYS})
        and not exists (select 1 from rappel r where r.mandat_id = m.id)
      order by m.expires_at
      limit 50),
    once as (
      insert into rappel (mandat_id, structure_id, usager_id)
      select id, structure_id, usager_id from due
      on conflict do nothing
      returning mandat_id)
    select due.id, due.structure_id, due.usager_id, due.aidant_id, due.expires_at
    from due
    join once on once.mandat_id = due.id
    order by due.expires_at, due.id`
  for (const mandat of reminded) await remindEnd(tx, mandat)
  if (reminded.length > 0) await remindAidants(tx, structureId, reminded)
  return reminded.length
}
