import { expect, test } from 'vitest'
import {
  type Identite,
  identiteDe,
  majorite,
  memePersonne,
  mots,
  naissanceCertaine,
  naissancesPossibles,
} from '../../src/usager/identite.ts'

const claims = {
  sub: `${'a'.repeat(64)}v1`,
  aud: 'client',
  iss: 'https://fc.test/api/v2',
  iat: 1,
  exp: 61,
  given_name: 'Angela Claire',
  given_name_array: ['Angela', 'Claire'],
  family_name: 'DUBOIS',
  preferred_username: 'LE GOFF',
  birthdate: '1962-08-24',
  birthplace: '75107',
  birthcountry: '99100',
  gender: 'female',
  email: 'angela@exemple.fr',
}
const identiteOf = (over: Record<string, unknown>): Identite => {
  const read = identiteDe({ ...claims, ...over })
  if (!read.ok) throw new Error(read.refusal)
  return read.identite
}

test('garde l’identité utile, et ni le genre ni les dates du jeton', () => {
  expect(identiteOf({})).toStrictEqual({
    sub: claims.sub,
    prenoms: ['Angela', 'Claire'],
    nomNaissance: 'DUBOIS',
    nomUsage: 'LE GOFF',
    birthdate: '1962-08-24',
    birthplace: '75107',
    birthcountry: '99100',
    email: 'angela@exemple.fr',
  })
})

test.each<[string, Record<string, unknown>]>([
  ['née à l’étranger, sans lieu', { birthplace: '', birthcountry: '99352' }],
  ['née en Corse', { birthplace: '2B033' }],
  ['née en Polynésie', { birthplace: '98729' }],
  ['un nom de cent lettres', { family_name: 'É'.repeat(100) }],
  ['des lettres rares', { family_name: 'DURANTéàèùòœæŒÆ', given_name: 'Noël-Ðỳ', given_name_array: undefined }],
  ['sans e-mail', { email: null }],
  ['sans nom d’usage', { preferred_username: '' }],
])('accepte %s', (_, over) => {
  expect(identiteDe({ ...claims, ...over }).ok).toBe(true)
})

test('sépare les prénoms quand FranceConnect ne les sépare pas', () => {
  expect(identiteOf({ given_name: ' Jean-Pierre  Marie ', given_name_array: undefined }).prenoms).toEqual([
    'Jean-Pierre',
    'Marie',
  ])
})

test('un nom d’usage égal au nom de naissance n’est pas un second nom', () => {
  expect(identiteOf({ preferred_username: 'Dubois' })).not.toHaveProperty('nomUsage')
})

test('un e-mail qui n’en est pas un est comme absent', () => {
  expect(identiteOf({ email: 'pas une adresse' })).not.toHaveProperty('email')
  expect(identiteOf({ email: 'a@exemple.fr\r\nBcc: b@exemple.fr' })).not.toHaveProperty('email')
})

test.each<[string, Record<string, unknown>, string]>([
  ['sans prénom', { given_name: undefined }, 'prenom_manquant'],
  ['au prénom nul', { given_name: null }, 'prenom_manquant'],
  ['au prénom vide', { given_name: '  ' }, 'prenom_manquant'],
  ['sans nom', { family_name: null }, 'nom_manquant'],
  ['sans date de naissance', { birthdate: '' }, 'naissance_manquante'],
  ['sans pays de naissance', { birthcountry: undefined }, 'naissance_manquante'],
  ['née en France sans commune', { birthplace: '' }, 'naissance_manquante'],
  ['au nom de plus de cent lettres', { family_name: 'A'.repeat(101) }, 'identite_invalide'],
  ['au nom qui cache un retour à la ligne', { family_name: 'DUBOIS\nROI' }, 'identite_invalide'],
  ['au nom qui finit par un octet nul', { family_name: 'DUBOIS\u0000' }, 'identite_invalide'],
  ['au nom qui se lit à l’envers', { family_name: '\u202eSIOBUD' }, 'identite_invalide'],
  ['au prénom qui cache une tabulation', { given_name: 'Angela\tClaire', given_name_array: undefined }, 'identite_invalide'],
  ['née un 30 février', { birthdate: '1962-02-30' }, 'identite_invalide'],
  ['née dans une autre écriture', { birthdate: '24/08/1962' }, 'identite_invalide'],
  ['au lieu inconnu de l’INSEE', { birthplace: '7510' }, 'identite_invalide'],
  ['au pays inconnu de l’INSEE', { birthcountry: '75107', birthplace: '75107' }, 'identite_invalide'],
  ['sans sub', { sub: '' }, 'identite_invalide'],
  ['au nom qui est un objet', { family_name: { a: 1 } }, 'identite_invalide'],
  ['aux prénoms innombrables', { given_name: 'A '.repeat(50), given_name_array: undefined }, 'identite_invalide'],
  ['qui est un id_token rejoué', { nonce: 'a'.repeat(64) }, 'identite_invalide'],
  ['qui est un id_token rejoué, sans nonce', { auth_time: 1 }, 'identite_invalide'],
])('refuse une identité %s', (_, over, refusal) => {
  expect(identiteDe({ ...claims, ...over })).toEqual({ ok: false, refusal })
})

test.each([undefined, null, 'texte', 42, []])('refuse %s en guise d’identité', (value) => {
  expect(identiteDe(value).ok).toBe(false)
})

test('d’une date de naissance, ne garde que ce qui est certain', () => {
  expect(naissanceCertaine('1962-08-24')).toBe('1962-08-24')
  expect(naissanceCertaine('1962-08-01')).toBe('1962-08')
  expect(naissanceCertaine('1962-01-01')).toBe('1962')
  expect(naissanceCertaine('1962-01-24')).toBe('1962-01-24')
  expect(naissanceCertaine('1901-11-01')).toBe('1901-11')
  expect(identiteOf({ birthdate: '1962-08-01' }).birthdate).toBe('1962-08')
})

test('retrouve par sa date entière une personne dont on ne garde que le mois ou l’année', () => {
  for (const date of ['1962-08-24', '1962-08-01', '1962-01-01'])
    expect(naissancesPossibles(date)).toContain(naissanceCertaine(date))
})

test('majeure le jour de ses 18 ans, pas la veille', () => {
  expect(majorite('2008-03-15', '2026-03-14')).toBe('mineure')
  expect(majorite('2008-03-15', '2026-03-15')).toBe('majeure')
  expect(majorite('2008-02-29', '2026-02-28')).toBe('mineure')
  expect(majorite('2008-02-29', '2026-03-01')).toBe('majeure')
})

test('sans jour ou sans mois connu, ne dit majeure que lorsque c’est sûr', () => {
  expect(majorite('2008-03', '2026-02-28')).toBe('mineure')
  expect(majorite('2008-03', '2026-03-01')).toBe('incertaine')
  expect(majorite('2008-03', '2026-03-31')).toBe('majeure')
  expect(majorite('2008', '2025-12-31')).toBe('mineure')
  expect(majorite('2008', '2026-01-01')).toBe('incertaine')
  expect(majorite('2008', '2026-12-30')).toBe('incertaine')
  expect(majorite('2008', '2026-12-31')).toBe('majeure')
})

test('cherche sans accents, ligatures, majuscules, traits d’union ni apostrophes', () => {
  expect(mots('D’Œuvre-Lætitia  ÉLÉONORE')).toEqual(['d', 'oeuvre', 'laetitia', 'eleonore'])
  expect(mots('Ngô Thị Łukasz Straße İnci ŒÆ')).toEqual(['ngo', 'thi', 'lukasz', 'strasse', 'inci', 'oeae'])
  expect(mots('e\u0301t\u00e9')).toEqual(['ete'])
  expect(mots(' - ')).toEqual([])
})

test('reconnaît l’aidante qui se ferait un mandat à elle-même', () => {
  const personne = identiteOf({})
  const autre = 'autre@exemple.fr'
  expect(memePersonne(personne, { prenom: 'X', nom: 'Y', email: ' Angela@Exemple.FR ' })).toBe(true)
  expect(memePersonne(personne, { prenom: 'ANGÉLA', nom: 'Le Goff', email: autre })).toBe(true)
  expect(memePersonne(personne, { prenom: 'Claire', nom: 'Dubois', email: autre })).toBe(true)
  expect(memePersonne(personne, { prenom: 'Angela-Claire', nom: 'legoff', email: autre })).toBe(true)
  expect(memePersonne(personne, { prenom: 'Marie', nom: 'Dubois', email: autre })).toBe(false)
  expect(memePersonne(personne, { prenom: 'Angela', nom: 'Martin', email: autre })).toBe(false)
  expect(memePersonne(identiteOf({ email: undefined }), { prenom: 'Marie', nom: 'Martin', email: autre })).toBe(false)
})
