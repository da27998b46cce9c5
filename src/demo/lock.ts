import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import path from 'node:path'

/**
 * Takes `lock` (a folder) for this process; returns the release, or the number of the living process that holds it.
 * A process is known by its number and its start time: after a kill -9 the number may soon be another program's.
 */
export function takeLock(lock: string): (() => void) | number {
  const mine = `${process.pid} ${startOf(process.pid)}`
  const draft = `${lock}.${process.pid}`
  for (;;) {
    fs.rmSync(draft, { recursive: true, force: true })
    fs.mkdirSync(draft, { mode: 0o700 })
    fs.writeFileSync(path.join(draft, 'processus'), mine)
    // A folder never replaces one that holds something, and it arrives with its content: two takers cannot both succeed.
    if (rename(draft, lock)) {
      return () => {
        if (holderOf(lock) === mine) fs.rmSync(lock, { recursive: true, force: true })
      }
    }
    fs.rmSync(draft, { recursive: true, force: true })
    const theirs = holderOf(lock)
    const pid = Number.parseInt(theirs, 10)
    if (pid > 0 && startOf(pid) === theirs.slice(`${pid} `.length)) return pid
    // Moved, then looked at again: another start may have replaced the stale one since it was read.
    if (rename(lock, draft) && holderOf(draft) !== theirs) rename(draft, lock)
  }
}

function rename(from: string, to: string): boolean {
  try {
    fs.renameSync(from, to)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOENT') return false
    throw error
  }
}

const holderOf = (lock: string) => {
  try {
    return fs.readFileSync(path.join(lock, 'processus'), 'utf8')
  } catch {
    return ''
  }
}

/** When the process started, in whatever unit the system counts; empty when there is no such process. */
function startOf(pid: number): string {
  try {
    if (process.platform !== 'linux') return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
    // The command's name, in parentheses, may hold spaces; the start is the 20th field after it.
    const boot = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot} ${fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[19]}`
  } catch {
    return ''
  }
}
