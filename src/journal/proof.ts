import { bundleHead, bundleLeaf } from './bundle.ts'
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts'
import { commitmentOf } from './entry.ts'
import { type Hash, leafHash, verifyInclusion } from './merkle.ts'
import { base64, cosignedAt, isSignedBy, type Note, type Vkey } from './note.ts'
import type { LeafRecord } from './verify.ts'

/** tlog-proof: everything needed to check, offline, that a leaf is in the log. */
type Proof = {
  extra?: Buffer
  index: number
  path: readonly Hash[]
  checkpoint: Checkpoint & { note: Note }
  signed: string
}

const MAGIC = 'c2sp.org/tlog-proof@v1'

/** The text of a `.tlog-proof`; `signed` is the checkpoint verbatim, with whatever cosignatures it has. */
export const proofText = ({ extra, index, path, signed }: Pick<Proof, 'extra' | 'index' | 'path' | 'signed'>): string =>
  [
    MAGIC,
    ...(extra ? [`extra ${extra.toString('base64')}`] : []),
    `index ${index}`,
    ...path.map((one) => one.toString('base64')),
    '',
    signed,
  ].join('\n')

export function parseProof(text: string): Proof | undefined {
  const at = text.indexOf('\n\n')
  const [magic, ...lines] = text.slice(0, Math.max(0, at)).split('\n')
  if (magic !== MAGIC) return undefined
  const extra = lines[0]?.startsWith('extra ') ? base64(lines.shift()!.slice(6)) : undefined
  const [, index] = /^index (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? '') ?? []
  const path = lines.map(base64)
  const signed = text.slice(at + 2)
  const checkpoint = parseCheckpoint(signed)
  if (index === undefined || !checkpoint || !path.every((one): one is Hash => one?.length === 32)) return undefined
  return { ...(extra && { extra }), index: Number(index), path, checkpoint, signed }
}

type ProofRefusal = 'point_non_signe' | 'autre_journal' | 'pas_dans_l_arbre'
type Proved =
  | { ok: true /** Witnesses' POSIX seconds, by name. */; seen: ReadonlyMap<string, number> }
  | { ok: false; refusal: ProofRefusal }

/** Whether the log of this key says that this leaf is in its tree, and which of these witnesses saw that tree. */
export function verifyProof({ index, path, checkpoint }: Proof, leaf: Hash, log: Vkey, witnesses: readonly Vkey[] = []): Proved {
  if (checkpoint.origin !== log.name) return { ok: false, refusal: 'autre_journal' }
  if (!isSignedBy(checkpoint.note, log)) return { ok: false, refusal: 'point_non_signe' }
  if (!verifyInclusion(leaf, index, checkpoint.size, path, checkpoint.root)) return { ok: false, refusal: 'pas_dans_l_arbre' }
  const seen = new Map<string, number>()
  for (const witness of witnesses) {
    const at = cosignedAt(checkpoint.note.text, checkpoint.note.signatures, witness)
    if (at !== undefined) seen.set(witness.name, at)
  }
  return { ok: true, seen }
}

/** A line as its proof is handed to whoever may read it; facts and salt when she may, and they are still there. */
export type ProvenLine = { numero: number; octets: string; faits?: string; sel?: string; preuve: string }
export type ProvenLines = { v: 1; cle: string; mention: string; lignes: readonly ProvenLine[] }
export type LineRefusal = ProofRefusal | 'preuve_illisible' | 'faits_changes'

/** undefined when it is something else. */
export const parseProvenLine = (value: unknown): ProvenLine | undefined => {
  const line = value as Partial<ProvenLine> | null
  return typeof line?.octets === 'string' && typeof line.preuve === 'string' ? (line as ProvenLine) : undefined
}

/**
 * What our proofs hold in their `extra`: a bundle (docs/audit.md) of their line alone, with its facts and their salt for whoever may read them.
 * The proof is then one file, that any reader of the format takes.
 */
export const extraOf = (log: Vkey, line: LeafRecord): Buffer => Buffer.from(bundleHead(log, []) + bundleLeaf(line))
const EXTRA =
  /^traitdunion-journal 1\ncle (\S+)\nligne (\d{1,16}) (\d{1,15}) ([^\n]+)\n(?:contenu (?:efface|([\w-]{43}) ([^\n]+))\n)?$/

function parseProofFile(preuve: string): Downloaded | undefined {
  const proof = parseProof(preuve)
  const [, cle, index, numero, octets, sel, faits] = EXTRA.exec(proof?.extra?.toString('utf8') ?? '') ?? []
  if (cle === undefined || octets === undefined || Number(index) !== proof?.index) return undefined
  return {
    cle,
    lignes: [{ numero: Number(numero), octets, ...(faits !== undefined && sel !== undefined && { faits, sel }), preuve }],
  }
}

type Downloaded = Pick<ProvenLines, 'cle' | 'lignes'>
/** The lines of a file that one downloads, a `.tlog-proof` or a person's `journal.json`; undefined when it is something else. */
export function parseProvenLines(text: string): Downloaded | undefined {
  if (text.startsWith(MAGIC)) return parseProofFile(text)
  try {
    const file = JSON.parse(text) as Partial<ProvenLines>
    return file.v === 1 && typeof file.cle === 'string' && file.lignes?.every(parseProvenLine) ? (file as ProvenLines) : undefined
  } catch {
    return undefined
  }
}

/** Whether this line, and its facts when it has them, are what the log of this key signed. */
export function verifyLine(
  line: ProvenLine,
  log: Vkey,
  witnesses: readonly Vkey[] = [],
): Proved | { ok: false; refusal: LineRefusal } {
  const proof = parseProof(line.preuve)
  if (!proof) return { ok: false, refusal: 'preuve_illisible' }
  if (line.faits !== undefined || line.sel !== undefined) {
    const salt = Buffer.from(line.sel ?? '', 'base64url')
    const kept = salt.length === 32 && line.octets.includes(`"commitment":"${commitmentOf(salt, line.faits ?? '')}"`)
    if (!kept) return { ok: false, refusal: 'faits_changes' }
  }
  return verifyProof(proof, leafHash(Buffer.from(line.octets)), log, witnesses)
}
