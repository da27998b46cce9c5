import { decodeProtectedHeader } from 'jose'
import * as client from 'openid-client'
import { type Answer, call, failure, faultIn, GET_JSON, isDown } from './call.ts'
import { faultOfIdToken, faultOfUserinfo } from './claims.ts'
import type { KeyCache } from './keys.ts'
import type { Expected, Fault, Identified, Metadata, ProviderSettings } from './oidc.ts'

const KEYS = { name: 'jwks', statuses: [200], types: ['application/json', 'application/jwk-set+json'] }
const TOKEN = { name: 'token', statuses: [200, 400], types: ['application/json'] }
const USERINFO = { name: 'userinfo', statuses: [200], types: ['application/jwt'] }

/**
 * Turns an accepted callback into verified evidence. Each endpoint is called once: when a signature needs a key we do not
 * have, the key set is fetched once more and the SAME answers are verified again, for the code is spent by then.
 */
export async function exchange(
  round: { settings: ProviderSettings; metadata: Metadata; keys: KeyCache; deadline: AbortSignal; now: Date },
  callback: URL,
  expected: Expected,
): Promise<Identified | { ok: false; fault: Fault; idToken: string; down: boolean }> {
  const { settings, metadata, keys, deadline, now } = round
  const { profile, clientId } = settings
  const answers = new Map<string, Answer>()
  const fetchKeys = async () => (await call(metadata.jwks_uri, GET_JSON, KEYS, deadline)).text
  const fetchOnce: client.CustomFetch = async (url, { method, headers, body }) => {
    if (url === metadata.jwks_uri) return respond({ status: 200, type: 'application/json', text: jwks })
    const sent = { method, headers, body: body instanceof URLSearchParams ? body : null }
    const answer = answers.get(url) ?? (await call(url, sent, url === metadata.token_endpoint ? TOKEN : USERINFO, deadline))
    answers.set(url, answer)
    return respond(answer)
  }
  let jwks = await keys.current(fetchKeys, now)
  let renewed = false

  const verify = async <T>(step: (configuration: client.Configuration) => Promise<T>): Promise<T> => {
    try {
      return await step(configure(settings, metadata, fetchOnce))
    } catch (error) {
      if (renewed || !(error instanceof client.ClientError) || error.code !== 'OAUTH_KEY_SELECTION_FAILED') throw explained(error)
    }
    renewed = true
    jwks = await keys.renewed(jwks, fetchKeys, now)
    return verify(step)
  }

  // The address we gave, not the one a proxy lets us see: both requests must carry the same.
  const current = new URL(expected.redirectUri)
  current.search = callback.search
  const tokens = await verify((configuration) =>
    client.authorizationCodeGrant(configuration, current, {
      expectedState: expected.state,
      expectedNonce: expected.nonce,
      ...(profile.pkce && { pkceCodeVerifier: expected.codeVerifier! }),
    }),
  )
  const idToken = tokens.id_token!
  const claims = tokens.claims()!
  const idTokenJwks = jwks
  const refuse = (fault: Fault, down = false) => ({ ok: false as const, fault, idToken, down })
  const idTokenFault = faultOfForm('id_token', idToken) ?? faultOfIdToken(claims, { clientId, ...profile }, now)
  if (idTokenFault) return refuse(idTokenFault)

  let userinfo: client.UserInfoResponse
  try {
    userinfo = await verify((configuration) => client.fetchUserInfo(configuration, tokens.access_token, claims.sub))
  } catch (error) {
    const fault = faultIn(error)
    if (!fault) throw error
    return refuse(fault, isDown(error))
  }
  const userinfoJwt = answers.get(metadata.userinfo_endpoint)!.text
  const userinfoFault =
    faultOfForm('userinfo', userinfoJwt) ?? faultOfUserinfo(userinfo, { clientId, issuer: metadata.issuer }, now)
  if (userinfoFault) return refuse(userinfoFault)

  return {
    ok: true,
    idToken,
    claims: {
      sub: claims.sub,
      acr: claims.acr as string,
      authTime: new Date(claims.auth_time! * 1000),
      iat: new Date(claims.iat * 1000),
      iss: claims.iss,
    },
    userinfo,
    userinfoJwt,
    jwks: idTokenJwks,
  }
}

const respond = ({ status, type, text }: Answer) => new Response(text, { status, headers: { 'content-type': type } })

/** One for each verification: the library keeps a key set for the life of a configuration, and we choose the set ourselves. */
function configure(settings: ProviderSettings, metadata: Metadata, fetchOnce: client.CustomFetch): client.Configuration {
  const configuration = new client.Configuration(
    metadata,
    settings.clientId,
    {
      id_token_signed_response_alg: 'ES256',
      userinfo_signed_response_alg: 'ES256',
      // The library reads the machine's clock; ours is the database's. claims.ts checks exp, nbf, iat and auth_time.
      [client.clockTolerance]: Number.MAX_SAFE_INTEGER,
    },
    client.ClientSecretPost(settings.clientSecret),
  )
  client.enableNonRepudiationChecks(configuration) // without it no signature is checked at all
  if (settings.allowInsecure) client.allowInsecureRequests(configuration)
  configuration[client.customFetch] = fetchOnce
  return configuration
}

/** The evidence is read again for years, by a stricter reader than the library: one spelling, and a key with a name. */
function faultOfForm(name: string, jwt: string): Fault | undefined {
  const canonical = jwt.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)
  if (canonical && typeof decodeProtectedHeader(jwt).kid === 'string') return undefined
  return { refusal: 'reponse_incorrecte', cause: `${name}:form` }
}

/** Gives the library's errors about an answer their fault. Any other error is a defect of ours and stays as it is. */
function explained(error: unknown): unknown {
  if (faultIn(error)) return error
  if (error instanceof client.ResponseBodyError)
    return error.error === 'invalid_grant'
      ? failure({ refusal: 'retour_expire', cause: 'token:invalid_grant' })
      : failure({ refusal: 'indisponible', cause: 'token:error' })
  const badBase64 = error instanceof TypeError && (error as { code?: unknown }).code === 'ERR_INVALID_ARG_VALUE'
  if (!badBase64 && !(error instanceof client.ClientError)) return error
  // Only the library's own sentences are quoted: they name claims, never values.
  const { message, cause } = error as Error
  const said = cause instanceof Error && String((cause as { code?: unknown }).code).startsWith('OAUTH_') ? cause.message : message
  const words = said.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')
  return failure({ refusal: 'reponse_incorrecte', cause: `library:${words.slice(0, 70)}` })
}
