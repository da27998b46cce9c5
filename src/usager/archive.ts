import type { Db } from '../db.ts'

const BATCH = 200
const MOST_BATCHES = 50

/**
 * Closes to their structure the dossiers whose last mandat has been over for two years, some in each transaction, 10,000 at a time; how many. She
 * who signs again opens hers again.
 */
export async function archiveDossiers(db: Db): Promise<number> {
  let total = 0
  for (let archived = BATCH, left = MOST_BATCHES; archived === BATCH && left > 0; left--) {
    const [row] = await db.tx(
      { kind: 'worker' },
      (tx) => tx.sql<{ archived: number }[]>`select archive_dossiers(${BATCH}) as archived`,
    )
    archived = row!.archived
    total += archived
  }
  return total
}
