import type { Db, Tx, Who } from '../db.ts'
import { mine } from '../structure/mine.ts'
import { actingOf, findActing } from './brouillon-queries.ts'
import { endAutorisations } from './end.ts'
import { type EndRefusal, type FinParLaStructure, refusalOfEnd } from './fin.ts'
import { type ActingRefusal, refusalOfActing, THEMATIQUES } from './mandat.ts'
import { announceEnd } from './messages.ts'
import { listAutorisations, lockMandat } from './queries.ts'

export type TerminateRefusal = EndRefusal | ActingRefusal

/**
 * Ends a mandat without a request of the person: the structure renounces it (art. 2007 C. civ.), or learns of her death or of a protection
 * measure (art. 2003), which end all that she had given it.
 */
export const terminateMandat = (
  db: Db,
  by: Who & { kind: 'aidant' },
  { mandatId, how }: { mandatId: string; how: FinParLaStructure },
): Promise<{ ok: true } | { ok: false; refusal: TerminateRefusal }> =>
  db.tx(by, async (tx) => {
    // All locked in the order of their ids, as a signature that replaces several: nobody waits in a circle.
    const ids = how === 'renonce' ? [mandatId] : await listInForceWith(tx, mandatId)
    const locked = []
    for (const id of ids) {
      const mandat = await lockMandat(tx, id)
      if (mandat) locked.push(mandat)
    }
    const asked = locked.find(({ id }) => id === mandatId)
    const acting = await findActing(tx)
    const refusal =
      refusalOfEnd(asked, asked ? await listAutorisations(tx, mandatId) : [], tx.now) ??
      (acting ? refusalOfActing(actingOf(acting)) : 'aidant_hors_structure')
    if (refusal) return { ok: false, refusal }

    const at = tx.now
    for (const mandat of locked) {
      if (mandat.endedAt || mandat.expiresAt <= at) continue
      const end = await endAutorisations(tx, mandat, THEMATIQUES, how, at)
      await announceEnd(tx, mandat, { how, at, ...end })
    }
    return { ok: true }
  })

/** This mandat, and the others of its person in force in this structure. */
export async function listInForceWith(tx: Tx, mandatId: string): Promise<string[]> {
  const found = await tx.sql<{ id: string }[]>`
    select m.id
    from mandat m
    join mandat asked on asked.usager_id = m.usager_id and asked.structure_id = m.structure_id
    where asked.id = ${mandatId} and ${mine(tx, 'asked')} and (m.id = asked.id or (m.ended_at is null and m.expires_at > ${tx.now}))
    order by m.id`
  return found.map(({ id }) => id)
}
