import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { CompactSign, type JWK } from 'jose'
import { z } from 'zod'
import { jcs } from '../journal/jcs.ts'
import { type Jwks, type JwsReason, readObject, verifyBytes } from '../mandat/jws.ts'
import { THEMATIQUES, type Thematique } from '../mandat/mandat.ts'
import type { MandatClaims, SealKey } from '../mandat/sceau.ts'

/** What a QR has room to say of a mandat. Times are seconds since 1970. */
export type Attestation = {
  /** Cut: see `court`. */
  prenoms: string
  nom: string
  birthdate: string
  siret: string
  structure: string
  perimetre: Thematique[]
  signedAt: number
  expiresAt: number
  /** IANA zone of the structure, in which the last day is told. */
  fuseau: string
  /** Number of its status list, and first slot of its block there. */
  liste: number
  idx: number
}

const TYP = 'attestation'
/** Characters of a key's RFC 7638 thumbprint that designate it: 48 bits, for the few keys that one service ever has. */
const KID = 8
const PARIS = 'Europe/Paris'
const NOM_PERSONNE = 30
const NOM_STRUCTURE = 60

/** The stated rule for names: at most `max` characters, the last one « … » when some are missing. */
export const court = (name: string, max: number): string => {
  const letters = [...name.normalize('NFC').trim().replace(/\s+/g, ' ')]
  return letters.length <= max ? letters.join('') : `${letters.slice(0, max - 1).join('')}…`
}

const seconds = z
  .int()
  .min(0)
  .max(2 ** 40)
const claimsSchema = z.strictObject({
  /** Signed. */
  a: seconds,
  b: z.string().regex(/^\d{4}(-\d\d){0,2}$/),
  /** Expires. */
  e: seconds,
  /** Absent for Paris. */
  f: z.string().max(40).optional(),
  g: z.string().max(2 * NOM_PERSONNE),
  i: z.int().min(0).max(99_999),
  l: z.int().min(0).max(9_999),
  /** Bit n: the thématique of that rank. */
  m: z
    .int()
    .min(1)
    .max(2 ** THEMATIQUES.length - 1),
  n: z.string().max(2 * NOM_PERSONNE),
  r: z.string().regex(/^\d{14}$/),
  s: z.string().max(2 * NOM_STRUCTURE),
})

/**
 * The attestation of a sealed mandat as a compact JWS of its own `typ`: one-letter claims in JCS, DEFLATE (raw) before signing so that
 * nothing is inflated that was not signed, and only the first letters of the key's identifier. `fuseau`: of the structure.
 */
export function signAttestation(claims: MandatClaims, fuseau: string, { kid, privateKey }: SealKey): Promise<string> {
  const { mandant, mandataire, perimetre, status } = claims
  const said = {
    a: claims.iat,
    b: mandant.birthdate,
    e: claims.exp,
    ...(fuseau !== PARIS && { f: fuseau }),
    g: court(mandant.given_name, NOM_PERSONNE),
    i: status.status_list.idx,
    l: Number(/\d+$/.exec(status.status_list.uri)![0]),
    m: perimetre.reduce((mask, thematique) => mask | (1 << THEMATIQUES.indexOf(thematique)), 0),
    n: court(mandant.family_name, NOM_PERSONNE),
    r: mandataire.siret,
    s: court(mandataire.nom, NOM_STRUCTURE),
  } satisfies z.input<typeof claimsSchema>
  return new CompactSign(deflateRawSync(jcs(said), { level: 9 }))
    .setProtectedHeader({ alg: 'ES256', kid: kid.slice(0, KID), typ: TYP })
    .sign(privateKey)
}

export type AttestationReason = JwsReason | 'type_inattendu' | 'contenu_incomplet'

/** Longer, inflated, than any attestation of ours. */
const MOST = 1_000

/** Did we attest this? Says what was agreed, not whether it is still in force: that is dates and status. */
export async function openAttestation(
  jws: string,
  jwks: Jwks,
): Promise<{ ok: true; attestation: Attestation } | { ok: false; reason: AttestationReason }> {
  const short = <K extends JWK>(key: K): K => ({ ...key, ...(key.kid && { kid: key.kid.slice(0, KID) }) })
  const verified = await verifyBytes(jws, { keys: jwks.keys.map(short), compromises: (jwks.compromises ?? []).map(short) })
  if (!verified.ok) return verified
  if (verified.header.typ !== TYP) return { ok: false, reason: 'type_inattendu' }
  const claims = claimsSchema.safeParse(inflated(verified.payload))
  if (!claims.success || claims.data.e <= claims.data.a) return { ok: false, reason: 'contenu_incomplet' }
  const { a, b, e, f = PARIS, g, i, l, m, n, r, s } = claims.data
  const perimetre = THEMATIQUES.filter((_, rank) => m & (1 << rank))
  return {
    ok: true,
    attestation: {
      prenoms: g,
      nom: n,
      birthdate: b,
      siret: r,
      structure: s,
      perimetre,
      signedAt: a,
      expiresAt: e,
      fuseau: f,
      liste: l,
      idx: i,
    },
  }
}

function inflated(payload: Uint8Array): Record<string, unknown> | undefined {
  try {
    return readObject(inflateRawSync(payload, { maxOutputLength: MOST }))
  } catch {
    return undefined
  }
}

/** Each character of a JWS as two digits, its code minus 45: `-` is 00, `.` 01, `z` 77. What a QR writes shortest. */
export const toDigits = (jws: string): string => [...jws].map((one) => String(one.charCodeAt(0) - 45).padStart(2, '0')).join('')

/** undefined for what `toDigits` never writes. */
export function fromDigits(digits: string): string | undefined {
  if (!/^(?:\d\d){1,1500}$/.test(digits)) return undefined
  const jws = digits.match(/../g)!.map((pair) => String.fromCharCode(Number(pair) + 45))
  return jws.every((one) => /[\w.-]/.test(one)) ? jws.join('') : undefined
}

/** The address of a paper's QR. Its fragment reaches no server. `claims`: of the seal; `key`: the one that signs today. */
export const attestationUrl = async (
  claims: MandatClaims,
  { fuseau, publicUrl, key }: { fuseau: string; publicUrl: string; key: SealKey },
): Promise<string> => `${publicUrl}/v#${toDigits(await signAttestation(claims, fuseau, key))}`
