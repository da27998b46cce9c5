import type { Db, Who } from '../db.ts'
import { messageDeSeparation } from '../usager/messages.ts'
import { announceIdentites } from './announce.ts'
import { writeIdentites } from './unite.ts'

/**
 * The person undoes the last union of the identity she came in with: each side is what it was before, each identity keeps its history, and she is
 * not asked any more. The codes of all serve no more, as `separer_identite` says. What ended when they were united stays ended.
 */
export const separateIdentite = (db: Db, by: Who & { kind: 'usager' }): Promise<void> =>
  db.tx(by, async (tx) => {
    const [own] = by.usagerIds
    const found = await tx.sql<{ id: string }[]>`select separer_identite(${own!}) as id`
    if (found.length === 0) return
    const ids = [own!, ...found.map(({ id }) => id)]
    const sides = await tx.sql<{ id: string; reunies: string[] }[]>`
      select u.id, array(select o.id from usager o where o.personne_id = u.personne_id order by o.id) as reunies
      from usager u
      where u.id = any (${ids})`
    for (const { id, reunies } of sides) await writeIdentites(tx, [id], { separee: own, reunies })
    await announceIdentites(tx, ids, 'separation', messageDeSeparation)
  })
