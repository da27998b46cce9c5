import type { Tx } from '../db.ts'

/**
 * The filter of every query an aidant or a référent makes: her structure's rows. A fragment for `where`, on `structure_id` or on the
 * alias given. The isolation tests open the database with `rlsOnly`, which turns it into `true`: row-level security must hold alone.
 */
export function mine(tx: Tx, alias?: string) {
  if (tx.rlsOnly) return tx.sql`true`
  if (tx.who.kind !== 'aidant' && tx.who.kind !== 'referent') throw new Error(`no structure for ${tx.who.kind}`)
  return tx.sql`${tx.sql(alias ? `${alias}.structure_id` : 'structure_id')} = ${tx.who.structureId}`
}
