import type { Tx } from '../db.ts'

/** Round trips serve thirty minutes; a day later nothing is left of them. */
export async function forgetConnexions(tx: Tx): Promise<void> {
  await tx.sql`delete from connexion where created_at < ${tx.now}::timestamptz - interval '24 hours'`
}
