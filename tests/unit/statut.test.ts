import { generateKeyPairSync } from 'node:crypto'
import { inflateSync } from 'node:zlib'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { expect, test } from 'vitest'
import { parseSealKeys, signJws } from '../../src/mandat/sceau.ts'
import {
  BLOCS,
  encodeList,
  placeDe,
  SLOTS,
  type StatusReason,
  signStatusList,
  slotDe,
  statusAt,
} from '../../src/mandat/statut.ts'

const newKeys = () =>
  parseSealKeys(
    JSON.stringify({ keys: [generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })] }),
  )
const keys = newKeys()
const sub = 'https://mandats.exemple.fr/statuts/0'
const now = new Date('2026-03-01T10:00:00.700Z')
const lst = encodeList([
  { slot: slotDe(32, 'papiers'), statut: 'INVALID' },
  { slot: slotDe(32, 'logement'), statut: 'SUSPENDED' },
  { slot: SLOTS - 1, statut: 'INVALID' },
])
const list = await signStatusList({ sub, lst, now }, keys.current)

test('range les statuts comme l’exemple de la norme (2 bits, poids faibles d’abord)', () => {
  // draft-ietf-oauth-status-list, « Status List » with 2 bits: 1 2 0 3 0 1 0 1 | 1 2 3 3 gives C9 44 F9; 3 is no statut of ours.
  const bytes = inflateSync(
    Buffer.from(
      encodeList([
        { slot: 0, statut: 'INVALID' },
        { slot: 1, statut: 'SUSPENDED' },
        { slot: 5, statut: 'INVALID' },
        { slot: 7, statut: 'INVALID' },
      ]),
      'base64url',
    ),
  )
  expect([...bytes.subarray(0, 3)]).toEqual([0x09, 0x44, 0])
  expect(bytes).toHaveLength(SLOTS / 4)
})

test('un mandat occupe seize places, dix pour ses thématiques, sans toucher au voisin', () => {
  expect(placeDe(0)).toEqual({ liste: 0, idx: 0 })
  expect(placeDe(BLOCS - 1)).toEqual({ liste: 0, idx: SLOTS - 16 })
  expect(placeDe(BLOCS)).toEqual({ liste: 1, idx: 0 })
  expect(slotDe(16, 'papiers')).toBe(16)
  expect(slotDe(16, 'loisirs')).toBe(25)
})

test('publie un jeton d’un jour, à reprendre chaque minute, sous son adresse', () => {
  expect(decodeProtectedHeader(list)).toEqual({ alg: 'ES256', kid: keys.current.kid, typ: 'statuslist+jwt' })
  const iat = 1772359200
  expect(decodeJwt(list)).toEqual({ sub, iat, exp: iat + 86_400, ttl: 60, status_list: { bits: 2, lst } })
})

test('lit le statut de chaque thématique, et aucun autre ne change', async () => {
  const read = async (slot: number) => statusAt(list, slot, keys.jwks, { sub, now })
  expect(await read(slotDe(32, 'papiers'))).toEqual({ ok: true, statut: 'INVALID' })
  expect(await read(slotDe(32, 'logement'))).toEqual({ ok: true, statut: 'SUSPENDED' })
  expect(await read(SLOTS - 1)).toEqual({ ok: true, statut: 'INVALID' })
  for (const slot of [0, 31, 33, slotDe(32, 'social'), slotDe(32, 'transports'), SLOTS - 2])
    expect(await read(slot)).toEqual({ ok: true, statut: 'VALID' })
})

const at = (seconds: number) => new Date(1772359200_000 + seconds * 1000)
test.each<[StatusReason, string, () => Promise<Parameters<typeof statusAt>>]>([
  ['illisible', 'autre chose qu’une liste', async () => ['liste', 0, keys.jwks, { sub, now }]],
  [
    'cle_inconnue',
    'la liste d’un autre',
    async () => [await signStatusList({ sub, lst, now }, newKeys().current), 0, keys.jwks, { sub, now }],
  ],
  [
    'type_inattendu',
    'un autre jeton à nous',
    async () => [await signJws('mandat+jwt', decodeJwt(list), keys.current), 0, keys.jwks, { sub, now }],
  ],
  [
    'contenu_incomplet',
    'une liste d’un autre format',
    async () => [
      await signJws('statuslist+jwt', { ...decodeJwt(list), status_list: { bits: 1, lst } }, keys.current),
      0,
      keys.jwks,
      { sub, now },
    ],
  ],
  ['autre_liste', 'une liste servie sous une autre adresse', async () => [list, 0, keys.jwks, { sub: `${sub}1`, now }]],
  ['liste_perimee', 'une liste d’hier', async () => [list, 0, keys.jwks, { sub, now: at(86_400) }]],
  ['hors_liste', 'une place après la fin', async () => [list, SLOTS, keys.jwks, { sub, now }]],
  ['hors_liste', 'une place d’avant le début', async () => [list, -1, keys.jwks, { sub, now }]],
])('ne dit rien (%s) d’après %s', async (reason, _, call) => {
  expect(await statusAt(...(await call()))).toEqual({ ok: false, reason })
})

test('une liste sert jusqu’à sa dernière seconde', async () => {
  expect((await statusAt(list, 0, keys.jwks, { sub, now: at(86_399) })).ok).toBe(true)
})

test('refuse d’écrire hors de la liste', () => {
  for (const slot of [-1, SLOTS, 0.5]) expect(() => encodeList([{ slot, statut: 'INVALID' }])).toThrow('no slot')
})
