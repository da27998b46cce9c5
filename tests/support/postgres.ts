import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import postgres from 'postgres'
import type { TestProject } from 'vitest/node'
import { startPostgres } from '../../src/demo/postgres.ts'
import { bootstrap, migrate, onDatabase, type Passwords } from '../../src/migrate.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** `directory` disappears with the run, even killed. */
    postgres: { url: string; passwords: Passwords; directory: string }
  }
}

/** One server for the whole run, with the migrated template that every test database is cloned from. */
export default async function setup(project: TestProject) {
  const directory = mkdtempSync(path.join(roomyMemory() ?? tmpdir(), 'traitdunion-tests-'))
  chmodSync(directory, 0o711)
  const server = await startPostgres({ directory, temporary: true, settings: { max_wal_size: '256MB' } })
  const word = () => randomBytes(12).toString('base64url')
  const passwords: Passwords = { app: word(), operator: word(), sequencer: word(), auditor: word() }
  const template = onDatabase(server.url, TEMPLATE)
  try {
    await bootstrap(template, passwords)
    const sql = postgres(template, { max: 1, onnotice: () => {} })
    await migrate(sql)
    await sql.end()
  } catch (error) {
    await server.stop()
    throw error
  }
  project.provide('postgres', { url: server.url, passwords, directory })
  return () => server.stop()
}

export const TEMPLATE = 'modele'

/** Where a database is cloned in 20 ms instead of 100, since no disk is waited for. */
function roomyMemory(): string | undefined {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm')
    return bavail * bsize > 2 * 2 ** 30 ? '/dev/shm' : undefined
  } catch {
    return undefined
  }
}
