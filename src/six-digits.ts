/** The six digits of a code to read, type or say, from six random bytes or more: 2⁴⁸ values favour none of a million. */
export const sixDigits = (bytes: Buffer): string => String(bytes.readUIntBE(0, 6) % 1_000_000).padStart(6, '0')

/** « 123 456 », as they are read and said. */
export const parTrois = (digits: string): string => `${digits.slice(0, 3)} ${digits.slice(3)}`

/** What a person reads out, or types back, serves for ten minutes and three tries. */
export const CODE_VIE_MS = 10 * 60_000
export const CODE_ESSAIS = 3
