import type { Tx } from '../db.ts'
import { append } from '../journal/append.ts'
import type { Maniere } from './fin.ts'
import type { Fin, Thematique } from './mandat.ts'
import { listAutorisations, type MandatRow } from './queries.ts'

/** How and when the request came, when another records it for her. */
type Receipt = { maniere: Maniere; recuLe: Date }
/** `line`: the last one written; 0 when nothing was left to end. */
type Ended = { ended: Thematique[]; mandatEnded: boolean; line: number }

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
    ...(receipt && said(receipt)),
  }
  let last = 0
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
    if (receipt) await insertReceipt(tx, mandat, id, receipt, line.id)
    last = line.id
  }
  const mandatEnded = ending.length > 0 && ending.length === standing.length
  if (mandatEnded) {
    const line = await append(tx, { action: 'mandat_termine', mandat, contenu: facts })
    await tx.sql`
      update mandat
      set ended_at = ${at}, ended_how = ${how}, ended_journal_id = ${line.id}
      where id = ${mandat.id}`
    last = line.id
  }
  return { ended: ending.map(({ thematique }) => thematique), mandatEnded, line: last }
}

/** Writes of autorisations that are over that a request to end them had come before: nothing changes but what is flagged. One line each. */
export async function noteLateReceipt(
  tx: Tx,
  mandat: MandatRow,
  over: readonly { id: string; thematique: Thematique }[],
  receipt: Receipt,
): Promise<void> {
  for (const { id, thematique } of over) {
    const line = await append(tx, { action: 'arret_recu', mandat, contenu: { thematique, ...said(receipt) } })
    await insertReceipt(tx, mandat, id, receipt, line.id)
  }
}

const said = ({ maniere, recuLe }: Receipt) => ({ maniere, recu_le: recuLe.toISOString() })

async function insertReceipt(tx: Tx, mandat: MandatRow, autorisationId: string, { maniere, recuLe }: Receipt, line: number) {
  // The operator's is nobody's.
  const aidantId = tx.who.kind === 'aidant' ? tx.who.aidantId : null
  await tx.sql`
    insert into arret_recu (autorisation_id, mandat_id, structure_id, usager_id, aidant_id, maniere, recu_le, journal_id)
    values (${autorisationId}, ${mandat.id}, ${mandat.structureId}, ${mandat.usagerId}, ${aidantId}, ${maniere}, ${recuLe}, ${line})`
}
