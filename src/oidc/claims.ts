import type { Fault, Profile } from './oidc.ts'

type Claims = { [name: string]: unknown }

/** Tolerated between the provider's clock and ours, each way, and the age an answer may have. */
const CLOCK_SECONDS = 30
const LOGIN_SECONDS = 300

/**
 * Checks the parameters the browser brings back, before any outbound call. `iss` is required whatever the discovery says:
 * it is what tells two providers apart (RFC 9207).
 */
export function faultOfCallback(parameters: URLSearchParams, expected: { state: string; issuer: string }): Fault | undefined {
  const incorrect = (word: string): Fault => ({ refusal: 'reponse_incorrecte', cause: `callback:${word}` })
  for (const name of ['state', 'iss', 'code', 'error'])
    if (parameters.getAll(name).length > 1) return incorrect(`${name}_doubled`)
  if (parameters.get('state') !== expected.state) return incorrect('state')
  if (parameters.get('iss') !== expected.issuer) return incorrect('iss')
  if (parameters.has('code') === parameters.has('error')) return incorrect('code_or_error')
  switch (parameters.get('error')) {
    case null:
      return undefined
    case 'access_denied':
      return { refusal: 'annule', cause: 'callback:access_denied' }
    case 'invalid_acr':
      return { refusal: 'acr_insuffisant', cause: 'callback:invalid_acr' }
    case 'server_error':
    case 'temporarily_unavailable':
      return { refusal: 'indisponible', cause: 'callback:server_error' }
    default:
      return incorrect('error')
  }
}

/** Checks what the library leaves: a sufficient `acr`, the second factor in `amr`, a recent `auth_time`, and the dates. */
export function faultOfIdToken(
  claims: Claims,
  expected: { clientId: string } & Pick<Profile, 'acceptedAcr' | 'secondFactors'>,
  now: Date,
): Fault | undefined {
  const wrong = wrongAddress(claims, expected.clientId) ?? wrongDate(claims, now)
  if (wrong) return { refusal: 'reponse_incorrecte', cause: `id_token:${wrong}` }
  if (typeof claims.acr !== 'string' || !expected.acceptedAcr.includes(claims.acr))
    return { refusal: 'acr_insuffisant', cause: 'id_token:acr' }
  if (expected.secondFactors && !saysSecondFactor(claims.amr, expected.secondFactors))
    return { refusal: 'second_facteur_absent', cause: 'id_token:amr' }
  const age = typeof claims.auth_time === 'number' ? now.getTime() / 1000 - claims.auth_time : Number.POSITIVE_INFINITY
  if (age > LOGIN_SECONDS) return { refusal: 'identification_ancienne', cause: 'id_token:auth_time' }
  if (age < -CLOCK_SECONDS) return { refusal: 'reponse_incorrecte', cause: 'id_token:auth_time_to_come' }
  return undefined
}

const saysSecondFactor = (amr: unknown, accepted: readonly string[]) =>
  Array.isArray(amr) && amr.includes('mfa') && accepted.some((factor) => amr.includes(factor))

/** The library compares `aud` and `iss` only when they are there, and asks for no date. */
export function faultOfUserinfo(claims: Claims, expected: { clientId: string; issuer: string }, now: Date): Fault | undefined {
  // Same keys, same sub, same aud: only these tell an id_token presented again from an answer of userinfo.
  const replayed = 'nonce' in claims || 'auth_time' in claims ? 'id_token_replayed' : undefined
  const issuer = claims.iss === expected.issuer ? undefined : 'iss'
  const wrong = replayed ?? issuer ?? wrongAddress(claims, expected.clientId) ?? wrongDate(claims, now)
  return wrong ? { refusal: 'reponse_incorrecte', cause: `userinfo:${wrong}` } : undefined
}

/** Stricter than the library, which takes a second audience with an azp, and any string as sub (PostgreSQL refuses NUL). */
function wrongAddress({ aud, sub }: Claims, clientId: string): string | undefined {
  const audience = Array.isArray(aud) ? aud : [aud]
  if (audience.length !== 1 || audience[0] !== clientId) return 'aud'
  if (typeof sub !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(sub)) return 'sub'
  return undefined
}

/** The library would compare with the machine's clock: its own limits are opened wide (exchange.ts) and set here. */
function wrongDate({ iat, exp, nbf }: Claims, now: Date): string | undefined {
  const seconds = now.getTime() / 1000
  if (typeof iat !== 'number' || Math.abs(seconds - iat) > CLOCK_SECONDS) return 'iat'
  if (typeof exp !== 'number' || exp + CLOCK_SECONDS <= seconds) return 'exp'
  if (typeof nbf === 'number' && nbf - CLOCK_SECONDS > seconds) return 'nbf'
  return undefined
}
