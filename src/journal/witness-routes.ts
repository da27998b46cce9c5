import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { parseCheckpoint } from './checkpoint.ts'
import { cosignatureLine, type Signer, type Vkey } from './note.ts'
import { judge, NOTHING, parseSubmission } from './witness.ts'
import { fileOf, type WitnessStore } from './witness-store.ts'

type Witness = {
  signer: Signer
  /** The logs it knows, by their keys. */
  logs: readonly Vkey[]
  store: WitnessStore
  now: () => Date
  /** One line for whoever runs it. */
  say?: (line: string) => void
}

/**
 * C2SP tlog-witness. A program of its own, never part of the service: what it says is worth something when another runs it. Beside the protocol,
 * `GET /<sha256 of the origin>.points` gives every checkpoint cosigned, for whoever verifies a journal, and `.checkpoint` the last one.
 */
export function witnessRoutes({ signer, logs, store, now, say = () => {} }: Witness): Hono {
  const app = new Hono()
  app.use(bodyLimit({ maxSize: 64 * 1024, onError: (c) => c.body(null, 400) }))

  app.post('/add-checkpoint', async (c) => {
    const submission = parseSubmission(await c.req.text())
    if (!submission) return c.body(null, 400)
    const { origin } = submission.checkpoint
    const log = logs.find(({ name }) => name === origin)
    if (!log) {
      // What a stranger writes is not for the terminal of whoever runs it.
      say('journal inconnu : 404')
      return c.body(null, 404)
    }
    // Nothing waits in there: two submissions are never judged on the same memory.
    const answer = store.alone(origin, now(), () => {
      const last = parseCheckpoint(store.read(origin) ?? '')
      const verdict = judge(submission, log, last ? { size: last.size, root: last.root } : NOTHING)
      if (verdict.status !== 200) say(`${origin} ${submission.old} → ${submission.checkpoint.size} : ${verdict.status}`)
      if (verdict.status === 409) return c.body(`${verdict.size}\n`, 409, { 'Content-Type': 'text/x.tlog.size' })
      if (verdict.status !== 200) return c.body(null, verdict.status)
      const { text, signatures } = submission.checkpoint.note
      const line = cosignatureLine(signer, text, Math.floor(now().getTime() / 1000))
      // Of all that was submitted, the log's own signature is what we verified; once, however often it was there: anyone may write it again.
      const own = signatures.find(({ name, id }) => name === log.name && id.equals(log.id))!
      store.write(origin, `${text}\n${own.line}${line}`)
      return c.body(line, 200, { 'Content-Type': 'text/plain; charset=utf-8' })
    })
    if (!answer) say(`${origin} : un autre programme se sert de ce dossier, rien n’est signé : 503`)
    return answer ?? c.body(null, 503)
  })

  app.get('/:file{[0-9a-f]{64}\\.(?:checkpoint|points)}', (c) => {
    const file = c.req.param('file')
    const last = logs.find(({ name }) => fileOf(name) === file)
    const all = logs.find(({ name }) => fileOf(name, 'points') === file)
    const kept = last ? store.read(last.name) : all && store.readAll(all.name)
    return kept
      ? c.body(kept, 200, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' })
      : c.body(null, 404)
  })
  return app
}
