import type { Db, Tx, Who } from '../db.ts'
import { refusalOfCaller } from './acting.ts'
import { announceEnd } from './announce.ts'
import { loadChosen } from './chosen.ts'
import { endAutorisations, noteLateReceipt } from './end.ts'
import { finiesDepuis, type Maniere, type ReceiptRefusal, refusalOfEnd, refusalOfReceipt } from './fin.ts'
import { listArretsRecus, listSignalees } from './fin-queries.ts'
import type { ActingRefusal, Thematique } from './mandat.ts'

export type RecordStopRefusal = ReceiptRefusal | ActingRefusal
type Request = { mandatId: string; thematique?: Thematique | undefined; maniere: Maniere; recuLe: Date }

/**
 * Records a stop that the person asked for by a slip, a letter, a call, a visit or an e-mail: an aidant of the structure, or the operator when it
 * came to the service (ADR 0031), who reads nobody's contact and leaves the telling to `announceOperatorEnds`. What the service can refuse ends now;
 * the law's effect is at receipt, so what was done since then is flagged to her and to the direction (ADR 0014).
 */
export const recordStop = (
  db: Db,
  by: Who & { kind: 'aidant' | 'operator' },
  { mandatId, thematique, maniere, recuLe }: Request,
): Promise<{ ok: true } | { ok: false; refusal: RecordStopRefusal }> =>
  db.tx(by, async (tx) => {
    if (by.kind === 'operator') await nameMandat(tx, mandatId)
    const { mandat, chosen } = await loadChosen(tx, { mandatId, thematique })
    const recues = (await listArretsRecus(tx, mandatId)).map((one) => one.thematique)
    const refusal =
      refusalOfReceipt(mandat, chosen, recues, recuLe, tx.now) ?? (by.kind === 'operator' ? undefined : await refusalOfCaller(tx))
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
    if (by.kind === 'operator') return { ok: true }
    const signalees = (await listSignalees(tx, { mandatId })).size
    await announceEnd(tx, mandat!, { how: 'revoque', at, ...end, receipt, signalees })
    return { ok: true }
  })

/** The operator reads what one mandat is for, and no other: row-level security goes by it. */
const nameMandat = (tx: Tx, mandatId: string) => tx.sql`select set_config('app.mandat_id', ${mandatId}, true)`

/** What the operator is shown before she records a stop: which mandat, of which structure, for what; never whose. */
export const findStopped = (db: Db, mandatId: string) =>
  db.tx({ kind: 'operator' }, async (tx) => {
    await nameMandat(tx, mandatId)
    const [mandat] = await tx.sql<{ structureNom: string; fuseau: string; signedAt: Date; thematiques: Thematique[] }[]>`
      select s.nom as structure_nom, s.fuseau, m.signed_at,
        array(select a.thematique from autorisation a where a.mandat_id = m.id order by array_position(thematiques(), a.thematique)) as thematiques
      from mandat m
      join structure s on s.id = m.structure_id
      where m.id = ${mandatId}`
    return mandat
  })
