import { generateKeyPairSync, randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import path from 'node:path'
import postgres from 'postgres'
import { originOf } from '../journal/checkpoint.ts'
import { asRole, bootstrap, migrate, onDatabase, type Passwords, pendingMigrations } from '../migrate.ts'
import { FRANCECONNECT } from './franceconnect/flavour.ts'
import { newKey } from './franceconnect/keys.ts'
import { type Simulator, startSimulator } from './franceconnect/simulator.ts'
import { takeLock } from './lock.ts'
import { explain, type Postgres, startPostgres } from './postgres.ts'
import { PROCONNECT } from './proconnect/flavour.ts'
import { startTemoin, type Temoin } from './temoin.ts'

export type DemoOptions = {
  dataDir: string
  /** Of the service: its address is http://localhost:port. */
  port: number
  /** Erases everything first. */
  reset: boolean
  /** A line for the person at the terminal. */
  say(line: string): void
  /** Fills a new database, once: interrupted, it starts again on an empty one. */
  seed?(environment: Record<string, string>): Promise<void>
}

type Demo = { environment: Record<string, string>; stop(): Promise<void> }

/** With a simulated provider, and the port it listens on. */
type Registered = { clientId: string; clientSecret: string; port: number }

export type Secrets = {
  passwords: Passwords
  sealKeys: { keys: object[] }
  secretsKey: string
  franceconnect: Registered
  proconnect: Registered
  /** The journal keeps its name when the demo changes port. */
  journal: { cle: string; origine: string; temoin: string; temoinPort: number }
}

/**
 * Everything the service needs around it, on this machine and with invented secrets: PostgreSQL, its data, simulators of FranceConnect and ProConnect.
 * Throws an Error whose message is a sentence for the person at the terminal; nothing runs then.
 */
export async function startDemo({ dataDir, port, reset, say, seed = async () => {} }: DemoOptions): Promise<Demo> {
  const running: (() => unknown)[] = []
  const stop = async () => {
    for (const end of running.splice(0).reverse()) await end()
  }
  try {
    fs.mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    fs.chmodSync(dataDir, 0o700)
    running.push(takeInstance(dataDir, reset))

    const file = path.join(dataDir, 'demo.json')
    if (reset)
      for (const name of ['demo.json', 'franceconnect.json', 'proconnect.json'])
        fs.rmSync(path.join(dataDir, name), { force: true })
    const isNew = !fs.existsSync(path.join(dataDir, 'postgres', 'cluster'))
    const secrets = readSecrets(file, isNew || reset, port)

    const server = await startPostgres({ directory: path.join(dataDir, 'postgres'), reset, say })
    running.push(() => server.stop())

    const providers = {} as Record<ProviderName, Simulator>
    for (const name of ['franceconnect', 'proconnect'] as const) {
      const simulator = await startProvider(name, dataDir, secrets[name], port)
      running.push(() => simulator.close())
      if (simulator.port !== secrets[name].port)
        say(`Le port ${secrets[name].port} est pris : le simulateur de ${NOMS[name]} écoute sur ${simulator.port}.`)
      providers[name] = simulator
    }

    // The witness remembers what a new database would contradict.
    if (isNew || reset) fs.rmSync(path.join(dataDir, 'temoin'), { recursive: true, force: true })
    const temoin = await startTemoin({ dataDir, ...secrets.journal })
    running.push(() => temoin.close())

    const environment = environmentOf(server, secrets, providers, temoin, port)
    // What `npm run journal` and `npm run messages` need, for whoever owns this folder, while the demo runs.
    fs.writeFileSync(path.join(dataDir, 'journal.json'), `${JSON.stringify(auditOf(environment, temoin), null, 2)}\n`, {
      mode: 0o600,
    })
    running.push(() => fs.rmSync(path.join(dataDir, 'journal.json'), { force: true }))
    await prepareDatabase(server.url, secrets.passwords, say, (adminUrl) =>
      seed({ ...environment, ...databasesOf(adminUrl, secrets) }),
    )
    return { environment, stop }
  } catch (error) {
    await stop()
    throw explain(error, dataDir)
  }
}

function takeInstance(dataDir: string, reset: boolean): () => void {
  const lock = takeLock(path.join(dataDir, 'instance'))
  if (typeof lock === 'function') return lock
  throw new Error(
    `Trait d'union tourne déjà (processus ${lock}) avec les données de ${dataDir}${reset ? ', qui ne peuvent pas être effacées maintenant' : ''} : arrêtez-le d'abord (Ctrl-C dans son terminal).`,
  )
}

/** The database named `traitdunion` is complete: it is filled under another name. */
async function prepareDatabase(
  serverUrl: string,
  passwords: Passwords,
  say: (line: string) => void,
  seed: (adminUrl: string) => Promise<void>,
): Promise<void> {
  const server = postgres(serverUrl, { max: 1, onnotice: () => {} })
  try {
    const [found] = await server`select 1 from pg_database where datname = ${NAME}`
    if (found) return await update(onDatabase(serverUrl, NAME), passwords)

    say('Préparation de la base de démonstration…')
    const draft = `${NAME}_brouillon`
    await server`drop database if exists ${server(draft)} with (force)`
    await update(onDatabase(serverUrl, draft), passwords)
    await seed(onDatabase(serverUrl, draft))
    await server`alter database ${server(draft)} rename to ${server(NAME)}`
  } finally {
    await server.end({ timeout: 5 })
  }
}

/** Of its database. */
export const NAME = 'traitdunion'

async function update(adminUrl: string, passwords: Passwords): Promise<void> {
  const sql = postgres(adminUrl, { max: 1, onnotice: () => {} })
  try {
    const pending = await pendingMigrations(sql).catch((error: Error) => {
      // 3D000: the database itself is still to be made.
      if ((error as postgres.PostgresError).code === '3D000') return ['0001']
      throw new Error(`${error.message} Pour repartir à neuf : npm start -- --reset`, { cause: error })
    })
    if (pending.length === 0) return
    await bootstrap(adminUrl, passwords)
    await migrate(sql)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

function environmentOf(
  server: Postgres,
  secrets: Secrets,
  { franceconnect, proconnect }: Record<ProviderName, Simulator>,
  temoin: Temoin,
  port: number,
): Record<string, string> {
  return {
    MODE: 'demo',
    PORT: String(port),
    PUBLIC_URL: publicUrlOf(port),
    ...databasesOf(onDatabase(server.url, NAME), secrets),
    SEAL_KEYS: JSON.stringify(secrets.sealKeys),
    SECRETS_KEY: secrets.secretsKey,
    JOURNAL_KEY: secrets.journal.cle,
    JOURNAL_ORIGIN: secrets.journal.origine,
    JOURNAL_WITNESSES: `witness demonstration ${temoin.vkey} ${temoin.url}\nquorum demonstration\n`,
    // Never called: the demo keeps its messages to show them.
    SMTP_URL: 'smtp://localhost',
    EDITEUR: 'Une démonstration installée sur cet ordinateur : les personnes et les structures montrées sont inventées.',
    CONTACT: 'contact@figeac.demo',
    MAIL_FROM: "Trait d'union <demo@localhost>",
    FRANCECONNECT_ISSUER: franceconnect.issuer,
    FRANCECONNECT_CLIENT_ID: secrets.franceconnect.clientId,
    FRANCECONNECT_CLIENT_SECRET: secrets.franceconnect.clientSecret,
    PROCONNECT_ISSUER: proconnect.issuer,
    PROCONNECT_CLIENT_ID: secrets.proconnect.clientId,
    PROCONNECT_CLIENT_SECRET: secrets.proconnect.clientSecret,
  }
}

/** Never the private key. */
const auditOf = (
  { DATABASE_ADMIN_URL, DATABASE_OPERATOR_URL, DATABASE_AUDITOR_URL, JOURNAL_WITNESSES }: Record<string, string>,
  temoin: Temoin,
) => ({
  DATABASE_ADMIN_URL,
  DATABASE_OPERATOR_URL,
  DATABASE_AUDITOR_URL,
  JOURNAL_WITNESSES,
  JOURNAL_VKEY: temoin.log,
  JOURNAL_TEMOIN: temoin.seen,
})

function databasesOf(adminUrl: string, { passwords }: Secrets): Record<string, string> {
  const as = (role: keyof Passwords) => asRole(adminUrl, role, passwords)
  return {
    DATABASE_URL: as('app'),
    DATABASE_OPERATOR_URL: as('operator'),
    DATABASE_SEQUENCER_URL: as('sequencer'),
    DATABASE_AUDITOR_URL: as('auditor'),
    DATABASE_ADMIN_URL: adminUrl,
  }
}

const publicUrlOf = (port: number) => `http://localhost:${port}`

const NOMS = { franceconnect: 'FranceConnect', proconnect: 'ProConnect' } as const
type ProviderName = keyof typeof NOMS

async function startProvider(name: ProviderName, dataDir: string, registered: Registered, port: number): Promise<Simulator> {
  const { clientId, clientSecret } = registered
  const options = {
    keysFile: path.join(dataDir, `${name}.json`),
    flavour: { franceconnect: FRANCECONNECT, proconnect: PROCONNECT }[name],
    clients: [
      {
        clientId,
        clientSecret,
        name: "Trait d'union (démonstration)",
        redirectUris: [`${publicUrlOf(port)}/connexion/${name}/retour`],
        postLogoutRedirectUris: [`${publicUrlOf(port)}/connexion/${name}/deconnecte`],
      },
    ],
  }
  return startSimulator({ ...options, port: registered.port }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') throw error
    return startSimulator({ ...options, port: 0 })
  })
}

export function keepSecrets(file: string, secrets: Secrets): Secrets {
  const draft = `${file}.${process.pid}`
  fs.writeFileSync(draft, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 })
  fs.renameSync(draft, file)
  return secrets
}

/** Everything random of the demo, drawn once: what was sealed or encrypted yesterday still opens today. */
function readSecrets(file: string, mayCreate: boolean, port: number): Secrets {
  if (fs.existsSync(file)) {
    try {
      const kept = JSON.parse(fs.readFileSync(file, 'utf8')) as Secrets
      // Of a demo from before the tree, or from before ProConnect.
      const { journal = newJournal(port), proconnect = newProconnect(port) } = kept as Partial<Secrets>
      return kept.journal && kept.proconnect ? kept : keepSecrets(file, { ...kept, journal, proconnect })
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
  }
  if (!mayCreate) throw new Error(`${file} manque ou est illisible : npm start -- --reset repart à neuf.`)
  return keepSecrets(file, {
    passwords: { app: word(), operator: word(), sequencer: word(), auditor: word() },
    sealKeys: { keys: [newKey()] },
    secretsKey: randomBytes(32).toString('base64url'),
    franceconnect: { clientId: 'trait-dunion-demo', clientSecret: word(), port: beside(port, 1) },
    proconnect: newProconnect(port),
    journal: newJournal(port),
  })
}

/** The word tells production's start check that these are not real secrets. */
const word = () => `demo-${randomBytes(24).toString('base64url')}`
/** Below the ephemeral ports, beside the service. */
const beside = (port: number, by: number) => (port > 0 && port < 32_000 ? port : 3000) + by

const newProconnect = (port: number): Registered => ({
  clientId: 'trait-dunion-demo-pro',
  clientSecret: word(),
  port: beside(port, 3),
})

const newJournal = (port: number): Secrets['journal'] => {
  const pem = () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  return {
    cle: pem(),
    origine: originOf(publicUrlOf(port)),
    temoin: pem(),
    temoinPort: beside(port, 2),
  }
}
