import type { Tx } from '../db.ts'

/** Forgets what was said once it is sent or given up: after an hour what opens a session or leads to an account, after thirty days the rest. */
export async function forgetMessages(tx: Tx): Promise<void> {
  await tx.sql`
    delete from message
    where (sent_at is not null or failed_at is not null)
      and created_at < ${tx.now}::timestamptz
        - case when starts_with(cle, 'connexion:') or (starts_with(cle, 'invitation:') and sent_at is not null) then interval '1 hour' else interval '30 days' end`
}
