import { createPublicKey } from 'node:crypto'
import { compactVerify, decodeProtectedHeader, errors, type JWK, type ProtectedHeaderParameters } from 'jose'

/** A key that was stolen. `coupure`: what it signed counts when its line is one of the first so many of the tree that `journal` signs (its public key). */
export type CleCompromise = JWK & { coupure: number; journal?: string | undefined }
/** `compromises`: apart, so that whoever only knows RFC 7517 refuses what they signed. */
export type Jwks = { keys: readonly JWK[]; compromises?: readonly CleCompromise[] }
export type JwsReason = 'illisible' | 'algorithme_refuse' | 'cle_inconnue' | 'cle_compromise' | 'signature_fausse'
type VerifiedBytes = { ok: true; header: ProtectedHeaderParameters; payload: Uint8Array } | { ok: false; reason: JwsReason }
type Verified =
  | { ok: true; header: ProtectedHeaderParameters; claims: Record<string, unknown> }
  | { ok: false; reason: JwsReason }

/** One spelling only: base64url ignores some trailing bits, so that a changed character could otherwise go unseen. */
const isCanonical = (jws: string) => {
  const parts = jws.split('.')
  return parts.length === 3 && parts.every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)
}

/** The object that these bytes are the JSON of; undefined when they are not, or when a name comes twice in an object. */
export function readObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) && !hasTwins(text)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** Two readers of `{"a":1,"a":2}` may each see another object. `json` is well-formed. */
function hasTwins(json: string): boolean {
  const open: Set<string>[] = []
  for (const [token, name] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') open.push(new Set())
    else if (token === '}') open.pop()
    else if (name !== undefined) {
      const key = JSON.parse(name) as string
      if (open.at(-1)!.has(key)) return true
      open.at(-1)!.add(key)
    }
  }
  return false
}

function readHeader(jws: string): ProtectedHeaderParameters | undefined {
  if (!isCanonical(jws)) return undefined
  const [head] = jws.split('.')
  try {
    return readObject(Buffer.from(head!, 'base64url')) && decodeProtectedHeader(jws)
  } catch {
    return undefined
  }
}

/**
 * The one place that checks a compact JWS: ES256 only, by a P-256 key of `jwks` with that very `kid`. Keys or addresses carried by the
 * token itself (`jwk`, `jku`, `x5u`) are never looked at. Dates are the caller's to judge.
 */
export async function verifyBytes(jws: string, jwks: Jwks): Promise<VerifiedBytes> {
  const header = readHeader(jws)
  if (!header) return { ok: false, reason: 'illisible' }
  if (header.alg !== 'ES256') return { ok: false, reason: 'algorithme_refuse' }
  const designated = ({ kid, kty, crv }: JWK) => kid !== undefined && kid === header.kid && kty === 'EC' && crv === 'P-256'
  const stolen = jwks.compromises?.find(designated)
  const jwk = stolen ?? jwks.keys.find(designated)
  if (!jwk) return { ok: false, reason: 'cle_inconnue' }
  const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: jwk.x!, y: jwk.y! }, format: 'jwk' })
  try {
    const { payload } = await compactVerify(jws, key, { algorithms: ['ES256'] })
    return stolen ? { ok: false, reason: 'cle_compromise' } : { ok: true, header, payload }
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return { ok: false, reason: 'signature_fausse' }
    if (error instanceof errors.JOSEError) return { ok: false, reason: 'illisible' }
    throw error
  }
}

/** `verifyBytes` of a token that says JSON. */
export async function verifyEs256(jws: string, jwks: Jwks): Promise<Verified> {
  const verified = await verifyBytes(jws, jwks)
  if (!verified.ok) return verified
  const claims = readObject(verified.payload)
  return claims ? { ok: true, header: verified.header, claims } : { ok: false, reason: 'illisible' }
}
