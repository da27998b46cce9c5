import type { Tx } from '../db.ts'
import { inclusionRanges, rangeHash } from './merkle.ts'
import type { Vkey } from './note.ts'
import { isTemoigne, type Policy } from './policy.ts'
import { extraOf, proofText } from './proof.ts'
import { findFirstPoint, findLeaf, findPoint, listTemoignages, listTemoignes, type Point, readNodes } from './tree-queries.ts'
import type { Content } from './verify.ts'

/** Whose tree it is: its key, and which witnesses make a checkpoint « témoigné ». Undefined where the journal has no tree. */
export type Log = { signer: { vkey: Vkey }; policy: Policy } | undefined
export type ProveRefusal = 'ligne_inconnue' | 'pas_encore_rangee'
/** `preuve`: the text of a `.tlog-proof`. */
export type Proven = { ok: true; preuve: string; index: number; size: number } | { ok: false; refusal: ProveRefusal }

/** A checkpoint with the cosignatures we have of it, as it is served and put in proofs. */
export async function cosignedNote(tx: Tx, { taille, note }: Pick<Point, 'taille' | 'note'>): Promise<string> {
  const lines = await listTemoignages(tx, taille)
  return note + lines.map(({ ligne }) => ligne).join('')
}

/**
 * Where this line is in the tree, and the checkpoint that answers for it: the last that the policy's witnesses have seen, or the last of all when
 * they have not seen this line yet; `depuis`: the first that covers it, since when it is what it was. Undefined while it has no place.
 */
export async function findProtection(tx: Tx, journalId: number, log: Log) {
  const leaf = log && (await findLeaf(tx, journalId))
  if (!leaf) return undefined
  const seen = (await listTemoignes(tx, leaf.leafIndex)).find(({ temoins }) => isTemoigne(log.policy, temoins))
  const point = await findPoint(tx, seen?.taille)
  const depuis = await findFirstPoint(tx, leaf.leafIndex)
  return point && depuis && { index: leaf.leafIndex, point, depuis: depuis.createdAt, temoigne: seen !== undefined }
}

/** The proof that this line is in the tree, with its bytes, and with `content`: what its reader may read of its facts. */
export async function proveLine(tx: Tx, journalId: number, log: Log, content: Content): Promise<Proven> {
  const [line] = await tx.sql<{ id: number; entry: Buffer }[]>`select id, entry from journal where id = ${journalId}`
  return line ? proveEntry(tx, line, log, content) : { ok: false, refusal: 'ligne_inconnue' }
}

/** The same of a line that the caller holds, and may not read in the journal. */
export async function proveEntry(
  tx: Tx,
  { id, entry }: { id: number; entry: Buffer },
  log: Log,
  content: Content,
): Promise<Proven> {
  const found = await findProtection(tx, id, log)
  if (!log || !found) return { ok: false, refusal: 'pas_encore_rangee' }
  const { index, point } = found
  const ranges = inclusionRanges(index, point.taille)
  const nodes = await readNodes(tx, point.taille, ranges)
  const preuve = proofText({
    extra: extraOf(log.signer.vkey, { index, id, entry: entry.toString(), content }),
    index,
    path: ranges.map((range) => rangeHash(range, nodes)),
    signed: await cosignedNote(tx, point),
  })
  return { ok: true, preuve, index, size: point.taille }
}
