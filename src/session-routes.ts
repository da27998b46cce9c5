import { type Context, Hono } from 'hono'
import { sessionsPage } from '../views/public/sessions.ts'
import type { Db, Who } from './db.ts'
import { as, asUsager } from './http/as.ts'
import type { Env, Variables } from './http/env.ts'
import { frameOf } from './http/frame.ts'
import { requireAidant, requireUsager } from './http/rules.ts'
import { closeSessions } from './http/session.ts'
import { listSessions } from './http/session-queries.ts'
import { listStructuresDe } from './usager/queries.ts'

/** A request, whatever its route promises of the caller. */
type Asking = Pick<Context<Env>, 'html' | 'redirect' | 'req'> & { var: Readonly<Variables> }

/** « Mes connexions »: where an aidant, or a person, is signed in, and how to close any of it. */
export function sessionRoutes({ db }: { db: Db }): Hono<Env> {
  const routes = new Hono<Env>()

  const show = async (c: Asking, by: Who, path: string) => {
    const sessionId = c.var.sessionId!
    const shown = await db.tx(by, async (tx) => ({
      sessions: await listSessions(tx, sessionId),
      fuseau: c.var.aidant?.fuseau ?? (await listStructuresDe(tx))[0]?.fuseau ?? 'Europe/Paris',
    }))
    return c.html(
      sessionsPage({ frame: frameOf(c, 'connexions'), ...shown, sessionId, path, fermee: c.req.query('fait') === 'fermee' }),
    )
  }
  const close = async (c: Asking, by: Who, which: Parameters<typeof closeSessions>[1], path: string) => {
    await db.tx(by, (tx) => closeSessions(tx, which), { retryable: true })
    return c.redirect(`${path}?fait=fermee`, 303)
  }

  const AIDANT = '/mes-connexions'
  routes.get(AIDANT, requireAidant, (c) => show(c, as(c.var.aidant), AIDANT))
  routes.post(`${AIDANT}/autres/fermer`, requireAidant, (c) => close(c, as(c.var.aidant), { sauf: c.var.sessionId! }, AIDANT))
  routes.post(`${AIDANT}/:sessionId/fermer`, requireAidant, (c) =>
    close(c, as(c.var.aidant), { id: c.req.param('sessionId') }, AIDANT),
  )
  // « Rester connecté »: asking was enough, any request keeps a session awake.
  routes.get(`${AIDANT}/rester`, requireAidant, (c) => c.body(null, 204))

  const USAGER = '/mon-espace/connexions'
  routes.get(USAGER, requireUsager, (c) => show(c, asUsager(c.var.usager), USAGER))
  routes.post(`${USAGER}/autres/fermer`, requireUsager, (c) =>
    close(c, asUsager(c.var.usager), { sauf: c.var.sessionId! }, USAGER),
  )
  routes.post(`${USAGER}/:sessionId/fermer`, requireUsager, (c) =>
    close(c, asUsager(c.var.usager), { id: c.req.param('sessionId') }, USAGER),
  )
  return routes
}
