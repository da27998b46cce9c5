import type { Tx } from '../db.ts'
import { LOT } from '../turns.ts'

/** Sign-in codes serve fifteen minutes; a day later nothing is left of them. */
export const forgetCodes = (tx: Tx) => tx.sql`
  delete from code_connexion
  where id in (select id from code_connexion where created_at < ${tx.now}::timestamptz - interval '24 hours' limit ${LOT})`

/** Challenges serve five minutes; a day later nothing is left of them. */
export const forgetDefis = (tx: Tx) => tx.sql`
  delete from defi
  where pour in (select pour from defi where created_at < ${tx.now}::timestamptz - interval '24 hours' limit ${LOT})`

/** An invitation serves seven days; a month later nothing is left of who was invited. */
export const forgetInvitations = (tx: Tx) => tx.sql`
  delete from invitation
  where id in (select id from invitation where sent_at < ${tx.now}::timestamptz - interval '37 days' limit ${LOT})`
