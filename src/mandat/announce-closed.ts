import type { Db, Tx } from '../db.ts'
import { failure, type Log } from '../http/log.ts'
import { announceClosed, announceClosedToAidants } from './announce.ts'

/**
 * Tells each person whose mandat ended because its structure closed, and those who acted for it. The operator's command could not: it does not
 * read who they are. A message is kept thirty days, so its key tells for longer than what is looked at here. One that fails does not
 * keep the others waiting; it is tried again at the next turn.
 */
export async function announceClosures(db: Db, log: Log): Promise<number> {
  const told = { kind: 'worker' } as const
  const [mandats, structures] = await db.tx(told, async (tx) => [await listUntold(tx), await listUntoldStructures(tx)] as const)
  const tellings = [
    ...mandats.map(
      ({ endedAt, ...mandat }) =>
        (tx: Tx) =>
          announceClosed(tx, mandat, endedAt),
    ),
    ...structures.map(
      ({ structureId, endedAt }) =>
        (tx: Tx) =>
          announceClosedToAidants(tx, structureId, endedAt),
    ),
  ]
  let count = 0
  for (const telling of tellings)
    await db.tx(told, telling).then(
      () => count++,
      (error: unknown) => log('warn', { event: 'tache_echouee', reason: 'fermetures', ...failure(error) }),
    )
  return count
}

const listUntold = (tx: Tx) => tx.sql<{ id: string; structureId: string; usagerId: string; endedAt: Date }[]>`
  select m.id, m.structure_id, m.usager_id, m.ended_at
  from mandat m
  join usager u on u.id = m.usager_id
  where m.ended_how = 'structure_fermee' and m.ended_at > ${tx.now}::timestamptz - interval '7 days'
    and ((u.suivi = 'email' and u.email is not null) or (u.suivi = 'sms' and u.telephone is not null))
    and not exists (select 1 from message where cle = 'fermeture:' || m.id)
  order by m.ended_at
  limit 100`

const listUntoldStructures = (tx: Tx) => tx.sql<{ structureId: string; endedAt: Date }[]>`
  select m.structure_id, min(m.ended_at) as ended_at
  from mandat m
  where m.ended_how = 'structure_fermee' and m.ended_at > ${tx.now}::timestamptz - interval '7 days'
    and not exists (select 1 from message where starts_with(cle, 'fermeture:' || m.structure_id || ':aidant:'))
  group by m.structure_id`
