import type { Tx } from '../db.ts'
import { LOT } from '../turns.ts'

/** Forgets what was said once it is sent or given up: after an hour what opens a session or leads to an account, after thirty days the rest. */
export const forgetMessages = (tx: Tx) => tx.sql`
  delete from message
  where id in (
    select id
    from message
    where (sent_at is not null or failed_at is not null)
      and created_at < ${tx.now}::timestamptz
        - case when starts_with(cle, 'connexion:') or (starts_with(cle, 'invitation:') and sent_at is not null) then interval '1 hour' else interval '30 days' end
    limit ${LOT})`
