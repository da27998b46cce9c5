import { Secret, TOTP } from 'otpauth'
import type { Tx } from '../db.ts'
import { decryptSecret } from './secret.ts'

export type Factor = { id: string; secret: Buffer; dernierPas: number }
/** A factor and the 30-second step its code belongs to. */
export type Match = { id: string; step: number }

const STEP_SECONDS = 30

const secretOf = (secret: Buffer) => new Secret({ buffer: new Uint8Array(secret).buffer })

/** What an authenticator is given: a key to type (base32), or an address to photograph or to open (otpauth://). */
export function pairingOf(totpSecret: Buffer, email: string): { cle: string; adresse: string } {
  const secret = secretOf(totpSecret)
  return { cle: secret.base32, adresse: new TOTP({ issuer: 'Trait d’union', label: email, secret }).toString() }
}

/** The aidant's factors, locked: two codes sent at once are judged one after the other. */
export const listFactors = (tx: Tx, aidantId: string) => tx.sql<Factor[]>`
  select id, secret, dernier_pas
  from facteur
  where aidant_id = ${aidantId} and removed_at is null
  order by created_at, id
  for update`

/** The factor this 6-digit code comes from (RFC 6238, drift of one step either way); a step already used or passed never matches again. */
export function matchCode(factors: readonly Factor[], code: string, now: Date, secretsKey: Buffer): Match | undefined {
  for (const { id, secret, dernierPas } of factors) {
    const totp = new TOTP({ secret: secretOf(decryptSecret(secretsKey, secret)), period: STEP_SECONDS })
    const drift = totp.validate({ token: code, window: 1, timestamp: now.getTime() })
    if (drift === null) continue
    const step = Math.floor(now.getTime() / 1000 / STEP_SECONDS) + drift
    if (step > dernierPas) return { id, step }
  }
  return undefined
}

/** Spends the code. */
export const markFactor = (tx: Tx, { id, step }: Match) => tx.sql`update facteur set dernier_pas = ${step} where id = ${id}`
