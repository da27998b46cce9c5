import type { Db, Who } from '../db.ts'
import { append } from '../journal/append.ts'
import { perimetreDe, THEMATIQUES, type Thematique } from './mandat.ts'

type ThematiquesRefusal = 'aucune_thematique_offerte'

/** Says which thématiques the structure offers from now on: mandats already signed stay, new ones are held to it (case 45). */
export const setThematiques = (
  db: Db,
  by: Who & { kind: 'referent' },
  offertes: readonly Thematique[],
): Promise<{ ok: true } | { ok: false; refusal: ThematiquesRefusal }> =>
  db.tx(by, async (tx) => {
    if (offertes.length === 0) return { ok: false, refusal: 'aucune_thematique_offerte' }
    const desactivees = THEMATIQUES.filter((thematique) => !offertes.includes(thematique))
    const [before] = await tx.sql<{ desactivees: Thematique[] }[]>`
      select thematiques_desactivees as desactivees
      from structure
      where id = ${by.structureId}
      for no key update`
    if (perimetreDe(before!.desactivees).join() === desactivees.join()) return { ok: true }

    await append(tx, {
      action: 'structure_modifiee',
      structureId: by.structureId,
      contenu: { thematiques_desactivees: desactivees },
    })
    await tx.sql`update structure set thematiques_desactivees = ${desactivees} where id = ${by.structureId}`
    return { ok: true }
  })
