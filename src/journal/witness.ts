import { type Checkpoint, parseCheckpoint } from './checkpoint.ts'
import { EMPTY_ROOT, type Hash, verifyConsistency } from './merkle.ts'
import { base64, isSignedBy, type Vkey } from './note.ts'

/** What a witness remembers of a log: the last checkpoint it cosigned. */
type Known = { size: number; root: Hash }
export const NOTHING: Known = { size: 0, root: EMPTY_ROOT }

type Submission = {
  old: number
  proof: readonly Hash[]
  checkpoint: NonNullable<ReturnType<typeof parseCheckpoint>>
  signed: string
}

/** tlog-witness, body of `add-checkpoint`; undefined when it is malformed. */
export function parseSubmission(body: string): Submission | undefined {
  const at = body.indexOf('\n\n')
  const [first = '', ...lines] = body.slice(0, Math.max(0, at)).split('\n')
  const [, old] = /^old (0|[1-9]\d{0,15})$/.exec(first) ?? []
  const proof = lines.map(base64)
  const signed = body.slice(at + 2)
  const checkpoint = parseCheckpoint(signed)
  if (old === undefined || !checkpoint || proof.length > 63 || !proof.every((one): one is Hash => one?.length === 32))
    return undefined
  return { old: Number(old), proof, checkpoint, signed }
}

export const submissionText = (old: number, proof: readonly Hash[], signed: string): string =>
  `old ${old}\n${proof.map((one) => `${one.toString('base64')}\n`).join('')}\n${signed}`

type Verdict = { status: 200; checkpoint: Checkpoint } | { status: 400 | 403 | 404 | 422 } | { status: 409; size: number }

/** tlog-witness, in the order of its text: what is answered to this submission by a witness that knows `known` of that log. */
export function judge({ old, proof, checkpoint }: Submission, log: Vkey | undefined, known: Known): Verdict {
  if (!log || checkpoint.origin !== log.name) return { status: 404 }
  if (!isSignedBy(checkpoint.note, log)) return { status: 403 }
  if (old > checkpoint.size) return { status: 400 }
  if (old !== known.size) return { status: 409, size: known.size }
  if (old === checkpoint.size && !checkpoint.root.equals(known.root)) return { status: 409, size: known.size }
  if (!verifyConsistency(known, checkpoint, proof)) return { status: 422 }
  return { status: 200, checkpoint }
}
