import fc from 'fast-check'
import { expect, test } from 'vitest'
import { kindOf } from '../../src/demarche/demarche.ts'
import { refusalOfEnd, refusalOfPause, refusalOfReceipt, refusalOfResume } from '../../src/mandat/fin.ts'
import { type Autorisation, DUREES, dernierJour, etatAutorisation, expiresAt, JOURS } from '../../src/mandat/mandat.ts'

const fuseau = fc.constantFrom(
  'Europe/Paris',
  'Indian/Reunion',
  'Indian/Mayotte',
  'America/Martinique',
  'America/Cayenne',
  'America/Miquelon',
  'Pacific/Tahiti',
  'Pacific/Marquesas',
  'Pacific/Noumea',
  'Pacific/Wallis',
  // Not ours: clocks that change at midnight, or by odd offsets.
  'Asia/Beirut',
  'America/Nuuk',
  'Asia/Kathmandu',
)
const signedAt = fc.date({ min: new Date('2024-01-01'), max: new Date('2045-01-01'), noInvalidDate: true })
const duree = fc.constantFrom(...DUREES)

/** The second implementation: another formatter, days counted on the calendar, the last second found by halving. */
const dayIn = (ms: number, timeZone: string) => new Date(ms).toLocaleDateString('sv-SE', { timeZone })
function naive(from: Date, days: number, timeZone: string): { end: number; day: string } {
  const [y, m, d] = dayIn(from.getTime(), timeZone).split('-').map(Number) as [number, number, number]
  const day = new Date(Date.UTC(y, m - 1, d + days)).toISOString().slice(0, 10)
  let [inside, after] = [from.getTime(), from.getTime() + (days + 3) * 86_400_000]
  while (after - inside > 1) {
    const middle = Math.floor((inside + after) / 2)
    if (dayIn(middle, timeZone) <= day) inside = middle
    else after = middle
  }
  return { end: after - 1000, day }
}

test('la fin est la dernière seconde du jour montré, pour tout fuseau, toute date et toute durée', () => {
  fc.assert(
    fc.property(signedAt, duree, fuseau, (from, duree, fuseau) => {
      const end = expiresAt(from, duree, fuseau)
      const expected = naive(from, JOURS[duree], fuseau)
      expect(end.getTime()).toBe(expected.end)
      expect(dernierJour(end, fuseau)).toBe(expected.day)
      // One second each side: still that day the second before, already the next one the second after.
      expect(dernierJour(new Date(end.getTime() - 1000), fuseau)).toBe(expected.day)
      expect(dernierJour(new Date(end.getTime() + 1000), fuseau) > expected.day).toBe(true)
    }),
    { numRuns: 300 },
  )
})

test('où les horloges ne changent pas à minuit, la fin se lit 23:59:59', () => {
  const ours = fuseau.filter((zone) => zone !== 'America/Nuuk')
  fc.assert(
    fc.property(signedAt, duree, ours, (from, duree, timeZone) => {
      expect(expiresAt(from, duree, timeZone).toLocaleTimeString('sv-SE', { timeZone })).toBe('23:59:59')
    }),
  )
})

test('pauses, contestations, réponses, reprises et arrêts dans n’importe quel ordre : l’état suit un modèle de quatre lignes', () => {
  const HOUR = 3600_000
  const start = new Date('2026-03-02T10:00:00Z')
  const mandat = { signedAt: start, expiresAt: new Date(start.getTime() + 40 * HOUR) }
  const act = fc.record({
    geste: fc.constantFrom('pause', 'contestation', 'reponse', 'reprise', 'arret', 'arret_recu', 'rien'),
    after: fc.integer({ min: 0, max: 5 }),
  })
  fc.assert(
    fc.property(fc.array(act, { maxLength: 15 }), (acts) => {
      let one: Autorisation = { ...mandat, thematique: 'logement', revokedAt: null, revokedHow: null, suspensions: [] }
      // Over, or not; paused by herself, or until she is answered.
      let fini: 'expire' | 'termine' | undefined
      let [sienne, attend] = [false, false]
      const model = () => fini ?? (sienne || attend ? 'suspendu' : 'actif')
      let now = start
      const suspend = (attend: boolean) => {
        one = { ...one, suspensions: [...one.suspensions, { from: now, until: null, attend }] }
      }
      const lift = (which: (attend: boolean) => boolean) => {
        const suspensions = one.suspensions.map((s) => (s.until === null && which(s.attend) ? { ...s, until: now } : s))
        one = { ...one, suspensions }
      }
      for (const { geste, after } of acts) {
        now = new Date(now.getTime() + after * HOUR)
        if (!fini && now >= mandat.expiresAt) fini = 'expire'
        const before = model()
        if (geste === 'pause') {
          const refused = refusalOfPause(mandat, [one], now) !== undefined
          expect(refused).toBe(fini !== undefined || sienne)
          if (!refused) suspend(false)
          sienne ||= !refused
        } else if (geste === 'contestation' && etatAutorisation(one, now).etat === 'actif') {
          suspend(true)
          attend = true
        } else if (geste === 'reponse') {
          lift((attend) => attend)
          attend = false
        } else if (geste === 'reprise') {
          const refused = refusalOfResume(mandat, [one], now) !== undefined
          expect(refused).toBe(before !== 'suspendu')
          if (!refused) {
            lift(() => true)
            ;[sienne, attend] = [false, false]
          }
        } else if (geste.startsWith('arret')) {
          const refusal =
            geste === 'arret' ? refusalOfEnd(mandat, [one], now) : refusalOfReceipt(mandat, [one], ['logement'], start, now)
          expect(refusal === undefined).toBe(fini === undefined)
          if (!refusal) one = { ...one, revokedAt: now, revokedHow: 'revoque' }
          if (!refusal) fini = 'termine'
        }
        expect(etatAutorisation(one, now).etat).toBe(model())
        // Nothing is done under what is paused or over.
        expect(kindOf(one, now, now)).toBe(model() === 'actif' ? 'reguliere' : 'hors_mandat')
      }
    }),
    { numRuns: 500 },
  )
})
