import { constraintOf, type Db, type Tx, type Who } from '../db.ts'
import { hashToken } from '../http/session.ts'
import { queueMail } from '../notification/queue.ts'
import type { Mail } from '../notification/words.ts'
import { mine } from '../structure/mine.ts'
import { newUuid } from '../uuid.ts'
import type { NewAidant } from './add.ts'
import { normalEmail } from './aidant.ts'
import { waiting } from './equipe-queries.ts'
import { messageDInvitation } from './messages.ts'

type Referent = Who & { kind: 'referent' }
export type InviteRefusal = 'deja_membre' | 'deja_invite'
type Invited = { ok: true } | { ok: false; refusal: InviteRefusal }

/**
 * Invites someone into the calling référent's structure, by a link sent to her. Looks at this structure alone: nothing here depends on
 * what others know of the address (case 47).
 */
export const inviteAidant = (db: Db, by: Referent, invite: NewAidant, publicUrl: string): Promise<Invited> =>
  db
    .tx<Invited>(by, async (tx) => {
      const email = normalEmail(invite.email)
      const [here] = await tx.sql`
        select 1
        from habilitation h
        join aidant a on a.id = h.aidant_id
        where ${mine(tx, 'h')} and a.email = ${email}`
      if (here) return { ok: false, refusal: 'deja_membre' }
      const { jeton, lien } = newLink(tx, publicUrl)
      const { prenom, nom } = invite
      await tx.sql`
        insert into invitation (structure_id, invite_par, genre, email, prenom, nom, jeton)
        values (${by.structureId}, ${by.aidantId}, 'arrivee', ${email}, ${prenom}, ${nom}, ${jeton})`
      await sendLink(tx, email, messageDInvitation({ prenom, lien, ...(await findInviting(tx, by)) }))
      return { ok: true }
    })
    .catch((error) => {
      if (constraintOf(error) !== 'invitation_une_par_adresse') throw error
      return { ok: false, refusal: 'deja_invite' }
    })

/** Sends the link anew, for as long again, in the name of who sends it; the former one leads nowhere. Not ok when it has been taken up. */
export const resendInvitation = (db: Db, by: Referent, id: string, publicUrl: string): Promise<{ ok: boolean }> =>
  db.tx(by, async (tx) => {
    const { jeton, lien } = newLink(tx, publicUrl)
    const [resent] = await tx.sql<{ email: string; prenom: string }[]>`
      update invitation i
      set jeton = ${jeton}, invite_par = ${by.aidantId}, sent_at = ${tx.now}
      where ${waiting(tx, id)}
      returning email, prenom`
    if (!resent) return { ok: false }
    await sendLink(tx, resent.email, messageDInvitation({ prenom: resent.prenom, lien, ...(await findInviting(tx, by)) }))
    return { ok: true }
  })

/** The link leads nowhere any more. Not ok when it has been taken up. */
export const cancelInvitation = (db: Db, by: Referent, id: string): Promise<{ ok: boolean }> =>
  db.tx(by, async (tx) => {
    const cancelled = await tx.sql`
      update invitation i
      set cancelled_at = ${tx.now}, invite_par = ${by.aidantId}
      where ${waiting(tx, id)}
      returning 1`
    return { ok: cancelled.length > 0 }
  })

/** A link that only its message holds: the database keeps its fingerprint. */
export function newLink(tx: Tx, publicUrl: string): { jeton: Buffer; lien: string } {
  const jeton = tx.random(32).toString('base64url')
  return { jeton: hashToken(jeton), lien: `${publicUrl}/invitation/${jeton}` }
}

export const sendLink = (tx: Tx, destinataire: string, words: Mail): Promise<void> =>
  queueMail(tx, `invitation:${newUuid(tx)}`, destinataire, words)

/** Who writes, and for which structure. */
export async function findInviting(tx: Tx, by: Referent): Promise<{ structure: string; referent: string }> {
  const [row] = await tx.sql<{ structure: string; referent: string }[]>`
    select s.nom as structure, a.prenom || ' ' || a.nom as referent
    from structure s, aidant a
    where s.id = ${by.structureId} and a.id = ${by.aidantId}`
  return row!
}
