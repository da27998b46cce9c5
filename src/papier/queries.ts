import type { Tx } from '../db.ts'

/** From now on this code, of which only the hash is kept, is the person's; the former serves no more, whichever structure printed it. */
export async function replaceCodePrive(tx: Tx, usagerId: string, empreinte: Buffer, journalId: number): Promise<void> {
  await tx.sql`select remplacer_code_prive(${usagerId}, ${empreinte}, ${journalId})`
}
