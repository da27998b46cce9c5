import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HtmlValidate } from 'html-validate'
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, importJWK, jwtVerify } from 'jose'
import * as oidc from 'openid-client'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { findPersona, PERSONAS, subOf } from '../../src/demo/franceconnect/personas.ts'
import { type Intercept, type Simulator, startSimulator } from '../../src/demo/franceconnect/simulator.ts'
import { createStorage } from '../../src/demo/franceconnect/storage.ts'

const RETOUR = 'http://localhost:3000/connexion/franceconnect/retour'
const FIN = 'http://localhost:3000/deconnexion'
const SCOPE = 'openid given_name family_name preferred_username gender birthdate birthplace birthcountry email'
const STATE = 'etat-de-vingt-deux-car'
const NONCE = 'un-nonce-de-vingt-deux'
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const CLIENTS = [
  {
    clientId: 'trait-dunion',
    clientSecret: 'secret-du-service-de-test',
    name: 'Trait d’union',
    redirectUris: [RETOUR, 'http://127.0.0.1:3000/connexion/franceconnect/retour'],
    postLogoutRedirectUris: [FIN],
  },
  {
    clientId: 'autre-service',
    clientSecret: 'inutile',
    redirectUris: ['https://autre.example/retour'],
    postLogoutRedirectUris: [],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), d: undefined, kid: 'client', alg: 'ES256', use: 'sig' }] },
  },
]

let said: string[] = []
let intercept: Intercept | undefined
let simulator: Simulator

beforeAll(async () => {
  for (const method of ['log', 'info', 'warn', 'error'] as const)
    vi.spyOn(console, method).mockImplementation((...words) => void said.push(words.join(' ')))
  simulator = await startSimulator({ port: 0, clients: CLIENTS, intercept: (...of) => intercept?.(...of) })
})
afterAll(async () => {
  vi.restoreAllMocks()
  await simulator.close()
})
afterEach(() => {
  vi.useRealTimers()
  intercept = undefined
  const heard = said
  said = []
  expect(heard, 'the simulator says nothing on the terminal').toEqual([])
})

/** A browser without JavaScript: cookies, one host, redirects followed until they leave the simulator. */
function openBrowser() {
  const jar = new Map<string, { value: string; path: string }>()
  async function send(url: string, init: RequestInit = {}): Promise<Page> {
    const { pathname } = new URL(url)
    const cookie = [...jar].filter(([, { path }]) => pathname.startsWith(path)).map(([name, { value }]) => `${name}=${value}`)
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { ...init.headers, cookie: cookie.join('; ') } })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      const path = /; path=([^;]+)/i.exec(line)?.[1] ?? '/'
      if (value === '' || /expires=Thu, 01 Jan 1970/.test(line)) jar.delete(name)
      else jar.set(name, { value, path })
    }
    const told = response.headers.get('location')
    const location = told && new URL(told, url).href
    if (location?.startsWith(simulator.issuer)) return send(location)
    return { url, status: response.status, location, headers: response.headers, text: await response.text() }
  }
  return {
    get: (url: string) => send(url),
    post: (page: Page, fields: Record<string, string>) => send(page.url, { method: 'POST', body: new URLSearchParams(fields) }),
  }
}
type Page = { url: string; status: number; location: string | null; headers: Headers; text: string }
type Browser = ReturnType<typeof openBrowser>

const request = (changes: Record<string, string | undefined> = {}, clientId = 'trait-dunion') => {
  const client = CLIENTS.find((candidate) => candidate.clientId === clientId)!
  const query = {
    client_id: clientId,
    response_type: 'code',
    redirect_uri: client.redirectUris[0]!,
    scope: SCOPE,
    acr_values: 'eidas1',
    state: STATE,
    nonce: NONCE,
    ...changes,
  }
  const kept = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return `${simulator.issuer}/authorize?${new URLSearchParams(kept)}`
}

const titleOf = (page: Page) => /<h1>(.*?)<\/h1>/.exec(page.text)?.[1]
const codeOf = (page: Page) => /Code d’erreur : <strong>(\w+)</.exec(page.text)?.[1]
const parametersOf = (page: Page) => Object.fromEntries(new URL(page.location!).searchParams)

async function identify(persona: string, browser: Browser = openBrowser(), url = request()): Promise<Page> {
  const choice = await browser.get(url)
  expect(titleOf(choice)).toBe('Je choisis un compte')
  const informations = await browser.post(choice, { persona, fournisseur: 'impots-fictifs' })
  if (titleOf(informations) !== 'Informations transmises') return informations
  return browser.post(informations, { geste: 'continuer' })
}

type Answered = {
  tokens: Record<string, unknown>
  claims: Record<string, unknown>
  userinfo: Record<string, unknown>
  idToken: string
}

/** The whole client side as the service does it, signatures checked. */
async function redeem(back: Page): Promise<Answered> {
  const config = await discover()
  let tokens: Record<string, unknown> = {}
  config[oidc.customFetch] = async (url, options) => {
    const response = await fetch(url, options as RequestInit)
    if (url.endsWith('/token')) tokens = (await response.clone().json()) as Record<string, unknown>
    return response
  }
  const granted = await oidc.authorizationCodeGrant(config, new URL(back.location!), {
    expectedState: STATE,
    expectedNonce: NONCE,
    idTokenExpected: true,
  })
  const claims = granted.claims()!
  const userinfo = await oidc.fetchUserInfo(config, granted.access_token, claims.sub)
  return { tokens, claims: { ...claims }, userinfo: { ...userinfo }, idToken: granted.id_token! }
}

const discover = () =>
  oidc.discovery(
    new URL(simulator.issuer),
    'trait-dunion',
    { id_token_signed_response_alg: 'ES256', userinfo_signed_response_alg: 'ES256' },
    oidc.ClientSecretPost('secret-du-service-de-test'),
    { execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks] },
  )

const callToken = (back: Page, changes: Record<string, string> = {}) =>
  fetch(`${simulator.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: parametersOf(back).code!,
      redirect_uri: RETOUR,
      client_id: 'trait-dunion',
      client_secret: 'secret-du-service-de-test',
      ...changes,
    }),
  })
const tokensOf = async (back: Page) => (await (await callToken(back)).json()) as { access_token: string; id_token: string }
const callUserinfo = (token: unknown) => fetch(`${simulator.issuer}/userinfo`, { headers: { authorization: `Bearer ${token}` } })

const travel = (seconds: number) => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 })

describe('aller-retour complet', () => {
  it('rend un code, cinq membres de jeton, un id_token de huit claims et une identité signée', async () => {
    const back = await identify('josiane')
    expect(back.location).toMatch(`${RETOUR}?`)
    expect(Object.keys(parametersOf(back)).sort()).toEqual(['code', 'iss', 'state'])
    expect(parametersOf(back)).toMatchObject({ iss: simulator.issuer, state: STATE })

    const { tokens, claims, userinfo, idToken } = await redeem(back)
    expect(Object.keys(tokens).sort()).toEqual(['access_token', 'expires_in', 'id_token', 'scope', 'token_type'])
    expect(tokens).toMatchObject({ expires_in: 60, token_type: 'Bearer', scope: SCOPE })
    expect(Object.keys(decodeProtectedHeader(idToken)).sort()).toEqual(['alg', 'kid'])
    expect(Object.keys(claims).sort()).toEqual(['acr', 'aud', 'auth_time', 'exp', 'iat', 'iss', 'nonce', 'sub'])
    expect(claims).toMatchObject({ acr: 'eidas1', aud: 'trait-dunion', iss: simulator.issuer, nonce: NONCE })
    expect(Number(claims.exp) - Number(claims.iat)).toBe(60)
    expect(claims.sub).toMatch(/^[0-9a-f]{64}v1$/)
    expect(userinfo).toMatchObject({
      sub: claims.sub,
      aud: 'trait-dunion',
      iss: simulator.issuer,
      ...findPersona('josiane')!.identity,
    })
    expect(userinfo).toHaveProperty('exp')
    expect(userinfo).toHaveProperty('iat')
  })

  it('sert l’identité en application/jwt, avec le même en-tête {alg,kid}', async () => {
    const tokens = await tokensOf(await identify('odette'))
    const answer = await callUserinfo(tokens.access_token)
    expect(answer.headers.get('content-type')).toContain('application/jwt')
    const jwt = await answer.text()
    expect(Object.keys(decodeProtectedHeader(jwt)).sort()).toEqual(['alg', 'kid'])
    expect(decodeProtectedHeader(jwt).alg).toBe('ES256')
  })

  it('ne transmet que ce que les scopes demandent', async () => {
    const back = await identify('odette', openBrowser(), request({ scope: 'openid family_name' }))
    const { userinfo } = await redeem(back)
    expect(Object.keys(userinfo).sort()).toEqual(['aud', 'exp', 'family_name', 'iat', 'iss', 'sub'])
  })

  it('annonce les adresses de FranceConnect sous l’émetteur, et S256 bien qu’il le refuse', async () => {
    const server = (await discover()).serverMetadata()
    expect(server).toMatchObject({
      issuer: simulator.issuer,
      authorization_endpoint: `${simulator.issuer}/authorize`,
      token_endpoint: `${simulator.issuer}/token`,
      userinfo_endpoint: `${simulator.issuer}/userinfo`,
      jwks_uri: `${simulator.issuer}/jwks`,
      end_session_endpoint: `${simulator.issuer}/session/end`,
      revocation_endpoint: `${simulator.issuer}/token/revocation`,
      code_challenge_methods_supported: ['S256'],
    })
  })

  it('accepte un service qui signe ses appels (private_key_jwt) au lieu d’un secret', async () => {
    const back = await identify('odette', openBrowser(), request({}, 'autre-service'))
    const key = await importJWK({ ...privateKey.export({ format: 'jwk' }), alg: 'ES256' })
    const config = await oidc.discovery(
      new URL(simulator.issuer),
      'autre-service',
      { id_token_signed_response_alg: 'ES256' },
      oidc.PrivateKeyJwt({ key: key as oidc.CryptoKey, kid: 'client' }),
      { execute: [oidc.allowInsecureRequests] },
    )
    const granted = await oidc.authorizationCodeGrant(config, new URL(back.location!), {
      expectedState: STATE,
      expectedNonce: NONCE,
    })
    expect(granted.claims()?.sub).toBe(subOf(findPersona('odette')!, 'autre-service'))
  })

  it('donne à chaque service un autre identifiant, et le même à tous les comptes d’une personne', () => {
    const odette = findPersona('odette')!
    expect(subOf(odette, 'autre-service')).not.toBe(subOf(odette, 'trait-dunion'))
    expect(subOf(findPersona('odette-autre-compte')!, 'trait-dunion')).toBe(subOf(odette, 'trait-dunion'))
    expect(subOf(findPersona('odette-homonyme')!, 'trait-dunion')).not.toBe(subOf(odette, 'trait-dunion'))
    expect(subOf(findPersona('fatma-rectifiee')!, 'trait-dunion')).not.toBe(subOf(findPersona('fatma')!, 'trait-dunion'))
  })
})

describe('ce que /authorize refuse sur place, sans jamais revenir au service', () => {
  const cas: [string, Record<string, string | undefined>, string][] = [
    ['un code_challenge (PKCE)', { code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' }, 'Y030007'],
    ['un paramètre inconnu', { couleur: 'bleu' }, 'Y030007'],
    ['un max_age', { max_age: '300' }, 'Y030007'],
    ['un response_mode', { response_mode: 'form_post' }, 'Y030007'],
    ['un nonce de 21 caractères', { nonce: 'x'.repeat(21) }, 'Y030007'],
    ['aucun nonce', { nonce: undefined }, 'Y030007'],
    ['aucun state', { state: undefined }, 'Y030007'],
    ['un state vide', { state: '' }, 'Y030007'],
    ['aucun acr_values', { acr_values: undefined }, 'Y030007'],
    ['aucun scope', { scope: undefined }, 'Y030007'],
    ['aucun client', { client_id: undefined }, 'Y030007'],
    ['aucune adresse de retour', { redirect_uri: undefined }, 'Y030007'],
    ['une adresse de retour qui n’en est pas une', { redirect_uri: 'retour' }, 'Y030007'],
    ['prompt=none', { prompt: 'none' }, 'Y030007'],
    ['un prompt inconnu', { prompt: 'login select_account' }, 'Y030007'],
    ['des claims illisibles', { claims: '{' }, 'Y030028'],
    ['des claims qui ne sont pas un objet', { claims: '[]' }, 'Y030028'],
    ['le claim amr', { claims: '{"id_token":{"amr":{"essential":true}}}' }, 'Y030009'],
    ['un idp_hint inconnu', { idp_hint: 'banque' }, 'Y030016'],
    ['un client inconnu', { client_id: 'inconnu' }, 'Y04A586'],
    ['une adresse de retour non déclarée', { redirect_uri: 'http://localhost:3000/ailleurs' }, 'Y046350'],
    ['une adresse de retour déclarée, complétée', { redirect_uri: `${RETOUR}/../ailleurs` }, 'Y046350'],
    ['un response_type autre que code', { response_type: 'code id_token' }, 'Y045B2E'],
    ['un scope sans openid', { scope: 'given_name' }, 'Y04133E'],
  ]
  it.each(cas)('%s', async (_nom, changes, code) => {
    const page = await openBrowser().get(request(changes))
    expect(page.location).toBeNull()
    expect(page.status).toBe(400)
    expect(codeOf(page)).toBe(code)
  })

  it('un paramètre répété', async () => {
    const page = await openBrowser().get(`${request()}&state=autre`)
    expect(codeOf(page)).toBe('Y030007')
  })

  it('les écritures détournées de l’adresse (barre finale, majuscule, POST), qui passeraient à côté de la liste', async () => {
    const url = request({ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' })
    for (const detour of [url.replace('/authorize?', '/authorize/?'), url.replace('/authorize?', '/Authorize?')])
      expect((await openBrowser().get(detour)).status).toBe(404)
    const posted = await fetch(request().split('?')[0]!, { method: 'POST', body: new URL(url).searchParams })
    expect(posted.status).toBe(404)
  })

  it('accepte en revanche les paramètres facultatifs de la liste', async () => {
    const url = request({
      prompt: 'login consent',
      claims: '{"userinfo":{"email":null}}',
      idp_hint: 'sante-fictive',
      ui_locales: 'fr',
    })
    const page = await openBrowser().get(url)
    expect(titleOf(page)).toBe('Je choisis un compte')
    expect(page.text).toContain('href="?compte=sante-fictive" aria-current="true"')
  })
})

describe('erreurs qui reviennent au service, avec state et iss', () => {
  it.each([
    ['scope inconnu', { scope: 'openid numero_fiscal' }, 'invalid_scope'],
    ['niveau non proposé', { acr_values: 'eidas3' }, 'invalid_acr'],
  ])('%s', async (_nom, changes, error) => {
    const page = await openBrowser().get(request(changes))
    expect(page.status).toBe(303)
    expect(parametersOf(page)).toEqual({ error, state: STATE, iss: simulator.issuer })
  })

  it('la personne revient sur le service, avant comme après avoir choisi son compte', async () => {
    const browser = openBrowser()
    const choice = await browser.get(request())
    expect(choice.text).toContain('Revenir sur le service')
    expect(parametersOf(await browser.post(choice, { geste: 'revenir' }))).toMatchObject({
      error: 'access_denied',
      state: STATE,
      iss: simulator.issuer,
    })

    const informations = await browser.post(await browser.get(request()), { persona: 'odette' })
    expect(informations.text).toContain('Revenir sur le service')
    expect(parametersOf(await browser.post(informations, { geste: 'revenir' }))).toMatchObject({ error: 'access_denied' })
  })

  it('FranceConnect tombe en panne', async () => {
    const browser = openBrowser()
    const back = await browser.post(await browser.get(request()), { geste: 'panne' })
    expect(parametersOf(back)).toMatchObject({ error: 'server_error', state: STATE, iss: simulator.issuer })
  })
})

describe('durées', () => {
  it('le code vaut 30 secondes, pas une de plus', async () => {
    const early = await identify('odette')
    const late = await identify('odette')
    travel(27)
    expect((await callToken(early)).status).toBe(200)
    travel(6)
    expect(await (await callToken(late)).json()).toMatchObject({ error: 'invalid_grant' })
  })

  it('le jeton d’accès vaut 60 secondes, pas une de plus', async () => {
    const { access_token } = await tokensOf(await identify('odette'))
    travel(57)
    expect((await callUserinfo(access_token)).status).toBe(200)
    travel(6)
    expect((await callUserinfo(access_token)).status).toBe(401)
  })

  it('le code ne sert qu’une fois, et son rejeu annule le jeton déjà rendu', async () => {
    const back = await identify('odette')
    const { access_token } = await tokensOf(back)
    expect((await callToken(back)).status).toBe(400)
    expect((await callUserinfo(access_token)).status).toBe(401)
  })

  it('un mauvais secret n’obtient rien', async () => {
    expect((await callToken(await identify('odette'), { client_secret: 'faux' })).status).toBe(401)
  })

  it('un jeton révoqué ne sert plus', async () => {
    const config = await discover()
    const { access_token } = await tokensOf(await identify('odette'))
    await oidc.tokenRevocation(config, access_token)
    expect((await callUserinfo(access_token)).status).toBe(401)
  })

  it('les écrans expirent au bout de dix minutes, sur une page d’erreur', async () => {
    const browser = openBrowser()
    const choice = await browser.get(request())
    travel(602)
    const page = await browser.post(choice, { persona: 'odette' })
    expect([page.status, codeOf(page), page.location]).toEqual([401, 'Y190001', null])
  })
})

describe('session du navigateur partagé (SSO)', () => {
  it('tant qu’elle est ouverte, la personne suivante est prise pour la précédente', async () => {
    const browser = openBrowser()
    await identify('odette', browser)
    travel(29 * 60)
    const page = await browser.get(request())
    expect(titleOf(page)).toBe('Informations transmises')
    expect(page.text).toContain('Odette Marie LACOMBE')
    const { claims } = await redeem(await browser.post(page, { geste: 'continuer' }))
    expect(Number(claims.iat) - Number(claims.auth_time)).toBeGreaterThanOrEqual(29 * 60)
  })

  it('elle dure 30 minutes', async () => {
    const browser = openBrowser()
    await identify('odette', browser)
    travel(30 * 60 + 2)
    expect(titleOf(await browser.get(request()))).toBe('Je choisis un compte')
  })

  it('auth_time est l’heure du choix du compte, pas celle de l’accord', async () => {
    const browser = openBrowser()
    const informations = await browser.post(await browser.get(request()), { persona: 'odette' })
    travel(100)
    const { claims } = await redeem(await browser.post(informations, { geste: 'continuer' }))
    expect(Number(claims.iat) - Number(claims.auth_time)).toBeGreaterThanOrEqual(99)
  })

  it('prompt=login redemande le compte, et une autre personne peut prendre la place', async () => {
    const browser = openBrowser()
    await identify('odette', browser)
    const again = await redeem(await identify('odette', browser, request({ prompt: 'login' })))
    expect(again.claims.sub).toBe(subOf(findPersona('odette')!, 'trait-dunion'))
    const other = await redeem(await identify('teiki', browser, request({ prompt: 'login' })))
    expect(other.claims.sub).toBe(subOf(findPersona('teiki')!, 'trait-dunion'))
    expect(other.userinfo.family_name).toBe('TEHAAMATAI')
  })

  it('dans un autre navigateur, les écrans de la première personne ne sont pas servis', async () => {
    const choice = await openBrowser().get(request())
    expect(codeOf(await openBrowser().get(choice.url))).toBe('Y190001')
    expect(codeOf(await openBrowser().get(`${simulator.issuer}/authorize/inconnu`))).toBe('Y190001')
  })
})

describe('déconnexion', () => {
  const end = (parameters: Record<string, string>) => `${simulator.issuer}/session/end?${new URLSearchParams(parameters)}`

  it('ferme la session d’une seule redirection, avec un id_token expiré depuis longtemps', async () => {
    const browser = openBrowser()
    const { idToken } = await redeem(await identify('odette', browser))
    travel(25 * 60)
    expect(decodeJwt(idToken).exp! * 1000).toBeLessThan(Date.now())

    const page = await browser.get(end({ id_token_hint: idToken, post_logout_redirect_uri: FIN, state: 'fin' }))
    expect([page.status, page.location]).toEqual([303, `${FIN}?state=fin`])
    expect(titleOf(await browser.get(request()))).toBe('Je choisis un compte')
  })

  it('rend le jeton d’accès inutile', async () => {
    const browser = openBrowser()
    const { access_token, id_token } = await tokensOf(await identify('odette', browser))
    await browser.get(end({ id_token_hint: id_token }))
    expect((await callUserinfo(access_token)).status).toBe(401)
  })

  it('sans adresse de retour, le dit sur une page', async () => {
    const browser = openBrowser()
    const { idToken } = await redeem(await identify('odette', browser))
    expect(titleOf(await browser.get(end({ id_token_hint: idToken })))).toBe('La session est fermée')
  })

  it('refuse sur place une indication absente, illisible, retouchée ou d’un autre, et une adresse non déclarée', async () => {
    const browser = openBrowser()
    const { idToken } = await redeem(await identify('odette', browser))
    const [header, , signature] = idToken.split('.')
    const retouched = `${header}.${Buffer.from(JSON.stringify({ ...decodeJwt(idToken), sub: 'x' })).toString('base64url')}.${signature}`
    const foreign = simulator.keys.sign({ ...decodeJwt(idToken), aud: 'inconnu' })
    const cases: [Record<string, string>, string][] = [
      [{ post_logout_redirect_uri: FIN }, 'Y030007'],
      [{ id_token_hint: 'illisible' }, 'Y04BBFF'],
      [{ id_token_hint: retouched, post_logout_redirect_uri: FIN }, 'Y041FDE'],
      [{ id_token_hint: foreign, post_logout_redirect_uri: FIN }, 'Y041FDE'],
      [{ id_token_hint: idToken, post_logout_redirect_uri: 'http://localhost:3000/ailleurs' }, 'Y04C29C'],
    ]
    for (const [parameters, code] of cases) {
      const page = await browser.get(end(parameters))
      expect([codeOf(page), page.location]).toEqual([code, null])
    }
    expect(titleOf(await browser.get(request()))).toBe('Informations transmises')
  })
})

describe('personas', () => {
  it.each(PERSONAS.map((persona) => [persona.key, persona] as const))('%s', async (key, persona) => {
    const page = await identify(key)
    if (persona.outcome === 'error_page') {
      expect([page.status, codeOf(page), page.location]).toEqual([403, persona.code, null])
      return
    }
    const { userinfo, claims } = await redeem(page)
    const { aud, exp, iat, iss, sub, ...identity } = userinfo
    expect({ aud, iss, sub }).toEqual({ aud: 'trait-dunion', iss: simulator.issuer, sub: claims.sub })
    expect([exp, iat].map(Number).every(Number.isInteger)).toBe(true)
    expect(identity).toEqual(persona.identity)
  })

  it('couvrent les cas que FranceConnect peut envoyer', () => {
    const some = (wanted: (identity: (typeof PERSONAS)[number]['identity']) => boolean) =>
      expect(PERSONAS.some(({ identity }) => wanted(identity))).toBe(true)
    some(({ preferred_username }) => Boolean(preferred_username))
    some(({ given_name_array }) => given_name_array.length >= 4)
    some(({ family_name }) => family_name.length > 50)
    some(({ family_name }) => family_name === 'DURANTéàèùòœæŒÆ')
    for (const start of ['2A', '2B', '98729']) some(({ birthplace }) => birthplace.startsWith(start))
    for (const country of ['99352', '99350', '99139'])
      some(({ birthcountry, birthplace }) => birthcountry === country && birthplace === '')
    some(({ birthdate, birthcountry }) => birthdate.endsWith('-01') && !birthdate.endsWith('-01-01') && birthcountry !== '99100')
    some(({ birthdate }) => birthdate.endsWith('-01-01'))
    some(({ birthdate }) => birthdate > '2009')
    some(({ gender }) => gender === 'unspecified')
    some(({ email }) => email === undefined)
  })

  it('ont des données bien formées, et des clés uniques', () => {
    expect(new Set(PERSONAS.map(({ key }) => key)).size).toBe(PERSONAS.length)
    for (const { key, identity } of PERSONAS) {
      expect(identity.birthplace, key).toMatch(/^(?:(?:2[AB]|\d{2})\d{3})?$/)
      expect(identity.birthplace === '', key).toBe(identity.birthcountry !== '99100')
      expect(identity.birthdate, key).toMatch(/^\d{4}-\d{2}-\d{2}$/)
      expect(identity.given_name_array.join(' '), key).toBe(identity.given_name)
    }
  })
})

describe('clés', () => {
  it('une rotation garde publiée l’ancienne clé, et signe avec la nouvelle', async () => {
    const jwks = async () =>
      ((await (await fetch(`${simulator.issuer}/jwks`)).json()) as { keys: { kid: string; d?: string }[] }).keys
    const browser = openBrowser()
    const before = await redeem(await identify('odette', browser))
    const back = await browser.post(await browser.get(request()), { geste: 'continuer' })
    await simulator.rotateKeys()
    const after = await redeem(back)

    const kids = (await jwks()).map(({ kid }) => kid)
    expect(kids).toEqual([decodeProtectedHeader(after.idToken).kid, decodeProtectedHeader(before.idToken).kid])
    expect((await jwks()).some((key) => 'd' in key)).toBe(false)
    await jwtVerify(before.idToken, createRemoteJWKSet(new URL(`${simulator.issuer}/jwks`)), { currentDate: new Date() })
    const page = await browser.get(`${simulator.issuer}/session/end?id_token_hint=${before.idToken}`)
    expect(titleOf(page)).toBe('La session est fermée')
  })

  it('persistent dans un fichier que personne d’autre ne lit, et signent le passé comme le présent', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'simulateur-'))
    const keysFile = join(folder, 'cles', 'franceconnect.json')
    const first = await startSimulator({ port: 0, clients: CLIENTS, keysFile })
    const at = new Date('2026-03-02T09:30:00.900Z')
    const { idToken, userinfo } = first.signFor({ persona: findPersona('marcel')!, clientId: 'trait-dunion', nonce: NONCE, at })
    await first.close()
    expect((await stat(keysFile)).mode & 0o777).toBe(0o600)
    for (const jwt of [idToken, userinfo]) expect(Object.keys(decodeProtectedHeader(jwt)).sort()).toEqual(['alg', 'kid'])

    const second = await startSimulator({ port: 0, clients: CLIENTS, keysFile })
    const jwks = createRemoteJWKSet(new URL(`${second.issuer}/jwks`))
    const id = await jwtVerify(idToken, jwks, { issuer: first.issuer, audience: 'trait-dunion', currentDate: at })
    expect(id.payload).toEqual({
      sub: subOf(findPersona('marcel')!, 'trait-dunion'),
      acr: 'eidas1',
      auth_time: 1772443800,
      nonce: NONCE,
      aud: 'trait-dunion',
      exp: 1772443860,
      iat: 1772443800,
      iss: first.issuer,
    })
    expect((await jwtVerify(userinfo, jwks, { currentDate: at })).payload).toMatchObject(findPersona('marcel')!.identity)
    await second.rotateKeys()
    expect(JSON.parse(await readFile(keysFile, 'utf8')).keys).toHaveLength(2)
    expect((await stat(keysFile)).mode & 0o777).toBe(0o600)
    await second.close()
    await rm(folder, { recursive: true })
  })
})

describe('pages', () => {
  it('sont valides, sans script ni style en ligne, sous le bandeau permanent', async () => {
    const validator = new HtmlValidate({ extends: ['html-validate:recommended'] })
    const browser = openBrowser()
    const choice = await browser.get(request())
    const wrong = await browser.post(choice, { persona: 'personne' })
    const error = await browser.post(choice, { persona: 'lucienne' })
    const informations = await browser.post(choice, { persona: 'sans-prenom' })
    const { idToken } = await redeem(await browser.post(informations, { geste: 'continuer' }))
    const closed = await browser.get(`${simulator.issuer}/session/end?id_token_hint=${idToken}`)
    const lost = await browser.get(`${simulator.issuer}/rien`)
    const outside = await browser.get(new URL('/', simulator.issuer).href)

    expect([choice, wrong, error, informations, closed, lost, outside].map(({ status }) => status)).toEqual([
      200, 422, 403, 200, 200, 404, 404,
    ])
    for (const page of [choice, wrong, error, informations, closed, lost, outside]) {
      const report = await validator.validateString(page.text)
      expect(report.results.flatMap(({ messages }) => messages.map(({ message, line }) => `${line}: ${message}`))).toEqual([])
      expect(page.text).toContain('SIMULATEUR — aucune donnée réelle')
      expect(page.text).not.toMatch(/<script|<style|style=|onclick/)
      expect(page.headers.get('content-security-policy')).toContain("default-src 'none'; style-src 'self'")
      expect(page.headers.get('content-security-policy')).toContain("form-action 'self' http://localhost:3000 ")
      expect(page.headers.get('cache-control')).toBe('no-store')
    }
    expect((await browser.get(`${simulator.issuer}/simulateur.css`)).headers.get('content-type')).toContain('text/css')
  })

  it('laissent choisir un compte fictif, rappelé à l’écran suivant', async () => {
    const browser = openBrowser()
    const choice = await browser.get(request())
    const other = await browser.get(`${choice.url}?compte=identite-fictive`)
    expect(other.text).toContain('name="fournisseur" value="identite-fictive"')
    const informations = await browser.post(other, { persona: 'odette', fournisseur: 'identite-fictive' })
    expect(informations.text).toContain('Compte utilisé : Identité numérique fictive.')
  })

  it('proposent chaque persona d’un seul bouton', async () => {
    const { text } = await openBrowser().get(request())
    for (const { key } of PERSONAS)
      expect(text).toContain(`<button type="submit" class="personne" name="persona" value="${key}">`)
  })

  it('listent ce qui part, et rien d’autre', async () => {
    const browser = openBrowser()
    const page = await browser.post(await browser.get(request({ scope: 'openid family_name' })), { persona: 'odette' })
    expect(page.text).toContain('Nom de naissance')
    expect(page.text).not.toContain('Date de naissance')
    expect(page.text).not.toContain('@example.org')
  })
})

describe('sûreté et bornes', () => {
  it('n’écoute que la machine elle-même', async () => {
    await expect(startSimulator({ port: 0, host: '0.0.0.0', clients: CLIENTS })).rejects.toThrow('loopback')
  })

  it('un port déjà pris est un refus, pas un silence', async () => {
    await expect(startSimulator({ port: simulator.port, clients: CLIENTS })).rejects.toThrow('EADDRINUSE')
  })

  it('n’oublie que le plus ancien quand la mémoire est pleine', async () => {
    const sessions = createStorage()('Session')
    for (let i = 0; i < 2500; i++) await sessions.upsert(`${i}`, { uid: `u${i}` }, 60)
    expect(await sessions.find('0')).toBeUndefined()
    expect(await sessions.find('499')).toBeUndefined()
    expect(await sessions.find('500')).toBeDefined()
    expect(await sessions.findByUid('u2499')).toBeDefined()
  })

  it('laisse un test prendre le dernier mot sur chaque réponse lue par le service', async () => {
    const seen: string[] = []
    intercept = (endpoint, ctx, keys) => {
      seen.push(endpoint)
      if (endpoint === 'userinfo') ctx.body = keys.sign({ ...decodeJwt(String(ctx.body)), sub: 'quelqu-un-d-autre' })
    }
    const back = await identify('odette')
    await expect(redeem(back)).rejects.toThrow()
    expect([...new Set(seen)].sort()).toEqual(['discovery', 'jwks', 'retour', 'token', 'userinfo'])
  })
})
