import { existsSync, readFileSync } from 'node:fs'
import { type Checkpoint, parseCheckpoint } from './journal/checkpoint.ts'
import { cosignedAt, isSignedBy, renamed, type Vkey } from './journal/note.ts'
import { NO_WITNESS, type Policy, parsePolicy } from './journal/policy.ts'
import type { Fault } from './journal/verify.ts'
import type { Surroundings } from './surroundings.ts'

/** A variable's text, or that of the file it names. */
export const textOf = (value: string): string => (existsSync(value) ? readFileSync(value, 'utf8') : value)

export const policyOf = ({ JOURNAL_WITNESSES }: Surroundings): Policy =>
  JOURNAL_WITNESSES ? parsePolicy(textOf(JOURNAL_WITNESSES)) : NO_WITNESS

export type Seen = Checkpoint & { temoins: string[] }
/**
 * What a witness kept, in a file or at an address: signed by the journal under the name that it gives, and by the witnesses of the policy when there
 * are some. Throws a French sentence when nothing is there.
 */
export async function readSeen(where: string, log: Vkey, policy: Policy): Promise<Seen | Fault> {
  const text = /^https?:/.test(where) ? await fetchText(where) : readFileSync(where, 'utf8')
  const checkpoint = parseCheckpoint(text)
  const wrong: Fault = { kind: 'temoin_illisible', ou: where }
  if (!checkpoint || !isSignedBy(checkpoint.note, renamed(log, checkpoint.origin))) return wrong
  const temoins = policy.witnesses.filter(
    ({ vkey }) => cosignedAt(checkpoint.note.text, checkpoint.note.signatures, vkey) !== undefined,
  )
  if (policy.witnesses.length > 0 && temoins.length === 0) return wrong
  return { ...checkpoint, temoins: temoins.map(({ vkey }) => vkey.name) }
}

async function fetchText(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(10_000), redirect: 'error' }).catch(() => undefined)
  if (!answer?.ok) throw new Error(`Le témoin ne répond pas, ou n’a rien : ${url}`)
  return answer.text()
}
