import type { Tx } from '../db.ts'
import { LOT } from '../turns.ts'

/** Round trips serve thirty minutes; a day later nothing is left of them. */
export const forgetConnexions = (tx: Tx) => tx.sql`
  delete from connexion
  where id in (select id from connexion where created_at < ${tx.now}::timestamptz - interval '24 hours' limit ${LOT})`
