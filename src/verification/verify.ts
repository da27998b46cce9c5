import { decodeJwt, decodeProtectedHeader } from 'jose'
import type { ProvenLine } from '../journal/proof.ts'
import type { Jwks } from '../mandat/jws.ts'
import type { Thematique } from '../mandat/mandat.ts'
import { type MandatClaims, openSeal, type SealReason } from '../mandat/sceau.ts'
import { type StatusReason, type Statut, slotDe, statusAt } from '../mandat/statut.ts'
import { type Attestation, type AttestationReason, fromDigits, openAttestation } from './attestation.ts'
import { type CoupureReason, empreinteDuSceau, verifyCoupure } from './coupure.ts'
import { type ClesConnues, type Preuve, type PreuveVerifiee, readPreuve, verifyPreuve } from './preuve.ts'

/** What someone has in hand. `issuer`: where it says it comes from, which anyone may write. */
type Piece =
  | { kind: 'mandat'; jws: string; issuer: string | undefined; preuve: Preuve | undefined }
  | { kind: 'attestation'; jws: string; issuer: string | undefined }

/** A seal, an attestation, the address of a QR, or a `preuve.json`; undefined for anything else. */
export function readPiece(text: string): Piece | undefined {
  const trimmed = text.trim()
  if (trimmed.startsWith('{')) {
    const preuve = readPreuve(readJson(trimmed))
    return preuve && { kind: 'mandat', jws: preuve.sceau, issuer: issuerOf(preuve.sceau), preuve }
  }
  const [, origin, digits] = /^(?:(https?:\/\/[^/#]+)\/v#)?(\d+)$/.exec(trimmed) ?? []
  const jws = digits === undefined ? trimmed : fromDigits(digits)
  if (!jws || !/^[\w-]+\.[\w-]+\.[\w-]*$/.test(jws)) return undefined
  if (digits !== undefined || typOf(jws) === 'attestation') return { kind: 'attestation', jws, issuer: origin }
  return { kind: 'mandat', jws, issuer: issuerOf(jws), preuve: undefined }
}

const readJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
const typOf = (jws: string) => {
  try {
    return decodeProtectedHeader(jws).typ
  } catch {
    return undefined
  }
}
const issuerOf = (jws: string) => {
  try {
    return decodeJwt(jws).iss
  } catch {
    return undefined
  }
}

/** What is asked of the world; undefined when it does not answer. */
type Sources = {
  /** The issuer expected: what the piece itself says proves nothing. */
  issuer: string | undefined
  jwks(issuer: string): Promise<Jwks | undefined>
  liste(url: string): Promise<string | undefined>
  /** The line of a seal, from the service; null when it says that there is none. */
  ligne(url: string): Promise<ProvenLine | null | undefined>
  /** The provider's keys, when they are known otherwise than by the piece. */
  franceconnect?: ClesConnues
  now: Date
}

/** Nothing was there to check it with. */
type Missing = 'cles_absentes' | 'emetteur_absent' | 'liste_absente' | 'preuve_absente'
type Said = Pick<Attestation, 'siret' | 'structure' | 'birthdate' | 'perimetre' | 'signedAt' | 'expiresAt'> & {
  nom: string
}
export type Verification = {
  kind: Piece['kind']
  issuer: string | undefined
  /** `rang`: of its line in the journal, when its key was stolen since: it counts, because the line came before. */
  sceau: { ok: true; rang?: number } | { ok: false; reason: SealReason | AttestationReason | CoupureReason | Missing }
  /** The rest only when the seal holds. */
  dit?: Said
  dates?: 'en_cours' | 'a_venir' | 'expire'
  statuts?: { thematique: Thematique; statut?: Statut; reason?: StatusReason | Missing }[]
  /** Absent of an attestation, which has no room for it. */
  accord?: PreuveVerifiee | { ok: false; reason: Missing }
}

/** Everything that can be checked of a piece, each for itself: what is missing is said to be. */
export async function verifyPiece(piece: Piece, sources: Sources): Promise<Verification> {
  const { kind } = piece
  const issuer = sources.issuer ?? piece.issuer
  if (!issuer) return { kind, issuer, sceau: { ok: false, reason: 'emetteur_absent' } }
  const jwks = await sources.jwks(issuer)
  if (!jwks) return { kind, issuer, sceau: { ok: false, reason: 'cles_absentes' } }

  if (piece.kind === 'attestation') {
    const opened = await openAttestation(piece.jws, jwks)
    if (!opened.ok) return { kind, issuer, sceau: opened }
    const { attestation } = opened
    const place = { url: `${issuer}/statuts/${attestation.liste}`, idx: attestation.idx }
    const dit = { ...attestation, nom: `${attestation.prenoms} ${attestation.nom}` }
    return { kind, issuer, sceau: { ok: true }, ...(await current(dit, place, jwks, sources)) }
  }
  const { opened, rang } = await openSealOrLine(piece, jwks, issuer, sources)
  if (!opened.ok) return { kind, issuer, sceau: opened }
  const { claims } = opened
  const { uri, idx } = claims.status.status_list
  // A list of another's would say whatever he likes; ours are under our own address.
  const place = uri.startsWith(`${issuer}/statuts/`) ? { url: uri, idx } : undefined
  return {
    kind,
    issuer,
    sceau: { ok: true, ...(rang !== undefined && { rang }) },
    ...(await current(saidBy(claims), place, jwks, sources)),
    accord: piece.preuve
      ? await verifyPreuve(claims, piece.preuve, sources.franceconnect)
      : { ok: false, reason: 'preuve_absente' },
  }
}

/** A seal of a stolen key opens with the proof of its line: the one that came with it, or else the one that the service has. */
async function openSealOrLine(
  { jws, preuve }: Extract<Piece, { kind: 'mandat' }>,
  jwks: Jwks,
  issuer: string,
  sources: Sources,
): Promise<{ opened: Awaited<ReturnType<typeof openSeal>> | { ok: false; reason: CoupureReason }; rang?: number }> {
  const opened = await openSeal(jws, jwks, { issuer })
  if (opened.ok || opened.reason !== 'cle_compromise') return { opened }
  const cle = jwks.compromises!.find(({ kid }) => kid === decodeProtectedHeader(jws).kid)!
  const sealed = await openSeal(jws, { keys: [cle] }, { issuer })
  if (!sealed.ok) return { opened: sealed }
  const seal = { jti: sealed.claims.jti, sceau: jws }
  let proven = verifyCoupure(preuve?.ligne, seal, cle)
  if (!proven.ok && proven.reason !== 'apres_la_coupure') {
    const found = await sources.ligne(`${issuer}/sceaux/${seal.jti}.${empreinteDuSceau(jws)}`)
    if (found === null) return { opened: { ok: false, reason: 'ligne_introuvable' } }
    if (found) proven = verifyCoupure(found, seal, cle)
  }
  return proven.ok ? { opened: sealed, rang: proven.rang } : { opened: proven }
}

const saidBy = ({ mandant, mandataire, perimetre, iat, exp }: MandatClaims): Said => ({
  nom: `${mandant.given_name} ${mandant.family_name}`,
  birthdate: mandant.birthdate,
  siret: mandataire.siret,
  structure: mandataire.nom,
  perimetre,
  signedAt: iat,
  expiresAt: exp,
})

async function current(dit: Said, place: { url: string; idx: number } | undefined, jwks: Jwks, { now, liste }: Sources) {
  const seconds = now.getTime() / 1000
  const token = place && (await liste(place.url))
  const statuts = await Promise.all(
    dit.perimetre.map(async (thematique) => {
      if (!place || token === undefined) return { thematique, reason: 'liste_absente' as const }
      const read = await statusAt(token, slotDe(place.idx, thematique), jwks, { sub: place.url, now })
      return read.ok ? { thematique, statut: read.statut } : { thematique, reason: read.reason }
    }),
  )
  const dates = seconds < dit.signedAt ? 'a_venir' : seconds >= dit.expiresAt ? 'expire' : 'en_cours'
  return { dit, dates, statuts } satisfies Partial<Verification>
}
