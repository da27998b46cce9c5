import { expect, it } from 'vitest'
import { confirmee, nonceDeConfirmation } from '../../src/mandat/confirmation.ts'

const BROUILLON = {
  id: '00000000-0000-4000-8000-000000000000',
  conditions: '{}',
  identite: null,
  granted: ['logement'],
  accordAt: new Date('2026-11-22T10:00:00Z'),
  dernierJour: '2026-12-23',
  suivi: 'papier',
  contact: null,
  contactProuveAt: null,
}
const SEL = 'a'.repeat(32)

it.each([
  true,
  false,
])('ce qui est confirmé chez ProConnect dit aussi si la mesure de protection a pris fin : %s', (mesureFinie) => {
  const nonce = nonceDeConfirmation(BROUILLON, SEL, mesureFinie)
  expect(nonce).toMatch(/^[0-9a-f]{96}$/)
  expect(confirmee(BROUILLON, nonce)).toEqual({ mesureFinie })
  expect(confirmee({ ...BROUILLON, granted: ['logement', 'argent'] }, nonce)).toBeUndefined()
  expect(confirmee(BROUILLON, `${nonce.slice(0, -1)}${nonce.endsWith('0') ? '1' : '0'}`)).toBeUndefined()
})
