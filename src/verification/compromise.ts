import type { Db } from '../db.ts'
import { append } from '../journal/append.ts'

export type CompromiseRefusal = 'cle_inconnue' | 'heure_a_venir' | 'journal_sans_point' | 'coupure_plus_tard'
type Declared = { ok: true; coupure: number; coupes: number } | { ok: false; refusal: CompromiseRefusal }

/**
 * Declares that a seal key was stolen: what it sealed counts only when its line was in the tree by then, that is among the lines of the last checkpoint of
 * that moment (`sure`: the last at which the key was safe; now without it). `coupes`: how many mandats this leaves out.
 */
export const declareCompromise = (db: Db, { kid, sure }: { kid: string; sure?: Date | undefined }): Promise<Declared> =>
  db.tx({ kind: 'operator' }, async (tx) => {
    const [cle] = await tx.sql<{ coupure: number | null }[]>`select coupure from cle where kid = ${kid} for no key update`
    if (!cle) return { ok: false, refusal: 'cle_inconnue' }
    if (sure && sure > tx.now) return { ok: false, refusal: 'heure_a_venir' }
    const [point] = await tx.sql<{ taille: number }[]>`
      select taille
      from journal_point
      where created_at <= coalesce(${sure ?? null}::timestamptz, horloge())
      order by taille desc
      limit 1`
    if (!point) return { ok: false, refusal: 'journal_sans_point' }
    const { taille: coupure } = point
    if (cle.coupure !== null && coupure > cle.coupure) return { ok: false, refusal: 'coupure_plus_tard' }
    const line = await append(tx, { action: 'cle_compromise', contenu: { kid, coupure } })
    await tx.sql`
      update cle
      set coupure = ${coupure}, coupure_journal_id = ${line.id}
      where kid = ${kid}`
    const [left] = await tx.sql<{ coupes: number }[]>`select mandats_coupes() as coupes`
    return { ok: true, coupure, coupes: left!.coupes }
  })
