import fc from 'fast-check'
import { expect, test } from 'vitest'
import { kindOf, type NewDemarche, refusalOf } from '../../src/demarche/demarche.ts'
import { type Autorisation, etatAutorisation } from '../../src/mandat/mandat.ts'

/** The model: time is a row of hours, each one open or not, told event by event as a person would. */
type Event = { hour: number; what: 'arreter' | 'suspendre' | 'reprendre' }
type Story = { signed: number; expires: number; events: Event[] }
const HOURS = 120

function model({ signed, expires, events }: Story) {
  const state: string[] = []
  let current = 'avant'
  for (let hour = 0; hour <= HOURS; hour++) {
    if (hour === signed) current = 'actif'
    for (const event of events.filter((one) => one.hour === hour && hour > signed && hour < expires)) {
      if (event.what === 'arreter' && current !== 'avant') current = 'termine'
      if (event.what === 'suspendre' && current === 'actif') current = 'suspendu'
      if (event.what === 'reprendre' && current === 'suspendu') current = 'actif'
    }
    if (hour === expires && current !== 'termine') current = 'expire'
    state.push(current)
  }
  const kind = (done: number, recorded: number) => {
    if (state[done] !== 'actif') return 'hors_mandat'
    return state[recorded] === 'actif' && recorded - done <= 24 ? 'reguliere' : 'apres_coup'
  }
  return { state, kind }
}

/** The same story as rows of the database. */
const time = (hour: number) => new Date(Date.UTC(2026, 2, 1, hour))
function rows({ signed, expires, events }: Story): Autorisation {
  const during = events.filter(({ hour }) => hour > signed && hour < expires)
  const stop = during.findIndex(({ what }) => what === 'arreter')
  const suspensions: { from: Date; until: Date | null; attend: boolean }[] = []
  for (const { hour, what } of stop < 0 ? during : during.slice(0, stop)) {
    const last = suspensions.at(-1)
    if (what === 'suspendre' && (!last || last.until)) suspensions.push({ from: time(hour), until: null, attend: false })
    if (what === 'reprendre' && last && !last.until) last.until = time(hour)
  }
  const revokedAt = stop < 0 ? null : time(during[stop]!.hour)
  return {
    thematique: 'logement',
    signedAt: time(signed),
    expiresAt: time(expires),
    revokedAt,
    revokedHow: revokedAt && 'revoque',
    suspensions,
  }
}

const hour = fc.integer({ min: 0, max: HOURS })
const story: fc.Arbitrary<Story> = fc.record({
  signed: fc.integer({ min: 0, max: 40 }),
  expires: fc.integer({ min: 41, max: HOURS }),
  events: fc
    .array(fc.record({ hour, what: fc.constantFrom('arreter', 'suspendre', 'suspendre', 'reprendre', 'reprendre') }), {
      maxLength: 8,
    })
    .map((events) => events.toSorted((a, b) => a.hour - b.hour)) as fc.Arbitrary<Event[]>,
})
const moments = fc.tuple(hour, hour).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)

test('le genre d’une démarche est celui du modèle, quoi qu’il soit arrivé au mandat', () => {
  fc.assert(
    fc.property(story, moments, (story, [done, recorded]) => {
      expect(kindOf(rows(story), time(done), time(recorded))).toBe(model(story).kind(done, recorded))
    }),
    { numRuns: 3000 },
  )
})

test('l’état d’une thématique est celui du modèle, à chaque heure de sa vie', () => {
  fc.assert(
    fc.property(story, hour, (story, at) => {
      fc.pre(at >= story.signed)
      expect(etatAutorisation(rows(story), time(at)).etat).toBe(model(story).state[at])
    }),
    { numRuns: 1000 },
  )
})

test('refuse hors du mandat et rien de plus, dans l’ordre des refus', () => {
  const facts = fc.record({
    thematique: fc.constantFrom('logement', 'argent'),
    titre: fc.constantFrom('Écrire au bailleur', ' '),
    nature: fc.constantFrom('demande', 'paiement'),
    mode: fc.constantFrom('avec_la_personne', 'a_sa_place', 'seule_avec_appui'),
    presence: fc.constantFrom('presente', 'absente_prevenue', 'absente'),
    montantCentimes: fc.constantFrom(null, 500),
    done: fc.option(hour, { nil: null }),
  }) as fc.Arbitrary<
    Pick<NewDemarche, 'thematique' | 'titre' | 'nature' | 'mode' | 'presence' | 'montantCentimes'> & { done: number | null }
  >
  fc.assert(
    fc.property(story, hour, facts, (story, now, { done, ...facts }) => {
      const refusals = [
        facts.titre === ' ' && 'sans_titre',
        done !== null && done > now && 'done_at_futur',
        (facts.nature === 'paiement' || facts.montantCentimes) && facts.presence !== 'presente' && 'montant_sans_presence',
        facts.presence === 'absente' && facts.mode !== 'a_sa_place' && 'ensemble_sans_elle',
        (facts.thematique === 'argent' || model(story).kind(done ?? now, now) === 'hors_mandat') && 'hors_mandat',
      ]
      const expected = refusals.find(Boolean) || undefined
      expect(refusalOf({}, [rows(story)], { ...facts, doneAt: done === null ? null : time(done) }, time(now))).toBe(expected)
    }),
    { numRuns: 2000 },
  )
})
