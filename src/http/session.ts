import { createHash, createHmac } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { Config } from '../config.ts'
import type { Db, Reconnue, Tx } from '../db.ts'
import { LOT } from '../turns.ts'
import { addressOf } from './address.ts'
import { appareilDe } from './appareil.ts'
import type { Env } from './env.ts'
import { ABSOLUTE_HOURS, IDLE_MINUTES } from './idle.ts'
import { sienne } from './session-queries.ts'

/** How long a code sent to a contact lets stop; the space opened with the paper stays open after it. */
const PROOF_MINUTES = 30
/** How long a fresh factor of an aidant lets open dossiers. */
const CONFIRME_MINUTES = 5
/** Of a session's former tokens, how many still say whose a form is: each of its fresh factors writes them all again. */
const JETONS_AVANT = 20

/** Who a session is opened for. An aidant of several structures has none until she chooses. */
export type Holder =
  | {
      aidantId: string
      structureId?: string | undefined /** With a recovery code, which confirms nothing. */
      parSecours?: boolean | undefined
    }
  /** Whom ProConnect named, for the one structure it said; `authTime`: when she authenticated there. */
  | { aidantId: string; structureId: string; proconnect: { idToken: string; authTime: Date } }
  /** Whom FranceConnect named. */
  | { usagerId: string }
  | { usagerId: string; niveau: 'code_prive' | 'contact_prouve'; codeId: string }

const newToken = (tx: Tx) => tx.random(32).toString('base64url')
export const hashToken = (token: string): Buffer => createHash('sha256').update(token).digest()

/** Opens a session and tells its token, which only the browser keeps. `since`: when the one it takes over from began, whose hours it keeps. */
export async function openSession(tx: Tx, holder: Holder, since?: Date): Promise<string> {
  const token = newToken(tx)
  const { aidantId = null, structureId = null, usagerId = null, codeId = null } = { ...holder } as Record<string, string>
  // She has just given her factor; taken over from another session, this one cannot tell.
  const confirmeAt = aidantId && !since && !('parSecours' in holder && holder.parSecours) ? tx.now : null
  const niveau = 'niveau' in holder ? holder.niveau : 'identite'
  const { idToken = null, authTime = null } = 'proconnect' in holder ? holder.proconnect : {}
  await tx.sql`
    insert into session (jeton, aidant_id, structure_id, usager_id, niveau, prouve_at, code_prive_id, proconnect_id_token, proconnect_auth_at,
      created_at, confirme_at)
    values (${hashToken(token)}, ${aidantId}, ${structureId}, ${usagerId}, ${niveau}, ${niveau === 'contact_prouve' ? tx.now : null}, ${codeId},
      ${idToken}, ${authTime}, ${since ?? tx.now}, ${confirmeAt})`
  return token
}

/** The session that this token has just opened. */
export async function findOpened(tx: Tx, token: string): Promise<string> {
  const [session] = await tx.sql<{ id: string }[]>`select id from session where jeton = ${hashToken(token)}`
  return session!.id
}

/** Ends a session that is open, for another to take over from it; tells when it began. */
export const closeSession = async (tx: Tx, id: string): Promise<Date | undefined> => (await end(tx, id))?.createdAt

/**
 * Ends a session that nothing takes over from; an aidant's leaves its trace, as her coming did. `next`: the aidant who comes after, if any. Tells
 * ProConnect's id_token when it opened it.
 */
export async function leaveSession(tx: Tx, id: string, next?: string): Promise<string | undefined> {
  const closed = await end(tx, id)
  if (closed?.aidantId && closed.aidantId !== next)
    await tx.sql`insert into acces (genre, aidant_id, structure_id) values ('deconnexion', ${closed.aidantId}, ${closed.structureId})`
  return closed?.proconnectIdToken ?? undefined
}

async function end(tx: Tx, id: string) {
  const [closed] = await tx.sql<
    { createdAt: Date; aidantId: string | null; structureId: string | null; proconnectIdToken: string | null }[]
  >`
    update session
    set ended_at = ${tx.now}
    where id = ${id} and ended_at is null
    returning created_at, aidant_id, structure_id, proconnect_id_token`
  return closed
}

/**
 * A fresh factor was given in this session: it goes on under a token that whoever held the former one does not know; the former only says whose a
 * form begun under it is. `confirme`: the factor opens dossiers for a while. Tells the new token.
 */
export async function rotateSession(tx: Tx, id: string, { confirme }: { confirme: boolean }): Promise<string> {
  const token = newToken(tx)
  await tx.sql`
    update session
    set jeton = ${hashToken(token)}, jetons_avant = (jeton || jetons_avant)[1:${JETONS_AVANT}], confirme_at = ${confirme ? tx.now : tx.sql`confirme_at`}
    where id = ${id} and ended_at is null`
  return token
}

/** Closes one of the caller's sessions, or all but the one that asks; what is not hers, or closed already, stays as it is. */
export async function closeSessions(tx: Tx, which: { id: string } | { sauf: string }): Promise<void> {
  const find = () => tx.sql<{ id: string }[]>`
    select s.id
    from session s
    where ${sienne(tx)} and s.ended_at is null and ${'id' in which ? tx.sql`s.id = ${which.id}` : tx.sql`s.id <> ${which.sauf}`}
    order by s.id
    for no key update`
  // One that is being taken over by another is waited for: only the statement after sees the other.
  await find()
  const found = await find()
  for (const { id } of found) await leaveSession(tx, id)
}

/** Sessions over for a day are of no use to anyone. */
export const forgetSessions = (tx: Tx) => tx.sql`
  delete from session
  where id in (
    select id
    from session
    where ended_at < ${tx.now}::timestamptz - interval '1 day' or created_at < ${tx.now}::timestamptz - interval '1 day'
    limit ${LOT})`

type Row = {
  id: string
  aidantId: string | null
  structureId: string | null
  /** First the one that it was opened for; empty for an aidant. */
  usagerIds: string[]
  niveau: Reconnue['niveau']
  imprimePar: string | null
  prenom: string
  nom: string
  cguVersion: number | null
  referent: boolean
  parProconnect: boolean
  structureNom: string | null
  fuseau: string
  structures: number
  confirmee: boolean | null
  prenoms: string[] | null
  nomNaissance: string
  nomUsage: string | null
  stale: boolean
}

/** Where a request comes from: what the browser says it is, and a keyed fingerprint of its network. */
type From = { appareil: string; reseau: Buffer }
type FromConfig = Pick<Config, 'secretsKey' | 'proxies'>
const fromOf = (c: Context<Env>, { secretsKey, proxies }: FromConfig): From => ({
  appareil: appareilDe(c.req.header('user-agent')),
  reseau: createHmac('sha256', secretsKey)
    .update(`reseau\n${addressOf(c, proxies)}`)
    .digest(),
})

/** Who holds this token, now: undefined when nobody does any more. The database says when that is (`session_tenue`). */
const findSession = async (db: Db, token: string): Promise<Row | undefined> => {
  const [row] = await db.ask(
    (sql) => sql<Row[]>`
      select id, aidant_id, usager_ids, niveau, imprime_par, prenom, nom, cgu_version, structure_id, structure_nom, fuseau, referent,
        par_proconnect, structures, confirmee, prenoms, nom_naissance, nom_usage, stale
      from session_tenue(${hashToken(token)}, make_interval(mins => ${IDLE_MINUTES}), make_interval(hours => ${ABSOLUTE_HOURS}),
        make_interval(mins => ${PROOF_MINUTES}), make_interval(mins => ${CONFIRME_MINUTES}))`,
  )
  return row
}

const markSeen = (tx: Tx, id: string, { appareil, reseau }: From) => tx.sql`
  update session
  set last_seen_at = horloge(), appareil = ${appareil}, reseau = ${reseau}
  where id = ${id} and ended_at is null`

type SessionPaths = { cgu: string; cguVersion: number; structures: string }

/** Reads the session cookie and says who is calling; sends an aidant first to the conditions, then to the choice of a structure. */
export const session = (db: Db, config: Pick<Config, 'publicUrl'> & FromConfig, paths: SessionPaths): MiddlewareHandler<Env> => {
  const jar = cookies(config)
  return async (c, next) => {
    const token = jar.read(c, 'session')
    const row = token ? await findSession(db, token) : undefined
    if (row) {
      if (row.stale) await db.tx({ kind: 'portier' }, (tx) => markSeen(tx, row.id, fromOf(c, config)), { retryable: true })
      c.set('sessionId', row.id)
      if (row.usagerIds.length > 0) {
        const asked = c.req.query('ecriture')
        if (asked === 'grande') jar.set(c, 'ecriture', asked)
        else if (asked !== undefined) jar.clear(c, 'ecriture')
        c.set('grande', (asked ?? jar.read(c, 'ecriture')) === 'grande')
        const { niveau, imprimePar, prenoms, nomUsage, nomNaissance } = row
        const [ids, prenom, nom] = [row.usagerIds, prenoms![0], nomUsage ?? nomNaissance]
        // Whoever found her paper does not learn from us what name goes with it.
        if (niveau === 'identite') c.set('usager', { ids, niveau, nom: `${prenom} ${nom}` })
        else c.set('usager', { ids, niveau, imprimePar, nom: `${prenom} ${[...nom][0]}.` })
      } else {
        c.set('pageOf', hashToken(token!).toString('base64url'))
        c.set('aidant', {
          id: row.aidantId!,
          nom: row.nom,
          prenom: row.prenom,
          structureId: row.structureId ?? '',
          structureNom: row.structureNom ?? '',
          fuseau: row.fuseau ?? 'Europe/Paris',
          referent: row.referent,
          parProconnect: row.parProconnect,
          confirmee: row.confirmee ?? false,
          structures: row.parProconnect ? 1 : row.structures,
        })
        if (row.cguVersion !== paths.cguVersion) c.set('detour', paths.cgu)
        else if (!row.structureId) c.set('detour', paths.structures)
      }
    }
    return next()
  }
}

/** Gives this browser the session just opened, which from then on says where it was opened. */
export async function signIn(c: Context, db: Db, config: Pick<Config, 'publicUrl'> & FromConfig, token: string): Promise<void> {
  const { appareil, reseau } = fromOf(c, config)
  await db.tx(
    { kind: 'portier' },
    (tx) => tx.sql`update session set appareil = ${appareil}, reseau = ${reseau} where jeton = ${hashToken(token)}`,
  )
  cookies(config).set(c, 'session', token)
}

/** Ends the caller's session, and has the browser forget what it showed. Tells ProConnect's id_token when it opened it. */
export async function signOut(c: Context<Env>, db: Db, config: Pick<Config, 'publicUrl'>): Promise<string | undefined> {
  const { sessionId } = c.var
  const idToken = sessionId && (await db.tx({ kind: 'portier' }, (tx) => leaveSession(tx, sessionId)))
  const jar = cookies(config)
  jar.clear(c, 'session')
  if (jar.read(c, 'ecriture')) jar.clear(c, 'ecriture')
  c.header('Clear-Site-Data', '"cache", "storage"')
  return idToken
}

type CookieName = 'session' | 'navigateur' | 'ecriture' | 'connu'
const CONNU_SECONDS = 180 * 24 * 60 * 60

/**
 * The service's cookies: HttpOnly, SameSite=Lax, and under https Secure with the `__Host-` prefix. `navigateur` ties a round trip or a
 * sign-in to the browser that began it; it outlives the rotation of the session. `ecriture`: the large type she chose, until she leaves. `connu`: that
 * an aidant has signed in here (see navigateur-connu.ts), the only one to outlive the browser's closing.
 */
export function cookies({ publicUrl }: Pick<Config, 'publicUrl'>) {
  const secure = publicUrl.startsWith('https:')
  const name = (cookie: CookieName) => (secure ? `__Host-${cookie}` : cookie)
  const options = { path: '/', httpOnly: true, secure, sameSite: 'Lax' } as const
  return {
    read: (c: Context, cookie: CookieName) => getCookie(c, name(cookie)),
    set: (c: Context, cookie: CookieName, value: string) =>
      setCookie(c, name(cookie), value, cookie === 'connu' ? { ...options, maxAge: CONNU_SECONDS } : options),
    clear: (c: Context, cookie: CookieName) => deleteCookie(c, name(cookie), options),
  }
}
