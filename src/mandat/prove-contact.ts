import type { Db, Who } from '../db.ts'
import { lockBrouillon } from './brouillon-queries.ts'
import { type Lecteur, refusalOfCode, resteADire } from './contact.ts'
import { empreinteDuCodeContact } from './send-code.ts'

export type ProveRefusal = 'introuvable' | 'accord_absent' | 'code_contact_perime' | 'code_contact_faux' | 'lecteur_manquant'

/**
 * The code she received, typed back: once, within ten minutes, three tries. A contact that others read serves only once she has said who.
 * Whatever is wrong, her yes stays: paper is always possible.
 */
export const proveContact = (
  db: Db,
  by: Who & { kind: 'aidant' },
  brouillonId: string,
  said: { code: string | null; lecteur: Lecteur | null },
  secretsKey: Buffer,
): Promise<{ ok: true } | { ok: false; refusal: ProveRefusal }> =>
  db.tx(by, async (tx) => {
    const brouillon = await lockBrouillon(tx, brouillonId)
    if (!brouillon) return { ok: false, refusal: 'introuvable' }
    if (!brouillon.accordAt || !brouillon.suivi) return { ok: false, refusal: 'accord_absent' }
    const reste = resteADire(brouillon)
    if (reste.lecteur && !said.lecteur) return { ok: false, refusal: 'lecteur_manquant' }
    if (reste.code) {
      const [sent] = await tx.sql<{ code: Buffer; essais: number; createdAt: Date }[]>`
        select code, essais, created_at
        from code_contact
        where brouillon_id = ${brouillonId}
        for update`
      const typed = said.code ? empreinteDuCodeContact(secretsKey, brouillonId, brouillon.contact!, said.code) : undefined
      const wrong = refusalOfCode(sent, typed, tx.now)
      if (wrong === 'code_contact_faux')
        await tx.sql`update code_contact set essais = essais + 1 where brouillon_id = ${brouillonId}`
      if (wrong) return { ok: false, refusal: wrong }
      await tx.sql`delete from code_contact where brouillon_id = ${brouillonId}`
    }
    await tx.sql`
      update brouillon
      set contact_prouve_at = ${brouillon.contactProuveAt ?? tx.now}, contact_lecteur = ${said.lecteur ?? brouillon.contactLecteur},
        updated_at = ${tx.now}
      where id = ${brouillonId} and contact is not null`
    return { ok: true }
  })
