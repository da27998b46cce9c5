import { createHmac, timingSafeEqual } from 'node:crypto'
import { normalEmail } from './aidant.ts'

/**
 * What a browser keeps once an aidant has signed in there: a number, and the seal of it that this service alone makes for her address. It opens
 * nothing and names nobody; the tries made with it count apart from a stranger's, who cannot close her door (docs/adr/0039).
 */
export function sealBrowser(secretsKey: Buffer, email: string, nombre: string): string {
  const seal = createHmac('sha256', secretsKey)
    .update(`navigateur connu:${nombre}:${normalEmail(email)}`)
    .digest('base64url')
  return `${nombre}.${seal}`
}

/** Has she, of this address, signed in where this was kept? */
export function isSealed(secretsKey: Buffer, email: string, kept: string): boolean {
  const [given, right] = [kept, sealBrowser(secretsKey, email, kept.split('.')[0]!)].map((text) => Buffer.from(text))
  return given!.length === right!.length && timingSafeEqual(given!, right!)
}
