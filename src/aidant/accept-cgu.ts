import type { Db } from '../db.ts'
import { CGU_VERSION } from './aidant.ts'

/** The aidant accepts the current conditions of use; every act waits for it (case 11). */
export const acceptCgu = (db: Db, aidantId: string): Promise<void> =>
  db.tx({ kind: 'portier' }, async (tx) => {
    await tx.sql`
      update aidant
      set cgu_version = ${CGU_VERSION}, cgu_accepted_at = ${tx.now}
      where id = ${aidantId} and cgu_version is distinct from ${CGU_VERSION}`
  })

/** When she accepted the current conditions; undefined while she has not. */
export const findCguAccepted = (db: Db, aidantId: string): Promise<Date | undefined> =>
  db.tx({ kind: 'portier' }, async (tx) => {
    const [row] = await tx.sql<{ at: Date }[]>`
      select cgu_accepted_at as at
      from aidant
      where id = ${aidantId} and cgu_version = ${CGU_VERSION}`
    return row?.at
  })
