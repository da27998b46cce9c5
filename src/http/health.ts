import { Hono } from 'hono'
import type { Db } from '../db.ts'
import type { Env } from './env.ts'
import { failure, type Log } from './log.ts'
import { publicPage } from './rules.ts'

/** Beyond it, what providers sign seems expired or yet to come. */
const MAX_SKEW_MS = 2_000

/** Beyond it, lines have waited so long for their place in the tree that someone must come: recording goes on, unprotected. */
const MAX_RETARD_S = 300

/**
 * `/livez`: the process answers. `/readyz`: it may be sent requests: not draining, database reachable, clocks in agreement and, where the journal
 * is `sequenced`, its lines placed in time.
 */
export const healthRoutes = ({ db, log, sequenced = false }: { db: Db; log: Log; sequenced?: boolean }): Hono<Env> =>
  new Hono<Env>()
    .get('/livez', publicPage, (c) => c.text('ok'))
    .get('/readyz', publicPage, async (c) => {
      const state = c.env?.draining?.() ? 'arret' : await databaseState(db, log, sequenced)
      return c.json({ etat: state }, state === 'pret' ? 200 : 503)
    })

async function databaseState(db: Db, log: Log, sequenced: boolean): Promise<'pret' | 'base' | 'horloge' | 'journal'> {
  const before = Date.now()
  try {
    const { now, answered } = await db.tx({ kind: 'portier' }, async (tx) => ({ now: tx.now.getTime(), answered: Date.now() }))
    // Exact within the time the question took.
    const skew = Math.max(before - now, now - answered)
    if (skew >= MAX_SKEW_MS) return 'horloge'
    if (!sequenced) return 'pret'
    const [retard] = await db.tx(
      { kind: 'portier' },
      (tx) => tx.sql<{ secondes: number }[]>`select secondes from journal_retard()`,
    )
    return retard!.secondes < MAX_RETARD_S ? 'pret' : 'journal'
  } catch (error) {
    log('warn', { event: 'base_injoignable', ...failure(error) })
    return 'base'
  }
}
