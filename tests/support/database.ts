import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import postgres from 'postgres'
import { inject } from 'vitest'
import { type Postgres, startPostgres } from '../../src/demo/postgres.ts'
import { asRole, bootstrap, closeDatabase, migrate, onDatabase, type Passwords } from '../../src/migrate.ts'
import { TEMPLATE } from './postgres.ts'

export type TestDatabase = {
  /** Role traitdunion_app. */
  url: string
  operatorUrl: string
  sequencerUrl: string
  auditorUrl: string
  /** Superuser. */
  adminUrl: string
  adminSql: postgres.Sql
  drop(): Promise<void>
  /** Moves horloge(): to a date, or onwards by `ms` (negative: backwards) from what it now says. */
  travel(to: Date | { ms: number }): Promise<void>
  /** Stops horloge() at a date; null lets it run again. */
  freeze(at: Date | null): Promise<void>
}

/** A clone of the migrated template, for one test file or one test: nothing in it belongs to another. */
export async function freshDatabase(): Promise<TestDatabase> {
  const { url, passwords } = inject('postgres')
  const name = `essai_${randomBytes(6).toString('hex')}`
  const server = connect(url)
  try {
    await server.unsafe(`create database ${name} template ${TEMPLATE} strategy file_copy`)
    await closeDatabase(server, name)
  } finally {
    await server.end()
  }
  return openDatabase(onDatabase(url, name), passwords)
}

/** The database of this address, by each of its roles. */
export function openDatabase(adminUrl: string, passwords: Passwords): TestDatabase {
  const adminSql = connect(adminUrl)
  const as = (role: keyof Passwords) => asRole(adminUrl, role, passwords)
  return {
    url: as('app'),
    operatorUrl: as('operator'),
    sequencerUrl: as('sequencer'),
    auditorUrl: as('auditor'),
    adminUrl,
    adminSql,
    async drop() {
      await adminSql.end({ timeout: 5 })
      const server = connect(onDatabase(adminUrl, 'postgres'))
      await server
        .unsafe(`drop database if exists ${new URL(adminUrl).pathname.slice(1)} with (force)`)
        .finally(() => server.end())
    },
    async travel(to) {
      if (to instanceof Date)
        await adminSql`
          update horloge_reglage
          set decalage = case when fige is null then ${to}::timestamptz - clock_timestamp() else decalage end,
              fige = case when fige is null then null else ${to}::timestamptz end`
      else
        await adminSql`
          update horloge_reglage
          set decalage = decalage + ${to.ms} * interval '1 millisecond', fige = fige + ${to.ms} * interval '1 millisecond'`
    },
    async freeze(at) {
      await adminSql`update horloge_reglage set fige = ${at}`
    },
  }
}

export type TestServer = TestDatabase & {
  /** Where its data and its log are. */
  directory: string
  /** Of the running server: changes at each restart. */
  readonly pid: number
  /** Ends every process of the server at once, as a power cut would. */
  kill9(): Promise<void>
  /** Starts it again on the same data and the same port, so that every URL stays true. Resolves when it accepts connections. */
  restart(): Promise<void>
  /** Stops it and forgets its data. */
  stop(): Promise<void>
}

/** A server of its own, migrated, for tests that kill it. Same durability settings as in production. */
export async function startServer(): Promise<TestServer> {
  const directory = mkdtempSync(path.join(tmpdir(), 'traitdunion-essai-'))
  const { passwords } = inject('postgres')
  let server: Postgres = await startPostgres({ directory, temporary: true })
  const adminUrl = onDatabase(server.url, 'traitdunion')
  await bootstrap(adminUrl, passwords)
  const database = openDatabase(adminUrl, passwords)
  await migrate(database.adminSql)
  return {
    ...database,
    directory,
    get pid() {
      return server.pid
    },
    kill9: () => server.kill9(),
    async restart() {
      server = await startPostgres({ directory, temporary: true, port: server.port })
    },
    async stop() {
      await database.adminSql.end({ timeout: 1 })
      await server.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** A new folder for a test: the run takes it away at its end, even interrupted. */
export const scratch = (name: string) => mkdtempSync(path.join(inject('postgres').directory, `${name}-`))

const connect = (url: string) => postgres(url, { max: 1, onnotice: () => {}, backoff: false })
