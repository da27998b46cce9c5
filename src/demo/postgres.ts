import { type ChildProcess, type SpawnSyncOptions, spawn, spawnSync } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import * as fs from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openBinaries } from './binaries.ts'
import { chooseAccount, choosePlace, ENV, give, LINUX, type Place, placesOf } from './place.ts'

/** `url` is the superuser's, on the maintenance database `postgres`. `exited` settles when the server is gone, whoever stopped it. */
export type Postgres = {
  pid: number
  port: number
  url: string
  directory: string
  exited: Promise<void>
  stop(): Promise<void>
  kill9(): Promise<void>
}

type PostgresOptions = {
  directory: string
  /** Erases what the directory holds before starting. */
  reset?: boolean
  /** Keep the port of a former run (tests that restart a server under its clients). */
  port?: number
  /** For tests: initdb without fsync, and the directory disappears with this process. */
  temporary?: boolean
  settings?: Record<string, string>
  say?: (line: string) => void
}

const LOG = 'postgres.log'

/**
 * Starts the PostgreSQL that npm installed, on a loopback port, with its data in `directory` (created when missing).
 * A server left there by a killed run is stopped first: the caller makes sure that no living run owns the directory.
 * Throws an Error whose message is a sentence for the person at the terminal.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  try {
    return await start(options)
  } catch (error) {
    throw explain(error, options.directory)
  }
}

async function start({ directory, reset, port, temporary, settings = {}, say = () => {} }: PostgresOptions): Promise<Postgres> {
  if (reset) for (const root of placesOf(path.resolve(directory))) await erase(root)
  const place = choosePlace(path.resolve(directory), say)
  const native = openBinaries(place.account)
  await stopLeftover(place)
  const password = await initialise(place, native.bin, temporary ?? false)

  const dispose = () => {
    native.dispose()
    if (temporary) fs.rmSync(place.root, { recursive: true, force: true })
  }
  for (let attempts = port ? 1 : 5; ; attempts--) {
    const chosen = port ?? (await freePort())
    const { server, exited } = launch(place, native.bin, chosen, settings, [
      ...(temporary ? [place.root] : []),
      ...native.temporary,
    ])
    const refusal = await readiness(place, server)
    if (refusal !== undefined) {
      if (attempts > 1 && /could not bind|Address already in use/.test(refusal)) continue
      dispose()
      throw new Error(`PostgreSQL ne démarre pas : ${refusal || 'il ne dit pas pourquoi'}`)
    }
    return {
      pid: server.pid!,
      port: chosen,
      url: `postgres://postgres:${password}@127.0.0.1:${chosen}/postgres`,
      directory: place.root,
      exited,
      async stop() {
        if (server.exitCode === null && server.signalCode === null) server.kill('SIGINT')
        await exited
        dispose()
      },
      async kill9() {
        for (const one of new Set([server.pid!, ...processesOf(place)])) signal(one, 'SIGKILL')
        await exited
        native.dispose()
      },
    }
  }
}

/** Creates the cluster once; half of one (interrupted) never carries its name. Returns the superuser's password. */
async function initialise({ root, cluster, account }: Place, bin: string, temporary: boolean): Promise<string> {
  const secret = path.join(root, 'password')
  if (fs.existsSync(cluster)) {
    const version = fs.readFileSync(path.join(cluster, 'PG_VERSION'), 'utf8').trim()
    if (version !== '18')
      throw new Error(
        `${cluster} vient de PostgreSQL ${version}, or celui-ci est le 18 : relancez avec --reset pour repartir à neuf.`,
      )
    if (!fs.existsSync(secret)) throw new Error(`${secret} manque : relancez avec --reset pour repartir à neuf.`)
    return fs.readFileSync(secret, 'utf8').trim()
  }
  const draft = `${cluster}.new`
  // An initdb that outlived its killed run may still be writing there.
  fs.rmSync(draft, { recursive: true, force: true, maxRetries: 20 })
  fs.mkdirSync(draft)
  give(draft, account)
  const password = randomBytes(24).toString('base64url')
  fs.rmSync(secret, { force: true })
  fs.writeFileSync(secret, password, { mode: 0o600 })
  // Read through the inherited descriptor: the account may not be able to enter the folders above.
  if (account.uid !== undefined) fs.chownSync(secret, account.uid, account.gid!)
  const input = fs.openSync(secret, 'r')
  const [user, auth, pwfile] = ['--username=postgres', '--auth=scram-sha-256', '--pwfile=/dev/stdin']
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  const run: SpawnSyncOptions = { ...account, cwd: draft, env: ENV, stdio: [input, 'ignore', 'pipe'], encoding: 'utf8' }
  const done = spawnSync(
    path.join(bin, 'initdb'),
    [
      '-D',
      LINUX ? '/proc/self/cwd' : draft,
      user,
      auth,
      pwfile,
      '--data-checksums',
      ...locale,
      ...(temporary ? ['--no-sync'] : []),
    ],
    run,
  )
  fs.closeSync(input)
  if (account.uid !== undefined) fs.chownSync(secret, process.getuid!(), process.getgid!())
  if (done.status !== 0) throw done.error ?? new Error(`PostgreSQL ne peut pas créer sa base : ${String(done.stderr).trim()}`)
  fs.renameSync(draft, cluster)
  return password
}

function launch(
  { root, cluster, account }: Place,
  bin: string,
  port: number,
  settings: Record<string, string>,
  remove: string[],
) {
  const all = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    fsync: 'on',
    synchronous_commit: 'on',
    timezone: 'UTC',
    log_timezone: 'UTC',
    lc_messages: 'C',
    // No personal data in the server's log: neither statements nor the values in DETAIL.
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    ...settings,
  }
  const output = fs.openSync(path.join(root, LOG), 'w', 0o600)
  const server = spawn(
    path.join(bin, 'postgres'),
    ['-D', LINUX ? '/proc/self/cwd' : cluster, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    // Its own session: the terminal's Ctrl-C is for the application, which stops the server last.
    { ...account, cwd: cluster, env: ENV, stdio: ['ignore', output, output], detached: true },
  )
  fs.closeSync(output)
  const watcher = server.pid === undefined ? undefined : watch(server.pid, remove)
  const exited = new Promise<void>((resolve) => {
    server.once('exit', () => resolve())
    server.once('error', () => resolve())
  }).then(() => {
    watcher?.kill('SIGKILL')
  })
  return { server, exited }
}

/** Waits until the server accepts connections; returns what it says when it ends instead. */
async function readiness({ root, cluster }: Place, server: ChildProcess): Promise<string | undefined> {
  while (server.pid !== undefined && server.exitCode === null && server.signalCode === null) {
    const lines = readLines(path.join(cluster, 'postmaster.pid'))
    if (Number(lines[0]) === server.pid && lines[7]?.trim() === 'ready') return
    await sleep(5)
  }
  const log = readLines(path.join(root, LOG))
  const errors = log.filter((line) => /FATAL|PANIC|ERROR|could not|No space/.test(line))
  return (errors.length > 0 ? errors : log).join(' ; ').trim()
}

/** Stops the server when this process disappears in any way, kill -9 included: its end of the pipe closes. Then removes folders. */
function watch(pid: number, remove: string[]): ChildProcess {
  const script = 'read _; kill -INT "$1"; while kill -0 "$1"; do sleep 0.1; done; shift; rm -rf "$@"'
  const watcher = spawn('/bin/sh', ['-c', script, 'veille', String(pid), ...remove], {
    cwd: '/',
    env: ENV,
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watcher.unref()
  ;(watcher.stdin as unknown as { unref(): void }).unref()
  return watcher
}

/** Living PostgreSQL processes of this cluster: on Linux those whose working directory it is, elsewhere the one of its pid file. */
function processesOf({ cluster, account }: Place): number[] {
  const pid = Number(readLines(path.join(cluster, 'postmaster.pid'))[0])
  if (!LINUX) {
    const command = pid > 0 ? spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout : ''
    return command.includes(cluster) ? [pid] : []
  }
  // Under the server's account: in a container, root may not look into another account's processes.
  const script = 'for p in /proc/[0-9]*; do if [ "$p/cwd" -ef . ]; then echo "$p"; fi; done'
  const found = spawnSync('/bin/sh', ['-c', script], { ...account, cwd: cluster, env: ENV, encoding: 'utf8' }).stdout ?? ''
  return found
    .split('\n')
    .filter((folder) => /^(postgres|initdb)$/.test(readLines(`${folder}/comm`)[0] ?? ''))
    .map((folder) => Number(path.basename(folder)))
}

async function stopLeftover(place: Place): Promise<void> {
  const file = path.join(place.cluster, 'postmaster.pid')
  if (!fs.existsSync(file)) return
  const postmaster = Number(readLines(file)[0])
  for (let waited = 0; ; waited += 50) {
    const alive = processesOf(place)
    if (alive.length === 0) break
    if (waited === 0) for (const pid of alive.includes(postmaster) ? [postmaster] : alive) signal(pid, 'SIGINT')
    if (waited >= 5000) for (const pid of alive) signal(pid, 'SIGKILL')
    await sleep(50)
  }
  // Nobody uses the cluster: the file is stale, and its number may now be another program's, which PostgreSQL would take for itself.
  fs.rmSync(file, { force: true })
}

async function erase(root: string): Promise<void> {
  const cluster = path.join(root, 'cluster')
  if (fs.existsSync(cluster)) await stopLeftover({ root, cluster, account: chooseAccount(cluster) })
  for (const name of ['cluster', 'cluster.new', 'password', LOG])
    fs.rmSync(path.join(root, name), { recursive: true, force: true })
}

/** Below the ephemeral range, so that no outgoing connection of the machine sits on it. */
async function freePort(): Promise<number> {
  for (let attempts = 0; attempts < 100; attempts++) {
    const port = randomInt(15000, 32000)
    const probe = createServer()
    const free = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false))
      probe.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!free) continue
    await new Promise((resolve) => probe.close(resolve))
    return port
  }
  throw new Error('PostgreSQL ne trouve aucun port libre sur 127.0.0.1.')
}

function readLines(file: string): string[] {
  try {
    return fs.readFileSync(file, 'utf8').split('\n')
  } catch {
    return []
  }
}

function signal(pid: number, name: NodeJS.Signals) {
  try {
    process.kill(pid, name)
  } catch {} // already gone
}

/** The sentence for the person at the terminal, when the cause is the disk or the account; else the error itself. */
export function explain(error: unknown, directory: string): Error {
  const { code = '', syscall, message, cause } = error as NodeJS.ErrnoException & { cause?: { code?: string } }
  const sentence = (text: string) => new Error(text, { cause: error })
  // 53100 is PostgreSQL's own word for it.
  if (/ENOSPC|EDQUOT|53100|No space left|Disk quota|free disk space/.test(`${code} ${cause?.code} ${message}`))
    return sentence(`Le disque est plein : libérez de la place pour ${directory}, puis relancez.`)
  // A recursive mkdir on a read-only file system says ENOENT.
  if (['EACCES', 'EPERM', 'EROFS'].includes(code) || (code === 'ENOENT' && syscall === 'mkdir'))
    return sentence(`Impossible d'écrire dans ${directory} (${code}) : ce dossier appartient à un autre compte ou est protégé.`)
  if (message.includes('could not look up effective user ID'))
    return sentence(
      `PostgreSQL veut un compte qui ait un nom, et le vôtre (numéro ${process.getuid!()}) n'en a pas sur cette machine : prenez-en un autre, ou indiquez une base PostgreSQL 18 avec DATABASE_URL.`,
    )
  return error as Error
}
