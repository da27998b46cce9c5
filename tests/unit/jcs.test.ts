import { expect, test } from 'vitest'
import { jcs } from '../../src/journal/jcs.ts'

// RFC 8785, appendix B: IEEE 754 bits and the number they write.
const NOMBRES: [string, string][] = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
]

test.each(NOMBRES)('écrit le nombre %s comme la RFC : %s', (bits, written) => {
  expect(jcs(Buffer.from(bits, 'hex').readDoubleBE())).toBe(written)
})

test('écrit l’exemple de la RFC (3.2.2)', () => {
  const value = JSON.parse(
    '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
  )
  expect(jcs(value)).toBe(
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  )
})

test('range les clés par unités UTF-16, comme la RFC (3.2.3)', () => {
  const value = {
    '\u20ac': 'Euro Sign',
    '\r': 'Carriage Return',
    '\ufb33': 'Hebrew Letter Dalet With Dagesh',
    '1': 'One',
    '\ud83d\ude00': 'Emoji: Grinning Face',
    '\u0080': 'Control',
    '\u00f6': 'Latin Small Letter O With Diaeresis',
  }
  expect([...jcs(value).matchAll(/:"([^"]+)"/g)].map(([, name]) => name)).toEqual([
    'Carriage Return',
    'One',
    'Control',
    'Latin Small Letter O With Diaeresis',
    'Euro Sign',
    'Emoji: Grinning Face',
    'Hebrew Letter Dalet With Dagesh',
  ])
})

const boucle: Record<string, unknown> = {}
boucle.boucle = boucle

test.each<[string, unknown]>([
  ['undefined', undefined],
  ['un membre undefined', { a: undefined }],
  ['un trou de tableau', new Array(1)],
  ['NaN', Number.NaN],
  ['l’infini', Number.POSITIVE_INFINITY],
  ['une fonction', () => 1],
  ['un symbole', Symbol('a')],
  ['un grand entier', 1n],
  ['une date', new Date(0)],
  ['des octets', Buffer.from('a')],
  ['un ensemble', new Set([1])],
  ['un demi-caractère', 'a\ud83d'],
  ['un demi-caractère dans une clé', { '\ude00': 1 }],
  ['une boucle', boucle],
])('refuse %s plutôt que de l’oublier', (_, value) => {
  expect(() => jcs(value)).toThrow()
})

test('accepte un objet sans prototype et une clé __proto__', () => {
  expect(jcs(Object.assign(Object.create(null), { b: 1, a: [] }))).toBe('{"a":[],"b":1}')
  expect(jcs(JSON.parse('{"__proto__":1}'))).toBe('{"__proto__":1}')
})
