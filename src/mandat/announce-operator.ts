import type { Db, Tx } from '../db.ts'
import type { Log } from '../http/log.ts'
import { oneByOne } from '../turns.ts'
import { announceClosed, announceClosedToAidants, announceEnd } from './announce.ts'
import type { Maniere } from './fin.ts'
import { listSignalees } from './fin-queries.ts'

const by = { kind: 'worker' } as const

/**
 * Tells each person what the operator ended of hers, because its structure closed or because she asked the service to, and those who acted for it.
 * The operator's commands could not: they do not read who they are. A message is kept thirty days, so its key tells for longer than what is looked
 * at here.
 */
export async function announceOperatorEnds(db: Db, log: Log): Promise<number> {
  const [mandats, structures, stops] = await db.tx(
    by,
    async (tx) => [await listUntold(tx), await listUntoldStructures(tx), await listUntoldStops(tx)] as const,
  )
  const tell = (telling: (tx: Tx) => Promise<void>) => db.tx(by, telling).then(() => 1)
  const as = { job: 'fins_par_l_exploitant', log }
  return (
    (await oneByOne(mandats, as, ({ endedAt, ...mandat }) => tell((tx) => announceClosed(tx, mandat, endedAt)))) +
    (await oneByOne(structures, as, ({ structureId, endedAt }) =>
      tell((tx) => announceClosedToAidants(tx, structureId, endedAt)),
    )) +
    (await oneByOne(stops, as, ({ at, mandatEnded, maniere, recuLe, line, ...mandat }) =>
      tell(async (tx) => {
        const signalees = (await listSignalees(tx, { mandatId: mandat.id })).size
        const receipt = { maniere, recuLe, auService: true }
        await announceEnd(tx, mandat, { how: 'revoque', at, mandatEnded, receipt, signalees, line })
      }),
    ))
  )
}

const listUntold = (tx: Tx) => tx.sql<{ id: string; structureId: string; usagerId: string; endedAt: Date }[]>`
  select m.id, m.structure_id, m.usager_id, m.ended_at
  from mandat m
  join usager u on u.id = m.usager_id
  where m.ended_how = 'structure_fermee' and m.ended_at > ${tx.now}::timestamptz - interval '7 days'
    and ((u.suivi = 'email' and u.email is not null) or (u.suivi = 'sms' and u.telephone is not null))
    and not exists (select 1 from message where cle = 'fermeture:' || m.id)
  order by m.ended_at
  limit 100`

const listUntoldStructures = (tx: Tx) => tx.sql<{ structureId: string; endedAt: Date }[]>`
  select m.structure_id, min(m.ended_at) as ended_at
  from mandat m
  where m.ended_how = 'structure_fermee' and m.ended_at > ${tx.now}::timestamptz - interval '7 days'
    and not exists (select 1 from message where starts_with(cle, 'fermeture:' || m.structure_id || ':aidant:'))
  group by m.structure_id`

type Stop = {
  id: string
  structureId: string
  usagerId: string
  at: Date
  mandatEnded: boolean
  maniere: Maniere
  recuLe: Date
  line: number
}
const listUntoldStops = (tx: Tx) => tx.sql<Stop[]>`
  select m.id, m.structure_id, m.usager_id, a.revoked_at as at, m.ended_at is not distinct from a.revoked_at as mandat_ended, r.maniere, r.recu_le,
    max(r.journal_id) as line
  from arret_recu r
  join autorisation a on a.id = r.autorisation_id and a.revoked_journal_id = r.journal_id
  join mandat m on m.id = r.mandat_id
  where r.aidant_id is null and r.recorded_at > ${tx.now}::timestamptz - interval '7 days'
  group by m.id, a.revoked_at, r.maniere, r.recu_le
  having not exists (select 1 from message where starts_with(cle, 'arret:' || m.id || ':' || max(r.journal_id)))
  limit 100`
