import { type Identite, majorite, memePersonne } from '../usager/identite.ts'

/** In the order of screens, papers and status slots: never reorder. */
export const THEMATIQUES = [
  'papiers',
  'famille',
  'social',
  'travail',
  'logement',
  'transports',
  'argent',
  'justice',
  'etranger',
  'loisirs',
] as const
export type Thematique = (typeof THEMATIQUES)[number]
export const estThematique = (value: string): value is Thematique => (THEMATIQUES as readonly string[]).includes(value)
/** A périmètre as it is stored and sealed: once each, in the fixed order. */
export const perimetreDe = (values: readonly string[]): Thematique[] =>
  THEMATIQUES.filter((thematique) => values.includes(thematique))

export const DUREES = ['jour', 'mois', 'trimestre', 'semestre', 'an'] as const
export type Duree = (typeof DUREES)[number]
export const JOURS = { jour: 1, mois: 31, trimestre: 92, semestre: 182, an: 365 } as const satisfies Record<Duree, number>
const estDuree = (value: string): value is Duree => (DUREES as readonly string[]).includes(value)

const SECOND = 1000
const MINUTE = 60 * SECOND
const DAY = 24 * 60 * MINUTE

/** Whole seconds, truncated: a moment is never rounded into the future. */
export const aLaSeconde = (date: Date): Date => new Date(Math.floor(date.getTime() / SECOND) * SECOND)

const formats = new Map<string, Intl.DateTimeFormat>()

/** Milliseconds of the zone's wall clock, read as if it were UTC. */
function wall(at: number, fuseau: string): number {
  let format = formats.get(fuseau)
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: fuseau,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    formats.set(fuseau, format)
  }
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
  return Date.UTC(part.year!, part.month! - 1, part.day!, part.hour!, part.minute!, part.second!)
}

/** The date in that zone, 'YYYY-MM-DD'. */
export const jourLocal = (at: Date, fuseau: string): string => new Date(wall(at.getTime(), fuseau)).toISOString().slice(0, 10)

/** 23:59:59 in the structure's zone, the signature's day plus the durée's days. The mandat is no longer in force at that very second. */
export function expiresAt(signedAt: Date, duree: Duree, fuseau: string): Date {
  const day = Date.parse(jourLocal(signedAt, fuseau)) + JOURS[duree] * DAY
  const last = day + DAY - SECOND
  // The zone's offset that evening is the one of the day before or of the day after; of the readings that fall on that day, the later
  // is its last second, even where clocks change at midnight.
  const readings = [last - DAY, last + DAY]
    .map((near) => last - (wall(near, fuseau) - near))
    .filter((at) => Math.floor(wall(at, fuseau) / DAY) * DAY === day)
  return new Date(Math.max(...readings))
}

/** The day shown, 'YYYY-MM-DD': « jusqu'au … au soir ». */
export const dernierJour = (end: Date, fuseau: string): string => jourLocal(end, fuseau)

/** How an autorisation was ended before its date. 'remplace': by a newer accord on the same thématique. */
export const FINS = ['revoque', 'renonce', 'deces', 'protection', 'structure_fermee', 'remplace'] as const
export type Fin = (typeof FINS)[number]

/** [from, until): until is null while nobody has lifted it. `attend`: it waits for an answer to what she contests, and ends with it. */
type Suspension = { from: Date; until: Date | null; attend: boolean }

/** One thématique of one mandat, in force on [signedAt, least(expiresAt, revokedAt)) outside its suspensions. */
export type Autorisation = {
  thematique: Thematique
  signedAt: Date
  expiresAt: Date
  revokedAt: Date | null
  revokedHow: Fin | null
  suspensions: readonly Suspension[]
}

export type Etat = { etat: 'actif' | 'suspendu' | 'expire' } | { etat: 'termine'; how: Fin }

/** In force, paused or not. */
export const isInForce = ({ etat }: { etat: Etat['etat'] | null }): boolean => etat === 'actif' || etat === 'suspendu'

export function etatAutorisation(autorisation: Autorisation, at: Date): Etat {
  const { expiresAt, revokedAt, revokedHow, suspensions } = autorisation
  // Ended stays ended, after its date too.
  if (revokedAt && revokedHow && revokedAt <= at) return { etat: 'termine', how: revokedHow }
  if (expiresAt <= at) return { etat: 'expire' }
  return { etat: suspensions.some(({ from, until }) => from <= at && (!until || at < until)) ? 'suspendu' : 'actif' }
}

/**
 * « Se termine bientôt »: not over, and in the last third of its life, thirty days at most. A mandat of a day ends soon by what it is: nothing is
 * said of it.
 */
export function seTermineBientot({ signedAt, expiresAt }: { signedAt: Date; expiresAt: Date }, now: Date): boolean {
  const [life, left] = [expiresAt.getTime() - signedAt.getTime(), expiresAt.getTime() - now.getTime()]
  return life > 2 * DAY && left > 0 && left <= Math.min(30 * DAY, life / 3)
}

/** True while the identity she proved may still serve: thirty minutes. The worker erases it within a minute after. */
export const identiteTenue = (authTime: Date, now: Date): boolean => now.getTime() - authTime.getTime() <= 30 * MINUTE

export type ActingRefusal = 'structure_suspendue' | 'aidant_suspendu' | 'aidant_hors_structure' | 'cgu_non_acceptees'
export type ChoixRefusal = 'aucune_thematique' | 'thematique_inconnue' | 'thematique_desactivee' | 'duree_inconnue'
export type PersonneRefusal = 'protegee' | 'mineure' | 'majorite_incertaine' | 'aidant_lui_meme'
export type SigningRefusal = ActingRefusal | ChoixRefusal | PersonneRefusal | 'perimetre_elargi' | 'connexion_perimee'

export type Acting = {
  structure: { suspendue: boolean }
  aidant: { suspendu: boolean; dansLaStructure: boolean; cguAcceptees: boolean }
}
type Choix = { thematiques: readonly string[]; duree: string; desactivees: readonly string[] }
type Personne = {
  identite: Identite
  /** Someone is officially in charge of her. */
  protegee: boolean
  aidant: { prenom: string; nom: string; email: string }
  /** 'YYYY-MM-DD' in the structure's zone. */
  today: string
}

/** May this aidant act for this structure at all? */
export function refusalOfActing({ structure, aidant }: Acting): ActingRefusal | undefined {
  if (aidant.suspendu) return 'aidant_suspendu'
  if (!aidant.dansLaStructure) return 'aidant_hors_structure'
  if (structure.suspendue) return 'structure_suspendue'
  if (!aidant.cguAcceptees) return 'cgu_non_acceptees'
  return undefined
}

export function refusalOfChoix({ thematiques, duree, desactivees }: Choix): ChoixRefusal | undefined {
  if (thematiques.length === 0) return 'aucune_thematique'
  if (!thematiques.every(estThematique)) return 'thematique_inconnue'
  if (thematiques.some((thematique) => desactivees.includes(thematique))) return 'thematique_desactivee'
  if (!estDuree(duree)) return 'duree_inconnue'
  return undefined
}

export type DureeRefusal = 'renouvellement_plus_long'
/** A renewal is of the same length or shorter. `duree` is known. */
export const refusalOfDuree = (avant: Duree, duree: string): DureeRefusal | undefined =>
  JOURS[duree as Duree] > JOURS[avant] ? 'renouvellement_plus_long' : undefined

export function refusalOfPersonne({ identite, protegee, aidant, today }: Personne): PersonneRefusal | undefined {
  if (protegee) return 'protegee'
  const age = majorite(identite.birthdate, today)
  if (age === 'mineure') return 'mineure'
  if (age === 'incertaine') return 'majorite_incertaine'
  if (memePersonne(identite, aidant)) return 'aidant_lui_meme'
  return undefined
}

/** What this structure had recorded of the person: her death, and when it last learnt that someone was officially in charge of her affairs. */
export type FinsNotees = { decedee: boolean; protegeeLe: Date | null }
export type NoteesRefusal = 'deces_note' | 'fin_enregistree' | 'protection_notee'

/** A protection may have ended since: whoever signs says so. One recorded after she identified herself is asked about anew, with her. */
export function refusalOfNotees(
  { decedee, protegeeLe }: FinsNotees,
  said: { authTime: Date; mesureFinie: boolean },
): NoteesRefusal | undefined {
  if (decedee) return 'deces_note'
  if (!protegeeLe) return undefined
  if (protegeeLe > said.authTime) return 'fin_enregistree'
  return said.mesureFinie ? undefined : 'protection_notee'
}

export type Signing = {
  structure: Acting['structure'] & { desactivees: readonly string[] }
  aidant: Acting['aidant'] & Personne['aidant']
  /** As fixed before she identified herself. */
  conditions: { perimetre: readonly string[]; duree: string }
  /** What she still grants: she may have unticked some. */
  accordees: readonly string[]
  identite: Identite
  protegee: boolean
  /** FranceConnect's `auth_time`. */
  authTime: Date
  now: Date
  fuseau: string
}

/** Everything that forbids signing and can be told without the provider's evidence (`verifyEvidence`) or the second factor. */
export function refusalOfSigning(signing: Signing): SigningRefusal | undefined {
  const { structure, aidant, conditions, accordees, identite, protegee, authTime, now, fuseau } = signing
  const refusal =
    refusalOfActing({ structure, aidant }) ??
    refusalOfChoix({ thematiques: accordees, duree: conditions.duree, desactivees: structure.desactivees }) ??
    refusalOfPersonne({ identite, protegee, aidant, today: jourLocal(now, fuseau) })
  if (refusal) return refusal
  if (!accordees.every((thematique) => conditions.perimetre.includes(thematique))) return 'perimetre_elargi'
  const age = now.getTime() - authTime.getTime()
  // 30 s of disagreement between the State's clock and ours is ordinary; an identification in the future is not.
  if (age > 30 * MINUTE || age < -30 * SECOND) return 'connexion_perimee'
  return undefined
}
