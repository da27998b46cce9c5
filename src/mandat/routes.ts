import { Hono } from 'hono'
import { mandatPage } from '../../views/mandat/mandat.ts'
import type { Config } from '../config.ts'
import type { Db } from '../db.ts'
import type { Env } from '../http/env.ts'
import { frameOf } from '../http/frame.ts'
import type { Log } from '../http/log.ts'
import { requireAidant, withDossier } from '../http/rules.ts'
import type { Provider } from '../oidc/oidc.ts'
import { lire, recordAcces } from '../usager/access.ts'
import { findUsager } from '../usager/queries.ts'
import { accordRoutes } from './accord-routes.ts'
import { changementRoutes } from './changement-routes.ts'
import { choixRoutes } from './choix-routes.ts'
import { contactRoutes } from './contact-routes.ts'
import { listArretsRecus, listPauses } from './fin-queries.ts'
import { finRoutes } from './fin-routes.ts'
import { identificationRoutes } from './identification-routes.ts'
import { papierDuRoutes } from './papier-du-routes.ts'
import { findMandat, findMandatContenu, findSignataire, listAutorisations } from './queries.ts'
import type { Signer } from './sign.ts'
import { thematiquesRoutes } from './thematiques-routes.ts'

type Deps = { db: Db; config: Config; franceconnect: Provider; signer: Signer; log: Log }

export function mandatRoutes({ db, config, franceconnect, signer, log }: Deps): Hono<Env> {
  const door = { ...config, log }
  const routes = new Hono<Env>()
  routes.route('/', thematiquesRoutes({ db }))
  routes.route('/', papierDuRoutes({ db }))
  routes.route('/', choixRoutes({ db }))
  routes.route('/', identificationRoutes({ db, config, franceconnect }))
  routes.route('/', accordRoutes({ db, config, door, signer }))
  routes.route('/', contactRoutes({ db, door }))
  routes.route('/', changementRoutes({ db, door }))
  routes.route('/', finRoutes({ db }))

  routes.get('/mandats/:mandatId', requireAidant, withDossier, async (c) => {
    const shown = await lire(db, c, {
      find: (tx) => findMandat(tx, c.req.param('mandatId')),
      read: async (tx, mandat) => {
        const [usager, autorisations, recus, pauses, contenu, signataire] = [
          await findUsager(tx, mandat.usagerId),
          await listAutorisations(tx, mandat.id),
          await listArretsRecus(tx, mandat.id),
          await listPauses(tx, mandat.id),
          await findMandatContenu(tx, mandat.id),
          await findSignataire(tx, mandat),
        ]
        await recordAcces(tx, { genre: 'mandat_consulte', usagerId: mandat.usagerId })
        const direction = tx.who.kind === 'referent'
        return { mandat, usager: usager!, autorisations, recus, pauses, contenu, signataire, direction, now: tx.now }
      },
    })
    if (shown instanceof Response) return shown
    const [signe, fait] = [c.req.query('signe') === '1', c.req.query('fait') === '1']
    return c.html(mandatPage({ frame: frameOf(c, 'personnes'), ...shown, signe, fait }))
  })
  return routes
}
