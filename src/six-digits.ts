/** The six digits of a code to read, type or say, from six random bytes or more: 2⁴⁸ values favour none of a million. */
export const sixDigits = (bytes: Buffer): string => String(bytes.readUIntBE(0, 6) % 1_000_000).padStart(6, '0')
