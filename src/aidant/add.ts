import type { Tx } from '../db.ts'
import { append } from '../journal/append.ts'
import { normalEmail } from './aidant.ts'
import { encryptSecret } from './secret.ts'

export type NewAidant = { email: string; prenom: string; nom: string }

/** Bytes of a TOTP secret (RFC 4226 §4 asks for 128 bits at least and recommends 160). */
export const SECRET_BYTES = 20

/**
 * Habilitates someone for a structure, in the operator's transaction; known already by her e-mail, she keeps her account and factor.
 * `totpSecret` is her new authenticator's secret, of which only the encrypted form is stored.
 */
export async function addAidant(
  tx: Tx,
  aidant: NewAidant,
  habilitation: { structureId: string; referent: boolean },
  factor: { totpSecret: Buffer; secretsKey: Buffer },
): Promise<{ id: string; isNew: boolean }> {
  const email = normalEmail(aidant.email)
  const { structureId, referent } = habilitation
  const [known] = await tx.sql<{ id: string }[]>`select id from aidant where email = ${email} for update`
  const id = known?.id ?? (await insertAidant())
  await tx.sql`
    insert into habilitation (aidant_id, structure_id, referent)
    values (${id}, ${structureId}, ${referent})
    on conflict (aidant_id, structure_id) do update
    set referent = excluded.referent, ended_at = null`
  await append(tx, { action: 'aidant_ajoute', structureId, cibleAidantId: id, contenu: { referent } })
  return { id, isNew: !known }

  async function insertAidant() {
    const [row] = await tx.sql<{ id: string }[]>`
      insert into aidant (email, prenom, nom)
      values (${email}, ${aidant.prenom}, ${aidant.nom})
      returning id`
    await tx.sql`
      insert into facteur (aidant_id, genre, secret)
      values (${row!.id}, 'totp', ${encryptSecret(factor.secretsKey, tx.random(12), factor.totpSecret)})`
    return row!.id
  }
}
