import type { Tx } from '../db.ts'

/** The technical access log is kept twelve months (CNIL recommendation 2021-122 on logging: six months to a year). */
export async function forgetAcces(tx: Tx): Promise<void> {
  await tx.sql`delete from acces where at < ${tx.now}::timestamptz - interval '12 months'`
}
