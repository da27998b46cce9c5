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
