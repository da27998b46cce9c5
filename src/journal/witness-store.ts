import { createHash } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseCheckpoint } from './checkpoint.ts'

export type WitnessStore = {
  /** The last cosigned checkpoint of this log, with our cosignature; undefined when there never was one. */
  read(origin: string): string | undefined
  /** On the disk when it returns, whole or not at all. */
  write(origin: string, signed: string): void
}

/** The file of a log is named by the SHA-256 of its origin, in hexadecimal. */
export const fileOf = (origin: string): string => `${createHash('sha256').update(origin).digest('hex')}.checkpoint`

/** One file for each log, in a folder of the witness's own. Nothing here waits: between what is read and what is written, nothing else runs. */
export function openWitnessStore(directory: string): WitnessStore {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const sync = (name: string, text?: string) => {
    const handle = openSync(name, text === undefined ? 'r' : 'w', 0o600)
    try {
      // All of it or an error: a full disk takes the beginning of a write, and says nothing.
      if (text !== undefined) writeFileSync(handle, text)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
  }
  return {
    read(origin) {
      const file = path.join(directory, fileOf(origin))
      if (!existsSync(file)) return undefined
      const signed = readFileSync(file, 'utf8')
      // A witness that forgot would sign anything: better none.
      if (parseCheckpoint(signed)?.origin !== origin) throw new Error(`witness: ${file} is damaged`)
      return signed
    },
    write(origin, signed) {
      const file = path.join(directory, fileOf(origin))
      sync(`${file}.nouveau`, signed)
      renameSync(`${file}.nouveau`, file)
      sync(directory)
    },
  }
}
