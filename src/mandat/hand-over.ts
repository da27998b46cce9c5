import type { Db, Tx, Who } from '../db.ts'
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

/** For the worker: what was handed over thirty days ago, as a message sent. */
export async function forgetPapiersRemis(tx: Tx): Promise<void> {
  await tx.sql`delete from papier_du where remis_at < ${tx.now}::timestamptz - interval '30 days'`
}
