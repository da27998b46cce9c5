import { expect, test } from 'vitest'
import { commitmentOf, type EntryFields, entryText } from '../../src/journal/entry.ts'
import { VECTEURS } from './journal-vectors.ts'

const [premier] = VECTEURS
const base64url = (hex: string) => Buffer.from(hex, 'hex').toString('base64url')
const commitment = base64url(premier!.commitment)
const fields: EntryFields = { ...premier!.fields, commitment }

test.each(VECTEURS)('les octets de la ligne sont figés : $nom', ({ fields, salt, payload, commitment, entry }) => {
  expect(commitmentOf(Buffer.from(salt, 'hex'), payload)).toBe(base64url(commitment))
  expect(entryText({ ...fields, commitment: base64url(commitment) })).toBe(entry)
})

test('une colonne vide et une colonne absente donnent la même ligne', () => {
  expect(entryText({ ...fields, cibleAidantId: null })).toEqual(entryText(fields))
})

test('refuse ce que la base n’écrirait pas de la même façon', () => {
  expect(() => entryText({ ...fields, usagerId: fields.usagerId!.toUpperCase() })).toThrow('lower case')
  expect(() => entryText({ ...fields, acteurId: 'Fatima Benali' })).toThrow('uuid')
  expect(() => entryText({ ...fields, mandatSeq: 0 })).toThrow('counts from 1')
  for (const at of ['2026-03-01T09:15:42Z', '2026-03-01T09:15:42.000+00:00', '2026-03-01 09:15:42.000Z', ''])
    expect(() => entryText({ ...fields, at })).toThrow('millisecond')
  for (const word of ['robot', 'aidant","at":"', ''])
    expect(() => entryText({ ...fields, acteur: word as never })).toThrow('no such word')
})

test('refuse un engagement ou un sel d’une autre taille', () => {
  expect(() => entryText({ ...fields, commitment: commitment.slice(1) })).toThrow('32 bytes')
  expect(() => commitmentOf(Buffer.alloc(16), '{}')).toThrow('32 bytes')
})

test('l’engagement change avec un bit du sel ou une lettre du contenu', () => {
  const salt = Buffer.alloc(32)
  const other = Buffer.from(salt)
  other[31] = 1
  expect(commitmentOf(salt, '{"a":1}')).not.toEqual(commitmentOf(other, '{"a":1}'))
  expect(commitmentOf(salt, '{"a":1}')).not.toEqual(commitmentOf(salt, '{"a":2}'))
})
