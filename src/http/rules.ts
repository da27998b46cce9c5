import type { Context, Hono, MiddlewareHandler } from 'hono'
import { createMiddleware } from 'hono/factory'
import { matchedRoutes } from 'hono/route'
import type { Confirme } from '../aidant/moyens.ts'
import { isUuid } from '../form.ts'
import type { Env, SessionAidant, SessionUsager } from './env.ts'
import { onlyGet } from './errors.ts'
import { localPath } from './local-path.ts'
import type { Rate } from './rates.ts'

/**
 * Who may call a route. Each route declares it as its first handler:
 * `routes.get('/mandats/:mandatId', requireAidant, async (c) => …)`, and `checkRules` lets no application start with a route that does not.
 */
export type Rule = 'public' | 'aidant' | 'referent' | 'usager' | 'usager_prouve' | 'usager_par_code'

/** Where each kind of caller signs in. */
export const SIGN_IN = { aidant: '/connexion', usager: '/mon-espace/connexion' } as const

/** Where a person recognised by the code of her paper goes for more: FranceConnect, or a code sent to her. */
export const STEP_UP = { identite: '/mon-espace/tout-voir', contact: '/mon-espace/confirmer' } as const

/** The only addresses where asking (GET) writes more than a session's last-seen, the access log and the counters of tries. */
export const WRITING_GETS: readonly string[] = ['/connexion/franceconnect/retour', '/connexion/proconnect/retour']

const DECLARED = new WeakMap<object, Rule>()

/** `V`: what the handlers that follow may rely on, once the guard has let the caller through. */
function declare<V extends object = object>(rule: Rule, guard: (c: Context<Env>) => Response | Promise<Response> | undefined) {
  const mark = createMiddleware<Env>(async (c, next) => {
    c.set('rule', rule)
    // A parameter named …Id is an identifier of ours: anything else designates nothing.
    if (Object.entries<string>(c.req.param()).some(([name, value]) => name.endsWith('Id') && !isUuid(value))) return c.notFound()
    // HEAD shows nothing: it must not say that a dossier was looked at, nor spend a round trip.
    if (c.req.method === 'HEAD' && (rule !== 'public' || WRITING_GETS.includes(c.req.path))) return onlyGet(c)
    return guard(c) ?? next()
  })
  DECLARED.set(mark, rule)
  return mark as unknown as MiddlewareHandler<{ Bindings: Env['Bindings']; Variables: Env['Variables'] & V }>
}

export const publicPage = declare('public', () => undefined)

const aidant = (c: Context<Env>) => {
  if (!c.var.aidant) return c.var.usager ? c.notFound() : towards(c, SIGN_IN.aidant)
  return c.var.detour && c.req.path !== c.var.detour ? towards(c, c.var.detour) : undefined
}
export const requireAidant = declare<{ aidant: SessionAidant }>('aidant', aidant)
export const requireReferent = declare<{ aidant: SessionAidant }>('referent', (c) =>
  c.var.aidant && !c.var.aidant.referent ? c.notFound() : aidant(c),
)
const usager = (c: Context<Env>) => (c.var.usager ? undefined : c.var.aidant ? c.notFound() : towards(c, SIGN_IN.usager))
/** A person whom FranceConnect identified; her paper's code is not enough, unless the route says so by one of the two rules below. */
export const requireUsager = declare<{ usager: SessionUsager }>('usager', (c) =>
  c.var.usager && c.var.usager.niveau !== 'identite' ? c.redirect(STEP_UP.identite, 303) : usager(c),
)
/** Also with her paper's code, once a code sent to her has come back: what takes power away. */
export const requireUsagerProuve = declare<{ usager: SessionUsager }>('usager_prouve', (c) =>
  c.var.usager?.niveau === 'code_prive' ? towards(c, STEP_UP.contact) : usager(c),
)
/** Also with her paper's code alone: what is only read, and shows then what is not sensitive. */
export const requireUsagerParCode = declare<{ usager: SessionUsager }>('usager_par_code', usager)

/**
 * What guards a route besides its rule, declared after it: the middleware does it, or what does it (`confirmed`, `lire`) fails on a route that has not
 * said so. docs/droits.md is written from it.
 */
export type Guard = { limite: Rate } | { facteur: Confirme } | { dossier: true }
const GUARDS = new WeakMap<object, Guard>()
export function declareGuard<M extends object>(guard: Guard, middleware: M): M {
  GUARDS.set(middleware, guard)
  return middleware
}

/** An aidant's act that a fresh second factor confirms (`confirmed`). */
export const withFactor = (confirme: Confirme) =>
  declareGuard(
    { facteur: confirme },
    createMiddleware<Env>((c, next) => {
      c.set('confirme', confirme)
      return next()
    }),
  )
/** Something of a person's dossier (`lire`): a référent who does not accompany her opens it first, with a reason. */
export const withDossier = declareGuard(
  { dossier: true },
  createMiddleware<Env>((c, next) => {
    c.set('dossier', true)
    return next()
  }),
)

/** Sends elsewhere first, with the page asked for remembered in `?suite=` (a form posts to the URL that shows it). */
const towards = (c: Context<Env>, path: string) => {
  const { pathname, search } = new URL(c.req.url)
  const suite = localPath(pathname + search) ?? localPath(pathname)
  return c.redirect(suite && suite !== '/' ? `${path}?suite=${encodeURIComponent(suite)}` : path, 303)
}

/** The rule of the route that is to answer this request, known before it does; undefined when none will. */
export const ruleOf = (c: Context<Env>): Rule | undefined =>
  matchedRoutes(c)
    .map(({ handler }) => DECLARED.get(handler))
    .find((rule) => rule !== undefined)

export type DeclaredRoute = { method: string; path: string; rule: Rule | undefined; guards: Guard[] }

/** Every route of an application with its rule and its guards, as the router knows them. */
export function rulesOf(app: Pick<Hono<Env>, 'routes'>): DeclaredRoute[] {
  const routes = new Map<string, DeclaredRoute>()
  for (const { method, path, handler } of app.routes) {
    if (method === 'ALL' && path === '/*') continue
    const known = routes.get(`${method} ${path}`)
    const guard = GUARDS.get(handler)
    if (known) known.guards.push(...(guard ? [guard] : []))
    else routes.set(`${method} ${path}`, { method, path, rule: DECLARED.get(handler), guards: [] })
  }
  return [...routes.values()]
}

/** Throws when a route has no rule, so that none is ever open by oversight. */
export function checkRules(app: Pick<Hono<Env>, 'routes'>): void {
  const open = rulesOf(app).filter(({ method, rule }) => rule === undefined || method === 'ALL')
  if (open.length > 0) throw new Error(`routes without a rule: ${open.map(({ method, path }) => `${method} ${path}`).join(', ')}`)
}
