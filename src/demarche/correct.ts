import type { Db, Who } from '../db.ts'
import { append } from '../journal/append.ts'
import { jcs } from '../journal/jcs.ts'
import { lockMandat } from '../mandat/queries.ts'
import { newUuid } from '../uuid.ts'
import { type DemarcheRefusal, type Faits, faitsDe, peutCorriger, refusalOfFaits } from './demarche.ts'
import { findDemarche } from './queries.ts'

export type CorrectRefusal =
  | Extract<DemarcheRefusal, 'introuvable' | 'sans_titre' | 'montant_sans_presence' | 'ensemble_sans_elle'>
  | 'rien_change'
  | 'corrigee_par_direction'
type Corrected = { ok: true } | { ok: false; refusal: CorrectRefusal }

/**
 * Says, beside what was noted of an act, what is true: by its author, or by the direction with the dossier open, after which the author does not
 * take it back. `null`: noted by mistake, it was not done. Its thématique, its date and a title of the catalogue place it inside or outside the
 * mandat: wrong there, it is noted anew.
 */
export const correctDemarche = (
  db: Db,
  by: Who & { kind: 'aidant' | 'referent' },
  { demarcheId, faits, raison }: { demarcheId: string; faits: Faits | null; raison: string },
): Promise<Corrected> =>
  db.tx(by, async (tx) => {
    const known = await findDemarche(tx, demarcheId)
    const mandat = known && (await lockMandat(tx, known.mandatId))
    const demarche = await findDemarche(tx, demarcheId)
    if (!mandat || !demarche || demarche.titre === null) return { ok: false, refusal: 'introuvable' }
    if (!peutCorriger(demarche, { id: by.aidantId, referent: true })) return { ok: false, refusal: 'corrigee_par_direction' }
    const now = faitsDe(demarche)
    const annulee = faits === null
    const rest = faits ?? {
      ...now,
      resultat: 'abandonnee',
      motifBlocage: null,
      etapeQuoi: null,
      etapeQui: null,
      etapeQuand: null,
    }
    // Of the catalogue, its title decides what is masked.
    const said = { ...rest, titre: demarche.code === null ? rest.titre : demarche.titre }
    const refusal = annulee ? undefined : said.titre.trim() ? refusalOfFaits({ ...said, nature: demarche.nature! }) : 'sans_titre'
    if (refusal) return { ok: false, refusal }
    if (annulee === (demarche.correction?.annulee ?? false) && jcs(said) === jcs(now))
      return { ok: false, refusal: 'rien_change' }

    const line = await append(tx, {
      action: 'demarche_corrigee',
      mandat,
      contenu: { ...said, demarche: demarcheId, annulee, raison },
      sensible: true,
    })
    await tx.sql`
      insert into correction (id, demarche_id, mandat_id, structure_id, usager_id, aidant_id, annulee, resultat, corrected_at, journal_id)
      values (${newUuid(tx)}, ${demarcheId}, ${mandat.id}, ${mandat.structureId}, ${mandat.usagerId}, ${by.aidantId}, ${annulee}, ${said.resultat},
        ${tx.now}, ${line.id})`
    return { ok: true }
  })
