import { createPublicKey } from 'node:crypto'
import { compactVerify, decodeProtectedHeader, errors, type JWK, type ProtectedHeaderParameters } from 'jose'

export type Jwks = { keys: readonly JWK[] }
export type JwsReason = 'illisible' | 'algorithme_refuse' | 'cle_inconnue' | 'signature_fausse'
export type Verified =
  | { ok: true; header: ProtectedHeaderParameters; claims: Record<string, unknown> }
  | { ok: false; reason: JwsReason }

/** One spelling only: base64url ignores some trailing bits, so that a changed character could otherwise go unseen. */
const isCanonical = (jws: string) => {
  const parts = jws.split('.')
  return parts.length === 3 && parts.every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)
}

function readJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
}

function readHeader(jws: string): ProtectedHeaderParameters | undefined {
  try {
    return isCanonical(jws) ? decodeProtectedHeader(jws) : undefined
  } catch {
    return undefined
  }
}

/**
 * The one place that checks a compact JWS: ES256 only, by a P-256 key of `jwks` with that very `kid`. Keys or addresses carried by the
 * token itself (`jwk`, `jku`, `x5u`) are never looked at. Dates are the caller's to judge.
 */
export async function verifyEs256(jws: string, jwks: Jwks): Promise<Verified> {
  const header = readHeader(jws)
  if (!header) return { ok: false, reason: 'illisible' }
  if (header.alg !== 'ES256') return { ok: false, reason: 'algorithme_refuse' }
  const jwk = jwks.keys.find(({ kid, kty, crv }) => kid !== undefined && kid === header.kid && kty === 'EC' && crv === 'P-256')
  if (!jwk) return { ok: false, reason: 'cle_inconnue' }
  const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: jwk.x!, y: jwk.y! }, format: 'jwk' })
  try {
    const { payload } = await compactVerify(jws, key, { algorithms: ['ES256'] })
    const claims = readJson(payload)
    if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) return { ok: false, reason: 'illisible' }
    return { ok: true, header, claims: claims as Record<string, unknown> }
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return { ok: false, reason: 'signature_fausse' }
    if (error instanceof errors.JOSEError) return { ok: false, reason: 'illisible' }
    throw error
  }
}
