import type { Db, Who } from '../db.ts'
import { refusalOfCaller } from './acting.ts'
import type { Maniere, PauseRefusal } from './fin.ts'
import type { ActingRefusal, Thematique } from './mandat.ts'
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
    const refusal = await refusalOfCaller(tx)
    return refusal ? { ok: false, refusal } : pauseChosen(tx, request, { aidantId: by.aidantId, maniere })
  })
