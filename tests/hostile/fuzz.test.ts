import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { filtreForm } from '../../src/audit/forms.ts'
import { horsMandatForm } from '../../src/demarche/forms.ts'
import { listForms } from '../support/forms.ts'
import { deadLinks } from '../support/html.ts'
import { type Answer, type Matrix, openMatrix } from '../support/matrix.ts'
import type { Fields } from '../support/world.ts'

// The same runs every time: a failure is a failure, and can be looked at again.
const SEED = 20_261_122
/** Of each route. FUZZ_RUNS=500 takes some five minutes, before a release. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 15)

let matrix: Matrix
beforeAll(async () => {
  matrix = await openMatrix()
})
afterAll(() => matrix.close())

const ODD = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'undefined',
  'NaN',
  '-1',
  '0',
  '1e999',
  '9'.repeat(400),
  '99999999999999999999',
  '-9223372036854775809',
  '0x7fffffff',
  '\u202Eévals\u202C',
  'مرحبا',
  '👩‍👩‍👧‍👦'.repeat(40),
  'é'.normalize('NFD').repeat(200),
  '\uD800',
  '\uFFFF',
  'a'.repeat(70_000),
  "' or 1=1 --",
  '"><script>alert(1)</script>',
  '{{7*7}}<%=7*7%>',
  '../../../../etc/passwd',
  'C:\\windows',
  '%',
  '%00',
  '%E0%A4%A',
  '{"a":1}',
  '00000000-0000-0000-0000-000000000000',
  'infinity',
  '2026-02-30',
  '31/02/2026 25:61',
  '4713-01-01 BC',
  '1850-01-01T00:00',
  '2150-12-31T23:59',
  '8640000000000001_00000000-0000-0000-0000-000000000000',
  '-9999999999999_00000000-0000-0000-0000-000000000000',
  '\r\nX-Injecte: oui',
  '🇫🇷',
  'A'.repeat(2000),
]
const odd = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...ODD) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) },
)
const oddName = fc.constantFrom(
  '__proto__',
  'constructor',
  'a[]',
  'a[0]',
  'a.b',
  '',
  '\u0000',
  'envoi',
  'code',
  'q',
  'apres',
  'suite',
)
const SEARCHES = [
  'q',
  'apres',
  'avant',
  'notee',
  'suite',
  'state',
  'code',
  'du',
  'au',
  'aidant',
  'thematique',
  'action',
  '__proto__',
]

/** Those that reach furthest: asked of every field and of every parameter that a page reads. */
const WORST = [
  '\u0000',
  'a\u0000b',
  '\uD800',
  '__proto__',
  'constructor',
  '9'.repeat(400),
  '99999999999999999999',
  '-1',
  '1e999',
  'é'.normalize('NFD').repeat(200),
  '2026-02-30',
  '31/12/2150 23:59',
  '01/01/1850 00:00',
  'infinity',
  '8640000000000001_00000000-0000-0000-0000-000000000000',
  '-9999999999999_00000000-0000-0000-0000-000000000000',
]
const READ: Readonly<Record<string, readonly string[]>> = {
  'GET /personnes': ['q', 'apres'],
  'GET /personnes/:usagerId': ['apres', 'notee'],
  'GET /structure/personnes/:usagerId': ['apres', 'notee', 'de'],
  'GET /structure/personnes/:usagerId/ouvrir': ['de'],
  'GET /structure/journal': [...Object.keys(filtreForm.shape), 'avant'],
  'GET /mon-espace/mandats/:mandatId': ['apres'],
  'GET /mon-espace/acces': ['avant'],
  'GET /connexion': ['suite'],
  'GET /connexion/franceconnect/retour': ['state', 'code', 'error', 'iss'],
  'GET /connexion/franceconnect/deconnecte': ['state'],
  'GET /connexion/proconnect/retour': ['state', 'code', 'error', 'iss'],
  'GET /connexion/proconnect/deconnecte': ['state'],
}

type Run = {
  who: number
  path: { kind: 'own' } | { kind: 'odd'; value: string }
  search: [string, string][]
  body: 'form' | 'multipart' | 'file' | 'json' | 'text' | 'broken' | 'bytes' | 'huge' | 'none'
  /** What of the form is kept: a field is replaced, doubled or taken away. */
  fields: [name: number, gesture: 'odd' | 'double' | 'away', value: string][]
  more: [string, string][]
  headers: [string, string][]
}
const header = fc.constantFrom<[string, string]>(
  ['accept-encoding', 'br;q=nan, *;q=0, gzip;;;'],
  ['accept', '\u00e9'],
  ['range', 'bytes=0-,-1,9999999999999999999-'],
  ['if-none-match', '*'],
  ['if-modified-since', 'hier'],
  ['content-length', '-1'],
  ['content-length', '999999999999'],
  ['transfer-encoding', 'chunked'],
  ['content-encoding', 'gzip'],
  ['x-forwarded-for', '::::, 999.999.999.999, \u00e9'],
  ['x-forwarded-host', 'evil.example'],
  ['x-http-method-override', 'DELETE'],
  ['hx-request', 'true'],
  ['cookie', 'session=%00; navigateur=%E0%A4%A; __proto__=1'],
  ['cookie', `session=${'a'.repeat(8000)}`],
  ['expect', '100-continue'],
)
const run: fc.Arbitrary<Run> = fc.record({
  who: fc.nat({ max: 30 }),
  path: fc.oneof(
    { weight: 3, arbitrary: fc.constant({ kind: 'own' as const }) },
    { weight: 1, arbitrary: odd.map((value) => ({ kind: 'odd' as const, value })) },
  ),
  search: fc.array(fc.tuple(fc.constantFrom(...SEARCHES), odd), { maxLength: 3 }),
  body: fc.constantFrom('form', 'form', 'form', 'form', 'multipart', 'file', 'json', 'text', 'broken', 'bytes', 'huge', 'none'),
  fields: fc.array(fc.tuple(fc.nat({ max: 20 }), fc.constantFrom('odd', 'double', 'away'), odd), { maxLength: 3 }),
  more: fc.array(fc.tuple(oddName, odd), { maxLength: 2 }),
  headers: fc.array(header, { maxLength: 1 }),
})

/** Routes that open or close a session: each run with its own. */
const opens = (key: string) => /^POST \/(?:connexion|deconnexion|mon-espace\/deconnexion|structures)/.test(key)

const FORM = 'application/x-www-form-urlencoded'

function bodyOf({ body, fields: gestures, more }: Run, fields: Fields): { body: NonNullable<RequestInit['body']>; type: string } {
  let pairs = Object.entries(fields).flatMap(([name, value]) =>
    [value ?? []].flat().map((one) => [name, one] as [string, string]),
  )
  for (const [at, gesture, value] of gestures) {
    const name = pairs[at % pairs.length]?.[0]
    if (name === undefined) continue
    if (gesture === 'double') pairs.push([name, value])
    else pairs = pairs.flatMap((pair) => (pair[0] !== name ? [pair] : gesture === 'odd' ? [[name, value]] : []))
  }
  pairs.push(...more)
  const text = new URLSearchParams(pairs).toString()
  const parts = new FormData()
  for (const [name, value] of pairs) parts.append(name, value)
  if (body === 'file' && pairs[0]) parts.append(pairs[0][0], new Blob(['x']), 'x\u0000.txt')
  switch (body) {
    case 'form':
      return { body: text, type: FORM }
    case 'multipart':
    case 'file':
      return { body: parts, type: '' }
    case 'json':
      return { body: JSON.stringify({ ...fields, ['__proto__']: { admin: true } }), type: 'application/json' }
    case 'text':
      return { body: text, type: 'text/plain' }
    case 'broken':
      return { body: `--x\r\nContent-Disposition: form-data; name="a\r\n\r\n${text}`, type: 'multipart/form-data; boundary=x' }
    case 'bytes':
      return { body: Buffer.from('a=%ff%fe&%c0%80=%&\xff\xfe\x00=&&&==', 'latin1'), type: `${FORM};charset=UTF-8` }
    case 'huge':
      return { body: `note=${'a'.repeat(1024 * 1024)}`, type: FORM }
    case 'none':
      return { body: '', type: FORM }
  }
}

/** Fields that a page shows only where they mean something, and that nobody who was not shown them sends. */
const ONLY_WHEN_ASKED = ['champ-mesureFinie', 'champ-note', 'champ-pause']

/** What a request must never get. */
function faultOf({ status, body, headers }: Answer): string | undefined {
  if (status >= 500) return `${status}`
  if (/node_modules|\bat \S+ \(|\.ts:\d+:\d+|PostgresError|ZodError|TypeError|invalid byte|syntax error/.test(body))
    return 'une pile'
  if (/<script>alert|\[object Object\]/.test(body)) return 'un texte rendu tel quel'
  if (!headers.get('content-type')?.startsWith('text/html')) return undefined
  // No field refused that the page does not show.
  const dead = deadLinks(body).filter((id) => !ONLY_WHEN_ASKED.includes(id))
  if (dead.length > 0) return `rien n’a l’identifiant ${dead}`
  if (status >= 400 && !/<html lang="fr".*<h1>[^<]/s.test(body)) return `${status} sans un mot`
  return undefined
}

async function faultsOf(key: string, method: string, run: Run): Promise<string | undefined> {
  const owners = matrix.owners(key)
  const { caller, address } = owners[run.who % owners.length]!
  const where =
    run.path.kind === 'own' ? address : key.split(' ')[1]!.replace(/:\w+(\{.*?\})?/g, encodeURIComponent(clipped(run.path.value)))
  const search = new URLSearchParams(run.search.map(([name, value]): [string, string] => [name, clipped(value)])).toString()
  const { body, type } = bodyOf(run, (await matrix.fieldsOf(key, caller)) ?? {})
  const headers = { ...(type && { 'content-type': type }), ...Object.fromEntries(run.headers) }
  const asked = {
    caller,
    method,
    address: search ? `${where}?${search}` : where,
    body,
    headers,
    alone: opens(key),
  }
  for (let slow = 0; ; slow++) {
    const begun = performance.now()
    const fault = faultOf(await matrix.ask(asked))
    const ms = performance.now() - begun
    if (fault || ms <= 1000) return fault
    // A second is long on a quiet machine; on a loaded one everything is: it must be so three times, and fifty times an empty request of now.
    const empty = performance.now()
    await matrix.ask({ caller: 'anonyme', method: 'GET', address: '/accessibilite' })
    if (ms <= 50 * (performance.now() - empty)) return undefined
    if (slow === 2) return `${Math.round(ms)} ms`
  }
}
/** An address of 2,000 characters is refused at once: longer ones are for bodies, but for a few. */
const clipped = (value: string) => Buffer.from(value.length > 2000 ? value.slice(0, 300) : value).toString()

describe('quoi qu’on envoie : ni panne, ni pile, ni attente', () => {
  it('chaque champ et chaque paramètre lu, de la pire façon', { timeout: 300_000 }, async () => {
    const wrong: string[] = []
    for (const { key, method, path } of matrix.routes) {
      const { caller, address } = matrix.owners(key).at(-1)!
      const fields = method === 'POST' ? ((await matrix.fieldsOf(key, caller)) ?? {}) : {}
      const names = path.includes('/demarches/') ? Object.keys(horsMandatForm.shape) : Object.keys(fields)
      await matrix.world.sql`delete from limite`
      for (const name of READ[key] ?? (method === 'POST' ? names : []))
        for (const value of WORST) {
          const asked = READ[key] ? `${address}?${new URLSearchParams({ [name]: value })}` : address
          const answer = await matrix.ask({
            caller,
            method,
            address: asked,
            fields: { ...fields, [name]: value },
            alone: opens(key),
          })
          const fault = faultOf(answer)
          if (fault) wrong.push(`${key} ${name}=${JSON.stringify(value).slice(0, 60)} : ${fault}`)
        }
    }
    expect(wrong).toEqual([])
  })

  it('tous les champs de tous les formulaires à la fois, seuls ou autour de bonnes réponses', { timeout: 300_000 }, async () => {
    const names = [...new Set((await listForms()).flatMap(({ shape }) => Object.keys(shape)))]
    const all = (value: string | string[]) => Object.fromEntries(names.map((name) => [name, value]))
    const wrong: string[] = []
    // One in three: things in every state, by callers of every role.
    for (const { key, method } of matrix.routes.filter((one) => one.method === 'POST'))
      for (const { caller, address } of matrix.owners(key).filter((_, n) => n % 3 === 0)) {
        const right = (await matrix.fieldsOf(key, caller)) ?? {}
        for (const value of ['', '\u0000', '\uD800', 'a'.repeat(500), ['a', 'b']])
          for (const fields of [all(value), { ...all(value), ...right }]) {
            await matrix.world.sql`delete from limite`
            const fault = faultOf(await matrix.ask({ caller, method, address, fields, alone: opens(key) }))
            if (fault) wrong.push(`${key} ${JSON.stringify(value).slice(0, 20)} : ${fault}`)
          }
      }
    expect(wrong).toEqual([])
  })

  it(`chaque route, ${RUNS} fois`, { timeout: 1_200_000 }, async () => {
    const wrong: string[] = []
    const runs = fc.sample(run, { seed: SEED, numRuns: RUNS })
    // Its clock is three days ahead: not ready, and it says so.
    for (const { key, method } of matrix.routes.filter(({ path }) => path !== '/readyz')) {
      for (const one of runs) {
        // What is limited would answer nothing else after a few.
        await matrix.world.sql`delete from limite`
        const methods = [method, method === 'GET' ? 'POST' : 'GET', 'PUT']
        const asked = methods[one.who % 6] ?? method
        const fault = await faultsOf(key, asked, one)
        if (fault) wrong.push(`${asked} ${key} : ${fault} ${JSON.stringify(one).slice(0, 400)}`)
      }
    }
    expect(wrong).toEqual([])
    expect(matrix.log.filter(({ event }) => event === 'erreur')).toEqual([])
  })
})
