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
