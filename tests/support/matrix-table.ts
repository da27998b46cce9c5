import { randomUUID } from 'node:crypto'
import { AIDANTS, type AidantKey, codeOf } from '../../src/demo/people.ts'
import type { Rule } from '../../src/http/rules.ts'
import { dernierJour, expiresAt } from '../../src/mandat/mandat.ts'
import type { Fields, World } from './world.ts'

/*
 * Who may do what, on every route of the router: a route, a parameter of a path or of a search that the tables below do not know is a
 * violation, as is any answer that they do not foresee.
 */

/** Who calls, and what she is for the rules. */
export const CALLERS = {
  anonyme: 'anonyme',
  josiane: 'usager', // known to Figeac alone
  voahangy: 'usager', // known to Saint-Denis alone
  marcel: 'usager', // known to both
  papier: 'usager_par_code', // whoever holds Josiane's paper, and knows when she was born
  papierProuve: 'usager_prouve', // and has read the code sent to her telephone
  thomas: 'aidant', // Figeac
  nadia: 'referent', // Figeac
  samira: 'aidant', // of both, acting for Figeac
  fabrice: 'aidant', // Saint-Denis
  jocelyne: 'referent', // Saint-Denis
  ines: 'suspendue', // Figeac, her session still open
  partie: 'sans_structure', // left Figeac, her session still open
  indecise: 'sans_structure', // of both, has not chosen yet
  nouvelle: 'sans_cgu', // Figeac, has not accepted the conditions of use
} as const
export type Caller = keyof typeof CALLERS
type Role = (typeof CALLERS)[Caller]

export const FIGEAC: readonly Caller[] = ['thomas', 'nadia', 'samira']
/** With Josiane's paper. */
export const PAR_CODE: readonly Caller[] = ['papier', 'papierProuve']
export const SAINT_DENIS: readonly Caller[] = ['fabrice', 'jocelyne']

type Door = 'entre' | 'introuvable' | `/${string}`
/** Her space, for FranceConnect's, and for the two others what stands before it. */
const herDoors = (papier: Door, prouve: Door): Record<Role, Door> => ({
  anonyme: '/mon-espace/connexion',
  suspendue: '/mon-espace/connexion',
  usager: 'entre',
  usager_par_code: papier,
  usager_prouve: prouve,
  aidant: 'introuvable',
  referent: 'introuvable',
  sans_structure: 'introuvable',
  sans_cgu: 'introuvable',
})

/** Role × rule: she comes in, is sent to a door, or finds nothing there. */
export const DOORS: Readonly<Record<Rule, Readonly<Record<Role, Door>>>> = {
  public: {
    anonyme: 'entre',
    suspendue: 'entre',
    usager: 'entre',
    usager_par_code: 'entre',
    usager_prouve: 'entre',
    aidant: 'entre',
    referent: 'entre',
    sans_structure: 'entre',
    sans_cgu: 'entre',
  },
  aidant: {
    anonyme: '/connexion',
    suspendue: '/connexion',
    usager: 'introuvable',
    usager_par_code: 'introuvable',
    usager_prouve: 'introuvable',
    aidant: 'entre',
    referent: 'entre',
    sans_structure: '/structures',
    sans_cgu: '/conditions-d-utilisation',
  },
  referent: {
    anonyme: '/connexion',
    suspendue: '/connexion',
    usager: 'introuvable',
    usager_par_code: 'introuvable',
    usager_prouve: 'introuvable',
    aidant: 'introuvable',
    referent: 'entre',
    sans_structure: 'introuvable',
    sans_cgu: 'introuvable',
  },
  usager: herDoors('/mon-espace/tout-voir', '/mon-espace/tout-voir'),
  usager_prouve: herDoors('/mon-espace/confirmer', 'entre'),
  usager_par_code: herDoors('entre', 'entre'),
}

/** What a parameter of a path designates. `libre`: nothing that belongs to anyone; the route says what to ask. */
export const PARAMS = {
  mandatId: 'mandat',
  usagerId: 'usager',
  brouillonId: 'brouillon',
  demarcheId: 'demarche',
  contestationId: 'contestation',
  ligne: 'ligne',
  aidantId: 'membre',
  invitationId: 'invitation',
  hash: 'libre',
  name: 'libre',
  liste: 'libre',
  jeton: 'libre',
  chemin: 'libre',
  sessionId: 'libre',
  facteurId: 'libre',
  ajoutId: 'libre',
  sceau: 'libre',
} as const
export type Kind = Exclude<(typeof PARAMS)[keyof typeof PARAMS], 'libre'>

/** Parameters of a search: some designate a thing, whose owner decides as for a path. */
export const SEARCHES = {
  q: 'libre',
  suite: 'libre',
  state: 'libre',
  avant: 'libre',
  apres: 'chose',
  notee: 'chose',
  aidant: 'chose',
  du: 'libre',
  au: 'libre',
  thematique: 'libre',
  action: 'libre',
  de: 'libre',
  signe: 'libre',
  relire: 'libre',
  demarche: 'libre', // a code of the catalogue
  langue: 'libre',
  ecriture: 'libre',
  envoye: 'libre',
  faites: 'libre',
  fait: 'libre',
  geste: 'libre',
  remis: 'libre',
  thematiques: 'libre',
  taille: 'libre',
  empreinte: 'libre',
} as const

export type Thing = {
  kind: Kind
  name: string
  id: string
  /** Those for whom it exists. */
  of: readonly Caller[]
}

type Told = { caller: Caller; world: World; at: Date }
export type Route = {
  rule: Rule
  /** What the caller who may gets: 303 or 200. */
  gives: number | ((caller: Caller) => number)
  /** What she may get besides, by the state of her own thing. Over all of hers, `gives` is seen at least once. */
  or?: readonly number[]
  fields?: (told: Told) => Fields
  /** Not asked together: each try counts until it is over. */
  oneByOne?: true
  /** For a path that designates nothing of anyone: what is asked. */
  asks?: string
}

const DEMARCHE = (): Fields => ({
  demarche: 'autre',
  titre: 'Une lettre',
  thematique: 'logement',
  resultat: 'deposee',
  envoi: randomUUID(),
})
/** One each: a number is written to three times in a quarter of an hour. */
const MOBILE = (caller: Caller) => `+336500000${String(Object.keys(CALLERS).indexOf(caller)).padStart(2, '0')}`
const CHOIX = (): Fields => ({ protegee: 'non', thematiques: ['logement'], duree: 'mois' })
const ACCORD = ({ at }: { at: Date }): Fields => ({
  reponse: 'oui',
  thematiques: ['logement'],
  lues: 'logement',
  dernierJour: dernierJour(expiresAt(at, 'mois', 'Europe/Paris'), 'Europe/Paris'),
  redit: 'oui',
  suivi: 'papier',
})
/** That minute on the clock of her structure, as a date field sends it. */
const localAt = (caller: Caller, at: Date) => {
  const timeZone = SAINT_DENIS.includes(caller) ? 'Indian/Reunion' : 'Europe/Paris'
  return at.toLocaleString('sv-SE', { timeZone }).slice(0, 16).replace(' ', 'T')
}
const home = (aidant: number, usager: number, other: number) => (caller: Caller) =>
  ({
    anonyme: other,
    suspendue: other,
    usager,
    usager_par_code: usager,
    usager_prouve: usager,
    aidant,
    referent: aidant,
    sans_structure: aidant,
    sans_cgu: aidant,
  })[CALLERS[caller]]

/** Neither référent accompanies anyone here: she is sent to give a reason. */
const asAnAidant = (caller: Caller) => (CALLERS[caller] === 'referent' ? 303 : 200)
/** … but for what Nadia opened with one. Jocelyne, of the other structure, must not gain by it. */
const withReason = (caller: Caller) => (caller === 'nadia' ? 200 : asAnAidant(caller))

/** What they noted themselves, or direct with a reason. */
const correcting = (caller: Caller) => (caller === 'samira' ? 404 : withReason(caller))

/** Jocelyne is shown her form back, to send once she has given a reason. */
const noting = (caller: Caller) => (caller === 'jocelyne' ? 403 : 303)

/** Route × ownership. Asked in this order: what ends things comes last. */
export const ROUTES: Readonly<Record<string, Route>> = {
  'GET /': { rule: 'public', gives: home(303, 303, 200) },
  'GET /accessibilite': { rule: 'public', gives: 200 },
  'GET /mentions-legales': { rule: 'public', gives: 200 },
  'GET /assets/:hash/:name': { rule: 'public', gives: 200, asks: '/assets/ancien/style.css' },
  'GET /livez': { rule: 'public', gives: 200 },
  'GET /readyz': { rule: 'public', gives: 200, or: [503] },
  'GET /.well-known/jwks.json': { rule: 'public', gives: 200 },
  'GET /sceaux/:sceau': { rule: 'public', gives: 404, asks: `/sceaux/00000000-0000-4000-8000-000000000000.${'x'.repeat(43)}` },
  'GET /statuts/:liste{[0-9]{1,4}}': { rule: 'public', gives: 200, asks: '/statuts/0' },
  'GET /mon-espace/donnees/journal.json': { rule: 'usager', gives: 200 },
  'GET /journal': { rule: 'public', gives: 200 },
  'GET /journal/checkpoint': { rule: 'public', gives: 200 },
  'GET /journal/tile/:chemin{.*}': { rule: 'public', gives: 404, asks: '/journal/tile/0/000' },
  'GET /v': { rule: 'public', gives: 200 },
  'GET /v-sw.js': { rule: 'public', gives: 200 },
  'GET /verifier': { rule: 'public', gives: 200 },
  'GET /connexion': { rule: 'public', gives: home(303, 200, 200) },
  'GET /connexion/cle': { rule: 'public', gives: 303 },
  'GET /connexion/code': { rule: 'public', gives: 200 },
  'GET /connexion/lien/:jeton': { rule: 'public', gives: 200, asks: '/connexion/lien/inconnu' },
  'GET /mon-espace/connexion': { rule: 'public', gives: home(200, 303, 200) },
  'GET /mon-espace/deconnexion': { rule: 'public', gives: home(200, 303, 200) },
  'GET /mon-espace/reunir': { rule: 'public', gives: 200 },
  'GET /mon-espace/code': { rule: 'public', gives: home(200, 303, 200) },
  'GET /connexion/franceconnect/retour': { rule: 'public', gives: 409 },
  'GET /connexion/franceconnect/deconnecte': { rule: 'public', gives: 303 },
  'GET /connexion/proconnect/retour': { rule: 'public', gives: 409 },
  'GET /connexion/proconnect/deconnecte': { rule: 'public', gives: 303 },

  'GET /conditions-d-utilisation': { rule: 'aidant', gives: 200 },
  'GET /structures': { rule: 'aidant', gives: 200 },
  'GET /mes-connexions': { rule: 'aidant', gives: 200 },
  'GET /mes-connexions/rester': { rule: 'aidant', gives: 204 },
  'GET /mes-moyens-de-connexion': { rule: 'aidant', gives: 200 },
  // Another's addition and one that never was give the same answer, as do their ways in below (moyens.test.ts looks at what is her own).
  'GET /mes-moyens-de-connexion/ajouts/:ajoutId': {
    rule: 'aidant',
    gives: 404,
    asks: `/mes-moyens-de-connexion/ajouts/${randomUUID()}`,
  },
  'GET /personnes': { rule: 'aidant', gives: 200 },
  'GET /personnes/:usagerId': { rule: 'aidant', gives: asAnAidant },
  // 303: nothing is in force any more, she is told on paper (all of Fabrice's are), or who asks directs and does not accompany her: the dossier says so.
  'GET /personnes/:usagerId/contact': {
    rule: 'aidant',
    gives: (caller) => (caller === 'fabrice' ? 303 : asAnAidant(caller)),
    or: [303],
  },
  'GET /personnes/:usagerId/contact/code': { rule: 'aidant', gives: 303 },
  'GET /demarches/:demarcheId': { rule: 'aidant', gives: withReason },
  // For who noted it: they noted them all.
  'GET /demarches/:demarcheId/preuve.tlog-proof': {
    rule: 'aidant',
    gives: (caller) => (caller === 'thomas' || caller === 'fabrice' ? 200 : 404),
  },
  'GET /demarches/:demarcheId/contestation': { rule: 'aidant', gives: withReason },
  'GET /demarches/:demarcheId/corriger': { rule: 'aidant', gives: correcting },
  'GET /structure/contestations': { rule: 'referent', gives: 200 },
  'GET /structure/contestations/:contestationId': { rule: 'referent', gives: withReason },
  'GET /mon-espace/demarches/:demarcheId': { rule: 'usager_par_code', gives: 200 },
  'GET /mandats/expliquer': { rule: 'aidant', gives: 200 },
  'GET /mandats/rendre': { rule: 'aidant', gives: 200 },
  'GET /mandats/nouveau': { rule: 'aidant', gives: 200 },
  'GET /mandats/:mandatId': { rule: 'aidant', gives: withReason },
  'GET /mandats/:mandatId/arreter': { rule: 'aidant', gives: withReason, or: [303] },
  'GET /mandats/:mandatId/pause': { rule: 'aidant', gives: withReason, or: [303] },
  'GET /mandats/:mandatId/renoncer': { rule: 'aidant', gives: withReason, or: [303] },
  'GET /mandats/:mandatId/deces': { rule: 'aidant', gives: withReason, or: [303] },
  'GET /mandats/:mandatId/protection': { rule: 'aidant', gives: withReason, or: [303] },
  'GET /mandats/:mandatId/renouveler': { rule: 'aidant', gives: withReason },
  'GET /a-remettre': { rule: 'aidant', gives: 200 },
  'GET /mandats/:mandatId/arret': { rule: 'aidant', gives: (caller) => (FIGEAC.includes(caller) ? 200 : 303), or: [303] },
  'GET /mandats/:mandatId/demarches/nouvelle': { rule: 'aidant', gives: withReason },
  'GET /mandats/:mandatId/demarches/hors-mandat': { rule: 'aidant', gives: withReason },
  'GET /mandats/brouillons/:brouillonId/choix': { rule: 'aidant', gives: 200 },
  'GET /mandats/brouillons/:brouillonId/identification': { rule: 'aidant', gives: 200 },
  'GET /mandats/brouillons/:brouillonId/accord': { rule: 'aidant', gives: 200, or: [303] },
  'GET /mandats/brouillons/:brouillonId/acceptation': { rule: 'aidant', gives: 200, or: [303] },
  'GET /mandats/brouillons/:brouillonId/telephone': { rule: 'aidant', gives: 303 },
  'GET /t/:jeton': { rule: 'public', gives: 200, asks: '/t/inconnu' },
  'GET /telephone/code': { rule: 'public', gives: 404 },
  'GET /mandats/brouillons/:brouillonId/contact': { rule: 'aidant', gives: 303 },
  'GET /structure/journal': { rule: 'referent', gives: 200 },
  'GET /structure/journal/:ligne/preuve.tlog-proof': { rule: 'referent', gives: 200 },
  'GET /structure/thematiques': { rule: 'referent', gives: 200 },
  'GET /structure/aidants': { rule: 'referent', gives: 200 },
  'GET /structure/aidants/:aidantId': { rule: 'referent', gives: 200 },
  'GET /structure/aidants/:aidantId/facteur': { rule: 'referent', gives: 200 },
  'GET /structure/inviter': { rule: 'referent', gives: 200 },
  'GET /structure/invitations/:invitationId': { rule: 'referent', gives: 200 },
  'GET /invitation/:jeton': { rule: 'public', gives: 200, asks: '/invitation/inconnu' },
  'GET /structure/personnes/:usagerId/ouvrir': { rule: 'referent', gives: 200 },
  // 200 while she has the dossier open herself: Nadia has, and Jocelyne, of the other structure, must not gain by it.
  'GET /structure/personnes/:usagerId': { rule: 'referent', gives: (caller) => (caller === 'nadia' ? 200 : 303) },

  'GET /mon-espace': { rule: 'usager_par_code', gives: 200 },
  'GET /mon-espace/acces': { rule: 'usager_par_code', gives: 200 },
  'GET /mon-espace/tout-voir': { rule: 'usager_par_code', gives: (caller) => (PAR_CODE.includes(caller) ? 200 : 303) },
  'GET /mon-espace/confirmer': { rule: 'usager_par_code', gives: (caller) => (caller === 'papier' ? 200 : 303) },
  'GET /mon-espace/confirmer/code': { rule: 'usager_par_code', gives: (caller) => (caller === 'papier' ? 200 : 303) },
  'GET /mon-espace/connexions': { rule: 'usager', gives: 200 },
  'GET /mon-espace/code-papier': { rule: 'usager', gives: 200 },
  'GET /mon-espace/donnees': { rule: 'usager', gives: 200 },
  'GET /mon-espace/contacts': { rule: 'usager', gives: 200 },
  'GET /mon-espace/contacts/code': { rule: 'usager', gives: 303 },
  'GET /mon-espace/mandats/:mandatId': { rule: 'usager_par_code', gives: 200 },
  'GET /mon-espace/mandats/:mandatId/preuve.json': { rule: 'usager', gives: 200 },
  'GET /mon-espace/demarches/:demarcheId/preuve.tlog-proof': { rule: 'usager', gives: 200 },
  'GET /mon-espace/mandats/:mandatId/pause': { rule: 'usager_prouve', gives: 200, or: [303] },
  'GET /mon-espace/mandats/:mandatId/reprise': { rule: 'usager', gives: 303 },
  'GET /mon-espace/mandats/:mandatId/arreter': { rule: 'usager_prouve', gives: 200, or: [303] },
  'GET /mon-espace/mandats/:mandatId/arret': {
    rule: 'usager_par_code',
    gives: (caller) => (caller === 'josiane' || PAR_CODE.includes(caller) ? 200 : 303),
    or: [303],
  },

  // Another's session and one that never was give the same answer (tests/integration/sessions.test.ts looks at what they close).
  'POST /mes-connexions/autres/fermer': { rule: 'aidant', gives: 303 },
  'POST /mes-connexions/:sessionId/fermer': { rule: 'aidant', gives: 303, asks: `/mes-connexions/${randomUUID()}/fermer` },
  // Each is asked for a fresh factor first.
  'POST /mes-moyens-de-connexion/ajouter': { rule: 'aidant', gives: 403, fields: () => ({ genre: 'totp', nom: 'Téléphone' }) },
  'POST /mes-moyens-de-connexion/codes': { rule: 'aidant', gives: 403 },
  'POST /mes-moyens-de-connexion/:facteurId/retirer': {
    rule: 'aidant',
    gives: 403,
    asks: `/mes-moyens-de-connexion/${randomUUID()}/retirer`,
  },
  'POST /mes-moyens-de-connexion/ajouts/:ajoutId': {
    rule: 'aidant',
    gives: 404,
    asks: `/mes-moyens-de-connexion/ajouts/${randomUUID()}`,
    fields: () => ({ code: '123456' }),
  },
  'POST /mon-espace/connexions/autres/fermer': { rule: 'usager', gives: 303 },
  'POST /mon-espace/connexions/:sessionId/fermer': {
    rule: 'usager',
    gives: 303,
    asks: `/mon-espace/connexions/${randomUUID()}/fermer`,
  },
  'POST /mandats/:mandatId/demarches/nouvelle': { rule: 'aidant', gives: noting, or: [409], fields: DEMARCHE },
  'POST /mandats/:mandatId/demarches/hors-mandat': {
    rule: 'aidant',
    gives: noting,
    fields: () => ({ ...DEMARCHE(), motif: 'Urgence', encore: 'oui' }),
  },
  'POST /demarches/:demarcheId/contestation': {
    rule: 'aidant',
    // They noted all that is theirs here: another records what she says of it.
    gives: (caller) => (caller === 'thomas' || caller === 'fabrice' ? 409 : noting(caller)),
    fields: ({ caller, at }) => ({ motif: 'inexact', maniere: 'visite', recuLe: localAt(caller, at) }),
  },
  'POST /demarches/:demarcheId/corriger': {
    rule: 'aidant',
    gives: (caller) => (caller === 'samira' ? 404 : noting(caller)),
    fields: () => ({
      titre: 'Une lettre',
      resultat: 'deposee',
      mode: 'a_sa_place',
      presence: 'presente',
      canal: 'courrier',
      // Another each time: what changes nothing is refused.
      reference: `dossier ${randomUUID().slice(0, 8)}`,
      raison: 'Une erreur',
    }),
  },
  // Marcel has said it already, in other words: these are not kept.
  'POST /mon-espace/demarches/:demarcheId': {
    rule: 'usager_prouve',
    gives: (caller) => (caller === 'marcel' ? 409 : 303),
    fields: () => ({ motif: 'inexact' }),
  },
  'POST /structure/contestations/:contestationId': {
    rule: 'referent',
    gives: noting,
    fields: () => ({ reponseDonnee: 'reconnue' }),
  },
  'POST /structure/personnes/:usagerId/ouvrir': {
    rule: 'referent',
    gives: 303,
    fields: () => ({ motif: 'controle', envoi: randomUUID() }),
  },
  'POST /structure/journal/export': { rule: 'referent', gives: 403, or: [429], fields: () => ({ forme: 'csv' }) },
  // Papers: what was never stopped has no paper that says so.
  // Both référents have just given a reason: they print what says a fact.
  'POST /mandats/:mandatId/papiers/mandat': { oneByOne: true, rule: 'aidant', gives: 200 },
  'POST /mandats/:mandatId/papiers/guichet': {
    oneByOne: true,
    rule: 'aidant',
    gives: asAnAidant,
    or: [409],
    fields: () => ({ thematique: 'logement' }),
  },
  'POST /mandats/:mandatId/papiers/releve': { oneByOne: true, rule: 'aidant', gives: 200 },
  'POST /mandats/:mandatId/papiers/pour-vous': { oneByOne: true, rule: 'aidant', gives: asAnAidant, or: [409] },
  'POST /mandats/:mandatId/preuve.json': { rule: 'aidant', gives: asAnAidant, or: [404] },
  'POST /mandats/:mandatId/papiers/arret': {
    oneByOne: true,
    rule: 'aidant',
    gives: (caller) => (SAINT_DENIS.includes(caller) ? 409 : 200),
    or: [409],
  },
  'POST /mon-espace/mandats/:mandatId/papiers/mandat': { oneByOne: true, rule: 'usager', gives: 200 },
  'POST /mon-espace/mandats/:mandatId/papiers/releve': { oneByOne: true, rule: 'usager', gives: 200 },
  'POST /mon-espace/mandats/:mandatId/papiers/pour-vous': { oneByOne: true, rule: 'usager', gives: 200, or: [409] },
  'POST /mon-espace/mandats/:mandatId/papiers/arret': {
    oneByOne: true,
    rule: 'usager',
    gives: (caller) => (caller === 'josiane' ? 200 : 409),
    or: [409],
  },
  'POST /mandats/brouillons/:brouillonId/apercu': { oneByOne: true, rule: 'aidant', gives: 200 },
  'POST /structure/thematiques': {
    rule: 'referent',
    gives: 303,
    fields: () => ({ thematiques: ['logement', 'argent', 'papiers', 'loisirs', 'famille'] }),
  },
  'POST /structure/inviter': {
    rule: 'referent',
    gives: 303,
    fields: () => ({ prenom: 'Claire', nom: 'Vidal', email: `${randomUUID()}@exemple.fr` }),
  },
  'POST /structure/invitations/:invitationId': { rule: 'referent', gives: 303, fields: () => ({ geste: 'renvoyer' }) },
  'POST /invitation/:jeton': { rule: 'public', gives: 409, asks: '/invitation/inconnu' },
  'POST /mandats/nouveau': { rule: 'aidant', gives: 303, fields: CHOIX },
  // For sessions that ProConnect opened; theirs are told in proconnect.test.ts.
  'POST /mandats/brouillons/:brouillonId/confirmation': { rule: 'aidant', gives: 404 },
  'POST /connexion/proconnect/confirmation': { rule: 'aidant', gives: 404 },
  'POST /mandats/brouillons/:brouillonId/acceptation': {
    rule: 'aidant',
    gives: 303,
    or: [409],
    oneByOne: true,
    fields: ({ caller, at }) => ({ code: codeOf(caller in AIDANTS ? (caller as AidantKey) : 'thomas', at) }),
  },
  // The next code: a mandat has just taken this one.
  'POST /structure/aidants/:aidantId/facteur': {
    rule: 'referent',
    gives: 303,
    oneByOne: true,
    fields: ({ caller, at }) => ({
      code: codeOf(caller in AIDANTS ? (caller as AidantKey) : 'thomas', new Date(at.getTime() + 30_000)),
    }),
  },
  'POST /structure/aidants/:aidantId': { rule: 'referent', gives: 303, fields: () => ({ geste: 'suspendre' }) },
  'POST /mandats/brouillons/:brouillonId/contact': {
    rule: 'aidant',
    gives: 303,
    or: [404, 409],
    fields: () => ({ geste: 'papier' }),
  },
  'POST /mandats/brouillons/:brouillonId/telephone': {
    rule: 'aidant',
    gives: 303,
    or: [404],
    fields: () => ({ geste: 'ouvrir' }),
  },
  'POST /t/:jeton': { rule: 'public', gives: 409, asks: '/t/inconnu' },
  // 404: the draft that has just become a mandat.
  'POST /mandats/brouillons/:brouillonId/accord': { rule: 'aidant', gives: 303, or: [404], fields: ACCORD },
  'POST /mandats/brouillons/:brouillonId/identification': { rule: 'aidant', gives: 303, or: [404], fields: () => ({}) },
  'POST /mandats/brouillons/:brouillonId/choix': { rule: 'aidant', gives: 303, or: [404], fields: CHOIX },
  'POST /mandats/brouillons/:brouillonId/effacer': { rule: 'aidant', gives: 303, or: [404] },
  'POST /mandats/:mandatId/renouveler': { rule: 'aidant', gives: 303, or: [409], fields: CHOIX },
  'POST /mon-espace/mandats/:mandatId/pause': {
    rule: 'usager_prouve',
    gives: 303,
    or: [409],
    fields: () => ({ quoi: 'logement' }),
  },
  'POST /mon-espace/mandats/:mandatId/reprise': { rule: 'usager', gives: 303, or: [409], fields: () => ({ quoi: 'logement' }) },
  // What is handed over is named in the form, and papier-du.test.ts says whose it is.
  'POST /a-remettre': { rule: 'aidant', gives: 404, fields: () => ({ papier: randomUUID() }) },
  'POST /a-remettre/annuler': { rule: 'aidant', gives: 404, fields: () => ({ papier: randomUUID() }) },
  // Before what the aidant confirms is looked at, she is asked for a fresh factor: contact.test.ts.
  'POST /personnes/:usagerId/contact/code': { rule: 'aidant', gives: 303, fields: () => ({ geste: 'renvoyer' }) },
  'POST /personnes/:usagerId/contact': {
    rule: 'aidant',
    gives: 303,
    or: [429],
    fields: ({ caller }) => ({ suivi: 'sms', mobile: MOBILE(caller) }),
  },
  // What the person stops is already stopped for her aidants: the page of what is over.
  'POST /mandats/:mandatId/pause': {
    rule: 'aidant',
    gives: 303,
    or: [409],
    fields: () => ({ quoi: 'logement', maniere: 'courrier' }),
  },
  'POST /mandats/:mandatId/arreter': {
    rule: 'aidant',
    gives: 303,
    or: [409],
    fields: ({ caller, at }) => ({ quoi: 'logement', maniere: 'courrier', recuLe: localAt(caller, at) }),
  },
  'POST /mandats/:mandatId/renoncer': { rule: 'aidant', gives: 303, or: [409], fields: () => ({ confirme: 'oui' }) },
  'POST /mandats/:mandatId/protection': { rule: 'aidant', gives: 303, or: [409], fields: () => ({ confirme: 'oui' }) },
  'POST /mandats/:mandatId/deces': { rule: 'aidant', gives: 303, or: [409], fields: () => ({ confirme: 'oui' }) },
  'POST /mon-espace/confirmer': { rule: 'usager_par_code', gives: 303 },
  'POST /mon-espace/confirmer/code': {
    rule: 'usager_par_code',
    gives: (caller) => (caller === 'papier' ? 409 : 303),
    fields: () => ({ code: '123456' }),
  },
  'POST /mon-espace/contacts/code': { rule: 'usager', gives: 303, fields: () => ({ geste: 'renvoyer' }) },
  'POST /mon-espace/contacts': { rule: 'usager', gives: 303, fields: ({ caller }) => ({ suivi: 'sms', mobile: MOBILE(caller) }) },
  'POST /mon-espace/code-papier': { rule: 'usager', gives: 303, fields: () => ({ geste: 'annuler' }) },
  'POST /mon-espace/mandats/:mandatId/arreter': {
    rule: 'usager_prouve',
    gives: 303,
    or: [409],
    fields: () => ({ quoi: 'tout' }),
  },

  'POST /conditions-d-utilisation': { rule: 'aidant', gives: 303, fields: () => ({ accepte: 'oui' }) },
  'POST /structures': {
    rule: 'aidant',
    gives: 303,
    or: [409],
    fields: ({ caller, world }) => ({ structure: world.structures[SAINT_DENIS.includes(caller) ? 'saintDenis' : 'figeac'] }),
  },
  'POST /mon-espace/reunir': { rule: 'public', gives: 409, fields: () => ({ code: '3333-3333-3333', annee: '1950' }) },
  'POST /mon-espace/separer': { rule: 'usager', gives: 303 },
  'POST /mon-espace/code': { rule: 'public', gives: 409, fields: () => ({ code: '3333-3333-3333', annee: '1950' }) },
  'POST /verifier': { rule: 'public', gives: 409, fields: () => ({ code: '3333-3333-3333', annee: '1950' }) },
  'POST /connexion': { rule: 'public', gives: 303, fields: () => ({ email: `${randomUUID()}@exemple.fr`, code: '123456' }) },
  'POST /connexion/code': { rule: 'public', gives: 409, fields: () => ({ code: '123456' }) },
  'POST /connexion/cle': { rule: 'public', gives: 200 },
  'POST /connexion/lien/:jeton': { rule: 'public', gives: 409, asks: '/connexion/lien/inconnu' },
  'POST /connexion/franceconnect': { rule: 'public', gives: 303 },
  'POST /connexion/proconnect': { rule: 'public', gives: 303 },
  'POST /deconnexion': { rule: 'public', gives: 303 },
  'POST /mon-espace/deconnexion': { rule: 'public', gives: 303 },
}
