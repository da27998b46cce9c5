import type { Db, Who } from '../db.ts'
import { endAutorisations } from './end.ts'
import { type EndRefusal, refusalOfEnd } from './fin.ts'
import type { Thematique } from './mandat.ts'
import { announceEnd } from './messages.ts'
import { listAutorisations, lockMandat } from './queries.ts'

export type StopRefusal = EndRefusal
export type Stopped = { ok: true; at: Date; ended: Thematique[]; mandatEnded: boolean } | { ok: false; refusal: StopRefusal }

/**
 * Stops a whole mandat, or one of its thématiques, at the person's word: effective at once, never undone, no reason asked (art. 2003
 * and 2004 C. civ.). Both sides are told.
 */
export const stopMandat = (
  db: Db,
  by: Who & { kind: 'usager' },
  request: { mandatId: string; thematique?: Thematique | undefined },
): Promise<Stopped> =>
  db.tx(
    by,
    async (tx) => {
      const mandat = await lockMandat(tx, request.mandatId)
      const autorisations = mandat ? await listAutorisations(tx, mandat.id) : []
      const chosen = autorisations.filter(({ thematique }) => !request.thematique || thematique === request.thematique)
      const refusal = refusalOfEnd(mandat, chosen, tx.now)
      if (refusal) return { ok: false, refusal }

      const at = tx.now
      const thematiques = chosen.map(({ thematique }) => thematique)
      const end = await endAutorisations(tx, mandat!, thematiques, 'revoque', at)
      await announceEnd(tx, mandat!, { how: 'revoque', at, ...end })
      return { ok: true, at, ...end }
    },
    { retryable: true },
  )
