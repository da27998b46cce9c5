import type { Db } from '../db.ts'
import { announceClosed } from './messages.ts'

/**
 * Tells each person whose mandat ended because its structure closed. The operator's command could not: it does not read who they are. A
 * message is kept thirty days, so its key tells for longer than what is looked at here.
 */
export async function announceClosures(db: Db): Promise<number> {
  const ended = await db.tx(
    { kind: 'worker' },
    (tx) => tx.sql<{ id: string; structureId: string; usagerId: string; aidantId: string; endedAt: Date }[]>`
      select m.id, m.structure_id, m.usager_id, m.aidant_id, m.ended_at
      from mandat m
      join usager u on u.id = m.usager_id
      where m.ended_how = 'structure_fermee' and m.ended_at > ${tx.now}::timestamptz - interval '7 days'
        and ((u.suivi = 'email' and u.email is not null) or (u.suivi = 'sms' and u.telephone is not null))
        and not exists (select 1 from message where cle = 'fermeture:' || m.id)
      order by m.ended_at
      limit 100`,
  )
  for (const { endedAt, ...mandat } of ended) await db.tx({ kind: 'worker' }, (tx) => announceClosed(tx, mandat, endedAt))
  return ended.length
}
