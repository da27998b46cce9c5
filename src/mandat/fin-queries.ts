import type { Tx } from '../db.ts'
import { held } from '../structure/mine.ts'
import type { Maniere } from './fin.ts'
import type { Thematique } from './mandat.ts'

export type ArretRecu = { thematique: Thematique; maniere: Maniere; recuLe: Date; recordedAt: Date }

/** The stops of one mandat that an aidant recorded, by thématique in the fixed order. */
export const listArretsRecus = (tx: Tx, mandatId: string) => tx.sql<ArretRecu[]>`
    select a.thematique, r.maniere, r.recu_le, r.recorded_at
    from arret_recu r
    join autorisation a on a.id = r.autorisation_id
    where r.mandat_id = ${mandatId} and ${held(tx, 'r')}
    order by array_position(thematiques(), a.thematique)`

/** Whether the démarche `d` was done after a request to stop had come, and before it was recorded: whoever did it could still, and may not have known. */
export const signalee = (tx: Tx) => tx.sql`exists (
  select 1
  from arret_recu r
  join autorisation a on a.id = r.autorisation_id
  where r.mandat_id = d.mandat_id and a.thematique = d.thematique and d.done_at >= r.recu_le and d.done_at < least(a.revoked_at, a.expires_at))`

/** Those démarches, by their ids; also those noted later. */
export async function listSignalees(
  tx: Tx,
  of: { mandatId: string } | { usagerIds: readonly string[] },
): Promise<ReadonlySet<string>> {
  const which = 'mandatId' in of ? tx.sql`d.mandat_id = ${of.mandatId}` : tx.sql`d.usager_id = any (${[...of.usagerIds]}::uuid[])`
  const found = await tx.sql<{ id: string }[]>`
    select d.id
    from demarche d
    where ${which} and ${signalee(tx)} and ${held(tx, 'd')}`
  return new Set(found.map(({ id }) => id))
}
