import type { Db } from '../db.ts'
import type { Identified } from './identify.ts'

export type HoldRefusal = 'lien_inconnu'

/** What she proved waits aside, for thirty minutes at most: no draft holds it yet, and no aidant may read it. */
export const holdIdentity = (
  db: Db,
  telephoneId: string,
  { identite, idToken, jwksId, authTime, nonce }: Identified,
): Promise<{ ok: true } | { ok: false; refusal: HoldRefusal }> =>
  db.tx({ kind: 'portier' }, async (tx) => {
    const now = await tx.clock()
    const [held] = await tx.sql`
      update telephone
      set identite = ${tx.sql.json(identite)}, id_token = ${idToken}, jwks_id = ${jwksId}, auth_time = ${authTime}, identified_at = ${now}
      where id = ${telephoneId} and nonce = ${nonce} and identified_at is null
      returning 1`
    return held ? { ok: true } : { ok: false, refusal: 'lien_inconnu' }
  })
