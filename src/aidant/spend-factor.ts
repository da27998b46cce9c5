import type { AuthenticationResponseJSON } from '@simplewebauthn/server'
import type { Tx } from '../db.ts'
import { NOBODY } from './aidant.ts'
import { verifySignature } from './cle-acces.ts'
import { type Pour, takeDefi } from './defi.ts'
import { type Factor, listFactors, type Match, markFactor, matchCode } from './factor.ts'
import { spendSecours } from './secours.ts'
import type { Door } from './sign-in.ts'

/**
 * What an aidant gives as a fresh factor: a code of her application, a recovery code, a passkey's signature of what she confirms, or that ProConnect
 * has just said again, for this very act, who she is.
 */
export type Preuve =
  | { code: string }
  | { secours: string }
  | { signature: AuthenticationResponseJSON; pour: Pour & { sessionId: string } }
  | { reconnue: Pour & { sessionId: string } }

/** Counts what confirms an act, once, in the act's own transaction; false when it confirms nothing. */
export type Spend = (tx: Tx) => Promise<boolean>

/** Counts a fresh factor of hers, once, in the transaction of the act it confirms. */
export async function spendFactor(tx: Tx, aidantId: string, preuve: Preuve, door: Door): Promise<boolean> {
  // Held even for a recovery code: a reset of her factors comes before, or after and takes away what this act adds.
  const factors = await listFactors(tx, aidantId)
  if ('secours' in preuve) return spendSecours(tx, aidantId, preuve.secours, door.secretsKey)
  if ('reconnue' in preuve) return (await takeDefi(tx, preuve.reconnue)) !== undefined
  const match =
    'code' in preuve
      ? matchCode(factors, preuve.code, tx.now, door.secretsKey)
      : await matchSignature(await takeDefi(tx, preuve.pour), factors, preuve.signature, door.publicUrl)
  // Nobody's when nothing matched: a right code does no more than a wrong one that its time could tell.
  await markFactor(tx, match ?? { id: NOBODY, step: 0 })
  return match !== undefined
}

/** The passkey, among these, that signed this challenge; undefined without one, or when anything else is not as asked. */
export async function matchSignature(
  defi: Buffer | undefined,
  factors: readonly Factor[],
  signature: AuthenticationResponseJSON,
  publicUrl: string,
): Promise<Match | undefined> {
  const id = Buffer.from(signature.id, 'base64url')
  const factor = factors.find(({ cleId }) => cleId?.equals(id))
  if (!defi || !factor) return undefined
  const cle = { id, publique: factor.clePublique!, compteur: factor.dernierPas }
  const step = await verifySignature(publicUrl, defi, signature, cle)
  return step === undefined ? undefined : { id: factor.id, step }
}
