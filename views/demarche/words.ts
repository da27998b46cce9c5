import type { Alerte, Kind } from '../../src/demarche/demarche.ts'
import type { RecordRefusal } from '../../src/demarche/record.ts'
import { type Autorisation, etatAutorisation, type Thematique } from '../../src/mandat/mandat.ts'
import { auSoir, deMots, FIN, jourEtHeure } from '../kit/words.ts'

/** One sentence for each reason a démarche is not recorded. `hors_mandat` is said by `pourquoiHorsMandat`. */
export const REFUSAL = {
  introuvable: 'Ce mandat n’existe pas dans votre structure.',
  demarche_inconnue: 'Cette démarche n’est pas dans la liste : choisissez-en une autre, ou écrivez-la.',
  sans_titre: 'Écrivez quelle démarche a été faite.',
  done_at_futur: 'La date « faite le » n’est pas encore passée : une démarche se note quand elle est faite.',
  montant_sans_presence:
    'Un paiement ne se fait pas en l’absence de la personne : c’est elle qui tape sa carte. Si elle était là, choisissez « La personne était là ».',
  ensemble_sans_elle:
    'Une démarche faite avec la personne, ou par elle, ne se fait pas sans elle. Choisissez « À sa place » ou, si elle y a pris part à distance, « Absente, mais prévenue ».',
  hors_mandat: 'Cette démarche est hors du mandat.',
  envoi_deja_utilise: 'Ce formulaire avait déjà servi pour un autre mandat : vérifiez-le, puis enregistrez à nouveau.',
  deja_notee: 'Vous avez déjà noté cette démarche.',
  aidant_inactif: 'Vous n’êtes plus habilité pour cette structure : parlez-en à votre référent.',
  dossier_referme: 'Le dossier s’est refermé pendant que vous écriviez : ouvrez-le à nouveau, puis enregistrez.',
} as const satisfies Record<RecordRefusal, string>

/** Why an act done at this moment is outside the mandat. */
export function pourquoiHorsMandat(
  autorisation: Autorisation | undefined,
  thematique: Thematique,
  doneAt: Date,
  fuseau: string,
): string {
  const mots = deMots([thematique])
  if (!autorisation) return `Le mandat ne couvre pas les démarches ${mots}.`
  const { signedAt, expiresAt, revokedAt, revokedHow } = autorisation
  if (doneAt < signedAt) return `Elle a été faite avant le mandat, signé le ${jourEtHeure(signedAt, fuseau)}.`
  if (revokedAt && revokedHow && revokedAt <= doneAt)
    return `Elle a été faite après l’arrêt des démarches ${mots}, le ${jourEtHeure(revokedAt, fuseau)}, ${FIN[revokedHow]}.`
  if (etatAutorisation(autorisation, doneAt).etat === 'suspendu') return `Les démarches ${mots} étaient en pause à ce moment-là.`
  return `Elle a été faite après la fin du mandat, le ${auSoir(expiresAt, fuseau)}.`
}

/** Said beside a démarche of the catalogue, to the aidant. */
const ALERTE = {
  paiement: 'S’il faut payer, la personne doit être là, et taper elle-même sa carte.',
  signature_personne: 'La personne signe elle-même : vous ne pouvez que préparer.',
  timbre: 'Un timbre fiscal est à payer : c’est la personne qui le paie.',
  fraude: 'Attention aux faux sites et aux faux conseillers.',
  reclamation: 'Ne sera lue que par la personne et par vous.',
  patrimoine: 'Les sommes versées peuvent être reprises sur la succession : dites-le à la personne.',
  donnees_sante: 'Touche à la santé : son nom n’apparaîtra pas dans les listes.',
  donnees_penales: 'Touche à la justice pénale : son nom n’apparaîtra pas dans les listes.',
} as const satisfies Record<Exclude<Alerte, `echeance:${string}`>, string>

/** The warnings of a démarche of the catalogue, and apart from them when it is due. */
export function alertesEnMots(alertes: readonly Alerte[]): { alerte: string | undefined; echeance: string | undefined } {
  const due = alertes.find(isEcheance)?.slice('echeance:'.length)
  const said = alertes.flatMap((alerte) => (isEcheance(alerte) ? [] : ALERTE[alerte]))
  return { alerte: said.join(' ') || undefined, echeance: due && `Échéance : ${due}` }
}
const isEcheance = (alerte: Alerte): alerte is `echeance:${string}` => alerte.startsWith('echeance:')

/** What the kind means, for whoever reads a démarche. */
export const KIND_EXPLIQUE = {
  reguliere: undefined,
  apres_coup: 'Faite pendant le mandat, notée plus tard : les deux dates sont gardées.',
  hors_mandat: 'Faite hors du mandat : la personne et le référent de la structure le voient.',
} as const satisfies Record<Kind, string | undefined>
