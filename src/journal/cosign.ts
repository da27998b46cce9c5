import type { Db, Tx } from '../db.ts'
import { failure, type Log } from '../http/log.ts'
import { startTurns } from '../turns.ts'
import { consistencyRanges, rangeHash } from './merkle.ts'
import { cosignedAt, parseNote, parseSignatures } from './note.ts'
import type { Policy, Witness } from './policy.ts'
import { findPoint, listLastTemoignages, readNodes } from './tree-queries.ts'
import { submissionText } from './witness.ts'

/** While the journal grows its checkpoints are witnessed at least every minute: six times as often leaves room for an answer that fails. */
const EVERY_MS = 10_000
const ANSWER_MS = 5_000

type Cosigned = 'rien_de_neuf' | 'temoigne' | 'muet' | 'refuse' | 'fourche' | 'recul'

/** One POST; what a test puts in place of the network. */
export type Post = (url: string, body: string) => Promise<{ status: number; body: string }>

const postText: Post = async (url, body) => {
  const answer = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(ANSWER_MS), redirect: 'error' })
  return { status: answer.status, body: await answer.text() }
}

/**
 * Shows the last checkpoint to one witness (tlog-witness) and keeps its cosignature once verified. `fourche`: it knows another tree than ours;
 * `recul`: it knows a longer one. Never waits inside a transaction, and nothing waits for it.
 */
export async function cosign(db: Db, { vkey, url }: Witness, log: Log, post: Post = postText): Promise<Cosigned> {
  if (!url) return 'rien_de_neuf'
  const read = <T>(work: (tx: Tx) => Promise<T>) => db.tx({ kind: 'sequencer' }, work)
  const { point, last } = await read(async (tx) => ({
    point: await findPoint(tx),
    last: (await listLastTemoignages(tx)).find(({ temoin }) => temoin === vkey.text)?.taille ?? 0,
  }))
  if (!point || point.taille === last) return 'rien_de_neuf'

  const submit = async (old: number) => {
    const ranges = consistencyRanges(old, point.taille)
    const proof = await read(async (tx) => {
      const nodes = await readNodes(tx, point.taille, ranges)
      return ranges.map((range) => rangeHash(range, nodes))
    })
    return post(`${url.replace(/\/$/, '')}/add-checkpoint`, submissionText(old, proof, point.note))
  }
  let answer: Awaited<ReturnType<Post>>
  try {
    answer = await submit(last)
    // Another process of the service shows it checkpoints too: it may have gone further between a question and its answer, never back.
    for (let before = -1; answer.status === 409; ) {
      const known = Number(/^(\d{1,16})\n$/.exec(answer.body)?.[1] ?? Number.NaN)
      if (!(known > before)) return alarm(log, 'fourche')
      // It had cosigned more, which it keeps before it answers: without that memory it would cosign anything.
      if (before < 0 && known < last) alarm(log, 'oubli')
      if (known > point.taille) {
        const latest = await read((tx) => findPoint(tx))
        return latest!.taille < known ? alarm(log, 'recul') : 'rien_de_neuf'
      }
      before = known
      answer = await submit(known)
    }
  } catch (error) {
    log('warn', { event: 'temoin_muet', ...failure(error) })
    return 'muet'
  }
  if (answer.status === 422) return alarm(log, 'fourche')
  if (answer.status !== 200) {
    log('warn', { event: 'temoin_refuse', status: answer.status })
    return 'refuse'
  }
  const { text } = parseNote(point.note)!
  const signatures = parseSignatures(answer.body) ?? []
  const seen = cosignedAt(text, signatures, vkey)
  const own = signatures.find(({ name, id }) => name === vkey.name && id.equals(vkey.id))
  if (seen === undefined || !own) {
    log('warn', { event: 'temoin_refuse', reason: 'signature' })
    return 'refuse'
  }
  await read(
    (tx) => tx.sql`
    insert into journal_temoignage (taille, temoin, ligne, vu_at)
    values (${point.taille}, ${vkey.text}, ${own.line}, to_timestamp(${seen}))
    on conflict do nothing`,
  )
  return 'temoigne'
}

/** What must wake somebody up: the tree is not the one that was shown. */
function alarm<R extends 'fourche' | 'recul' | 'oubli'>(log: Log, reason: R): R {
  log('error', { event: 'journal_contredit', reason })
  return reason
}

/** Asks every witness of the policy in turn, for ever; one that is silent delays the others by its time out at most. */
export const startCosigning = (db: Db, policy: Policy, log: Log, everyMs = EVERY_MS): { stop(): Promise<void> } =>
  startTurns(async () => {
    await Promise.all(
      policy.witnesses.map((witness) =>
        cosign(db, witness, log).catch((error: unknown) =>
          log('warn', { event: 'tache_echouee', reason: 'temoins', ...failure(error) }),
        ),
      ),
    )
    return everyMs
  })
