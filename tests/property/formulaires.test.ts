import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { preuveForm } from '../../src/aidant/forms.ts'
import { isCode, type Parsed, parseForm, unwrap } from '../../src/form.ts'
import { contactForm } from '../../src/mandat/forms.ts'
import { listNamedForms } from '../support/forms.ts'
import { ROOT } from '../support/processes.ts'

/** Of each form, the same every time. FUZZ_RUNS=2000 takes a minute or two, before a release. */
const RUNS = { numRuns: Number(process.env.FUZZ_RUNS ?? 60), seed: 20_261_122 }

/** What functions make, in each way that their callers do. */
const MADE: Readonly<Record<string, z.ZodObject[]>> = {
  preuveForm: [true, false].map(preuveForm),
  contactForm: [true, false].flatMap((code) => [true, false].map((lecteur) => contactForm({ code, lecteur }))),
}
const { schemas, functions } = await listNamedForms()
const FORMS: [name: string, form: z.ZodObject][] = [
  ...Object.entries(schemas),
  ...Object.entries(MADE).flatMap(([name, forms]) => forms.map((one, n) => [`${name} ${n}`, one] as [string, z.ZodObject])),
]

describe('la liste des formulaires', () => {
  it('a chacun de ceux que les sources déclarent, même faits par une fonction', () => {
    expect(Object.keys(MADE).sort()).toEqual(functions.sort())
  })

  it('a chacun de ceux qu’une route lit', () => {
    const files = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ts') && file !== 'form.ts',
    )
    const calls = files.flatMap((file) => {
      const source = readFileSync(path.join(ROOT, 'src', file), 'utf8')
      return [...source.matchAll(/\bparse(?:Form|Search)\((.*)/g)].map(([, rest]) => ({
        file,
        names: rest!.match(/\b(?!parse)\w+Form\b/g) ?? [],
      }))
    })
    const known = new Set([...Object.keys(schemas).map((name) => name.split(' ')[1]), ...functions])
    expect(calls.filter(({ names }) => names.length === 0 || names.some((name) => !known.has(name)))).toEqual([])
    expect(calls.length).toBeGreaterThan(45)
  })
})

const PASSKEY = { id: 'a_-9', rawId: 'a_-9', type: 'public-key' }
/** What some field of some form accepts: each is asked of all, and a field keeps those that are its own. */
const GOOD = [
  'oui',
  'Une lettre',
  'Dupont d’Aÿ',
  'Vu avec elle.\r\nElle rappelle lundi.',
  'مرحبا ‏123',
  '27/03/1950',
  '1.2.2028',
  '29 02 2028',
  '2026-02-28',
  '2026-02-28T09:05',
  '27/03/2026 à 14 h 05',
  '3/1/2026 9h',
  'b5b8f1de-7b43-4c1c-9d56-0a4f3a0f1a2b',
  'Prenom.Nom@Exemple.FR',
  '+33612345678',
  '06 12 34 56 78',
  '123456',
  '12 34 56',
  '123456789012',
  '7k3m-RQXB 9F8T',
  '1950',
  '12,50',
  '1 250,5 €',
  '1 234',
  '15',
  '0123456789abcdef 0123456789ABCDEF',
  '/mandats/nouveau?a=b',
  'a=1&b=%C3%A9&a=',
  JSON.stringify({ ...PASSKEY, response: { clientDataJSON: 'AA', authenticatorData: 'AA', signature: 'AA' } }),
  JSON.stringify({ ...PASSKEY, response: { clientDataJSON: 'AA', attestationObject: 'AA' } }),
]
const ODD = [
  '',
  ' ',
  '\u0000',
  '\t\v\f',
  '\u0085',
  '\u2028a\u2029',
  '\uD800',
  'a\uDFFF',
  '\uFFFE',
  '\u202Eévals\u202C',
  '\u200F\u061C\u200E',
  '\u200B\u2060\uFEFF\u00AD',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'NaN',
  '-0',
  '1e999',
  '0x10',
  '１２３４５６',
  '١٢٣٤٥٦',
  '१९५०',
  'Ⅻ²½',
  '30/02/2026',
  '2026-02-29',
  '00/00/0000',
  '31/12/9999 24:60',
  '2026-02-28T25:00',
  '٢٧/٠٣/١٩٥٠',
  'İ@ß.ſK',
  'é'.normalize('NFD').repeat(300),
  '👩‍👩‍👧‍👦'.repeat(40),
  'a'.repeat(5000),
  '9'.repeat(400),
  'mot de passe : Azerty12',
  '{"__proto__":{"id":"a"}}',
  '[]',
  '%00%',
  'a=%00',
]

/** What cleaning a text joins, drops or composes. */
const MOVING = [...' \t\n\r\u00A0\u3000\u2028\u00AD\u200B\u200F\uFEFF\u0301\u0327e1/-']
const text = fc.oneof(
  fc.constantFrom(...ODD),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: fc.constantFrom(...MOVING), maxLength: 12 }),
)
/** Some of what this field accepts, often; the same with something odd within; anything. */
function typedIn(field: z.ZodType): fc.Arbitrary<string> {
  const inner = unwrap(field)
  const item = inner instanceof z.ZodArray ? (inner.element as z.ZodType) : inner
  const closed =
    item instanceof z.ZodEnum || item instanceof z.ZodLiteral
      ? [
          ...((item.def as { values?: string[]; entries?: object }).values ??
            Object.values((item.def as { entries: object }).entries)),
        ]
      : []
  const good = [...closed, ...GOOD]
    .map(String)
    .filter((value) => field.safeParse(inner instanceof z.ZodArray ? [value] : value).success)
  if (good.length === 0) return text
  const right = fc.constantFrom(...good)
  const spoilt = fc
    .tuple(right, text, fc.nat())
    .map(([value, odd, at]) => value.slice(0, at % (value.length + 1)) + odd + value.slice(at % (value.length + 1)))
  return fc.oneof({ weight: 12, arbitrary: right }, { weight: 1, arbitrary: spoilt }, { weight: 1, arbitrary: text })
}
type Sent = [name: string, value: string][]
const sentTo = (form: z.ZodObject): fc.Arbitrary<Sent> =>
  fc
    .tuple(
      ...Object.entries(form.shape).map(([name, field]) => {
        const value = typedIn(field as z.ZodType)
        const many = unwrap(field as z.ZodType) instanceof z.ZodArray ? 6 : 1
        return fc
          .oneof(
            { weight: 14, arbitrary: fc.array(value, { minLength: 1, maxLength: many }) },
            { weight: (field as z.ZodType).safeParse(undefined).success ? 28 : 2, arbitrary: fc.constant([]) },
            { weight: 1, arbitrary: fc.array(value, { maxLength: 3 }) },
          )
          .map((values): Sent => values.map((one) => [name, one]))
      }),
      fc.array(fc.tuple(fc.constantFrom('__proto__', 'constructor', 'a[]', '', '\u0000', 'formulaire'), text), { maxLength: 2 }),
    )
    .map((parts) => parts.flat())

/** As a browser sends it: line ends of two characters, what is no text replaced. */
async function submit(form: z.ZodObject, sent: Sent): Promise<Parsed<z.ZodObject>> {
  const body = new URLSearchParams(sent.map(([name, value]): [string, string] => [name, value.replace(/\r\n?|\n/g, '\r\n')]))
  const app = new Hono()
  const read: Parsed<z.ZodObject>[] = []
  app.post('/', async (c) => {
    read.push(await parseForm(c, form))
    return c.body(null)
  })
  await app.request('/', { method: 'POST', body })
  if (!read[0]) throw new Error('the form was not read')
  return read[0]
}
const pairs = (values: object): Sent =>
  Object.entries(values).flatMap(([name, value]) =>
    [value as string | string[]].flat().map((one): [string, string] => [name, one]),
  )

/** What PostgreSQL refuses, what breaks a line of a log or turns the order of its letters around, what is no text. */
const CHOKING = /[^\P{Cc}\n]|[\u2028\u2029\u202A-\u202E\u2066-\u2069\uFFFD-\uFFFF\p{Cs}]/u
const stringsIn = (data: unknown): string[] =>
  typeof data === 'string' ? [data] : typeof data === 'object' && data !== null ? Object.values(data).flatMap(stringsIn) : []
const SENTENCE = /^[\p{Lu}\d].+[.?!]$/su
const OF_THE_LIBRARY = /\b(?:invalid|expected|received|required|string|must|undefined)\b/i

describe.each(FORMS)('%s', (name, form) => {
  it('n’échoue jamais, refuse en une phrase ce qui est d’un de ses champs, et ce qu’il accepte ne bouge plus', async () => {
    const codes = Object.keys(form.shape).filter((field) => isCode(form.shape[field] as z.ZodType))
    let [accepted, refused] = [0, 0]
    await fc.assert(
      fc.asyncProperty(sentTo(form), async (sent) => {
        const parsed = await submit(form, sent)
        expect(Object.keys(form.shape)).toEqual(expect.arrayContaining(Object.keys(parsed.values)))
        for (const code of codes) expect(parsed.values).not.toHaveProperty(code)
        for (const value of stringsIn(parsed.values)) expect(value).not.toMatch(CHOKING)
        if (!parsed.ok) {
          refused++
          expect([...Object.keys(form.shape), 'formulaire']).toEqual(expect.arrayContaining(Object.keys(parsed.errors)))
          expect(Object.keys(parsed.errors)).not.toEqual([])
          for (const message of Object.values(parsed.errors)) {
            expect(message).toMatch(SENTENCE)
            expect(message).not.toMatch(OF_THE_LIBRARY)
          }
          return
        }
        accepted++
        // Its fields are another form's, which reads them again; until then they are encrypted.
        const { fields: _, ...data } = parsed.data as Record<string, unknown>
        for (const value of stringsIn(name.endsWith(' envoiForm') ? data : parsed.data)) expect(value).not.toMatch(CHOKING)
        // A code is typed again.
        const typed = sent.filter(([field]) => codes.includes(field))
        expect(await submit(form, [...pairs(parsed.values), ...typed])).toEqual(parsed)
        // What is kept, written in its own field: texts, dates, choices.
        const kept = Object.entries(parsed.data).map(([field, value]): Sent => {
          const text = typeof value === 'string' || (Array.isArray(value) && value.every((one) => typeof one === 'string'))
          return pairs({ [field]: text ? value : (parsed.values[field] ?? []) })
        })
        expect(await submit(form, [...kept.flat()])).toMatchObject({ ok: true, data: parsed.data })
      }),
      RUNS,
    )
    expect(accepted).toBeGreaterThan(0)
    expect(refused).toBeGreaterThan(0)
  })
})
