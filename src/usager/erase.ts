import type { Db, Tx } from '../db.ts'

/** Why a person is erased: her term has come, or the DPO decided so (art. 17 GDPR). A closed list: the line's content says it. */
export const MOTIFS_EFFACEMENT = ['conservation', 'demande', 'decision', 'erreur'] as const
export type MotifEffacement = (typeof MOTIFS_EFFACEMENT)[number]

type Demande = { numero: string; motif: MotifEffacement; seule?: boolean | undefined }
export type EraseRefusal = 'personne_inconnue' | 'mandat_en_cours' | 'conservation'
/** How many of each thing were emptied: lines of the journal, accords, démarches, openings of her dossier, messages. */
type EraseCounts = { lignes: number; mandats: number; demarches: number; acces: number; messages: number }
type Erased =
  /**
   * `usagerIds`: her identities that are erased, first the one found. `ligne`: the line of the journal that says so of that one. `counts`: null when
   * it was erased already, and nothing is done.
   */
  | { ok: true; usagerIds: string[]; le: Date; ligne: number; counts: EraseCounts | null }
  /** `le`: until when she is kept. */
  | { ok: false; refusal: EraseRefusal; le: Date | null }

/**
 * Erases a person under all her identities, found by the number of one or by that of one of her mandats, as the database's one function does and
 * counts it; `seule`: that identity and no other, to do again what a restoration lost. Without `confirmed` the same is done, then undone: it says
 * what would be.
 */
export async function eraseUsager(
  db: Db,
  { numero, motif, confirmed, seule }: Demande & { confirmed: boolean },
): Promise<Erased> {
  const rehearsed: { erased?: Erased } = {}
  return db
    .tx({ kind: 'operator' }, async (tx) => {
      const erased = await erase(tx, { numero, motif, seule })
      if (!erased.ok || !erased.counts || confirmed) return erased
      throw Object.assign(rehearsed, { erased })
    })
    .catch((error) => {
      if (error !== rehearsed) throw error
      return rehearsed.erased!
    })
}

async function erase(tx: Tx, { numero, motif, seule }: Demande): Promise<Erased> {
  const [row] = await tx.sql<
    ({ usagerIds: string[]; refus: EraseRefusal | null; le: Date | null; ligne: number } & EraseCounts)[]
  >`
    select ${seule ? tx.sql`array[m.usager_id]` : tx.sql`e.usagers`} as usager_ids, e.refus, e.le, e.ligne, e.lignes, e.mandats, e.demarches, e.acces, e.messages
    from (select coalesce((select usager_id from mandat where id = ${numero}), ${numero}) as usager_id) m,
      ${tx.sql(seule ? 'efface_identite' : 'efface')}(m.usager_id, ${motif}) e`
  const { usagerIds, le, ligne, refus, ...counts } = row!
  if (refus) return { ok: false, refusal: refus, le }
  // Told without a count, the erasure is an earlier one.
  return { ok: true, usagerIds, le: le!, ligne, counts: counts.lignes === null ? null : counts }
}
