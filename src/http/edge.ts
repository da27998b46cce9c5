import { Hono } from 'hono'
import { createMiddleware } from 'hono/factory'
import { crossSite } from './cross-site.ts'
import type { Env } from './env.ts'
import { onError, onNotFound } from './errors.ts'
import { securityHeaders } from './headers.ts'
import { deadline, limitBody, plainAddress } from './limits.ts'
import { type Log, logRequests } from './log.ts'
import { requestId } from './request-id.ts'

type Options = {
  publicUrl: string
  /** Origins of the providers that our forms lead to. */
  formActions: readonly string[]
  demo: boolean
  log: Log
  random: (bytes: number) => Buffer
}

/** An application that only has an edge: what every request goes through, in this order, before any route. */
export function openEdge({ publicUrl, formActions, demo, log, random }: Options): Hono<Env> {
  const app = new Hono<Env>()
  const setDemo = createMiddleware<Env>(async (c, next) => {
    c.set('demo', demo)
    await next()
  })
  app.use(
    requestId(random),
    setDemo,
    logRequests(log),
    securityHeaders({ publicUrl, formActions }),
    plainAddress,
    crossSite(publicUrl),
    deadline(),
    limitBody,
    onlyErrors,
  )
  app.onError(onError(log))
  app.notFound(onNotFound(app))
  return app
}

/** Hono shows a page for thrown Errors only. */
const onlyErrors = createMiddleware<Env>(async (_, next) => {
  try {
    await next()
  } catch (thrown) {
    throw thrown instanceof Error ? thrown : new Error('something else than an Error was thrown')
  }
})
