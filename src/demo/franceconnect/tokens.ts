import type { Keys } from './keys.ts'
import { type Persona, subOf } from './personas.ts'

/** Lifetimes in seconds, as FranceConnect's. `grant` covers the code and then the access token it buys. */
export const TTL = { code: 30, accessToken: 60, idToken: 60, grant: 90, interaction: 600, session: 1800 } as const

export type Signing = { persona: Persona; clientId: string; nonce: string; at: Date }
export type Signed = { idToken: string; userinfo: string }

/**
 * What FranceConnect would have answered at `at`, signed with the simulator's current key: the demo's past mandats hold genuine tokens.
 * Their `exp` is 60 s after `at`.
 */
export function signFor(keys: Keys, issuer: string, { persona, clientId, nonce, at }: Signing): Signed {
  const iat = Math.floor(at.getTime() / 1000)
  const registered = { aud: clientId, exp: iat + TTL.idToken, iat, iss: issuer }
  const sub = subOf(persona, clientId)
  return {
    idToken: keys.sign({ sub, acr: 'eidas1', auth_time: iat, nonce, ...registered }),
    userinfo: keys.sign({ sub, ...persona.identity, ...registered }),
  }
}
