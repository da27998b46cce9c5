import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { franceconnect } from '../../src/oidc/franceconnect.ts'
import type { Fault, Provider } from '../../src/oidc/oidc.ts'
import { isProviderDown, openProvider } from '../../src/oidc/provider.ts'
import { MODES } from '../support/hostile-modes.ts'
import { type HostileProvider, startHostileProvider, type Twist } from '../support/hostile-provider.ts'

let hostile: HostileProvider
beforeAll(async () => {
  hostile = await startHostileProvider()
})
afterAll(() => hostile.close())

/** The machine's monotonic clock, in milliseconds: it moves when a test says so. */
let clock = 0
let causes: string[] = []
beforeEach(() => {
  clock = 0
  causes = []
  hostile.twist = {}
  vi.spyOn(performance, 'now').mockImplementation(() => clock)
})
afterEach(() => vi.restoreAllMocks())

const open = (target = hostile): Provider =>
  openProvider({
    profile: franceconnect,
    issuer: target.issuer,
    clientId: target.clientId,
    clientSecret: target.clientSecret,
    allowInsecure: true,
    log: ({ cause }: Fault) => void causes.push(cause),
  })

/** A browser that comes back to this provider of ours while the other side behaves so. */
async function comeBack(provider: Provider, twist: Twist, target = hostile) {
  const expected = {
    state: randomBytes(32).toString('hex'),
    nonce: randomBytes(32).toString('hex'),
    redirectUri: target.redirectUri,
  }
  target.twist = {}
  const address = await open(target).authorizationUrl(expected)
  target.twist = twist
  const back = await target.visit(address)
  target.calls.length = 0
  return provider.finish(back, expected, new Date())
}
const leave = (provider: Provider) =>
  provider.authorizationUrl({ state: 's', nonce: 'n'.repeat(32), redirectUri: hostile.redirectUri }).then(
    () => 'parti',
    (error: unknown) => isProviderDown(error) && 'indisponible',
  )

const DOWN = MODES['jeton : 500']!.twist
const USERINFO_DOWN: Twist = { userinfoReply: (reply) => void Object.assign(reply, { status: 502 }) }

async function fall(provider: Provider, times = 5, twist = DOWN) {
  for (let i = 0; i < times; i++) await comeBack(provider, twist)
}

it('cinq pannes de suite : plus aucun appel ne part, et personne n’y est envoyé, pendant trente secondes', async () => {
  const provider = open()
  await fall(provider, 4)
  expect([provider.isResting(), await leave(provider)]).toEqual([false, 'parti'])
  await fall(provider, 1)
  expect(provider.isResting()).toBe(true)

  const refused = await comeBack(provider, {})
  expect([refused, hostile.calls]).toEqual([{ ok: false, refusal: 'indisponible' }, []])
  expect(causes.at(-1)).toBe('breaker:open')
  clock = 29_999
  expect([await leave(provider), hostile.calls]).toEqual(['indisponible', []])
})

it('après trente secondes, un seul essai : réussi, tout reprend ; manqué, trente secondes de plus', async () => {
  const provider = open()
  await fall(provider)
  clock = 30_000
  hostile.twist = { discovery: (reply) => void Object.assign(reply, { status: 503 }) }
  hostile.calls.length = 0
  expect(await Promise.all([leave(provider), leave(provider), leave(provider)])).toEqual(Array(3).fill('indisponible'))
  expect(hostile.calls).toHaveLength(1)

  hostile.twist = {}
  clock = 59_999
  expect(await leave(provider)).toBe('indisponible')
  clock = 60_000
  hostile.calls.length = 0
  expect((await Promise.all([leave(provider), leave(provider)])).sort()).toEqual(['indisponible', 'parti'])
  expect([hostile.calls.length, provider.isResting()]).toEqual([1, false])
  expect(await comeBack(provider, {})).toMatchObject({ ok: true })
})

it('une identité qui ne vient jamais compte, même quand le jeton est venu, et la session ouverte là-bas se ferme encore', async () => {
  const provider = open()
  await fall(provider, 4, USERINFO_DOWN)
  const last = await comeBack(provider, USERINFO_DOWN)
  expect(provider.isResting()).toBe(true)
  const { idToken } = last as { idToken: string }
  const logout = await provider.logoutUrl({ idToken, state: 'x', postLogoutRedirectUri: 'http://localhost:3000/fin' })
  expect(logout.searchParams.get('id_token_hint')).toBe(idToken)
})

it('quatre pannes, une réponse, quatre pannes : ce n’est pas de suite', async () => {
  const provider = open()
  await fall(provider, 4)
  expect(await comeBack(provider, {})).toMatchObject({ ok: true })
  await fall(provider, 4)
  expect(provider.isResting()).toBe(false)
})

const ANSWERED = [
  'id_token : alg none',
  'id_token : acr plus bas',
  'userinfo : JSON simple',
  'userinfo : 50 Mo',
  'userinfo : 403',
  'retour : code déjà utilisé',
  'retour : server_error',
  'retour : autre state',
  'jeton : JSON invalide',
]
it.each(ANSWERED)('%s, dix fois : une réponse refusée n’est pas une panne', async (mode) => {
  const provider = open()
  await fall(provider, 10, MODES[mode]!.twist)
  expect(provider.isResting()).toBe(false)
  expect(causes).toHaveLength(10)
})

it('l’un en panne, l’autre répond', async () => {
  const other = await startHostileProvider()
  const [one, two] = [open(), open(other)]
  await fall(one)
  expect(await comeBack(two, {}, other)).toMatchObject({ ok: true })
  expect([one.isResting(), two.isResting()]).toEqual([true, false])
  await other.close()
})
