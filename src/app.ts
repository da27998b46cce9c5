import { randomBytes } from 'node:crypto'
import type { Hono } from 'hono'
import { CGU_VERSION } from './aidant/aidant.ts'
import { equipeRoutes } from './aidant/equipe-routes.ts'
import { moyensRoutes } from './aidant/moyens-routes.ts'
import { aidantRoutes, CGU_PATH } from './aidant/routes.ts'
import { auditRoutes } from './audit/routes.ts'
import type { Config } from './config.ts'
import type { Db } from './db.ts'
import { contestationRoutes } from './demarche/contestation-routes.ts'
import { demarchePreuveRoutes } from './demarche/preuve-routes.ts'
import { demarcheRoutes } from './demarche/routes.ts'
import { assets } from './http/assets.ts'
import { openEdge } from './http/edge.ts'
import type { Env } from './http/env.ts'
import { healthRoutes } from './http/health.ts'
import { keepForm, resumeForm } from './http/kept-form.ts'
import type { Log } from './http/log.ts'
import { checkRules, publicPage } from './http/rules.ts'
import { session } from './http/session.ts'
import { journalRoutes, mesPreuvesRoutes } from './journal/routes.ts'
import { proconnectRoutes } from './mandat/proconnect-routes.ts'
import { mandatRoutes } from './mandat/routes.ts'
import { parseSealKeys } from './mandat/sceau.ts'
import type { Provider } from './oidc/oidc.ts'
import { openRenderer, type Renderer } from './papier/render.ts'
import { papierRoutes } from './papier/routes.ts'
import { publicRoutes } from './public-routes.ts'
import { sessionRoutes } from './session-routes.ts'
import { STRUCTURES_PATH, structureRoutes } from './structure/routes.ts'
import { codeRoutes } from './usager/code-routes.ts'
import { personnesRoutes } from './usager/personnes-routes.ts'
import { usagerRoutes } from './usager/routes.ts'
import { preuveRoutes } from './verification/preuve-routes.ts'
import { verificationRoutes } from './verification/routes.ts'

export type Providers = { franceconnect: Provider; proconnect?: Provider }
/** `papers`: what makes the PDFs, one thread of its own unless told otherwise. */
type Deps = { db: Db; config: Config; oidc: Providers; log: Log; papers?: Renderer }

/** The whole service: the edge, what needs no session, the session, then the routes of each noun. `more`: what the demo adds. */
export function createApp(deps: Deps, more?: Hono<Env>): Hono<Env> {
  const { db, config, oidc, log, papers = openRenderer() } = deps
  const seal = parseSealKeys(config.sealKeys)
  const app = openEdge({
    publicUrl: config.publicUrl,
    formActions: Object.values(oidc).map((provider) => provider.origin()),
    demo: config.mode === 'demo',
    log,
    random: randomBytes,
  })

  app.get('/assets/:hash/:name', publicPage)
  app.route('/', assets)
  app.route('/', healthRoutes({ db, log, sequenced: config.database?.sequencerUrl !== undefined }))
  app.route('/', verificationRoutes({ db, config, seal }))
  app.route('/', journalRoutes({ db, config }))

  app.use(
    keepForm(config),
    session(db, config, { cgu: CGU_PATH, cguVersion: CGU_VERSION, structures: STRUCTURES_PATH }),
    resumeForm(db),
  )
  app.route('/', publicRoutes(config))
  app.route('/', aidantRoutes({ db, config, proconnect: oidc.proconnect }))
  app.route('/', structureRoutes({ db, config }))
  app.route('/', sessionRoutes({ db }))
  app.route('/', moyensRoutes({ db, config }))
  app.route('/', equipeRoutes({ db, config }))
  const signer = { seal, publicUrl: config.publicUrl, secretsKey: config.secretsKey, franceconnect: config.franceconnect }
  app.route('/', mandatRoutes({ db, config, franceconnect: oidc.franceconnect, signer, log }))
  if (oidc.proconnect) app.route('/', proconnectRoutes({ db, config, proconnect: oidc.proconnect, signer }))
  app.route('/', papierRoutes({ db, config, printer: signer, renderer: papers, log }))
  app.route('/', mesPreuvesRoutes({ db, config }))
  app.route('/', personnesRoutes({ db }))
  app.route('/', usagerRoutes({ db, config, franceconnect: oidc.franceconnect }))
  app.route('/', codeRoutes({ db, config, log }))
  app.route('/', demarcheRoutes({ db, config }))
  app.route('/', demarchePreuveRoutes({ db, config }))
  app.route('/', contestationRoutes({ db }))
  app.route('/', preuveRoutes({ db, config }))
  app.route('/', auditRoutes({ db, config }))
  if (more) app.route('/', more)

  checkRules(app)
  return app
}
