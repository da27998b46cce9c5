import { type Autorisation, estThematique, etatAutorisation, type Thematique } from './mandat.ts'

/** How a request to stop came to the structure. */
export const MANIERES = ['bulletin', 'courrier', 'telephone', 'visite', 'email'] as const
export type Maniere = (typeof MANIERES)[number]

/** How an aidant ends a whole mandat without a request of the person. */
export type FinParLaStructure = 'renonce' | 'deces' | 'protection'

export type EndRefusal = 'introuvable' | 'deja_termine' | 'deja_expire' | 'thematique_absente'
export type ReceiptRefusal = EndRefusal | 'recu_futur' | 'recu_avant_signature'
export type PauseRefusal = EndRefusal | 'deja_en_pause'
export type ResumeRefusal = EndRefusal | 'pas_en_pause'

type Mandat = { expiresAt: Date }

/** Why these thématiques of a mandat cannot end now. `chosen`: what is asked of them all, or of one. */
export function refusalOfEnd(mandat: Mandat | undefined, chosen: readonly Autorisation[], now: Date): EndRefusal | undefined {
  if (!mandat) return 'introuvable'
  if (chosen.length === 0) return 'thematique_absente'
  if (chosen.every(({ revokedAt }) => revokedAt)) return 'deja_termine'
  if (mandat.expiresAt <= now) return 'deja_expire'
  return undefined
}

/** Of these, what is over now and was not yet when a request came: nothing is left to end, but what was done since then is flagged. */
export const finiesDepuis = <A extends Autorisation>(chosen: readonly A[], recuLe: Date, now: Date): A[] =>
  chosen.filter(({ revokedAt, expiresAt }) => {
    const end = revokedAt ?? expiresAt
    return end <= now && recuLe < end
  })

/**
 * The same, for a request that came at `recuLe`. No limit on how long ago but the signature: a letter found late is recorded with its true
 * date, and what was done meanwhile is flagged (ADR 0014); also when the mandat has come to its date, or was ended otherwise, since it came.
 * `recues`: thématiques of which a request is already recorded.
 */
export function refusalOfReceipt(
  mandat: (Mandat & { signedAt: Date }) | undefined,
  chosen: readonly Autorisation[],
  recues: readonly Thematique[],
  recuLe: Date,
  now: Date,
): ReceiptRefusal | undefined {
  const refusal = refusalOfEnd(mandat, chosen, now)
  const late = finiesDepuis(chosen, recuLe, now).filter(({ thematique }) => !recues.includes(thematique))
  if (refusal && late.length === 0) return refusal
  if (recuLe > now) return 'recu_futur'
  if (recuLe < mandat!.signedAt) return 'recu_avant_signature'
  return undefined
}

const inState = (autorisations: readonly Autorisation[], etat: 'actif' | 'suspendu', now: Date) =>
  autorisations.filter((one) => etatAutorisation(one, now).etat === etat)

/** What a pause of her own changes: what is in force, and what only waits for an answer, which it outlives. */
export const aMettreEnPause = <A extends Autorisation>(chosen: readonly A[], now: Date): A[] =>
  chosen.filter(
    (one) =>
      ['actif', 'suspendu'].includes(etatAutorisation(one, now).etat) &&
      !one.suspensions.some(({ until, attend }) => until === null && !attend),
  )

/** Pausing what she has already paused, or what is over, does nothing; the rest of what is chosen is paused. */
export const refusalOfPause = (
  mandat: Mandat | undefined,
  chosen: readonly Autorisation[],
  now: Date,
): PauseRefusal | undefined =>
  refusalOfEnd(mandat, chosen, now) ?? (aMettreEnPause(chosen, now).length === 0 ? 'deja_en_pause' : undefined)

export const refusalOfResume = (
  mandat: Mandat | undefined,
  chosen: readonly Autorisation[],
  now: Date,
): ResumeRefusal | undefined =>
  refusalOfEnd(mandat, chosen, now) ?? (inState(chosen, 'suspendu', now).length === 0 ? 'pas_en_pause' : undefined)

export type RenewalRefusal =
  | 'introuvable'
  | 'termine_avant'
  | 'en_pause'
  | 'expire_depuis_un_an'
  | 'aucune_thematique_proposee'
  | 'renouvellement_elargi'

const YEAR_MS = 365 * 24 * 3600 * 1000

/** What a renewal proposes: her thématiques that nobody has ended since, and that the structure still offers. */
export const aRenouveler = (autorisations: readonly Autorisation[], desactivees: readonly Thematique[]): Thematique[] =>
  autorisations.filter((one) => !one.revokedAt && !desactivees.includes(one.thematique)).map(({ thematique }) => thematique)

/** What a renewal leaves out, though nobody ended it: the structure has ceased to offer it. */
export const nonRepris = (autorisations: readonly Autorisation[], desactivees: readonly Thematique[]): Thematique[] =>
  autorisations.filter((one) => !one.revokedAt && desactivees.includes(one.thematique)).map(({ thematique }) => thematique)

/**
 * Why this mandat of the structure is not renewed now (cases 34 and 35): ended early it never is, even once its date has passed; paused, the
 * person has said to wait. `thematiques`: what would be granted anew, never more than what it held.
 */
export function refusalOfRenewal(
  mandat: { expiresAt: Date; endedAt: Date | null } | undefined,
  autorisations: readonly Autorisation[],
  desactivees: readonly Thematique[],
  thematiques: readonly string[] | undefined,
  now: Date,
): RenewalRefusal | undefined {
  if (!mandat) return 'introuvable'
  if (mandat.endedAt) return 'termine_avant'
  if (now.getTime() - mandat.expiresAt.getTime() >= YEAR_MS) return 'expire_depuis_un_an'
  const standing = autorisations.filter(({ revokedAt }) => !revokedAt)
  if (mandat.expiresAt > now && inState(standing, 'actif', now).length === 0) return 'en_pause'
  const offered = aRenouveler(autorisations, desactivees)
  if (offered.length === 0) return 'aucune_thematique_proposee'
  if (thematiques && !thematiques.every((one) => estThematique(one) && offered.includes(one))) return 'renouvellement_elargi'
  return undefined
}
