import { createHmac } from 'node:crypto'
import { LETTRES, LONGUEUR, parQuatre } from '../lettres.ts'
import { type Contact, contactDe } from '../notification/words.ts'

/** One refusal for all: an unknown code, another year of birth, a code replaced or tried too often. */
export type OpenRefusal = 'code_inconnu'

/** Twelve letters at least in all but one draw of 2^90. */
const DRAWN = 64
/** Above it, a byte would favour the first letters. */
const FAIR = 256 - (256 % LETTRES.length)

/** « F4KD-7RMX-9WPT »: a private code, written as the one of verification. */
export function drawCodePrive(random: (bytes: number) => Uint8Array): string {
  const letters = [...random(DRAWN)].filter((byte) => byte < FAIR).map((byte) => LETTRES[byte % LETTRES.length]!)
  if (letters.length < LONGUEUR) throw new Error('code-prive: too few random bytes for a code')
  return parQuatre(letters.slice(0, LONGUEUR).join(''))
}

/**
 * What the database keeps of a private code: without SECRETS_KEY it says nothing, and it is never that of a verification code, whose letters are
 * the same.
 */
export const empreinteDuCodePrive = (secretsKey: Buffer, code: string): Buffer =>
  createHmac('sha256', secretsKey).update('code-prive').update(code.replaceAll(/[\s-]/g, '')).digest()

/** Six digits hold too little to be hashed alone: keyed, for this use, and tied to their row. */
export const empreinteDePreuve = (secretsKey: Buffer, id: string, code: string): Buffer =>
  createHmac('sha256', secretsKey).update('code-preuve').update(`${id}:${code}`).digest()

export type Contactable = {
  suivi: 'email' | 'sms' | 'papier'
  email: string | null
  telephone: string | null
  emailProuveAt: Date | null
  telephoneProuveAt: Date | null
}

/**
 * Where a code may be sent, proven by one when she gave her accord and not changed since: the way she chose to be told, when it is; else the other.
 */
export function contactProuve({ suivi, email, telephone, emailProuveAt, telephoneProuveAt }: Contactable): Contact | undefined {
  const sms = telephoneProuveAt ? contactDe({ suivi: 'sms', email, telephone }) : undefined
  const mail = emailProuveAt ? contactDe({ suivi: 'email', email, telephone }) : undefined
  return suivi === 'email' ? (mail ?? sms) : (sms ?? mail)
}

/** Enough for her to know it, too little to write to: the end of a number, the beginning and the house of an e-mail. */
export function masque({ canal, contact }: Contact): string {
  if (canal === 'email') return contact.replace(/^(.)[^@]*/u, '$1••••')
  // Overseas too, a French number is said with its 0.
  const [, first] = /^(?:\+(?:33|262|590|594|596)|0)(\d)/.exec(contact) ?? []
  return `${first ? `0${first}` : '••'}\u00a0••\u00a0••\u00a0••\u00a0${contact.slice(-2)}`
}
