import type { Spend } from '../aidant/spend-factor.ts'
import { constraintOf, type Db, type Who } from '../db.ts'
import { append } from '../journal/append.ts'
import { findUsager } from '../usager/queries.ts'
import type { MotifOuverture } from './audit.ts'
import { findOuverture } from './queries.ts'

type OpenRefusal = 'introuvable' | 'envoi_deja_utilise' | 'second_facteur_refuse'
type Opened = { ok: true } | { ok: false; refusal: OpenRefusal }

/**
 * Opens a person's dossier to the calling référent for fifteen minutes, with a reason that the person sees: its line and its row, or neither.
 * `envoi` identifies the form that was sent: sent twice, it opens once, and is refused once it no longer says what is so: another person's, or
 * the time over. `spend` counts her fresh factor, when she has not just given one.
 */
export const openDossier = (
  db: Db,
  by: Who & { kind: 'referent' },
  ouverture: { usagerId: string; motif: MotifOuverture; precision: string | null; envoi: string },
  spend?: Spend,
): Promise<Opened> =>
  db
    .tx<Opened>(by, async (tx) => {
      const { usagerId, motif, precision, envoi } = ouverture
      if (!(await findUsager(tx, usagerId))) return { ok: false, refusal: 'introuvable' }
      if (spend && !(await spend(tx))) return { ok: false, refusal: 'second_facteur_refuse' }
      const line = await append(tx, {
        action: 'dossier_ouvert',
        structureId: by.structureId,
        usagerId,
        contenu: { motif, precision },
      })
      await tx.sql`
        insert into ouverture (id, aidant_id, structure_id, usager_id, motif, journal_id)
        values (${envoi}, ${by.aidantId}, ${by.structureId}, ${usagerId}, ${motif}, ${line.id})`
      return { ok: true }
    })
    .catch(async (error) => {
      if (constraintOf(error) !== 'ouverture_pkey') throw error
      const open = await db.tx(by, (tx) => findOuverture(tx, ouverture.usagerId))
      return open ? { ok: true } : { ok: false, refusal: 'envoi_deja_utilise' }
    })
