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

/** The filter of what the calling person reads: the rows whose `column` is she. Nothing with `rlsOnly`, as `mine`. */
export function hers(tx: Tx, column: string) {
  if (tx.rlsOnly) return tx.sql`true`
  if (tx.who.kind !== 'usager') throw new Error(`${tx.who.kind} is not a person`)
  return tx.sql`${tx.sql(column)} = any (${[...tx.who.usagerIds]}::uuid[])`
}

/** The filter of what is read from both sides: the person's rows for her, the structure's for an aidant or a référent; all that they may read for the operator and the service. */
export const held = (tx: Tx, alias: string) =>
  tx.who.kind === 'usager'
    ? hers(tx, `${alias}.usager_id`)
    : tx.who.kind === 'operator' || tx.who.kind === 'worker'
      ? tx.sql`true`
      : mine(tx, alias)
