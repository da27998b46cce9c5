import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { matchedRoutes } from 'hono/route'
import type { Env } from './env.ts'

type Level = 'info' | 'warn' | 'error'
type Caller = 'anonyme' | 'aidant' | 'referent' | 'usager'

/** Everything a log line may say. No field takes free text: a value that is not of its shape is written `?`. */
export type LogLine = {
  /** What happened, one word of ours (`requete`, `demarrage`…). */
  event: string
  requestId?: string
  method?: string
  /** The pattern (`/mandats/:mandatId`), never the address asked for; `-` when there is none. */
  route?: string
  status?: number
  ms?: number
  caller?: Caller
  /** Which identity provider. */
  provider?: string
  /** One word of ours that says why (a refusal, a step). */
  reason?: string
  /** Name and code of a failure, never its message: messages quote what people typed. */
  error?: string
  constraint?: string
  /** Where it failed: function, file and line. */
  at?: readonly string[]
  count?: number
}
export type Log = (level: Level, line: LogLine) => void

const word = (value: unknown) => typeof value === 'string' && /^[a-z][a-z0-9_]{0,59}$/.test(value)
const number = (value: unknown) => typeof value === 'number' && Number.isFinite(value)
const ALLOWED: { readonly [F in keyof LogLine]-?: (value: unknown) => boolean } = {
  event: word,
  requestId: (value) => typeof value === 'string' && /^[0-9A-Z-]{1,20}$/.test(value),
  method: (value) => typeof value === 'string' && /^[A-Z]{1,10}$/.test(value),
  route: (value) => typeof value === 'string' && /^(?:-|\/[\w:/.*{}-]{0,120})$/.test(value),
  status: number,
  ms: number,
  caller: word,
  provider: word,
  reason: word,
  error: (value) => typeof value === 'string' && /^[\w:.]{1,80}$/.test(value),
  constraint: word,
  at: (value) => Array.isArray(value) && value.every((frame) => typeof frame === 'string' && FRAME.test(frame)),
  count: number,
}

/** A log of JSON lines; `write` receives each with its line end. */
export const openLog =
  (write: (line: string) => void, now = () => new Date()): Log =>
  (level, line) => {
    const kept: Record<string, unknown> = { time: now().toISOString(), level }
    for (const [field, fits] of Object.entries(ALLOWED)) {
      const value = line[field as keyof LogLine]
      if (value !== undefined) kept[field] = fits(value) ? value : '?'
    }
    write(`${JSON.stringify(kept)}\n`)
  }

const FRAME = /^(?:[\w.<>#$[\] ]{1,80} )?\(?[\w@./+-]{1,120}:\d+:\d+\)?$/

/** What may be said of a failure. */
export function failure(error: unknown): Pick<LogLine, 'error' | 'constraint' | 'at'> {
  if (!(error instanceof Error)) return { error: 'not_an_error' }
  const { code, constraint_name: constraint } = error as { code?: unknown; constraint_name?: unknown }
  const [, ...frames] = (error.stack ?? '').replace(error.message, '').split(/\n\s+at /)
  const at = frames
    .map((frame) => frame.trim().replace(/(?:file:\/\/)?[^\s(]*\/(?=(?:src|views|node_modules|tests)\/)/, ''))
    .filter((frame) => FRAME.test(frame))
    .slice(0, 8)
  return {
    error: typeof code === 'string' ? `${error.name}:${code}` : error.name,
    ...(typeof constraint === 'string' && { constraint }),
    ...(at.length > 0 && { at }),
  }
}

/** Pattern of the route that answers, `-` when none does. */
export const routeOf = (c: Context<Env>): string => matchedRoutes(c).find(({ method }) => method !== 'ALL')?.path ?? '-'

const callerOf = ({ var: { aidant, usager } }: Context<Env>): Caller =>
  aidant ? (aidant.referent ? 'referent' : 'aidant') : usager ? 'usager' : 'anonyme'

/** One line for each request, when its answer is known. A probe that goes well says nothing. */
export const logRequests = (log: Log) =>
  createMiddleware<Env>(async (c, next) => {
    const start = performance.now()
    await next()
    const { method } = c.req
    const { status } = c.res
    const route = routeOf(c)
    if (status < 400 && (route === '/livez' || route === '/readyz')) return
    const ms = Math.round(performance.now() - start)
    log(status >= 500 ? 'error' : 'info', {
      event: 'requete',
      requestId: c.var.requestId,
      method,
      route,
      status,
      ms,
      caller: callerOf(c),
    })
  })
