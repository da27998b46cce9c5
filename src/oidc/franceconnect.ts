import type { Profile } from './oidc.ts'

/** Where FranceConnect sends back. */
export const FRANCECONNECT_RETOUR = '/connexion/franceconnect/retour'

/**
 * FranceConnect v2 for the person. Its `/authorize` is a strict whitelist: a `code_challenge` is an error page (Y030007)
 * without return, although its discovery advertises S256. Gender is not asked for: we have no use for it.
 */
export const franceconnect: Profile = {
  name: 'franceconnect',
  parameters: {
    scope: 'openid given_name family_name preferred_username birthdate birthplace birthcountry email',
    acr_values: 'eidas1',
  },
  acceptedAcr: ['eidas1', 'eidas2', 'eidas3'],
  pkce: false,
}
