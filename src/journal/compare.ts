import type { Tx } from '../db.ts'
import { empreinteDe } from './checkpoint.ts'
import { rangeHash } from './merkle.ts'
import { findPoint, readNodes } from './tree-queries.ts'

/** What a paper says, against the journal as it is now. `signedAt`: when the checkpoint of that size was signed. */
export type Comparaison =
  | { ok: true; taille: number; signedAt: Date }
  | { ok: false; taille: number; refusal: 'taille_inconnue' | 'autre_empreinte' }

/**
 * Does the journal of today begin as the one of which a paper was printed? Its first lines are hashed anew from the tree, so that a checkpoint kept as
 * it was above a tree made anew is seen too. `empreinte`: 32 hexadecimal digits.
 */
export async function comparePapier(tx: Tx, { taille, empreinte }: { taille: number; empreinte: string }): Promise<Comparaison> {
  const point = await findPoint(tx, taille)
  if (!point) return { ok: false, taille, refusal: 'taille_inconnue' }
  const now = rangeHash([0, taille], await readNodes(tx, taille, [[0, taille]]))
  const same = now.equals(point.racine) && empreinteDe(now).replaceAll(' ', '') === empreinte
  return same ? { ok: true, taille, signedAt: point.createdAt } : { ok: false, taille, refusal: 'autre_empreinte' }
}
