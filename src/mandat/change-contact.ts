import type { Spend } from '../aidant/spend-factor.ts'
import type { Db, Tx, Who } from '../db.ts'
import { append } from '../journal/append.ts'
import type { Contact } from '../notification/words.ts'
import { refusalOfCaller } from './acting.ts'
import { announceContact } from './announce.ts'
import { type Lecteur, refusalOfCode } from './contact.ts'
import { type Attendu, findAttendu, findAvecContact, holdContact, replaceContact } from './contact-queries.ts'
import type { ActingRefusal } from './mandat.ts'
import { empreinteDuCodeContact } from './send-code.ts'

/** `code_contact_refuse`: wrong, too old, tried three times, already served, never sent. One answer for all. */
export type ChangeRefusal = 'introuvable' | 'code_contact_refuse' | 'lecteur_manquant' | 'second_facteur_refuse' | ActingRefusal
type Changed = { ok: true } | { ok: false; refusal: ChangeRefusal }

/**
 * Changes how a person is told, outside of any mandat: to the contact where she received `said.code`, or, without `said`, to paper alone. It takes the
 * place of all that she had, each of which is told; the line says that it changed, never what. `spend`: an aidant's fresh second factor.
 */
export const changeContact = (
  db: Db,
  by: Who & { kind: 'aidant' | 'usager' },
  usagerId: string,
  said: { code: string; lecteur: Lecteur | null } | undefined,
  { secretsKey, spend }: { secretsKey: Buffer; spend?: Spend | undefined },
): Promise<Changed> =>
  db.tx(by, async (tx) => {
    await holdContact(tx, usagerId)
    const usager = await findAvecContact(tx, usagerId)
    if (!usager) return { ok: false, refusal: 'introuvable' }
    const refusal = by.kind === 'aidant' ? await refusalOfCaller(tx) : undefined
    if (refusal) return { ok: false, refusal }
    const attendu = said && (await findAttendu(tx, usagerId))
    if (said) {
      if (!(await tryCode(tx, attendu, said.code, secretsKey))) return { ok: false, refusal: 'code_contact_refuse' }
      if (attendu!.partage && !said.lecteur) return { ok: false, refusal: 'lecteur_manquant' }
    }
    if (spend && !(await spend(tx))) return { ok: false, refusal: 'second_facteur_refuse' }

    const before = await replaceContact(tx, usagerId, { attenduId: attendu?.id ?? null, lecteur: said?.lecteur ?? null })
    if (before.length === 0) return { ok: false, refusal: 'code_contact_refuse' }
    const after = {
      suivi: attendu?.suivi ?? 'papier',
      email: attendu?.suivi === 'email' ? attendu.contact : null,
      telephone: attendu?.suivi === 'sms' ? attendu.contact : null,
    }
    const here = by.kind === 'aidant' ? { structureId: by.structureId } : {}
    const replaced = new Map<string, Contact>()
    let last: number | undefined
    for (const had of before) {
      const champs = (['email', 'telephone', 'suivi'] as const).filter((champ) => had[champ] !== after[champ])
      if (champs.length === 0) continue
      last = (await append(tx, { action: 'contact_modifie', ...here, usagerId: had.usagerId, contenu: { champs } })).id
      if (had.telephone && had.telephone !== after.telephone)
        replaced.set(had.telephone, { canal: 'sms', contact: had.telephone })
      if (had.email && had.email !== after.email) replaced.set(had.email, { canal: 'email', contact: had.email })
    }
    if (last) await announceContact(tx, usagerId, last, [...replaced.values()])
    return { ok: true }
  })

/** Is it the code that was sent? A wrong one is one of its three tries. */
async function tryCode(tx: Tx, attendu: Attendu | undefined, code: string, secretsKey: Buffer): Promise<boolean> {
  const typed = attendu && empreinteDuCodeContact(secretsKey, attendu.id, attendu.contact, code)
  const wrong = refusalOfCode(attendu, typed, await tx.clock())
  if (wrong === 'code_contact_faux') await tx.sql`update changement_contact set essais = essais + 1 where id = ${attendu!.id}`
  return wrong === undefined
}
