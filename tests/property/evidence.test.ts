import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { conditionsOf, nonceOf, verifyEvidence } from '../../src/mandat/conditions.ts'
import { openSeal, signJws } from '../../src/mandat/sceau.ts'
import { texte } from '../../src/mandat/texte.ts'

const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' })
const privateKey = createPrivateKey(pem)
const jwks = { keys: [{ ...createPublicKey(pem).export({ format: 'jwk' }), kid: 'k' }] as { kty: string; kid: string }[] }

const { version, langue, sha256 } = texte('fr-1')!
const conditions = conditionsOf({
  id: 'c0ffee00-1234-4abc-8def-0123456789ab',
  structure: { siret: '26460001200017', nom: 'CCAS de Figeac' },
  aidant: { nom: 'Fatima Benali' },
  perimetre: ['social', 'logement'],
  duree: 'mois',
  texte: { version, langue, sha256 },
  demandeLe: new Date('2026-03-01T10:00:00Z'),
  sel: Buffer.alloc(16, 7),
})
const iat = Date.parse('2026-03-01T10:02:00Z') / 1000
const ours = { issuer: 'https://fc.test', clientId: 'nous', perimetre: ['logement'] }
const claims = {
  iss: ours.issuer,
  aud: ours.clientId,
  sub: 'p',
  acr: 'eidas1',
  nonce: nonceOf(conditions),
  auth_time: iat,
  iat,
  exp: iat + 60,
}
const idToken = await signJws('JWT', claims, { kid: 'k', privateKey })

/** One character replaced by another, anywhere. */
const mutation = (text: string) =>
  fc
    .tuple(fc.nat(text.length - 1), fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."{'))
    .filter(([place, letter]) => text[place] !== letter)
    .map(([place, letter]) => text.slice(0, place) + letter + text.slice(place + 1))

test('la preuve intacte est acceptée', async () => {
  expect((await verifyEvidence({ conditions, idToken, jwks, ...ours })).ok).toBe(true)
})

test('une seule lettre changée dans les conditions, n’importe laquelle, fait refuser la preuve', async () => {
  await fc.assert(
    fc.asyncProperty(mutation(conditions), async (changed) => {
      expect((await verifyEvidence({ conditions: changed, idToken, jwks, ...ours })).ok).toBe(false)
    }),
    { numRuns: 300 },
  )
})

test('une seule lettre changée dans le jeton, n’importe laquelle, fait refuser la preuve', async () => {
  await fc.assert(
    fc.asyncProperty(mutation(idToken), async (changed) => {
      expect((await verifyEvidence({ conditions, idToken: changed, jwks, ...ours })).ok).toBe(false)
    }),
    { numRuns: 300 },
  )
})

test('la dernière lettre du jeton, dont quatre bits ne servent à rien, ne change pas non plus', async () => {
  const last = idToken.at(-1)!
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  for (const letter of alphabet.replace(last, '')) {
    const changed = idToken.slice(0, -1) + letter
    expect((await verifyEvidence({ conditions, idToken: changed, jwks, ...ours })).ok).toBe(false)
  }
})

test('n’importe quel texte donné pour un sceau est refusé sans panne', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string(),
        fc.array(fc.base64String()).map((parts) => parts.join('.')),
      ),
      async (text) => {
        expect((await openSeal(text, jwks, { issuer: 'x' })).ok).toBe(false)
      },
    ),
  )
})
