import { createHash } from 'node:crypto'
import { z } from 'zod'
import { jcs } from '../journal/jcs.ts'
import { type Jwks, type JwsReason, verifyEs256 } from './jws.ts'
import { aLaSeconde, DUREES, type Duree, perimetreDe, THEMATIQUES, type Thematique } from './mandat.ts'
import { texte } from './texte.ts'

const conditionsSchema = z.strictObject({
  v: z.literal(1),
  id: z.uuid(),
  structure: z.strictObject({ siret: z.string(), nom: z.string() }),
  aidant: z.strictObject({ nom: z.string() }),
  perimetre: z.array(z.enum(THEMATIQUES)).min(1),
  duree: z.enum(DUREES),
  texte: z.strictObject({ version: z.string(), langue: z.string(), sha256: z.string() }),
  demandeLe: z.iso.datetime(),
  sel: z.string(),
})
type Conditions = z.infer<typeof conditionsSchema>

export type NewConditions = Pick<Conditions, 'id' | 'structure' | 'aidant' | 'texte'> & {
  perimetre: readonly Thematique[]
  duree: Duree
  demandeLe: Date
  /** 16 random bytes: what makes these words new. */
  sel: Buffer
}

/** The words agreed to, fixed before the person identifies herself, as the exact string to keep (RFC 8785). */
export function conditionsOf({ id, structure, aidant, perimetre, duree, texte, demandeLe, sel }: NewConditions): string {
  if (sel.length !== 16) throw new Error('conditions: the salt is 16 bytes')
  return jcs({
    v: 1,
    id,
    structure: { siret: structure.siret, nom: structure.nom },
    aidant: { nom: aidant.nom },
    perimetre: perimetreDe(perimetre),
    duree,
    texte: { version: texte.version, langue: texte.langue, sha256: texte.sha256 },
    demandeLe: aLaSeconde(demandeLe).toISOString(),
    sel: sel.toString('base64url'),
  } satisfies Conditions)
}

const sha256 = (value: string) => createHash('sha256').update(value, 'utf8').digest('hex')

/** 64 hexadecimal letters: what FranceConnect carries back in the id_token it signs. */
export const nonceOf = (conditions: string): string => sha256(conditions)

/** The stored string read back; undefined unless it is, to the byte, what `conditionsOf` writes. */
export function readConditions(text: string): Conditions | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const parsed = conditionsSchema.safeParse(value)
  return parsed.success && jcs(parsed.data) === text ? parsed.data : undefined
}

const ACR = ['eidas1', 'eidas2', 'eidas3']
/** Seconds of disagreement allowed between the State's clock and ours. */
const CLOCK = 30
/** Seconds: how old a sign-in may be when the id_token is made, and how long the round trip may last. */
const LOGIN = 300
const ROUND_TRIP = 30 * 60

const seconds = z.int().min(0)
const idTokenClaims = z.object({ sub: z.string().min(1), acr: z.string(), auth_time: seconds, iat: seconds, exp: seconds })

export type EvidenceReason =
  | JwsReason
  | 'conditions_illisibles'
  | 'texte_inconnu'
  | 'perimetre_vide'
  | 'perimetre_elargi'
  | 'nonce_different'
  | 'emetteur_different'
  | 'destinataire_different'
  | 'contenu_incomplet'
  | 'acr_insuffisant'
  | 'dates_incoherentes'

/** As the seal quotes it. */
export type Accord = {
  iss: string
  sub: string
  acr: string
  auth_time: number
  conditions_sha256: string
  id_token_sha256: string
}
type Evidence = { ok: true; conditions: Conditions; accord: Accord } | { ok: false; reason: EvidenceReason }

/**
 * The one check of the pair conditions ↔ id_token, at signing, by the verification command and by the audit: the provider's key of that
 * day signed, for us, the hash of exactly these words; what was granted is among them. Says nothing of today: an id_token lives a minute
 * and is read for years, so its times are only compared with each other.
 */
export async function verifyEvidence(evidence: {
  conditions: string
  idToken: string
  jwks: Jwks
  issuer: string
  clientId: string
  /** The thématiques granted. */
  perimetre: readonly string[]
}): Promise<Evidence> {
  const no = (reason: EvidenceReason): Evidence => ({ ok: false, reason })
  const conditions = readConditions(evidence.conditions)
  if (!conditions) return no('conditions_illisibles')
  if (texte(conditions.texte.version)?.sha256 !== conditions.texte.sha256) return no('texte_inconnu')
  if (evidence.perimetre.length === 0) return no('perimetre_vide')
  const agreed: readonly string[] = conditions.perimetre
  if (!evidence.perimetre.every((thematique) => agreed.includes(thematique))) return no('perimetre_elargi')

  const token = await verifyEs256(evidence.idToken, evidence.jwks)
  if (!token.ok) return token
  const { claims } = token
  if (claims.iss !== evidence.issuer) return no('emetteur_different')
  // One audience, us: a token made for several could have been obtained by another of them.
  if (jcs([claims.aud].flat()) !== jcs([evidence.clientId])) return no('destinataire_different')
  if (claims.nonce !== nonceOf(evidence.conditions)) return no('nonce_different')
  const parsed = idTokenClaims.safeParse(claims)
  if (!parsed.success) return no('contenu_incomplet')
  const { sub, acr, auth_time, iat, exp } = parsed.data
  if (!ACR.includes(acr)) return no('acr_insuffisant')
  const asked = Date.parse(conditions.demandeLe) / 1000
  const inOrder = asked <= auth_time + CLOCK && auth_time <= iat + CLOCK && iat < exp
  const inTime = iat - auth_time <= LOGIN + CLOCK && iat - asked <= ROUND_TRIP + CLOCK
  if (!inOrder || !inTime) return no('dates_incoherentes')

  return {
    ok: true,
    conditions,
    accord: {
      iss: evidence.issuer,
      sub,
      acr,
      auth_time,
      conditions_sha256: sha256(evidence.conditions),
      id_token_sha256: sha256(evidence.idToken),
    },
  }
}
