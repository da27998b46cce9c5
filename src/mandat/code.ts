import { createHash, createHmac } from 'node:crypto'
import { LETTRES, LONGUEUR, parQuatre } from '../lettres.ts'

/**
 * The verification code printed on a mandat: « XXXX-XXXX-XXXX ». Derived, so that a paper lost can be printed again; the database knows
 * only its `empreinteDuCode`. Another SECRETS_KEY makes other codes, and the papers already printed keep theirs.
 */
export function codeVerification(secretsKey: Buffer, mandatId: string): string {
  let rest = BigInt(`0x${createHmac('sha256', secretsKey).update('verification').update(mandatId).digest('hex')}`)
  let code = ''
  // 256 bits for 53: the remainder favours no letter.
  for (const base = BigInt(LETTRES.length); code.length < LONGUEUR; rest /= base) code += LETTRES[Number(rest % base)]
  return parQuatre(code)
}

/** What the database keeps of a code, however it was spaced. */
export const empreinteDuCode = (code: string): Buffer => createHash('sha256').update(code.replaceAll('-', '')).digest()
