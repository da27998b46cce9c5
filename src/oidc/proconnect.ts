import { createHmac } from 'node:crypto'
import { z } from 'zod'
import type { Profile } from './oidc.ts'

/**
 * Levels that say a second factor was used (partenaires.proconnect.gouv.fr, « Forcer la double authentification » and « Niveaux d’assurance et
 * utilisation de l’ACR »); the last two are the earlier names of the first two.
 */
const MFA = [
  'eidas0-mfa',
  'eidas1-mfa',
  'eidas2',
  'eidas3',
  'https://proconnect.gouv.fr/assurance/self-asserted-2fa',
  'https://proconnect.gouv.fr/assurance/consistency-checked-2fa',
]

/**
 * ProConnect for aidants and référents, with PKCE. `max_age` is not known there, nor any parameter outside its list (Y000400): freshness is
 * asked with `prompt=login` and read in `auth_time`. `amr` comes only when asked for (« Le claim amr », after RFC 8176): a `-mfa` level may rest
 * on a code sent by e-mail (`mail`), which is not enough here. Of her we ask what tells whether she may come in, and nothing else.
 */
export const proconnect: Profile = {
  name: 'proconnect',
  parameters: {
    scope: 'openid email siret',
    claims: JSON.stringify({
      id_token: { amr: { essential: true }, auth_time: { essential: true }, acr: { essential: true, values: MFA } },
    }),
  },
  acceptedAcr: MFA,
  // An authenticator, a passkey, a card or a key; `totp` and `pop` are the earlier names.
  secondFactors: ['otp', 'totp', 'pop', 'hwk', 'swk', 'sc'],
  pkce: true,
}

/** Where ProConnect's own sign-out leads back to. */
export const PROCONNECT_FIN = '/connexion/proconnect/deconnecte'

type Professionnel = { sub: string; email: string; siret: string }

// In ASCII: in lower case, « K » (U+212A) is « k », and an address would be somebody else's.
const claims = z.object({ sub: z.string(), email: z.string().regex(/^[!-~]{3,254}$/), siret: z.string().regex(/^\d{14}$/) })

/** Whom ProConnect names and for which establishment she works today; undefined when it does not say. */
export const professionnelDe = (userinfo: unknown): Professionnel | undefined => claims.safeParse(userinfo).data

/** PKCE's secret of one round trip (RFC 7636 §4.1), found again from its `state`: nothing of it is kept anywhere. */
export const codeVerifierOf = (secretsKey: Buffer, state: string): string =>
  createHmac('sha256', secretsKey).update(`pkce:${state}`).digest('base64url')
