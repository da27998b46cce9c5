import { randomBytes, randomUUID } from 'node:crypto'
import type { Hono } from 'hono'
import { createApp } from './app.ts'
import { type Config, type Environment, parseConfig } from './config.ts'
import { openDb } from './db.ts'
import type { Env } from './http/env.ts'
import { failure, openLog } from './http/log.ts'
import { openMetrics } from './http/metrics.ts'
import { isPortTaken, type Listening, serve, stopOnSignal } from './http/server.ts'
import { startCosigning } from './journal/cosign.ts'
import { restaurationsDites } from './journal/restauration.ts'
import { openSequencer, startSequencer } from './journal/sequence.ts'
import { findRetard, listRestaurations } from './journal/tree-queries.ts'
import { parseSealKeys } from './mandat/sceau.ts'
import { checkMigrations } from './migrate.ts'
import { type Deliver, openDelivery } from './notification/deliver.ts'
import { countMessages } from './notification/queries.ts'
import { franceconnect } from './oidc/franceconnect.ts'
import type { OidcLog } from './oidc/oidc.ts'
import { proconnect } from './oidc/proconnect.ts'
import { openProvider } from './oidc/provider.ts'
import { otherEmetteur } from './verification/check-emetteur.ts'
import { giveCodes } from './verification/give-codes.ts'
import { publishKeys } from './verification/publish-key.ts'
import { startWorker } from './worker.ts'

/** What surrounds the service: its variables, how its messages leave, and what the demo adds. */
type Surroundings = {
  environment: Environment
  deliver?: Deliver
  pages?: (db: ReturnType<typeof openDb>) => Hono<Env>
  /** Where the log goes. */
  write?: (line: string) => void
  ready?(config: Config): void
  stop?(): Promise<void>
}

/** Starts the service; a database address in the environment means a real one, and nothing of the demo is then loaded. */
async function start() {
  const around: Surroundings = process.env.DATABASE_URL
    ? { environment: { ...process.env, MODE: 'production' } }
    : await (await import('./demo/start.ts')).surroundings(process.argv.slice(2), process.env)
  const opened: (() => Promise<unknown>)[] = [async () => around.stop?.()]
  const stop = async () => {
    for (const close of opened.splice(0).reverse()) await close()
  }
  stopOnSignal(stop)
  try {
    const config = parseConfig(around.environment)
    const metrics = openMetrics()
    const log = metrics.counting(openLog(around.write ?? ((line) => process.stdout.write(line))))
    process.on('unhandledRejection', (error) => {
      log('error', { event: 'rejet_non_traite', ...failure(error) })
      process.exit(1)
    })
    await checkMigrations(config.database.url)
    const db = openDb({ url: config.database.url, random: randomBytes })
    opened.push(() => db.close())
    metrics.gauges(async () => {
      const { attente, abandonnes } = await db.tx({ kind: 'worker' }, countMessages)
      return { messages_en_attente: attente, messages_abandonnes: abandonnes }
    })
    const other = await otherEmetteur(db, config)
    if (other && config.mode === 'production') throw new Error(other)
    if (other) process.stderr.write(`Attention. ${other}\n`)
    await publishKeys(db, parseSealKeys(config.sealKeys))
    await giveCodes(db, config.secretsKey)

    const refused: OidcLog = ({ provider, refusal, cause }) =>
      log('warn', { event: 'identification_refusee', provider, reason: refusal, error: cause })
    const oidc = {
      franceconnect: openProvider({ profile: franceconnect, ...config.franceconnect, log: refused }),
      ...(config.proconnect && { proconnect: openProvider({ profile: proconnect, ...config.proconnect, log: refused }) }),
    }
    metrics.gauges(async () =>
      Object.fromEntries(Object.values(oidc).map(({ name, isResting }) => [`${name}_au_repos`, Number(isResting())])),
    )
    const app = createApp({ db, config, oidc, log }, around.pages?.(db))
    const worker = startWorker(db, around.deliver ?? openDelivery(config), log, config)
    opened.push(() => worker.stop())
    if (config.journal && config.database.sequencerUrl) {
      const { signer, policy } = config.journal
      const tree = openDb({ url: config.database.sequencerUrl, connections: 3 })
      opened.push(() => tree.close())
      const nom = restaurationsDites(await tree.tx({ kind: 'sequencer' }, listRestaurations)).at(-1)?.nom
      if (nom !== undefined && nom !== signer.vkey.name)
        throw new Error(`Depuis sa restauration, le journal s'appelle autrement : indiquez JOURNAL_ORIGIN=${nom}`)
      metrics.gauges(async () => {
        const { enAttente, secondes } = await tree.tx({ kind: 'sequencer' }, findRetard)
        return { journal_lignes_en_attente: enAttente, journal_retard_secondes: secondes }
      })
      const sequencer = startSequencer(openSequencer({ db: tree, signer, holder: randomUUID() }), log)
      const witnesses = startCosigning(tree, policy, log)
      opened.push(() => Promise.all([sequencer.stop(), witnesses.stop()]))
    }
    const listening: Listening = await serve(app, { port: config.port, host: config.host })
    opened.push(() => listening.close())
    if (config.metricsPort) {
      const port = await serve(metrics.app, { port: config.metricsPort, host: '127.0.0.1' })
      opened.push(() => port.close())
    }
    log('info', { event: 'demarrage' })
    around.ready?.(config)
  } catch (error) {
    await stop()
    throw isPortTaken(error)
      ? new Error(
          `Le port ${(error as NodeJS.ErrnoException & { port: number }).port} est déjà pris : fermez l'autre programme, ou choisissez-en un autre avec PORT=3100 npm start.`,
        )
      : error
  }
}

start().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})
