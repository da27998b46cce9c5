import { failure, type Log } from './http/log.ts'

/**
 * Does `turn` again and again, each waiting the milliseconds that the one before answered; it says its own failures and never rejects. `stop`
 * waits for the one that runs.
 */
export function startTurns(turn: () => Promise<number>): { stop(): Promise<void> } {
  let stopping = false
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void>
  const next = () => {
    running = turn().then((wait) => {
      if (!stopping) timer = setTimeout(next, wait)
    })
  }
  next()
  return {
    async stop() {
      stopping = true
      clearTimeout(timer)
      await running
    },
  }
}

/**
 * Does `work` for each in turn, and adds up what it answers. One that fails is said under this job's name and keeps nobody waiting: it is tried
 * again at the job's next turn.
 */
export async function oneByOne<T>(
  each: readonly T[],
  { job, log }: { job: string; log: Log },
  work: (one: T) => Promise<number>,
): Promise<number> {
  let count = 0
  for (const one of each)
    count += await work(one).catch((error: unknown) => {
      log('warn', { event: 'tache_echouee', reason: job, ...failure(error) })
      return 0
    })
  return count
}

/** Rows deleted by one statement: well under the time that it has, whatever a flood left behind. */
export const LOT = 5_000

/** Deletes lot after lot, each in its own transaction, until one is not full. */
export async function lotByLot(deleteLot: () => Promise<{ count: number }>): Promise<void> {
  while ((await deleteLot()).count === LOT);
}
