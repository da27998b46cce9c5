import { Hono } from 'hono'
import type { Config } from '../config.ts'
import type { Db, Tx } from '../db.ts'
import { as } from '../http/as.ts'
import type { Env } from '../http/env.ts'
import { requireAidant, requireUsager } from '../http/rules.ts'
import { findMandat } from '../mandat/queries.ts'
import { dossierDeDirection, litCommeAidant, recordAcces } from '../usager/access.ts'
import { preuveOf } from './preuve.ts'
import { findPreuve } from './queries.ts'

/** The pieces of a mandat as a file, for whoever may read its words: what `npm run verify-mandat` checks without us. */
export function preuveRoutes({ db, config }: { db: Db; config: Pick<Config, 'franceconnect'> }): Hono<Env> {
  const routes = new Hono<Env>()
  const find = async (tx: Tx, mandatId: string) => {
    const [mandat, preuve] = [await findMandat(tx, mandatId), await findPreuve(tx, mandatId)]
    return mandat && preuve && { usagerId: mandat.usagerId, file: { ...preuve, fuseau: mandat.fuseau } }
  }
  const file = (preuve: Parameters<typeof preuveOf>[0]) => {
    const json = JSON.stringify(preuveOf(preuve, config.franceconnect.clientId), null, 2)
    // Still the same JSON, and nothing for whoever would read it as a page.
    return new Response(`${json.replaceAll('<', '\\u003c').replaceAll('&', '\\u0026')}\n`, {
      headers: { 'Content-Type': 'application/json', 'Content-Disposition': 'attachment; filename="preuve.json"' },
    })
  }

  routes.get('/mon-espace/mandats/:mandatId/preuve.json', requireUsager, async (c) => {
    const by = { kind: 'usager', usagerIds: c.var.usager.ids } as const
    const found = await db.tx(by, (tx) => find(tx, c.req.param('mandatId')))
    return found ? file(found.file) : c.notFound()
  })
  routes.get('/mandats/:mandatId/preuve.json', requireAidant, async (c) => {
    const found = await db.tx(as(c.var.aidant), async (tx) => {
      const mandat = await findMandat(tx, c.req.param('mandatId'))
      if (mandat && !(await litCommeAidant(tx, mandat.usagerId))) return c.redirect(dossierDeDirection(mandat.usagerId), 303)
      const found = mandat && (await find(tx, mandat.id))
      if (found) await recordAcces(tx, { genre: 'mandat_consulte', usagerId: found.usagerId })
      return found
    })
    if (found instanceof Response) return found
    return found ? file(found.file) : c.notFound()
  })
  return routes
}
