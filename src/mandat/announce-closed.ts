import type { Db, Tx } from '../db.ts'
import type { Log } from '../http/log.ts'
import { oneByOne } from '../turns.ts'
import { announceClosed, announceClosedToAidants } from './announce.ts'

const by = { kind: 'worker' } as const

/**
 * Tells each person whose mandat ended because its structure closed, and those who acted for it. The operator's command could not: it does not
 * read who they are. A message is kept thirty days, so its key tells for longer than what is looked at here.
 */
export async function announceClosures(db: Db, log: Log): Promise<number> {
  const [mandats, structures] = await db.tx(by, async (tx) => [await listUntold(tx), await listUntoldStructures(tx)] as const)
  const tell = (telling: (tx: Tx) => Promise<void>) => db.tx(by, telling).then(() => 1)
  const as = { job: 'fermetures', log }
  return (
    (await oneByOne(mandats, as, ({ endedAt, ...mandat }) => tell((tx) => announceClosed(tx, mandat, endedAt)))) +
    (await oneByOne(structures, as, ({ structureId, endedAt }) =>
      tell((tx) => announceClosedToAidants(tx, structureId, endedAt)),
    ))
  )
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
