import type { Db } from '../db.ts'

/** The technical access log is kept twelve months (CNIL recommendation 2021-122 on logging: six months to a year). */
export const forgetAcces = (db: Db): Promise<void> =>
  db.tx({ kind: 'worker' }, async (tx) => {
    await tx.sql`delete from acces where at < ${tx.now}::timestamptz - interval '12 months'`
  })

/** Sessions over for a day are of no use to anyone. */
export const forgetSessions = (db: Db): Promise<void> =>
  db.tx({ kind: 'worker' }, async (tx) => {
    await tx.sql`
      delete from session
      where ended_at < ${tx.now}::timestamptz - interval '1 day' or created_at < ${tx.now}::timestamptz - interval '1 day'`
  })
