import { expect, test } from 'vitest'
import {
  type Autorisation,
  aLaSeconde,
  type DUREES,
  dernierJour,
  etatAutorisation,
  expiresAt,
  type Fin,
  perimetreDe,
  refusalOfSigning,
  type Signing,
  type SigningRefusal,
  seTermineBientot,
} from '../../src/mandat/mandat.ts'

// Read on a calendar and written by hand: signature, durée, zone, end in UTC, day shown.
test.each<[string, (typeof DUREES)[number], string, string, string]>([
  ['2026-03-01T10:00:00Z', 'jour', 'Europe/Paris', '2026-03-02T22:59:59Z', '2026-03-02'],
  ['2026-03-01T10:00:00Z', 'mois', 'Europe/Paris', '2026-04-01T21:59:59Z', '2026-04-01'],
  ['2026-03-01T10:00:00Z', 'trimestre', 'Europe/Paris', '2026-06-01T21:59:59Z', '2026-06-01'],
  ['2026-03-01T10:00:00Z', 'semestre', 'Europe/Paris', '2026-08-30T21:59:59Z', '2026-08-30'],
  ['2026-03-01T10:00:00Z', 'an', 'Europe/Paris', '2027-03-01T22:59:59Z', '2027-03-01'],
  // Clocks change: 29 March and 25 October 2026, on the day itself, the eve and the morrow.
  ['2026-03-27T10:00:00Z', 'jour', 'Europe/Paris', '2026-03-28T22:59:59Z', '2026-03-28'],
  ['2026-03-28T10:00:00Z', 'jour', 'Europe/Paris', '2026-03-29T21:59:59Z', '2026-03-29'],
  ['2026-03-28T23:30:00Z', 'jour', 'Europe/Paris', '2026-03-30T21:59:59Z', '2026-03-30'],
  ['2026-10-24T10:00:00Z', 'jour', 'Europe/Paris', '2026-10-25T22:59:59Z', '2026-10-25'],
  ['2026-10-23T10:00:00Z', 'jour', 'Europe/Paris', '2026-10-24T21:59:59Z', '2026-10-24'],
  // Signed at 00:30 in Paris, when the day before lasts in UTC; at 23:30 in La Réunion and in Papeete.
  ['2026-06-30T22:30:00Z', 'jour', 'Europe/Paris', '2026-07-02T21:59:59Z', '2026-07-02'],
  ['2026-06-30T19:30:00Z', 'jour', 'Indian/Reunion', '2026-07-01T19:59:59Z', '2026-07-01'],
  ['2026-06-30T20:30:00Z', 'jour', 'Indian/Reunion', '2026-07-02T19:59:59Z', '2026-07-02'],
  ['2026-07-01T09:30:00Z', 'jour', 'Pacific/Tahiti', '2026-07-02T09:59:59Z', '2026-07-01'],
  ['2026-07-01T10:30:00Z', 'jour', 'Pacific/Tahiti', '2026-07-03T09:59:59Z', '2026-07-02'],
  // Leap years: 29 February 2028.
  ['2028-02-28T10:00:00Z', 'jour', 'Europe/Paris', '2028-02-29T22:59:59Z', '2028-02-29'],
  ['2028-02-29T10:00:00Z', 'an', 'Europe/Paris', '2029-02-28T22:59:59Z', '2029-02-28'],
  ['2027-03-01T10:00:00Z', 'an', 'Europe/Paris', '2028-02-29T22:59:59Z', '2028-02-29'],
  ['2026-12-31T22:59:59Z', 'jour', 'Europe/Paris', '2027-01-01T22:59:59Z', '2027-01-01'],
  ['2026-12-31T23:00:00Z', 'jour', 'Europe/Paris', '2027-01-02T22:59:59Z', '2027-01-02'],
  // Where midnight comes twice (Beirut, 25 October) or evening stops at 23:00 (Nuuk, 28 March).
  ['2026-10-23T10:00:00Z', 'jour', 'Asia/Beirut', '2026-10-24T21:59:59Z', '2026-10-24'],
  ['2026-03-27T10:00:00Z', 'jour', 'America/Nuuk', '2026-03-29T00:59:59Z', '2026-03-28'],
])('signé %s pour %s (%s) : finit à %s', (signedAt, duree, fuseau, end, day) => {
  const got = expiresAt(new Date(signedAt), duree, fuseau)
  expect(got.toISOString()).toBe(new Date(end).toISOString())
  expect(dernierJour(got, fuseau)).toBe(day)
})

test('une fraction de seconde est coupée, jamais arrondie vers l’avenir', () => {
  expect(aLaSeconde(new Date('2026-03-01T10:00:00.999Z')).toISOString()).toBe('2026-03-01T10:00:00.000Z')
  expect(expiresAt(new Date('2026-03-01T22:59:59.999Z'), 'jour', 'Europe/Paris').toISOString()).toBe('2026-03-02T22:59:59.000Z')
})

test('un périmètre se range et ne se répète pas', () => {
  expect(perimetreDe(['loisirs', 'papiers', 'loisirs', 'inconnue'])).toEqual(['papiers', 'loisirs'])
})

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
const arretee = (time: string, how: Fin = 'revoque') => autorisation({ revokedAt: at(time), revokedHow: how })

test('en vigueur jusqu’à 23:59:59, et plus à cette seconde', () => {
  expect(etatAutorisation(autorisation(), at('10T22:59:58.999'))).toEqual({ etat: 'actif' })
  expect(etatAutorisation(autorisation(), at('10T22:59:59'))).toEqual({ etat: 'expire' })
})

test('arrêtée à la seconde dite, et encore après sa date', () => {
  expect(etatAutorisation(arretee('05T12:00:00'), at('05T11:59:59'))).toEqual({ etat: 'actif' })
  expect(etatAutorisation(arretee('05T12:00:00'), at('05T12:00:00'))).toEqual({ etat: 'termine', how: 'revoque' })
  expect(etatAutorisation(arretee('05T12:00:00'), at('20T12:00:00'))).toEqual({ etat: 'termine', how: 'revoque' })
})

test('en pause de sa première à sa dernière seconde, puis de nouveau en vigueur', () => {
  const paused = autorisation({
    suspensions: [
      { from: at('02T10:00:00'), until: at('03T10:00:00'), attend: false },
      { from: at('04T10:00:00'), until: null, attend: false },
    ],
  })
  const etats = ['02T09:59:59', '02T10:00:00', '03T09:59:59', '03T10:00:00', '09T00:00:00', '11T00:00:00']
  expect(etats.map((time) => etatAutorisation(paused, at(time)).etat)).toEqual([
    'actif',
    'suspendu',
    'suspendu',
    'actif',
    'suspendu',
    'expire',
  ])
})

test('se termine bientôt : dans le dernier tiers, 30 jours au plus, et pas encore fini ; d’un jour, jamais', () => {
  const end = at('31T22:59:59')
  const soon = (days: number, now: Date) =>
    seTermineBientot({ signedAt: new Date(end.getTime() - days * 24 * 3600_000), expiresAt: end }, now)
  expect(soon(365, at('01T22:59:58'))).toBe(false)
  expect(soon(365, at('01T22:59:59'))).toBe(true)
  expect(soon(365, at('31T22:59:58'))).toBe(true)
  expect(soon(365, at('31T22:59:59'))).toBe(false)
  expect(soon(30, at('21T22:59:58'))).toBe(false)
  expect(soon(30, at('21T22:59:59'))).toBe(true)
  for (const hour of ['30T10:00:00', '31T22:59:58']) expect(soon(2, at(hour))).toBe(false)
})

const now = at('01T10:30:00')
const signing: Signing = {
  structure: { suspendue: false, desactivees: ['justice'] },
  aidant: {
    suspendu: false,
    dansLaStructure: true,
    cguAcceptees: true,
    prenom: 'Fatima',
    nom: 'Benali',
    email: 'fatima@exemple.fr',
  },
  conditions: { perimetre: ['logement', 'social'], duree: 'mois' },
  accordees: ['logement'],
  identite: {
    sub: 's',
    prenoms: ['Angela'],
    nomNaissance: 'DUBOIS',
    birthdate: '1962-08-24',
    birthplace: '75107',
    birthcountry: '99100',
  },
  protegee: false,
  authTime: new Date(now.getTime() - 30 * 60_000),
  now,
  fuseau: 'Europe/Paris',
}

test('signe ce qui est en règle, jusqu’à 30 minutes après l’identification', () => {
  expect(refusalOfSigning(signing)).toBeUndefined()
  expect(refusalOfSigning({ ...signing, accordees: ['social', 'logement'] })).toBeUndefined()
  expect(refusalOfSigning({ ...signing, authTime: new Date(now.getTime() + 25_000) })).toBeUndefined()
})

const { structure, aidant, identite, conditions } = signing
test.each<[SigningRefusal, Partial<Signing>]>([
  ['aucune_thematique', { accordees: [] }],
  ['thematique_inconnue', { accordees: ['banque'] }],
  ['thematique_desactivee', { accordees: ['justice'], conditions: { ...conditions, perimetre: ['justice'] } }],
  ['duree_inconnue', { conditions: { ...conditions, duree: 'toujours' } }],
  ['duree_inconnue', { conditions: { ...conditions, duree: 'toString' } }],
  ['protegee', { protegee: true }],
  ['mineure', { identite: { ...identite, birthdate: '2008-03-02' } }],
  ['majorite_incertaine', { identite: { ...identite, birthdate: '2008' } }],
  ['aidant_lui_meme', { aidant: { ...aidant, prenom: 'Angela', nom: 'Dubois' } }],
  ['perimetre_elargi', { accordees: ['logement', 'argent'] }],
  ['connexion_perimee', { authTime: new Date(now.getTime() - 30 * 60_000 - 1000) }],
  ['connexion_perimee', { authTime: new Date(now.getTime() + 90_000) }],
  ['cgu_non_acceptees', { aidant: { ...aidant, cguAcceptees: false } }],
  ['aidant_suspendu', { aidant: { ...aidant, suspendu: true } }],
  ['aidant_hors_structure', { aidant: { ...aidant, dansLaStructure: false } }],
  ['structure_suspendue', { structure: { ...structure, suspendue: true } }],
])('refuse de signer : %s', (refusal, over) => {
  expect(refusalOfSigning({ ...signing, ...over })).toBe(refusal)
})

test('la majorité se compte au jour de la structure, pas à celui de Londres', () => {
  const birthday = {
    ...signing,
    identite: { ...identite, birthdate: '2008-03-02' },
    now: at('01T23:30:00'),
    authTime: at('01T23:20:00'),
  }
  expect(refusalOfSigning(birthday)).toBeUndefined()
  expect(refusalOfSigning({ ...birthday, fuseau: 'Pacific/Tahiti' })).toBe('mineure')
})
