import type { Tx } from '../db.ts'
import type { Contact } from '../notification/words.ts'
import { hers } from '../structure/mine.ts'
import { type Contactable, contactProuve } from './code-prive.ts'
import { siennes } from './queries.ts'

/**
 * This code, and whose space it opens, through the one function that says so; undefined when anything is wrong. `compte`: a wrong year is one of
 * the fifteen after which the code is dead.
 */
export async function findParCode(
  tx: Tx,
  { empreinte, annee, compte }: { empreinte: Buffer; annee: string; compte: boolean },
): Promise<{ codeId: string; usagerId: string } | undefined> {
  const [row] = await tx.sql<{ codeId: string; usagerId: string }[]>`
    select code_id, usager_id
    from ouvre_par_code(${empreinte}, ${annee}, ${compte})`
  return row
}

// From now on this code, of which only the hash is kept, is the person's.

/** As printed by the calling aidant: the one her structure had printed before serves no more. */
export async function replacePrintedCode(tx: Tx, usagerId: string, empreinte: Buffer, journalId: number): Promise<void> {
  await tx.sql`select remplacer_code_prive(${usagerId}, ${empreinte}, ${journalId})`
}
/**
 * As drawn by the person herself, for this identity of hers: none of the others serves any more, whichever identity it opened, nor any at all
 * without one. In one order, for two changes at once.
 */
export async function replaceOwnCode(tx: Tx, usagerId: string, empreinte: Buffer | null): Promise<void> {
  if (tx.who.kind !== 'usager') throw new Error(`${tx.who.kind} is not a person`)
  for (const id of [...tx.who.usagerIds].sort())
    await tx.sql`select changer_code_prive(${id}, ${id === usagerId ? empreinte : null})`
}

/**
 * Where a code may be sent to this person: by this identity, else by another of hers that the caller may read. Undefined when nothing was ever
 * proven, or nothing is any more. `held`: it stays so to the end.
 */
export async function findContactProuve(tx: Tx, usagerId: string, { held = false } = {}): Promise<Contact | undefined> {
  // In the order of their ids, as all that hold several.
  const rows = await tx.sql<(Contactable & { id: string })[]>`
    select id, suivi, email, telephone, email_prouve_at, telephone_prouve_at
    from usager
    where ${siennes(tx, 'id', usagerId)}
    order by id
    ${held ? tx.sql`for share` : tx.sql``}`
  const own = rows.find(({ id }) => id === usagerId)
  return [...(own ? [own] : []), ...rows].map(contactProuve).find((proven) => proven !== undefined)
}

// What the person reads of her own code

export type CodePrive = {
  createdAt: Date
  /** Who printed it; null when she drew it herself. */
  structureNom: string | null
}

/** The codes that serve now, latest first: the one she drew, and one at most for each structure that printed her a sheet. */
export const listCodesPrives = (tx: Tx) => tx.sql<CodePrive[]>`
  select c.created_at, s.nom as structure_nom
  from code_prive c
  left join structure s on s.id = c.structure_id
  where c.replaced_at is null and ${hers(tx, 'c.usager_id')}
  order by c.created_at desc`

export type UsageDuCode = {
  at: Date
  genre: 'espace_ouvert_par_code' | 'code_prive_remplace' | 'code_prive_annule' | 'code_prive_bloque'
}

/** What was done with her code, latest first: each opening, whoever held the paper. */
export const listUsagesDuCode = (tx: Tx) => tx.sql<UsageDuCode[]>`
  select a.at, a.genre
  from acces a
  where a.genre in ('espace_ouvert_par_code', 'code_prive_remplace', 'code_prive_annule', 'code_prive_bloque') and ${hers(tx, 'a.usager_id')}
  order by a.id desc
  limit 100`
