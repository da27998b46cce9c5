import { createHash, createHmac, generateKeyPairSync, type JsonWebKey, type KeyObject, randomBytes, sign } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'

/**
 * A small OIDC provider on loopback that behaves, until a test gives it a `twist`. It identifies one person without asking
 * anything: it is there for its answers, not for its pages (the simulator has those).
 */
export type HostileProvider = {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUri: string
  twist: Twist
  now: () => Date
  /** The first one signs; all are published. */
  keys: Key[]
  /** Endpoints called, in order. */
  readonly calls: string[]
  /** Bytes of answers handed to the network. */
  sentBytes: number
  issueCode(nonce: string): string
  spendCode(code: string): void
  /** Plays the browser: GETs the authorization URL, gives back where that sends it. */
  visit(authorizationUrl: URL): Promise<URL>
  close(): Promise<void>
}

type Json = Record<string, unknown>
export type Key = { privateKey: KeyObject; jwk: JsonWebKey & { kid: string } }
export type Draft = { header: Json; claims: Json; sign: (header: Json, claims: Json) => string }
export type Reply = {
  status: number
  headers: Record<string, string>
  body: string | Iterable<string> | AsyncIterable<string>
  delayMs?: number
}

/** Each member, when there, spoils one thing on its way out. */
export type Twist = {
  clockSeconds?: number
  discovery?(reply: Reply): void
  jwks?(reply: Reply): void
  callback?(parameters: URLSearchParams, provider: HostileProvider): void
  idToken?(token: Draft, provider: HostileProvider): void
  token?(reply: Reply): void
  userinfo?(token: Draft, provider: HostileProvider, idToken: string): void
  userinfoReply?(reply: Reply): void
}

/** An identity as FranceConnect gives it for the scopes we ask. */
export const IDENTITY = {
  given_name: 'Angela Claire Louise',
  given_name_array: ['Angela', 'Claire', 'Louise'],
  family_name: 'DUBOIS',
  preferred_username: '',
  birthdate: '1962-08-24',
  birthplace: '75107',
  birthcountry: '99100',
  email: 'angela@exemple.invalid',
}
export const SUB = `${createHash('sha256').update('angela').digest('hex')}v1`

export function newKey(alg: 'ES256' | 'RS256' = 'ES256'): Key {
  const { publicKey, privateKey } =
    alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid: randomBytes(8).toString('hex'), use: 'sig', alg } }
}

const part = (value: Json) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Signs any header, even one that a decent library would not. */
export const signedBy = (key: Key) => (header: Json, claims: Json) => {
  const input = `${part(header)}.${part(claims)}`
  const signature = sign('sha256', Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}
export const hs256 = (secret: string) => (header: Json, claims: Json) => {
  const input = `${part(header)}.${part(claims)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}
export const unsigned = (header: Json, claims: Json) => `${part(header)}.${part(claims)}.`

export async function startHostileProvider(
  redirectUri = 'http://localhost:3000/connexion/franceconnect/retour',
): Promise<HostileProvider> {
  const codes = new Map<string, { nonce: string; challenge?: string }>()
  const sessions = new Map<string, string>() // access token → id_token
  const seconds = () => Math.floor(provider.now().getTime() / 1000) + (provider.twist.clockSeconds ?? 0)

  const draft = (claims: Json): Draft => ({
    header: { alg: 'ES256', kid: provider.keys[0]!.jwk.kid },
    claims: { ...claims, aud: provider.clientId, exp: seconds() + 60, iat: seconds(), iss: provider.issuer, sub: SUB },
    sign: signedBy(provider.keys[0]!),
  })

  const routes: Record<string, (asked: URLSearchParams, bearer: string) => Reply> = {
    'GET /.well-known/openid-configuration': () => {
      const reply = json(200, {
        issuer: provider.issuer,
        authorization_endpoint: `${provider.issuer}/authorize`,
        token_endpoint: `${provider.issuer}/token`,
        userinfo_endpoint: `${provider.issuer}/userinfo`,
        jwks_uri: `${provider.issuer}/jwks`,
        end_session_endpoint: `${provider.issuer}/session/end`,
        // Baits: a client that trusts these loosens its own checks.
        id_token_signing_alg_values_supported: ['none', 'HS256', 'RS256', 'ES256'],
        userinfo_signing_alg_values_supported: ['none', 'HS256', 'ES256'],
        code_challenge_methods_supported: ['S256'],
        authorization_response_iss_parameter_supported: false,
      })
      provider.twist.discovery?.(reply)
      return reply
    },
    'GET /jwks': () => {
      const reply = json(200, { keys: provider.keys.map((key) => key.jwk) })
      provider.twist.jwks?.(reply)
      return reply
    },
    'GET /authorize': (asked) => {
      const target = new URL(asked.get('redirect_uri')!)
      const code = provider.issueCode(asked.get('nonce')!)
      if (asked.has('code_challenge')) codes.get(code)!.challenge = asked.get('code_challenge')!
      target.search = new URLSearchParams({ code, state: asked.get('state')!, iss: provider.issuer }).toString()
      provider.twist.callback?.(target.searchParams, provider)
      return { status: 303, headers: { location: target.href }, body: '' }
    },
    'POST /token': (form) => {
      const code = codes.get(form.get('code') ?? '')
      provider.spendCode(form.get('code') ?? '')
      if (form.get('client_id') !== provider.clientId || form.get('client_secret') !== provider.clientSecret)
        return json(401, { error: 'invalid_client' })
      const verifier = createHash('sha256').update(form.get('code_verifier') ?? '')
      const proven = !code?.challenge || code.challenge === verifier.digest('base64url')
      if (!code || !proven || form.get('redirect_uri') !== provider.redirectUri)
        return json(400, { error: 'invalid_grant', error_description: 'DUBOIS' })
      const token = draft({ acr: 'eidas1', auth_time: seconds(), nonce: code.nonce })
      provider.twist.idToken?.(token, provider)
      const idToken = token.sign(token.header, token.claims)
      const accessToken = randomBytes(32).toString('base64url')
      sessions.set(accessToken, idToken)
      const reply = json(200, {
        access_token: accessToken,
        expires_in: 60,
        id_token: idToken,
        scope: 'openid given_name family_name preferred_username birthdate birthplace birthcountry email',
        token_type: 'Bearer',
      })
      provider.twist.token?.(reply)
      return reply
    },
    'GET /userinfo': (_, bearer) => {
      const idToken = sessions.get(bearer)
      if (!idToken) return json(401, { error: 'invalid_token' })
      const token = draft(IDENTITY)
      provider.twist.userinfo?.(token, provider, idToken)
      const body = token.sign(token.header, token.claims)
      const reply: Reply = { status: 200, headers: { 'content-type': 'application/jwt' }, body }
      provider.twist.userinfoReply?.(reply)
      return reply
    },
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', provider.issuer)
    const path = url.pathname.replace('/api/v2', '')
    provider.calls.push(path)
    const asked = request.method === 'POST' ? new URLSearchParams(await textOf(request)) : url.searchParams
    const bearer = request.headers.authorization?.replace(/^Bearer /, '') ?? ''
    const reply = routes[`${request.method} ${path}`]?.(asked, bearer) ?? json(404, {})
    await wait(reply.delayMs ?? 0, undefined, { ref: false })
    if (response.destroyed) return
    response.writeHead(reply.status, reply.headers)
    const body = Readable.from(typeof reply.body === 'string' ? [reply.body] : reply.body)
    body.on('data', (chunk: string) => {
      provider.sentBytes += chunk.length
    })
    response.on('close', () => body.destroy())
    body.pipe(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  const provider: HostileProvider = {
    issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v2`,
    clientId: randomBytes(16).toString('hex'),
    clientSecret: randomBytes(32).toString('hex'),
    redirectUri,
    twist: {},
    now: () => new Date(),
    keys: [newKey()],
    calls: [],
    sentBytes: 0,
    issueCode(nonce) {
      const code = randomBytes(32).toString('base64url')
      codes.set(code, { nonce })
      return code
    },
    spendCode(code) {
      codes.delete(code)
    },
    async visit(authorizationUrl) {
      const answer = await fetch(authorizationUrl, { redirect: 'manual' })
      return new URL(answer.headers.get('location')!)
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return provider
}

const json = (status: number, body: unknown): Reply => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8' },
  body: JSON.stringify(body),
})

async function textOf(request: IncomingMessage) {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}
