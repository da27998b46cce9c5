import type { Tx, Who } from '../db.ts'
import { type Acteur, type Action, commitmentOf } from './entry.ts'
import { jcs } from './jcs.ts'

export type NewLine = {
  action: Action
  mandat?: { id: string; structureId: string; usagerId: string }
  structureId?: string
  usagerId?: string
  cibleAidantId?: string
  /** Of the référent whose invitation is taken up: the doorkeeper writes in her name, and the database checks it. */
  referentId?: string
  /** The facts: goes to the erasable content, bound to the line by its commitment. */
  contenu: Readonly<Record<string, unknown>>
  /** Masked from the référent until she opens the dossier with a reason. */
  sensible?: boolean
}
type Line = { id: number; at: Date; mandatSeq: number | null }

const acteurOf = (
  who: Who,
  { usagerId, referentId }: { usagerId: string | null; referentId?: string | undefined },
): { acteur: Acteur; id: string | null } => {
  switch (who.kind) {
    case 'aidant':
    case 'referent':
      return { acteur: 'aidant', id: who.aidantId }
    case 'usager':
      return { acteur: 'usager', id: usagerId }
    case 'portier':
      if (referentId) return { acteur: 'aidant', id: referentId }
      return usagerId ? { acteur: 'usager', id: usagerId } : { acteur: 'systeme', id: null }
    case 'operator':
      return { acteur: 'operateur', id: null }
    default:
      return { acteur: 'systeme', id: null }
  }
}

/**
 * Writes one line of the journal, in the transaction of its fact. The database gives it its time, its number in the mandat and its
 * frozen bytes; the actor follows from who is calling, never from the caller's word. `facts`: what the line says, written by the same
 * statement, as further parts of its `with` that read the id of `line`.
 */
export async function append(tx: Tx, line: NewLine, facts?: ReturnType<Tx['sql']>): Promise<Line> {
  const structureId = line.mandat?.structureId ?? line.structureId ?? null
  const usagerId = line.mandat?.usagerId ?? line.usagerId ?? null
  const { acteur, id } = acteurOf(tx.who, { usagerId, referentId: line.referentId })
  const payload = jcs(line.contenu)
  const salt = tx.random(32)
  const more = facts ? tx.sql`, ${facts}` : tx.sql``

  // Sent at once: statements written after this call come after it.
  const sent = tx.sql<Line[]>`
    with line as (
      insert into journal (action, acteur, acteur_id, structure_id, usager_id, mandat_id, cible_aidant_id, commitment)
      values (${line.action}, ${acteur}, ${id}, ${structureId}, ${usagerId}, ${line.mandat?.id ?? null}, ${line.cibleAidantId ?? null},
        ${Buffer.from(commitmentOf(salt, payload), 'base64url')})
      returning id, at, mandat_seq),
    contenu as (
      insert into journal_contenu (journal_id, structure_id, usager_id, sensible, payload, salt)
      select id, ${structureId}::uuid, ${usagerId}::uuid, ${line.sensible ?? false}::boolean, ${payload}, ${salt}::bytea from line)
      ${more}
    select id, at, mandat_seq
    from line`.execute()
  const [written] = await sent
  return written!
}
