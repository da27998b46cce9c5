import { createHmac } from 'node:crypto'
import type { AuthenticationResponseJSON } from '@simplewebauthn/server'
import type { Db, Tx } from '../db.ts'
import { returnToken, takeToken } from '../http/rates.ts'
import { hashToken, leaveSession, openSession } from '../http/session.ts'
import { queue } from '../notification/queue.ts'
import { sixDigits } from '../six-digits.ts'
import { newUuid } from '../uuid.ts'
import { normalEmail } from './aidant.ts'
import { openDefi, takeDefi } from './defi.ts'
import { type Factor, markFactor } from './factor.ts'
import { messageDeConnexion, messageDeSecours } from './messages.ts'
import { MOYENS } from './moyens.ts'
import { countSecours } from './secours.ts'
import { matchSignature, spendFactor } from './spend-factor.ts'

export type Door = { secretsKey: Buffer; publicUrl: string }
type Throttled = { ok: false; refusal: 'trop_d_essais'; retryAfter: number }

const MOYENS_APRES_SECOURS = `${MOYENS}?fait=secours`
const LIFE_MS = 15 * 60_000
const TRIES = 3
/** No aidant has it: an unknown address takes the same path as a known one. */
const NOBODY = '00000000-0000-0000-0000-000000000000'

/** Six digits hold too little to be hashed alone: keyed, and tied to their row. */
const hashCode = ({ secretsKey }: Door, id: string, code: string) =>
  createHmac('sha256', secretsKey).update(`${id}:${code}`).digest()

/**
 * First step: an e-mail and a code of the authenticator, or a recovery code. Whatever is wrong, the answer is the same: a browser token, and a
 * message only when everything was right. The code is spent; a recovery code is told to her, and leads to where she pairs another factor.
 */
export async function requestCode(
  db: Db,
  /** `navigateur`: the browser's own cookie, kept when it has one: a round trip it began before signing in again still comes back to it. */
  asked: { email: string; code: string; suite: string | undefined; navigateur?: string | undefined },
  door: Door,
): Promise<{ ok: true; navigateur: string } | Throttled> {
  const email = normalEmail(asked.email)
  const throttle = await db.tx({ kind: 'portier' }, (tx) => takeToken(tx, 'connexion_courriel', email))
  if (!throttle.ok) return throttle

  return db.tx({ kind: 'portier' }, async (tx) => {
    const [aidant] = await tx.sql<{ id: string; prenom: string }[]>`
      select id, prenom
      from aidant
      where email = ${email} and suspended_at is null
        and exists (select 1 from habilitation h where h.aidant_id = aidant.id and h.ended_at is null)`
    const secours = asked.code.length > 6
    const preuve = secours ? { secours: asked.code } : { code: asked.code }
    const known = (await spendFactor(tx, aidant?.id ?? NOBODY, preuve, door)) ? aidant : undefined
    if (known) await returnToken(tx, 'connexion_courriel', email)

    const navigateur = asked.navigateur || tx.random(32).toString('base64url')
    const lien = tx.random(32).toString('base64url')
    const code = sixDigits(tx.random(6))
    const id = newUuid(tx)
    await tx.sql`
      insert into code_connexion (id, navigateur, aidant_id, code, lien, suite, secours)
      values (${id}, ${hashToken(navigateur)}, ${known?.id ?? null}, ${hashCode(door, id, code)}, ${hashToken(lien)},
        ${(secours ? MOYENS_APRES_SECOURS : asked.suite) ?? null}, ${secours})`
    if (known && secours)
      await queue(tx, {
        cle: `secours:${id}`,
        canal: 'email',
        destinataire: email,
        ...messageDeSecours({ prenom: known.prenom, restent: await countSecours(tx, known.id) }),
      })
    if (known)
      await queue(tx, {
        cle: `connexion:${id}`,
        canal: 'email',
        destinataire: email,
        ...messageDeConnexion({ prenom: known.prenom, code, lien: `${door.publicUrl}/connexion/lien/${lien}` }),
      })
    return { ok: true, navigateur }
  })
}

export type Redeemed = { ok: true; token: string; suite: string | null } | { ok: false; refusal: 'code_refuse' }

/**
 * Second step, in the browser that began: the code received, or its link. Works once, for fifteen minutes, three tries; opens the session
 * and ends the one this browser had.
 */
export const redeemCode = (
  db: Db,
  given: { navigateur: string; previousSession?: string | undefined } & ({ code: string } | { lien: string }),
  door: Door,
): Promise<Redeemed> =>
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
    if (!row || now.getTime() - row.createdAt.getTime() > LIFE_MS) return { ok: false, refusal: 'code_refuse' }
    if (row.essais >= TRIES) return { ok: false, refusal: 'code_refuse' }

    const right = 'code' in given ? row.code.equals(hashCode(door, row.id, given.code)) : row.lien.equals(hashToken(given.lien))
    const aidant = right ? await findOpen(tx, row.aidantId) : undefined
    if (!aidant) {
      await tx.sql`update code_connexion set essais = essais + 1 where id = ${row.id}`
      return { ok: false, refusal: 'code_refuse' }
    }
    await tx.sql`update code_connexion set used_at = ${now} where id = ${row.id}`
    return { ok: true, token: await openFor(tx, aidant, { ...given, parSecours: row.secours }), suite: row.suite }
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
  given: { navigateur: string; previousSession?: string | undefined; signature: AuthenticationResponseJSON },
  { publicUrl }: Pick<Door, 'publicUrl'>,
): Promise<{ ok: true; token: string } | { ok: false; refusal: 'cle_refusee' }> =>
  db.tx({ kind: 'portier' }, async (tx) => {
    const defi = await takeDefi(tx, given)
    const factors = await tx.sql<(Factor & { aidantId: string })[]>`
      select id, aidant_id, cle_id, cle_publique, dernier_pas
      from facteur
      where cle_id = ${Buffer.from(given.signature.id, 'base64url')} and removed_at is null
      for update`
    const match = await matchSignature(defi, factors, given.signature, publicUrl)
    const aidant = await findOpen(tx, match ? factors[0]!.aidantId : null)
    if (!match || !aidant) return { ok: false, refusal: 'cle_refusee' }
    await markFactor(tx, match)
    return { ok: true, token: await openFor(tx, aidant, given) }
  })

async function openFor(
  tx: Tx,
  { id: aidantId, structures }: { id: string; structures: string[] },
  { previousSession, parSecours }: { previousSession?: string | undefined; parSecours?: boolean },
): Promise<string> {
  // It may be another's, on a computer that several share.
  if (previousSession) await leaveSession(tx, previousSession, aidantId)
  const structureId = structures.length === 1 ? structures[0] : undefined
  const token = await openSession(tx, { aidantId, structureId, parSecours })
  await tx.sql`insert into acces (genre, aidant_id, structure_id) values ('connexion', ${aidantId}, ${structureId ?? null})`
  return token
}

async function findOpen(tx: Tx, aidantId: string | null) {
  const [aidant] = await tx.sql<{ id: string; structures: string[] }[]>`
    select a.id, array(
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
