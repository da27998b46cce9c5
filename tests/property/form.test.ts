import fc from 'fast-check'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { choix, dateFr, liste, parseForm, texte } from '../../src/form.ts'
import { localPath } from '../../src/http/local-path.ts'
import { findSecret } from '../../src/sans-secret.ts'

const RUNS = { numRuns: 1000 }
const digits = (length: number) => fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: length, maxLength: length })
const pad = (value: number, length: number) => String(value).padStart(length, '0')
const among = (before: string, secret: string, after: string) => `${before} ${secret}${after}`
const words = fc.constantFrom('', 'dossier', 'vu avec elle,', 'Numéro :', 'réf', 'Mme Diop -')
const ends = fc.constantFrom('', '.', ' merci', ', à rappeler', '\nle 12/03/2026', ' 12/03')
const separator = fc.constantFrom('', ' ', '.', '-', '\u00A0', '  ')

const luhnKey = (start: string) => {
  const sum = [...start].reverse().reduce((total, digit, i) => {
    const value = Number(digit) * (i % 2 ? 1 : 2)
    return total + (value > 9 ? value - 9 : value)
  }, 0)
  return start + ((10 - (sum % 10)) % 10)
}
const big97 = (text: string) => BigInt(text.replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55))) % 97n
const iban = (country: string, account: string) => `${country}${pad(Number(98n - big97(`${account}${country}00`)), 2)}${account}`
const inGroups = (text: string, sizes: readonly number[], by: string) => {
  const groups: string[] = []
  let rest = text
  for (const size of [...sizes, ...Array<number>(10).fill(sizes.at(-1)!)]) {
    if (rest === '') break
    groups.push(rest.slice(0, size))
    rest = rest.slice(size)
  }
  return groups.join(by)
}

const nir = fc
  .record({
    sex: fc.constantFrom('1', '2'),
    year: fc.integer({ min: 0, max: 99 }),
    month: fc.integer({ min: 1, max: 12 }),
    place: fc.oneof(
      fc
        .tuple(fc.integer({ min: 1, max: 95 }), fc.integer({ min: 1, max: 990 }))
        .map(([d, c]) => [pad(d, 2), pad(c, 3)] as const),
      fc.tuple(fc.constantFrom('2A', '2B', '99'), fc.integer({ min: 1, max: 990 })).map(([d, c]) => [d, pad(c, 3)] as const),
    ),
    order: fc.integer({ min: 1, max: 999 }),
    by: separator,
    key: fc.boolean(),
  })
  .map(({ sex, year, month, place: [d, commune], order, by, key }) => {
    const parts = [sex, pad(year, 2), pad(month, 2), d, commune, pad(order, 3)]
    const number = Number(parts.join('').replace('2A', '19').replace('2B', '18'))
    return { text: (key ? [...parts, pad(97 - (number % 97), 2)] : parts).join(by), bare: parts.join(''), key }
  })

describe('un secret', () => {
  it('n’échappe pas : tout numéro de sécurité sociale, avec ou sans sa clé', () => {
    fc.assert(
      fc.property(nir, words, ends, ({ text, bare, key }, before, after) => {
        // A tax number also has thirteen digits, and its own key: one NIR in 511 without its key passes for one.
        fc.pre(key || Number(bare.slice(0, 10)) % 511 !== Number(bare.slice(10)))
        expect(findSecret(among(before, text, after))).toBe('nir')
      }),
      RUNS,
    )
  })

  it('n’échappe pas : tout IBAN', () => {
    const account = fc.oneof(
      digits(23).map((number) => iban('FR', number)),
      fc
        .tuple(digits(10), fc.string({ unit: fc.constantFrom(...'ABCXYZ0123456789'), minLength: 11, maxLength: 11 }), digits(2))
        .map((p) => iban('FR', p.join(''))),
      digits(12).map((number) => iban('BE', number)),
      digits(18).map((number) => iban('DE', number)),
      digits(10).map((number) => iban('NL', `ABNA${number}`)),
      digits(24).map((number) => iban('MA', number)),
    )
    fc.assert(
      fc.property(account, separator, fc.boolean(), words, ends, (number, by, lower, before, after) => {
        const written = inGroups(number, [4], by)
        expect(findSecret(among(before, lower ? written.toLowerCase() : written, after))).toBe('iban')
      }),
      RUNS,
    )
  })

  it('n’échappe pas : tout numéro de carte', () => {
    const card = fc.oneof(
      digits(14).map((end) => ['4', end, [4]] as const),
      digits(12).map((end) => ['537', end, [4]] as const),
      digits(12).map((end) => ['623', end, [4]] as const),
      digits(12).map((end) => ['37', end, [4, 6, 5]] as const),
      digits(16).map((end) => ['67', end, [4]] as const),
    )
    fc.assert(
      fc.property(card, fc.constantFrom('', ' ', '-', '\u00A0'), words, ends, ([start, end, sizes], by, before, after) => {
        const number = luhnKey(start + end)
        // Some cards' numbers also have a NIR's shape and key; refused all the same.
        expect(['carte', 'nir']).toContain(findSecret(among(before, inGroups(number, sizes, by), after)))
      }),
      RUNS,
    )
  })

  it('n’échappe pas : tout ce qui suit « mot de passe : »', () => {
    const label = fc.constantFrom(
      'mot de passe',
      'Mot de passe',
      'MDP',
      'mdp ameli',
      'mot de passe FranceConnect',
      'password',
      'code secret',
    )
    const value = fc.stringMatching(/^[A-Za-z]{2,6}[!?*]?\d{2,4}$/)
    fc.assert(
      fc.property(label, fc.constantFrom(' : ', ': ', '=', ' = ', ':'), value, words, (name, by, password, before) => {
        expect(findSecret(`${before} ${name}${by}${password}`)).toBe('mot_de_passe')
      }),
      RUNS,
    )
  })

  it('n’est pas vu dans les numéros ordinaires d’un dossier', () => {
    const year = fc.integer({ min: 2015, max: 2030 })
    const phone = fc
      .tuple(fc.constantFrom('01', '05', '06', '07', '09'), digits(8), separator)
      .map(([start, end, by]) => inGroups(start + end, [2], by))
    const siret = fc
      .tuple(digits(8), fc.integer({ min: 1, max: 99 }), separator)
      .map(([siren, nic, by]) => inGroups(luhnKey(`${luhnKey(siren)}${pad(nic, 4)}`), [3, 3, 3, 5], by))
    const tax = fc
      .tuple(fc.constantFrom('0', '1', '2', '3'), digits(9), fc.constantFrom('', ' '))
      .map(([start, end, by]) => inGroups(`${start}${end}${pad(Number(start + end) % 511, 3)}`, [2, 2, 3, 3, 3], by))
    const reference = fc.oneof(
      digits(7),
      digits(7).map((number) => `${number} A`),
      fc.tuple(year, digits(6)).map((parts) => parts.join('-')),
      fc.tuple(fc.stringMatching(/^[A-Z]{2,4}$/), year, digits(5)).map((parts) => parts.join('/')),
      fc.stringMatching(/^[0-9A-Z]{9}$/).filter((text) => /[A-Z]/.test(text)),
      digits(8),
      digits(10),
      digits(11),
      digits(12),
      fc.tuple(fc.constantFrom('RSA', 'APL', 'MDPH', 'n°'), digits(9)).map((parts) => parts.join(' ')),
    )
    const date = fc
      .tuple(fc.integer({ min: 1, max: 28 }), fc.integer({ min: 1, max: 12 }), year)
      .map(([d, m, y]) => `${pad(d, 2)}/${pad(m, 2)}/${y}`)
    fc.assert(
      fc.property(fc.oneof(phone, siret, tax, reference, date), words, ends, (number, before, after) => {
        expect(findSecret(among(before, number, after))).toBeUndefined()
      }),
      { numRuns: 3000 },
    )
  })

  it('n’est pas vu dans deux numéros de téléphone à la suite, ni dans une phrase', () => {
    const phone = digits(8).map((end) => inGroups(`06${end}`, [2], ' '))
    fc.assert(
      fc.property(phone, phone, fc.constantFrom(' ', ', ', ' / ', ' ou '), (a, b, by) => {
        expect(findSecret(a + by + b)).toBeUndefined()
      }),
      RUNS,
    )
    const sentence = fc.array(
      fc.constantFrom(
        'la',
        'personne',
        'a',
        'demandé',
        'de',
        '22',
        'euros',
        'le',
        '12',
        'mars',
        '2026',
        'et',
        'perdu',
        'son',
        'papier',
        'au',
        '3',
        'rue',
      ),
    )
    fc.assert(
      fc.property(sentence, (list) => {
        expect(findSecret(list.join(' '))).toBeUndefined()
      }),
      // Of a German IBAN, the length and the key.
      { ...RUNS, examples: [['de 22 au 2026 2026 son 12 2026'.split(' ')]] },
    )
  })
})

describe('un formulaire', () => {
  const schema = z.object({
    titre: texte(20, { required: 'Manque.' }),
    note: texte(50, { lines: true }),
    date: dateFr(),
    canal: choix(['guichet', 'courrier']),
    perimetre: liste(['papiers', 'logement'], 'Manque.'),
  })
  const parse = async (body: string) => {
    let parsed: Awaited<ReturnType<typeof parseForm<typeof schema>>> | undefined
    const app = new Hono().post('/', async (c) => {
      parsed = await parseForm(c, schema)
      return c.text('ok')
    })
    const { status } = await app.request('/', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    return { status, parsed }
  }
  const name = fc.oneof(fc.constantFrom('titre', 'note', 'date', 'canal', 'perimetre', '__proto__', 'constructor'), fc.string())
  const value = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constantFrom('papiers', 'guichet', '2026-03-01'))

  it('donne toujours des valeurs saines ou une phrase par champ, quoi qu’on lui envoie', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(name, value), { maxLength: 12 }), async (fields) => {
        const body = fields.map(([n, v]) => `${encode(n)}=${encode(v)}`).join('&')
        const { status, parsed } = await parse(body)
        expect(status).toBe(200)
        if (parsed!.ok) {
          const { titre, note, date, perimetre } = parsed!.data
          expect(titre).toBe(titre.normalize('NFC').trim())
          expect([...titre].length).toBeLessThanOrEqual(20)
          expect(`${titre}${note}`).not.toMatch(/[^\P{Cc}\n]|\uFFFD/u)
          expect(date === null || /^\d{4}-\d\d-\d\d$/.test(date)).toBe(true)
          expect(new Set(perimetre).size).toBe(perimetre.length)
        } else {
          const errors = Object.values(parsed!.errors)
          expect(errors.length).toBeGreaterThan(0)
          for (const error of errors) expect(error).toMatch(/^[A-ZÉ0-9].*\.$/)
        }
        expect(({} as { titre?: unknown }).titre).toBeUndefined()
      }),
      { numRuns: 500 },
    )
  })

  it('ne tombe pas sur un corps quelconque', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.stringMatching(/^[%&=a-f0-9]{0,60}$/)), async (body) => {
        expect((await parse(body)).status).toBe(200)
      }),
      { numRuns: 500 },
    )
  })
})

/** As a hostile caller may: lone surrogates and all. */
const encode = (text: string) => [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')

describe('l’adresse où revenir', () => {
  const piece = fc.constantFrom(
    '/',
    '//',
    '\\',
    '.',
    '..',
    '@',
    ':',
    '%2f',
    '%5c',
    '\t',
    '\n',
    'http:',
    'javascript:',
    'evil.example',
    'personnes',
    '?',
    '#',
    ' ',
    '\u0000',
    '／',
  )
  it('ne mène jamais ailleurs que chez nous, comme un navigateur la lit', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece, { maxLength: 8 }).map((parts) => parts.join('')),
          fc.string(),
          fc.webUrl(),
        ),
        (suite) => {
          const path = localPath(suite)
          if (path === undefined) return
          expect(path).toMatch(/^\/(?![/\\])/)
          expect(new URL(path, 'https://mandats.figeac.fr').origin).toBe('https://mandats.figeac.fr')
          expect(localPath(path)).toBe(path)
        },
      ),
      { numRuns: 5000 },
    )
  })

  it('garde une vraie page, avec sa recherche', () => {
    for (const path of ['/', '/personnes?q=a%20b', '/mandats/0190a2b4-1111-7abc-8def-0123456789ab/demarches/nouvelle'])
      expect(localPath(path)).toBe(path)
    for (const path of [
      '',
      'personnes',
      '//evil.example',
      '/\\evil.example',
      '/.//evil.example',
      '/a/..//evil.example',
      '/\t/evil.example',
      'https://evil.example/',
      '/é',
      undefined,
    ])
      expect(localPath(path)).toBeUndefined()
  })
})
