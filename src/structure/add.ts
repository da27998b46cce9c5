import type { Tx } from '../db.ts'
import { append } from '../journal/append.ts'

type NewStructure = { nom: string; siret: string; adresse: string; telephone: string; fuseau: string }

/** Opens a structure, in the operator's transaction. Throws on a SIRET already known (constraint `structure_siret_unique`). */
export async function addStructure(tx: Tx, structure: NewStructure): Promise<string> {
  const { nom, siret, adresse, telephone, fuseau } = structure
  const [row] = await tx.sql<{ id: string }[]>`
    insert into structure (nom, siret, adresse, telephone, fuseau)
    values (${nom}, ${siret}, ${adresse}, ${telephone}, ${fuseau})
    returning id`
  await append(tx, { action: 'structure_ajoutee', structureId: row!.id, contenu: { siret, nom } })
  return row!.id
}
