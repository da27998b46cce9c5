import type { Db, Tx } from '../db.ts'

/** Why a person is erased: her term has come, or the DPO decided so (art. 17 GDPR). A closed list: the line's content says it. */
export const MOTIFS_EFFACEMENT = ['conservation', 'demande', 'decision', 'erreur'] as const
export type MotifEffacement = (typeof MOTIFS_EFFACEMENT)[number]

export type EraseRefusal = 'personne_inconnue' | 'mandat_en_cours' | 'conservation'
/** How many of each thing were emptied: lines of the journal, accords, démarches, openings of her dossier, messages. */
export type EraseCounts = { lignes: number; mandats: number; demarches: number; acces: number; messages: number }
export type Erased =
  /** `ligne`: the line of the journal that says so. `counts`: null when she was erased already, and nothing is done. */
  | { ok: true; usagerId: string; le: Date; ligne: number; counts: EraseCounts | null }
  /** `le`: until when she is kept. */
  | { ok: false; refusal: EraseRefusal; le: Date | null }

/**
 * Erases a person, found by her number or by that of one of her mandats, as the database's one function does and counts it. Without `confirmed` the
 * same is done, then undone: it says what would be.
 */
export async function eraseUsager(
  db: Db,
  { numero, motif, confirmed }: { numero: string; motif: MotifEffacement; confirmed: boolean },
): Promise<Erased> {
  const rehearsed: { erased?: Erased } = {}
  return db
    .tx({ kind: 'operator' }, async (tx) => {
      const erased = await erase(tx, numero, motif)
      if (!erased.ok || !erased.counts || confirmed) return erased
      throw Object.assign(rehearsed, { erased })
    })
    .catch((error) => {
      if (error !== rehearsed) throw error
      return rehearsed.erased!
    })
}

async function erase(tx: Tx, numero: string, motif: MotifEffacement): Promise<Erased> {
  const [row] = await tx.sql<({ usagerId: string; refus: EraseRefusal | null; le: Date | null; ligne: number } & EraseCounts)[]>`
    select m.usager_id, e.refus, e.le, e.ligne, e.lignes, e.mandats, e.demarches, e.acces, e.messages
    from (select usager_id from mandat where id = ${numero} or usager_id = ${numero} limit 1) m, efface(m.usager_id, ${motif}) e`
  if (!row || row.refus) return { ok: false, refusal: row?.refus ?? 'personne_inconnue', le: row?.le ?? null }
  const { usagerId, le, ligne, refus: _, ...counts } = row
  // Told without a count, the erasure is an earlier one.
  return { ok: true, usagerId, le: le!, ligne, counts: counts.lignes === null ? null : counts }
}
