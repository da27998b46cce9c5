import type { Hash } from './merkle.ts'
import { base64, type Note, parseNote, type Signer, signatureLine } from './note.ts'

/** tlog-checkpoint: how many leaves the log had, and the root of its tree. */
export type Checkpoint = { origin: string; size: number; root: Hash }

/** The log's name: its address without the scheme. */
export const originOf = (publicUrl: string): string => `${publicUrl.replace(/^https?:\/\//, '')}/journal`

/** The three lines that are signed. */
export const checkpointText = ({ origin, size, root }: Checkpoint): string => `${origin}\n${size}\n${root.toString('base64')}\n`

/** A note whose text says `checkpoint`, signed by the log. */
export function signCheckpoint(signer: Signer, checkpoint: Checkpoint): string {
  const text = checkpointText(checkpoint)
  return `${text}\n${signatureLine(signer, text)}`
}

/**
 * A root as papers write it: its first half in hexadecimal, by groups of four. 128 bits, since whoever runs the service could look for two
 * journals that begin alike: that takes 2^64 tries, where a shorter one would be found.
 */
export const empreinteDe = (root: Hash): string =>
  root
    .subarray(0, 16)
    .toString('hex')
    .replaceAll(/.{4}(?!$)/g, '$& ')

/** undefined when the note is not one, or its text no checkpoint; its signatures are still to be verified. */
export function parseCheckpoint(note: string): (Checkpoint & { note: Note }) | undefined {
  const parsed = parseNote(note)
  const [, origin, size, encoded] = /^([^\n]+)\n(0|[1-9]\d{0,15})\n([^\n]+)\n(?:[^\n]+\n)*$/.exec(parsed?.text ?? '') ?? []
  const root = encoded === undefined ? undefined : base64(encoded)
  if (!parsed || !origin || root?.length !== 32 || !Number.isSafeInteger(Number(size))) return undefined
  return { origin, size: Number(size), root, note: parsed }
}
