import type { Mode, Nature, Presence } from '../../src/demarche/demarche.ts'
import type { DemarcheRow } from '../../src/demarche/queries.ts'
import { deLaStructure } from '../../src/structure/nom.ts'
import { more } from '../kit/card.ts'
import { type Html, html } from '../kit/html.ts'
import { facts, type Moment } from '../kit/table.ts'
import {
  CANAL,
  correctionEnMots,
  dateEcrite,
  euros,
  heure,
  jour,
  jourLong,
  MINUTES,
  MOTIF_BLOCAGE,
  REPONSE,
  RESULTAT_POUR_VOUS,
  THEMATIQUE,
  temps,
} from '../kit/words.ts'

/** Between the arrival of her letter and its recording, whoever acted could still. */
const FAITE_APRES = 'Faite après l’arrivée de votre demande d’arrêt.'

/** One act said to the person: who, when, what came of it, what comes next; the rest is folded. */
export const acte = (
  demarche: DemarcheRow,
  options: {
    short?: boolean
    signalee?: boolean
    parCode?: boolean | undefined
    /** On its own page. */
    seul?: boolean
  } = {},
): Moment => {
  const { doneAt, fuseau, genre, correction, contestation } = demarche
  const corrigee = correctionEnMots(demarche)
  const contestee = desaccord(demarche)
  return {
    when: temps(doneAt, `${jourLong(doneAt, fuseau)}, à ${heure(doneAt, fuseau)}`),
    what:
      titreEnClair(demarche) ?? (demarche.thematique ? 'Une démarche (son détail n’est plus gardé)' : 'Démarche confidentielle'),
    who: qui(demarche),
    more: html`${!correction?.annulee && html`<p>${issue(demarche)}</p>`}
    ${corrigee && html`<p><strong>${corrigee}</strong></p>`}
    ${apart(demarche)}
    ${options.signalee && html`<p><strong>${FAITE_APRES}</strong></p>`}
    ${suite(demarche)}
    ${!options.seul && demarche.thematique !== null && html`${contestee}<p><a href="/mon-espace/demarches/${demarche.id}">${contestee ? 'Lire ce qui a été dit' : 'Je ne suis pas d’accord'}</a></p>`}
    ${!options.short && more('Tous les détails', html`${details(demarche)}${!options.parCode && preuve(demarche)}`)}
    ${!options.short && correction?.avant && more('Ce qui était noté d’abord', avant(correction.avant))}`,
    kind: genre === 'reguliere' && !options.signalee && !correction && !contestation ? 'ordinary' : 'apart',
  }
}

/** That she does not agree, and what was answered. */
const desaccord = ({ contestation, fuseau }: DemarcheRow): Html | null => {
  if (!contestation) return null
  const { contestedAt, answeredAt, reponse } = contestation
  const fin =
    answeredAt && reponse ? html`Réponse du ${jour(answeredAt, fuseau)} : « ${REPONSE[reponse]} »` : 'Pas encore de réponse.'
  return html`<p>Vous avez dit que vous n’êtes pas d’accord, le ${jour(contestedAt, fuseau)}. ${fin}</p>`
}

/** As it was before it was corrected: nothing is replaced. */
const avant = (demarche: DemarcheRow): Html =>
  html`<p>${titreEnClair(demarche)}</p><p>${issue(demarche)}</p>${suite(demarche)}${details(demarche)}`

/** « Awa Diallo, du CCAS de Figeac ». */
export const qui = ({
  aidantPrenom,
  aidantNom,
  structureNom,
}: Pick<DemarcheRow, 'aidantPrenom' | 'aidantNom' | 'structureNom'>) =>
  `${aidantPrenom} ${aidantNom}, ${deLaStructure(structureNom)}`

const issue = ({ resultat, motifBlocage }: DemarcheRow) =>
  html`${RESULTAT_POUR_VOUS[resultat]}${motifBlocage && ` Pourquoi : ${MOTIF_BLOCAGE[motifBlocage].toLowerCase()}.`}`

const apart = ({ genre, recordedAt, fuseau, motifHorsMandat }: DemarcheRow): Html | false => {
  if (genre === 'apres_coup') return html`<p>L’aidant l’a écrit plus tard, le ${jour(recordedAt, fuseau)}.</p>`
  if (genre !== 'hors_mandat') return false
  return html`<p><strong>Votre mandat ne permettait pas cette démarche.</strong>${motifHorsMandat && html` Pourquoi l’aidant l’a faite : « ${motifHorsMandat} »`}</p>`
}

/** What comes next, and whose turn it is. */
const suite = ({ etapeQuoi, etapeQui, etapeQuand, resultat, titre, aidantPrenom, aidantNom }: DemarcheRow): Html | false => {
  if (etapeQuoi === null)
    return (
      resultat === 'a_faire_par_la_personne' &&
      titre !== null &&
      html`<p>Demandez à ${aidantPrenom} ${aidantNom} ce qu’il vous reste à faire.</p>`
    )
  return html`<p>${ENSUITE[etapeQui ?? 'aucun']} ${etapeQuoi}${etapeQuand && html`, <strong>pour le ${dateEcrite(etapeQuand)}</strong>`}</p>`
}

const ENSUITE = {
  personne: html`<strong>À vous de faire :</strong>`,
  aidant: 'L’aidant doit encore :',
  administration: 'L’administration doit encore :',
  aucun: 'Ensuite :',
}

/** How it was done and whether she was there: one thing to her, that must not say both yes and no. */
const FAIT = {
  avec_la_personne: {
    presente: 'Avec vous, sur place',
    absente_prevenue: 'Avec vous, à distance',
    absente: 'Avec vous, à distance',
  },
  a_sa_place: {
    presente: 'À votre place, devant vous',
    absente_prevenue: 'À votre place, sans vous : l’aidant dit que vous le saviez',
    absente: 'À votre place, sans vous',
  },
  seule_avec_appui: {
    presente: 'Par vous-même, avec un appui',
    absente_prevenue: 'Par vous-même, avec un appui à distance',
    absente: 'Par vous-même, avec un appui à distance',
  },
} as const satisfies Record<Mode, Record<Presence, string>>

const NATURE_POUR_VOUS = {
  demande: 'Une demande',
  renouvellement: 'Un renouvellement',
  declaration: 'Une déclaration',
  changement_de_situation: 'Un changement à signaler',
  consultation: 'Regarder un dossier',
  suivi: 'Savoir où en est une demande',
  reclamation: 'Une réclamation',
  paiement: 'Un paiement',
  prise_de_rendez_vous: 'Prendre un rendez-vous',
  creation_de_compte: 'Ouvrir un compte sur un site',
} as const satisfies Record<Nature, string>

/** The trade's short names, said whole. */
const TITRE: Readonly<Record<string, string>> = {
  apa: 'Demander l’aide à domicile (APA)',
  aspa: 'Demander le minimum vieillesse (ASPA)',
  cada: 'Se plaindre de ne pas recevoir un document (CADA)',
  cmi: 'Carte mobilité inclusion : suivi ou nouvelle carte',
  'cnil-plainte': 'Se plaindre de l’usage de ses données (CNIL)',
  ehpad: 'Chercher une place en maison de retraite (EHPAD)',
  'ft-actualisation': 'Dire chaque mois sa situation à France Travail',
  hlm: 'Demander un logement social (HLM)',
  'ij-attestation': 'Obtenir le relevé de ses arrêts maladie payés',
  jdc: 'S’inscrire au recensement et à la journée de défense',
  mdph: 'Demander une aide handicap',
  'msa-espace': 'Regarder son espace de la Mutualité sociale agricole (MSA)',
  'permis-neph': 'S’inscrire au permis de conduire',
  'rsa-demande': 'Demander le revenu de solidarité (RSA)',
  'rsa-dtr': 'Déclarer ses ressources pour le RSA (3 mois)',
  'titre-sejour-vls': 'Valider son visa',
}
const ADMINISTRATION: Readonly<Record<string, string>> = {
  'Agirc-Arrco': 'Retraite complémentaire (Agirc-Arrco)',
  ANTAI: 'Service des amendes (ANTAI)',
  'ANTS/France Titres': 'France Titres (papiers, permis, cartes grises)',
  CADA: 'Commission d’accès aux documents (CADA)',
  CAF: 'Caisse d’allocations familiales (CAF)',
  'CAF/MSA': 'Caisse d’allocations familiales (CAF) ou MSA',
  'CARSAT/CNAV': 'Caisse de retraite',
  'CARSAT/MSA': 'Caisse de retraite',
  CNIL: 'Protection des données (CNIL)',
  CPAM: 'Assurance maladie (CPAM)',
  'CPAM/MSA': 'Assurance maladie (CPAM) ou MSA',
  CROUS: 'Services des étudiants (CROUS)',
  DGFiP: 'Impôts',
  MDPH: 'Maison du handicap (MDPH)',
  'MDPH / IN Groupe': 'Maison du handicap (MDPH)',
  MSA: 'Mutualité sociale agricole (MSA)',
  OFPRA: 'Protection des réfugiés (OFPRA)',
  SCEC: 'État civil des Français nés à l’étranger, à Nantes',
  'SNE / bailleur': 'Demande de logement social, ou bailleur',
}

/** What was done, in words that are not the trade's. */
export const titreEnClair = ({ code, titre }: Pick<DemarcheRow, 'code' | 'titre'>): string | null =>
  (code !== null && titre !== null && TITRE[code]) || titre
export const administrationEnClair = (administration: string) => ADMINISTRATION[administration] ?? administration

const preuve = ({ id }: DemarcheRow): Html =>
  html`<p><a href="/mon-espace/demarches/${id}/preuve.tlog-proof">La preuve de cette ligne</a>, un fichier qui permet de montrer qu’elle n’a pas été modifiée depuis.</p>`

/** Everything that was recorded of it. */
const details = (demarche: DemarcheRow): Html => {
  const { thematique, nature, administration, mode, presence, canal, dureeMinutes, reference, montantCentimes } = demarche
  const { orientation, note, recordedAt, fuseau } = demarche
  return facts([
    { term: 'Noté ainsi', value: demarche.titre !== titreEnClair(demarche) && demarche.titre },
    { term: 'Thème', value: thematique && THEMATIQUE[thematique].titre },
    { term: 'Auprès de', value: administration && administrationEnClair(administration) },
    { term: 'C’était', value: nature && NATURE_POUR_VOUS[nature] },
    { term: 'Comment', value: canal && CANAL[canal] },
    { term: 'Fait', value: mode && presence && FAIT[mode][presence] },
    { term: 'Temps passé', value: dureeMinutes && MINUTES[dureeMinutes] },
    { term: 'Argent', value: montantCentimes !== null && euros(montantCentimes) },
    { term: 'Numéro de dossier', value: reference },
    { term: 'On vous a conseillé', value: orientation },
    { term: 'Note de l’aidant', value: note },
    { term: 'Écrit dans le journal', value: temps(recordedAt, `${jour(recordedAt, fuseau)} à ${heure(recordedAt, fuseau)}`) },
  ])
}
