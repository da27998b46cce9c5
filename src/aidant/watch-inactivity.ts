import type { Db, Tx } from '../db.ts'
import type { Log } from '../http/log.ts'
import { append } from '../journal/append.ts'
import { queueMail } from '../notification/queue.ts'
import { oneByOne } from '../turns.ts'
import { newUuid } from '../uuid.ts'
import { ALERTE_JOURS, INACTIVITE_JOURS, PREAVIS_JOURS } from './equipe.ts'
import { holdEquipe } from './equipe-queries.ts'
import { messageDeFinDInactivite, messageDInactivite } from './messages.ts'

type Absent = { aidantId: string; structureId: string; prenom: string; email: string; structure: string; suspendre: boolean }

/**
 * Tells who has given no sign in a structure for 90 days, once for each absence, then suspends her there at 180, those too who never
 * signed in (case 48), and nobody who was not told a month before. The last who directs is told, and stays. One transaction each: one that fails does not keep the others waiting.
 */
export const watchInactivity = async (db: Db, log: Log): Promise<number> =>
  oneByOne(await db.tx({ kind: 'worker' }, (tx) => listAbsent(tx)), { job: 'inactivite', log }, ({ aidantId, structureId }) =>
    db.tx({ kind: 'worker' }, (tx) => treat(tx, aidantId, structureId)),
  )

async function treat(tx: Tx, aidantId: string, structureId: string): Promise<number> {
  await holdEquipe(tx, aidantId, structureId)
  // Read again: she may have come back, or someone before her in the list left her alone to direct.
  const [absent] = await listAbsent(tx, tx.sql`and h.aidant_id = ${aidantId} and h.structure_id = ${structureId}`)
  if (!absent) return 0
  const { suspendre, email, prenom, structure } = absent
  if (suspendre) {
    await append(tx, { action: 'aidant_suspendu', structureId, cibleAidantId: aidantId, contenu: { cause: 'inactivite' } })
    await tx.sql`select changer_habilitation(${aidantId}, ${structureId}, 'suspendre')`
  } else {
    const [alerted] = await tx.sql<{ first: boolean }[]>`select alerter_inactivite(${aidantId}, ${structureId}) as first`
    if (!alerted!.first) return 0
  }
  const message = suspendre ? messageDeFinDInactivite : messageDInactivite
  await queueMail(tx, `inactivite:${newUuid(tx)}`, email, message({ prenom, structure }))
  return 1
}

const listAbsent = (tx: Tx, more = tx.sql``) => tx.sql<Absent[]>`
  select h.aidant_id, h.structure_id, a.prenom, a.email, s.nom as structure,
    l.depuis <= ${tx.now}::timestamptz - make_interval(days => ${INACTIVITE_JOURS})
      and coalesce(h.alerte_at between l.depuis and ${tx.now}::timestamptz - make_interval(days => ${PREAVIS_JOURS}), false) and not (h.referent and not exists (
      select 1 from habilitation o where o.structure_id = h.structure_id and o.aidant_id <> h.aidant_id and dirige(o.aidant_id, o.structure_id))) as suspendre
  from habilitation h
  join aidant a on a.id = h.aidant_id and a.suspended_at is null
  join structure s on s.id = h.structure_id and s.suspended_at is null,
    lateral (select greatest(h.ouverte_at, derniere_activite(h.aidant_id, h.structure_id)) as depuis) l
  where h.ended_at is null and h.ouverte_at <= ${tx.now}::timestamptz - make_interval(days => ${ALERTE_JOURS})
    and l.depuis <= ${tx.now}::timestamptz - make_interval(days => ${ALERTE_JOURS}) ${more}
  order by l.depuis, h.aidant_id, h.structure_id`
