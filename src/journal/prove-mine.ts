import type { Tx } from '../db.ts'
import { type Hash, inclusionRanges, rangeHash } from './merkle.ts'
import { isTemoigne, type Policy } from './policy.ts'
import { type ProvenLine, proofText } from './proof.ts'
import { cosignedNote } from './prove.ts'
import { findPoint, listTemoignes, readNodes } from './tree-queries.ts'

/** What one file holds at most: more than a person's life here. */
const MOST = 2_000

/**
 * Every line about the calling person, her contents, and its proof under one checkpoint: the last that the policy says is witnessed, or the last of
 * all. Row-level security says which lines and which contents; a line that came since has no proof yet. undefined when nothing is signed.
 */
export async function proveMine(
  tx: Tx,
  usagerIds: readonly string[],
  policy: Policy,
): Promise<{ lignes: ProvenLine[]; signedAt: Date; temoigne: boolean } | undefined> {
  const seen = (await listTemoignes(tx, 0)).find(({ temoins }) => isTemoigne(policy, temoins))
  const point = await findPoint(tx, seen?.taille)
  if (!point) return undefined
  const rows = await tx.sql<
    { id: number; entry: Buffer; payload: string | null; salt: Buffer | null; leafIndex: number; hash: Hash }[]
  >`
    select j.id, j.entry, c.payload, c.salt, f.leaf_index, f.hash
    from journal j
    join journal_feuille f on f.journal_id = j.id
    left join journal_contenu c on c.journal_id = j.id
    where j.usager_id = any (${tx.sql.array([...usagerIds])}::uuid[]) and f.leaf_index < ${point.taille}
    order by j.id desc
    limit ${MOST}`
  const paths = rows.map(({ leafIndex }) => inclusionRanges(leafIndex, point.taille))
  const nodes = await readNodes(tx, point.taille, paths.flat())
  const signed = await cosignedNote(tx, point)
  const lignes = rows.map(({ id, entry, payload, salt, leafIndex }, i) => ({
    numero: id,
    octets: entry.toString('utf8'),
    ...(payload !== null && salt && { faits: payload, sel: salt.toString('base64url') }),
    preuve: proofText({ index: leafIndex, path: paths[i]!.map((range) => rangeHash(range, nodes)), signed }),
  }))
  return { lignes: lignes.reverse(), signedAt: point.createdAt, temoigne: seen !== undefined }
}
