import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { franceconnect } from '../../src/oidc/franceconnect.ts'
import type { Fault, Provider } from '../../src/oidc/oidc.ts'
import { codeVerifierOf, proconnect } from '../../src/oidc/proconnect.ts'
import { isProviderDown, openProvider } from '../../src/oidc/provider.ts'
import { identiteDe } from '../../src/usager/identite.ts'
import { MODES } from '../support/hostile-modes.ts'
import { type HostileProvider, IDENTITY, type Reply, SUB, startHostileProvider, type Twist } from '../support/hostile-provider.ts'

let hostile: HostileProvider
beforeAll(async () => {
  hostile = await startHostileProvider()
})
afterAll(() => hostile.close())
beforeEach(() => {
  hostile.now = () => new Date()
})

const open = (target: HostileProvider, log: (line: { provider: string } & Fault) => void = () => {}) =>
  openProvider({
    profile: franceconnect,
    issuer: target.issuer,
    clientId: target.clientId,
    clientSecret: target.clientSecret,
    allowInsecure: true,
    log,
  })

const secrets = (target: HostileProvider) => ({
  state: randomBytes(32).toString('hex'),
  nonce: randomBytes(32).toString('hex'),
  redirectUri: target.redirectUri,
})

/** A whole round trip, in which the provider misbehaves from the moment the browser leaves us. */
async function roundTrip(twist: Twist, options: { provider?: Provider; now?: Date } = {}) {
  const lines: ({ provider: string } & Fault)[] = []
  const provider = options.provider ?? open(hostile, (line) => lines.push(line))
  const expected = secrets(hostile)
  hostile.twist = {}
  const address = await open(hostile).authorizationUrl(expected)
  hostile.twist = twist
  const back = await hostile.visit(address)
  hostile.calls.length = 0
  hostile.sentBytes = 0
  const finished = await provider.finish(back, expected, options.now ?? new Date())
  return { finished, lines, expected, back, calls: [...hostile.calls] }
}

describe('chaque mode du fournisseur hostile a le verdict prévu, et aucun autre', () => {
  const table = Object.entries(MODES).map(([mode, facts]) => ({ mode, ...facts }))
  const seen: string[] = []
  // What was met, not what was expected: one line a mode, for who reads the tests' output.
  afterAll(() => console.log(['mode | module OpenID | verdict | raison', ...seen].join('\n')))

  it.each(table)('$mode → $verdict', { timeout: 10_000 }, async ({ mode, verdict, cause, oidf, twist }) => {
    const { finished, lines, expected, back } = await roundTrip(twist)
    const identity = finished.ok ? identiteDe(finished.userinfo) : finished
    const met = identity.ok ? 'accepte' : identity.refusal
    seen.push([mode, oidf ?? '', met, lines.map((line) => line.cause).join()].join(' | '))
    if (verdict === 'accepte') {
      expect(finished).toMatchObject({ ok: true, claims: { sub: SUB, acr: 'eidas1', iss: hostile.issuer } })
      expect(lines).toEqual([])
      return
    }
    if (verdict === 'identite_invalide' || verdict.endsWith('_manquant') || verdict.endsWith('_manquante')) {
      expect([finished.ok, met]).toEqual([true, verdict])
      return
    }
    expect(finished).toMatchObject({ ok: false, refusal: verdict })
    // She did identify herself: her session at the provider can be closed, whatever came after.
    if (mode.startsWith('userinfo') || verdict === 'identification_ancienne') expect(finished).toHaveProperty('idToken')
    if (/^(retour|découverte|jeton) :/.test(mode)) expect(finished).not.toHaveProperty('idToken')
    expect(lines).toEqual([{ provider: 'franceconnect', refusal: verdict, cause }])
    expect(cause).toMatch(/^[\w:]{3,80}$/)
    const unspeakable = [
      expected.state,
      expected.nonce,
      hostile.clientSecret,
      SUB,
      'DUBOIS',
      'script',
      'motif',
      'eyJ',
      'Maintenance',
    ]
    for (const secret of [...unspeakable, back.searchParams.get('code') || SUB])
      expect(JSON.stringify(lines)).not.toContain(secret)
  })
})

describe('un retour truqué ne coûte rien', () => {
  const forged = [
    'autre state',
    'sans state',
    'state doublé',
    'autre iss',
    'sans iss',
    'iss doublé',
    'code doublé',
    'code et erreur ensemble',
  ]

  it.each(forged)('%s : aucun appel ne part', async (mode) => {
    expect((await roundTrip(MODES[`retour : ${mode}`]!.twist)).calls).toEqual([])
  })

  it('cinquante mégaoctets : la lecture s’arrête', async () => {
    await roundTrip(MODES['userinfo : 50 Mo']!.twist)
    expect(hostile.sentBytes).toBeLessThan(4 * 1024 * 1024)
  })

  it.each(['discovery', 'jwks', 'token'] as const)('%s : 256 Kio se lisent, un octet de plus, non', async (call) => {
    const long = (bytes: number): Twist => ({
      [call]: (reply: Reply) => void Object.assign(reply, { body: (reply.body as string).padEnd(bytes) }),
    })
    expect((await roundTrip(long(256 * 1024))).finished).toMatchObject({ ok: true })
    const { finished, lines } = await roundTrip(long(256 * 1024 + 1))
    expect(finished).toMatchObject({ ok: false, refusal: 'reponse_incorrecte' })
    expect(lines[0]!.cause).toMatch(/:too_large$/)
  })

  it('userinfo : 250 Kio se lisent, 260, non', async () => {
    // In base64, four letters for three bytes.
    const long = (kib: number): Twist => ({
      userinfo: ({ claims }) => void Object.assign(claims, { autre: 'x'.repeat(kib * 768) }),
    })
    expect((await roundTrip(long(250))).finished).toMatchObject({ ok: true })
    expect((await roundTrip(long(260))).lines[0]).toMatchObject({ cause: 'userinfo:too_large' })
  })

  it('trois secondes par appel, sept et demie en tout : il en reste pour répondre avant les huit de la page', async () => {
    const timers = vi.spyOn(globalThis, 'setTimeout')
    await roundTrip({})
    const patience = timers.mock.calls.map(([, ms]) => ms ?? 0)
    timers.mockRestore()
    expect(new Set(patience.filter((ms) => ms >= 1_000))).toEqual(new Set([3_000, 7_500]))
  })

  it('une redirection n’est pas suivie', async () => {
    const { calls } = await roundTrip(MODES['jeton : 302']!.twist)
    expect(calls.filter((path) => path === '/jwks')).toHaveLength(1)
  })

  it('moins de huit secondes en tout, même quand chaque réponse reste sous les trois secondes', { timeout: 12_000 }, async () => {
    const slow = (reply: { delayMs?: number }) => {
      reply.delayMs = 2_400
    }
    const { finished, calls } = await roundTrip({ discovery: slow, jwks: slow, token: slow, userinfoReply: slow })
    expect(finished).toMatchObject({ ok: false, refusal: 'indisponible' })
    expect(calls).toEqual(['/.well-known/openid-configuration', '/jwks', '/token', '/userinfo'])
  })
})

it.each(
  Object.keys(MODES).filter((mode) => mode.startsWith('découverte')),
)('%s : personne n’est envoyé nulle part', async (mode) => {
  hostile.twist = MODES[mode]!.twist
  const error = await open(hostile)
    .authorizationUrl(secrets(hostile))
    .catch((thrown: unknown) => thrown)
  expect(isProviderDown(error)).toBe(true)
})

describe('clés', () => {
  it('changées en chemin : relues une fois, et le code n’est envoyé qu’une fois', async () => {
    const { finished, calls } = await roundTrip(MODES['clés : changées en chemin']!.twist)
    expect(calls).toEqual(['/.well-known/openid-configuration', '/jwks', '/token', '/jwks', '/userinfo'])
    expect(finished).toMatchObject({ ok: true, jwks: JSON.stringify({ keys: hostile.keys.map((key) => key.jwk) }) })
  })

  it('kid inconnu : relues une fois, pas deux', async () => {
    const { calls } = await roundTrip(MODES['id_token : kid inconnu']!.twist)
    expect(calls).toEqual(['/.well-known/openid-configuration', '/jwks', '/token', '/jwks'])
  })

  it('gardées cinq minutes, puis relues', async () => {
    const provider = open(hostile)
    const now = new Date()
    hostile.now = () => now
    expect((await roundTrip({}, { provider, now })).calls).toContain('/jwks')
    expect((await roundTrip({}, { provider, now })).calls).toEqual(['/token', '/userinfo'])
    const later = new Date(now.getTime() + 5 * 60_000)
    hostile.now = () => later
    expect((await roundTrip({}, { provider, now: later })).calls).toEqual(['/jwks', '/token', '/userinfo'])
  })
})

describe('le temps est celui de la base de données', () => {
  const now = new Date('2031-05-04T10:00:00.000Z')
  const verdictAt = async (twist: Twist) => {
    hostile.now = () => now
    const { finished } = await roundTrip(twist, { now })
    return finished.ok || finished.refusal
  }
  const moved = (claims: Record<string, number>): Twist => ({
    idToken: (draft) => {
      for (const [claim, seconds] of Object.entries(claims)) draft.claims[claim] = now.getTime() / 1000 + seconds
    },
  })

  it.each([
    [{}, true],
    [{ iat: -30 }, true],
    [{ iat: -31 }, 'reponse_incorrecte'],
    [{ iat: 30 }, true],
    [{ iat: 31 }, 'reponse_incorrecte'],
    [{ exp: -29 }, true],
    [{ exp: -30 }, 'reponse_incorrecte'],
    [{ nbf: 30 }, true],
    [{ nbf: 31 }, 'reponse_incorrecte'],
    [{ auth_time: -300 }, true],
    [{ auth_time: -301 }, 'identification_ancienne'],
    [{ auth_time: 30 }, true],
    [{ auth_time: 31 }, 'reponse_incorrecte'],
  ])('%o → %s, à la seconde près', async (claims, verdict) => {
    expect(await verdictAt(moved(claims))).toBe(verdict)
  })
})

describe('le second facteur de ProConnect', () => {
  const says = (acr: unknown, amr: unknown): Twist => ({ idToken: (draft) => void Object.assign(draft.claims, { acr, amr }) })
  const withProConnect = async (twist: Twist) => {
    const lines: Fault[] = []
    const { issuer, clientId, clientSecret } = hostile
    const settings = { profile: proconnect, issuer, clientId, clientSecret, allowInsecure: true }
    const provider = openProvider({ ...settings, log: (line) => void lines.push(line) })
    const expected = { ...secrets(hostile), codeVerifier: codeVerifierOf(randomBytes(32), 'etat') }
    hostile.twist = {}
    const address = await provider.authorizationUrl(expected)
    hostile.twist = twist
    const finished = await provider.finish(await hostile.visit(address), expected, new Date())
    return [finished.ok || finished.refusal, lines[0]?.cause]
  }

  it.each([
    ['eidas2', ['pwd', 'otp', 'mfa']],
    ['eidas0-mfa', ['pwd', 'totp', 'mfa']],
    ['eidas1-mfa', ['mfa', 'swk']],
    ['eidas3', ['pin', 'hwk', 'mfa']],
    ['https://proconnect.gouv.fr/assurance/consistency-checked-2fa', ['pwd', 'pop', 'mfa']],
  ])('%s, %j : suffit', async (acr, amr) => {
    expect(await withProConnect(says(acr, amr))).toEqual([true, undefined])
  })
  it.each([
    ['eidas1-mfa', ['pwd', 'mail', 'mfa']],
    ['eidas2', ['pwd', 'otp']],
    ['eidas2', ['mfa']],
    ['eidas2', ['pwd', 'pin', 'mfa']],
    ['eidas2', undefined],
    ['eidas2', 'mfa otp'],
    ['eidas2', { mfa: 1, otp: 1, length: 2 }],
  ])('%s, %j : ne suffit pas', async (acr, amr) => {
    expect(await withProConnect(says(acr, amr))).toEqual(['second_facteur_absent', 'id_token:amr'])
  })
  it.each([
    ['eidas1', ['pwd', 'otp', 'mfa']],
    ['eidas0', ['pwd', 'otp', 'mfa']],
    ['https://proconnect.gouv.fr/assurance/self-asserted', ['pwd', 'otp', 'mfa']],
    [undefined, ['pwd', 'otp', 'mfa']],
  ])('%s, %j : le niveau ne va pas', async (acr, amr) => {
    expect(await withProConnect(says(acr, amr))).toEqual(['acr_insuffisant', 'id_token:acr'])
  })
})

describe('deux fournisseurs ne se mélangent pas', () => {
  let other: HostileProvider
  beforeAll(async () => {
    other = await startHostileProvider()
  })
  afterAll(() => other.close())

  it('un retour de l’autre est refusé sans appel, et son code ne lui est pas renvoyé', async () => {
    const expected = secrets(hostile)
    const back = await other.visit(await open(other).authorizationUrl(expected))
    hostile.calls.length = 0
    expect(await open(hostile).finish(back, expected, new Date())).toEqual({ ok: false, refusal: 'reponse_incorrecte' })
    expect(hostile.calls).toEqual([])
  })

  it('un code de l’autre sous le nom du premier n’existe pas', async () => {
    const expected = secrets(hostile)
    const back = await other.visit(await open(other).authorizationUrl(expected))
    back.searchParams.set('iss', hostile.issuer)
    expect(await open(hostile).finish(back, expected, new Date())).toEqual({ ok: false, refusal: 'retour_expire' })
  })

  it('des jetons signés par l’autre ne valent rien', async () => {
    const keys = hostile.keys
    hostile.keys = other.keys
    const { finished } = await roundTrip({
      jwks: (reply) => {
        reply.body = JSON.stringify({ keys: keys.map((key) => key.jwk) })
      },
    })
    hostile.keys = keys
    expect(finished).toEqual({ ok: false, refusal: 'reponse_incorrecte' })
  })
})

it('n’importe quoi dans n’importe quelle réponse : un refus ou la même personne, jamais une panne', {
  timeout: 60_000,
}, async () => {
  const claims = fc.dictionary(
    fc.constantFrom(
      'iss',
      'sub',
      'aud',
      'azp',
      'exp',
      'iat',
      'nbf',
      'nonce',
      'acr',
      'auth_time',
      'given_name',
      'birthdate',
      '__proto__',
    ),
    fc.jsonValue({ maxDepth: 1 }),
    { minKeys: 1, maxKeys: 3 },
  )
  const header = fc.dictionary(fc.constantFrom('alg', 'kid', 'typ', 'crit', 'jwk', 'b64'), fc.jsonValue({ maxDepth: 1 }), {
    minKeys: 1,
  })
  const body = fc.oneof(
    fc.string(),
    fc.json({ maxDepth: 2 }),
    fc.constantFrom('', 'null', '[]', '..', 'e30.e30.', '{"keys":[null]}'),
  )
  const replied = (text: string) => (reply: { body: unknown }) => {
    reply.body = text
  }
  const twists: fc.Arbitrary<Twist> = fc.oneof(
    claims.map((spoilt) => ({ idToken: (draft) => void Object.assign(draft.claims, spoilt) }) satisfies Twist),
    claims.map((spoilt) => ({ userinfo: (draft) => void Object.assign(draft.claims, spoilt) }) satisfies Twist),
    header.map((spoilt) => ({ idToken: (draft) => void Object.assign(draft.header, spoilt) }) satisfies Twist),
    header.map((spoilt) => ({ userinfo: (draft) => void Object.assign(draft.header, spoilt) }) satisfies Twist),
    body.map((text) => ({ discovery: replied(text) })),
    body.map((text) => ({ jwks: replied(text) })),
    body.map((text) => ({ token: replied(text) })),
    body.map((text) => ({ userinfoReply: replied(text) })),
    fc.tuple(fc.constantFrom('key_ops', 'kty', 'crv', 'x', 'y', 'use', 'alg', 'kid', 'd'), fc.jsonValue({ maxDepth: 1 })).map(
      ([member, value]) =>
        ({
          jwks: (reply) => {
            const { keys } = JSON.parse(reply.body as string)
            reply.body = JSON.stringify({ keys: keys.map((key: object) => ({ ...key, [member]: value })) })
          },
        }) satisfies Twist,
    ),
  )
  await fc.assert(
    fc.asyncProperty(twists, async (twist) => {
      const { finished, lines } = await roundTrip(twist)
      if (finished.ok)
        expect(finished).toMatchObject({ claims: { sub: SUB }, userinfo: { sub: SUB, family_name: IDENTITY.family_name } })
      else expect(lines).toHaveLength(1)
    }),
    { numRuns: 150 },
  )
})
