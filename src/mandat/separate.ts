import type { Db, Who } from '../db.ts'
import { messageDeSeparation } from '../usager/messages.ts'
import { announceIdentites } from './announce.ts'
import { writeIdentites } from './unite.ts'

/**
 * The person says that the identity she came in with is nobody else's: apart again from those it was united with, each keeping its history, and she
 * is not asked any more. What ended when they were united stays ended.
 */
export const separateIdentite = (db: Db, by: Who & { kind: 'usager' }): Promise<void> =>
  db.tx(by, async (tx) => {
    const [own] = by.usagerIds
    const found = await tx.sql<{ id: string }[]>`select separer_identite(${own!}) as id`
    if (found.length === 0) return
    const ids = [own!, ...found.map(({ id }) => id)]
    await writeIdentites(tx, ids, { separee: own })
    await announceIdentites(tx, ids, 'separation', messageDeSeparation)
  })
