import type { Maniere } from '../mandat/fin.ts'

/** Why she does not agree with an act; a closed list, since a journal's line holds no free text. */
export const MOTIFS_CONTESTATION = ['pas_demande', 'pas_au_courant', 'inexact', 'autre'] as const
export type MotifContestation = (typeof MOTIFS_CONTESTATION)[number]

/** What the direction answers: `corrigee` once the act is corrected; `reconnue`, it should not have been done; `maintenue`, and why. */
export const REPONSES = ['corrigee', 'reconnue', 'maintenue'] as const
export type Reponse = (typeof REPONSES)[number]

/** Beyond, the direction's list says that it is late, and she is shown first where else to turn. */
export const REPONSE_JOURS = 15
export const enRetard = ({ contestedAt, answeredAt }: { contestedAt: Date; answeredAt: Date | null }, now: Date): boolean =>
  !answeredAt && now.getTime() - contestedAt.getTime() > REPONSE_JOURS * 86_400_000

/** How she may tell it to the structure: no paper has a slip for that. */
export const MANIERES_DE_LE_DIRE = ['courrier', 'telephone', 'visite', 'email'] as const satisfies readonly Maniere[]
/** How a contestation came to the structure, when an aidant recorded it. */
export type Recue = { aidantId: string; maniere: Maniere; recuLe: Date }
