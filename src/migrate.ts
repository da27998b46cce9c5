import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import postgres from 'postgres'

/** Passwords of the four roles that sign in. */
export type Passwords = Record<'app' | 'operator' | 'sequencer' | 'auditor', string>

type Migration = { name: string; sha256: string; text: string }

export const MIGRATIONS = new URL('../sql/migrations/', import.meta.url)

/**
 * Makes the database of `adminUrl` ready for `migrate`: the database itself, the cluster-wide roles, their passwords, the extensions.
 * Idempotent. `adminUrl` is a superuser, or a role with CREATEDB and CREATEROLE.
 */
export async function bootstrap(adminUrl: string, passwords: Passwords): Promise<void> {
  const name = decodeURIComponent(new URL(adminUrl).pathname.slice(1))
  await withConnection(onDatabase(adminUrl, 'postgres'), async (sql) => {
    await sql.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock(${LOCK})`
      for (const role of NOBODY) await ensureRole(tx, role, 'nologin')
      for (const [role, password] of Object.entries(passwords)) await ensureRole(tx, `traitdunion_${role}`, 'login', password)
      const [me] = await tx`select rolsuper as super from pg_roles where rolname = current_user`
      if (!me?.super) for (const role of NOBODY) await tx`grant ${tx(role)} to current_user`
    })
    const [found] = await sql`select 1 from pg_database where datname = ${name}`
    if (!found) await createDatabase(sql, name)
  })
  await withConnection(adminUrl, (sql) =>
    sql.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock(${LOCK})`
      await tx`create extension if not exists btree_gist schema public`
      await tx`create extension if not exists unaccent schema public`
      await closeDatabase(tx, name)
      await tx`revoke create on schema public from public`
      await tx`grant usage, create on schema public to traitdunion_owner`
      await tx`grant usage on schema public to traitdunion_app, traitdunion_operator, traitdunion_sequencer, traitdunion_auditor, traitdunion_effaceur`
    }),
  )
}

/**
 * Applies the missing migrations, each in its own transaction under traitdunion_owner, and returns their names.
 * Throws a French sentence when an applied file was changed or a new one comes before an applied one.
 */
export async function migrate(adminSql: postgres.Sql, directory: URL = MIGRATIONS): Promise<string[]> {
  const applied: string[] = []
  const files = readMigrations(directory)
  await adminSql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${LOCK})`
    await tx`set local role traitdunion_owner`
    await tx.unsafe(TABLE)
  })
  for (const { name, sha256, text } of files) {
    await adminSql.begin(async (tx) => {
      // Taken by each migration, so a second migrator waits, then finds the file done.
      await tx`select pg_advisory_xact_lock(${LOCK})`
      await tx`set local role traitdunion_owner`
      await tx`set local lock_timeout = '10s'`
      if (!pendingAmong(files, await listApplied(tx)).includes(name)) return
      await tx.unsafe(text).catch((error: Error) => {
        throw new Error(`La migration ${name} a échoué, rien n'en est appliqué : ${error.message}`, { cause: error })
      })
      await tx`insert into migration (name, sha256) values (${name}, ${sha256})`
      applied.push(name)
    })
  }
  return applied
}

/** `migrate` for who has an address and not a connection. */
export const migrateAt = (adminUrl: string): Promise<string[]> => withConnection(adminUrl, (sql) => migrate(sql))

/** Names of the migrations the database lacks (any role that may read `migration`). Throws as `migrate` does. */
export async function pendingMigrations(sql: postgres.Sql, directory: URL = MIGRATIONS): Promise<string[]> {
  const files = readMigrations(directory)
  const [table] = await sql`select to_regclass('public.migration') is not null as found`
  return pendingAmong(files, table?.found ? await listApplied(sql) : [])
}

/** Throws a French sentence unless the database of `url` is up to date. */
export const checkMigrations = (url: string): Promise<void> =>
  withConnection(url, async (sql) => {
    const pending = await pendingMigrations(sql)
    if (pending.length > 0)
      throw new Error(`La base de données n'est pas à jour (il manque ${pending.join(', ')}) : lancez d'abord npm run migrate.`)
  })

/** Same server and account, another database. */
export function onDatabase(url: string, name: string): string {
  const other = new URL(url)
  other.pathname = `/${encodeURIComponent(name)}`
  return other.href
}

/** Same database, as one of our roles. */
export function asRole(url: string, role: keyof Passwords, passwords: Passwords): string {
  const other = new URL(url)
  other.username = `traitdunion_${role}`
  other.password = passwords[role]
  return other.href
}

/** Sorted and compared by bytes, upper and lower case as Unicode says: the same on every machine, whatever its system's locales. */
export async function createDatabase(sql: postgres.Sql, name: string): Promise<void> {
  await sql`
    create database ${sql(name)}
    template template0 encoding 'UTF8' locale 'C' locale_provider builtin builtin_locale 'C.UTF-8'`
}

/** Nobody but our roles enters, and they only connect. Not inherited by a database made from a template: say it again there. */
export async function closeDatabase(sql: postgres.ISql, name: string): Promise<void> {
  await sql`revoke all on database ${sql(name)} from public`
  await sql`grant connect on database ${sql(name)} to traitdunion_app, traitdunion_operator, traitdunion_sequencer, traitdunion_auditor`
}

/** Who signs in nowhere: the owner of everything, and whom alone the tables let erase contents. */
const NOBODY = ['traitdunion_owner', 'traitdunion_effaceur']

const LOCK = 4_117_118_001 // any constant of ours

const TABLE = `
  create table if not exists public.migration (
    name text primary key,
    sha256 text not null,
    applied_at timestamptz(3) not null default clock_timestamp()
  );
  comment on table public.migration is 'Migrations appliquées et empreinte de leur fichier ; une migration appliquée ne change plus';
  grant select on public.migration to traitdunion_app, traitdunion_operator`

function readMigrations(directory: URL): Migration[] {
  const names = readdirSync(directory)
    .filter((name) => name.endsWith('.sql'))
    .sort()
  const numbers = new Set<string>()
  return names.map((name) => {
    const number = /^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1]
    if (!number) throw new Error(`Le fichier de migration ${name} ne s'appelle pas NNNN_nom.sql.`)
    if (numbers.has(number)) throw new Error(`Deux migrations portent le numéro ${number}.`)
    numbers.add(number)
    const text = readFileSync(new URL(name, directory), 'utf8')
    return { name, sha256: createHash('sha256').update(text).digest('hex'), text }
  })
}

function listApplied(sql: postgres.ISql): Promise<{ name: string; sha256: string }[]> {
  return sql<{ name: string; sha256: string }[]>`select name, sha256 from public.migration`
}

function pendingAmong(files: Migration[], applied: { name: string; sha256: string }[]): string[] {
  const known = new Map(applied.map(({ name, sha256 }) => [name, sha256]))
  const last =
    applied
      .map(({ name }) => name)
      .sort()
      .at(-1) ?? ''
  const pending: string[] = []
  for (const { name, sha256 } of files) {
    const before = known.get(name)
    if (before === undefined) {
      if (name < last)
        throw new Error(`La migration ${name} arrive après ${last}, déjà appliquée : donnez-lui un numéro plus grand.`)
      pending.push(name)
    } else if (before !== sha256) {
      throw new Error(
        `La migration ${name} a changé depuis qu'elle est appliquée : remettez le fichier d'origine et écrivez une nouvelle migration.`,
      )
    }
  }
  return pending
}

async function ensureRole(tx: postgres.TransactionSql, role: string, login: 'login' | 'nologin', password?: string) {
  const [found] = await tx`select 1 from pg_roles where rolname = ${role}`
  if (!found) await tx.unsafe(`create role ${role} ${login}`)
  // RLS and grants hold only if the role can get round neither: said again each time.
  await tx.unsafe(
    `alter role ${role} ${login} nocreatedb nocreaterole${password === undefined ? '' : ` password '${verifier(password)}'`}`,
  )
}

/** What PostgreSQL stores for SCRAM-SHA-256 (RFC 5803): the password itself then reaches neither the server nor its log. */
function verifier(password: string): string {
  const salt = randomBytes(16)
  const salted = pbkdf2Sync(password, salt, 4096, 32, 'sha256')
  const mac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()
  const stored = createHash('sha256').update(mac(salted, 'Client Key')).digest('base64')
  return `SCRAM-SHA-256$4096:${salt.toString('base64')}$${stored}:${mac(salted, 'Server Key').toString('base64')}`
}

async function withConnection<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    return await work(sql)
  } finally {
    await sql.end({ timeout: 5 })
  }
}
