import { createECDH, createHash, createPrivateKey, type KeyObject } from 'node:crypto'
import { CompactSign } from 'jose'
import { z } from 'zod'
import { jcs } from '../journal/jcs.ts'
import { type Jwks, type JwsReason, verifyEs256 } from './jws.ts'
import { THEMATIQUES } from './mandat.ts'

const seconds = z.int().min(0)

const claimsSchema = z.object({
  iss: z.string(),
  jti: z.string(),
  iat: seconds,
  nbf: seconds,
  exp: seconds,
  /** A pseudonym of the person for this structure, never FranceConnect's `sub`. */
  sub: z.string(),
  mandant: z.object({ given_name: z.string(), family_name: z.string(), birthdate: z.string() }),
  mandataire: z.object({ siret: z.string(), nom: z.string() }),
  act: z.object({ sub: z.string(), nom: z.string() }),
  perimetre: z.array(z.enum(THEMATIQUES)).min(1),
  texte: z.object({ version: z.string(), langue: z.string(), sha256: z.string() }),
  accord: z.object({
    iss: z.string(),
    acr: z.string(),
    auth_time: seconds,
    conditions_sha256: z.string(),
    id_token_sha256: z.string(),
  }),
  status: z.object({ status_list: z.object({ idx: z.int().min(0), uri: z.string() }) }),
})
/** What the seal says. Times are seconds since 1970. */
export type MandatClaims = z.infer<typeof claimsSchema>

export type SealKey = { kid: string; privateKey: KeyObject }
type PublicJwk = { kty: 'EC'; crv: 'P-256'; x: string; y: string; kid: string; alg: 'ES256'; use: 'sig' }
export type SealKeys = {
  /** The one that signs. */
  current: SealKey
  /** Every key that ever signed: what `/.well-known/jwks.json` publishes. */
  jwks: { keys: PublicJwk[] }
}

/** Signs with one of our keys; `claims` written in JCS so that the same mandat is the same bytes. */
export const signJws = (typ: string, claims: object, { kid, privateKey }: SealKey): Promise<string> =>
  new CompactSign(Buffer.from(jcs(claims))).setProtectedHeader({ alg: 'ES256', kid, typ }).sign(privateKey)

/** The seal of a mandat: store this exact string. */
export const sealMandat = (claims: MandatClaims, key: SealKey): Promise<string> => signJws('mandat+jwt', claims, key)

export type SealReason = JwsReason | 'type_inattendu' | 'emetteur_different' | 'contenu_incomplet'

/** Is this a mandat that we sealed? Says what was agreed, not whether it is still in force: that is dates and status. */
export async function openSeal(
  jws: string,
  jwks: Jwks,
  { issuer }: { issuer: string },
): Promise<{ ok: true; claims: MandatClaims } | { ok: false; reason: SealReason }> {
  const seal = await verifyEs256(jws, jwks)
  if (!seal.ok) return seal
  if (seal.header.typ !== 'mandat+jwt') return { ok: false, reason: 'type_inattendu' }
  if (seal.claims.iss !== issuer) return { ok: false, reason: 'emetteur_different' }
  const claims = claimsSchema.safeParse(seal.claims)
  return claims.success ? { ok: true, claims: claims.data } : { ok: false, reason: 'contenu_incomplet' }
}

/** RFC 7638. */
const thumbprint = ({ crv, kty, x, y }: { crv: string; kty: string; x: string; y: string }) =>
  createHash('sha256').update(jcs({ crv, kty, x, y })).digest('base64url')

const coordinate = z.string().regex(/^[\w-]{43}$/)
const keySet = z.object({
  keys: z
    .array(
      z.object({
        kty: z.literal('EC'),
        crv: z.literal('P-256'),
        x: coordinate,
        y: coordinate,
        d: coordinate.optional(),
        alg: z.literal('ES256').optional(),
        use: z.literal('sig').optional(),
        kid: z.string().optional(),
      }),
    )
    .min(1),
})

/**
 * Reads the service's JWK Set (text of SEAL_KEYS): the first key signs, the next ones are only published; a retired one may have lost its
 * private half. Throws a plain Error in French, for the terminal, that never quotes the text.
 */
export function parseSealKeys(json: string): SealKeys {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    throw new Error('ce n’est pas du JSON')
  }
  const parsed = keySet.safeParse(value)
  if (!parsed.success) {
    const where = parsed.error.issues[0]!.path.join('.')
    throw new Error(`il faut un JWK Set de clés ES256 (EC, P-256) ; à revoir : ${where || 'l’ensemble'}`)
  }
  const keys = parsed.data.keys.map(({ d, kid, alg: _alg, use: _use, ...jwk }, index) => {
    const found = thumbprint(jwk)
    if (kid !== undefined && kid !== found) throw new Error(`clé ${index + 1} : son kid n’est pas son empreinte RFC 7638`)
    if (!isPair(jwk, d)) throw new Error(`clé ${index + 1} : ses parties ne vont pas ensemble`)
    return { d, jwk: { ...jwk, kid: found, alg: 'ES256', use: 'sig' } satisfies PublicJwk }
  })
  if (new Set(keys.map(({ jwk }) => jwk.kid)).size !== keys.length) throw new Error('deux fois la même clé')
  const { d, jwk } = keys[0]!
  if (!d) throw new Error('clé 1 : c’est elle qui scelle, il lui faut sa partie privée (d)')
  return {
    current: { kid: jwk.kid, privateKey: createPrivateKey({ key: { ...jwk, d }, format: 'jwk' }) },
    jwks: { keys: keys.map((key) => key.jwk) },
  }
}

/** The point is on the curve, and is the one that `d` makes: OpenSSL loads a key whose halves are strangers, and its seals never verify. */
function isPair({ x, y }: { x: string; y: string }, d: string | undefined): boolean {
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
  const ecdh = createECDH('prime256v1')
  try {
    if (d) {
      ecdh.setPrivateKey(Buffer.from(d, 'base64url'))
      return ecdh.getPublicKey().equals(point)
    }
    ecdh.generateKeys()
    ecdh.computeSecret(point)
    return true
  } catch {
    return false
  }
}
