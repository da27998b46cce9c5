import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import path from 'node:path'
import postgres from 'postgres'
import { z } from 'zod'
import { jcs } from '../journal/jcs.ts'
import { onDatabase } from '../migrate.ts'
import { refus } from '../read-args.ts'
import { placesOf } from './place.ts'
import { explain } from './postgres.ts'

/*
 * A backup is a folder: `cluster` (the files of PostgreSQL, and the WAL that makes them one moment), `password` (of its superuser, who only
 * signs in from this machine) and `manifeste.json`, written last. The keys are not in it.
 */
const MANIFEST = 'manifeste.json'
const schema = z.object({
  v: z.literal(1),
  /** When the backup was ended, RFC 3339: what was acknowledged before is in it. */
  fin: z.iso.datetime(),
  dossiers: z.array(z.string()),
  fichiers: z.array(z.object({ nom: z.string(), taille: z.int().min(0), sha256: z.string() })),
})
type Manifest = z.infer<typeof schema> & { empreinte: string }

/** What PostgreSQL makes again at its start, and what belongs to the running server; the same as `pg_basebackup` leaves out. */
const EMPTIED = /^(?:pg_wal|pg_stat_tmp|pg_replslot|pg_dynshmem|pg_notify|pg_serial|pg_snapshots|pg_subtrans)\/|(?:^|\/)pgsql_tmp/
const LEFT_OUT =
  /^(?:postmaster\.(?:pid|opts)|backup_label|tablespace_map|backup_manifest|current_logfiles(?:\.tmp)?|postgresql\.auto\.conf\.tmp)$|(?:^|\/)pg_internal\.init/
/** Copied last, as PostgreSQL's own tool does. */
const CONTROL = 'global/pg_control'

/**
 * Copies the database of `cluster` into the folder `to` while it is written (PostgreSQL, continuous archiving, low-level API). `url`: its superuser's,
 * on the maintenance database. Every file is read again from the disk before the manifest says that the backup is whole.
 */
async function takeBackup(options: { url: string; cluster: string; password: string; to: string }): Promise<Manifest> {
  if (fs.existsSync(options.to)) throw new Error(`${options.to} existe déjà : une sauvegarde n’en remplace pas une autre.`)
  const draft = `${options.to}.partiel`
  fs.mkdirSync(draft, { mode: 0o700 })
  try {
    const manifest = await copyRunning({ ...options, draft })
    fs.renameSync(draft, options.to)
    syncFolder(path.dirname(options.to))
    return manifest
  } catch (error) {
    fs.rmSync(draft, { recursive: true, force: true })
    throw explain(error, options.to)
  }
}

async function copyRunning({ url, cluster, password, draft }: Parameters<typeof takeBackup>[0] & { draft: string }) {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connection: { statement_timeout: 0 } })
  // The backup ends with the session that began it.
  const session = await sql.reserve()
  const target = path.join(draft, 'cluster')
  const take = (name: string) => copyFile(path.join(cluster, name), path.join(target, name))
  try {
    // Keeps the WAL until it is copied, and disappears with the session.
    await session`select pg_create_physical_replication_slot('sauvegarde_' || pg_backend_pid(), true, true)`
    const [start] = await session<{ at: string }[]>`select pg_backup_start('traitdunion', fast => true)::text as at`
    const { folders, files } = list(cluster)
    fs.mkdirSync(target, { mode: 0o700 })
    for (const name of folders) fs.mkdirSync(path.join(target, name), { mode: 0o700 })
    for (const name of files) if (name !== CONTROL) take(name)
    fs.writeFileSync(path.join(target, CONTROL), readSteadily(path.join(cluster, CONTROL)), { mode: 0o600 })
    // Read before the end: what is acknowledged between the two is in the backup as well.
    const [clock] = await session<{ fin: Date }[]>`select clock_timestamp() as fin`
    const [end] = await session<{ label: string; first: string; last: string; tablespaces: number }[]>`
      select labelfile as label, pg_walfile_name(${start!.at}) as first, pg_walfile_name(lsn) as last,
        (select count(*)::int from pg_tablespace where spcname not in ('pg_default', 'pg_global')) as tablespaces
      from pg_backup_stop(wait_for_archive => false)`
    const { label, first, last, tablespaces } = end!
    if (tablespaces > 0) throw new Error('Cette base a des espaces de tables : sauvegardez-la avec pg_basebackup.')
    fs.writeFileSync(path.join(target, 'backup_label'), label, { mode: 0o600 })
    const segments = fs.readdirSync(path.join(cluster, 'pg_wal')).filter((name) => /^[0-9A-F]{24}$/.test(name))
    const needed = segments.filter((name) => name >= first && name <= last)
    if (!needed.includes(first) || !needed.includes(last)) throw new Error('Le WAL de la sauvegarde manque déjà : recommencez.')
    for (const name of needed) take(`pg_wal/${name}`)
    fs.copyFileSync(password, path.join(draft, 'password'))
    return writeManifest(draft, clock!.fin)
  } finally {
    session.release()
    await sql.end({ timeout: 5 })
  }
}

/** Folders, each after the one it is in, and files, by their paths below. */
function list(root: string): { folders: string[]; files: string[] } {
  const folders: string[] = []
  const files: string[] = []
  const walk = (below: string) => {
    for (const entry of fs.readdirSync(path.join(root, below), { withFileTypes: true })) {
      const name = below === '' ? entry.name : `${below}/${entry.name}`
      if (EMPTIED.test(name) || LEFT_OUT.test(name)) continue
      if (entry.isDirectory()) {
        folders.push(name)
        walk(name)
      } else if (entry.isFile()) files.push(name)
    }
  }
  walk('')
  return { folders, files: files.sort() }
}

/** A file that disappears meanwhile was dropped: the WAL says so too. One that changes while it is read is mended by the WAL. */
function copyFile(from: string, to: string) {
  try {
    fs.copyFileSync(from, to)
    fs.chmodSync(to, 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || from.includes('/pg_wal/')) throw error
  }
}

/** The WAL mends every file but this one: it must not be read in the middle of a write. */
function readSteadily(file: string): Buffer {
  for (;;) {
    const [once, again] = [fs.readFileSync(file), fs.readFileSync(file)]
    if (once.equals(again)) return again
  }
}

const CHUNK = 1 << 20
const buffer = Buffer.allocUnsafe(CHUNK)
/** SHA-256 of a file, in hexadecimal, and its size, once it is on the disk. */
function digest(file: string): { taille: number; sha256: string } {
  const hash = createHash('sha256')
  const handle = fs.openSync(file, 'r')
  let taille = 0
  try {
    fs.fsyncSync(handle)
    for (let read = CHUNK; read > 0; taille += read) {
      read = fs.readSync(handle, buffer)
      hash.update(buffer.subarray(0, read))
    }
  } finally {
    fs.closeSync(handle)
  }
  return { taille, sha256: hash.digest('hex') }
}

function syncFolder(folder: string) {
  const handle = fs.openSync(folder, 'r')
  fs.fsyncSync(handle)
  fs.closeSync(handle)
}

const empreinteOf = (said: z.infer<typeof schema>) => createHash('sha256').update(jcs(said)).digest('hex')
const filesOf = (folder: string) => {
  const entries = fs.readdirSync(folder, { recursive: true, withFileTypes: true })
  const name = (entry: fs.Dirent) => path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll('\\', '/')
  return {
    dossiers: entries
      .filter((entry) => entry.isDirectory())
      .map(name)
      .sort(),
    noms: entries
      .filter((entry) => !entry.isDirectory())
      .map(name)
      .filter((one) => one !== MANIFEST)
      .sort(),
  }
}

function writeManifest(folder: string, fin: Date): Manifest {
  const { dossiers, noms } = filesOf(folder)
  const fichiers = noms.map((nom) => ({ nom, ...digest(path.join(folder, nom)) }))
  const said = { v: 1 as const, fin: fin.toISOString(), dossiers, fichiers }
  const manifest = { ...said, empreinte: empreinteOf(said) }
  fs.writeFileSync(path.join(folder, MANIFEST), `${JSON.stringify(manifest)}\n`, { mode: 0o600, flush: true })
  for (const name of ['', ...dossiers]) syncFolder(path.join(folder, name))
  return manifest
}

/** What a whole backup holds, its bytes still to be compared (`checkFiles`). Throws a French sentence that names what is wrong. */
export function openBackup(folder: string): Manifest {
  const file = path.join(folder, MANIFEST)
  if (!fs.existsSync(file))
    throw refus(`${folder} n’est pas une sauvegarde entière : ${MANIFEST}, écrit en dernier, n’y est pas.`)
  const manifest = readManifest(fs.readFileSync(file, 'utf8'))
  if (!manifest) throw refus(`Sauvegarde abîmée : ${MANIFEST} ne se lit pas, ou a changé.`)
  const { dossiers, noms } = filesOf(folder)
  const missing = [...manifest.dossiers, ...manifest.fichiers.map(({ nom }) => nom)].find(
    (nom) => !dossiers.includes(nom) && !noms.includes(nom),
  )
  if (missing) throw refus(`Sauvegarde incomplète : ${missing} manque.`)
  const known = new Set(manifest.fichiers.map(({ nom }) => nom))
  const foreign = noms.find((nom) => !known.has(nom))
  if (foreign) throw refus(`Sauvegarde abîmée : ${foreign} n’en était pas.`)
  return manifest
}

/** Every byte of the files of a backup, there or where they were copied, is what was written. Throws a French sentence that names the first that is not. */
export function checkFiles(folder: string, { fichiers }: Manifest): void {
  for (const { nom, ...written } of fichiers) {
    const { taille, sha256 } = digest(path.join(folder, nom))
    if (taille !== written.taille || sha256 !== written.sha256)
      throw refus(`Sauvegarde abîmée : ${nom} n’est plus ce qui a été écrit.`)
  }
}

function readManifest(text: string): Manifest | undefined {
  try {
    const { empreinte, ...said } = JSON.parse(text) as Manifest
    const parsed = schema.safeParse(said)
    return parsed.success && empreinteOf(parsed.data) === empreinte ? { ...parsed.data, empreinte } : undefined
  } catch {
    return undefined
  }
}

/** The running database of a demonstration's folder. `adminUrl`: its superuser's. */
export async function backupDemo({ dataDir, adminUrl, to }: { dataDir: string; adminUrl: string; to: string }) {
  const root = placesOf(path.resolve(dataDir, 'postgres')).find((one) => fs.existsSync(path.join(one, 'cluster')))
  if (!root) throw new Error(`Aucune base dans ${dataDir}.`)
  const [cluster, password] = [path.join(root, 'cluster'), path.join(root, 'password')]
  return takeBackup({ url: onDatabase(adminUrl, 'postgres'), cluster, password, to })
}
