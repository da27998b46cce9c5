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

/**
 * May the calling aidant read this person's dossier as one? A référent who neither signed a mandat of hers nor noted a démarche for her may
 * not: she reads it as the direction does, with a reason, at `dossierDeDirection`. Row-level security holds to the same rule.
 */
export async function litCommeAidant(tx: Tx, usagerId: string): Promise<boolean> {
  if (tx.who.kind !== 'aidant') throw new Error(`${tx.who.kind} is no aidant`)
  const [row] = await tx.sql<{ lit: boolean }[]>`select lit_comme_aidant(${tx.who.structureId}, ${usagerId}) as lit`
  return row!.lit
}
export const dossierDeDirection = (usagerId: string) => `/structure/personnes/${usagerId}`
