import type { Db, Who } from '../db.ts'
import { announceEnd } from './announce.ts'
import { actingOf, findActing } from './brouillon-queries.ts'
import { loadChosen } from './chosen.ts'
import { endAutorisations, noteLateReceipt } from './end.ts'
import { finiesDepuis, type Maniere, type ReceiptRefusal, refusalOfEnd, refusalOfReceipt } from './fin.ts'
import { listArretsRecus, listSignalees } from './fin-queries.ts'
import { type ActingRefusal, refusalOfActing, type Thematique } from './mandat.ts'

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
    const { mandat, chosen } = await loadChosen(tx, { mandatId, thematique })
    const recues = (await listArretsRecus(tx, mandatId)).map((one) => one.thematique)
    const acting = await findActing(tx)
    const refusal =
      refusalOfReceipt(mandat, chosen, recues, recuLe, tx.now) ??
      (acting ? refusalOfActing(actingOf(acting)) : 'aidant_hors_structure')
    if (refusal) return { ok: false, refusal }

    const at = tx.now
    const receipt = { maniere, recuLe }
    await noteLateReceipt(
      tx,
      mandat!,
      finiesDepuis(chosen, recuLe, at).filter((one) => !recues.includes(one.thematique)),
      receipt,
    )
    // Nothing ends of what its date or another had ended: then there is nothing to announce.
    if (refusalOfEnd(mandat, chosen, at)) return { ok: true }
    const thematiques = chosen.map((one) => one.thematique)
    const end = await endAutorisations(tx, mandat!, thematiques, 'revoque', at, receipt)
    const signalees = (await listSignalees(tx, { mandatId })).size
    await announceEnd(tx, mandat!, { how: 'revoque', at, ...end, receipt, signalees })
    return { ok: true }
  })
