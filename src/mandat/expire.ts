import type { Db } from '../db.ts'
import { constraintOf } from '../db.ts'
import { append } from '../journal/append.ts'
import { withoutPerson } from './brouillon-queries.ts'

/** Writes the line of each mandat that reached its end, once. A line for who reads the journal: the state follows from the date alone. */
export async function writeExpired(db: Db): Promise<number> {
  const expired = await db.tx(
    { kind: 'worker' },
    (tx) => tx.sql<{ id: string; structureId: string; usagerId: string; expiresAt: Date }[]>`
      select m.id, m.structure_id, m.usager_id, m.expires_at
      from mandat m
      where m.ended_at is null and m.expires_at <= ${tx.now}
        and not exists (select 1 from journal j where j.mandat_id = m.id and j.action = 'mandat_expire')
      order by m.expires_at
      limit 100`,
  )
  for (const { expiresAt, ...mandat } of expired) {
    await db
      .tx({ kind: 'worker' }, (tx) =>
        append(tx, { action: 'mandat_expire', mandat, contenu: { expires_at: expiresAt.toISOString() } }),
      )
      .catch((error) => {
        // Another worker wrote it meanwhile.
        if (constraintOf(error) !== 'journal_expire_une_fois') throw error
      })
  }
  return expired.length
}

/** Drafts lose the identity after thirty minutes and everything after a day; what waits on a telephone waits no longer. */
export const forgetBrouillons = (db: Db): Promise<void> =>
  db.tx({ kind: 'worker' }, async (tx) => {
    await tx.sql`
      update brouillon
      set ${withoutPerson(tx)}
      where identified_at < ${tx.now}::timestamptz - interval '30 minutes'`
    await tx.sql`
      delete from telephone
      where coalesce(identified_at, created_at) < ${tx.now}::timestamptz - interval '30 minutes'`
    await tx.sql`delete from brouillon where updated_at < ${tx.now}::timestamptz - interval '24 hours'`
  })
