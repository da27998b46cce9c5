import { expect, test } from 'vitest'
import { commitmentOf, type EntryFields, entryText } from '../../src/journal/entry.ts'
import { VECTEURS } from './journal-vectors.ts'

const [premier] = VECTEURS
const commitment = Buffer.from(premier!.commitment, 'hex')
const fields: EntryFields = { ...premier!.fields, commitment }

test.each(VECTEURS)('les octets de la ligne sont figés : $nom', ({ fields, salt, payload, commitment, entry }) => {
  expect(commitmentOf(Buffer.from(salt, 'hex'), payload).toString('hex')).toBe(commitment)
  expect(entryText({ ...fields, commitment: Buffer.from(commitment, 'hex') })).toBe(entry)
})

test('une colonne vide et une colonne absente donnent la même ligne', () => {
  expect(entryText({ ...fields, cibleAidantId: null })).toEqual(entryText(fields))
})

test('refuse ce que la base n’écrirait pas de la même façon', () => {
  expect(() => entryText({ ...fields, usagerId: fields.usagerId!.toUpperCase() })).toThrow('lower case')
  expect(() => entryText({ ...fields, acteurId: 'Fatima Benali' })).toThrow('uuid')
  expect(() => entryText({ ...fields, mandatSeq: 0 })).toThrow('counts from 1')
  expect(() => entryText({ ...fields, at: new Date(Number.NaN) })).toThrow()
})

test('refuse un engagement ou un sel d’une autre taille', () => {
  expect(() => entryText({ ...fields, commitment: commitment.subarray(1) })).toThrow('32 bytes')
  expect(() => commitmentOf(Buffer.alloc(16), '{}')).toThrow('32 bytes')
})

test('l’engagement change avec un bit du sel ou une lettre du contenu', () => {
  const salt = Buffer.alloc(32)
  const other = Buffer.from(salt)
  other[31] = 1
  expect(commitmentOf(salt, '{"a":1}')).not.toEqual(commitmentOf(other, '{"a":1}'))
  expect(commitmentOf(salt, '{"a":1}')).not.toEqual(commitmentOf(salt, '{"a":2}'))
})
