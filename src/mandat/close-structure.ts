import type { Db } from '../db.ts'
import { append } from '../journal/append.ts'
import { endAutorisations } from './end.ts'
import { THEMATIQUES } from './mandat.ts'
import { lockToEnd } from './queries.ts'

const BATCH = 20

type Closing = { nom: string; enCours: number }

/** What closing this structure would end; undefined when no structure has this SIRET. */
export const findClosing = (db: Db, siret: string): Promise<Closing | undefined> =>
  db.tx({ kind: 'operator' }, async (tx) => {
    const [found] = await tx.sql<Closing[]>`
      select s.nom, (
        select count(*)::int
        from mandat m
        where m.structure_id = s.id and m.ended_at is null and m.expires_at > ${tx.now}) as en_cours
      from structure s
      where s.siret = ${siret}`
    return found
  })

/**
 * Closes a structure: suspended first, so that nothing more is signed there, then every mandat in force ends with its lines, a few in each
 * transaction. Begun again after a failure, it goes on; done twice, it ends nothing twice. The service then tells the persons
 * (announce-operator): the operator does not read who they are.
 */
export async function closeStructure(
  db: Db,
  siret: string,
): Promise<{ ok: true; ended: number } | { ok: false; refusal: 'structure_inconnue' }> {
  const structureId = await db.tx({ kind: 'operator' }, async (tx) => {
    const [structure] = await tx.sql<{ id: string; closed: boolean }[]>`
      select id, suspended_at is not null and closed_at is not null as closed
      from structure
      where siret = ${siret}
      for no key update`
    // Suspended before, it is not closed yet: that has its line.
    if (structure && !structure.closed) {
      await append(tx, {
        action: 'structure_modifiee',
        structureId: structure.id,
        contenu: { suspendue: true, how: 'structure_fermee' },
      })
      await tx.sql`
        update structure
        set suspended_at = coalesce(suspended_at, ${tx.now}), closed_at = ${tx.now}
        where id = ${structure.id}`
    }
    return structure?.id
  })
  if (!structureId) return { ok: false, refusal: 'structure_inconnue' }

  let ended = 0
  for (let found = BATCH; found > 0; ) {
    const batch = await db.tx({ kind: 'operator' }, async (tx) => {
      const standing = await tx.sql<{ id: string }[]>`
        select id
        from mandat
        where structure_id = ${structureId} and ended_at is null and expires_at > ${tx.now}
        order by id
        limit ${BATCH}`
      let done = 0
      for (const { id } of standing) {
        const mandat = (await lockToEnd(tx, id))!
        if (mandat.endedAt || mandat.expiresAt <= tx.now) continue
        await endAutorisations(tx, mandat, THEMATIQUES, 'structure_fermee', tx.now)
        done++
      }
      return { found: standing.length, done }
    })
    found = batch.found
    ended += batch.done
  }
  return { ok: true, ended }
}
