import { randomBytes, randomUUID } from 'node:crypto'
import { decodeProtectedHeader } from 'jose'
import encodeQR from 'qr'
import { expect, test } from 'vitest'
import { LETTRES } from '../../src/lettres.ts'
import { codeVerification, empreinteDuCode } from '../../src/mandat/code.ts'
import {
  attestationUrl,
  court,
  fromDigits,
  openAttestation,
  signAttestation,
  toDigits,
} from '../../src/verification/attestation.ts'
import { qrOf, qrSvg } from '../../src/verification/qr.ts'
import { attestation, CLAIMS, FUSEAU, ours } from '../support/forgeries.ts'
import { readQr } from '../support/qr-reader.ts'

const HOTE = 'https://mandats.departement-de-la-reunion.exemple.fr'
test('le code a douze signes sans ambiguïté, toujours les mêmes pour un mandat', () => {
  const key = randomBytes(32)
  const id = randomUUID()
  const code = codeVerification(key, id)
  expect(code).toMatch(new RegExp(`^[${LETTRES}]{4}(-[${LETTRES}]{4}){2}$`))
  expect(LETTRES).toBe('36789BDFGHJKMPQRTVWXY')
  expect(codeVerification(key, id)).toBe(code)
  expect(codeVerification(key, randomUUID())).not.toBe(code)
  expect(codeVerification(randomBytes(32), id)).not.toBe(code)
  expect(empreinteDuCode(code)).toEqual(empreinteDuCode(code.replaceAll('-', '')))
})

test('le code d’un mandat ne change pas d’une version à l’autre : des papiers le portent', () => {
  expect(codeVerification(Buffer.alloc(32, 1), CLAIMS.jti)).toBe('9M7G-6HY3-GM3H')
})

test('toutes les lettres servent', () => {
  const key = randomBytes(32)
  const seen = new Set(Array.from({ length: 200 }, () => codeVerification(key, randomUUID()).replaceAll('-', '')).join(''))
  expect([...seen].sort().join('')).toBe(LETTRES)
})

test.each([
  ['CCAS de Figeac', 60, 'CCAS de Figeac'],
  ['  CCAS   de\nFigeac ', 60, 'CCAS de Figeac'],
  ['Zoe\u0301', 3, 'Zoé'],
  ['ABCDEFGHIJ', 10, 'ABCDEFGHIJ'],
  ['ABCDEFGHIJK', 10, 'ABCDEFGHI…'],
  ['𝒜𝒜𝒜𝒜', 3, '𝒜𝒜…'],
])('coupe %j à %i caractères, et le montre', (name, max, expected) => {
  expect(court(name, max)).toBe(expected)
})

test('un nom plus long que le papier reste une attestation', async () => {
  const long = {
    ...CLAIMS,
    mandant: { ...CLAIMS.mandant, family_name: '𝒜'.repeat(100) },
    mandataire: { ...CLAIMS.mandataire, nom: 'é'.repeat(120) },
  }
  const opened = await openAttestation(await signAttestation(long, FUSEAU, ours.current), ours.jwks)
  expect(opened).toMatchObject({ ok: true, attestation: { nom: `${'𝒜'.repeat(29)}…`, structure: `${'é'.repeat(59)}…` } })
})

test('n’emporte ni adresse, ni identifiant, ni la clé en entier', () => {
  expect(decodeProtectedHeader(attestation)).toEqual({ alg: 'ES256', kid: ours.current.kid.slice(0, 8), typ: 'attestation' })
})

test('les chiffres se relisent, et eux seuls', () => {
  expect(fromDigits(toDigits(attestation))).toBe(attestation)
  for (const digits of ['', '1', '0', '99', '78', '02', '13', 'ab', ' 00', `${toDigits(attestation)}1`, '00'.repeat(1501)])
    expect(fromDigits(digits), digits.slice(0, 10)).toBeUndefined()
})

test('le cas le plus long tient dans un QR de version 22 au plus, et un autre lecteur le relit', async () => {
  const [name, structure] = [`${CLAIMS.mandant.given_name}${CLAIMS.mandant.family_name}`, CLAIMS.mandataire.nom]
  expect([[...name].length, [...structure].length, CLAIMS.perimetre.length]).toEqual([60, 60, 10])
  const url = await attestationUrl(CLAIMS, { fuseau: FUSEAU, publicUrl: HOTE, key: ours.current })
  const { version, modules } = qrOf(url)
  expect(version).toBeLessThanOrEqual(20)
  expect(modules).toHaveLength(17 + 4 * version)
  expect(read(modules)).toBe(url)
})

// The sizes of the two counts change at versions 10 and 27; blocks come in one length or two.
test.each([
  [5, 2],
  [180, 8],
  [230, 9],
  [310, 10],
  [800, 17],
  [1750, 26],
  [1800, 27],
  [3900, 40],
])('un autre lecteur relit %i chiffres, version %i', (length, version) => {
  const url = `https://a.fr/v#${'7078123456'.repeat(400).slice(0, length)}`
  const qr = qrOf(url)
  expect(read(qr.modules)).toBe(url)
  expect(qr.version).toBe(version)
})

test.each([
  5, 100, 180, 300, 560, 900, 1600,
])('%i octets sans chiffres : les mêmes modules que le paquet qui sait les faire', (length) => {
  const text = 'https://exemple.fr/abc?'.repeat(100).slice(0, length).replace(/.$/, '#')
  const theirs = encodeQR(text, 'raw', { ecc: 'quartile', encoding: 'byte', border: 1 })
  expect(qrOf(text).modules).toEqual(theirs.slice(1, -1).map((row) => row.slice(1, -1)))
})

test('se relit avec un doigt dessus', async () => {
  const url = await attestationUrl(CLAIMS, { fuseau: FUSEAU, publicUrl: HOTE, key: ours.current })
  const { modules } = qrOf(url)
  const smudged = modules.map((row, y) => row.map((dark, x) => (Math.hypot(x - 60, y - 40) < 12 ? true : dark)))
  expect(smudged).not.toEqual(modules)
  expect(read(smudged)).toBe(url)
})

test('un texte sans chiffres à la fin, ou trop long', () => {
  expect(read(qrOf('https://a.fr/v#').modules)).toBe('https://a.fr/v#')
  expect(() => qrOf('1'.repeat(4000))).toThrow('too long')
})

test('l’image est carrée, noire sur blanc, avec sa marge', () => {
  const svg = qrSvg('https://a.fr/v#123')
  const side = qrOf('https://a.fr/v#123').modules.length + 8
  expect(svg).toContain(`viewBox="0 0 ${side} ${side}"`)
  expect(svg).toContain(`<path fill="#fff" d="M0 0h${side}v${side}h-${side}z"/>`)
})

/** Drawn at four pixels a module. */
function read(modules: readonly (readonly boolean[])[]): string | undefined {
  const [scale, side] = [4, (modules.length + 8) * 4]
  const data = new Uint8ClampedArray(side * side * 4).fill(255)
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++)
      if (modules[Math.floor(y / scale) - 4]?.[Math.floor(x / scale) - 4])
        data.fill(0, (y * side + x) * 4, (y * side + x) * 4 + 3)
  return readQr(data, side, side)?.data
}
