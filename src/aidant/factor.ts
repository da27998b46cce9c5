import { Secret, TOTP } from 'otpauth'
import type { Tx } from '../db.ts'
import type { Genre } from './moyens.ts'
import { decryptSecret } from './secret.ts'

/** A way in of an aidant: an authenticator application has a secret, a passkey an id and a public key. */
export type Factor = {
  id: string
  genre: Genre
  /** What she called it; null for the first. */
  nom: string | null
  secret: Buffer | null
  cleId: Buffer | null
  clePublique: Buffer | null
  /** Last 30-second step accepted, or last counter said. */
  dernierPas: number
  createdAt: Date
  usedAt: Date | null
}
/** A factor and the 30-second step its code belongs to, or the counter it says. */
export type Match = { id: string; step: number }

const STEP_SECONDS = 30

const secretOf = (secret: Buffer) => new Secret({ buffer: new Uint8Array(secret).buffer })

/** What an authenticator is given: a key to type (base32), or an address to photograph or to open (otpauth://). */
export function pairingOf(totpSecret: Buffer, email: string): { cle: string; adresse: string } {
  const secret = secretOf(totpSecret)
  return { cle: secret.base32, adresse: new TOTP({ issuer: 'Trait d’union', label: email, secret }).toString() }
}

/** The aidant's factors, to be shown. */
export const readFactors = (tx: Tx, aidantId: string, lock = tx.sql``) => tx.sql<Factor[]>`
  select id, genre, nom, secret, cle_id, cle_publique, dernier_pas, created_at, used_at
  from facteur
  where aidant_id = ${aidantId} and removed_at is null
  order by created_at, id
  ${lock}`

/** The aidant's factors, locked: two codes sent at once are judged one after the other. */
export const listFactors = (tx: Tx, aidantId: string) => readFactors(tx, aidantId, tx.sql`for update`)

/** The factor this 6-digit code comes from (RFC 6238, drift of one step either way); a step already used or passed never matches again. */
export function matchCode(
  factors: readonly Pick<Factor, 'id' | 'secret' | 'dernierPas'>[],
  code: string,
  now: Date,
  secretsKey: Buffer,
): Match | undefined {
  for (const { id, secret, dernierPas } of factors) {
    if (!secret) continue
    const totp = new TOTP({ secret: secretOf(decryptSecret(secretsKey, secret)), period: STEP_SECONDS })
    const drift = totp.validate({ token: code, window: 1, timestamp: now.getTime() })
    if (drift === null) continue
    const step = Math.floor(now.getTime() / 1000 / STEP_SECONDS) + drift
    if (step > dernierPas) return { id, step }
  }
  return undefined
}

/** Spends the code, or the signature. */
export const markFactor = (tx: Tx, { id, step }: Match) =>
  tx.sql`update facteur set dernier_pas = ${step}, used_at = ${tx.now} where id = ${id}`
