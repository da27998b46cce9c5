import type { Db, Who } from '../db.ts'
import type { SmsDoor } from '../notification/budget.ts'
import { listStructuresDe } from '../usager/queries.ts'
import { newUuid } from '../uuid.ts'
import { refusalOfCaller } from './acting.ts'
import { findActing } from './brouillon-queries.ts'
import { deleteAttendu, estPartage, findAvecContact, holdContact, lecteurDuPersonnel } from './contact-queries.ts'
import type { ActingRefusal } from './mandat.ts'
import { queueCode, takeCode } from './send-code.ts'

type Refusal = 'introuvable' | 'contact_aidant' | 'contact_structure' | 'plus_de_sms' | ActingRefusal
export type AskRefusal = Refusal | 'trop_de_codes'
type Asked = { ok: true } | { ok: false; refusal: Refusal } | { ok: false; refusal: 'trop_de_codes'; retryAfter: number }

/**
 * Sends six digits to the contact that is to take the place of hers, outside of any mandat: asked by the person in her space, or by an aidant who is
 * with her. Nothing of how she is told changes before they come back (`changeContact`); the last sent are the only ones that serve.
 */
export async function askContact(
  db: Db,
  by: Who & { kind: 'aidant' | 'usager' },
  usagerId: string,
  { suivi, contact }: { suivi: 'email' | 'sms'; contact: string },
  door: SmsDoor,
): Promise<Asked> {
  const seen = await db.tx(by, async (tx): Promise<{ refusal: Refusal } | { partage: boolean }> => {
    const usager = await findAvecContact(tx, usagerId)
    if (!usager) return { refusal: 'introuvable' }
    const refusal = by.kind === 'aidant' ? await refusalOfCaller(tx) : undefined
    if (refusal) return { refusal }
    const lecteur = suivi === 'email' ? await lecteurDuPersonnel(tx, contact) : undefined
    if (lecteur) return { refusal: `contact_${lecteur}` }
    const structures = by.kind === 'aidant' ? [(await findActing(tx))!] : await listStructuresDe(tx)
    const telephones = structures.map(({ telephone }) => telephone)
    return { partage: await estPartage(tx, contact, usager.sub, telephones) }
  })
  if ('refusal' in seen) return { ok: false, refusal: seen.refusal }
  const counted = await takeCode(db, by, { suivi, contact }, door)
  if (!counted.ok) return counted

  return db.tx(by, async (tx) => {
    await holdContact(tx, usagerId)
    // Over since then, nobody is written to.
    if (!(await findAvecContact(tx, usagerId))) return { ok: false, refusal: 'introuvable' }
    const id = newUuid(tx)
    const pour = by.kind === 'aidant' ? 'aidant' : 'elle'
    const [aidantId, structureId] = by.kind === 'aidant' ? [by.aidantId, by.structureId] : [null, null]
    await deleteAttendu(tx, usagerId)
    const { code, cle } = await queueCode(tx, { id, suivi, contact, pour }, door.secretsKey)
    await tx.sql`
      insert into changement_contact (id, usager_id, aidant_id, structure_id, suivi, contact, partage, code, message_cle)
      values (${id}, ${usagerId}, ${aidantId}, ${structureId}, ${suivi}, ${contact}, ${seen.partage}, ${code}, ${cle})`
    return { ok: true }
  })
}
