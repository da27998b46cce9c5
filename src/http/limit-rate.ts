import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import type { Config } from '../config.ts'
import type { Db } from '../db.ts'
import { addressOf } from './address.ts'
import type { Env } from './env.ts'
import { calm } from './errors.ts'
import { countedAs, type Rate, type Throttled, takeToken } from './rates.ts'
import { declareGuard } from './rules.ts'

type Page = (c: Context<Env>, wait: Throttled) => string | Promise<string>

/** Middleware of a route: as many times for each network that calls. */
export const limitAddress = (db: Db, { proxies }: Pick<Config, 'proxies'>, rate: Rate, page?: Page) =>
  limitRate(db, rate, (c) => addressOf(c, proxies), page)

/** Middleware of a route, after its rule: as many times for each who is signed in. */
export const limitCaller = (db: Db, rate: Rate) =>
  limitRate(db, rate, ({ var: { aidant, usager } }) => aidant?.id ?? (usager ? countedAs(usager.ids) : ''))

/**
 * Middleware of a route: 429 and the time to wait beyond the rate. `page`: of a form that is open to all, itself again with what was typed and is no
 * secret; elsewhere the calm page keeps what whoever is known sent.
 */
export const limitRate = (db: Db, rate: Rate, keyOf: (c: Context<Env>) => string, page?: Page) =>
  declareGuard(
    { limite: rate },
    createMiddleware<Env>(async (c, next) => {
      const token = await db.tx({ kind: 'portier' }, (tx) => takeToken(tx, rate, keyOf(c)))
      if (token.ok) return next()
      return page ? tooOften(c, token, await page(c, token)) : calm(c, 429, token.retryAfter)
    }),
  )

/** 429 with the time to wait, in the page of the form itself. */
export function tooOften(c: Context<Env>, { retryAfter }: Throttled, page: string) {
  c.header('Retry-After', String(retryAfter))
  return c.html(page, 429)
}
