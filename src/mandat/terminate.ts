import type { Db, Tx, Who } from '../db.ts'
import { mine } from '../structure/mine.ts'
import { siennes } from '../usager/queries.ts'
import { refusalOfCaller } from './acting.ts'
import { announceEnd } from './announce.ts'
import { endAutorisations } from './end.ts'
import { type EndRefusal, type FinParLaStructure, refusalOfEnd } from './fin.ts'
import { type ActingRefusal, THEMATIQUES } from './mandat.ts'
import { listAutorisations, lockToEnd } from './queries.ts'

type TerminateRefusal = EndRefusal | ActingRefusal

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
    const usagerId = how === 'renonce' ? undefined : await holdDossier(tx, mandatId)
    // All locked in the order of their ids, as a signature that replaces several: nobody waits in a circle.
    const ids = usagerId ? await listInForceWith(tx, mandatId) : [mandatId]
    const locked = []
    for (const id of ids) {
      const mandat = await lockToEnd(tx, id)
      if (mandat) locked.push(mandat)
    }
    const asked = locked.find(({ id }) => id === mandatId)
    const refusal = refusalOfEnd(asked, asked ? await listAutorisations(tx, mandatId) : [], tx.now) ?? (await refusalOfCaller(tx))
    if (refusal) return { ok: false, refusal }

    const at = tx.now
    for (const mandat of locked) {
      if (mandat.endedAt || mandat.expiresAt <= at) continue
      const end = await endAutorisations(tx, mandat, THEMATIQUES, how, at)
      await announceEnd(tx, mandat, { how, at, ...end })
    }
    // Her other doors, which a stranger could hold: the code of her paper, her sessions; of a death, what was still to be said to her.
    if (usagerId) await tx.sql`select ferme_ses_portes(${usagerId})`
    return { ok: true }
  })

/**
 * Whose mandat this is, her dossier held before anything is listed: a signature on its way holds it too (`signMandat`), so either its mandat is
 * in the list, or it sees this end.
 */
async function holdDossier(tx: Tx, mandatId: string): Promise<string | undefined> {
  const [found] = await tx.sql<{ usagerId: string }[]>`
    select m.usager_id
    from mandat m
    where m.id = ${mandatId} and ${mine(tx, 'm')}`
  if (found) await tx.sql`select tient_le_dossier(${found.usagerId})`
  return found?.usagerId
}

/** This mandat, and the others of its person in force in this structure. */
async function listInForceWith(tx: Tx, mandatId: string): Promise<string[]> {
  const found = await tx.sql<{ id: string }[]>`
    select m.id
    from mandat m
    join mandat asked on asked.structure_id = m.structure_id
    where asked.id = ${mandatId} and ${mine(tx, 'asked')} and ${siennes(tx, 'm.usager_id', tx.sql`asked.usager_id`)} and (m.id = asked.id or (m.ended_at is null and m.expires_at > ${tx.now}))
    order by m.id`
  return found.map(({ id }) => id)
}
