import type { Db } from '../db.ts'

const BATCH = 5_000

/**
 * The technical access log is kept twelve months (CNIL recommendation 2021-122 on logging: six months to a year). The oldest rows have the lowest
 * ids: only those are looked at.
 */
export async function forgetAcces(db: Db): Promise<void> {
  for (let forgotten = BATCH; forgotten === BATCH; )
    forgotten = await db.tx({ kind: 'worker' }, async (tx) => {
      const { count } = await tx.sql`
        delete from acces
        where at < ${tx.now}::timestamptz - interval '12 months' and id in (select id from acces order by id limit ${BATCH})`
      return count
    })
}
