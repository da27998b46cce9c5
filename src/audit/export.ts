import type { Spend } from '../aidant/spend-factor.ts'
import type { Db, Who } from '../db.ts'
import { append } from '../journal/append.ts'
import { EXPORT_MAX } from './audit.ts'
import type { Filtre } from './forms.ts'
import { type LigneRow, listLignes } from './queries.ts'

export type ExportRefusal = 'trop_de_lignes'
type Exported = { ok: true; lignes: LigneRow[]; now: Date } | { ok: false; refusal: ExportRefusal | 'second_facteur_refuse' }

/** What the journal's page shows for a filter, whole, to be taken away: with the line that says so, or not at all. `spend` counts her fresh factor. */
export const exportJournal = (
  db: Db,
  by: Who & { kind: 'referent' },
  filtre: Filtre,
  fuseau: string,
  spend: Spend,
  max = EXPORT_MAX,
): Promise<Exported> =>
  db.tx(by, async (tx) => {
    const { lignes, suivant } = await listLignes(tx, filtre, fuseau, undefined, max)
    if (suivant !== undefined) return { ok: false, refusal: 'trop_de_lignes' }
    if (!(await spend(tx))) return { ok: false, refusal: 'second_facteur_refuse' }
    await append(tx, { action: 'export', structureId: by.structureId, contenu: { ...filtre, lignes: lignes.length } })
    return { ok: true, lignes, now: tx.now }
  })
