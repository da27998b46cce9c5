import { Hono } from 'hono'
import type { Config } from '../config.ts'
import type { Db, Tx } from '../db.ts'
import { as, asUsager } from '../http/as.ts'
import type { Env } from '../http/env.ts'
import { jsonFile } from '../http/json-file.ts'
import { limitCaller } from '../http/limit-rate.ts'
import { requireAidant, requireUsager, withDossier } from '../http/rules.ts'
import { append } from '../journal/append.ts'
import { findMandat, lockMandat } from '../mandat/queries.ts'
import { dossierDeDirection, litCommeAidant } from '../usager/access.ts'
import { empreinteDuSceau } from './coupure.ts'
import { preuveOf } from './preuve.ts'
import { proveSceau } from './prove-sceau.ts'
import { findPreuve } from './queries.ts'

/** The pieces of a mandat as a file, for whoever may read its words: what `npm run verify-mandat` checks without us. */
export function preuveRoutes({ db, config }: { db: Db; config: Pick<Config, 'franceconnect' | 'journal'> }): Hono<Env> {
  const routes = new Hono<Env>()
  const perCaller = limitCaller(db, 'preuve')
  const find = async (tx: Tx, mandatId: string) => {
    const [mandat, preuve] = [await findMandat(tx, mandatId), await findPreuve(tx, mandatId)]
    if (!mandat || !preuve) return undefined
    const ligne = await proveSceau(tx, mandatId, empreinteDuSceau(preuve.sceau), config.journal)
    return { ...preuve, fuseau: mandat.fuseau, ligne }
  }
  const file = (preuve: Parameters<typeof preuveOf>[0]) =>
    jsonFile('preuve.json', preuveOf(preuve, config.franceconnect.clientId))

  routes.get('/mon-espace/mandats/:mandatId/preuve.json', requireUsager, perCaller, async (c) => {
    const found = await db.tx(asUsager(c.var.usager), (tx) => find(tx, c.req.param('mandatId')))
    return found ? file(found) : c.notFound()
  })
  // It leaves the room with all that names her: asked for by POST, and written in the journal as a paper is.
  routes.post('/mandats/:mandatId/preuve.json', requireAidant, withDossier, perCaller, async (c) => {
    const found = await db.tx(as(c.var.aidant), async (tx) => {
      const mandat = await lockMandat(tx, c.req.param('mandatId'))
      if (mandat && !(await litCommeAidant(tx, mandat.usagerId))) return c.redirect(dossierDeDirection(mandat.usagerId), 303)
      const found = mandat && (await find(tx, mandat.id))
      if (found) await append(tx, { action: 'attestation_imprimee', mandat, contenu: { papier: 'preuve' } })
      return found
    })
    if (found instanceof Response) return found
    return found ? file(found) : c.notFound()
  })
  return routes
}
