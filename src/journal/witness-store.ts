import { createHash } from 'node:crypto'
import {
  closeSync,
  createReadStream,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import path from 'node:path'
import { ReadableStream } from 'node:stream/web'
import { bundlePoint } from './bundle.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { parseNote } from './note.ts'

export type WitnessStore = {
  /** The last cosigned checkpoint of this log, with our cosignature; undefined when there never was one. */
  read(origin: string): string | undefined
  /** Every checkpoint that was kept, oldest first, one record a line (`point TAILLE NOTE`, docs/audit.md); undefined when there is none. */
  readAll(origin: string): ReadableStream | undefined
  /** On the disk when it returns, whole or not at all. */
  write(origin: string, signed: string): void
  /** What is judged on the last checkpoint, and written; undefined while another program does so in this folder. `now`: by the files' clock. */
  alone<T>(origin: string, now: Date, work: () => T): T | undefined
}

const [MINUTE, HOUR, DAY] = [60, 3_600, 86_400]
/** Of the points older than the last one by more than `over`, one is kept for each `every`, its last: seconds of this witness's clock. */
const KEPT = [
  { over: 366 * DAY, every: DAY },
  { over: 7 * DAY, every: HOUR },
  { over: Number.NEGATIVE_INFINITY, every: MINUTE },
]
/** In bytes: below it points are not thinned; above, each time that they are twice what was left. */
const FEW = 1_048_576
/** A lock as old was left by a program that died, whoever has its number now: work under it is a few writes. */
const DEAD_MS = 60_000
/** The locks of this process: a number like its own in another is of one that died before it. */
const held = new Set<string>()

/** Does another program work under this lock? It says on which machine, and the number of its process. */
function isTaken(lock: string, now: Date): boolean {
  const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs
  if (since === undefined || since < now.getTime() - DEAD_MS) return false
  const [machine, number] = readFileSync(lock, 'utf8').split(' ')
  return machine !== hostname() || (Number(number) === process.pid ? held.has(lock) : isAlive(Number(number)))
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** The files of a log are named by the SHA-256 of its origin, in hexadecimal. */
export const fileOf = (origin: string, kind: 'checkpoint' | 'points' = 'checkpoint'): string =>
  `${createHash('sha256').update(origin).digest('hex')}.${kind}`

/**
 * Two files for each log, in a folder of the witness's own. Nothing here waits: between what is read and what is written, nothing else runs in this
 * program, and a third file keeps others from it: two that remembered the same would each sign another journal.
 */
export function openWitnessStore(directory: string): WitnessStore {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const limits = new Map<string, number>()
  const on = <T>(name: string, flags: string, work: (handle: number) => T): T => {
    const handle = openSync(name, flags, 0o600)
    try {
      const done = work(handle)
      fsyncSync(handle)
      return done
    } finally {
      closeSync(handle)
    }
  }
  /** The whole file in place of the former, or the former, and an error; what had been written of it takes no room then. */
  const replace = (file: string, work: (handle: number) => void) => {
    const aside = `${file}.nouveau`
    try {
      on(aside, 'w', work)
      renameSync(aside, file)
    } catch (error) {
      rmSync(aside, { force: true })
      throw error
    }
    on(directory, 'r', () => {})
  }
  const fileAt = (...of: Parameters<typeof fileOf>) => path.join(directory, fileOf(...of))
  return {
    read(origin) {
      const file = fileAt(origin)
      const signed = existsSync(file) ? readFileSync(file, 'utf8') : undefined
      // A witness that forgot would sign anything: better none.
      if (signed !== undefined && parseCheckpoint(signed)?.origin !== origin) throw new Error(`witness: ${file} is damaged`)
      return signed
    },
    readAll(origin) {
      const file = fileAt(origin, 'points')
      return existsSync(file) ? ReadableStream.from(piecesOf(file)) : undefined
    },
    write(origin, signed) {
      const points = fileAt(origin, 'points')
      const record = bundlePoint({ taille: parseCheckpoint(signed)!.size, note: signed })
      const bytes = on(points, 'a+', (handle) => {
        // Shown again, which whoever has read it can do, it is kept once: as it was first seen.
        if (noteIn(dropTail(handle))?.text !== noteIn(record)?.text) writeFileSync(handle, record)
        return fstatSync(handle).size
      })
      // All of it or an error: a full disk takes the beginning of a write, and says nothing.
      replace(fileAt(origin), (handle) => writeFileSync(handle, signed))
      if (bytes <= (limits.get(origin) ?? FEW)) return
      try {
        replace(points, (handle) => {
          for (const kept of thinned(recordsOf(points), secondsOf(record))) writeFileSync(handle, `${kept}\n`, 'latin1')
        })
        limits.set(origin, Math.max(FEW, 2 * statSync(points).size))
      } catch {
        // No room for a second file, perhaps: all is kept, it may be answered, and the next one thins.
      }
    },
    alone(origin, now, work) {
      const lock = `${fileAt(origin)}.verrou`
      if (isTaken(lock, now)) return undefined
      rmSync(lock, { force: true })
      try {
        writeFileSync(lock, `${hostname()} ${process.pid}`, { flag: 'wx', mode: 0o600 })
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined
        throw error
      }
      held.add(lock)
      try {
        return work()
      } finally {
        held.delete(lock)
        rmSync(lock, { force: true })
      }
    },
  }
}

/** Opened when it is first read: an answer whose body nobody wants leaves no file open. */
async function* piecesOf(file: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(file)
}

const noteIn = (record: string) => parseNote(Buffer.from(record.split(' ')[2] ?? '', 'base64').toString())

/** When the witness signed it: its own signature comes last. Not a number for what is no such record, which is kept as it is. */
function secondsOf(record: string): number {
  const bytes = noteIn(record)?.signatures.at(-1)?.bytes
  return bytes?.length === 72 ? Number(bytes.readBigUInt64BE()) : Number.NaN
}

/** Each record left out is followed by one of the same minute, hour or day, over as many lines and more: its root answers for all of them. */
function* thinned(records: Iterable<string>, now: number): Generator<string> {
  let last: { record: string; period: string } | undefined
  for (const record of records) {
    const at = secondsOf(record)
    const every = KEPT.find(({ over }) => now - at > over)?.every
    const period = every === undefined ? record : `${every} ${Math.floor(at / every)}`
    if (last && last.period !== period) yield last.record
    last = { record, period }
  }
  if (last) yield last.record
}

/** The lines of a file, read by pieces. */
function* recordsOf(file: string): Generator<string> {
  const handle = openSync(file, 'r')
  const piece = Buffer.alloc(65_536)
  let rest = ''
  try {
    for (let read = readSync(handle, piece); read > 0; read = readSync(handle, piece)) {
      // Bytes of records are ASCII; of a damaged one, they stay what they are.
      const lines = (rest + piece.toString('latin1', 0, read)).split('\n')
      rest = lines.pop()!
      yield* lines
    }
  } finally {
    closeSync(handle)
  }
}

/** Takes away a record that was cut while it was written: nobody was answered. Gives the last whole one, or nothing. */
function dropTail(handle: number): string {
  const { size } = fstatSync(handle)
  const last = Buffer.alloc(Math.min(size, 65_536))
  readSync(handle, last, 0, last.length, size - last.length)
  const whole = last.lastIndexOf('\n') + 1
  if (whole < last.length) ftruncateSync(handle, size - last.length + whole)
  return last.toString('latin1', 0, whole).split('\n').at(-2) ?? ''
}
