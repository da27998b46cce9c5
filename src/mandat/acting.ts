import type { Tx } from '../db.ts'
import { actingOf, findActing } from './brouillon-queries.ts'
import { type ActingRefusal, refusalOfActing } from './mandat.ts'

/** Why the calling aidant may not act for her structure now; undefined when she may. */
export async function refusalOfCaller(tx: Tx): Promise<ActingRefusal | undefined> {
  const acting = await findActing(tx)
  return acting ? refusalOfActing(actingOf(acting)) : 'aidant_hors_structure'
}
