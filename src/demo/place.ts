import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import path from 'node:path'

/** The account PostgreSQL runs under; empty: ours. */
export type Account = { uid?: number; gid?: number }

/** Where a server lives: `root` is ours (password, log), `cluster` is the account's (the data). */
export type Place = { root: string; cluster: string; account: Account }

export const LINUX = process.platform === 'linux'
export const ENV = { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }

/** Where the data can live: PostgreSQL wants a folder owned by its account, closed to all others. */
export function choosePlace(root: string, say: (line: string) => void): Place {
  const wanted = prepare(root)
  if (wanted) return wanted
  const other = elsewhere(root)
  fs.mkdirSync(other, { recursive: true, mode: 0o711 })
  // A name others may guess, in a folder they may write to: only ours will do.
  const found = isMine(other) ? prepare(other) : undefined
  if (!found)
    throw new Error(
      `PostgreSQL ne peut garder ses données ni dans ${root} ni dans ${other} : vérifiez les droits de ces dossiers.`,
    )
  say(`PostgreSQL ne peut pas garder ses données dans ${root} (droits de ce système de fichiers) : elles sont dans ${other}.`)
  return found
}

/** Where the data of `root` may be. */
export const placesOf = (root: string): string[] => [root, elsewhere(root)].filter((one) => one === root || isMine(one))

const isMine = (folder: string) => fs.lstatSync(folder, { throwIfNoEntry: false })?.uid === process.getuid!()

const elsewhere = (root: string) =>
  path.join('/var/tmp', `traitdunion-${createHash('sha256').update(path.resolve(root)).digest('hex').slice(0, 16)}`)

function prepare(root: string): Place | undefined {
  fs.mkdirSync(root, { recursive: true, mode: 0o711 })
  const cluster = path.join(root, 'cluster')
  const account = chooseAccount(cluster)
  if (fs.existsSync(cluster)) {
    give(cluster, account)
    if (suits(cluster, account)) return { root, cluster, account }
    throw new Error(`PostgreSQL ne peut plus lire ses données de ${cluster} : vérifiez les droits de ce dossier.`)
  }
  const trial = path.join(root, 'essai')
  fs.rmSync(trial, { recursive: true, force: true })
  fs.mkdirSync(trial)
  give(trial, account)
  const good = suits(trial, account)
  fs.rmSync(trial, { recursive: true })
  return good ? { root, cluster, account } : undefined
}

/** Also mends what a `chown -R` or a `chmod -R` on the clone has done to the data. */
export function give(directory: string, { uid, gid }: Account) {
  try {
    if (uid !== undefined && fs.statSync(directory).uid !== uid) {
      for (const name of fs.readdirSync(directory, { recursive: true }) as string[])
        fs.lchownSync(path.join(directory, name), uid, gid!)
      fs.chownSync(directory, uid, gid!)
    }
    fs.chmodSync(directory, 0o700)
  } catch {} // a file system without owners or rights: `suits` says no
}

function suits(directory: string, account: Account): boolean {
  const { uid, mode } = fs.statSync(directory)
  if (uid !== (account.uid ?? process.getuid!()) || (mode & 0o077) !== 0) return false
  // On Linux the server enters by its inherited working directory, whatever the rights of the folders above.
  return LINUX || spawnSync('/bin/ls', [directory], { ...account, stdio: 'ignore', cwd: '/' }).status === 0
}

/** Root lends PostgreSQL the account that already owns the data, else `postgres`, else `nobody`. */
export function chooseAccount(cluster: string): Account {
  if (process.getuid!() !== 0) return {}
  const owner = fs.existsSync(cluster) ? fs.statSync(cluster) : undefined
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid }
  const accounts = fs
    .readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  for (const name of ['postgres', '_postgres', 'nobody']) {
    const account = accounts.find((fields) => fields[0] === name)
    if (account) return { uid: Number(account[2]) >>> 0, gid: Number(account[3]) >>> 0 }
  }
  throw new Error(
    "PostgreSQL refuse de tourner en root et cette machine n'a ni compte postgres ni compte nobody : lancez la commande sans être root.",
  )
}
