import type { Tx } from '../db.ts'
import { append } from '../journal/append.ts'
import type { Maniere } from './fin.ts'
import type { Fin, Thematique } from './mandat.ts'
import { listAutorisations, type MandatRow } from './queries.ts'

/** How and when the request came, when an aidant records it. */
export type Receipt = { maniere: Maniere; recuLe: Date }
export type Ended = { ended: Thematique[]; mandatEnded: boolean }

/**
 * Ends these thématiques of a locked mandat at `at`: one line each, plus one for the mandat when none is left (cases 29 and 32).
 * Thématiques already ended are left alone. Answers what was ended, in the fixed order.
 */
export async function endAutorisations(
  tx: Tx,
  mandat: MandatRow,
  thematiques: readonly Thematique[],
  how: Fin,
  at: Date,
  receipt?: Receipt,
): Promise<Ended> {
  const standing = (await listAutorisations(tx, mandat.id)).filter((autorisation) => !autorisation.revokedAt)
  const ending = standing.filter((autorisation) => thematiques.includes(autorisation.thematique))
  const facts = {
    how,
    at: at.toISOString(),
    ...(receipt && { maniere: receipt.maniere, recu_le: receipt.recuLe.toISOString() }),
  }
  for (const { id, thematique } of ending) {
    const line = await append(tx, {
      action: how === 'remplace' ? 'autorisation_remplacee' : 'autorisation_revoquee',
      mandat,
      contenu: { thematique, ...facts },
    })
    await tx.sql`
      update autorisation
      set revoked_at = ${at}, revoked_how = ${how}, revoked_journal_id = ${line.id}
      where id = ${id}`
    if (receipt && tx.who.kind === 'aidant')
      await tx.sql`
        insert into arret_recu (autorisation_id, mandat_id, structure_id, usager_id, aidant_id, maniere, recu_le, journal_id)
        values (${id}, ${mandat.id}, ${mandat.structureId}, ${mandat.usagerId}, ${tx.who.aidantId}, ${receipt.maniere}, ${receipt.recuLe}, ${line.id})`
  }
  const mandatEnded = ending.length > 0 && ending.length === standing.length
  if (mandatEnded) {
    const line = await append(tx, { action: 'mandat_termine', mandat, contenu: facts })
    await tx.sql`
      update mandat
      set ended_at = ${at}, ended_how = ${how}, ended_journal_id = ${line.id}
      where id = ${mandat.id}`
  }
  return { ended: ending.map(({ thematique }) => thematique), mandatEnded }
}
