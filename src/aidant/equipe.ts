/** Days that the link of an invitation serves; the database's `invitation_ouverte` holds to it. */
export const INVITATION_JOURS = 7
/** Days without a sign of her in a structure: she is told, then suspended there. */
export const ALERTE_JOURS = 90
export const INACTIVITE_JOURS = 180
/** Days between the two, at least: the service itself may have been away. */
export const PREAVIS_JOURS = 30

type Present = { depuis: Date; endedAt: Date | null; suspendedAt: Date | null }
/** Days without a sign of someone who may act, once she is told of it; undefined before. */
export function joursInactif({ depuis, endedAt, suspendedAt }: Present, now: Date): number | undefined {
  const days = Math.floor((now.getTime() - depuis.getTime()) / 86_400_000)
  return !endedAt && !suspendedAt && days >= ALERTE_JOURS ? days : undefined
}

/** What a référent does to someone of her team; the database's `changer_habilitation` holds to it. */
export const GESTES = ['suspendre', 'retablir', 'designer', 'retirer'] as const
export type Geste = (typeof GESTES)[number]

/** What the direction decides of the team, or an aidant of her ways in, and no action of the journal names: written in a `structure_modifiee` line. */
export type Equipe = 'referent_designe' | 'referent_retire' | 'facteur_reinitialise' | 'facteur_ajoute' | 'facteur_retire'

type Membre = { referent: boolean; endedAt: Date | null }
export type GesteRefusal = 'deja_fait' | 'dernier_referent'

export const gestesDe = ({ referent, endedAt }: Membre): Geste[] =>
  endedAt ? ['retablir'] : [referent ? 'retirer' : 'designer', 'suspendre']

/** Why this cannot be done; `seule`: nobody else directs the structure (case 44). */
export function refusalOfGeste(membre: Membre, geste: Geste, seule: boolean): GesteRefusal | undefined {
  if (!gestesDe(membre).includes(geste)) return 'deja_fait'
  return membre.referent && seule && geste !== 'retablir' ? 'dernier_referent' : undefined
}
