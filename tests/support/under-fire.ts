// node --import tsx under-fire.ts db|naive URL [DRIVER]: transactions in a process of their own, so that the test that breaks their
// connections can see whether the process survives. Once enough were lost and enough were served, whatever the time that takes, asks for a
// cease-fire (« calme »), then says what happened.
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { isUnavailable, openDb } from '../../src/db.ts'
import { naivePool } from './naive-pool.ts'

const [kind, url, driver] = process.argv.slice(2) as [string, string, string?]
const ENOUGH = 20
const pool =
  kind === 'db'
    ? openDb({ url, connections: 4, waitMs: 20_000 })
    : naivePool(url, 4, driver ? (await import(pathToFileURL(driver).href)).default : undefined)

const seen = { done: 0, lost: 0, other: [] as string[] }
const one = async () => {
  try {
    await pool.tx({ kind: 'worker' }, async (tx) => {
      await tx.sql`select 1`
      await tx.sql`select ${seen.done}::int`
    })
    seen.done++
  } catch (error) {
    if (isUnavailable(error)) seen.lost++
    else seen.other.push(String(error))
  }
}
await Promise.all(
  Array.from({ length: 16 }, async () => {
    while (seen.lost < ENOUGH || seen.done < ENOUGH) await one()
  }),
)
console.log('calme')
await sleep(500)
const during = { ...seen, other: [...new Set(seen.other)] }
await Promise.all(Array.from({ length: 16 }, one))
console.log(JSON.stringify({ during, servedAfter: seen.done - during.done }))
process.exit(0)
