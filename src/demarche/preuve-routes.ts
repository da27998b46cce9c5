import { Hono } from 'hono'
import type { Config } from '../config.ts'
import type { Db, Tx } from '../db.ts'
import { asUsager } from '../http/as.ts'
import type { Env } from '../http/env.ts'
import { limitCaller } from '../http/limit-rate.ts'
import { requireAidant, requireUsager, withDossier } from '../http/rules.ts'
import { proveLine } from '../journal/prove.ts'
import { preuveFile } from '../journal/routes.ts'
import { lire, recordAcces } from '../usager/access.ts'
import { type DemarcheRow, findDemarche, findFaits } from './queries.ts'

/** The proof of the line of a démarche, with its facts: for who noted it, and for the person. */
export function demarchePreuveRoutes({ db, config }: { db: Db; config: Pick<Config, 'journal'> }): Hono<Env> {
  const routes = new Hono<Env>()
  const perCaller = limitCaller(db, 'preuve')
  const prove = async (tx: Tx, demarche: DemarcheRow) => ({
    demarche,
    proven: await proveLine(tx, demarche.journalId, config.journal, await findFaits(tx, demarche.journalId)),
  })

  routes.get('/demarches/:demarcheId/preuve.tlog-proof', requireAidant, withDossier, perCaller, async (c) => {
    const { aidant } = c.var
    const shown = await lire(db, c, {
      find: async (tx) => {
        const demarche = await findDemarche(tx, c.req.param('demarcheId'))
        return demarche?.aidantId === aidant.id ? demarche : undefined
      },
      read: async (tx, demarche) => {
        const found = await prove(tx, demarche)
        if (found.proven.ok) await recordAcces(tx, { genre: 'demarche_consultee', usagerId: demarche.usagerId })
        return found
      },
    })
    if (shown instanceof Response) return shown
    return preuveFile(c, shown.demarche.journalId, shown.proven, `/demarches/${shown.demarche.id}`)
  })

  routes.get('/mon-espace/demarches/:demarcheId/preuve.tlog-proof', requireUsager, perCaller, async (c) => {
    const shown = await db.tx(asUsager(c.var.usager), async (tx) => {
      const demarche = await findDemarche(tx, c.req.param('demarcheId'))
      return demarche && prove(tx, demarche)
    })
    if (!shown) return c.notFound()
    const { demarche, proven } = shown
    return preuveFile(c, demarche.journalId, proven, `/mon-espace/mandats/${demarche.mandatId}#fait`)
  })
  return routes
}
