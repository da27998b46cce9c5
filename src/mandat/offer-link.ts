import type { Db, Who } from '../db.ts'
import { newUuid } from '../uuid.ts'
import { fixWords } from './identify.ts'
import type { ActingRefusal } from './mandat.ts'
import { empreinte, jetonDe } from './telephone.ts'

type LinkRefusal = ActingRefusal | 'introuvable'

/** A new address for this draft, for ten minutes; the one before, and whoever identified herself by it, no longer count. */
export async function offerLink(
  db: Db,
  by: Who & { kind: 'aidant' },
  brouillonId: string,
  secretsKey: Buffer,
): Promise<{ ok: true } | { ok: false; refusal: LinkRefusal }> {
  const fixed = await db.tx(by, (tx) => fixWords(tx, brouillonId))
  if (!fixed.ok) return fixed
  return db.tx({ kind: 'portier' }, async (tx) => {
    const id = newUuid(tx)
    await tx.sql`delete from telephone where brouillon_id = ${brouillonId}`
    await tx.sql`
      insert into telephone (id, brouillon_id, jeton, nonce)
      values (${id}, ${brouillonId}, ${empreinte(jetonDe(secretsKey, id))}, ${fixed.nonce})`
    return { ok: true }
  })
}
