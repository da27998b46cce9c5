import type { Db, Who } from '../db.ts'
import { mine } from '../structure/mine.ts'
import { type Brouillon, findActing, lockBrouillon, withoutPerson } from './brouillon-queries.ts'
import { type ChoixRefusal, type DureeRefusal, perimetreDe, refusalOfChoix, refusalOfDuree } from './mandat.ts'

export type NewChoix = { thematiques: readonly string[]; duree: string }

/** Opens a draft whose id will be the mandat's. Nothing of the person is stored yet; earlier drafts stay resumable. */
export const startBrouillon = (db: Db, by: Who & { kind: 'aidant' }, choix: NewChoix): Promise<Started> =>
  db.tx(by, async (tx) => {
    const acting = await findActing(tx)
    const refusal = refusalOfChoix({ ...choix, desactivees: acting?.desactivees ?? [] })
    if (refusal) return { ok: false, refusal }

    const [brouillon] = await tx.sql<{ id: string }[]>`
      insert into brouillon (structure_id, aidant_id, perimetre, duree)
      values (${by.structureId}, ${by.aidantId}, ${perimetreDe(choix.thematiques)}, ${choix.duree})
      returning id`
    return { ok: true, id: brouillon!.id }
  })

/** Changes the choices: what she may already have said about others no longer counts, a new identification is needed. */
export const chooseAgain = (db: Db, by: Who & { kind: 'aidant' }, id: string, choix: NewChoix): Promise<Started> =>
  db.tx(by, async (tx) => {
    const before = await lockBrouillon(tx, id)
    const acting = await findActing(tx)
    const refusal =
      refusalOfChoix({ ...choix, desactivees: acting?.desactivees ?? [] }) ??
      // A renewal can only narrow: what bounds it is what the draft still proposes.
      (before?.usagerId ? refusalOfWidening(before, choix) : undefined)
    if (refusal) return { ok: false, refusal }

    const [brouillon] = await tx.sql<{ id: string }[]>`
      update brouillon
      set perimetre = ${perimetreDe(choix.thematiques)}, duree = ${choix.duree}, conditions = null, ${withoutPerson(tx)},
        updated_at = ${tx.now}
      where id = ${id} and ${mine(tx)}
      returning id`
    return brouillon ? { ok: true, id: brouillon.id } : { ok: false, refusal: 'introuvable' }
  })

const refusalOfWidening = (before: Pick<Brouillon, 'perimetre' | 'duree'>, { thematiques, duree }: NewChoix) =>
  thematiques.every((one) => (before.perimetre as string[]).includes(one))
    ? refusalOfDuree(before.duree, duree)
    : ('renouvellement_elargi' as const)

export type Started =
  | { ok: true; id: string }
  | { ok: false; refusal: ChoixRefusal | DureeRefusal | 'renouvellement_elargi' | 'introuvable' }
