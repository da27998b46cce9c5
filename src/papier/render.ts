import { Worker } from 'node:worker_threads'
import { insecables } from '../notification/insecables.ts'
import type { Papier } from './papier.ts'

type RenderRefusal =
  /** No Typst for this machine. */
  | 'absent'
  /** Too many papers are waiting. */
  | 'encombre'
  | 'trop_long'
  /** Typst refuses it: a letter that none of the fonts has, for instance. */
  | 'refuse'
  /** The thread died. */
  | 'panne'
type Rendered = { ok: true; pdf: Uint8Array<ArrayBuffer> } | { ok: false; refusal: RenderRefusal; detail?: string }

export type Renderer = {
  /** The PDF/A of a paper, or why there is none: the same paper then exists as a page to print. */
  pdf(papier: Papier): Promise<Rendered>
  /** The same pages as SVG, for eyes. */
  svg(papier: Papier): Promise<Rendered>
  close(): Promise<void>
}

type Options = {
  /** Papers that may wait, the one being made included. */
  queue?: number
  /** Of one paper, waiting included: less than a request has, so that the page to print can still be sent. */
  patienceMs?: number
  /** Those tried, in order. */
  packages?: readonly string[]
  /** Tells what Typst says of a refused paper, which quotes it: for tests. */
  quote?: boolean
  /** The thread's file, which the tests replace to see it die or sleep. */
  thread?: URL
}

const NAME = '@myriaddreamin/typst-ts-node-compiler-'
const ours = ({ platform, arch }: NodeJS.Process): string[] =>
  platform === 'linux' ? [`${NAME}linux-${arch}-gnu`, `${NAME}linux-${arch}-musl`] : [`${NAME}${platform}-${arch}`]

type Job = { id: number; message: object; done(rendered: Rendered): void; timer: NodeJS.Timeout }
type Answer = { absent: true } | { id: number; made: Uint8Array<ArrayBuffer> | string } | { id: number; error: string }

/** One thread, born at the first paper and again after its death; it keeps no process alive. */
export function openRenderer(options: Options = {}): Renderer {
  const { queue = 16, patienceMs = 2500, packages = ours(process), quote = false } = options
  const file = options.thread ?? new URL('./typst.mjs', import.meta.url)
  const waiting: Job[] = []
  let thread: Worker | undefined
  let running: Job | undefined
  let absent = false
  let count = 0

  const end = (job: Job, rendered: Rendered) => {
    clearTimeout(job.timer)
    if (running === job) running = undefined
    else if (waiting.includes(job)) waiting.splice(waiting.indexOf(job), 1)
    job.done(rendered)
  }
  const next = () => {
    if (running || waiting.length === 0) return
    thread ??= birth()
    running = waiting.shift()!
    thread.postMessage(running.message)
  }
  const birth = () => {
    const born = new Worker(file, { workerData: { packages, quote } })
    born.unref()
    born.on('message', (answer: Answer) => {
      if ('absent' in answer) {
        absent = true
        for (const job of [...(running ? [running] : []), ...waiting]) end(job, { ok: false, refusal: 'absent' })
        return
      }
      if (running?.id === answer.id)
        end(
          running,
          'error' in answer
            ? { ok: false, refusal: 'refuse', detail: answer.error }
            : {
                ok: true,
                pdf: typeof answer.made === 'string' ? new TextEncoder().encode(answer.made) : new Uint8Array(answer.made),
              },
        )
      next()
    })
    born.on('error', () => {}) // it dies of it, which 'exit' says
    born.on('exit', () => {
      if (thread !== born) return
      thread = undefined
      if (running) end(running, { ok: false, refusal: 'panne' })
      next()
    })
    return born
  }
  const ask = (papier: Papier, svg: boolean) =>
    new Promise<Rendered>((done) => {
      if (absent) return done({ ok: false, refusal: 'absent' })
      if (waiting.length + (running ? 1 : 0) >= queue) return done({ ok: false, refusal: 'encombre' })
      const id = ++count
      const timer = setTimeout(() => {
        // What runs for too long may never end: its thread ends with it.
        const stuck = running === job ? thread : undefined
        if (stuck) thread = undefined
        end(job, { ok: false, refusal: 'trop_long' })
        void stuck?.terminate()
        next()
      }, patienceMs)
      const job: Job = { id, message: { id, papier: insecables(JSON.stringify(papier)), svg }, done, timer }
      waiting.push(job)
      next()
    })
  return {
    pdf: (papier) => ask(papier, false),
    svg: (papier) => ask(papier, true),
    async close() {
      const last = thread
      thread = undefined
      for (const job of [...(running ? [running] : []), ...waiting]) end(job, { ok: false, refusal: 'panne' })
      await last?.terminate()
    },
  }
}
