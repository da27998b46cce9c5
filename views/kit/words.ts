import type { MotifContestation, Reponse } from '../../src/demarche/contestation.ts'
import type {
  Canal,
  DureeMinutes,
  EtapeQui,
  Kind,
  Mode,
  MotifBlocage,
  Nature,
  Presence,
  Resultat,
} from '../../src/demarche/demarche.ts'
import type { DemarcheRow } from '../../src/demarche/queries.ts'
import type { Maniere } from '../../src/mandat/fin.ts'
import { type Duree, type Fin, type Etat as RuleEtat, THEMATIQUES, type Thematique } from '../../src/mandat/mandat.ts'
import type { Contacts } from '../../src/usager/queries.ts'
import { type Html, html } from './html.ts'

export type Etat = RuleEtat['etat']

/** The ten thématiques, in the State's order: `titre`, `exemples`, and `mots` as they are said in a sentence (all of what is granted, never less). */
export const THEMATIQUE = {
  papiers: {
    titre: 'Papiers - Citoyenneté - Élections',
    exemples: 'état civil, passeport, carte d’identité, élections',
    mots: ['papiers'],
  },
  famille: { titre: 'Famille - Scolarité', exemples: 'allocations familiales, naissance, école', mots: ['famille', 'école'] },
  social: { titre: 'Social - Santé', exemples: 'carte Vitale, handicap, RSA, grand âge', mots: ['santé', 'aides sociales'] },
  travail: { titre: 'Travail - Formation', exemples: 'chômage, retraite, formation', mots: ['travail', 'formation', 'retraite'] },
  logement: { titre: 'Logement', exemples: 'aide au logement, logement social, énergie', mots: ['logement'] },
  transports: { titre: 'Transports - Mobilité', exemples: 'carte grise, permis, amendes', mots: ['transports'] },
  argent: {
    titre: 'Argent - Impôts - Consommation',
    exemples: 'impôts, fraude à la carte bancaire, surendettement',
    mots: ['impôts', 'budget', 'consommation'],
  },
  justice: { titre: 'Justice', exemples: 'casier judiciaire, aide juridictionnelle', mots: ['justice'] },
  etranger: {
    titre: 'Étranger - Europe',
    exemples: 'titre de séjour, attestation d’accueil',
    mots: ['séjour en France', 'droits en Europe'],
  },
  loisirs: { titre: 'Loisirs - Sport - Culture', exemples: 'permis bateau, associations', mots: ['loisirs', 'sport', 'culture'] },
} as const satisfies Record<Thematique, { titre: string; exemples: string; mots: readonly string[] }>

/** Shown wherever `argent` is chosen: to the person, and to the aidant of her. */
export const AVERTISSEMENT_ARGENT =
  'Un dossier de surendettement peut être préparé avec vous, mais c’est vous qui le signez (article R. 721-2 du code de la consommation).'
export const AVERTISSEMENT_ARGENT_AIDANT =
  'Un dossier de surendettement peut être préparé avec la personne, mais c’est elle qui le signe (article R. 721-2 du code de la consommation).'

export const DUREE = {
  jour: 'Une journée, jusqu’au lendemain soir',
  mois: '1 mois (31 jours)',
  trimestre: '3 mois (92 jours)',
  semestre: '6 mois (182 jours)',
  an: '1 an (365 jours)',
} as const satisfies Record<Duree, string>

export const ETAT = {
  actif: 'En cours',
  suspendu: 'En pause',
  expire: 'Arrivé à sa fin',
  termine: 'Arrêté',
} as const satisfies Record<Etat, string>

/** How a mandat ended before its date, after « Arrêté » or « Ce mandat a été arrêté ». */
export const FIN = {
  revoque: 'à la demande de la personne',
  renonce: 'par la structure',
  deces: 'par le décès de la personne',
  protection: 'par une mesure de protection',
  structure_fermee: 'par la fermeture de la structure',
  remplace: 'par un nouveau mandat',
} as const satisfies Record<Fin, string>

/** How a request to stop, or to pause, came: « reçue par courrier ». One slip serves for both. */
export const MANIERE = {
  bulletin: 'par le bulletin en bas de la feuille',
  courrier: 'par courrier',
  telephone: 'par téléphone',
  visite: 'de vive voix',
  email: 'par e-mail',
} as const satisfies Record<Maniere, string>

/** Of a démarche done between the receipt of a stop and its recording. */
export const FAITE_APRES_DEMANDE = 'Faite après l’arrivée de la demande d’arrêt'

export const KIND = {
  reguliere: 'Démarche',
  apres_coup: 'Notée après coup',
  hors_mandat: 'Acte hors mandat',
} as const satisfies Record<Kind, string>

export const RESULTAT = {
  deposee: 'Déposée',
  terminee: 'Terminée',
  en_attente: 'En attente',
  bloquee: 'Bloquée',
  refusee: 'Refusée',
  abandonnee: 'Abandonnée',
  a_faire_par_la_personne: 'À faire par la personne',
} as const satisfies Record<Resultat, string>

/** The same, said to the person about her own démarches. */
export const RESULTAT_POUR_VOUS = {
  deposee: 'La demande est envoyée.',
  terminee: 'C’est fait.',
  en_attente: 'On attend une réponse.',
  bloquee: 'C’est bloqué pour le moment.',
  refusee: 'La réponse est non.',
  abandonnee: 'La démarche est abandonnée.',
  a_faire_par_la_personne: 'C’est à vous de continuer.',
} as const satisfies Record<Resultat, string>

export const NATURE = {
  demande: 'Demande',
  renouvellement: 'Renouvellement',
  declaration: 'Déclaration',
  changement_de_situation: 'Changement de situation',
  consultation: 'Consultation',
  suivi: 'Suivi',
  reclamation: 'Réclamation',
  paiement: 'Paiement',
  prise_de_rendez_vous: 'Prise de rendez-vous',
  creation_de_compte: 'Création de compte',
} as const satisfies Record<Nature, string>

export const MODE = {
  avec_la_personne: 'Avec la personne',
  a_sa_place: 'À sa place',
  seule_avec_appui: 'Par elle-même, avec un appui',
} as const satisfies Record<Mode, string>

export const PRESENCE = {
  presente: 'La personne était là',
  absente_prevenue: 'Absente, mais prévenue',
  absente: 'Absente',
} as const satisfies Record<Presence, string>

export const CANAL = {
  en_ligne_franceconnect: 'En ligne, avec FranceConnect',
  en_ligne_autre: 'En ligne, autrement',
  telephone: 'Par téléphone',
  courrier: 'Par courrier',
  guichet: 'Au guichet',
  email: 'Par e-mail',
  visio: 'En visio',
  messagerie: 'Par messagerie',
} as const satisfies Record<Canal, string>

export const MOTIF_BLOCAGE = {
  site_indisponible: 'Site indisponible',
  compte_impossible: 'Compte impossible à créer ou à ouvrir',
  piece_manquante: 'Pièce manquante',
  identite_non_reconnue: 'Identité non reconnue',
  pas_d_interlocuteur: 'Pas d’interlocuteur',
  delai_anormal: 'Délai anormal',
  langue: 'Langue',
  autre: 'Autre raison',
} as const satisfies Record<MotifBlocage, string>

export const MINUTES = {
  5: '5 minutes',
  15: '15 minutes',
  30: '30 minutes',
  45: '45 minutes',
  60: '1 heure',
  90: '1 h 30',
  120: '2 heures',
} as const satisfies Record<DureeMinutes, string>

/** Whose turn it is, before what there is to do. */
export const ETAPE_QUI = {
  personne: 'La personne',
  aidant: 'L’aidant',
  administration: 'L’administration',
} as const satisfies Record<EtapeQui, string>

/** As she says it. */
export const MOTIF_CONTESTATION = {
  pas_demande: 'Je n’ai pas demandé cela',
  pas_au_courant: 'Je n’étais pas au courant',
  inexact: 'Ce n’est pas exact',
  autre: 'Autre chose',
} as const satisfies Record<MotifContestation, string>

/** As the direction says it to her. */
export const REPONSE = {
  corrigee: 'Vous avez raison : c’est corrigé',
  reconnue: 'Vous avez raison : cela n’aurait pas dû être fait',
  maintenue: 'Nous maintenons ce qui a été fait',
} as const satisfies Record<Reponse, string>

// Sentences

const NBSP = '\u00a0'

/** « logement, papiers et impôts ». */
export const liste = (mots: readonly string[]): string =>
  mots.length < 2 ? (mots[0] ?? '') : `${mots.slice(0, -1).join(', ')} et ${mots.at(-1)}`

const motsDe = (perimetre: readonly Thematique[]) =>
  THEMATIQUES.filter((one) => perimetre.includes(one)).flatMap((one) => THEMATIQUE[one].mots)

/** « papiers, logement et impôts »: the thématiques in their order, as one says them. */
export const enMots = (perimetre: readonly Thematique[]): string => liste(motsDe(perimetre))

/** « de papiers, de logement et d’impôts », after « mes démarches ». */
export const deMots = (perimetre: readonly Thematique[]): string => liste(motsDe(perimetre).map(de))

/** « de logement », « d’impôts ». */
export const de = (mot: string): string => (/^[aeiouyâàéèêëîïôûh]/i.test(mot) ? `d’${mot}` : `de ${mot}`)

/** « 3 démarches », « 1 démarche », « Aucune démarche » with `none`. */
export const pluriel = (count: number, one: string, several = `${one}s`, none?: string): string =>
  count === 0 && none !== undefined ? none : `${nombre(count)}${NBSP}${count < 2 ? one : several}`

/** « 12 345 ». */
export const nombre = (count: number): string => new Intl.NumberFormat('fr-FR').format(count).replaceAll(/[\u0020\u202f]/g, NBSP)

/** Cents to « 12,50 € ». */
export const euros = (cents: number): string =>
  new Intl.NumberFormat('fr-FR', { style: 'currency', currency: 'EUR' }).format(cents / 100).replaceAll(/[\u0020\u202f]/g, NBSP)

/** « Le CCAS… » at the start of a sentence. */
export const majuscule = (words: string): string => words.charAt(0).toLocaleUpperCase('fr') + words.slice(1)

/** « 06 12 34 56 78 », as one says it in France and overseas; another country's as it is. */
export const telephoneEnMots = (telephone: string): string =>
  telephone
    .replace(/[\s.-]/g, '')
    .replace(/^\+(?:33|262|590|594|596)/, '0')
    .replace(/^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/, '$1\u00a0$2\u00a0$3\u00a0$4\u00a0$5')

/** The same, that a touch calls (RFC 3966): to call is often her only way to stop. What is not a number is only said. */
export const telephoneAAppeler = (telephone: string): Html | string => {
  const number = telephone
    .replace(/[\s.-]/g, '')
    .replace(/^0(?=(?:262|263|269|639|692|693)\d{6}$)/, '+262')
    .replace(/^0(?=(?:590|690|691)\d{6}$)/, '+590')
    .replace(/^0(?=[56]94\d{6}$)/, '+594')
    .replace(/^0(?=(?:596|696|697)\d{6}$)/, '+596')
    .replace(/^0(?=\d{9}$)/, '+33')
  return /^\+\d{8,15}$/.test(number)
    ? html`<a href="tel:${number}">${telephoneEnMots(telephone)}</a>`
    : telephoneEnMots(telephone)
}

// Names and births, as FranceConnect gives them

type Nom = {
  /** All first names. */
  prenoms: readonly string[]
  nomNaissance: string
  /** Absent when it is the birth name. */
  nomUsage?: string | null | undefined
}

const propre = (words: string) => words.trim().replace(/\s+/g, ' ')
const usage = (nom: Nom) => propre(nom.nomUsage ?? '') || propre(nom.nomNaissance)

/** « Angela Dubois »: first first name and the name in use, for lists and greetings. */
export const nomCourant = (nom: Nom): string => propre(`${nom.prenoms[0] ?? ''} ${usage(nom)}`)

/** « Angela Claire Louise Dubois (nom de naissance : Durand) »: for what is agreed to and printed. */
export const nomComplet = (nom: Nom): string => {
  const whole = propre(`${nom.prenoms.join(' ')} ${usage(nom)}`)
  return usage(nom) === propre(nom.nomNaissance) ? whole : `${whole} (nom de naissance${NBSP}: ${propre(nom.nomNaissance)})`
}

const MOIS = [
  'janvier',
  'février',
  'mars',
  'avril',
  'mai',
  'juin',
  'juillet',
  'août',
  'septembre',
  'octobre',
  'novembre',
  'décembre',
] as const
const quantieme = (day: number) => (day === 1 ? '1er' : String(day))

/** A date written `1950-03-12`, `1950-03` or `1950` (a birth may be known in part): « 12 mars 1950 », « mars 1950 (jour inconnu) », « 1950 (jour et mois inconnus) ». */
export const dateEcrite = (date: string): string => {
  const [, year, month, day] = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/.exec(date) ?? []
  const mois = MOIS[Number(month) - 1]
  if (year === undefined) return date
  if (mois === undefined) return `${year} (jour et mois inconnus)`
  if (day === undefined || day === '00') return `${mois}${NBSP}${year} (jour inconnu)`
  return `${quantieme(Number(day))}${NBSP}${mois} ${year}`
}

// Dates and hours: always in a stated time zone (the structure's)

const formats = new Map<string, Intl.DateTimeFormat>()
const parts = (at: Date, zone: string) => {
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat('fr-FR', {
      timeZone: zone,
      hourCycle: 'h23',
      weekday: 'long',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: '2-digit',
    })
  formats.set(zone, format)
  const found = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]))
  return {
    weekday: found.weekday!,
    year: Number(found.year),
    month: Number(found.month),
    day: Number(found.day),
    hour: Number(found.hour),
    minute: found.minute!,
  }
}

/** « 3 mars 2027 ». */
export const jour = (at: Date, zone: string): string => {
  const { year, month, day } = parts(at, zone)
  // The year may go to the next line: in large type, all of it does not hold in one of a telephone.
  return `${quantieme(day)}${NBSP}${MOIS[month - 1]} ${year}`
}

/** « mercredi 3 mars 2027 ». */
export const jourLong = (at: Date, zone: string): string => `${parts(at, zone).weekday} ${jour(at, zone)}`

/** « 3 mars 2027 au soir », after « jusqu’au »: a mandat ends at the last second of its day, on every screen and paper as in the words sealed. */
export const auSoir = (end: Date, zone: string): string => auSoirDu(jourDeChamp(end, zone))
/** The same, of a day written `2027-03-03`. */
export const auSoirDu = (day: string): string => `${dateEcrite(day)} au soir`

/** « 14 h 05 ». */
export const heure = (at: Date, zone: string): string => {
  const { hour, minute } = parts(at, zone)
  return `${hour}${NBSP}h${NBSP}${minute}`
}

/** « 3 mars 2027 à 14 h 05 ». */
export const jourEtHeure = (at: Date, zone: string): string => `${jour(at, zone)} à ${heure(at, zone)}`

/**
 * « , le 5 mars 2027 à 14 h 05 », after how it ended; of a request to stop that an aidant recorded, both when it came and since when it holds
 * (docs/adr/0014).
 */
export const finLe = (end: Date, recuLe: Date | null | undefined, zone: string): string =>
  recuLe
    ? `${NBSP}: demande reçue le ${jourEtHeure(recuLe, zone)}, arrêt effectif le ${jourEtHeure(end, zone)}`
    : `, le ${jourEtHeure(end, zone)}`

const calendarDay = (at: Date, zone: string) => {
  const { year, month, day } = parts(at, zone)
  return Date.UTC(year, month - 1, day) / 86_400_000
}

/** « à l’instant », « il y a 20 minutes », « aujourd’hui à 9 h 30 », « hier », « il y a 3 jours », then the date (after a month). */
export const ilYA = (at: Date, now: Date, zone: string): string => {
  const minutes = Math.floor((now.getTime() - at.getTime()) / 60_000)
  const days = calendarDay(now, zone) - calendarDay(at, zone)
  if (minutes < 0 || days < 0) return `le ${jourEtHeure(at, zone)}`
  if (minutes < 1) return 'à l’instant'
  if (minutes < 60) return `il y a ${pluriel(minutes, 'minute')}`
  if (days === 0) return `aujourd’hui à ${heure(at, zone)}`
  if (days === 1) return `hier à ${heure(at, zone)}`
  if (days <= 31) return `il y a ${days}${NBSP}jours`
  return `le ${jour(at, zone)}`
}

/** `<time>` around words, for machines. */
export const temps = (at: Date, words: string): Html => html`<time datetime="${at.toISOString()}">${words}</time>`

/** `2027-03-03` in the zone: what a date field takes. */
export const jourDeChamp = (at: Date, zone: string): string => {
  const { year, month, day } = parts(at, zone)
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}

/** « Apporter l’avis d’imposition (la personne), pour le 3 mars 2027 »; null when nothing comes next. `personne`: how she is named, « à vous » to herself. */
export const etapeEnMots = (
  { etapeQuoi, etapeQui, etapeQuand }: Pick<DemarcheRow, 'etapeQuoi' | 'etapeQui' | 'etapeQuand'>,
  personne: string = ETAPE_QUI.personne,
): string | null =>
  etapeQuoi &&
  [
    etapeQui ? `${etapeQuoi} (${(etapeQui === 'personne' ? personne : ETAPE_QUI[etapeQui]).toLocaleLowerCase('fr')})` : etapeQuoi,
    etapeQuand && `pour le ${dateEcrite(etapeQuand)}`,
  ]
    .filter(Boolean)
    .join(', ')

/** What is noted of an act besides what it was. */
export const faitsNotes = (demarche: DemarcheRow) => [
  { term: 'Référence', value: demarche.reference },
  { term: 'Montant payé', value: demarche.montantCentimes !== null && euros(demarche.montantCentimes) },
  { term: 'Prochaine étape', value: etapeEnMots(demarche) },
  { term: 'Orientée vers', value: demarche.orientation },
  { term: 'Note', value: demarche.note },
]

/** « Par SMS, au 06 12 34 56 78 »: how she is told of what changes. */
export const suiviEnMots = ({ suivi, email, telephone }: Contacts): string => {
  if (suivi === 'sms' && telephone) return `Par SMS, au ${telephoneEnMots(telephone)}`
  if (suivi === 'email' && email) return `Par e-mail, à ${email}`
  return 'Sur papier, à chaque visite'
}

/** What an act came to; noted by mistake, it came to nothing, and nobody gave it up. */
export const resultatEnMots = ({ resultat, correction }: Pick<DemarcheRow, 'resultat' | 'correction'>): string | null =>
  correction?.annulee ? null : RESULTAT[resultat]

/** « Déposée, par Awa Diallo »; of one noted by mistake, who wrote it and no result. */
export const resultatEtQui = (
  demarche: Pick<DemarcheRow, 'resultat' | 'correction' | 'aidantPrenom' | 'aidantNom'>,
  par: 'par' | 'notée par',
): string =>
  majuscule([resultatEnMots(demarche), `${par} ${demarche.aidantPrenom} ${demarche.aidantNom}`].filter(Boolean).join(', '))

/** « Corrigée le 3 mars 2027 par Awa Diallo. Pourquoi : … »; of one noted by mistake, that it was not done. */
export const correctionEnMots = ({ correction, fuseau }: Pick<DemarcheRow, 'correction' | 'fuseau'>): string | null =>
  correction &&
  [
    correction.annulee ? 'Notée par erreur : cette démarche n’a pas été faite. Corrigée' : 'Corrigée',
    ` le ${jour(correction.at, fuseau)} par ${correction.par}.`,
    correction.raison && ` Pourquoi${NBSP}: ${correction.raison}`,
  ]
    .filter(Boolean)
    .join('')

/** « Contestée le 3 mars 2027, sans réponse pour le moment »; only for whoever may know it. `mot`: the trade's, or hers. */
export const contestationEnMots = (
  { contestation, fuseau }: Pick<DemarcheRow, 'contestation' | 'fuseau'>,
  mot = 'Contestée',
): string | null =>
  contestation &&
  `${mot} le ${jour(contestation.contestedAt, fuseau)}, ${
    contestation.answeredAt && contestation.reponse
      ? `réponse le ${jour(contestation.answeredAt, fuseau)}, «${NBSP}${REPONSE[contestation.reponse]}${NBSP}»`
      : 'sans réponse pour le moment'
  }`
