import type { Db, Tx } from '../db.ts'
import { leaveSession, openSession, rotateSession } from '../http/session.ts'
import { queueMail } from '../notification/queue.ts'
import { newUuid } from '../uuid.ts'
import { normalEmail } from './aidant.ts'
import { COMPTE_LIE, messageDeMoyens } from './messages.ts'

export type EnterRefusal = 'compte_inconnu'

/**
 * Opens the session of an aidant whom ProConnect named, for the one structure that has the SIRET it says, and ends the session this browser
 * had. No account is made: she is known here by her account there or, the first time, by her e-mail, which ties that account to her; she is told
 * so, for her e-mail is there what an identity provider says it is. Unknown, suspended, no longer habilitated there or another establishment: one
 * answer.
 */
export const enterByProConnect = (
  db: Db,
  proved: { sub: string; email: string; siret: string; idToken: string; authTime: Date },
  previousSession: string | undefined,
): Promise<{ ok: true; token: string } | { ok: false; refusal: EnterRefusal }> =>
  db.tx({ kind: 'portier' }, async (tx) => {
    const { sub, siret, idToken, authTime } = proved
    const [aidant] = await tx.sql<{ id: string; structureId: string }[]>`
      select a.id, s.id as structure_id
      from aidant a
      join habilitation h on h.aidant_id = a.id
      join structure s on s.id = h.structure_id
      where s.siret = ${siret} and h.ended_at is null and a.suspended_at is null and s.suspended_at is null
        and (a.proconnect_sub = ${sub} or (a.proconnect_sub is null and a.email = ${normalEmail(proved.email)}
          and not exists (select 1 from aidant other where other.proconnect_sub = ${sub})))
      for no key update of a`
    if (!aidant) return { ok: false, refusal: 'compte_inconnu' }

    const { id: aidantId, structureId } = aidant
    const [tied] = await tx.sql<{ email: string; prenom: string }[]>`
      update aidant
      set proconnect_sub = ${sub}
      where id = ${aidantId} and proconnect_sub is null
      returning email, prenom`
    const letter = tied && messageDeMoyens({ prenom: tied.prenom, quoi: COMPTE_LIE })
    if (letter) await queueMail(tx, `facteur:${newUuid(tx)}`, tied.email, letter)
    if (previousSession) await leaveSession(tx, previousSession)
    const token = await openSession(tx, { aidantId, structureId, proconnect: { idToken, authTime } })
    await tx.sql`insert into acces (genre, aidant_id, structure_id) values ('connexion', ${aidantId}, ${structureId})`
    return { ok: true, token }
  })

/** Whether an account at ProConnect opens hers. */
export const isTied = async (tx: Tx, aidantId: string): Promise<boolean> =>
  (await tx.sql`select id from aidant where id = ${aidantId} and proconnect_sub is not null`).length > 0

export type ConfirmRefusal = 'session_fermee' | 'autre_compte' | 'identification_ancienne'

/**
 * Counts once, for the session it was asked in, that the same aidant has just authenticated again at ProConnect, for the same structure: later
 * than every time before. Tells the token under which the session goes on.
 */
export const confirmByProConnect = (
  db: Db,
  sessionId: string,
  proved: { sub: string; siret: string; authTime: Date },
): Promise<{ ok: true; token: string } | { ok: false; refusal: ConfirmRefusal }> =>
  db.tx({ kind: 'portier' }, async (tx) => {
    const [session] = await tx.sql<{ sub: string; siret: string; proconnectAuthAt: Date }[]>`
      select a.proconnect_sub as sub, st.siret, s.proconnect_auth_at
      from session s
      join aidant a on a.id = s.aidant_id
      join structure st on st.id = s.structure_id
      where s.id = ${sessionId} and s.ended_at is null and s.proconnect_auth_at is not null
      for no key update of s`
    if (!session) return { ok: false, refusal: 'session_fermee' }
    if (session.sub !== proved.sub || session.siret !== proved.siret) return { ok: false, refusal: 'autre_compte' }
    if (session.proconnectAuthAt >= proved.authTime) return { ok: false, refusal: 'identification_ancienne' }
    await tx.sql`update session set proconnect_auth_at = ${proved.authTime} where id = ${sessionId}`
    return { ok: true, token: await rotateSession(tx, sessionId, { confirme: false }) }
  })
