import { createHmac } from 'node:crypto'
import type { Db, Who } from '../db.ts'
import { takeToken } from '../http/rates.ts'
import { compteurDuContact, type SmsDoor, takeSms } from '../notification/budget.ts'
import { sixDigits } from '../six-digits.ts'
import { newUuid } from '../uuid.ts'
import { sendContactCode } from './announce.ts'
import { findBrouillon, lockBrouillon } from './brouillon-queries.ts'

export type SendRefusal = 'introuvable' | 'contact_manquant' | 'trop_de_codes' | 'plus_de_sms'

/** Six digits hold too little to be hashed alone: keyed, and tied to the draft and to the contact they prove. */
export const empreinteDuCodeContact = (secretsKey: Buffer, brouillonId: string, contact: string, code: string) =>
  createHmac('sha256', secretsKey).update(`contact:${brouillonId}:${contact}:${code}`).digest()

/** Sends the person a code to prove the contact she gave; the one before, if any, no longer serves. */
export async function sendCode(
  db: Db,
  by: Who & { kind: 'aidant' },
  brouillonId: string,
  door: SmsDoor,
): Promise<{ ok: true } | { ok: false; refusal: SendRefusal }> {
  const { secretsKey, log } = door
  const asked = await db.tx(by, (tx) => findBrouillon(tx, brouillonId))
  if (!asked) return { ok: false, refusal: 'introuvable' }
  const { contact } = asked
  if (!contact) return { ok: false, refusal: 'contact_manquant' }
  // The one that refuses comes before those shared with others: asked again and again, it takes nothing of theirs.
  const allowed = await db.tx(
    { kind: 'portier' },
    async (tx) =>
      (await takeToken(tx, 'code_contact', compteurDuContact(secretsKey, contact))).ok &&
      (await takeToken(tx, 'code_contact_aidant', by.aidantId)).ok &&
      (await takeToken(tx, 'code_contact_structure', by.structureId)).ok,
  )
  if (!allowed) return { ok: false, refusal: 'trop_de_codes' }
  const spent = asked.suivi === 'sms' ? await db.tx({ kind: 'portier' }, (tx) => takeSms(tx, door, contact, by)) : undefined
  if (spent) {
    log('warn', { event: 'sms_refuse', reason: spent })
    return { ok: false, refusal: 'plus_de_sms' }
  }

  return db.tx(by, async (tx) => {
    const brouillon = await lockBrouillon(tx, brouillonId)
    if (!brouillon) return { ok: false, refusal: 'introuvable' }
    if (brouillon.contact !== contact) return { ok: false, refusal: 'contact_manquant' }
    const code = sixDigits(tx.random(6))
    // A key that begins so is forgotten in an hour and never tried again by hand, as what opens a session.
    const cle = `connexion:contact:${newUuid(tx)}`
    await tx.sql`delete from code_contact where brouillon_id = ${brouillonId}`
    await tx.sql`
      insert into code_contact (brouillon_id, code, message_cle)
      values (${brouillonId}, ${empreinteDuCodeContact(secretsKey, brouillonId, contact, code)}, ${cle})`
    await sendContactCode(tx, { cle, canal: brouillon.suivi === 'sms' ? 'sms' : 'email', contact, code })
    return { ok: true }
  })
}
