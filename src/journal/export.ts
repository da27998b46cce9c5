import type { Db, Tx } from '../db.ts'
import { bundleEnd, bundleHead, bundleLeaf, bundlePoint, bundleWaiting } from './bundle.ts'
import type { Vkey } from './note.ts'
import { listRestaurations } from './tree-queries.ts'
import { findExtent, listLeaves, listPoints, listSlices, listWaiting, type Reading } from './verify-queries.ts'

const PAGE = 2_048

/**
 * The whole journal as a bundle, piece by piece. With contents only for whoever may read them all, and asked to: they are what the law lets be
 * erased, and a bundle is not.
 */
export async function* exportJournal(db: Db, { log, contenus }: { log: Vkey; contenus: boolean }): AsyncGenerator<string> {
  const read = <T>(work: (tx: Tx) => Promise<T>) => db.tx({ kind: 'operator' }, work, { retryable: true })
  const reading: Reading = contenus ? 'contenus' : 'empreintes'
  const { size, horizon } = await read(findExtent)
  let points = 0
  yield bundleHead(log, await read(listRestaurations))
  for (let from = 0; from < size; from += PAGE) {
    const upto = Math.min(from + PAGE, size)
    const page = await read(async (tx) => ({
      leaves: await listLeaves(tx, from, upto, reading),
      points: await listPoints(tx, from, upto),
    }))
    const pending = [...page.points]
    let text = ''
    for (const leaf of page.leaves) {
      if ('gone' in leaf) continue
      text += bundleLeaf(leaf)
      while (pending[0] && pending[0].taille <= leaf.index + 1) {
        text += bundlePoint(pending.shift()!)
        points++
      }
    }
    yield text
  }
  // With those that came meanwhile: one of them may say that contents just exported as gone were erased.
  for (const numbers of await listSlices(read)) {
    const waiting = await read((tx) => listWaiting(tx, { ...numbers, size, horizon, reading }))
    yield waiting.map(({ record }) => bundleWaiting(record)).join('')
  }
  yield bundleEnd(size, points)
}
