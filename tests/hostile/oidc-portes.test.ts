import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AIDANTS, STRUCTURES } from '../../src/demo/people.ts'
import { franceconnect } from '../../src/oidc/franceconnect.ts'
import type { OidcLog, Provider } from '../../src/oidc/oidc.ts'
import { proconnect } from '../../src/oidc/proconnect.ts'
import { openProvider } from '../../src/oidc/provider.ts'
import { MODES, type Mode } from '../support/hostile-modes.ts'
import { type HostileProvider, newKey, SUB, startHostileProvider, type Twist } from '../support/hostile-provider.ts'
import { expectValidHtml } from '../support/html.ts'
import { type Browser, newWorld, PUBLIC_URL, RETOUR, type World } from '../support/world.ts'

/*
 * What each hostile mode gives through the whole service: nobody enters, nothing is written, one line in the technical log, and a page that
 * says it calmly. Which verdict each one gets is told in oidc-callback.test.ts.
 */

let world: World
let fc: HostileProvider
let pro: HostileProvider
/** A provider that has just been discovered, so that each round trip asks everything again. */
let reopen = () => {}
beforeAll(async () => {
  ;[fc, pro] = await Promise.all([
    startHostileProvider(RETOUR),
    startHostileProvider(`${PUBLIC_URL}/connexion/proconnect/retour`),
  ])
  const anew = (
    profile: typeof franceconnect | typeof proconnect,
    { issuer, clientId, clientSecret }: HostileProvider,
    log: OidcLog,
  ) => {
    const open = () => openProvider({ profile, issuer, clientId, clientSecret, allowInsecure: true, log })
    let last = open()
    const before = reopen
    reopen = () => {
      before()
      last = open()
    }
    return {
      name: last.name,
      origin: () => last.origin(),
      isResting: () => last.isResting(),
      authorizationUrl: (asked) => last.authorizationUrl(asked),
      finish: (...back) => last.finish(...back),
      logoutUrl: (asked) => last.logoutUrl(asked),
    } satisfies Provider
  }
  world = await newWorld({
    oidc: (log) => ({ franceconnect: anew(franceconnect, fc, log), proconnect: anew(proconnect, pro, log) }),
  })
})
afterAll(async () => {
  await world?.close()
  await Promise.all([fc?.close(), pro?.close()])
})
beforeEach(async () => {
  // Nobody comes this often from one address.
  await world.sql`delete from limite`
  const now = await world.now()
  for (const provider of [fc, pro]) Object.assign(provider, { now: () => now, keys: [newKey()] })
})

/** Everything but the round trips themselves, spent as soon as they come back. */
const kept = async () => {
  const { connexion: _, ...rest } = await world.digest()
  return rest
}

/** Leaves through `door`, the provider misbehaving from then on, and comes back; to the page that is shown at last. */
async function comeBack(browser: Browser, provider: HostileProvider, door: string, twist: Twist, genuine: Twist = {}) {
  provider.twist = {}
  const left = await browser.post(door, {})
  expect(left.status).toBe(303)
  reopen()
  provider.twist = after(genuine, twist)
  const back = await provider.visit(new URL(left.location!))
  const before = await kept()
  world.log.length = 0
  const answer = await browser.get(back.href)
  // She did identify herself: her session there is closed before anything is shown.
  const leaving = answer.location?.startsWith(provider.issuer) ? new URL(answer.location) : undefined
  const state = leaving?.searchParams.get('state')
  const shown = leaving ? await browser.get(`${back.pathname.replace('retour', 'deconnecte')}?state=${state}`) : answer
  return { before, answer, shown, lines: world.log.filter(({ event }) => event === 'oidc') }
}
/** Both, one after the other, on what each of them touches. */
const after = (first: Twist, then: Twist): Twist => ({
  ...first,
  ...then,
  idToken: (draft, provider) => {
    first.idToken?.(draft, provider)
    then.idToken?.(draft, provider)
  },
  userinfo: (draft, provider, idToken) => {
    first.userinfo?.(draft, provider, idToken)
    then.userinfo?.(draft, provider, idToken)
  },
})

type Back = Awaited<ReturnType<typeof comeBack>>
async function expectNothing({ before, answer, shown, lines }: Back, { cause, verdict }: Mode) {
  expect(await kept()).toEqual(before)
  expect(answer.headers.getSetCookie().filter((cookie) => cookie.includes('session='))).toEqual([])
  expect(lines).toEqual(cause ? [expect.objectContaining({ reason: verdict, error: cause })] : [])
  for (const secret of [SUB, 'DUBOIS', 'Angela', 'angela@', 'eyJ']) expect(JSON.stringify(world.log)).not.toContain(secret)
  expect(shown.status).toBe(verdict === 'indisponible' ? 503 : 409)
  await expectValidHtml(shown.html)
  const words = shown.html
    .replace(/[\s\S]*<main/, '')
    .replace(/<\/main>[\s\S]*/, '')
    .replace(/<[^>]*>/g, ' ')
  expect(words).toMatch(/Rien n’est signé|Personne n’est connecté|espace ne s’est pas ouvert/)
  // A sentence, and a way on.
  expect(words).toMatch(/\p{Lu}[^.]{15,}\./u)
  expect(shown.html).toMatch(/<main[\s\S]*<a [^>]*class="button[\s\S]*<\/main>/)
  expect(words).not.toMatch(
    /jeton|token|nonce|jw[stk]|\bacr\b|\bamr\b|oidc|openid|http|signature|callback|id_token|userinfo|null|undefined|erreur \d|\b[45]\d\d\b/i,
  )
}

/** Of no round trip that we know: nothing is asked of the provider, who is not at fault. */
const OURS = /^retour : (autre|sans) state$/
const SLOW = /32 secondes|goutte à goutte|50 Mo|sans fin/
const quick = Object.entries(MODES)
  .filter(([mode, { verdict }]) => verdict !== 'accepte' && !SLOW.test(mode))
  .map(([mode, { cause, ...facts }]): [string, Mode] => [mode, { ...facts, ...(cause && !OURS.test(mode) && { cause }) }])
/** One mode of each verdict and reason. */
const oneOfEach = [...new Map(quick.map((one) => [`${one[1].verdict} ${one[1].cause}`, one])).values()]

describe('la porte de la personne : son espace ne s’ouvre pas', () => {
  it.each(quick)('%s', async (_, mode) => {
    await expectNothing(await comeBack(world.browser(), fc, '/connexion/franceconnect', mode.twist), mode)
  })
})

describe('l’identification d’un mandat : rien n’est gardé, les choix restent', () => {
  it.each(oneOfEach)('%s', async (_, mode) => {
    const brouillonId = await world.draft({ upTo: 'choix' })
    const thomas = world.browser(await world.sessionOf('thomas'))
    const back = await comeBack(thomas, fc, `/mandats/brouillons/${brouillonId}/identification`, mode.twist)
    await expectNothing(back, mode)
    expect((await thomas.get(`/mandats/brouillons/${brouillonId}/identification`)).status).toBe(200)
  })
})

describe('la porte de l’aidant par ProConnect : personne n’entre', () => {
  const genuine: Twist = {
    idToken: ({ claims }) => void Object.assign(claims, { acr: 'eidas2', amr: ['pwd', 'otp', 'mfa'] }),
    userinfo: ({ claims }) => void Object.assign(claims, { email: AIDANTS.thomas.email, siret: STRUCTURES.figeac.siret }),
  }
  const enter = (twist: Twist) => comeBack(world.browser(), pro, '/connexion/proconnect', twist, genuine)

  it.each(
    oneOfEach.filter(([, { verdict }]) => !verdict.includes('manquant') && verdict !== 'identite_invalide'),
  )('%s', async (_, mode) => {
    await expectNothing(await enter(mode.twist), mode)
  })

  it('et elle s’ouvre à qui elle doit', async () => {
    const { answer } = await enter({})
    expect([answer.status, answer.location]).toEqual([303, `${PUBLIC_URL}/personnes`])
  })
})
