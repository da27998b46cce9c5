import type { Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { createMiddleware } from 'hono/factory'
import type { Env } from './env.ts'
import { calm } from './errors.ts'

export const MAX_BODY = 64 * 1024
const MAX_URL = 2_000
const DEADLINE_MS = 3_500
/** A provider's answer takes several calls of ours. */
const SLOWER: Readonly<Record<string, number>> = {
  '/connexion/franceconnect/retour': 8_000,
  '/connexion/proconnect/retour': 8_000,
}

/** Our addresses are plain ASCII: an encoded or doubled character in a path leads nowhere, rather than to a second name of a page. */
export const plainAddress = createMiddleware<Env>(async (c, next) => {
  const { url } = c.req
  if (url.length > MAX_URL) return calm(c, 414)
  const path = url.slice(url.indexOf('/', url.indexOf('://') + 3)).split('?', 1)[0]!
  return /%|\/\//.test(path) ? c.notFound() : next()
})

/** Answers 503 when nothing has been answered in time. What was begun goes on, and may still be recorded. */
export const deadline = (ms: (path: string) => number = (path) => SLOWER[path] ?? DEADLINE_MS) =>
  createMiddleware<Env>(async (c, next) => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, ms(c.req.path), 'late')
    })
    try {
      if ((await Promise.race([next(), late])) === 'late') return calm(c, 503, 5)
    } finally {
      clearTimeout(timer)
    }
    return undefined
  })

const counted = bodyLimit({ maxSize: MAX_BODY, onError: (c: Context<Env>) => calm(c, 413) })

/** Refuses bodies over 64 KiB: on the announced length (Node holds callers to it), else by counting. */
export const limitBody = createMiddleware<Env>(async (c, next) => {
  if (c.req.method === 'GET' || c.req.method === 'HEAD') return next()
  const length = c.req.header('content-length')
  if (length === undefined || c.req.header('transfer-encoding') !== undefined) return counted(c, next)
  return Number(length) <= MAX_BODY ? next() : calm(c, 413)
})
