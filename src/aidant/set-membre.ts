import type { Db, Who } from '../db.ts'
import { append, type NewLine } from '../journal/append.ts'
import { type Equipe, type Geste, type GesteRefusal, refusalOfGeste } from './equipe.ts'
import { findMembre, holdEquipe, listAutresReferents } from './equipe-queries.ts'

export type SetRefusal = GesteRefusal | 'introuvable'
type Set = { ok: true } | { ok: false; refusal: SetRefusal }

const LIGNE = {
  suspendre: { action: 'aidant_suspendu', contenu: { cause: 'referent' } },
  retablir: { action: 'aidant_retabli', contenu: {} },
  designer: { action: 'structure_modifiee', contenu: { equipe: 'referent_designe' satisfies Equipe } },
  retirer: { action: 'structure_modifiee', contenu: { equipe: 'referent_retire' satisfies Equipe } },
} as const satisfies Record<Geste, Pick<NewLine, 'action' | 'contenu'>>

/** Suspends someone in the calling référent's structure, brings her back, names her référent or no longer, with its line. */
export const setMembre = (
  db: Db,
  by: Who & { kind: 'referent' },
  { aidantId, geste }: { aidantId: string; geste: Geste },
): Promise<Set> =>
  db.tx(by, async (tx) => {
    await holdEquipe(tx, aidantId, by.structureId)
    const membre = await findMembre(tx, aidantId)
    if (!membre) return { ok: false, refusal: 'introuvable' }
    const others = await listAutresReferents(tx, aidantId)
    const refusal = refusalOfGeste(membre, geste, others.length === 0)
    if (refusal) return { ok: false, refusal }
    await append(tx, { ...LIGNE[geste], structureId: by.structureId, cibleAidantId: aidantId })
    await tx.sql`select changer_habilitation(${aidantId}, ${by.structureId}, ${geste})`
    return { ok: true }
  })
