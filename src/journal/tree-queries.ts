import type { Tx } from '../db.ts'
import { type Hash, peaksOf, type Range } from './merkle.ts'
import type { RestaurationGardee } from './restauration.ts'
import { nodesFrom, type Tile, tilesFor, WIDTH, widthIn } from './tiles.ts'

export type Point = { taille: number; racine: Hash; note: string; createdAt: Date }
export type Temoignage = { temoin: string; ligne: string; vuAt: Date }

/** The last checkpoint, or the one of this size. */
export async function findPoint(tx: Tx, taille?: number): Promise<Point | undefined> {
  const [point] = await tx.sql<Point[]>`
    select taille, racine, note, created_at
    from journal_point
    where ${taille === undefined ? tx.sql`true` : tx.sql`taille = ${taille}`}
    order by taille desc
    limit 1`
  return point
}

export const listTemoignages = (tx: Tx, taille: number): Promise<Temoignage[]> =>
  tx.sql<Temoignage[]>`
    select temoin, ligne, vu_at
    from journal_temoignage
    where taille = ${taille}
    order by temoin`

/** Checkpoints after the last restore: those before are under another name, of which nothing is said any more. */
const underItsName = (tx: Tx) => tx.sql`taille > (select coalesce(max(rang), -1) from journal_restaurations())`

/** The last checkpoint that each witness cosigned. */
export const listLastTemoignages = (tx: Tx): Promise<(Temoignage & { taille: number })[]> =>
  tx.sql<(Temoignage & { taille: number })[]>`
    select distinct on (temoin) temoin, taille, ligne, vu_at
    from journal_temoignage
    where ${underItsName(tx)}
    order by temoin, taille desc`

/** The checkpoints over this leaf that some witness cosigned, the last first: which, and by whom. */
export const listTemoignes = (tx: Tx, index: number): Promise<{ taille: number; temoins: string[] }[]> =>
  tx.sql<{ taille: number; temoins: string[] }[]>`
    select taille, array_agg(temoin) as temoins
    from journal_temoignage
    where taille > ${index} and ${underItsName(tx)}
    group by taille
    order by taille desc
    limit 100`

/** The first checkpoint over this leaf. */
export async function findFirstPoint(tx: Tx, index: number): Promise<Pick<Point, 'createdAt'> | undefined> {
  const [point] = await tx.sql<Pick<Point, 'createdAt'>[]>`
    select created_at
    from journal_point
    where taille > ${index} and ${underItsName(tx)}
    order by taille
    limit 1`
  return point
}

/** Every restore of this database, oldest first, each with its rank when it has its leaf. */
export const listRestaurations = (tx: Tx): Promise<(RestaurationGardee & { at: Date; rang: number | null })[]> =>
  tx.sql<(RestaurationGardee & { at: Date; rang: number | null })[]>`
    select ligne, at, rang, payload, salt
    from journal_restaurations()`

export async function findLeaf(tx: Tx, journalId: number): Promise<{ leafIndex: number; hash: Hash } | undefined> {
  const [leaf] = await tx.sql<{ leafIndex: number; hash: Hash }[]>`
    select leaf_index, hash
    from journal_feuille
    where journal_id = ${journalId}`
  return leaf
}

/** The hashes of one tile, whole or partial; undefined when the tree does not have that many. */
export async function findTile(tx: Tx, { level, index, width }: Tile): Promise<Buffer | undefined> {
  const [first, last] = [index * WIDTH, index * WIDTH + width - 1]
  const [row] =
    width === WIDTH
      ? await tx.sql<{ hashes: Buffer | null }[]>`
          select hashes
          from journal_tuile
          where niveau = ${level} and numero = ${index}`
      : level === 0
        ? await tx.sql<{ hashes: Buffer | null }[]>`
            select string_agg(hash, ''::bytea order by leaf_index) as hashes
            from journal_feuille
            where leaf_index between ${first} and ${last}`
        : await tx.sql<{ hashes: Buffer | null }[]>`
            select string_agg(racine, ''::bytea order by numero) as hashes
            from journal_tuile
            where niveau = ${level - 1} and numero between ${first} and ${last}`
  return row?.hashes?.length === width * 32 ? row.hashes : undefined
}

/** What these ranges of the tree of this size are computed from. */
export async function readNodes(tx: Tx, size: number, ranges: readonly Range[]) {
  const tiles = tilesFor(size, ranges)
  const hashes = await Promise.all(tiles.map((tile) => findTile(tx, tile)))
  return nodesFrom(tiles.flatMap((tile, i) => (hashes[i] ? [{ ...tile, hashes: hashes[i] }] : [])))
}

/** The tree as it stands: what `growTree` and `collectTiles` go on from. */
export async function readTree(tx: Tx): Promise<{ size: number; peaks: Hash[]; open: Buffer[] }> {
  const [row] = await tx.sql<{ size: number }[]>`
    select coalesce(max(leaf_index) + 1, 0) as size
    from journal_feuille`
  const { size } = row!
  const open: Buffer[] = []
  for (let level = 0; WIDTH ** level <= size; level++) {
    const index = Math.floor(size / WIDTH ** (level + 1))
    const width = widthIn(size, level, index)
    open.push(width === 0 ? Buffer.alloc(0) : (await findTile(tx, { level, index, width }))!)
  }
  const nodes = await readNodes(tx, size, size === 0 ? [] : [[0, size]])
  return { size, peaks: peaksOf(size).map(({ level, index }) => nodes(level, index)), open }
}

/** Lines that wait for their leaf, and the age of the oldest in seconds. */
export async function findRetard(tx: Tx): Promise<{ enAttente: number; secondes: number }> {
  const [retard] = await tx.sql<{ enAttente: number; secondes: number }[]>`
    select en_attente, secondes
    from journal_retard()`
  return retard!
}
