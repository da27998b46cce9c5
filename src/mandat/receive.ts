import type { Db, Who } from '../db.ts'
import { archiveJwks, type But, type ConnexionRefusal, claimConnexion } from '../oidc/connexion.ts'
import type { OidcRefusal, Provider } from '../oidc/oidc.ts'
import { type EnterRefusal, enterEspace } from '../usager/enter.ts'
import { type IdentiteRefusal, identiteDe } from '../usager/identite.ts'
import { type HoldRefusal, holdIdentity } from './hold-identity.ts'
import { type IdentifiedRefusal, keepIdentity } from './identify.ts'
import { type UniteRefusal, uniteIdentites } from './unite.ts'

export type RetourRefusal =
  | ConnexionRefusal
  | OidcRefusal
  | IdentiteRefusal
  | IdentifiedRefusal
  | EnterRefusal
  | HoldRefusal
  | UniteRefusal
  | 'session_fermee'
type Received =
  | { ok: true; but: 'mandat'; brouillonId: string; idToken: string }
  | { ok: true; but: 'espace' | 'reunion'; token: string; idToken: string }
  | { ok: true; but: 'telephone'; idToken: string }
  /** `idToken`: she did identify herself, so that a session is open at FranceConnect. */
  | { ok: false; refusal: RetourRefusal; but?: But; brouillonId?: string | null; idToken?: string }

/**
 * What FranceConnect sends back, for whichever round trip it answers. The round trip is spent before anything is asked of the provider:
 * a replay finds it used, and a failure costs a new one, never the choices.
 */
export async function receiveIdentity(
  db: Db,
  provider: Provider,
  back: {
    url: URL
    state: string
    navigateur: string | undefined
    redirectUri: string
    by: (Who & { kind: 'aidant' }) | undefined
    previousSession: string | undefined
  },
): Promise<Received> {
  const claimed = await claimConnexion(db, 'franceconnect', back)
  if (!claimed.ok) return claimed
  const { but, nonce, brouillonId, telephoneId, sessionId } = claimed.connexion

  const finished = await provider.finish(back.url, { state: back.state, nonce, redirectUri: back.redirectUri }, claimed.now)
  const given = finished.idToken && { idToken: finished.idToken }
  const refuse = (refusal: RetourRefusal): Received => ({ ok: false, refusal, but, brouillonId, ...given })
  if (!finished.ok) return refuse(finished.refusal)
  const { idToken, claims, jwks } = finished
  const read = identiteDe(finished.userinfo)
  if (!read.ok) return refuse(read.refusal)
  const { identite } = read

  if (but === 'reunion') {
    // Another sheet may have been typed in this browser meanwhile.
    const united = await uniteIdentites(db, identite, sessionId === back.previousSession ? sessionId : undefined)
    if (!united.ok) return refuse(united.refusal)
  }
  if (but === 'espace' || but === 'reunion') {
    const entered = await enterEspace(db, identite, back.previousSession)
    return entered.ok ? { ok: true, but, token: entered.token, idToken } : refuse(entered.refusal)
  }
  if (but === 'mandat' && !back.by) return refuse('session_fermee')
  const jwksId = await archiveJwks(db, jwks)
  if (but === 'telephone') {
    const held = await holdIdentity(db, telephoneId!, { idToken, jwksId, authTime: claims.authTime, identite, nonce })
    return held.ok ? { ok: true, but, idToken } : refuse(held.refusal)
  }
  const kept = await keepIdentity(db, back.by!, brouillonId!, { idToken, jwksId, authTime: claims.authTime, identite, nonce })
  return kept.ok ? { ok: true, but, brouillonId: brouillonId!, idToken } : refuse(kept.refusal)
}
