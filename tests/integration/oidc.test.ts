import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findPersona, PERSONAS, subOf } from '../../src/demo/franceconnect/personas.ts'
import { type Simulator, startSimulator } from '../../src/demo/franceconnect/simulator.ts'
import { verifyEs256 } from '../../src/mandat/jws.ts'
import { franceconnect } from '../../src/oidc/franceconnect.ts'
import { thumbprints } from '../../src/oidc/keys.ts'
import type { Fault, ProviderSettings } from '../../src/oidc/oidc.ts'
import { isProviderDown, openProvider } from '../../src/oidc/provider.ts'
import { identiteDe } from '../../src/usager/identite.ts'
import { startHostileProvider } from '../support/hostile-provider.ts'

const RETOUR = 'http://localhost:3000/connexion/franceconnect/retour'
const FIN = 'http://localhost:3000/deconnexion'
const CLIENT = { clientId: 'trait-dunion', clientSecret: randomBytes(32).toString('hex') }
const CLIENTS = [{ ...CLIENT, name: 'Trait d’union', redirectUris: [RETOUR], postLogoutRedirectUris: [FIN] }]

let simulator: Simulator
let lines: ({ provider: string } & Fault)[] = []
beforeAll(async () => {
  simulator = await startSimulator({ port: 0, clients: CLIENTS })
})
afterAll(() => simulator.close())
beforeEach(() => {
  lines = []
})

const open = (changes: Partial<ProviderSettings> = {}) =>
  openProvider({
    profile: franceconnect,
    issuer: simulator.issuer,
    ...CLIENT,
    allowInsecure: true,
    log: (line) => lines.push(line),
    ...changes,
  })
const newExpected = () => ({
  state: randomBytes(32).toString('hex'),
  nonce: randomBytes(32).toString('hex'),
  redirectUri: RETOUR,
})

/** A browser without JavaScript: follows the simulator's redirects, posts one form per page, stops where it is sent back to us. */
function openBrowser() {
  const cookies = new Map<string, string>()
  return async function go(to: URL, ...forms: Record<string, string>[]): Promise<URL> {
    let url = to
    let form: Record<string, string> | undefined
    for (;;) {
      const answer = await fetch(url, {
        ...(form && { method: 'POST', body: new URLSearchParams(form) }),
        headers: { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') },
        redirect: 'manual',
      })
      for (const cookie of answer.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!
        cookies.set(name!, value!)
      }
      const location = answer.headers.get('location')
      form = location ? undefined : forms.shift()
      if (!location && !form) throw new Error(`stopped at ${url.pathname} (${answer.status})`)
      if (location) url = new URL(location, url)
      if (url.origin !== new URL(simulator.issuer).origin) return url
    }
  }
}

async function comeBack(persona: string, provider = open(), expected = newExpected()) {
  const address = await provider.authorizationUrl(expected)
  return { provider, expected, back: await openBrowser()(address, { persona }, { geste: 'continuer' }) }
}

describe('avec le simulateur FranceConnect', () => {
  it('la demande porte exactement les paramètres que FranceConnect accepte', async () => {
    const expected = newExpected()
    const address = await open().authorizationUrl(expected)
    expect(`${address.origin}${address.pathname}`).toBe(`${simulator.issuer}/authorize`)
    expect(Object.fromEntries(address.searchParams)).toEqual({
      client_id: CLIENT.clientId,
      response_type: 'code',
      redirect_uri: RETOUR,
      scope: 'openid given_name family_name preferred_username birthdate birthplace birthcountry email',
      acr_values: 'eidas1',
      state: expected.state,
      nonce: expected.nonce,
      prompt: 'login',
    })
    expect(open().origin()).toBe(address.origin)
  })

  it('le retour donne l’identité, la preuve telle que signée et les clés qui la vérifient', async () => {
    const { provider, expected, back } = await comeBack('josiane')
    const finished = await provider.finish(back, expected, new Date())
    expect(lines).toEqual([])
    if (!finished.ok) throw new Error(finished.refusal)
    const josiane = findPersona('josiane')!
    const { gender: _, ...asked } = josiane.identity
    expect(finished.userinfo).toMatchObject({ ...asked, sub: finished.claims.sub })
    expect(finished.userinfo).not.toHaveProperty('gender')
    expect(finished.claims).toEqual({
      sub: subOf(josiane, CLIENT.clientId),
      acr: 'eidas1',
      authTime: expect.any(Date),
      iat: expect.any(Date),
      iss: simulator.issuer,
    })
    expect(Math.abs(finished.claims.authTime.getTime() - Date.now())).toBeLessThan(60_000)

    const jwks = JSON.parse(finished.jwks)
    const proof = await verifyEs256(finished.idToken, jwks)
    expect(proof).toMatchObject({ ok: true, claims: { nonce: expected.nonce, aud: CLIENT.clientId } })
    expect((await verifyEs256(finished.userinfoJwt, jwks)).ok).toBe(true)
    expect(finished.jwks).toBe(await (await fetch(`${simulator.issuer}/jwks`)).text())
    expect(await thumbprints(finished.jwks)).toEqual(jwks.keys.map((key: { kid: string }) => key.kid).sort())
  })

  it.each(
    PERSONAS.filter(({ key, outcome }) => outcome === 'ok' && key !== 'sans-prenom').map(({ key }) => key),
  )('%s revient identifiée', async (key) => {
    const { provider, expected, back } = await comeBack(key)
    expect(await provider.finish(back, expected, new Date())).toMatchObject({ ok: true })
  })

  it('la personne qui revient sur le service sans s’identifier a annulé', async () => {
    const provider = open()
    const expected = newExpected()
    const back = await openBrowser()(await provider.authorizationUrl(expected), { geste: 'revenir' })
    expect(await provider.finish(back, expected, new Date())).toEqual({ ok: false, refusal: 'annule' })
    expect(lines).toEqual([{ provider: 'franceconnect', refusal: 'annule', cause: 'callback:access_denied' }])
  })

  it('FranceConnect en panne est dit indisponible', async () => {
    const provider = open()
    const expected = newExpected()
    const back = await openBrowser()(await provider.authorizationUrl(expected), { geste: 'panne' })
    expect(await provider.finish(back, expected, new Date())).toEqual({ ok: false, refusal: 'indisponible' })
  })

  it('un retour joué une seconde fois ne redonne pas l’identité', async () => {
    const { provider, expected, back } = await comeBack('josiane')
    expect(await provider.finish(back, expected, new Date())).toMatchObject({ ok: true })
    expect(await provider.finish(back, expected, new Date())).toEqual({ ok: false, refusal: 'retour_expire' })
  })

  it('une identité sans prénom est refusée', async () => {
    const { provider, expected, back } = await comeBack('sans-prenom')
    const finished = await provider.finish(back, expected, new Date())
    expect(finished.ok && identiteDe(finished.userinfo)).toEqual({ ok: false, refusal: 'prenom_manquant' })
  })

  it('des clés changées pendant que la personne s’identifie ne se voient pas', async () => {
    const provider = open()
    const first = await comeBack('josiane', provider)
    expect(await provider.finish(first.back, first.expected, new Date())).toMatchObject({ ok: true })
    const second = await comeBack('josiane', provider)
    await simulator.rotateKeys()
    expect(await provider.finish(second.back, second.expected, new Date())).toMatchObject({ ok: true })
  })

  it('la déconnexion accepte un id_token expiré depuis une heure et ramène chez nous', async () => {
    const at = new Date(Date.now() - 3_600_000)
    const { idToken } = simulator.signFor({
      persona: findPersona('josiane')!,
      clientId: CLIENT.clientId,
      nonce: 'n'.repeat(64),
      at,
    })
    const address = await open().logoutUrl({ idToken, state: 'retour-de-deconnexion', postLogoutRedirectUri: FIN })
    expect([...address.searchParams.keys()]).toEqual(['id_token_hint', 'post_logout_redirect_uri', 'state'])
    expect((await openBrowser()(address)).href).toBe(`${FIN}?state=retour-de-deconnexion`)
  })

  it('un mauvais secret est une panne de notre fait, pas un refus de la personne', async () => {
    const { expected, back } = await comeBack('josiane')
    const provider = open({ clientSecret: 'un-autre-secret-que-le-bon-0123456789' })
    expect(await provider.finish(back, expected, new Date())).toEqual({ ok: false, refusal: 'indisponible' })
  })
})

describe('quand le fournisseur n’est pas là', () => {
  it('le service démarre, le dit à qui veut s’identifier, et se remet tout seul', async () => {
    const gone = await startSimulator({ port: 0, clients: CLIENTS })
    await gone.close()
    const provider = open({ issuer: gone.issuer })
    const expected = newExpected()

    const error = await provider.authorizationUrl(expected).catch((thrown: unknown) => thrown)
    expect(isProviderDown(error)).toBe(true)
    expect(lines).toEqual([{ provider: 'franceconnect', refusal: 'indisponible', cause: 'discovery:ECONNREFUSED' }])
    expect(isProviderDown(new Error('a defect of ours'))).toBe(false)

    const back = new URL(`${RETOUR}?${new URLSearchParams({ code: 'c', state: expected.state, iss: gone.issuer })}`)
    expect(await provider.finish(back, expected, new Date())).toEqual({ ok: false, refusal: 'indisponible' })

    const again = await startSimulator({ port: gone.port, clients: CLIENTS })
    expect((await provider.authorizationUrl(expected)).href).toContain(gone.issuer)
    await again.close()
  })
})

describe('réglages', () => {
  it.each([
    ['http://fcp.example/api/v2', true],
    ['http://localhost.example/api/v2', true],
    ['http://127.0.0.1.example/api/v2', true],
    ['http://127.0.0.1:4000/api/v2', false],
    ['ftp://127.0.0.1/api/v2', true],
  ])('%s (allowInsecure %s) empêche l’ouverture', (issuer, allowInsecure) => {
    expect(() => open({ issuer, allowInsecure })).toThrow('https')
  })

  it.each([
    ['https://oidc.franceconnect.gouv.fr/api/v2', false],
    ['http://127.0.0.1:4000/api/v2', true],
    ['http://localhost:4000/api/v2', true],
    ['http://[::1]:4000/api/v2', true],
  ])('%s (allowInsecure %s) convient', (issuer, allowInsecure) => {
    expect(open({ issuer, allowInsecure }).origin()).toBe(new URL(issuer).origin)
  })

  it('PKCE se règle par fournisseur : le code seul ne suffit alors plus', async () => {
    const other = await startHostileProvider()
    const provider = open({
      profile: { ...franceconnect, pkce: true },
      issuer: other.issuer,
      clientId: other.clientId,
      clientSecret: other.clientSecret,
    })
    const expected = { ...newExpected(), redirectUri: other.redirectUri, codeVerifier: randomBytes(32).toString('base64url') }
    const address = await provider.authorizationUrl(expected)
    expect(address.searchParams.get('code_challenge_method')).toBe('S256')

    const stolen = { ...expected, codeVerifier: randomBytes(32).toString('base64url') }
    expect(await provider.finish(await other.visit(address), stolen, new Date())).toEqual({ ok: false, refusal: 'retour_expire' })
    expect(await provider.finish(await other.visit(address), expected, new Date())).toMatchObject({ ok: true })
    await other.close()
  })
})
