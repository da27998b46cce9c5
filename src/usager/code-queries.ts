import type { Tx } from '../db.ts'
import { hers } from '../structure/mine.ts'
import { type Contactable, type ContactProuve, contactProuve } from './code-prive.ts'

/** Whose space this code opens, through the one function that says so; undefined when anything is wrong. */
export async function findParCode(
  tx: Tx,
  { empreinte, annee }: { empreinte: Buffer; annee: string },
): Promise<string | undefined> {
  const [row] = await tx.sql<{ id: string | null }[]>`select ouvre_par_code(${empreinte}, ${annee}) as id`
  return row?.id ?? undefined
}

/** Where a code may be sent to this person; undefined when nothing was ever proven, or nothing is any more. */
export async function findContactProuve(tx: Tx, usagerId: string): Promise<ContactProuve | undefined> {
  const [row] = await tx.sql<Contactable[]>`
    select suivi, email, telephone, email_prouve_at, telephone_prouve_at
    from usager
    where id = ${usagerId}`
  return row && contactProuve(row)
}

// What the person reads of her own code

export type CodePrive = {
  createdAt: Date
  /** Who printed it; null when she drew it herself. */
  structureNom: string | null
  /** When it last opened her space; null when it did not in the twelve months that the log is kept. */
  usedAt: Date | null
}

/** The code that serves now. */
export async function findCodePrive(tx: Tx): Promise<CodePrive | undefined> {
  const [code] = await tx.sql<CodePrive[]>`
    select c.created_at, s.nom as structure_nom,
      (select max(a.at) from acces a
        where a.usager_id = c.usager_id and a.genre = 'espace_ouvert_par_code' and a.at >= c.created_at) as used_at
    from code_prive c
    left join structure s on s.id = c.structure_id
    where c.replaced_at is null and ${hers(tx, 'c.usager_id')}
    order by c.created_at desc
    limit 1`
  return code
}

export type UsageDuCode = { at: Date; genre: 'espace_ouvert_par_code' | 'code_prive_remplace' | 'code_prive_annule' }

/** What was done with her code, latest first: each opening, whoever held the paper. */
export const listUsagesDuCode = (tx: Tx) => tx.sql<UsageDuCode[]>`
  select a.at, a.genre
  from acces a
  where a.genre in ('espace_ouvert_par_code', 'code_prive_remplace', 'code_prive_annule') and ${hers(tx, 'a.usager_id')}
  order by a.id desc
  limit 100`
