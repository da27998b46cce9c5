import { expect, test } from 'vitest'
import { commitmentOf, parseEntry } from '../../src/journal/entry.ts'
import { VECTEURS } from './journal-vectors.ts'

const [premier] = VECTEURS
const base64url = (hex: string) => Buffer.from(hex, 'hex').toString('base64url')

test.each(VECTEURS)('les octets de la ligne sont figés : $nom', ({ fields, salt, payload, commitment, entry }) => {
  expect(commitmentOf(Buffer.from(salt, 'hex'), payload)).toBe(base64url(commitment))
  expect(parseEntry(entry)).toEqual({ ...fields, commitment: base64url(commitment) })
})

test('refuse ce que la base n’écrirait pas de la même façon', () => {
  const { entry } = premier!
  const instead = (what: string | RegExp, other: string) => {
    const written = entry.replace(what, other)
    expect(written).not.toBe(entry)
    expect([written, parseEntry(written)]).toEqual([written, undefined])
  }
  instead(/"usager_id":"[^"]+"/, '"usager_id":"7F6E5D4C-3B2A-4190-8F7E-6D5C4B3A2910"')
  instead(/"acteur_id":"[^"]+"/, '"acteur_id":"Fatima Benali"')
  instead(/"acteur_id":"[^"]+"/, '"acteur_id":null')
  for (const seq of ['0', '-1', '01', '1.5', '1e3', '"1"', '9007199254740993']) instead('"mandat_seq":1', `"mandat_seq":${seq}`)
  for (const at of [
    '2026-03-01T09:15:42Z',
    '2026-03-01T09:15:42.000+00:00',
    '2026-03-01 09:15:42.000Z',
    '2026-13-01T09:15:42.000Z',
    '',
  ])
    instead(/"at":"[^"]+"/, `"at":"${at}"`)
  for (const word of ['robot', 'usager|aidant', '']) instead('"acteur":"aidant"', `"acteur":"${word}"`)
  for (const word of ['mandat_signe ', 'mandat_falsifie', '']) instead('"action":"mandat_signe"', `"action":"${word}"`)
  // Written once each, in their order, with nothing around.
  instead('{"acteur":"aidant",', '{"acteur":"aidant","acteur":"usager",')
  instead(/^\{("acteur":"aidant"),("acteur_id":"[^"]+")/, '{$2,$1')
  instead('"v":1', '"v":2')
  instead('"v":1', '"v": 1')
  for (const around of [`${entry}\n`, ` ${entry}`, `${entry}${entry}`]) expect(parseEntry(around)).toBeUndefined()
  instead(/"commitment":"./, '"commitment":"')
})

test('refuse un sel d’une autre taille', () => {
  expect(() => commitmentOf(Buffer.alloc(16), '{}')).toThrow('32 bytes')
})

test('l’engagement change avec un bit du sel ou une lettre du contenu', () => {
  const salt = Buffer.alloc(32)
  const other = Buffer.from(salt)
  other[31] = 1
  expect(commitmentOf(salt, '{"a":1}')).not.toEqual(commitmentOf(other, '{"a":1}'))
  expect(commitmentOf(salt, '{"a":1}')).not.toEqual(commitmentOf(salt, '{"a":2}'))
})
