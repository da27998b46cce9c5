import type { Context, Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { matchedRoutes } from 'hono/route'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { errorPage } from '../../views/public/error.ts'
import { notFoundPage, plusEnPreparationPage } from '../../views/public/not-found.ts'
import { isBusy, isUnavailable } from '../db.ts'
import type { Env, Variables } from './env.ts'
import { failure, type Log, routeOf } from './log.ts'

/** A request, whatever its route promises of the caller. */
type Page = Pick<Context<Env>, 'header' | 'html'> & { var: Readonly<Pick<Variables, 'requestId' | 'demo' | 'kept'>> }

/** The calm page of a status, with the request's reference and, when it may pass later, the form that was sent. `retryAfter` in seconds. */
export function calm(c: Page, status: ContentfulStatusCode, retryAfter?: number) {
  if (retryAfter !== undefined) c.header('Retry-After', String(retryAfter))
  const { requestId: reference, demo, kept } = c.var
  // Busy, or asked too often: the same form may pass later. Whatever else was refused would be refused again.
  return c.html(
    errorPage({ status, reference, demo, retryAfter, kept: status === 429 || status === 503 ? kept : undefined }),
    status,
  )
}

/** Failures: a database busy or away is a 503, a malformed request what it is, and the rest a 500 of which only the log knows where. */
export const onError = (log: Log) => (error: Error, c: Context<Env>) => {
  if (error instanceof HTTPException && error.status < 500) return calm(c, error.status as ContentfulStatusCode)
  const later = isBusy(error) || isUnavailable(error)
  // The caller left before the end of her request: nobody reads the answer.
  if (!later && c.req.raw.signal.aborted) return calm(c, 400)
  const { requestId } = c.var
  log(isBusy(error) ? 'warn' : 'error', {
    event: later ? 'base_indisponible' : 'erreur',
    requestId,
    route: routeOf(c),
    ...failure(error),
  })
  return later ? calm(c, 503, 2) : calm(c, 500)
}

/** HEAD where asking would write. */
export const onlyGet = (c: Context<Env>) => {
  c.header('Allow', 'GET')
  return calm(c, 405)
}

const METHODS = ['GET', 'POST'] as const

/** Printed on papers, then typed on a telephone: a capital, an accent or a last slash must not lose her. */
const IMPRIMEES = ['/mon-espace', '/verifier', '/v', '/journal']
const imprimeeDe = (path: string) => {
  const plain = path.normalize('NFD').replace(/\p{M}/gu, '').replace(/\/+$/, '').toLowerCase()
  return plain === path ? undefined : IMPRIMEES.find((one) => one === plain)
}

/** 404, the same for what is unknown and for what is not the caller's; 405 when no route takes this method but one takes another. */
export const onNotFound = (app: Hono<Env>) => (c: Context<Env>) => {
  const handled = matchedRoutes(c).some(({ method }) => method !== 'ALL')
  const allowed = handled
    ? []
    : METHODS.filter((method) => app.router.match(method, c.req.path)[0].some(([[, route]]) => route.method !== 'ALL'))
  const imprimee = c.req.method === 'GET' && imprimeeDe(c.req.path)
  if (imprimee) return c.redirect(imprimee)
  // By its address alone, whoever asks: what is gone, unknown or not hers stays one answer.
  const gone = c.req.path.startsWith('/mandats/brouillons/') ? plusEnPreparationPage : notFoundPage
  if (allowed.length === 0) return c.html(gone({ demo: c.var.demo }), 404)
  c.header('Allow', allowed.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : method)).join(', '))
  return calm(c, 405)
}
