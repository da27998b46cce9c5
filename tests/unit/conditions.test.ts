import { createHash } from 'node:crypto'
import { CompactSign, exportJWK, generateKeyPair, type JWK } from 'jose'
import { expect, test } from 'vitest'
import {
  conditionsOf,
  type EvidenceReason,
  type NewConditions,
  nonceOf,
  readConditions,
  verifyEvidence,
} from '../../src/mandat/conditions.ts'
import { TEXTE_COURANT, texte } from '../../src/mandat/texte.ts'

const { version, langue, sha256 } = texte(TEXTE_COURANT)!
const choix: NewConditions = {
  id: 'c0ffee00-1234-4abc-8def-0123456789ab',
  structure: { siret: '26460001200017', nom: 'CCAS de Figeac' },
  aidant: { nom: 'Fatima Benali' },
  perimetre: ['social', 'logement'],
  duree: 'mois',
  texte: { version, langue, sha256 },
  demandeLe: new Date('2026-03-01T10:00:00.900Z'),
  sel: Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex'),
}
const conditions = conditionsOf(choix)

const pair = async (kid: string) => {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, use: 'sig' } as JWK }
}
const [archived, stranger] = [await pair('fc-2026'), await pair('fc-2026')]
const rsa = await generateKeyPair('RS256', { extractable: true })
const ours = { issuer: 'https://fc.test/api/v2', clientId: 'trait-dunion' }

const asked = Date.parse('2026-03-01T10:00:00Z') / 1000
const claims = {
  iss: ours.issuer,
  aud: ours.clientId,
  sub: 'person',
  acr: 'eidas1',
  nonce: nonceOf(conditions),
  auth_time: asked + 120,
  iat: asked + 150,
  exp: asked + 210,
}
const sign = (
  over: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  key: Parameters<CompactSign['sign']>[0] = archived.privateKey,
) =>
  new CompactSign(Buffer.from(JSON.stringify({ ...claims, ...over })))
    .setProtectedHeader({ alg: 'ES256', kid: 'fc-2026', ...header })
    .sign(key)

const evidence = {
  conditions,
  idToken: await sign(),
  jwks: { keys: [{ kty: 'RSA', kid: 'fc-2026', n: 'AQ', e: 'AQAB' }, archived.jwk] },
  ...ours,
  perimetre: ['logement'] as readonly string[],
}

test('les conditions sont ces octets-là', () => {
  expect(conditions).toBe(
    `{"aidant":{"nom":"Fatima Benali"},"demandeLe":"2026-03-01T10:00:00.000Z","duree":"mois","id":"c0ffee00-1234-4abc-8def-0123456789ab","perimetre":["social","logement"],"sel":"AAECAwQFBgcICQoLDA0ODw","structure":{"nom":"CCAS de Figeac","siret":"26460001200017"},"texte":{"langue":"fr","sha256":"${sha256}","version":"${version}"},"v":1}`,
  )
  expect(nonceOf('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})

test('le périmètre se range avant d’être figé', () => {
  expect(conditionsOf({ ...choix, perimetre: ['logement', 'social', 'logement'] })).toBe(conditions)
})

test('un sel trop court est refusé', () => {
  expect(() => conditionsOf({ ...choix, sel: Buffer.alloc(8) })).toThrow('16 bytes')
})

test('ne relit que l’écriture exacte', () => {
  expect(readConditions(conditions)?.perimetre).toEqual(['social', 'logement'])
  const value = JSON.parse(conditions)
  const texts = [JSON.stringify(value, null, 1), `${conditions} `, JSON.stringify({ ...value, extra: 1 }), '{', 'null', '']
  for (const text of texts) expect(readConditions(text)).toBeUndefined()
})

test('accepte la preuve : ces mots, cette personne, cette minute', async () => {
  const hash = (text: string) => createHash('sha256').update(text).digest('hex')
  expect(await verifyEvidence(evidence)).toEqual({
    ok: true,
    conditions: readConditions(conditions),
    accord: {
      iss: ours.issuer,
      sub: 'person',
      acr: 'eidas1',
      auth_time: asked + 120,
      conditions_sha256: hash(conditions),
      id_token_sha256: hash(evidence.idToken),
    },
  })
  expect((await verifyEvidence({ ...evidence, perimetre: ['logement', 'social'] })).ok).toBe(true)
})

const other: Partial<NewConditions>[] = [
  { id: 'c0ffee00-1234-4abc-8def-0123456789ac' },
  { structure: { siret: '26460001200018', nom: 'CCAS de Figeac' } },
  { structure: { siret: '26460001200017', nom: 'CCAS de Figeaq' } },
  { aidant: { nom: 'Fatima Benalo' } },
  { perimetre: ['social', 'logement', 'argent'] },
  { perimetre: ['logement'] },
  { duree: 'an' },
  { demandeLe: new Date('2026-03-01T10:00:01Z') },
  { sel: Buffer.alloc(16) },
]
test.each(other)('un mot changé après coup se voit : %j', async (over) => {
  const changed = conditionsOf({ ...choix, ...over })
  expect(await verifyEvidence({ ...evidence, conditions: changed })).toEqual({ ok: false, reason: 'nonce_different' })
})

const b64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const [head, body, signature] = evidence.idToken.split('.') as [string, string, string]

test.each<[EvidenceReason, string, () => Partial<typeof evidence> | Promise<Partial<typeof evidence>>]>([
  ['conditions_illisibles', 'des conditions réécrites autrement', () => ({ conditions: ` ${conditions}` })],
  [
    'texte_inconnu',
    'un texte d’une autre version',
    () => ({ conditions: conditionsOf({ ...choix, texte: { ...choix.texte, version: 'fr-0' } }) }),
  ],
  [
    'texte_inconnu',
    'un texte aux mots changés',
    () => ({ conditions: conditionsOf({ ...choix, texte: { ...choix.texte, sha256: '0'.repeat(64) } }) }),
  ],
  ['perimetre_vide', 'aucune thématique', () => ({ perimetre: [] })],
  ['perimetre_elargi', 'une thématique ajoutée', () => ({ perimetre: ['logement', 'argent'] })],
  ['illisible', 'un jeton qui n’en est pas un', () => ({ idToken: 'abc' })],
  ['illisible', 'un jeton tronqué', () => ({ idToken: `${head}.${body}` })],
  ['illisible', 'le même jeton écrit autrement', () => ({ idToken: `${evidence.idToken}=` })],
  [
    'illisible',
    'un jeton dont le contenu n’est pas un objet',
    async () => ({
      idToken: await new CompactSign(Buffer.from('[]'))
        .setProtectedHeader({ alg: 'ES256', kid: 'fc-2026' })
        .sign(archived.privateKey),
    }),
  ],
  [
    'algorithme_refuse',
    'un jeton sans signature (none)',
    () => ({ idToken: `${b64({ alg: 'none', kid: 'fc-2026' })}.${body}.` }),
  ],
  [
    'algorithme_refuse',
    'un jeton HS256, la clé publique pour secret',
    async () => ({
      idToken: await sign({}, { alg: 'HS256' }, Buffer.from(JSON.stringify(archived.jwk))),
    }),
  ],
  ['algorithme_refuse', 'un jeton RS256', async () => ({ idToken: await sign({}, { alg: 'RS256' }, rsa.privateKey) })],
  ['cle_inconnue', 'une clé qui n’est pas dans l’archive', async () => ({ idToken: await sign({}, { kid: 'fc-2027' }) })],
  ['cle_inconnue', 'un jeton sans kid', async () => ({ idToken: await sign({}, { kid: undefined }) })],
  [
    'cle_inconnue',
    'une clé sans kid dans l’archive, un jeton sans kid',
    async () => ({
      idToken: await sign({}, { kid: undefined }),
      jwks: { keys: [{ ...archived.jwk, kid: undefined } as unknown as JWK] },
    }),
  ],
  ['signature_fausse', 'la clé d’un autre sous le même kid', async () => ({ idToken: await sign({}, {}, stranger.privateKey) })],
  [
    'signature_fausse',
    'une clé apportée par le jeton',
    async () => ({ idToken: await sign({}, { jwk: stranger.jwk }, stranger.privateKey) }),
  ],
  [
    'signature_fausse',
    'un contenu retouché sous la signature',
    () => ({ idToken: `${head}.${b64({ ...claims, sub: 'other' })}.${signature}` }),
  ],
  ['emetteur_different', 'un autre émetteur', async () => ({ idToken: await sign({ iss: 'https://autre.test' }) })],
  ['destinataire_different', 'un jeton fait pour un autre service', async () => ({ idToken: await sign({ aud: 'autre' }) })],
  [
    'destinataire_different',
    'un jeton fait pour nous et un autre',
    async () => ({ idToken: await sign({ aud: [ours.clientId, 'autre'] }) }),
  ],
  ['nonce_different', 'le jeton d’une autre demande', async () => ({ idToken: await sign({ nonce: 'a'.repeat(64) }) })],
  ['nonce_different', 'un jeton sans nonce', async () => ({ idToken: await sign({ nonce: undefined }) })],
  ['contenu_incomplet', 'un jeton sans sub', async () => ({ idToken: await sign({ sub: undefined }) })],
  ['contenu_incomplet', 'un jeton sans auth_time', async () => ({ idToken: await sign({ auth_time: undefined }) })],
  ['contenu_incomplet', 'un jeton sans acr', async () => ({ idToken: await sign({ acr: undefined }) })],
  ['acr_insuffisant', 'un niveau plus bas', async () => ({ idToken: await sign({ acr: 'eidas0' }) })],
  ['dates_incoherentes', 'une identification d’avant les mots', async () => ({ idToken: await sign({ auth_time: asked - 31 }) })],
  [
    'dates_incoherentes',
    'une identification d’après le jeton',
    async () => ({ idToken: await sign({ auth_time: asked + 181 }) }),
  ],
  [
    'dates_incoherentes',
    'une identification vieille de plus de cinq minutes',
    async () => ({ idToken: await sign({ iat: asked + 451, exp: asked + 511 }) }),
  ],
  [
    'dates_incoherentes',
    'un aller-retour de plus de trente minutes',
    async () => ({
      idToken: await sign({ auth_time: asked + 1800, iat: asked + 1831, exp: asked + 1891 }),
    }),
  ],
  ['dates_incoherentes', 'un jeton fini avant d’être fait', async () => ({ idToken: await sign({ exp: claims.iat }) })],
])('refuse la preuve (%s) : %s', async (reason, _, over) => {
  expect(await verifyEvidence({ ...evidence, ...(await over()) })).toEqual({ ok: false, reason })
})

test('refuse un jeton que l’on aurait mal compris (crit)', async () => {
  const idToken = `${b64({ alg: 'ES256', kid: 'fc-2026', crit: ['x'], x: 1 })}.${body}.${signature}`
  expect(await verifyEvidence({ ...evidence, idToken })).toEqual({ ok: false, reason: 'illisible' })
})

test('accepte les derniers instants permis', async () => {
  for (const over of [
    { auth_time: asked - 30, iat: asked },
    { auth_time: claims.iat + 30 },
    { iat: asked + 450, exp: asked + 510 },
    { auth_time: asked + 1800, iat: asked + 1830, exp: asked + 1890 },
    { aud: [ours.clientId] },
    { acr: 'eidas3' },
  ])
    expect((await verifyEvidence({ ...evidence, idToken: await sign(over) })).ok).toBe(true)
})
