import type { ErrorCode } from './pages.ts'

export type Client = {
  clientId: string
  clientSecret: string
  redirectUris: readonly string[]
  postLogoutRedirectUris: readonly string[]
  /** Shown to the person; the client id when absent. */
  name?: string
  /** Public keys of a client that signs its token requests (private_key_jwt) instead of sending its secret. */
  jwks?: { keys: readonly object[] }
}

/** What each scope releases. FranceConnect knows more of them; these are the ones our personas can answer. */
export const SCOPES = {
  openid: ['sub'],
  given_name: ['given_name', 'given_name_array'],
  family_name: ['family_name'],
  preferred_username: ['preferred_username'],
  gender: ['gender'],
  birthdate: ['birthdate'],
  birthplace: ['birthplace'],
  birthcountry: ['birthcountry'],
  email: ['email'],
  profile: ['given_name', 'given_name_array', 'family_name', 'preferred_username', 'gender', 'birthdate'],
  birth: ['birthplace', 'birthcountry'],
  identite_pivot: ['given_name', 'given_name_array', 'family_name', 'gender', 'birthdate', 'birthplace', 'birthcountry'],
} as const

export const claimsOf = (scope: string): ReadonlySet<string> =>
  new Set(Object.entries(SCOPES).flatMap(([name, claims]) => (scope.split(' ').includes(name) ? [...claims] : [])))

/** Invented accounts; the choice changes nothing to who the person is, as in reality. */
export const FOURNISSEURS = [
  { key: 'impots-fictifs', label: 'Impôts fictifs' },
  { key: 'sante-fictive', label: 'Assurance maladie fictive' },
  { key: 'identite-fictive', label: 'Identité numérique fictive' },
] as const

export const ACR = 'eidas1'

const REQUIRED = ['client_id', 'response_type', 'redirect_uri', 'scope', 'acr_values', 'state', 'nonce']
const OPTIONAL = ['prompt', 'claims', 'idp_hint', 'ui_locales']

/** `page`: the person stays here and the client never hears of it. `redirect`: the client is told. */
export type Refusal = { kind: 'page'; code: ErrorCode } | { kind: 'redirect'; error: 'invalid_scope' | 'invalid_acr' }

/** FranceConnect's whitelist on /authorize, as in its published source; `undefined` when the request is accepted. */
export function refusalOf(query: URLSearchParams, clients: readonly Client[]): Refusal | undefined {
  const page = (code: ErrorCode): Refusal => ({ kind: 'page', code })
  const value = (name: string) => query.get(name) ?? ''

  const names = [...query.keys()]
  if (names.some((name) => !REQUIRED.includes(name) && !OPTIONAL.includes(name))) return page('Y030007')
  if (new Set(names).size !== names.length) return page('Y030007')
  if (REQUIRED.some((name) => !value(name))) return page('Y030007')
  if (value('nonce').length < 22) return page('Y030007')
  if (!URL.canParse(value('redirect_uri'))) return page('Y030007')
  if (query.has('prompt') && !value('prompt').split(' ').every(isPrompt)) return page('Y030007')

  const claims = query.has('claims') ? parseClaims(value('claims')) : {}
  if (!claims) return page('Y030028')
  if (claims.id_token && 'amr' in claims.id_token) return page('Y030009')
  if (query.has('idp_hint') && !FOURNISSEURS.some(({ key }) => key === value('idp_hint'))) return page('Y030016')

  const client = clients.find(({ clientId }) => clientId === value('client_id'))
  if (!client) return page('Y04A586')
  if (!client.redirectUris.includes(value('redirect_uri'))) return page('Y046350')
  if (value('response_type') !== 'code') return page('Y045B2E')

  const scopes = value('scope').split(' ')
  if (!scopes.includes('openid')) return page('Y04133E')
  if (!scopes.every((scope) => Object.hasOwn(SCOPES, scope))) return { kind: 'redirect', error: 'invalid_scope' }
  if (!value('acr_values').split(' ').includes(ACR)) return { kind: 'redirect', error: 'invalid_acr' }
  return undefined
}

const isPrompt = (prompt: string) => prompt === 'login' || prompt === 'consent'

type Claims = { id_token?: object; userinfo?: object }

function parseClaims(text: string): Claims | undefined {
  try {
    const claims: unknown = JSON.parse(text)
    if (!isObject(claims) || !(claims.id_token || claims.userinfo)) return undefined
    return [claims.id_token ?? {}, claims.userinfo ?? {}].every(isObject) ? claims : undefined
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is Record<string, unknown> & Claims =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
