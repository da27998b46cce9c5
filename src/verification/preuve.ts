import { calculateJwkThumbprint, decodeProtectedHeader } from 'jose'
import { z } from 'zod'
import { type EvidenceReason, verifyEvidence } from '../mandat/conditions.ts'
import type { Jwks } from '../mandat/jws.ts'
import { expiresAt } from '../mandat/mandat.ts'
import type { MandatClaims } from '../mandat/sceau.ts'
import { texteScelle } from '../mandat/texte.ts'

const preuveSchema = z.object({
  sceau: z.string(),
  conditions: z.string(),
  id_token: z.string(),
  /** The provider's keys of that day, as they were archived. */
  jwks: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }),
  /** Who the provider answered. */
  client_id: z.string(),
  texte: z.string(),
  /** IANA zone of the structure, in which the text says the last day. */
  fuseau: z.string(),
  /** Its line of the journal, which counts when the key is stolen one day; absent when it was not in the tree yet. */
  ligne: z.object({ numero: z.number(), octets: z.string(), faits: z.string(), sel: z.string(), preuve: z.string() }).optional(),
})
/** The pieces that prove a mandat without us: what `preuve.json` holds. */
export type Preuve = z.infer<typeof preuveSchema>

export const readPreuve = (value: unknown): Preuve | undefined => preuveSchema.safeParse(value).data

/** As the downloaded file says it. `jwks`: the archived text. */
export const preuveOf = (
  kept: {
    sceau: string
    conditions: string
    idToken: string
    jwks: string
    texte: string
    fuseau: string
    ligne: Preuve['ligne']
  },
  clientId: string,
) =>
  ({
    sceau: kept.sceau,
    conditions: kept.conditions,
    id_token: kept.idToken,
    jwks: JSON.parse(kept.jwks) as Preuve['jwks'],
    client_id: clientId,
    texte: kept.texte,
    fuseau: kept.fuseau,
    ...(kept.ligne && { ligne: kept.ligne }),
  }) satisfies Preuve

export type PreuveReason =
  | EvidenceReason
  | 'autre_accord'
  | 'autre_mandat'
  | 'dates_differentes'
  | 'texte_different'
  | 'cle_franceconnect_differente'

/** The provider's keys, known otherwise than by the file: themselves, or the RFC 7638 thumbprint of the one that signed. */
export type ClesConnues = { jwks?: Jwks | undefined; empreinte?: string | undefined }
/** `cle`: the thumbprint of the provider's key that signed, as the journal's line gives it; `connue` when it was compared with one known otherwise. */
export type PreuveVerifiee = { ok: true; cle: string; connue: boolean } | { ok: false; reason: PreuveReason }

/**
 * Do these pieces belong to this seal, and hold together? `claims`: of a seal that was opened. Without `connues` the provider's keys are those
 * of the file, which whoever made the file chose: that they are the provider's is to be checked elsewhere (its own archive, the journal's line).
 */
export async function verifyPreuve(claims: MandatClaims, preuve: Preuve, connues: ClesConnues = {}): Promise<PreuveVerifiee> {
  const { accord, mandataire, perimetre, texte, act } = claims
  const jwks = connues.jwks ?? (preuve.jwks as unknown as Jwks)
  const evidence = await verifyEvidence({
    conditions: preuve.conditions,
    idToken: preuve.id_token,
    jwks,
    issuer: accord.iss,
    clientId: preuve.client_id,
    perimetre,
  })
  if (!evidence.ok) return evidence
  const cle = await thumbprintOf(preuve.id_token, jwks)
  if (connues.empreinte !== undefined && connues.empreinte !== cle) return { ok: false, reason: 'cle_franceconnect_differente' }
  const { conditions, accord: found } = evidence
  const same = (['acr', 'auth_time', 'conditions_sha256', 'id_token_sha256'] as const).every(
    (name) => found[name] === accord[name],
  )
  if (!same) return { ok: false, reason: 'autre_accord' }
  const parties =
    conditions.id === claims.jti &&
    conditions.structure.siret === mandataire.siret &&
    conditions.structure.nom === mandataire.nom &&
    conditions.aidant.nom === act.nom &&
    conditions.texte.sha256 === texte.sha256 &&
    conditions.texte.version === texte.version
  if (!parties) return { ok: false, reason: 'autre_mandat' }
  if (!isZone(preuve.fuseau)) return { ok: false, reason: 'texte_different' }
  // Not even whoever holds the seal's key moves a date: she identified herself half an hour before at most, and the duration was in the words.
  const end = expiresAt(new Date(claims.iat * 1000), conditions.duree, preuve.fuseau)
  const minutes = (claims.iat - accord.auth_time) / 60
  if (claims.exp * 1000 !== end.getTime() || claims.nbf !== claims.iat || minutes < -CLOCK_MINUTES || minutes > AUTH_MINUTES)
    return { ok: false, reason: 'dates_differentes' }
  if (preuve.texte !== textOf(claims, preuve.fuseau)) return { ok: false, reason: 'texte_different' }
  return { ok: true, cle, connue: connues.jwks !== undefined || connues.empreinte !== undefined }
}

/** Of the key that has just been seen to sign this token, so that it is there: chosen as `verifyBytes` chooses it. */
const thumbprintOf = (jws: string, { keys }: Jwks) => {
  const { kid } = decodeProtectedHeader(jws)
  return calculateJwkThumbprint(keys.find((key) => key.kid === kid && key.kty === 'EC' && key.crv === 'P-256')!)
}

/** Of the identification, when the mandat is signed (see `refusalOfSigning`); and what two clocks may differ by. */
const AUTH_MINUTES = 30
const CLOCK_MINUTES = 0.5

/** The words, made again from what is sealed. */
function textOf({ texte, mandataire, perimetre, exp, iss }: MandatClaims, fuseau: string): string {
  return texteScelle(texte.version, {
    structureNom: mandataire.nom,
    siret: mandataire.siret,
    fuseau,
    thematiques: perimetre,
    end: new Date(exp * 1000),
    publicUrl: iss,
  })
}

const isZone = (fuseau: string) => {
  try {
    return new Intl.DateTimeFormat('fr', { timeZone: fuseau }) !== undefined
  } catch {
    return false
  }
}
