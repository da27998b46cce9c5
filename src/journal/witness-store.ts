import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { bundlePoint } from './bundle.ts'
import { parseCheckpoint } from './checkpoint.ts'

export type WitnessStore = {
  /** The last cosigned checkpoint of this log, with our cosignature; undefined when there never was one. */
  read(origin: string): string | undefined
  /** Every checkpoint that was kept, oldest first, one record a line (`point TAILLE NOTE`, docs/audit.md); undefined when there is none. */
  readAll(origin: string): string | undefined
  /** On the disk when it returns, whole or not at all. */
  write(origin: string, signed: string): void
}

/** The files of a log are named by the SHA-256 of its origin, in hexadecimal. */
export const fileOf = (origin: string, kind: 'checkpoint' | 'points' = 'checkpoint'): string =>
  `${createHash('sha256').update(origin).digest('hex')}.${kind}`

/** Two files for each log, in a folder of the witness's own. Nothing here waits: between what is read and what is written, nothing else runs. */
export function openWitnessStore(directory: string): WitnessStore {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const on = (name: string, flags: string, work: (handle: number) => void) => {
    const handle = openSync(name, flags, 0o600)
    try {
      work(handle)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
  }
  const textOf = (name: string) => (existsSync(name) ? readFileSync(name, 'utf8') : undefined)
  return {
    read(origin) {
      const file = path.join(directory, fileOf(origin))
      const signed = textOf(file)
      // A witness that forgot would sign anything: better none.
      if (signed !== undefined && parseCheckpoint(signed)?.origin !== origin) throw new Error(`witness: ${file} is damaged`)
      return signed
    },
    readAll: (origin) => textOf(path.join(directory, fileOf(origin, 'points'))),
    write(origin, signed) {
      const file = path.join(directory, fileOf(origin))
      const { size } = parseCheckpoint(signed)!
      on(path.join(directory, fileOf(origin, 'points')), 'a+', (handle) => {
        dropTail(handle)
        writeFileSync(handle, bundlePoint({ taille: size, note: signed }))
      })
      // All of it or an error: a full disk takes the beginning of a write, and says nothing.
      on(`${file}.nouveau`, 'w', (handle) => writeFileSync(handle, signed))
      renameSync(`${file}.nouveau`, file)
      on(directory, 'r', () => {})
    },
  }
}

/** Takes away a record that was cut while it was written: nobody was answered. */
function dropTail(handle: number): void {
  const { size } = fstatSync(handle)
  const last = Buffer.alloc(Math.min(size, 65_536))
  readSync(handle, last, 0, last.length, size - last.length)
  const whole = last.lastIndexOf('\n') + 1
  if (whole < last.length) ftruncateSync(handle, size - last.length + whole)
}
