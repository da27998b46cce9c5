import type { Db, Who } from '../db.ts'
import { actingOf, findActing } from './brouillon-queries.ts'
import type { Maniere, PauseRefusal } from './fin.ts'
import { type ActingRefusal, refusalOfActing, type Thematique } from './mandat.ts'
import { pauseChosen } from './pause.ts'

export type RecordPauseRefusal = PauseRefusal | ActingRefusal
type Request = { mandatId: string; thematique?: Thematique | undefined; maniere: Maniere }

/** Records a pause that the person asked for at the desk, by telephone, by a letter. She alone lifts it (ADR 0034). */
export const recordPause = (
  db: Db,
  by: Who & { kind: 'aidant' },
  { maniere, ...request }: Request,
): Promise<{ ok: true } | { ok: false; refusal: RecordPauseRefusal }> =>
  db.tx(by, async (tx) => {
    const acting = await findActing(tx)
    const refusal = acting ? refusalOfActing(actingOf(acting)) : 'aidant_hors_structure'
    return refusal ? { ok: false, refusal } : pauseChosen(tx, request, { aidantId: by.aidantId, maniere })
  })
