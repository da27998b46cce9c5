import type { Db, Who } from '../db.ts'
import { type ActingRow, type Brouillon, findActing, findBrouillon } from '../mandat/brouillon-queries.ts'
import { readConditions } from '../mandat/conditions.ts'
import { expiresAt } from '../mandat/mandat.ts'
import { TEXTE_COURANT } from '../mandat/texte.ts'
import { type Ligne, lignesDuTexte } from './papier.ts'

export type Apercu = {
  brouillon: Brouillon
  acting: ActingRow
  version: string
  thematiques: readonly Ligne[]
  /** If it were signed now. */
  fin: Date
  now: Date
}

/** What would be printed if this draft were signed now; undefined when it is not hers. Nothing is written: nothing exists yet. */
export const previewMandat = (db: Db, by: Who & { kind: 'aidant' }, brouillonId: string): Promise<Apercu | undefined> =>
  db.tx(by, async (tx) => {
    const brouillon = await findBrouillon(tx, brouillonId)
    const acting = await findActing(tx)
    if (!brouillon || !acting) return undefined
    const version = (brouillon.conditions && readConditions(brouillon.conditions)?.texte.version) || TEXTE_COURANT
    return {
      brouillon,
      acting,
      version,
      thematiques: lignesDuTexte(version, brouillon.granted ?? brouillon.perimetre),
      fin: expiresAt(tx.now, brouillon.duree, acting.fuseau),
      now: tx.now,
    }
  })
