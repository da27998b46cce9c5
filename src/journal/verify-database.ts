import type { Db, Tx } from '../db.ts'
import type { Vkey } from './note.ts'
import { listRestaurations } from './tree-queries.ts'
import { collectFaults, openAudit, type PointRecord, type SeenPoint, type Verified } from './verify.ts'
import { checkAccords, checkCles } from './verify-accords.ts'
import {
  FACT_SORTS,
  findExtent,
  listLeaves,
  listPoints,
  listSlices,
  listTiles,
  listWaiting,
  listWrongFacts,
  type Numbers,
  type Reading,
} from './verify-queries.ts'

const PAGE = 4_096

/**
 * Verifies the journal of a database as its auditor, or its administrator, reads it: leaves in order, tiles, checkpoints, cosignatures, contents,
 * counters, then each line that waits, each fact and each accord. Short transactions: a service goes on beside it.
 */
export async function verifyDatabase(
  db: Db,
  options: { log: Vkey; reading: Reading; seen?: readonly SeenPoint[]; progress?: (lignes: number, of: number) => void },
): Promise<Verified> {
  const { log, reading, seen = [], progress = () => {} } = options
  const read = <T>(work: (tx: Tx) => Promise<T>) => db.tx({ kind: 'operator' }, work, { retryable: true })
  const audit = openAudit({ log, seen, restaurations: await read(listRestaurations), tiles: true })

  // Lines go on being written: everything is compared with what there was at this moment.
  const { size, horizon, last } = await read(findExtent)
  const slices = await listSlices(read)
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
      return { upto, leaves, points, tiles: tiles.flat() }
    })
  // The database works beside us: on the facts, and on the page after the one that is hashed here.
  const facts = beside(wrongFacts(read, slices))
  let coming = beside(readPage(0))
  const pending: PointRecord[] = []
  for (let from = 0; from < size; from += PAGE) {
    const { upto, leaves, points, tiles } = await coming
    if (upto < size) coming = beside(readPage(upto))
    pending.push(...points)
    for (const leaf of leaves) {
      audit.leaf(leaf)
      while (pending[0] && pending[0].taille <= audit.size) audit.point(pending.shift()!)
    }
    audit.tiles(tiles)
    progress(upto, size)
  }
  // Over more than there is.
  for (const point of [...pending, ...(await read((tx) => listPoints(tx, size, last)))]) audit.point(point)

  // With those that came meanwhile: one of them may say that contents just read as gone were erased.
  for (const numbers of slices)
    for (const { record, settled } of await read((tx) => listWaiting(tx, { ...numbers, size, horizon, reading })))
      audit.waiting(record, settled)
  audit.end()

  const faults = await facts
  for (const numbers of slices) for (const fault of await read((tx) => checkAccords(tx, numbers, reading))) faults.add(fault)
  for (const fault of await read((tx) => checkCles(tx, reading))) faults.add(fault)
  audit.take(faults.all())
  return audit.done()
}

/** Sort after sort, by lines, so that both sides are read in order. */
async function wrongFacts(read: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>, slices: readonly Numbers[]) {
  const faults = collectFaults()
  const find = async (...of: [sort: number, lines: Parameters<typeof listWrongFacts>[2]]) => {
    for (const fault of await read((tx) => listWrongFacts(tx, ...of))) faults.add(fault)
  }
  for (const sort of FACT_SORTS) {
    await find(sort, 'aucune')
    for (const numbers of slices) await find(sort, numbers)
  }
  return faults
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
