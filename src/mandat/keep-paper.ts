import type { Db, Who } from '../db.ts'
import { lockBrouillon, withoutContact } from './brouillon-queries.ts'

/** She would rather be told on paper: with her word alone, and no contact kept. */
export const keepPaper = (
  db: Db,
  by: Who & { kind: 'aidant' },
  brouillonId: string,
): Promise<{ ok: true } | { ok: false; refusal: 'introuvable' | 'accord_absent' }> =>
  db.tx(by, async (tx) => {
    const brouillon = await lockBrouillon(tx, brouillonId)
    if (!brouillon) return { ok: false, refusal: 'introuvable' }
    if (!brouillon.accordAt) return { ok: false, refusal: 'accord_absent' }
    await tx.sql`update brouillon set suivi = 'papier', ${withoutContact(tx)}, updated_at = ${tx.now} where id = ${brouillonId}`
    return { ok: true }
  })
