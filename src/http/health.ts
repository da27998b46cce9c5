import { Hono } from 'hono'
import type { Db } from '../db.ts'
import type { Env } from './env.ts'
import { failure, type Log } from './log.ts'
import { publicPage } from './rules.ts'

/** Beyond it, what providers sign seems expired or yet to come. */
const MAX_SKEW_MS = 2_000

/** `/livez`: the process answers. `/readyz`: it may be sent requests: not draining, database reachable, clocks in agreement. */
export const healthRoutes = ({ db, log }: { db: Db; log: Log }): Hono<Env> =>
  new Hono<Env>()
    .get('/livez', publicPage, (c) => c.text('ok'))
    .get('/readyz', publicPage, async (c) => {
      const state = c.env?.draining?.() ? 'arret' : await databaseState(db, log)
      return c.json({ etat: state }, state === 'pret' ? 200 : 503)
    })

async function databaseState(db: Db, log: Log): Promise<'pret' | 'base' | 'horloge'> {
  const before = Date.now()
  try {
    const now = await db.tx({ kind: 'portier' }, async (tx) => tx.now.getTime())
    // Exact within the time the question took.
    const skew = Math.max(before - now, now - Date.now())
    return skew < MAX_SKEW_MS ? 'pret' : 'horloge'
  } catch (error) {
    log('warn', { event: 'base_injoignable', ...failure(error) })
    return 'base'
  }
}
