import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import type { Db } from '../db.ts'
import type { Env } from './env.ts'
import { calm } from './errors.ts'
import { type Rate, takeToken } from './rates.ts'

/** Middleware of a route, after its rule: as many times for each who is signed in. */
export const limitCaller = (db: Db, rate: Rate) =>
  limitRate(db, rate, ({ var: { aidant, usager } }) => aidant?.id ?? usager?.ids[0] ?? '')

/** Middleware of a route: 429 and the time to wait beyond the rate. */
export const limitRate = (db: Db, rate: Rate, keyOf: (c: Context<Env>) => string) =>
  createMiddleware<Env>(async (c, next) => {
    const token = await db.tx({ kind: 'portier' }, (tx) => takeToken(tx, rate, keyOf(c)))
    return token.ok ? next() : calm(c, 429, token.retryAfter)
  })
