import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AIDANTS } from '../../src/demo/people.ts'
import { localPath } from '../../src/http/local-path.ts'
import { newWorld, type World } from '../support/world.ts'

let world: World
let thomas: string
beforeAll(async () => {
  world = await newWorld()
  thomas = await world.sessionOf('thomas')
})
afterAll(() => world.close())

/** What someone may type, or a program send. */
const typed = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ maxLength: 300 }),
  fc.constantFrom(
    '',
    ' ',
    'null',
    'oui',
    '000000',
    '１２３４５６',
    '1e5',
    '-12345',
    AIDANTS.thomas.email,
    "' or 1=1 --",
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    '\u0000',
    '\ud800',
    '😀'.repeat(100),
    'a@b.c'.padEnd(5000, 'c'),
    '00000000-0000-0000-0000-000000000000',
  ),
)
const fieldsOf = (...names: string[]) =>
  fc.dictionary(
    fc.constantFrom(...names, 'autre', '__proto__', 'constructor'),
    fc.oneof(typed, fc.array(typed, { maxLength: 4 })),
    { maxKeys: 6 },
  )

/** Never a failure, a session, a message, a way out of the service, nor words of hers that become ours. */
async function harmless(path: string, fields: Record<string, string | string[]>, cookie?: string) {
  await world.sql`delete from limite`
  const mails = async () => (await world.sql`select 1 from message`).length
  const before = await mails()
  const answer = await world.post(path, fields, cookie)
  const html = await answer.text()
  expect([200, 303, 400, 404, 409, 413, 414, 422]).toContain(answer.status)
  expect(answer.headers.getSetCookie().some((set) => set.startsWith('session='))).toBe(false)
  const location = answer.headers.get('location')
  if (location) expect(localPath(location)).toBe(location)
  expect(html).not.toMatch(/<script>alert|<img src=x|onerror=alert(?!\(1\)&gt;)/)
  expect(await mails()).toBe(before)
  return { answer, html }
}

describe('quoi que l’on envoie à la porte', () => {
  it('la première étape ne tombe jamais, et n’envoie de message à personne', async () => {
    await fc.assert(
      fc.asyncProperty(fieldsOf('email', 'code'), fc.option(typed), async (fields, suite) => {
        const path = suite === null ? '/connexion' : `/connexion?suite=${encodeURIComponent(String(Buffer.from(suite)))}`
        await harmless(path, fields)
      }),
      { numRuns: 120 },
    )
  })

  it('une adresse et un code bien faits, mais d’une autre, n’apprennent rien', async () => {
    const bodies = new Set<string>()
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.emailAddress(), fc.constantFrom(...Object.values(AIDANTS).map(({ email }) => email))),
        fc.integer({ min: 0, max: 999_999 }),
        async (email, number) => {
          await world.sql`update facteur set dernier_pas = 1e12`
          const { answer, html } = await harmless('/connexion', { email, code: String(number).padStart(6, '0') })
          if (answer.status === 303) bodies.add(`${answer.headers.get('location')} ${html}`)
        },
      ),
      { numRuns: 60 },
    )
    expect(bodies.size).toBe(1)
  })

  it('la seconde étape et le lien n’ouvrent rien', async () => {
    await fc.assert(
      fc.asyncProperty(
        fieldsOf('code'),
        fc.option(fc.stringMatching(/^[\w-]{1,60}$/)),
        typed,
        async (fields, jeton, navigateur) => {
          const cookie = `navigateur=${encodeURIComponent(String(Buffer.from(navigateur)))}`
          await harmless(jeton === null ? '/connexion/code' : `/connexion/lien/${jeton}`, fields, cookie)
        },
      ),
      { numRuns: 80 },
    )
  })

  it('un témoin de session inventé n’est celui de personne', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.stringMatching(/^[\w-]{43}$/), fc.stringMatching(/^[!#-+\--:<-[\]-~]{0,200}$/)),
        async (token) => {
          const answer = await world.get('/personnes', `session=${token}`)
          expect([answer.status, answer.headers.get('location')]).toEqual([303, '/connexion?suite=%2Fpersonnes'])
        },
      ),
      { numRuns: 60 },
    )
  })

  it('le choix d’une structure et les conditions ne changent rien pour n’importe quoi', async () => {
    const before = (await world.digest()).habilitation
    await fc.assert(
      fc.asyncProperty(
        fieldsOf('structure', 'accepte'),
        fc.constantFrom('/structures', '/conditions-d-utilisation'),
        async (fields, path) => {
          fc.pre(!Object.values(fields).flat().includes(world.structures.figeac))
          await harmless(path, fields, thomas)
        },
      ),
      { numRuns: 60 },
    )
    expect((await world.digest()).habilitation).toBe(before)
    expect((await world.get('/personnes', thomas)).status).toBe(200)
  })
})
