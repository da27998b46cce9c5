import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import postgres from 'postgres'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { startPostgres } from '../../src/demo/postgres.ts'
import {
  asRole,
  bootstrap,
  checkMigrations,
  createDatabase,
  MIGRATIONS,
  migrate,
  onDatabase,
  pendingMigrations,
} from '../../src/migrate.ts'
import { freshDatabase, scratch } from '../support/database.ts'
import { ROOT, start } from '../support/processes.ts'

const { url: serverUrl, passwords } = inject('postgres')

const connect = (url: string) => postgres(url, { max: 1, onnotice: () => {} })

let directory: string
let adminUrl: string
let sql: postgres.Sql
let counter = 0

const write = (name: string, text: string) => writeFileSync(path.join(directory, name), text)
const files = () => pathToFileURL(`${directory}/`)

beforeEach(async () => {
  directory = scratch('migrations')
  adminUrl = onDatabase(serverUrl, `migration_${process.pid}_${counter++}`)
  await bootstrap(adminUrl, passwords)
  sql = connect(adminUrl)
})

afterEach(async () => {
  await sql.end({ timeout: 5 })
  const server = connect(serverUrl)
  await server.unsafe(`drop database ${new URL(adminUrl).pathname.slice(1)} with (force)`)
  await server.end()
  rmSync(directory, { recursive: true })
})

describe('migrations', () => {
  it('appliquées dans l’ordre, une seule fois, au nom du propriétaire', async () => {
    write('0002_suite.sql', 'insert into premiere values (1)')
    write('0001_debut.sql', 'create table premiere (n int)')
    expect(await pendingMigrations(sql, files())).toEqual(['0001_debut.sql', '0002_suite.sql'])
    expect(await migrate(sql, files())).toEqual(['0001_debut.sql', '0002_suite.sql'])
    expect(await migrate(sql, files())).toEqual([])
    expect(await pendingMigrations(sql, files())).toEqual([])
    expect([...(await sql`select n from premiere`)]).toEqual([{ n: 1 }])
    const [table] = await sql`select tableowner from pg_tables where tablename = 'premiere'`
    expect(table).toEqual({ tableowner: 'traitdunion_owner' })
    const [applied] = await sql`select count(*)::int as lines, bool_and(applied_at <= clock_timestamp()) as dated from migration`
    expect(applied).toEqual({ lines: 2, dated: true })
  })

  it('une migration qui échoue ne laisse rien d’elle et garde les précédentes', async () => {
    write('0001_debut.sql', 'create table premiere (n int)')
    write('0002_casse.sql', 'create table seconde (n int); select 1 / 0')
    await expect(migrate(sql, files())).rejects.toThrow('La migration 0002_casse.sql a échoué')
    const tables = await sql`select to_regclass('premiere') is not null as first, to_regclass('seconde') is not null as second`
    expect([...tables]).toEqual([{ first: true, second: false }])
    expect(await pendingMigrations(sql, files())).toEqual(['0002_casse.sql'])
  })

  it('un fichier modifié après coup est refusé et nommé', async () => {
    write('0001_debut.sql', 'create table premiere (n int)')
    await migrate(sql, files())
    write('0001_debut.sql', 'create table premiere (n bigint)')
    await expect(migrate(sql, files())).rejects.toThrow('La migration 0001_debut.sql a changé')
    await expect(pendingMigrations(sql, files())).rejects.toThrow('La migration 0001_debut.sql a changé')
  })

  it('un fichier glissé avant un autre déjà appliqué est refusé', async () => {
    write('0002_suite.sql', 'select 1')
    await migrate(sql, files())
    write('0001_tard.sql', 'create table tard (n int)')
    await expect(migrate(sql, files())).rejects.toThrow('La migration 0001_tard.sql arrive après 0002_suite.sql')
  })

  it('deux fichiers du même numéro, ou mal nommés, sont refusés', async () => {
    write('0001_un.sql', 'select 1')
    write('0001_deux.sql', 'select 1')
    await expect(migrate(sql, files())).rejects.toThrow('numéro 0001')
    rmSync(path.join(directory, '0001_deux.sql'))
    write('2-deux.sql', 'select 1')
    await expect(migrate(sql, files())).rejects.toThrow('2-deux.sql')
  })

  it('deux migrateurs à la fois n’appliquent chaque fichier qu’une fois', async () => {
    write('0001_debut.sql', 'create table premiere (n int); select pg_sleep(0.2)')
    write('0002_suite.sql', 'insert into premiere values (1); select pg_sleep(0.2)')
    const others = Array.from({ length: 3 }, () => connect(adminUrl))
    const applied = await Promise.all(others.map((other) => migrate(other, files())))
    expect(applied.flat().sort()).toEqual(['0001_debut.sql', '0002_suite.sql'])
    expect([...(await sql`select n from premiere`)]).toEqual([{ n: 1 }])
    for (const other of others) await other.end()
  })

  it('le service voit lui-même qu’une migration manque', async () => {
    write('0001_debut.sql', 'select 1')
    const app = new URL(adminUrl)
    app.username = 'traitdunion_app'
    app.password = passwords.app
    const service = connect(app.href)
    expect(await pendingMigrations(service, files())).toEqual(['0001_debut.sql'])
    await migrate(sql, files())
    expect(await pendingMigrations(service, files())).toEqual([])
    await expect(service`delete from migration`).rejects.toThrow('permission denied')
    await service.end()
  })
})

it('npm run migrate fait d’un serveur sans base une base prête pour le service, et recommence sans dommage', async () => {
  const url = onDatabase(serverUrl, `neuve_${process.pid}`)
  const run = () =>
    start(process.execPath, ['--import', 'tsx', 'src/migrate-command.ts'], {
      cwd: ROOT,
      env: {
        PATH: process.env.PATH,
        DATABASE_ADMIN_URL: url,
        DATABASE_URL: asRole(url, 'app', passwords),
        DATABASE_OPERATOR_URL: asRole(url, 'operator', passwords),
        DATABASE_SEQUENCER_URL: asRole(url, 'sequencer', passwords),
        DATABASE_AUDITOR_URL: asRole(url, 'auditor', passwords),
      },
    }).ended
  const files = readdirSync(MIGRATIONS).filter((name) => name.endsWith('.sql'))
  expect(await run()).toEqual({ code: 0, output: `Migrations appliquées : ${files.sort().join(', ')}.\n` })
  for (const role of ['app', 'operator', 'sequencer', 'auditor'] as const) {
    const service = connect(asRole(url, role, passwords))
    expect(await service`select current_user as me`).toEqual([{ me: `traitdunion_${role}` }])
    await service.end()
  }
  await checkMigrations(asRole(url, 'app', passwords))
  expect(await run()).toEqual({ code: 0, output: 'La base est déjà à jour.\n' })
  const server = connect(serverUrl)
  await server.unsafe(`drop database ${new URL(url).pathname.slice(1)} with (force)`)
  await server.end()
})

describe('rôles', () => {
  it('aucun ne peut contourner les droits, et le propriétaire ne se connecte pas', async () => {
    await bootstrap(adminUrl, passwords)
    const roles = await sql`
      select rolname as name, rolcanlogin as login, rolsuper or rolbypassrls or rolcreatedb or rolcreaterole or rolreplication as power
      from pg_roles where rolname like 'traitdunion%' order by 1`
    expect([...roles]).toEqual(
      ['app', 'auditor', 'effaceur', 'operator', 'owner', 'sequencer'].map((name) => ({
        name: `traitdunion_${name}`,
        login: name !== 'owner' && name !== 'effaceur',
        power: false,
      })),
    )
    const stored = await sql`select rolpassword as password from pg_authid where rolname like 'traitdunion%' and rolcanlogin`
    for (const { password } of stored) expect(password).toMatch(/^SCRAM-SHA-256\$4096:/)
  })

  it('le service ne crée ni table, ni rôle, ni base', async () => {
    const database = await freshDatabase()
    const service = connect(database.url)
    await expect(service`create table intruse (n int)`).rejects.toThrow('permission denied')
    await expect(service`create temp table intruse (n int)`).rejects.toThrow('permission denied')
    await expect(service`create role intrus`).rejects.toThrow('permission denied')
    await expect(service`set role traitdunion_owner`).rejects.toThrow('permission denied')
    await service.end()
    await database.drop()
  })

  it('un administrateur sans tous les pouvoirs (base gérée) suffit, et recommence sans dommage ni mot de passe dans le journal du serveur', async () => {
    const own = await startPostgres({ directory: scratch('gerant'), temporary: true, settings: { log_statement: 'all' } })
    const root = connect(own.url)
    await root`create role gerant login createdb createrole password 'gerant-gerant'`
    await root.end()
    const limited = new URL(onDatabase(own.url, 'service'))
    limited.username = 'gerant'
    limited.password = 'gerant-gerant'
    await bootstrap(limited.href, passwords)
    const admin = connect(limited.href)
    const applied = await migrate(admin)
    expect(applied.length).toBeGreaterThan(0)
    await bootstrap(limited.href, passwords)
    expect(await migrate(admin)).toEqual([])
    await admin.end()
    const log = readFileSync(path.join(own.directory, 'postgres.log'), 'utf8')
    expect(log).toContain('traitdunion_app')
    for (const password of Object.values(passwords)) expect(log).not.toContain(password)
    await own.stop()
  })
})

it('la base trie par octets et met en majuscules comme Unicode, quelle que soit la machine', async () => {
  const [row] = await sql`
    select current_setting('server_encoding') as encoding, datlocprovider::text as provider, datlocale as locale,
      upper('élève œuvre') as capitals, 'é' > 'z' as bytes
    from pg_database where datname = current_database()`
  expect(row).toEqual({ encoding: 'UTF8', provider: 'b', locale: 'C.UTF-8', capitals: 'ÉLÈVE ŒUVRE', bytes: true })
})

it('toutes les migrations du dépôt sont dans le modèle des essais', async () => {
  const database = await freshDatabase()
  expect(await pendingMigrations(database.adminSql, MIGRATIONS)).toEqual([])
  await database.drop()
})

it('l’horloge des essais avance, s’arrête et repart', async () => {
  const database = await freshDatabase()
  const now = async () => ((await database.adminSql`select horloge() as now`)[0] as { now: Date }).now
  const near = (date: Date, expected: number) => expect(Math.abs(date.getTime() - expected)).toBeLessThan(60_000)
  near(await now(), Date.now())
  await database.travel(new Date('2027-03-03T22:59:59Z'))
  near(await now(), Date.parse('2027-03-03T22:59:59Z'))
  await database.travel({ ms: 3_600_000 })
  near(await now(), Date.parse('2027-03-03T23:59:59Z'))
  await database.freeze(new Date('2026-01-01T00:00:00.123Z'))
  expect((await now()).toISOString()).toBe('2026-01-01T00:00:00.123Z')
  await database.travel({ ms: -123 })
  expect((await now()).toISOString()).toBe('2026-01-01T00:00:00.000Z')
  await database.travel(new Date('2026-02-01T00:00:00Z'))
  expect((await now()).toISOString()).toBe('2026-02-01T00:00:00.000Z')
  await database.freeze(null)
  near(await now(), Date.parse('2027-03-03T23:59:59Z'))
  await database.drop()
})

it('la création d’une base se fait au choix de la langue du service, pas de la machine', async () => {
  const server = connect(serverUrl)
  const name = `langue_${process.pid}`
  await createDatabase(server, name)
  const [row] = await server`select datcollate as collate, datctype as ctype from pg_database where datname = ${name}`
  expect(row).toEqual({ collate: 'C', ctype: 'C' })
  await server.unsafe(`drop database ${name}`)
  await server.end()
})
