import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jcs } from '../../src/journal/jcs.ts'

const json = fc.jsonValue({ stringUnit: 'binary' })

test('relu, le texte rend la même valeur', () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(JSON.parse(jcs(value))).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('deux valeurs égales donnent le même texte, quel que soit l’ordre de leurs clés', () => {
  const reversed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reversed)
    if (value === null || typeof value !== 'object') return value
    const entries = Object.entries(value).map(([key, one]) => [key, reversed(one)])
    return Object.fromEntries(entries.reverse())
  }
  fc.assert(
    fc.property(json, (value) => {
      expect(jcs(reversed(value))).toBe(jcs(value))
    }),
  )
})
