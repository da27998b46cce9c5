import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accordForm, choixForm } from '../../src/mandat/forms.ts'
import { DUREES, dernierJour, expiresAt, perimetreDe, THEMATIQUES, type Thematique } from '../../src/mandat/mandat.ts'
import { newWorld, type World } from '../support/world.ts'

let world: World
let cookie: string
beforeAll(async () => {
  world = await newWorld()
  cookie = await world.sessionOf('thomas')
})
afterAll(() => world.close())

const anything = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    '',
    'non',
    'oui',
    'tout',
    'LOGEMENT',
    'logement ',
    '<b>',
    '\u0000',
    '\ud800',
    "'; drop table mandat --",
    '0612345678',
    'a@example.org',
  ),
)
const maybe = <T>(right: fc.Arbitrary<T>): fc.Arbitrary<T | string | string[] | undefined> =>
  fc.oneof(
    { weight: 5, arbitrary: right },
    { weight: 1, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: anything },
    { weight: 1, arbitrary: fc.array(anything, { maxLength: 3 }) },
  )
const thematiques = fc.subarray([...THEMATIQUES], { minLength: 0 })
const clean = <T extends Record<string, unknown>>(fields: T) => fields as Record<string, string | string[]>
const ALLOWED = [200, 303, 400, 404, 409, 413, 422]
/** What a field says: its texts, but for those where nothing is seen. */
const texts = (value: unknown) =>
  [value ?? []]
    .flat()
    .map((one) =>
      String(one)
        .replace(/[\u00AD\u200B\u2060\uFEFF]/g, '')
        .trim(),
    )
    .filter(Boolean)
/** Does a field hold exactly this one text? */
const is = (value: unknown, wanted: string) => texts(value).length === 1 && texts(value)[0] === wanted

describe('le choix', () => {
  it('ne prépare un mandat que pour des thématiques ouvertes, une durée connue, et personne de protégé', async () => {
    const form = fc.record({
      protegee: maybe(fc.constantFrom('non', 'oui')),
      thematiques: maybe(thematiques),
      duree: maybe(fc.constantFrom(...DUREES)),
    })
    await fc.assert(
      fc.asyncProperty(form, async (fields) => {
        await world.sql`delete from brouillon`
        const answer = await world.post('/mandats/nouveau', clean(fields), cookie)
        expect(ALLOWED).toContain(answer.status)
        const drafts = await world.sql<{ perimetre: string[]; duree: string }[]>`select perimetre, duree from brouillon`
        expect(drafts).toHaveLength(answer.status === 303 ? 1 : 0)
        if (!drafts[0]) return
        const chosen = texts(fields.thematiques)
        expect(chosen.every((one) => THEMATIQUES.includes(one as Thematique) && one !== 'justice')).toBe(true)
        expect(drafts[0].perimetre).toEqual(perimetreDe(chosen))
        expect(DUREES as readonly string[]).toContain(drafts[0].duree)
        expect(is(fields.protegee, 'oui')).toBe(false)
      }),
      { numRuns: 150 },
    )
  })

  it('accepte tout ce qui est bien choisi', () => {
    fc.assert(
      fc.property(fc.subarray([...THEMATIQUES], { minLength: 1 }), fc.constantFrom(...DUREES), (themes, duree) => {
        const parsed = choixForm.safeParse({ protegee: 'non', thematiques: themes.toReversed(), duree })
        expect(parsed.success && parsed.data).toEqual({ protegee: 'non', thematiques: themes, duree })
      }),
    )
  })
})

describe('l’accord', () => {
  it('n’accorde jamais plus que ce qui a été choisi et lu, et rien sans la case', async () => {
    const perimetre = ['famille', 'logement', 'argent'] as const
    const id = await world.draft({ perimetre, upTo: 'identite', persona: 'josiane' })
    const now = await world.db.tx(world.as('thomas'), async (tx) => tx.now)
    const read = dernierJour(expiresAt(now, 'mois', 'Europe/Paris'), 'Europe/Paris')
    const form = fc.record({
      reponse: maybe(fc.constant('oui')),
      redit: maybe(fc.constant('oui')),
      thematiques: maybe(fc.oneof(fc.subarray([...perimetre]), thematiques)),
      lues: maybe(fc.subarray([...perimetre]).map((one) => one.join(' '))),
      suivi: maybe(fc.constantFrom('papier', 'sms', 'email')),
      mobile: maybe(fc.constantFrom('06 12 34 56 78', '0692112233', '01 23 45 67 89')),
      email: maybe(fc.constantFrom('a@example.org', 'THOMAS@figeac.demo', 'pas une adresse')),
    })
    await fc.assert(
      fc.asyncProperty(form, async (fields) => {
        await world.sql`update brouillon set granted = null, accord_at = null, dernier_jour = null, suivi = null, contact = null where id = ${id}`
        fc.pre(!is(fields.reponse, 'non'))
        const answer = await world.post(`/mandats/brouillons/${id}/accord`, { ...clean(fields), dernierJour: read }, cookie)
        expect(ALLOWED).toContain(answer.status)
        const [row] = await world.sql<{ granted: string[] | null; suivi: string | null; contact: string | null }[]>`
          select granted, suivi, contact from brouillon where id = ${id}`
        expect(row!.granted !== null).toBe(answer.status === 303)
        if (!row!.granted) return
        expect([is(fields.reponse, 'oui'), is(fields.redit, 'oui')]).toEqual([true, true])
        expect(row!.granted.length).toBeGreaterThan(0)
        expect(row!.granted.every((one) => (perimetre as readonly string[]).includes(one))).toBe(true)
        expect(row!.granted).toEqual(perimetreDe(texts(fields.lues).join(' ').split(' ')))
        expect(row!.contact === null).toBe(row!.suivi === 'papier')
        expect(row!.contact).not.toBe('thomas@figeac.demo')
      }),
      { numRuns: 150 },
    )
  })

  it('un mobile français s’écrit d’une seule façon, quel que soit l’espace entre les chiffres', () => {
    const digits = fc.tuple(fc.constantFrom('6', '7'), fc.stringMatching(/^\d{8}$/)).map((parts) => parts.join(''))
    const spaced = fc.tuple(digits, fc.constantFrom('0', '+33', '+33 '), fc.constantFrom('', ' ', '.', '-'))
    fc.assert(
      fc.property(spaced, ([number, prefix, space]) => {
        const typed = prefix + number.replace(/\B(?=(\d\d)+$)/g, space)
        const base = { thematiques: ['logement'], lues: 'logement', dernierJour: '2030-01-01', redit: 'oui', suivi: 'sms' }
        const parsed = accordForm.safeParse({ ...base, mobile: typed })
        const again = accordForm.safeParse({ ...base, mobile: parsed.data?.mobile })
        expect(parsed.data?.mobile).toMatch(/^\+(33|262|590|594|596)[67]\d{8}$/)
        expect(parsed.data?.mobile?.endsWith(number)).toBe(true)
        expect(again.data?.mobile).toBe(parsed.data?.mobile)
      }),
    )
  })
})

describe('la signature', () => {
  it('aucun code inventé ne signe', async () => {
    const id = await world.draft({ persona: 'marcel' })
    // Whatever code is drawn, its step has already served.
    await world.sql`update facteur set dernier_pas = 1e12`
    await fc.assert(
      fc.asyncProperty(fc.oneof(anything, fc.stringMatching(/^\d{6}$/), fc.array(anything, { maxLength: 3 })), async (code) => {
        await world.sql`delete from limite`
        const answer = await world.post(`/mandats/brouillons/${id}/acceptation`, { code }, cookie)
        expect([400, 409, 422]).toContain(answer.status)
      }),
      { numRuns: 60 },
    )
    expect(await world.sql`select 1 from mandat`).toHaveLength(0)
  })
})
