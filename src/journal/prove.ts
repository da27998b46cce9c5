import type { Tx } from '../db.ts'
import { type Hash, inclusionRanges, rangeHash } from './merkle.ts'
import { isTemoigne, type Policy } from './policy.ts'
import { proofText } from './proof.ts'
import { findLeaf, findPoint, listTemoignages, listTemoignes, type Point, readNodes } from './tree-queries.ts'

export type ProveRefusal = 'ligne_inconnue' | 'pas_encore_rangee'
export type Proven = { ok: true; proof: string; index: number; leaf: Hash; size: number } | { ok: false; refusal: ProveRefusal }

/** A checkpoint with the cosignatures we have of it, as it is served and put in proofs. */
export async function cosignedNote(tx: Tx, { taille, note }: Pick<Point, 'taille' | 'note'>): Promise<string> {
  const lines = await listTemoignages(tx, taille)
  return note + lines.map(({ ligne }) => ligne).join('')
}

/**
 * The proof (tlog-proof) that this line is in the tree: under the last checkpoint that the policy's witnesses have seen, or the last of all when
 * they have not seen this line yet.
 */
export async function proveLine(tx: Tx, journalId: number, policy: Policy): Promise<Proven> {
  const leaf = await findLeaf(tx, journalId)
  if (!leaf) {
    const [line] = await tx.sql`select 1 from journal where id = ${journalId}`
    return { ok: false, refusal: line ? 'pas_encore_rangee' : 'ligne_inconnue' }
  }
  const seen = (await listTemoignes(tx, leaf.leafIndex)).find(({ temoins }) => isTemoigne(policy, temoins))
  const point = await findPoint(tx, seen?.taille)
  if (!point) return { ok: false, refusal: 'pas_encore_rangee' }
  const ranges = inclusionRanges(leaf.leafIndex, point.taille)
  const nodes = await readNodes(tx, point.taille, ranges)
  const path = ranges.map((range) => rangeHash(range, nodes))
  const signed = await cosignedNote(tx, point)
  const proof = proofText({ index: leaf.leafIndex, path, signed })
  return { ok: true, proof, index: leaf.leafIndex, leaf: leaf.hash, size: point.taille }
}
