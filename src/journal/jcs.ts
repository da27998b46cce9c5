const LONE_SURROGATE = /\p{Surrogate}/u

function text(value: string): string {
  if (LONE_SURROGATE.test(value)) throw new Error('jcs: lone surrogate')
  return JSON.stringify(value)
}

/**
 * RFC 8785 canonical JSON. Throws on whatever JSON cannot say exactly (undefined, NaN, a lone surrogate, a Date…): what is hashed must
 * never depend on how a serialiser drops or converts things.
 */
export function jcs(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return text(value)
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value)
  // Array.from and not map: a hole is an undefined, and must be refused as one.
  if (Array.isArray(value)) return `[${Array.from(value, jcs).join(',')}]`
  if (typeof value !== 'object' || ![Object.prototype, null].includes(Object.getPrototypeOf(value)))
    throw new Error('jcs: not JSON')
  // The default sort compares UTF-16 code units, which is the RFC's order.
  const keys = Object.keys(value).sort()
  return `{${keys.map((key) => `${text(key)}:${jcs((value as Record<string, unknown>)[key])}`).join(',')}}`
}
