import type { Db, Who } from '../db.ts'
import { CODE_ESSAIS, CODE_VIE_MS } from '../six-digits.ts'
import { findBrouillon } from './brouillon-queries.ts'
import { type Identified, type IdentifiedRefusal, keepIdentity } from './identify.ts'
import { codeDe } from './telephone.ts'

export type JoinRefusal = IdentifiedRefusal | 'code_telephone_faux' | 'code_telephone_perime'

/**
 * Joins what waits on her telephone to the draft, by the digits she read out: three tries, ten minutes, once. Wrong, late or another's, and
 * nothing is joined. What is taken from aside is either kept by the draft or gone.
 */
export async function joinTelephone(
  db: Db,
  by: Who & { kind: 'aidant' },
  request: { brouillonId: string; code: string },
  secretsKey: Buffer,
): Promise<{ ok: true } | { ok: false; refusal: JoinRefusal }> {
  const { brouillonId, code } = request
  if (!(await db.tx(by, (tx) => findBrouillon(tx, brouillonId)))) return { ok: false, refusal: 'introuvable' }
  const taken = await db.tx({ kind: 'portier' }, async (tx): Promise<Taken> => {
    const [row] = await tx.sql<(Identified & { id: string; identifiedAt: Date | null; essais: number })[]>`
      select id, identite, id_token, jwks_id, auth_time, nonce, identified_at, essais
      from telephone
      where brouillon_id = ${brouillonId}
      for update`
    const now = await tx.clock()
    if (!row || row.essais >= CODE_ESSAIS) return { ok: false, refusal: 'code_telephone_perime' }
    const { id, identifiedAt, essais: _, ...identified } = row
    if (identifiedAt && now.getTime() - identifiedAt.getTime() > CODE_VIE_MS)
      return { ok: false, refusal: 'code_telephone_perime' }
    if (!identifiedAt || code !== codeDe(secretsKey, id)) {
      await tx.sql`update telephone set essais = essais + 1 where id = ${id}`
      return { ok: false, refusal: 'code_telephone_faux' }
    }
    await tx.sql`delete from telephone where id = ${id}`
    return { ok: true, identified }
  })
  return taken.ok ? keepIdentity(db, by, brouillonId, taken.identified) : taken
}
type Taken = { ok: true; identified: Identified } | { ok: false; refusal: 'code_telephone_faux' | 'code_telephone_perime' }
