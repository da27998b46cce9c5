import type { Db, Tx } from '../db.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { Vkey } from './note.ts'
import { listRestaurations } from './tree-queries.ts'
import { openAudit, type PointRecord, type Verified } from './verify.ts'
import { checkAccords, checkCles } from './verify-accords.ts'
import {
  FACT_SORTS,
  findExtent,
  findLastPoint,
  findWrongFact,
  listLeaves,
  listPoints,
  listTiles,
  listWaiting,
  type Reading,
} from './verify-queries.ts'

const PAGE = 4_096
const IDS = 50_000

/**
 * Verifies the journal of a database as its auditor, or its administrator, reads it: leaves in order, tiles, checkpoints, cosignatures, contents,
 * counters, then each line that waits, each fact and each accord. Stops at the first fault. Short transactions: a service goes on beside it.
 */
export async function verifyDatabase(
  db: Db,
  options: { log: Vkey; reading: Reading; seen?: readonly Checkpoint[]; progress?: (lignes: number, of: number) => void },
): Promise<Verified> {
  const { log, reading, seen = [], progress = () => {} } = options
  const read = <T>(work: (tx: Tx) => Promise<T>) => db.tx({ kind: 'operator' }, work, { retryable: true })
  const audit = openAudit({ log, seen, restaurations: await read(listRestaurations), tiles: true })
  const { done } = audit

  // Lines go on being written: everything is compared with what there was at this moment.
  const { size, lastId, horizon, last } = await read(async (tx) => ({ ...(await findExtent(tx)), last: await findLastPoint(tx) }))
  /** Said when it is waited for, if it ever is. */
  const beside = <T>(work: Promise<T>) => {
    work.catch(() => {})
    return work
  }
  const readPage = (from: number) =>
    read(async (tx) => {
      const upto = Math.min(from + PAGE, size)
      const [leaves, points, ...tiles] = await Promise.all([
        listLeaves(tx, from, upto, reading),
        listPoints(tx, from, upto),
        ...levelsOf(upto).map((level) => listTiles(tx, level, ...tilesBetween(from, upto, level))),
      ])
      return { upto, leaves, points, tiles }
    })
  // The database works beside us: on the facts, and on the page after the one that is hashed here.
  const facts = beside(findFirstWrongFact(read, lastId))
  let coming = beside(readPage(0))
  for (let from = 0; from < size; from += PAGE) {
    const page = await coming
    const { upto } = page
    if (upto < size) coming = beside(readPage(upto))
    const points = [...page.points]
    let next: PointRecord | undefined = points.shift()
    for (const leaf of page.leaves) {
      if ('gone' in leaf) return done({ kind: 'ligne_effacee', ligne: leaf.id, rang: leaf.index })
      const fault = audit.leaf(leaf)
      if (fault) return done(fault)
      while (next && next.taille <= audit.size) {
        const wrong = audit.point(next)
        if (wrong) return done(wrong)
        next = points.shift()
      }
    }
    if (audit.size < upto) return done({ kind: 'rang_manquant', rang: audit.size, ligne: page.leaves.at(-1)?.id, ou: 'apres' })
    for (const [level, tiles] of page.tiles.entries()) {
      const [first, end] = tilesBetween(from, upto, level)
      for (const tile of tiles) {
        const fault = audit.tile(tile)
        if (fault) return done(fault)
      }
      if (tiles.length !== end - first) return done({ kind: 'tuile_manquante', ou: `${level}` })
    }
    progress(upto, size)
  }
  if (last > size) return done({ kind: 'rang_manquant', rang: size, ou: 'apres' })

  // With those that came meanwhile: one of them may say that contents just read as gone were erased.
  const { lastId: lastNow } = await read(findExtent)
  for (let after = 0; after < lastNow; after += IDS) {
    const range = { after, upto: Math.min(after + IDS, lastNow), size, horizon, reading }
    for (const { record, settled } of await read((tx) => listWaiting(tx, range))) {
      const fault = audit.waiting(record, settled)
      if (fault) return done(fault)
    }
  }
  const fault = audit.end()
  if (fault) return done(fault)

  const wrong = await facts
  if (wrong)
    return done({
      kind: wrong.redated ? 'fait_redate' : 'fait_sans_ligne',
      ligne: wrong.line ?? undefined,
      ou: `${wrong.table} ${wrong.id}`,
    })
  for (let after = 0; after < lastId; after += IDS) {
    const changed = await read((tx) => checkAccords(tx, after, Math.min(after + IDS, lastId), reading))
    if (changed) return done(changed)
  }
  return done(await read((tx) => checkCles(tx, reading)))
}

/** Sort after sort, by lines, so that both sides are read in order. */
async function findFirstWrongFact(read: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>, lastId: number) {
  for (const sort of FACT_SORTS) {
    const lost = await read((tx) => findWrongFact(tx, sort, 'aucune'))
    if (lost) return lost
    // To both ends of the numbers: a fact may say a line that there never was.
    for (let after = Number.MIN_SAFE_INTEGER, upto = IDS; after < lastId; after = upto, upto += IDS) {
      const range = { after, upto: upto < lastId ? upto : Number.MAX_SAFE_INTEGER }
      const wrong = await read((tx) => findWrongFact(tx, sort, range))
      if (wrong) return wrong
    }
  }
  return undefined
}

/** The levels that have a full tile in a tree of this size. */
const levelsOf = (size: number) => {
  const levels: number[] = []
  for (let level = 0; 256 ** (level + 1) <= size; level++) levels.push(level)
  return levels
}
/** The tiles of this level that are filled by leaves from..upto-1. */
const tilesBetween = (from: number, upto: number, level: number): [from: number, upto: number] => [
  Math.floor(from / 256 ** (level + 1)),
  Math.floor(upto / 256 ** (level + 1)),
]
