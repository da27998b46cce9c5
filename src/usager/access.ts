import type { Tx } from '../db.ts'

/**
 * Writes in the technical access log that this aidant looked at something of the person: kept twelve months, shown to her. One of the
 * three writes a GET may make.
 */
export async function recordAcces(
  tx: Tx,
  acces: { genre: 'dossier_consulte' | 'demarche_consultee' | 'mandat_consulte'; usagerId: string },
): Promise<void> {
  if (tx.who.kind !== 'aidant' && tx.who.kind !== 'referent') throw new Error(`${tx.who.kind} opens no dossier`)
  await tx.sql`
    insert into acces (genre, aidant_id, structure_id, usager_id)
    values (${acces.genre}, ${tx.who.aidantId}, ${tx.who.structureId}, ${acces.usagerId})`
}
