import { type ConfirmRefusal, confirmByProConnect, type EnterRefusal, enterByProConnect } from '../aidant/enter.ts'
import { decryptSecret } from '../aidant/secret.ts'
import type { Db } from '../db.ts'
import { type Buts, type ConnexionRefusal, claimConnexion } from '../oidc/connexion.ts'
import type { OidcRefusal, Provider } from '../oidc/oidc.ts'
import { codeVerifierOf, professionnelDe } from '../oidc/proconnect.ts'
import type { EnvoiGarde } from './forms.ts'

export type ProConnectRefusal = ConnexionRefusal | OidcRefusal | EnterRefusal | ConfirmRefusal
type ReceivedAidant =
  | { ok: true; but: 'aidant'; token: string; suite: string | null }
  /** `confirmation`: what `signMandat` takes in the place of a code; `token`: under which her session goes on. */
  | { ok: true; but: 'signature'; token: string; brouillonId: string; confirmation: string }
  /** Nothing is done yet: what she sent is given back to her, and may be sent again as confirmed. */
  | { ok: true; but: 'confirmation'; token: string; envoi: EnvoiGarde }
  /** `idToken`: she did authenticate, so that a session is open at ProConnect. */
  | {
      ok: false
      refusal: ProConnectRefusal
      but?: Buts['proconnect']
      brouillonId?: string | null
      envoi?: EnvoiGarde
      idToken?: string
    }

/** What ProConnect sends back, for a sign-in, a signature or what a form says. The round trip is spent before anything is asked of it. */
export async function receiveAidant(
  db: Db,
  provider: Provider,
  back: { url: URL; state: string; navigateur: string | undefined; redirectUri: string; sessionId: string | undefined },
  secretsKey: Buffer,
): Promise<ReceivedAidant> {
  const { url, state, redirectUri, sessionId } = back
  const claimed = await claimConnexion(db, 'proconnect', back)
  if (!claimed.ok) return claimed
  const { but, nonce, brouillonId, suite, objet } = claimed.connexion
  const hers = claimed.connexion.sessionId === sessionId
  // Shown to no one but her: this computer is often shared.
  const envoi = objet && hers ? (JSON.parse(decryptSecret(secretsKey, objet).toString()) as EnvoiGarde) : undefined
  const refuse = (refusal: ProConnectRefusal, idToken?: string): ReceivedAidant => ({
    ok: false,
    refusal,
    but,
    brouillonId,
    ...(envoi && { envoi }),
    ...(idToken && { idToken }),
  })
  if (but !== 'aidant' && !hers) return refuse('session_fermee')

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
  if (!confirmed.ok) return refuse(confirmed.refusal, idToken)
  const { token } = confirmed
  return but === 'signature'
    ? { ok: true, but, token, brouillonId: brouillonId!, confirmation: nonce }
    : { ok: true, but, token, envoi: envoi! }
}
