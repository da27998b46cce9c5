import { existsSync, readFileSync } from 'node:fs'
import { parseCheckpoint } from './journal/checkpoint.ts'
import { cosignedAt, isSignedBy, renamed, type Vkey } from './journal/note.ts'
import { NO_WITNESS, type Policy, parsePolicy } from './journal/policy.ts'
import type { Fault, SeenPoint } from './journal/verify.ts'
import type { Surroundings } from './surroundings.ts'

/** A variable's text, or that of the file it names. */
export const textOf = (value: string): string => (existsSync(value) ? readFileSync(value, 'utf8') : value)

export const policyOf = ({ JOURNAL_WITNESSES }: Surroundings): Policy =>
  JOURNAL_WITNESSES ? parsePolicy(textOf(JOURNAL_WITNESSES)) : NO_WITNESS

export type Seen = SeenPoint & { temoins: string[] }
/**
 * What a witness kept, in a file or at an address: every checkpoint that it cosigned, one record a line, or the last one alone; signed by the
 * journal under the name that each gives, and by the witnesses of the policy when there are some. A record that does not end was cut while it was
 * written, and nobody was answered. Throws a French sentence when nothing is there.
 */
export async function readSeen(where: string, log: Vkey, policy: Policy): Promise<Seen[] | Fault> {
  const text = /^https?:/.test(where) ? await fetchText(where) : readFileSync(where, 'utf8')
  const names = new Map<string, Vkey>()
  const seen: Seen[] = []
  for (const note of text.startsWith('point ') ? text.split('\n').slice(0, -1).map(noteOf) : [text]) {
    const checkpoint = parseCheckpoint(note)
    const wrong: Fault = { kind: 'temoin_illisible', ou: where }
    if (!checkpoint) return wrong
    const { origin } = checkpoint
    const vkey = names.get(origin) ?? renamed(log, origin)
    names.set(origin, vkey)
    if (!isSignedBy(checkpoint.note, vkey)) return wrong
    const at = policy.witnesses.map((one) => ({
      name: one.vkey.name,
      vu: cosignedAt(checkpoint.note.text, checkpoint.note.signatures, one.vkey),
    }))
    const by = at.filter(({ vu }) => vu !== undefined)
    if (policy.witnesses.length > 0 && by.length === 0) return wrong
    seen.push({ ...checkpoint, vu: by[0]?.vu, temoins: by.map(({ name }) => name) })
  }
  return seen
}

/** `point TAILLE NOTE`; what is none is no note either. */
const noteOf = (record: string): string => Buffer.from(/^point \d+ (\S+)$/.exec(record)?.[1] ?? '', 'base64').toString('utf8')

async function fetchText(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(10_000), redirect: 'error' }).catch(() => undefined)
  if (!answer?.ok) throw new Error(`Le témoin ne répond pas, ou n’a rien : ${url}`)
  return answer.text()
}
