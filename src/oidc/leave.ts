import type { Context } from 'hono'
import type { Config } from '../config.ts'
import { cookies } from '../http/session.ts'
import type { Opened } from './connexion.ts'
import type { Provider } from './oidc.ts'
import { isProviderDown } from './provider.ts'

type Way = { provider: Provider; config: Pick<Config, 'publicUrl'>; redirectUri: string; codeVerifier?: string }

/** Leads this browser to the provider, for the round trip just opened. `down`: what is shown while the provider does not answer. */
export async function leaveFor(
  c: Context,
  { state, nonce, navigateur }: Opened,
  { provider, config, ...way }: Way,
  down: () => Response | Promise<Response>,
): Promise<Response> {
  cookies(config).set(c, 'navigateur', navigateur)
  try {
    return c.redirect((await provider.authorizationUrl({ state, nonce, ...way })).href, 303)
  } catch (error) {
    if (!isProviderDown(error)) throw error
    return down()
  }
}
