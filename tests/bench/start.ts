import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const PORT = 3920

/** Seconds from `npm start` to the first page: in a fresh clone of HEAD, with a new database, then again. */
export async function startTimes(): Promise<{ installed: number; first: number; later: number }> {
  const clone = mkdtempSync(path.join(tmpdir(), 'traitdunion-clone-'))
  try {
    execFileSync('git', ['clone', '--quiet', '--no-hardlinks', path.resolve(import.meta.dirname, '../..'), clone])
    const installed = await start(clone)
    const later = await start(clone)
    rmSync(path.join(clone, '.data'), { recursive: true })
    const first = await start(clone)
    return { installed, first, later }
  } finally {
    rmSync(clone, { recursive: true, force: true })
  }
}

async function start(cwd: string): Promise<number> {
  const begun = performance.now()
  const service = spawn('npm', ['start', '--silent'], {
    cwd,
    env: { ...process.env, PORT: String(PORT) },
    stdio: 'ignore',
    detached: true,
  })
  const ended = once(service, 'exit')
  try {
    for (;;) {
      const answer = await fetch(`http://localhost:${PORT}/`).catch(() => undefined)
      if (answer?.ok) return (performance.now() - begun) / 1000
      if (service.exitCode !== null) throw new Error('npm start ended before it answered')
      if (performance.now() - begun > 120_000) throw new Error('npm start did not answer within two minutes')
      await sleep(50)
    }
  } finally {
    if (service.exitCode === null) process.kill(-service.pid!, 'SIGINT')
    await ended
  }
}
