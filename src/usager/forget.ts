import type { Tx } from '../db.ts'
import { LOT } from '../turns.ts'

/**
 * The technical access log is kept twelve months (CNIL recommendation 2021-122 on logging: six months to a year). The oldest rows have the lowest
 * ids: only those are looked at.
 */
export const forgetAcces = (tx: Tx) => tx.sql`
  delete from acces
  where at < ${tx.now}::timestamptz - interval '12 months' and id in (select id from acces order by id limit ${LOT})`
