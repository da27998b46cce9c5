import { createHash, createHmac } from 'node:crypto'
import { sixDigits } from '../six-digits.ts'

/*
 * Her own telephone as the place to identify herself. Two secrets, derived from the row's id so that neither is stored: the address in the
 * QR, which opens one round trip on one browser, and the six digits that this browser shows afterwards. What she proved waits aside until
 * the aidant types the digits she reads out: a link forwarded to someone else joins nothing.
 */

export const TELEPHONE_LIEN_MS = 10 * 60_000

export const empreinte = (text: string): Buffer => createHash('sha256').update(text).digest()
const derive = (secretsKey: Buffer, what: string, id: string) =>
  createHmac('sha256', secretsKey).update(`telephone:${what}:${id}`).digest()

/** What the QR leads to: `/t/` and this. */
export const jetonDe = (secretsKey: Buffer, id: string): string =>
  derive(secretsKey, 'jeton', id).subarray(0, 24).toString('base64url')
/** What she reads out. */
export const codeDe = (secretsKey: Buffer, id: string): string => sixDigits(derive(secretsKey, 'code', id))
