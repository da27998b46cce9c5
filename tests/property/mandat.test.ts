import fc from 'fast-check'
import { expect, test } from 'vitest'
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

test('pauses, reprises et arrêts dans n’importe quel ordre : l’état suit un modèle de quatre lignes', () => {
  const HOUR = 3600_000
  const start = new Date('2026-03-02T10:00:00Z')
  const mandat = { signedAt: start, expiresAt: new Date(start.getTime() + 40 * HOUR) }
  const act = fc.record({
    geste: fc.constantFrom('pause', 'reprise', 'arret', 'arret_recu', 'rien'),
    after: fc.integer({ min: 0, max: 5 }),
  })
  fc.assert(
    fc.property(fc.array(act, { maxLength: 15 }), (acts) => {
      let one: Autorisation = { ...mandat, thematique: 'logement', revokedAt: null, revokedHow: null, suspensions: [] }
      let model = 'actif'
      let now = start
      for (const { geste, after } of acts) {
        now = new Date(now.getTime() + after * HOUR)
        if (model !== 'termine' && now >= mandat.expiresAt) model = 'expire'
        const { suspensions } = one
        if (geste === 'pause' && !refusalOfPause(mandat, [one], now)) {
          expect(model).toBe('actif')
          one = { ...one, suspensions: [...suspensions, { from: now, until: null, attend: false }] }
          model = 'suspendu'
        } else if (geste === 'reprise' && !refusalOfResume(mandat, [one], now)) {
          expect(model).toBe('suspendu')
          one = { ...one, suspensions: [...suspensions.slice(0, -1), { ...suspensions.at(-1)!, until: now }] }
          model = 'actif'
        } else if (geste.startsWith('arret')) {
          const refusal =
            geste === 'arret' ? refusalOfEnd(mandat, [one], now) : refusalOfReceipt(mandat, [one], ['logement'], start, now)
          expect(refusal === undefined).toBe(model === 'actif' || model === 'suspendu')
          if (!refusal) one = { ...one, revokedAt: now, revokedHow: 'revoque' }
          if (!refusal) model = 'termine'
        }
        expect(etatAutorisation(one, now).etat).toBe(model)
      }
    }),
  )
})
