import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type AdapterFactory, type Context, type Interaction, Provider } from 'oidc-provider/lib/provider.js'
import type { Client } from './authorize.ts'
import { type Flavour, FRANCECONNECT } from './flavour.ts'
import { type Keys, openKeys } from './keys.ts'
import { ASSETS, type ErrorCode, errorPage, loggedOutPage, notFoundPage } from './pages.ts'
import { createStorage } from './storage.ts'
import { ICON, STYLE } from './style.ts'
import { type Signed, type Signing, signFor, TTL } from './tokens.ts'

type Endpoint = 'discovery' | 'jwks' | 'token' | 'userinfo' | 'retour'

/**
 * The last word on every answer a client reads: discovery, key set, token, userinfo, and the redirect back to it (`retour`).
 * Tests change the answer here (status, headers, body) to make the provider hostile; `keys` signs as the simulator does.
 */
export type Intercept = (endpoint: Endpoint, ctx: Context, keys: Keys) => void | Promise<void>

type Options = {
  /** 0: any free port. */
  port: number
  host?: string
  clients: readonly Client[]
  /** Keys last as long as the process without it. */
  keysFile?: string
  intercept?: Intercept
  /** FranceConnect without it. */
  flavour?: Flavour
}

export type Simulator = {
  issuer: string
  port: number
  keys: Keys
  close(): Promise<void>
  /** A new signing key; the old one stays published until the next rotation. */
  rotateKeys(): Promise<void>
  /** The id_token and the userinfo that `persona` would have brought back at `at`. */
  signFor(signing: Signing): Signed
}

const LOOPBACK = ['127.0.0.1', '::1', 'localhost']
const PREFIX = '/api/v2'

/**
 * FranceConnect v2, or the provider of another flavour, as a service sees it, with invented people. Loopback only: whoever reaches it can be anyone.
 * Rejects when the port is taken or the key file unreadable.
 */
export async function startSimulator(options: Options): Promise<Simulator> {
  const { port, host = '127.0.0.1', clients, keysFile, intercept, flavour = FRANCECONNECT } = options
  if (!LOOPBACK.includes(host)) throw new Error(`the FranceConnect simulator listens on loopback only, not on ${host}`)
  const keys = await openKeys(keysFile)

  const server = createServer()
  server.listen(port, host)
  await once(server, 'listening')
  const listening = (server.address() as AddressInfo).port
  const origin = `http://${host.includes(':') ? `[${host}]` : host}:${listening}`
  const issuer = `${origin}${PREFIX}`

  const cookieKey = randomBytes(32).toString('base64url')
  const shared = { issuer, clients, keys, storage: createStorage(), cookieKey, intercept, flavour }
  let answer = createProvider(shared).callback()

  server.on('request', (req: IncomingMessage & { originalUrl?: string }, res) => {
    // oidc-provider is mounted below the issuer's path: it sees the rest, and finds the whole in originalUrl.
    const { url = '/' } = req
    if (url.startsWith(`${PREFIX}/`)) {
      req.originalUrl = url
      req.url = url.slice(PREFIX.length)
      answer(req, res)
    } else {
      res.writeHead(404, pageHeaders(clients)).end(notFoundPage(PREFIX))
    }
  })

  return {
    issuer,
    port: listening,
    keys,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
    async rotateKeys() {
      await keys.rotate()
      answer = createProvider(shared).callback()
    },
    signFor: (signing) => signFor(keys, issuer, signing),
  }
}

type Shared = {
  issuer: string
  clients: readonly Client[]
  keys: Keys
  storage: AdapterFactory
  cookieKey: string
  intercept: Intercept | undefined
  flavour: Flavour
}

/** oidc-provider reads its keys once: a rotation makes a new one, which shares everything else with the old. */
function createProvider({ issuer, clients, keys, storage, cookieKey, intercept, flavour }: Shared): Provider {
  const provider = new Provider(issuer, {
    adapter: storage,
    jwks: { keys: keys.jwks() },
    clients: clients.map(metadataOf),
    routes: { authorization: '/authorize', userinfo: '/userinfo', revocation: '/token/revocation' },
    responseTypes: ['code'],
    scopes: Object.keys(flavour.scopes),
    claims: { ...flavour.scopes, acr: null, amr: null, auth_time: null, iss: null },
    acrValues: flavour.acrValues,
    extraParams: ['idp_hint'],
    subjectTypes: ['pairwise'],
    sectorIdentifierUriValidate: () => false,
    pairwiseIdentifier: (_ctx: Context, key: string, client: { clientId: string }) => flavour.subOf(key, client.clientId),
    clientAuthMethods: ['client_secret_post', 'private_key_jwt'],
    enabledJWA: {
      idTokenSigningAlgValues: ['ES256'],
      userinfoSigningAlgValues: ['ES256'],
      clientAuthSigningAlgValues: ['ES256', 'RS256'],
    },
    findAccount(_ctx: Context, key: string) {
      const identity = flavour.identity(key)
      return identity && { accountId: key, claims: () => ({ sub: key, ...identity }) }
    },
    // Consent is asked at every connection: a grant serves one connection only.
    loadExistingGrant: (ctx: {
      oidc: { result?: { consent?: { grantId: string } }; provider: { Grant: { find(id: string): unknown } } }
    }) => ctx.oidc.result?.consent && ctx.oidc.provider.Grant.find(ctx.oidc.result.consent.grantId),
    interactions: { url: (_ctx: Context, { uid }: { uid: string }) => `${PREFIX}/interaction/${uid}` },
    cookies: {
      keys: [cookieKey],
      names: {
        session: `${flavour.cookie}_session`,
        interaction: `${flavour.cookie}_interaction`,
        resume: `${flavour.cookie}_reprise`,
      },
    },
    ttl: {
      AuthorizationCode: TTL.code,
      AccessToken: TTL.accessToken,
      IdToken: TTL.idToken,
      Grant: TTL.grant,
      Interaction: TTL.interaction,
      Session: flavour.session,
    },
    clientBasedCORS: () => false,
    renderError(ctx: Context, _out: unknown, error: Error) {
      sendError(ctx, error.name === 'SessionNotFound' ? 'Y190001' : 'Y030029')
    },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: { enabled: false },
      claimsParameter: { enabled: true },
      jwtUserinfo: { enabled: true },
      rpInitiatedLogout: { enabled: true },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx: Context, client: { clientId: string }, token: { clientId: string }) =>
          token.clientId === client.clientId,
      },
    },
  })
  provider.on('server_error', (_ctx, error) => console.error(error))

  const headers = pageHeaders(clients)
  const send = (ctx: Context, status: number, body: string) => {
    ctx.status = status
    for (const [name, value] of Object.entries(headers)) ctx.set(name, value)
    ctx.body = body
  }
  const sendError = (ctx: Context, code: ErrorCode) => {
    const { status, body } = errorPage(PREFIX, code)
    send(ctx, status, body)
  }
  const serviceOf = (clientId: string) => {
    const client = clients.find((candidate) => candidate.clientId === clientId)
    return client?.name ?? clientId
  }

  function authorize(ctx: Context, next: () => Promise<void>) {
    const query = new URLSearchParams(ctx.querystring)
    const refusal = flavour.refusalOf(query, clients)
    if (refusal?.kind === 'page') return sendError(ctx, refusal.code)
    if (refusal)
      return redirect(ctx, query.get('redirect_uri')!, { error: refusal.error, state: query.get('state')!, iss: issuer })
    return next()
  }

  /** The two screens. Both post to their own address: a persona or a gesture. */
  async function interact(ctx: Context) {
    const interaction = await provider.interactionDetails(ctx.req, ctx.res).catch((error: Error) => {
      if (error.name !== 'SessionNotFound') throw error
    })
    if (!interaction) return sendError(ctx, 'Y190001')
    const form = ctx.method === 'POST' ? new URLSearchParams(await readForm(ctx.req)) : undefined
    const finish = async (result: object) => redirect(ctx, await provider.interactionResult(ctx.req, ctx.res, result), {})

    if (form?.get('geste') === 'revenir')
      return finish({ error: 'access_denied', error_description: 'user authentication aborted' })
    if (form?.get('geste') === 'panne') return finish({ error: 'server_error', error_description: 'authentication aborted' })
    return interaction.prompt.name === 'login'
      ? chooseAccount(ctx, interaction, form, finish)
      : inform(ctx, interaction, form, finish)
  }

  type Finish = (result: object) => Promise<void>

  async function chooseAccount(
    ctx: Context,
    { params, session }: Interaction,
    form: URLSearchParams | undefined,
    finish: Finish,
  ) {
    const accountId = form?.get('persona') ?? ''
    const account = flavour.login(accountId)
    if (account && 'code' in account) return sendError(ctx, account.code)
    if (account) {
      const { acr, amr } = account
      const login = { accountId, acr, ...(amr && { amr }), ts: Math.floor(Date.now() / 1000), remember: false }
      await finish({ login, fournisseur: form?.get('fournisseur') })
      if (session && session.accountId !== accountId) await forgetPerson(ctx)
      return
    }
    const compte = new URLSearchParams(ctx.querystring).get('compte') ?? params.idp_hint
    const service = serviceOf(params.client_id)
    const body = flavour.choicePage({ base: PREFIX, service, compte, oubli: form !== undefined })
    send(ctx, form ? 422 : 200, body)
  }

  /** Someone else took her place (prompt=login): oidc-provider would close her session with a page that needs JavaScript. */
  async function forgetPerson(ctx: Context) {
    const session = await provider.Session.get(ctx)
    session.accountId = undefined
    session.authorizations = undefined
    await session.persist()
  }

  async function inform(ctx: Context, interaction: Interaction, form: URLSearchParams | undefined, finish: Finish) {
    const { params, prompt, session } = interaction
    const key = session?.accountId ?? ''
    if (!flavour.identity(key)) return sendError(ctx, 'Y190001')
    if (form?.get('geste') === 'continuer' || !flavour.informationsPage) {
      const grant = new provider.Grant({ accountId: key, clientId: params.client_id })
      grant.addOIDCScope(params.scope)
      grant.addOIDCClaims(prompt.details.missingOIDCClaims ?? [])
      return finish({ consent: { grantId: await grant.save() } })
    }
    send(ctx, 200, flavour.informationsPage({ base: PREFIX, service: serviceOf(params.client_id), key, interaction }))
  }

  /** One redirect, no click, and an expired hint does: a service logs out long after the 60 s of its id_token. */
  async function endSession(ctx: Context) {
    const query = new URLSearchParams(ctx.querystring)
    const hint = query.get('id_token_hint')
    if (!hint) return sendError(ctx, 'Y030007')
    const audience = audienceOf(hint)
    if (audience === undefined) return sendError(ctx, 'Y04BBFF')
    const client = clients.find(({ clientId }) => clientId === audience)
    if (!client) return sendError(ctx, 'Y041FDE')
    try {
      // Checks signature, issuer and audience; expiry is not looked at.
      await provider.IdToken.validate(hint, (await provider.Client.find(client.clientId))!)
    } catch {
      return sendError(ctx, 'Y041FDE')
    }
    if ((query.get('state') ?? '').length < flavour.leastLogoutState) return sendError(ctx, 'Y000400')
    const uri = query.get('post_logout_redirect_uri')
    if (uri !== null && !client.postLogoutRedirectUris.includes(uri)) return sendError(ctx, 'Y04C29C')

    const session = await provider.Session.get(ctx)
    await session.destroy()
    ctx.cookies.set(provider.cookieName('session'), null)
    if (uri === null) return send(ctx, 200, loggedOutPage(PREFIX))
    const state = query.get('state')
    redirect(ctx, uri, state === null ? {} : { state })
  }

  const asset = (type: string, body: string) => (ctx: Context) => {
    ctx.type = type
    ctx.body = body
  }
  const pass = (_ctx: Context, next: () => Promise<void>) => next()

  type Route = [
    methods: string,
    path: string | RegExp,
    handle: (ctx: Context, next: () => Promise<void>) => unknown,
    endpoint?: Endpoint,
  ]
  // Only these exact paths exist: oidc-provider itself also answers to /Authorize and /authorize/, past the whitelist.
  const routes: readonly Route[] = [
    ['GET', '/.well-known/openid-configuration', pass, 'discovery'],
    ['GET', '/jwks', pass, 'jwks'],
    ['GET', '/authorize', authorize],
    ['GET', /^\/authorize\/[\w-]+$/, pass],
    ['POST', '/token', pass, 'token'],
    ['GET POST', '/userinfo', pass, 'userinfo'],
    ['POST', '/token/revocation', pass],
    ['GET', '/session/end', endSession],
    ['GET POST', /^\/interaction\/[\w-]+$/, interact],
    ['GET', ASSETS.style, asset('text/css; charset=utf-8', STYLE)],
    ['GET', ASSETS.icon, asset('image/svg+xml', ICON)],
  ]
  const returns = clients.flatMap(({ redirectUris }) => [...redirectUris])

  provider.use(async (ctx, next) => {
    const route = routes.find(([methods, path]) => methods.split(' ').includes(ctx.method) && isAt(path, ctx.path))
    if (!route) return send(ctx, 404, notFoundPage(PREFIX))
    const [, , handle, endpoint] = route
    await handle(ctx, next)
    if (endpoint) await intercept?.(endpoint, ctx, keys)
    else if (returns.some((uri) => ctx.response.get('location')?.startsWith(uri))) await intercept?.('retour', ctx, keys)
  })
  return provider
}

const isAt = (expected: string | RegExp, path: string) => (typeof expected === 'string' ? expected === path : expected.test(path))

const metadataOf = ({ clientId, clientSecret, redirectUris, postLogoutRedirectUris, jwks }: Client) => ({
  client_id: clientId,
  ...(jwks ? { jwks } : { client_secret: clientSecret }),
  token_endpoint_auth_method: jwks ? 'private_key_jwt' : 'client_secret_post',
  redirect_uris: redirectUris,
  post_logout_redirect_uris: postLogoutRedirectUris,
  response_types: ['code'],
  grant_types: ['authorization_code'],
  id_token_signed_response_alg: 'ES256',
  userinfo_signed_response_alg: 'ES256',
  require_auth_time: true,
  subject_type: 'pairwise',
  // Asked for when the redirect URIs have several hosts; never fetched.
  sector_identifier_uri: 'https://secteur.invalid/',
})

/** A form that starts here ends on a client's page: browsers hold form-action against every redirect on the way. */
function pageHeaders(clients: readonly Client[]): Record<string, string> {
  const origins = clients.flatMap(({ redirectUris }) => redirectUris.map((uri) => new URL(uri).origin))
  return {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': [
      "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'",
      ["form-action 'self'", ...new Set(origins)].join(' '),
    ].join('; '),
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
  }
}

function redirect(ctx: Context, to: string, parameters: Record<string, string>) {
  const url = new URL(to)
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  ctx.redirect(url.href)
  ctx.status = 303
  ctx.body = ''
}

/** The client a hint was made for, before anything of it is believed. */
function audienceOf(jwt: string): unknown {
  try {
    return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()).aud
  } catch {
    return undefined
  }
}

async function readForm(req: IncomingMessage): Promise<string> {
  let form = ''
  for await (const chunk of req) {
    form += chunk
    if (form.length > 10_000) return ''
  }
  return form
}
