import type { Equipe } from '../../src/aidant/equipe.ts'
import type { ActionCherchee, MotifOuverture } from '../../src/audit/audit.ts'
import type { LigneRow, PapierDit } from '../../src/audit/queries.ts'
import type { Action } from '../../src/journal/entry.ts'
import { type Html, html, type Words } from '../kit/html.ts'
import { DUREE, enMots, FIN, jourEtHeure, MANIERE, nomCourant, RESULTAT, THEMATIQUE } from '../kit/words.ts'

export const MOTIF_OUVERTURE = {
  demande_de_la_personne: 'À la demande de la personne',
  reclamation: 'Pour répondre à la personne',
  controle: 'Pour un contrôle',
  depart_aidant: 'Parce qu’un aidant est parti',
  urgence: 'En urgence',
  autre: 'Pour une autre raison',
} as const satisfies Record<MotifOuverture, string>

export const ACTION = {
  mandat_signe: 'Mandat signé',
  demarche_realisee: 'Démarche',
  acte_hors_mandat: 'Acte hors mandat',
  demarche_corrigee: 'Démarche corrigée',
  demarche_contestee: 'Démarche contestée',
  contestation_repondue: 'Réponse à une contestation',
  apres_coup: 'Démarche notée après coup',
  autorisation_revoquee: 'Thématique arrêtée',
  arret_recu: 'Demande d’arrêt arrivée avant la fin',
  autorisation_remplacee: 'Thématique remplacée',
  autorisation_suspendue: 'Thématique mise en pause',
  autorisation_retablie: 'Thématique reprise',
  mandat_termine: 'Mandat arrêté',
  mandat_expire: 'Mandat arrivé à sa fin',
  dossier_ouvert: 'Dossier ouvert par un référent',
  attestation_imprimee: 'Papier imprimé',
  identite_modifiee: 'Identité mise à jour',
  contact_modifie: 'Contact mis à jour',
  aidant_ajoute: 'Aidant ajouté',
  aidant_suspendu: 'Aidant suspendu',
  aidant_retabli: 'Aidant rétabli',
  structure_modifiee: 'Référents, moyens de connexion, thématiques',
  export: 'Journal exporté',
} as const satisfies Record<ActionCherchee | 'apres_coup', string>

/** What else may stand in a journal: nobody looks for it, or nothing writes it yet. */
const RARE = {
  session_deleguee: 'Session déléguée',
  structure_ajoutee: 'Structure ajoutée',
  cle_publiee: 'Clé de scellement publiée',
  cle_compromise: 'Clé de scellement déclarée volée',
  jwks_archive: 'Clés de FranceConnect archivées',
  donnees_effacees: 'Données effacées',
  restauration: 'Sauvegarde restaurée',
} as const satisfies Record<Exclude<Action, ActionCherchee>, string>

const titre = (action: Action): string => ({ ...ACTION, ...RARE })[action]

const PAPIER = {
  mandat: 'Mandat imprimé',
  guichet: 'Fiche guichet imprimée',
  pour_vous: 'Feuille « Pour vous seulement » imprimée (nouveau code)',
  arret: 'Attestation d’arrêt imprimée',
  preuve: 'Fichier de preuve téléchargé',
} as const satisfies Record<PapierDit, string>

/** Of a person whose dossier is archived, or who is erased: her name and the words are not the structure's to read any more. */
const dossierFerme = ({ usagerId, nomNaissance }: LigneRow): boolean => usagerId !== null && nomNaissance === null

const EQUIPE = {
  referent_designe: 'Référent nommé',
  referent_retire: 'N’est plus référent',
  facteur_reinitialise: 'Second facteur réinitialisé',
  facteur_ajoute: 'Moyen de connexion ajouté',
  facteur_retire: 'Moyen de connexion retiré',
} as const satisfies Record<Equipe, string>

/** What a line says was done, in plain French. */
export function faitEnMots(ligne: LigneRow): string {
  const { action, thematique, perimetre, duree, how, papier, equipe, cibleNom } = ligne
  if (dossierFerme(ligne)) return titre(action)
  if (action === 'demarche_realisee' && !ligne.titre) return 'Démarche confidentielle'
  const complement = cibleNom
    ? `${ligne.ciblePrenom} ${cibleNom}`
    : action === 'demarche_realisee' || action === 'acte_hors_mandat' || action === 'demarche_corrigee'
      ? (ligne.titre ?? 'démarche confidentielle')
      : action === 'mandat_signe' && perimetre
        ? [enMots(perimetre), duree && DUREE[duree].toLocaleLowerCase('fr')].filter(Boolean).join(', ')
        : action === 'dossier_ouvert' && ligne.motif
          ? MOTIF_OUVERTURE[ligne.motif].toLocaleLowerCase('fr')
          : thematique && THEMATIQUE[thematique].titre
  const start = `${papier ? PAPIER[papier] : equipe ? EQUIPE[equipe] : action === 'structure_modifiee' ? 'Thématiques de la structure changées' : titre(action)}${how && how !== 'remplace' ? ` ${FIN[how]}` : ''}`
  return complement ? `${start} : ${complement}` : start
}

/** Of a démarche whose title is shown: its thématique and its result, unless it was noted by mistake. Apart from the title, which may bear brackets and commas of its own. */
export const detailEnMots = ({ titre, thematique, resultat, annulee }: LigneRow): string | undefined =>
  titre !== null && thematique !== null
    ? `${THEMATIQUE[thematique].titre}${resultat && !annulee ? `, ${RESULTAT[resultat].toLocaleLowerCase('fr')}` : ''}`
    : undefined

/** Of a stop that an aidant recorded: how the request came, and when. */
export const receptionEnMots = ({ maniere, recuLe }: LigneRow, fuseau: string): string | null =>
  maniere && (recuLe ? `Demande reçue ${MANIERE[maniere]}, le ${jourEtHeure(recuLe, fuseau)}` : `Demandée ${MANIERE[maniere]}`)

const QUI = {
  usager: 'La personne elle-même',
  aidant: 'Un aidant',
  systeme: 'Le service',
  operateur: 'L’exploitant du service',
} as const

/** Who did it. */
export const quiEnMots = ({ acteur, aidantPrenom, aidantNom }: LigneRow): string =>
  acteur === null
    ? 'La personne, ou un référent en lui répondant'
    : acteur === 'aidant' && aidantNom
      ? `${aidantPrenom} ${aidantNom}`
      : QUI[acteur]

/** About whom; a link where there is one is the page's to make. */
export const personneEnMots = ({ prenoms, nomNaissance, nomUsage }: LigneRow): string =>
  prenoms && nomNaissance ? nomCourant({ prenoms, nomNaissance, nomUsage }) : 'une personne dont le dossier est archivé ou effacé'

/** When it was done, where that is not when it was written. */
export const faiteLe = ({ action, genre, doneAt }: LigneRow, fuseau: string): string | null =>
  doneAt && (action === 'acte_hors_mandat' || genre === 'apres_coup') ? jourEtHeure(doneAt, fuseau) : null

/** « Raison : … », or nothing. */
export const raison = (words: Words | null): Html | undefined => (words ? html`<p>Raison : ${words}</p>` : undefined)
