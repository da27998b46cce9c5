import type { Tx } from '../db.ts'
import { CODE_VIE_MS } from '../six-digits.ts'
import { codeDe, empreinte, jetonDe, TELEPHONE_LIEN_MS } from './telephone.ts'

export type Lien = { jeton: string; ouvert: boolean; fini: boolean }

/** The doorkeeper's: the address of a draft, shown to its own aidant only; `fini` when it opens nothing any more, `ouvert` once a telephone used it. */
export async function findLink(tx: Tx, brouillonId: string, secretsKey: Buffer): Promise<Lien | undefined> {
  const [row] = await tx.sql<{ id: string; createdAt: Date; usedAt: Date | null }[]>`
    select id, created_at, used_at
    from telephone
    where brouillon_id = ${brouillonId}`
  if (!row) return undefined
  const late = tx.now.getTime() - row.createdAt.getTime() > TELEPHONE_LIEN_MS
  return { jeton: jetonDe(secretsKey, row.id), ouvert: row.usedAt !== null, fini: row.usedAt === null && late }
}

/** The six digits to read out, for the browser that identified her and no other, while they serve. */
export async function findCode(tx: Tx, navigateur: string, secretsKey: Buffer): Promise<string | undefined> {
  const [row] = await tx.sql<{ id: string; identifiedAt: Date }[]>`
    select id, identified_at
    from telephone
    where navigateur = ${empreinte(navigateur)} and identified_at is not null
    order by identified_at desc
    limit 1`
  return row && tx.now.getTime() - row.identifiedAt.getTime() <= CODE_VIE_MS ? codeDe(secretsKey, row.id) : undefined
}
