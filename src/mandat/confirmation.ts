import { createHash } from 'node:crypto'
import type { Identite } from '../usager/identite.ts'

const SEL_LENGTH = 32

/** What an aidant signs of a draft: the words, who gave them, what she said yes to, how she is told. */
type Prepare = {
  id: string
  conditions: string | null
  identite: Identite | null
  granted: readonly string[] | null
  accordAt: Date | null
  dernierJour: string | null
  suivi: string | null
  contact: string | null
  contactProuveAt: Date | null
}

/**
 * The nonce of the round trip by which an aidant signs at ProConnect: a fresh salt, and the hash of what is signed. `sel` is 16 random bytes in
 * hexadecimal, and the whole 96 such characters. `mesureFinie`: what she said of a protection measure recorded before.
 */
export function nonceDeConfirmation(brouillon: Prepare, sel: string, mesureFinie: boolean): string {
  const { id, conditions, identite, granted, accordAt, dernierJour, suivi, contact, contactProuveAt } = brouillon
  const signed = [sel, id, conditions, identite, granted, accordAt, dernierJour, suivi, contact, contactProuveAt, mesureFinie]
  return sel + createHash('sha256').update(JSON.stringify(signed)).digest('hex')
}

/** The fingerprint of a draft as it stands, for the page that shows it to say what was seen. */
export const vueDe = (brouillon: Prepare): string => nonceDeConfirmation(brouillon, '0'.repeat(SEL_LENGTH), false)

/** What she confirmed, as long as it is still what would be signed. */
export const confirmee = (brouillon: Prepare, nonce: string): { mesureFinie: boolean } | undefined =>
  [{ mesureFinie: false }, { mesureFinie: true }].find(
    ({ mesureFinie }) => nonceDeConfirmation(brouillon, nonce.slice(0, SEL_LENGTH), mesureFinie) === nonce,
  )
