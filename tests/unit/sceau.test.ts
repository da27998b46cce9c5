import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { CompactSign, calculateJwkThumbprint, decodeProtectedHeader, exportJWK, generateKeyPair } from 'jose'
import { expect, test } from 'vitest'
import { type MandatClaims, openSeal, parseSealKeys, type SealReason, sealMandat, signJws } from '../../src/mandat/sceau.ts'

type Private = { kty: string; crv: string; x: string; y: string; d: string }
const newKey = (): Private =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }) as unknown as Private
const [first, second] = [newKey(), newKey()]
const set = (...keys: unknown[]) => JSON.stringify({ keys })
const keys = parseSealKeys(set(first, second))
const stranger = parseSealKeys(set(newKey()))

const issuer = 'https://mandats.exemple.fr'
const claims: MandatClaims = {
  iss: issuer,
  jti: 'c0ffee00-1234-4abc-8def-0123456789ab',
  iat: 1772359200,
  nbf: 1772359200,
  exp: 1775080799,
  sub: 'pseudonyme',
  mandant: { given_name: 'Angela', family_name: 'DUBOIS', birthdate: '1962-08' },
  mandataire: { siret: '26460001200017', nom: 'CCAS de Figeac' },
  act: { sub: 'aidant', nom: 'Fatima Benali' },
  perimetre: ['logement'],
  texte: { version: 'fr-1', langue: 'fr', sha256: '0'.repeat(64) },
  accord: { iss: 'https://fc.test', acr: 'eidas1', auth_time: 1772358900, conditions_sha256: 'a', id_token_sha256: 'b' },
  status: { status_list: { idx: 16, uri: `${issuer}/statuts/0` } },
}
const seal = await sealMandat(claims, keys.current)
const [head, body, signature] = seal.split('.') as [string, string, string]
const b64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const header = { alg: 'ES256', kid: keys.current.kid, typ: 'mandat+jwt' }

test('le sceau s’ouvre avec nos clés publiques et dit ce qui a été scellé', async () => {
  expect(await openSeal(seal, keys.jwks, { issuer })).toEqual({ ok: true, claims })
  expect(decodeProtectedHeader(seal)).toEqual(header)
})

test('un sceau fait avec une clé retirée s’ouvre encore', async () => {
  const rotated = parseSealKeys(set(second, { ...first, d: undefined }))
  expect((await openSeal(seal, rotated.jwks, { issuer })).ok).toBe(true)
  expect(rotated.current.kid).not.toBe(keys.current.kid)
})

test('un mandat dont la date est passée reste authentique', async () => {
  const old = await sealMandat({ ...claims, exp: 1 }, keys.current)
  expect((await openSeal(old, keys.jwks, { issuer })).ok).toBe(true)
})

const signWith = (key: KeyObject, over: Record<string, unknown>) =>
  new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader({ ...header, ...over }).sign(key)

test.each<[SealReason, string, () => string | Promise<string>]>([
  ['illisible', 'autre chose qu’un sceau', () => 'mandat'],
  ['illisible', 'la même chose écrite autrement', () => `${seal}==`],
  ['algorithme_refuse', 'un sceau sans signature', () => `${b64({ ...header, alg: 'none' })}.${body}.`],
  [
    'algorithme_refuse',
    'un sceau HS256, la clé publique pour secret',
    () =>
      new CompactSign(Buffer.from(JSON.stringify(claims)))
        .setProtectedHeader({ ...header, alg: 'HS256' })
        .sign(Buffer.from(JSON.stringify(keys.jwks.keys[0]))),
  ],
  ['cle_inconnue', 'la clé d’un autre service', () => sealMandat(claims, stranger.current)],
  [
    'signature_fausse',
    'la clé d’un autre sous notre kid',
    () => sealMandat(claims, { ...stranger.current, kid: keys.current.kid }),
  ],
  [
    'signature_fausse',
    'une clé apportée par le sceau',
    () =>
      signWith(stranger.current.privateKey, {
        jwk: stranger.jwks.keys[0],
        jku: 'https://autre.test/jwks',
        x5u: 'https://autre.test',
      }),
  ],
  ['signature_fausse', 'un champ changé', () => `${head}.${b64({ ...claims, perimetre: ['logement', 'argent'] })}.${signature}`],
  ['type_inattendu', 'une liste de statuts donnée pour un mandat', () => signJws('statuslist+jwt', claims, keys.current)],
  ['type_inattendu', 'un jeton sans type', () => signWith(keys.current.privateKey, { typ: undefined })],
  ['emetteur_different', 'le sceau d’un autre service', () => sealMandat({ ...claims, iss: 'https://autre.fr' }, keys.current)],
  ['contenu_incomplet', 'un sceau sans périmètre', () => sealMandat({ ...claims, perimetre: [] }, keys.current)],
  [
    'contenu_incomplet',
    'un sceau sans mandant',
    () => {
      const { mandant: _, ...rest } = claims
      return signJws('mandat+jwt', rest, keys.current)
    },
  ],
])('refuse (%s) : %s', async (reason, _, jws) => {
  expect(await openSeal(await jws(), keys.jwks, { issuer })).toEqual({ ok: false, reason })
})

test('ce que le sceau apporte lui-même (jwk, jku, x5u) n’est jamais regardé', async () => {
  const jws = await signWith(keys.current.privateKey, { jwk: stranger.jwks.keys[0], jku: 'https://autre.test/jwks' })
  expect((await openSeal(jws, keys.jwks, { issuer })).ok).toBe(true)
})

test('publie chaque clé sans sa partie privée, sous son empreinte RFC 7638', async () => {
  expect(keys.jwks.keys.map((key) => Object.keys(key).sort())).toEqual(
    Array(2).fill(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']),
  )
  expect(keys.jwks.keys[0]!.kid).toBe(await calculateJwkThumbprint(first))
  expect(keys.current.kid).toBe(keys.jwks.keys[0]!.kid)
  expect(JSON.stringify(keys.jwks)).not.toContain(first.d)
})

const other = newKey()
const p384 = await exportJWK((await generateKeyPair('ES384', { extractable: true })).privateKey)
const rsa = await exportJWK((await generateKeyPair('RS256', { extractable: true })).privateKey)
test.each<[string, string]>([
  ['du texte', 'clé'],
  ['une clé sans son ensemble', JSON.stringify(first)],
  ['aucune clé', set()],
  ['une clé qui ne peut pas sceller', set({ ...first, d: undefined })],
  ['une clé RSA', set(rsa)],
  ['une clé P-384', set(p384)],
  ['un secret partagé', set({ kty: 'oct', k: 'AAAA' })],
  ['une clé pour un autre algorithme', set({ ...first, alg: 'ES384' })],
  ['une clé pour chiffrer', set({ ...first, use: 'enc' })],
  ['une clé sous un faux kid', set({ ...first, kid: 'cle-1' })],
  ['deux moitiés de clés différentes', set({ ...first, d: other.d })],
  ['un point hors de la courbe', set(first, { ...second, d: undefined, y: other.y })],
  ['une clé nulle', set({ ...first, d: Buffer.alloc(32).toString('base64url') })],
  ['deux fois la même clé', set(first, first)],
])('refuse de démarrer avec %s', (_, json) => {
  expect(() => parseSealKeys(json)).toThrow()
})

test('le refus d’une clé ne répète jamais la clé', () => {
  for (const bad of [
    `{"d":"${first.d}"`,
    set({ ...first, kid: 'x' }),
    set({ ...first, crv: 'P-384' }),
    set({ ...first, d: `${first.d}A` }),
  ]) {
    let message = ''
    try {
      parseSealKeys(bad)
    } catch (error) {
      message = (error as Error).message
    }
    expect(message).not.toBe('')
    expect(message).not.toContain(first.d.slice(0, 10))
  }
})
