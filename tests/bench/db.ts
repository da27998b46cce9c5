import { openDb } from '../../src/db.ts'

export type Later = { ratio: number; firstMicroseconds: number; laterMicroseconds: number; asked: number }

/** Processor time of one `ask` after `total` of them against the first ones, 40 at a time: more than there are connections. */
export async function costLater(ask: () => Promise<unknown>, total: number): Promise<Later> {
  const sample = Math.ceil(total / 40)
  let asked = 0
  const microsecondsEach = async (count: number) => {
    const before = process.cpuUsage()
    let left = count
    await Promise.all(
      Array.from({ length: 40 }, async () => {
        while (left-- > 0) await ask()
      }),
    )
    asked += count
    const spent = process.cpuUsage(before)
    return (spent.user + spent.system) / count
  }
  // The cheapest of a few samples: the machine has other things to do.
  const cheapest = async () => {
    const samples = []
    for (let n = 0; n < 4; n++) samples.push(await microsecondsEach(sample))
    return Math.min(...samples)
  }
  await microsecondsEach(2 * sample) // the engine compiles what it will run
  const firstMicroseconds = await cheapest()
  await microsecondsEach(total - 10 * sample)
  const laterMicroseconds = await cheapest()
  return { ratio: laterMicroseconds / firstMicroseconds, firstMicroseconds, laterMicroseconds, asked }
}

/** 200,000 queries through the layer (four per transaction: begin, context, the query, commit), the last against the first. */
export async function queriesLater(url: string): Promise<Later> {
  const db = openDb({ url, waitMs: 30_000 })
  try {
    return await costLater(() => db.tx({ kind: 'worker' }, (tx) => tx.sql`select 1`), 50_000)
  } finally {
    await db.close()
  }
}
