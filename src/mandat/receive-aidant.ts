import { type ConfirmRefusal, confirmByProConnect, type EnterRefusal, enterByProConnect } from '../aidant/enter.ts'
import type { Db } from '../db.ts'
import { type Buts, type ConnexionRefusal, claimConnexion } from '../oidc/connexion.ts'
import type { OidcRefusal, Provider } from '../oidc/oidc.ts'
import { codeVerifierOf, professionnelDe } from '../oidc/proconnect.ts'

export type ProConnectRefusal = ConnexionRefusal | OidcRefusal | EnterRefusal | ConfirmRefusal
export type ReceivedAidant =
  | { ok: true; but: 'aidant'; token: string; suite: string | null }
  /** `confirmation`: what `signMandat` takes in the place of a code; `token`: under which her session goes on. */
  | { ok: true; but: 'signature'; token: string; brouillonId: string; confirmation: string }
  /** `idToken`: she did authenticate, so that a session is open at ProConnect. */
  | { ok: false; refusal: ProConnectRefusal; but?: Buts['proconnect']; brouillonId?: string | null; idToken?: string }

/** What ProConnect sends back, for a sign-in or for a signature. The round trip is spent before anything is asked of it. */
export async function receiveAidant(
  db: Db,
  provider: Provider,
  back: { url: URL; state: string; navigateur: string | undefined; redirectUri: string; sessionId: string | undefined },
  secretsKey: Buffer,
): Promise<ReceivedAidant> {
  const { url, state, redirectUri, sessionId } = back
  const claimed = await claimConnexion(db, 'proconnect', back)
  if (!claimed.ok) return claimed
  const { but, nonce, brouillonId, suite } = claimed.connexion
  const refuse = (refusal: ProConnectRefusal, idToken?: string): ReceivedAidant => ({
    ok: false,
    refusal,
    but,
    brouillonId,
    ...(idToken && { idToken }),
  })
  if (but === 'signature' && claimed.connexion.sessionId !== sessionId) return refuse('session_fermee')

  const expected = { state, nonce, redirectUri, codeVerifier: codeVerifierOf(secretsKey, state) }
  const finished = await provider.finish(url, expected, claimed.now)
  if (!finished.ok) return refuse(finished.refusal, finished.idToken)
  const { idToken, claims } = finished
  const professionnel = professionnelDe(finished.userinfo)
  if (!professionnel) return refuse('reponse_incorrecte', idToken)
  const proved = { ...professionnel, authTime: claims.authTime }

  if (but === 'aidant') {
    const entered = await enterByProConnect(db, { ...proved, idToken }, sessionId)
    return entered.ok ? { ok: true, but, token: entered.token, suite } : refuse(entered.refusal, idToken)
  }
  const confirmed = await confirmByProConnect(db, sessionId!, proved)
  return confirmed.ok
    ? { ok: true, but, token: confirmed.token, brouillonId: brouillonId!, confirmation: nonce }
    : refuse(confirmed.refusal, idToken)
}
