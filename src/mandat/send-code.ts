import { createHmac } from 'node:crypto'
import type { Db, Tx, Who } from '../db.ts'
import { countedAs, type Rate, takeToken } from '../http/rates.ts'
import { compteurDuContact, type SmsDoor, takeSms } from '../notification/budget.ts'
import { sixDigits } from '../six-digits.ts'
import { newUuid } from '../uuid.ts'
import { sendContactCode } from './announce.ts'
import { findBrouillon, lockBrouillon } from './brouillon-queries.ts'
import type { PourQui } from './messages.ts'

export type SendRefusal = 'introuvable' | 'contact_manquant' | 'trop_de_codes' | 'plus_de_sms'

/** Six digits hold too little to be hashed alone: keyed, and tied to the draft (or to the change) and to the contact they prove. */
export const empreinteDuCodeContact = (secretsKey: Buffer, id: string, contact: string, code: string) =>
  createHmac('sha256', secretsKey).update(`contact:${id}:${contact}:${code}`).digest()

type Asking = Who & { kind: 'aidant' | 'usager' }
type Counted = { ok: true } | { ok: false; refusal: 'trop_de_codes'; retryAfter: number } | { ok: false; refusal: 'plus_de_sms' }

/** Counts one more code to prove this contact; or says why none may leave, and in how many seconds one may. */
export async function takeCode(
  db: Db,
  by: Asking,
  { suivi, contact }: { suivi: 'email' | 'sms'; contact: string },
  door: SmsDoor,
): Promise<Counted> {
  // The one that refuses comes before those shared with others: asked again and again, it takes nothing of theirs.
  const counters: [rate: Rate, key: string][] =
    by.kind === 'aidant'
      ? [
          ['code_contact', compteurDuContact(door.secretsKey, contact)],
          ['code_contact_aidant', by.aidantId],
          ['code_contact_structure', by.structureId],
        ]
      : [
          ['code_contact_personne', countedAs(by.usagerIds)],
          // Apart from those that aidants ask for: they do not use up hers.
          ['code_contact', compteurDuContact(door.secretsKey, `elle:${contact}`)],
        ]
  const waits = await db.tx({ kind: 'portier' }, async (tx) => {
    for (const counter of counters) {
      const token = await takeToken(tx, ...counter)
      if (!token.ok) return token.retryAfter
    }
    return undefined
  })
  if (waits !== undefined) return { ok: false, refusal: 'trop_de_codes', retryAfter: waits }
  const spent = suivi === 'sms' ? await db.tx({ kind: 'portier' }, (tx) => takeSms(tx, door, contact, by)) : undefined
  if (!spent) return { ok: true }
  door.log('warn', { event: 'sms_refuse', reason: spent })
  return { ok: false, refusal: 'plus_de_sms' }
}

/** Queues six digits for this contact. What is kept of them, and the key of the message: it goes with its code. */
export async function queueCode(
  tx: Tx,
  { id, suivi, contact, pour }: { id: string; suivi: 'email' | 'sms'; contact: string; pour: PourQui },
  secretsKey: Buffer,
): Promise<{ code: Buffer; cle: string }> {
  const code = sixDigits(tx.random(6))
  // A key that begins so is forgotten in an hour and never tried again by hand, as what opens a session.
  const cle = `connexion:contact:${newUuid(tx)}`
  await sendContactCode(tx, { cle, canal: suivi, contact, code, pour })
  return { code: empreinteDuCodeContact(secretsKey, id, contact, code), cle }
}

/** Sends the person a code to prove the contact she gave; the one before, if any, no longer serves. */
export async function sendCode(
  db: Db,
  by: Who & { kind: 'aidant' },
  brouillonId: string,
  door: SmsDoor,
): Promise<{ ok: true } | { ok: false; refusal: SendRefusal }> {
  const asked = await db.tx(by, (tx) => findBrouillon(tx, brouillonId))
  if (!asked) return { ok: false, refusal: 'introuvable' }
  const { contact } = asked
  if (!contact) return { ok: false, refusal: 'contact_manquant' }
  const suivi = asked.suivi === 'sms' ? 'sms' : 'email'
  const counted = await takeCode(db, by, { suivi, contact }, door)
  if (!counted.ok) return { ok: false, refusal: counted.refusal }

  return db.tx(by, async (tx) => {
    const brouillon = await lockBrouillon(tx, brouillonId)
    if (!brouillon) return { ok: false, refusal: 'introuvable' }
    if (brouillon.contact !== contact) return { ok: false, refusal: 'contact_manquant' }
    await tx.sql`delete from code_contact where brouillon_id = ${brouillonId}`
    const { code, cle } = await queueCode(tx, { id: brouillonId, suivi, contact, pour: 'mandat' }, door.secretsKey)
    await tx.sql`
      insert into code_contact (brouillon_id, code, message_cle)
      values (${brouillonId}, ${code}, ${cle})`
    return { ok: true }
  })
}
