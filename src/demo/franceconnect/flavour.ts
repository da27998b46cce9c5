import type { Interaction } from 'oidc-provider/lib/provider.js'
import { ACR, type Client, claimsOf, FOURNISSEURS, type Refusal, refusalOf, SCOPES } from './authorize.ts'
import { choicePage, type ErrorCode, informationsPage } from './pages.ts'
import { findPersona, subOf } from './personas.ts'
import { TTL } from './tokens.ts'

/** What differs from one simulated provider to the other; keys are those of the accounts one may choose. */
export type Flavour = {
  /** Cookies ignore ports: their names must not be those of another provider on this machine. */
  cookie: string
  scopes: Readonly<Record<string, readonly string[]>>
  acrValues: readonly string[]
  /** Seconds. */
  session: number
  /** Characters of the `state` of a logout. */
  leastLogoutState: number
  /** The whitelist of /authorize. */
  refusalOf(query: URLSearchParams, clients: readonly Client[]): Refusal | undefined
  /** How this account authenticates, or the page on which it stops. */
  login(key: string): { acr: string; amr?: readonly string[] } | { code: ErrorCode } | undefined
  identity(key: string): object | undefined
  subOf(key: string, clientId: string): string
  choicePage(choice: { base: string; service: string; compte: string | undefined; oubli: boolean }): string
  /** What is shown before going back to the service; nothing without it. */
  informationsPage?(shown: { base: string; service: string; key: string; interaction: Interaction }): string
}

export const FRANCECONNECT: Flavour = {
  cookie: 'simulateur_fc',
  scopes: SCOPES,
  acrValues: [ACR],
  session: TTL.session,
  leastLogoutState: 0,
  refusalOf,
  login(key) {
    const persona = findPersona(key)
    if (!persona) return undefined
    return persona.outcome === 'error_page' ? { code: persona.code } : { acr: ACR }
  },
  identity: (key) => findPersona(key)?.identity,
  subOf: (key, clientId) => subOf(findPersona(key)!, clientId),
  choicePage({ base, service, compte, oubli }) {
    const { key: fournisseur } = FOURNISSEURS.find(({ key }) => key === compte) ?? FOURNISSEURS[0]
    return choicePage({ base, service, fournisseur, oubli })
  },
  informationsPage({ base, service, key, interaction: { params, lastSubmission } }) {
    const fournisseur = FOURNISSEURS.find((one) => one.key === lastSubmission?.fournisseur)?.label
    return informationsPage({ base, service, persona: findPersona(key)!, claims: claimsOf(params.scope), fournisseur })
  },
}
