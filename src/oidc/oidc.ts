export type OidcRefusal =
  | 'annule' // the person cancelled at the provider
  | 'indisponible' // no usable answer in time, or an answer that says it failed
  | 'reponse_incorrecte' // anything that is not exactly right
  | 'retour_expire' // the provider no longer knows the code: too late, or already used
  | 'acr_insuffisant'
  | 'second_facteur_absent'
  | 'identification_ancienne'

/** A refusal, and what the technical log says of it: `cause` is `step:word`, in words of ours or of the library's, never of the provider's. */
export type Fault = { refusal: OidcRefusal; cause: string }

/** Called once for each refusal. */
export type OidcLog = (line: { provider: string } & Fault) => void

/** What differs from one provider to the next. */
export type Profile = {
  name: 'franceconnect' | 'proconnect'
  parameters: Readonly<Record<string, string>> // sent to /authorize as they are
  acceptedAcr: readonly string[]
  secondFactors?: readonly string[] // where given, `amr` must say `mfa` and one of these
  pkce: boolean
}

export type ProviderSettings = {
  profile: Profile
  issuer: string
  clientId: string
  clientSecret: string
  allowInsecure?: boolean // plain http, to a loopback host only: the demo and the tests
  log: OidcLog
}

/** What the round trip was opened with. `codeVerifier` only where the profile says `pkce`. */
export type Expected = { state: string; nonce: string; redirectUri: string; codeVerifier?: string }

export type Identified = {
  ok: true
  idToken: string
  claims: { sub: string; acr: string; authTime: Date; iat: Date; iss: string }
  userinfo: unknown // payload of userinfoJwt; whether its identity is complete is the caller's to see
  userinfoJwt: string
  jwks: string // exact text of the key set that verified idToken: the evidence to archive
}

/** `idToken`: the person did identify herself, so that a session is open at the provider. */
type Unfinished = { ok: false; refusal: OidcRefusal; idToken?: string }

export type Provider = {
  readonly name: 'franceconnect' | 'proconnect'
  /** Origin of every page of this provider, for the `form-action` of ours. */
  origin(): string
  /** Five operations in a row have failed by its fault: it is asked nothing for thirty seconds. */
  isResting(): boolean
  /**
   * Where she authenticates anew, whatever session she has there: a computer is often shared. Throws when the provider is resting or its discovery
   * cannot be read: `isProviderDown` knows that error.
   */
  authorizationUrl(request: Expected): Promise<URL>
  /** Never throws for what the provider or the browser did. `now` is the database's clock, read as the request began. */
  finish(callback: URL, expected: Expected, now: Date): Promise<Identified | Unfinished>
  /** Accepts an id_token that has expired. Throws as `authorizationUrl` does. */
  logoutUrl(request: { idToken: string; state: string; postLogoutRedirectUri: string }): Promise<URL>
}

/** What we use of a provider's discovery. */
export type Metadata = {
  issuer: string
  authorization_endpoint: string
  token_endpoint: string
  userinfo_endpoint: string
  jwks_uri: string
  end_session_endpoint: string
}
