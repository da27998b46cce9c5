import type { Tx } from '../db.ts'

/** Sign-in codes serve fifteen minutes, challenges five; a day later nothing is left of them. */
export async function forgetCodes(tx: Tx): Promise<void> {
  await tx.sql`delete from defi where created_at < ${tx.now}::timestamptz - interval '24 hours'`
  await tx.sql`delete from code_connexion where created_at < ${tx.now}::timestamptz - interval '24 hours'`
}

/** An invitation serves seven days; a month later nothing is left of who was invited. */
export async function forgetInvitations(tx: Tx): Promise<void> {
  await tx.sql`delete from invitation where sent_at < ${tx.now}::timestamptz - interval '37 days'`
}
