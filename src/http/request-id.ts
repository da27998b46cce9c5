import { createMiddleware } from 'hono/factory'
import type { Env } from './env.ts'

/** Crockford's alphabet: nothing to confuse when read aloud on the telephone. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** Names the request by 60 bits of ours; a number sent by the caller is never believed. */
export const requestId = (random: (bytes: number) => Buffer) =>
  createMiddleware<Env>(async (c, next) => {
    const letters = [...random(12)].map((byte) => ALPHABET[byte % 32]).join('')
    const id = `${letters.slice(0, 4)}-${letters.slice(4, 8)}-${letters.slice(8)}`
    c.set('requestId', id)
    await next()
    c.header('X-Request-Id', id)
  })
