import { type Db, isBusy } from '../db.ts'

const BATCH = 100
const NIL = '00000000-0000-0000-0000-000000000000'

/**
 * Goes through everybody, some in each transaction: closes to their structure the dossiers whose last mandat has been over for two years, erases the
 * persons whose last one has been for six. How many of each; done twice or by two at once, nothing is done twice. What does not fit in the time of one
 * statement is asked again for half as many.
 */
export async function applyTerms(db: Db): Promise<{ archives: number; effaces: number }> {
  const done = { archives: 0, effaces: 0 }
  let batch = BATCH
  for (let after: string | null = NIL; after !== null; ) {
    try {
      const [row] = await db.tx(
        { kind: 'worker' },
        (tx) => tx.sql<{ dernier: string | null; archives: number; effaces: number }[]>`
          select dernier, archives, effaces from applique_les_termes(${after}, ${batch})`,
      )
      done.archives += row!.archives
      done.effaces += row!.effaces
      after = row!.dernier
    } catch (error) {
      if (!isBusy(error) || batch === 1) throw error
      batch = Math.ceil(batch / 2)
    }
  }
  return done
}
