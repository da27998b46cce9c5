import * as client from 'openid-client'
import { z } from 'zod'
import { openBreaker } from './breaker.ts'
import { call, failure, faultIn, GET_JSON } from './call.ts'
import { faultOfCallback } from './claims.ts'
import { exchange } from './exchange.ts'
import { keyCache } from './keys.ts'
import type { Fault, Metadata, Provider, ProviderSettings } from './oidc.ts'

/** All the outbound calls of a callback: the request has 8 s, and must still be able to say what it met. */
const CALLBACK_MS = 7_500

export const isProviderDown = (error: unknown): boolean => faultIn(error) !== undefined

/** Opens a provider without calling it: the service starts even when the provider is down. Throws on an unusable issuer. */
export function openProvider(settings: ProviderSettings): Provider {
  const { profile, issuer, clientId } = settings
  const { origin } = checkedIssuer(settings)
  const keys = keyCache()
  const breaker = openBreaker()
  let discovery: Promise<Metadata> | undefined

  // Kept for the life of the process once it has been read; a failure is not kept.
  const discover = () => {
    discovery ??= fetchMetadata(issuer).catch((error: unknown) => {
      discovery = undefined
      throw error
    })
    return discovery
  }
  const say = (fault: Fault) => settings.log({ provider: profile.name, ...fault })
  const refuse = (fault: Fault, idToken?: string) => {
    say(fault)
    return { ok: false as const, refusal: fault.refusal, ...(idToken && { idToken }) }
  }
  const endpoint = async (name: 'authorization_endpoint' | 'end_session_endpoint') => {
    try {
      // Nobody is sent in to a provider that is left alone; the first one after its rest asks it whether it is back.
      if (name === 'authorization_endpoint' && breaker.isOpen()) await breaker.pass(() => fetchMetadata(issuer))
      return new URL((await (discovery ?? breaker.pass(discover)))[name])
    } catch (error) {
      const fault = faultIn(error)
      if (fault) say(fault)
      throw error
    }
  }

  return {
    name: profile.name,
    origin: () => origin,
    isResting: breaker.isOpen,

    async authorizationUrl({ state, nonce, redirectUri, codeVerifier }) {
      const url = await endpoint('authorization_endpoint')
      const pkce = profile.pkce && {
        code_challenge: await client.calculatePKCECodeChallenge(codeVerifier!),
        code_challenge_method: 'S256',
      }
      url.search = new URLSearchParams({
        client_id: clientId,
        response_type: 'code',
        redirect_uri: redirectUri,
        ...profile.parameters,
        state,
        nonce,
        prompt: 'login',
        ...pkce,
      }).toString()
      return url
    },

    async finish(callback, expected, now) {
      const fault = faultOfCallback(callback.searchParams, { state: expected.state, issuer })
      if (fault) return refuse(fault)
      const deadline = new AbortController()
      const timer = setTimeout(() => deadline.abort(), CALLBACK_MS)
      try {
        const exchanged = await breaker.pass(async () =>
          exchange({ settings, metadata: await discover(), keys, deadline: deadline.signal, now }, callback, expected),
        )
        return exchanged.ok ? exchanged : refuse(exchanged.fault, exchanged.idToken)
      } catch (error) {
        const met = faultIn(error)
        if (!met) throw error
        return refuse(met)
      } finally {
        clearTimeout(timer)
      }
    },

    async logoutUrl({ idToken, state, postLogoutRedirectUri }) {
      const url = await endpoint('end_session_endpoint')
      url.search = new URLSearchParams({
        id_token_hint: idToken,
        post_logout_redirect_uri: postLogoutRedirectUri,
        state,
      }).toString()
      return url
    },
  }
}

function checkedIssuer({ issuer, allowInsecure }: ProviderSettings): URL {
  const url = new URL(issuer)
  const loopback = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url.protocol === 'https:' || (url.protocol === 'http:' && allowInsecure && loopback)) return url
  throw new Error(`OIDC issuer ${issuer}: https required (http is for a loopback host, in demo and tests)`)
}

/** Keeps of the discovery only what we use, on the issuer's own origin: nothing else in it can loosen a check. */
async function fetchMetadata(issuer: string): Promise<Metadata> {
  const { origin } = new URL(issuer)
  const endpoint = z.url().refine((url) => new URL(url).origin === origin)
  const metadata = z.object({
    issuer: z.literal(issuer),
    authorization_endpoint: endpoint,
    token_endpoint: endpoint,
    userinfo_endpoint: endpoint,
    jwks_uri: endpoint,
    end_session_endpoint: endpoint,
  })
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const { text } = await call(url, GET_JSON, { name: 'discovery', statuses: [200], types: ['application/json'] })
  try {
    return metadata.parse(JSON.parse(text))
  } catch {
    throw failure({ refusal: 'reponse_incorrecte', cause: 'discovery:content' })
  }
}
