import { expect, test } from 'vitest'
import { sixDigits } from '../../src/six-digits.ts'
import { readSources } from '../support/floors.ts'

test('six chiffres, toujours six, zéros compris', () => {
  expect(sixDigits(Buffer.alloc(32))).toBe('000000')
  expect(sixDigits(Buffer.from('000000000007', 'hex'))).toBe('000007')
  expect(sixDigits(Buffer.from('0000000f4240', 'hex'))).toBe('000000')
  expect(sixDigits(Buffer.from('0000000f423f', 'hex'))).toBe('999999')
  expect(sixDigits(Buffer.alloc(6, 255))).toMatch(/^\d{6}$/)
})

test('ils ne se tirent que là', () => {
  const drawing = Object.entries(readSources())
    .filter(([, text]) => /%\s*(1_000_000|1e6|1000000|10 \*\* 6)/.test(text))
    .map(([name]) => name)
  expect(drawing).toEqual(['src/six-digits.ts'])
})
