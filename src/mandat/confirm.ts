import type { Db, Who } from '../db.ts'
import { type Opened, openConnexion } from '../oidc/connexion.ts'
import { findBrouillon } from './brouillon-queries.ts'
import { nonceDeConfirmation } from './confirmation.ts'

/** Opens the round trip by which an aidant signs this draft as it stands, from this session and this browser. */
export const openConfirmation = (
  db: Db,
  by: Who & { kind: 'aidant' },
  request: { brouillonId: string; sessionId: string; navigateur: string | undefined; mesureFinie: boolean },
): Promise<(Opened & { ok: true }) | { ok: false; refusal: 'introuvable' | 'accord_absent' }> =>
  db.tx(by, async (tx) => {
    const { brouillonId, sessionId, navigateur, mesureFinie } = request
    const brouillon = await findBrouillon(tx, brouillonId)
    if (!brouillon) return { ok: false, refusal: 'introuvable' }
    if (!brouillon.accordAt) return { ok: false, refusal: 'accord_absent' }
    const nonce = nonceDeConfirmation(brouillon, tx.random(16).toString('hex'), mesureFinie)
    return { ok: true, ...(await openConnexion(tx, { but: 'signature', navigateur, nonce, brouillonId, sessionId })) }
  })
