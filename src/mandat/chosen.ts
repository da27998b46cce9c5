import type { Tx } from '../db.ts'
import type { Thematique } from './mandat.ts'
import { listAutorisations, lockToEnd } from './queries.ts'

/** A mandat under its lock, its autorisations, and those that a request is about: one thématique's, or all. */
export async function loadChosen(tx: Tx, { mandatId, thematique }: { mandatId: string; thematique?: Thematique | undefined }) {
  const mandat = await lockToEnd(tx, mandatId)
  const autorisations = mandat ? await listAutorisations(tx, mandat.id) : []
  return { mandat, autorisations, chosen: autorisations.filter((one) => !thematique || one.thematique === thematique) }
}
