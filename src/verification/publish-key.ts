import type { Db } from '../db.ts'
import { append } from '../journal/append.ts'
import type { SealKeys } from '../mandat/sceau.ts'

/** Journals and stores each public seal key the first time the service starts with it. */
export const publishKeys = (db: Db, { jwks }: SealKeys): Promise<void> =>
  db.tx({ kind: 'worker' }, async (tx) => {
    await tx.sql`select pg_advisory_xact_lock(hashtext('cle'))`
    const known = await tx.sql<{ kid: string }[]>`select kid from cle`
    for (const jwk of jwks.keys) {
      if (known.some(({ kid }) => kid === jwk.kid)) continue
      const line = await append(tx, { action: 'cle_publiee', contenu: { kid: jwk.kid, jwk } })
      await tx.sql`insert into cle (kid, jwk, journal_id) values (${jwk.kid}, ${tx.sql.json(jwk)}, ${line.id})`
    }
  })
