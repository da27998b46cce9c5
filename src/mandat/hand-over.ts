import type { Db, Who } from '../db.ts'
import { mine } from '../structure/mine.ts'

/** An aidant says that a paper was handed over: once; unknown, another structure's and already handed over are one answer. */
export const handOver = (
  db: Db,
  by: Who & { kind: 'aidant' },
  id: string,
): Promise<{ ok: true } | { ok: false; refusal: 'introuvable' }> =>
  db.tx(by, async (tx) => {
    const [done] = await tx.sql`
      update papier_du
      set remis_at = ${tx.now}, remis_par = ${by.aidantId}
      where id = ${id} and ${mine(tx)} and remis_at is null
      returning 1`
    return done ? { ok: true } : { ok: false, refusal: 'introuvable' }
  })
