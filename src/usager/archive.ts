import type { Db } from '../db.ts'

const BATCH = 200

/**
 * Closes to their structure the dossiers whose last mandat has been over for two years, some in each transaction; how many. She who signs again
 * opens hers again.
 */
export async function archiveDossiers(db: Db): Promise<number> {
  let total = 0
  for (let archived = BATCH; archived === BATCH; total += archived)
    archived = await db.tx({ kind: 'worker' }, async (tx) => {
      const [row] = await tx.sql<{ archived: number }[]>`select archive_dossiers(${BATCH}) as archived`
      return row!.archived
    })
  return total
}
