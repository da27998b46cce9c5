import { expect, test } from 'vitest'
import {
  CATALOGUE,
  type DemarcheRefusal,
  demarcheDuCatalogue,
  derniersEtats,
  discretion,
  etapesRestantes,
  kindOf,
  type NewDemarche,
  refusalOf,
  suggestions,
} from '../../src/demarche/demarche.ts'
import { type Autorisation, THEMATIQUES } from '../../src/mandat/mandat.ts'

const at = (time: string) => new Date(`2026-03-${time}Z`)
const autorisation = (over: Partial<Autorisation> = {}): Autorisation => ({
  thematique: 'logement',
  signedAt: at('01T10:00:00'),
  expiresAt: at('10T22:59:59'),
  revokedAt: null,
  revokedHow: null,
  suspensions: [],
  ...over,
})
const arretee = autorisation({ revokedAt: at('05T12:00:00'), revokedHow: 'revoque' })
const enPause = autorisation({ suspensions: [{ from: at('02T10:00:00'), until: at('03T10:00:00'), attend: false }] })

test.each<[string, Autorisation | undefined, string, string, string]>([
  ['reguliere', autorisation(), 'notée aussitôt', '02T10:00:00', '02T10:00:00'],
  ['reguliere', autorisation(), 'faite à la seconde de l’accord', '01T10:00:00', '01T10:00:00'],
  ['reguliere', autorisation(), 'notée 24 heures après', '02T10:00:00', '03T10:00:00'],
  ['apres_coup', autorisation(), 'notée une milliseconde plus tard encore', '02T10:00:00', '03T10:00:00.001'],
  ['apres_coup', autorisation(), 'faite la dernière seconde, notée la suivante', '10T22:59:58.999', '10T22:59:59'],
  ['apres_coup', arretee, 'faite avant l’arrêt, notée à l’arrêt', '05T11:59:59.999', '05T12:00:00'],
  ['apres_coup', enPause, 'faite avant la pause, notée pendant', '02T09:59:59', '02T10:00:00'],
  ['reguliere', enPause, 'faite à la reprise', '03T10:00:00', '03T10:00:00'],
  ['hors_mandat', enPause, 'faite pendant la pause, notée après', '02T10:00:00', '03T11:00:00'],
  ['hors_mandat', enPause, 'faite à la dernière seconde de la pause', '03T09:59:59', '03T11:00:00'],
  ['hors_mandat', autorisation(), 'faite une seconde avant l’accord', '01T09:59:59', '01T10:00:00'],
  ['hors_mandat', autorisation(), 'faite à 23:59:59', '10T22:59:59', '10T22:59:59'],
  ['hors_mandat', arretee, 'faite à l’arrêt, même une seconde après', '05T12:00:00', '05T12:00:00'],
  ['hors_mandat', undefined, 'faite dans une thématique non accordée', '02T10:00:00', '02T10:00:00'],
])('%s : une démarche %3$s', (kind, one, _, doneAt, recordedAt) => {
  expect(kindOf(one, at(doneAt), at(recordedAt))).toBe(kind)
})

const demarche: NewDemarche = {
  mandatId: 'm',
  envoi: 'e',
  thematique: 'logement',
  titre: 'Écrire au bailleur',
  nature: 'demande',
  mode: 'avec_la_personne',
  presence: 'presente',
  canal: 'en_ligne_autre',
  resultat: 'deposee',
}
const now = at('02T10:00:00')
const hlm = demarcheDuCatalogue('hlm')!
const duCatalogue = { code: hlm.code, titre: hlm.libelle }

test.each<[string, Partial<NewDemarche>]>([
  ['libre', {}],
  ['du catalogue', duCatalogue],
  ['faite à l’instant même', { doneAt: now }],
  ['faite à sa place, absente', { mode: 'a_sa_place', presence: 'absente' }],
  ['faite avec elle à distance', { presence: 'absente_prevenue' }],
  ['payée en présence de la personne', { nature: 'paiement', montantCentimes: 1250 }],
])('accepte une démarche %s', (_, over) => {
  expect(refusalOf({}, [autorisation()], { ...demarche, ...over }, now)).toBeUndefined()
})

test.each<[DemarcheRefusal, string, Partial<NewDemarche>]>([
  ['sans_titre', 'sans titre', { titre: '  ' }],
  ['demarche_inconnue', 'd’un code inconnu', { code: 'n-existe-pas' }],
  ['demarche_inconnue', 'd’un code d’une autre thématique', { ...duCatalogue, thematique: 'social' }],
  ['demarche_inconnue', 'au titre qui n’est pas celui de son code', { code: hlm.code, titre: 'Saisir la CNIL' }],
  ['done_at_futur', 'à venir', { doneAt: new Date(now.getTime() + 1) }],
  ['montant_sans_presence', 'payée en l’absence de la personne', { nature: 'paiement', presence: 'absente_prevenue' }],
  ['montant_sans_presence', 'où l’argent bouge en son absence', { montantCentimes: 1, presence: 'absente' }],
  ['ensemble_sans_elle', 'faite avec la personne, absente et pas prévenue', { presence: 'absente' }],
  ['ensemble_sans_elle', 'faite par elle, absente et pas prévenue', { mode: 'seule_avec_appui', presence: 'absente' }],
  ['hors_mandat', 'dans une thématique non accordée', { thematique: 'argent' }],
  ['hors_mandat', 'faite avant l’accord', { doneAt: at('01T09:59:59') }],
  [
    'montant_sans_presence',
    'hors mandat et fausse par ailleurs',
    { thematique: 'argent', montantCentimes: 1, presence: 'absente' },
  ],
])('refuse (%s) une démarche %s', (refusal, _, over) => {
  expect(refusalOf({}, [autorisation()], { ...demarche, ...over }, now)).toBe(refusal)
})

test('refuse une démarche après la révocation, même à la seconde même', () => {
  expect(refusalOf({}, [arretee], demarche, at('05T11:59:59'))).toBeUndefined()
  expect(refusalOf({}, [arretee], demarche, at('05T12:00:00'))).toBe('hors_mandat')
  expect(refusalOf({}, [arretee], { ...demarche, doneAt: at('05T11:59:59') }, at('06T12:00:00'))).toBeUndefined()
})

test('sans mandat, il n’y a rien à noter', () => {
  expect(refusalOf(undefined, [], demarche, now)).toBe('introuvable')
})

test('le catalogue tient ses promesses', () => {
  expect(new Set(CATALOGUE.map((item) => item.code)).size).toBe(73)
  for (const { code, libelle, thematique, administration, alertes, sensible } of CATALOGUE) {
    expect(code).toMatch(/^[a-z0-9-]+$/)
    expect(libelle.length).toBeLessThanOrEqual(80)
    expect(administration.length).toBeLessThanOrEqual(80)
    expect(THEMATIQUES).toContain(thematique)
    for (const alerte of alertes)
      expect(alerte).toMatch(
        /^(paiement|signature_personne|timbre|fraude|reclamation|patrimoine|donnees_(sante|penales)|echeance:.+)$/,
      )
    // What the law or product.md calls sensitive is masked, whatever the file says.
    if (alertes.some((alerte) => /^(donnees_|reclamation)/.test(alerte))) expect(sensible).toBe(true)
  }
})

test('masque ce que le catalogue dit sensible, et les réclamations plus encore', () => {
  const of = (code: string, nature: NewDemarche['nature'] = 'demande') =>
    discretion({ code, thematique: demarcheDuCatalogue(code)!.thematique, nature })
  expect(of('aide-logement')).toEqual({ sensible: false, reclamation: false })
  expect(of('rsa-demande')).toEqual({ sensible: false, reclamation: false })
  for (const code of ['mdph', 'casier', 'titre-sejour', 'surendettement'])
    expect(of(code)).toEqual({ sensible: true, reclamation: false })
  for (const code of ['defenseur-droits', 'cada', 'cnil-plainte', 'telerecours'])
    expect(of(code)).toEqual({ sensible: true, reclamation: true })
  expect(of('aide-logement', 'reclamation')).toEqual({ sensible: true, reclamation: true })
})

test('un titre libre est tenu pour sensible là où une démarche sensible existe', () => {
  const free = (thematique: NewDemarche['thematique']) => discretion({ thematique, nature: 'demande' }).sensible
  expect(THEMATIQUES.filter(free)).toEqual(['social', 'travail', 'argent', 'justice', 'etranger'])
})

test('propose d’abord ce qui vient d’être fait, puis un peu de chaque thématique, et rien d’autre que le périmètre', () => {
  const codes = suggestions(['argent', 'logement'], ['hlm', 'rsa-demande', 'disparue', 'hlm']).map((item) => item.code)
  expect(codes.slice(0, 3)).toEqual(['hlm', 'aide-logement', 'impots-declarer'])
  expect(new Set(codes).size).toBe(codes.length)
  expect(codes).toHaveLength(CATALOGUE.filter(({ thematique }) => thematique === 'argent' || thematique === 'logement').length)
  expect(suggestions(['loisirs'], [])).toEqual([])
  expect(suggestions([], ['hlm'])).toEqual([])
})

test('de chaque demande, le dernier état seulement ; deux numéros de dossier sont deux demandes, et ce qui est masqué ne ressemble à rien', () => {
  const one = (id: number, more: object = {}) => ({
    id,
    code: 'apl',
    titre: 'Demander une aide au logement',
    thematique: 'logement',
    administration: 'CAF',
    reference: null,
    correction: null,
    ...more,
  })
  const masked = { code: null, titre: null, thematique: null, administration: null }
  const latestFirst = [
    one(7),
    one(6, { reference: 'A1' }),
    one(5, { administration: 'MSA' }),
    one(4, masked),
    one(3, masked),
    one(2, { code: null, titre: 'Autre' }),
    one(1, { code: null, titre: 'Autre' }),
  ]
  expect(derniersEtats(latestFirst).map(({ id }) => id)).toEqual([7, 5, 4, 3, 2])
  // Noted by mistake, it stands for nothing.
  expect(derniersEtats([one(2, { correction: { annulee: true } }), one(1)]).map(({ id }) => id)).toEqual([1])
  expect(derniersEtats([one(2, { reference: 'B2' }), one(1, { reference: 'A1' })])).toHaveLength(2)
})

test('deux actes d’un même titre : ce qui restait à faire reste, jusqu’à ce que ce soit redit ou que la demande soit finie', () => {
  const one = (id: number, etapeQuoi: string | null, more: object = {}) => ({
    id,
    code: null,
    titre: 'Un courrier au bailleur',
    thematique: 'logement',
    administration: null,
    reference: null,
    correction: null,
    etapeQuoi,
    etapeQui: etapeQuoi === null ? null : ('personne' as const),
    resultat: 'deposee' as const,
    ...more,
  })
  const left = (...latestFirst: ReturnType<typeof one>[]) => etapesRestantes(latestFirst).map(({ id }) => id)
  expect(left(one(2, 'Signer le bail'), one(1, 'Apporter le bulletin'))).toEqual([2, 1])
  expect(left(one(2, null), one(1, 'Apporter le bulletin'))).toEqual([1])
  expect(left(one(2, 'Apporter le bulletin'), one(1, 'Apporter le bulletin'))).toEqual([2])
  expect(left(one(2, null, { resultat: 'terminee' }), one(1, 'Apporter le bulletin'))).toEqual([])
  expect(
    left(one(2, null, { resultat: 'terminee', reference: 'B2' }), one(1, 'Apporter le bulletin', { reference: 'A1' })),
  ).toEqual([1])
  expect(left(one(2, null), one(1, null, { resultat: 'a_faire_par_la_personne' }))).toEqual([])
  expect(left(one(1, 'Instruire', { etapeQui: 'administration' }))).toEqual([])
})
