import type { Db } from '../db.ts'

const BATCH = 100
const NIL = '00000000-0000-0000-0000-000000000000'

/**
 * Goes through everybody, some in each transaction: closes to their structure the dossiers whose last mandat has been over for two years, erases the
 * persons whose last one has been for six. How many of each; done twice or by two at once, nothing is done twice.
 */
export async function applyTerms(db: Db): Promise<{ archives: number; effaces: number }> {
  const done = { archives: 0, effaces: 0 }
  for (let after: string | null = NIL; after !== null; ) {
    const [row] = await db.tx(
      { kind: 'worker' },
      (tx) => tx.sql<{ dernier: string | null; archives: number; effaces: number }[]>`
        select dernier, archives, effaces from applique_les_termes(${after}, ${BATCH})`,
    )
    done.archives += row!.archives
    done.effaces += row!.effaces
    after = row!.dernier
  }
  return done
}
