import type { Db, Who } from '../db.ts'
import { findActing } from './brouillon-queries.ts'
import { loadChosen } from './chosen.ts'
import { type RenewalRefusal, refusalOfRenewal } from './fin.ts'
import { type ChoixRefusal, type DureeRefusal, perimetreDe, refusalOfChoix, refusalOfDuree } from './mandat.ts'
import type { NewChoix } from './start.ts'

/**
 * Opens a draft from a mandat of this structure. Nothing is renewed by it: the person identifies herself and says yes again, and the
 * signature then ends what it replaces. Never wider nor longer than what it renews, and for nobody else (ADR 0017).
 */
export const renewMandat = (
  db: Db,
  by: Who & { kind: 'aidant' },
  mandatId: string,
  choix: NewChoix,
): Promise<{ ok: true; id: string } | { ok: false; refusal: RenewalRefusal | ChoixRefusal | DureeRefusal }> =>
  db.tx(by, async (tx) => {
    const { mandat, autorisations } = await loadChosen(tx, { mandatId })
    const desactivees = (await findActing(tx))?.desactivees ?? []
    const refusal =
      refusalOfRenewal(mandat, autorisations, desactivees, undefined, tx.now) ??
      refusalOfChoix({ ...choix, desactivees }) ??
      refusalOfRenewal(mandat, autorisations, desactivees, choix.thematiques, tx.now) ??
      refusalOfDuree(mandat!.duree, choix.duree)
    if (refusal) return { ok: false, refusal }

    const [brouillon] = await tx.sql<{ id: string }[]>`
      insert into brouillon (structure_id, aidant_id, usager_id, perimetre, duree)
      values (${by.structureId}, ${by.aidantId}, ${mandat!.usagerId}, ${perimetreDe(choix.thematiques)}, ${choix.duree})
      returning id`
    return { ok: true, id: brouillon!.id }
  })
