import type { Db, Who } from '../db.ts'
import { announceEnd } from './announce.ts'
import { loadChosen } from './chosen.ts'
import { endAutorisations } from './end.ts'
import { type EndRefusal, refusalOfEnd } from './fin.ts'
import type { Thematique } from './mandat.ts'

export type StopRefusal = EndRefusal
type Stopped = { ok: true; at: Date; ended: Thematique[]; mandatEnded: boolean } | { ok: false; refusal: StopRefusal }

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
      const { mandat, chosen } = await loadChosen(tx, request)
      const refusal = refusalOfEnd(mandat, chosen, tx.now)
      if (refusal) return { ok: false, refusal }

      const at = tx.now
      const thematiques = chosen.map(({ thematique }) => thematique)
      const end = await endAutorisations(tx, mandat!, thematiques, 'revoque', at)
      await announceEnd(tx, mandat!, { how: 'revoque', at, ...end })
      return { ok: true, at, ended: end.ended, mandatEnded: end.mandatEnded }
    },
    { retryable: true },
  )
