import type { Db, Who } from '../db.ts'
import { deleteBrouillon, lockBrouillon } from './brouillon-queries.ts'

/** The aidant gives up a draft of hers: choices, identity and round trips go at once. */
export const discardBrouillon = (
  db: Db,
  by: Who & { kind: 'aidant' },
  brouillonId: string,
): Promise<{ ok: true } | { ok: false; refusal: 'introuvable' }> =>
  db.tx(by, async (tx) => {
    if (!(await lockBrouillon(tx, brouillonId))) return { ok: false, refusal: 'introuvable' }
    await deleteBrouillon(tx, brouillonId)
    return { ok: true }
  })
