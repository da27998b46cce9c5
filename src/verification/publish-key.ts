import type { Db } from '../db.ts'
import { append } from '../journal/append.ts'
import type { SealKeys } from '../mandat/sceau.ts'

/** Journals and stores each public seal key the first time the service starts with it. Throws a French sentence when the one that signs was stolen. */
export const publishKeys = (db: Db, { current, jwks }: SealKeys): Promise<void> =>
  db.tx({ kind: 'worker' }, async (tx) => {
    await tx.sql`select pg_advisory_xact_lock(hashtext('cle'))`
    const known = await tx.sql<{ kid: string; coupure: number | null }[]>`select kid, coupure from cle`
    if (known.some(({ kid, coupure }) => kid === current.kid && coupure !== null))
      throw new Error(`La clé qui scelle (${current.kid}) est déclarée volée : npm run keys -- new, puis rotate.`)
    for (const jwk of jwks.keys) {
      if (known.some(({ kid }) => kid === jwk.kid)) continue
      const line = await append(tx, { action: 'cle_publiee', contenu: { kid: jwk.kid, jwk } })
      await tx.sql`insert into cle (kid, jwk, journal_id) values (${jwk.kid}, ${tx.sql.json(jwk)}, ${line.id})`
    }
  })
