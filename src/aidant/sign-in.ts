import { createHmac } from 'node:crypto'
import type { AuthenticationResponseJSON } from '@simplewebauthn/server'
import type { Db, Tx } from '../db.ts'
import { returnToken, type Throttled, takeToken } from '../http/rates.ts'
import { hashToken, leaveSession, openSession } from '../http/session.ts'
import { queueMail } from '../notification/queue.ts'
import { sixDigits } from '../six-digits.ts'
import { newUuid } from '../uuid.ts'
import { NOBODY, normalEmail } from './aidant.ts'
import { openDefi, takeDefi } from './defi.ts'
import { type Factor, markFactor } from './factor.ts'
import { messageDEssais, messageDeConnexion, messageDeSecours } from './messages.ts'
import { MOYENS } from './moyens.ts'
import { isSealed, sealBrowser } from './navigateur-connu.ts'
import { countSecours } from './secours.ts'
import { matchSignature, spendFactor } from './spend-factor.ts'

export type Door = { secretsKey: Buffer; publicUrl: string }

const MOYENS_APRES_SECOURS = `${MOYENS}?fait=secours`
/** Six digits typed live less than an address that nobody guesses (OWASP ASVS 5.0, 6.5.5). */
const LIFE_MS = { code: 10 * 60_000, lien: 15 * 60_000 }
const TRIES = 3

/** Six digits hold too little to be hashed alone: keyed, and tied to their row. */
const hashCode = ({ secretsKey }: Door, id: string, code: string) =>
  createHmac('sha256', secretsKey).update(`${id}:${code}`).digest()

/**
 * First step: an e-mail and a code of the authenticator, or a recovery code. Whatever is wrong, the answer is the same: a browser token, and a
 * message only when everything was right; and right or wrong, the same statements. The code is spent; a recovery code is told to her, and leads
 * to where she pairs another factor.
 */
export async function requestCode(
  db: Db,
  /**
   * `navigateur`: the browser's own cookie, kept when it has one: a round trip it began before signing in again still comes back to it. `connu`: what
   * a sign-in left in it. `reseau`: the caller's network.
   */
  asked: {
    email: string
    code: string
    suite: string | undefined
    navigateur?: string | undefined
    connu?: string | undefined
    reseau: string
  },
  door: Door,
): Promise<{ ok: true; navigateur: string } | Throttled> {
  const email = normalEmail(asked.email)
  const hers = asked.connu !== undefined && isSealed(door.secretsKey, email, asked.connu)
  const here = `${email}\n${hers ? asked.connu : asked.reseau}`
  const counted = [
    ['connexion_courriel', here],
    ['connexion_compte', hers ? here : email],
  ] as const
  const throttle = await db.tx({ kind: 'portier' }, async (tx) => {
    const [near, far] = counted
    const token = await takeToken(tx, ...near)
    if (!token.ok) return token
    const whole = await takeToken(tx, ...far)
    if (!whole.ok) await tellClosed(tx, email)
    return whole
  })
  if (!throttle.ok) return throttle

  return db.tx({ kind: 'portier' }, async (tx) => {
    const aidant = await findByEmail(tx, email)
    const secours = asked.code.length > 6
    const preuve = secours ? { secours: asked.code } : { code: asked.code }
    const known = (await spendFactor(tx, aidant?.id ?? NOBODY, preuve, door)) ? aidant : undefined
    const decoy = !known
    for (const [rate, key] of counted) await returnToken(tx, rate, key, { decoy })

    const navigateur = asked.navigateur || tx.random(32).toString('base64url')
    const lien = tx.random(32).toString('base64url')
    const code = sixDigits(tx.random(6))
    const id = newUuid(tx)
    await tx.sql`
      insert into code_connexion (id, navigateur, aidant_id, code, lien, suite, secours)
      values (${id}, ${hashToken(navigateur)}, ${known?.id ?? null}, ${hashCode(door, id, code)}, ${hashToken(lien)},
        ${(secours ? MOYENS_APRES_SECOURS : asked.suite) ?? null}, ${secours})`
    const { id: aidantId, prenom } = known ?? { id: NOBODY, prenom: '' }
    if (secours) {
      const restent = await countSecours(tx, aidantId)
      await queueMail(tx, `secours:${id}`, email, messageDeSecours({ prenom, restent }), { decoy })
    }
    const words = messageDeConnexion({ prenom, code, lien: `${door.publicUrl}/connexion/lien/${lien}` })
    await queueMail(tx, `connexion:${id}`, email, words, { decoy })
    return { ok: true, navigateur }
  })
}

async function findByEmail(tx: Tx, email: string) {
  const [aidant] = await tx.sql<{ id: string; prenom: string }[]>`
    select id, prenom
    from aidant
    where email = ${email} and suspended_at is null
      and exists (select 1 from habilitation h where h.aidant_id = aidant.id and h.ended_at is null)`
  return aidant
}

/** Tells her, once a day (the window of the count), that so many tries were made with her address; nobody else learns whether she exists. */
async function tellClosed(tx: Tx, email: string) {
  const { id, prenom } = (await findByEmail(tx, email)) ?? { id: NOBODY, prenom: '' }
  const cle = `essais:${id}:${tx.now.toISOString().slice(0, 10)}`
  await queueMail(tx, cle, email, messageDEssais({ prenom }), { once: true, decoy: id === NOBODY })
}

/** The browser that comes in, with what a sign-in left in it before (`connu`). */
type Browser = { navigateur: string; previousSession?: string | undefined; connu?: string | undefined }
/** `connu`: what this browser is to keep, so that its tries are known for hers. */
type Entered = { ok: true; token: string; connu: string }
export type Redeemed = (Entered & { suite: string | null }) | { ok: false; refusal: 'code_refuse' }

/**
 * Second step, in the browser that began: the code received, or its link. Works once, three tries, ten minutes for the code and fifteen for the
 * link; opens the session and ends the one this browser had.
 */
export const redeemCode = (db: Db, given: Browser & ({ code: string } | { lien: string }), door: Door): Promise<Redeemed> =>
  db.tx({ kind: 'portier' }, async (tx) => {
    const [row] = await tx.sql<
      {
        id: string
        aidantId: string | null
        code: Buffer
        lien: Buffer
        essais: number
        suite: string | null
        secours: boolean
        createdAt: Date
      }[]
    >`
      select id, aidant_id, code, lien, essais, suite, secours, created_at
      from code_connexion
      where navigateur = ${hashToken(given.navigateur)} and used_at is null
      order by created_at desc
      limit 1
      for update`
    const now = await tx.clock()
    if (!row || now.getTime() - row.createdAt.getTime() > LIFE_MS['code' in given ? 'code' : 'lien'])
      return { ok: false, refusal: 'code_refuse' }
    if (row.essais >= TRIES) return { ok: false, refusal: 'code_refuse' }

    const right = 'code' in given ? row.code.equals(hashCode(door, row.id, given.code)) : row.lien.equals(hashToken(given.lien))
    const aidant = right ? await findOpen(tx, row.aidantId) : undefined
    if (!aidant) {
      await tx.sql`update code_connexion set essais = essais + 1 where id = ${row.id}`
      return { ok: false, refusal: 'code_refuse' }
    }
    await tx.sql`update code_connexion set used_at = ${now} where id = ${row.id}`
    return { ...(await openFor(tx, aidant, { ...given, parSecours: row.secours }, door)), suite: row.suite }
  })

/** What a browser that signs in with a passkey must have signed. */
export const openSignature = (db: Db, navigateur: string | undefined): Promise<{ navigateur: string; defi: Buffer }> =>
  db.tx({ kind: 'portier' }, async (tx) => {
    const named = navigateur || tx.random(32).toString('base64url')
    return { navigateur: named, defi: await openDefi(tx, { navigateur: named }) }
  })

/**
 * Both steps at once: a passkey, which the person's finger, face or PIN unlocked, in the browser that was asked. It names her, and stands for
 * her mailbox too: what it signs serves on this site alone.
 */
export const redeemSignature = (
  db: Db,
  given: Browser & { signature: AuthenticationResponseJSON },
  door: Door,
): Promise<Entered | { ok: false; refusal: 'cle_refusee' }> =>
  db.tx({ kind: 'portier' }, async (tx) => {
    const defi = await takeDefi(tx, given)
    const factors = await tx.sql<(Factor & { aidantId: string })[]>`
      select id, aidant_id, cle_id, cle_publique, dernier_pas
      from facteur
      where cle_id = ${Buffer.from(given.signature.id, 'base64url')} and removed_at is null
      for update`
    const match = await matchSignature(defi, factors, given.signature, door.publicUrl)
    const aidant = await findOpen(tx, match ? factors[0]!.aidantId : null)
    if (!match || !aidant) return { ok: false, refusal: 'cle_refusee' }
    await markFactor(tx, match)
    return openFor(tx, aidant, given, door)
  })

async function openFor(
  tx: Tx,
  { id: aidantId, email, structures }: { id: string; email: string; structures: string[] },
  { previousSession, connu, parSecours }: Omit<Browser, 'navigateur'> & { parSecours?: boolean },
  { secretsKey }: Door,
): Promise<Entered> {
  // It may be another's, on a computer that several share.
  if (previousSession) await leaveSession(tx, previousSession, aidantId)
  const structureId = structures.length === 1 ? structures[0] : undefined
  const token = await openSession(tx, { aidantId, structureId, parSecours })
  await tx.sql`insert into acces (genre, aidant_id, structure_id) values ('connexion', ${aidantId}, ${structureId ?? null})`
  // The same number as long as it is hers: one more at each sign-in would be as many more tries for whoever gathers them on a shared computer.
  const kept = connu !== undefined && isSealed(secretsKey, email, connu) ? connu : undefined
  return { ok: true, token, connu: kept ?? sealBrowser(secretsKey, email, tx.random(16).toString('base64url')) }
}

async function findOpen(tx: Tx, aidantId: string | null) {
  const [aidant] = await tx.sql<{ id: string; email: string; structures: string[] }[]>`
    select a.id, a.email, array(
      select s.id
      from habilitation h
      join structure s on s.id = h.structure_id
      where h.aidant_id = a.id and h.ended_at is null and s.suspended_at is null
    ) as structures
    from aidant a
    where a.id = ${aidantId ?? NOBODY} and a.suspended_at is null
      and exists (select 1 from habilitation h where h.aidant_id = a.id and h.ended_at is null)`
  return aidant
}
