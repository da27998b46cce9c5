import { failure, isDown } from './call.ts'

/** So many operations in a row that the provider failed, and nothing is asked of it for so long; then one is let through to try. */
const FAILURES = 5
const REST_MS = 30_000

/**
 * Spares a provider that does not answer, and the person the wait. An operation counts as failed when a call of it did not come back, or
 * came back with the provider's own failure; whatever it answered otherwise, right or wrong, says that it is there. Only our calls count:
 * anyone may send a browser back with `error=server_error`.
 */
export function openBreaker() {
  let failures = 0
  let closedUntil = 0
  let trying = false

  const settle = (down: boolean) => {
    trying = false
    failures = down ? failures + 1 : 0
    if (failures >= FAILURES) closedUntil = performance.now() + REST_MS
  }

  return {
    /** True while the provider is left alone. */
    isOpen: () => failures >= FAILURES,

    /** Runs an operation made of calls; `down` in what it gives means that it failed all the same. Throws a `failure` without running it while the provider is left alone. */
    async pass<T extends object>(operation: () => Promise<T>): Promise<T> {
      if (failures >= FAILURES) {
        if (trying || performance.now() < closedUntil) throw failure({ refusal: 'indisponible', cause: 'breaker:open' })
        trying = true
      }
      try {
        const done = await operation()
        settle('down' in done && done.down === true)
        return done
      } catch (error) {
        settle(isDown(error))
        throw error
      }
    },
  }
}
