import type { Db } from '../db.ts'
import { countedAs, takeToken } from '../http/rates.ts'
import { type SmsDoor, takeSms } from '../notification/budget.ts'
import { queueTo } from '../notification/queue.ts'
import { sixDigits } from '../six-digits.ts'
import { newUuid } from '../uuid.ts'
import { empreinteDePreuve } from './code-prive.ts'
import { findContactProuve } from './code-queries.ts'
import { messageDePreuve } from './messages.ts'

export type SendProofRefusal = 'sans_contact' | 'trop_de_codes' | 'plus_de_sms'
type Sent = { ok: true } | { ok: false; refusal: SendProofRefusal }

/**
 * Sends six digits to the contact that the person proved when she gave her accord, for a space opened with her paper. The last sent is the only
 * one that serves. Three an hour: nobody makes her telephone ring all night.
 */
export async function sendProof(db: Db, to: { sessionId: string; usagerIds: readonly string[] }, door: SmsDoor): Promise<Sent> {
  const proven = await db.tx({ kind: 'portier' }, (tx) => findContactProuve(tx, to.usagerIds[0]!))
  if (!proven) return { ok: false, refusal: 'sans_contact' }
  // Hers, not an identity's: two sheets do not ring twice as often.
  const sending = await db.tx({ kind: 'portier' }, (tx) => takeToken(tx, 'code_preuve', countedAs(to.usagerIds)))
  if (!sending.ok) return { ok: false, refusal: 'trop_de_codes' }
  const { canal, contact } = proven
  const spent = canal === 'sms' ? await db.tx({ kind: 'portier' }, (tx) => takeSms(tx, door, contact, 'arret')) : undefined
  if (spent) {
    door.log('warn', { event: 'sms_refuse', reason: spent })
    return { ok: false, refusal: 'plus_de_sms' }
  }
  const sent = await db.tx({ kind: 'portier' }, async (tx) => {
    // Replaced meanwhile, it is told nothing: what was sent there before is dead, this would not be.
    if ((await findContactProuve(tx, to.usagerIds[0]!, { held: true }))?.contact !== contact) return undefined
    const id = newUuid(tx)
    const code = sixDigits(tx.random(6))
    await tx.sql`
      insert into code_preuve (id, session_id, code)
      values (${id}, ${to.sessionId}, ${empreinteDePreuve(door.secretsKey, id, code)})`
    // A key that begins so is forgotten in an hour, as what opens a session; with its id second, it is erased with her. She is waiting for it, whatever the hour.
    await queueTo(tx, `connexion:${id}:preuve`, proven, messageDePreuve(code), { atOnce: true })
    return { ok: true } as const
  })
  return sent ?? sendProof(db, to, door)
}
