import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { PAGE_OF } from '../../views/kit/page.ts'
import { BEGUN_IN, type Kept, keptPage, type Wait } from '../../views/public/kept.ts'
import type { Config } from '../config.ts'
import type { Db, Tx } from '../db.ts'
import { MAX_FIELDS, readFields } from '../form.ts'
import type { AidantContext, Env } from './env.ts'
import { IDLE_MINUTES } from './idle.ts'
import { MAX_BODY } from './limits.ts'
import { ruleOf, SIGN_IN } from './rules.ts'
import { cookies, hashToken } from './session.ts'

/*
 * A form sent when the session has just closed, or while the service is busy, is shown back whole in a page whose button sends it again:
 * what was typed lives in that page alone. The page also names the session the form was begun in, by the fingerprint of its token, which
 * opens nothing; the form is then taken only from whoever held that session. The name can only refuse: a form that bears none is any form.
 * Those of an aidant's pages bear it from the start: on a computer that several share, a tab that one left open is not sent in the name of
 * the next, nor for the other structure.
 */

/** `begunIn`: fingerprint of the session's token. `again`: the form comes from one of our pages that keep it, or was begun in another session. */
export type KeptForm = Kept & { again: boolean }

/** Never sent again: a code serves once, and a person's yes or no is said anew, in front of the words. */
export const SAID_ANEW: readonly string[] = ['code', 'totp', 'recu', 'reponse', 'signature', 'proconnect']

/**
 * Remembers, for the time of the request, the form that someone sends to a page which is not open to all. Comes before the session: when the
 * database is too busy to say who is calling, what she typed is not lost either.
 */
export const keepForm = (config: Pick<Config, 'publicUrl'>) => {
  const jar = cookies(config)
  return createMiddleware<Env>(async (c, next) => {
    const rule = ruleOf(c)
    if (c.req.method !== 'POST' || !rule || rule === 'public') return next()
    const sent = await readFields(c)
    const token = jar.read(c, 'session')
    const said = sent.get(BEGUN_IN)
    const now = token && hashToken(token).toString('base64url')
    const shownTo = sent.get(PAGE_OF)?.[0]
    const elsewhere = now !== undefined && shownTo !== undefined && shownTo !== now
    const begunIn = said ? String(said[0]) : elsewhere ? String(shownTo) : now
    const fields = [...sent].flatMap(([name, values]) =>
      name === BEGUN_IN || name === PAGE_OF || SAID_ANEW.includes(name)
        ? []
        : values.flatMap((value) => (typeof value === 'string' ? [[name, value] as const] : [])),
    )
    const { pathname, search } = new URL(c.req.url)
    const again = said !== undefined || elsewhere
    if (begunIn !== undefined && (again || (fields.length > 0 && fits(fields, begunIn))))
      c.set('kept', { address: pathname + search, fields, begunIn, again })
    return next()
  })
}

/** Sent again, with one field more and in the other encoding perhaps, it must still be accepted. */
const fits = (fields: Kept['fields'], begunIn: string) =>
  fields.length < MAX_FIELDS &&
  Buffer.byteLength(new URLSearchParams([...fields.map(([...pair]) => pair), [BEGUN_IN, begunIn]]).toString()) <= MAX_BODY

/** Comes after the session: shows the form back when it has closed by itself, refuses one that was begun by someone else. */
export const resumeForm = (db: Db) =>
  createMiddleware<Env>(async (c, next) => {
    const { kept, aidant, usager, detour } = c.var
    const holder = aidant ?? usager
    if (!kept || (holder && !kept.again)) return next()
    const begun = await db.tx({ kind: 'portier' }, (tx) => findBegun(tx, kept.begunIn), { retryable: true })
    if (!holder) return begun?.closed ? waiting(c, kept, begun.idle ? 'inactive' : 'fermee') : next()
    if (!begun) return waiting(c, kept, 'ancien')
    const hers = aidant
      ? // Not in a structure yet, she is sent to choose one below: what she chooses is looked at when the form comes back.
        begun.aidantId === aidant.id && (!aidant.structureId || begun.structureId === aidant.structureId)
      : usager!.ids.includes(begun.usagerId!)
    if (!hers) return waiting(c, kept, 'autre')
    return detour && c.req.path !== detour ? waiting(c, kept, 'etape', detour) : next()
  })

/**
 * 403 and not 401, which promises a challenge in a header that no browser could answer here: who asks is not enough yet, and the same request
 * may be sent again once she is. 409 when it never will be from this caller.
 */
const waiting = (
  c: Context<Env>,
  kept: Kept,
  wait: Wait,
  first: string = ruleOf(c)?.startsWith('usager') ? SIGN_IN.usager : SIGN_IN.aidant,
) => c.html(keptPage({ wait, kept, first, demo: c.var.demo }), wait === 'autre' || wait === 'ancien' ? 409 : 403)

/** The dossier at this address must be opened first; what was written meanwhile is kept. */
export const reopenFirst = (c: AidantContext, dossier: string) => {
  const { kept, demo } = c.var
  return kept ? c.html(keptPage({ wait: 'etape', kept, first: `${dossier}/ouvrir`, demo }), 403) : c.redirect(dossier, 303)
}

type Begun = { aidantId: string | null; structureId: string | null; usagerId: string | null; closed: boolean; idle: boolean }

/**
 * Whose session this fingerprint is of, ended or not, until it is forgotten. `closed` when nobody ended it: a caller who is no longer signed
 * in let it close. She who signed out herself left nothing behind, nor did an aidant suspended since.
 */
async function findBegun(tx: Tx, begunIn: string): Promise<Begun | undefined> {
  const jeton = Buffer.from(begunIn, 'base64url')
  const [begun] = await tx.sql<Begun[]>`
    select s.aidant_id, s.structure_id, s.usager_id, s.ended_at is null and a.suspended_at is null as closed,
      s.last_seen_at <= horloge() - make_interval(mins => ${IDLE_MINUTES}) as idle
    from session s
    left join aidant a on a.id = s.aidant_id
    where s.jeton = ${jeton} or s.jetons_avant @> array[${jeton}::bytea]`
  return begun
}
