import type { Db } from '../db.ts'
import { closeSession, openSession } from '../http/session.ts'

type Choosable = { id: string; nom: string }

/** Structures this aidant may act for today. */
export const listStructures = (db: Db, aidantId: string): Promise<Choosable[]> =>
  db.tx(
    { kind: 'portier' },
    async (tx) => tx.sql<Choosable[]>`
      select s.id, s.nom
      from habilitation h
      join structure s on s.id = h.structure_id
      where h.aidant_id = ${aidantId} and h.ended_at is null and s.suspended_at is null
      order by s.nom`,
  )

/**
 * Chooses for which structure she acts from now on, in a new session that keeps the hours of the one it replaces; one access-log line
 * holds both structures (cases 9 and 10). Who came by ProConnect stays in the one it said.
 */
export const chooseStructure = (
  db: Db,
  by: { aidantId: string; sessionId: string; previousStructureId: string | null },
  structureId: string,
): Promise<{ ok: true; token: string } | { ok: false; refusal: 'structure_inconnue' }> =>
  db.tx({ kind: 'portier' }, async (tx) => {
    const [structure] = await tx.sql<{ id: string }[]>`
      select s.id
      from habilitation h
      join structure s on s.id = h.structure_id
      where h.aidant_id = ${by.aidantId} and h.structure_id = ${structureId} and h.ended_at is null and s.suspended_at is null
        and not exists (select 1 from session o where o.id = ${by.sessionId} and o.proconnect_id_token is not null)`
    const since = structure && (await closeSession(tx, by.sessionId))
    if (!since) return { ok: false, refusal: 'structure_inconnue' }

    const token = await openSession(tx, { aidantId: by.aidantId, structureId }, since)
    if (by.previousStructureId && by.previousStructureId !== structureId)
      await tx.sql`
        insert into acces (genre, aidant_id, structure_id, autre_structure_id)
        values ('changement_structure', ${by.aidantId}, ${structureId}, ${by.previousStructureId})`
    return { ok: true, token }
  })
