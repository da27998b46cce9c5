import type { Db, Who } from '../db.ts'
import { actingOf, findActing } from './brouillon-queries.ts'
import { endAutorisations } from './end.ts'
import { type Maniere, type ReceiptRefusal, refusalOfReceipt } from './fin.ts'
import { listSignalees } from './fin-queries.ts'
import { type ActingRefusal, refusalOfActing, type Thematique } from './mandat.ts'
import { announceEnd } from './messages.ts'
import { listAutorisations, lockMandat } from './queries.ts'

export type RecordStopRefusal = ReceiptRefusal | ActingRefusal
type Request = { mandatId: string; thematique?: Thematique | undefined; maniere: Maniere; recuLe: Date }

/**
 * Records a stop that the person asked for by a slip, a letter, a call, a visit or an e-mail. What the service can refuse ends now; the
 * law's effect is at receipt, so what was done since then is flagged to her and to the direction (ADR 0014).
 */
export const recordStop = (
  db: Db,
  by: Who & { kind: 'aidant' },
  { mandatId, thematique, maniere, recuLe }: Request,
): Promise<{ ok: true } | { ok: false; refusal: RecordStopRefusal }> =>
  db.tx(by, async (tx) => {
    const mandat = await lockMandat(tx, mandatId)
    const autorisations = mandat ? await listAutorisations(tx, mandat.id) : []
    const chosen = autorisations.filter((one) => !thematique || one.thematique === thematique)
    const acting = await findActing(tx)
    const refusal =
      refusalOfReceipt(mandat, chosen, recuLe, tx.now) ?? (acting ? refusalOfActing(actingOf(acting)) : 'aidant_hors_structure')
    if (refusal) return { ok: false, refusal }

    const at = tx.now
    const receipt = { maniere, recuLe }
    const thematiques = chosen.map((one) => one.thematique)
    const end = await endAutorisations(tx, mandat!, thematiques, 'revoque', at, receipt)
    const signalees = (await listSignalees(tx, { mandatId })).size
    await announceEnd(tx, mandat!, { how: 'revoque', at, ...end, receipt, signalees })
    return { ok: true }
  })
