import type { Tx } from '../db.ts'
import { mine } from '../structure/mine.ts'
import type { PapierQuoi } from './papier-du.ts'

/** One piece of news that a person is owed on paper. */
export type PapierDu = {
  id: string
  mandatId: string
  usagerId: string
  quoi: PapierQuoi
  createdAt: Date
  /** Of a stop that an aidant recorded: when the request had come, and since when it holds. */
  recuLe: Date | null
  revokedAt: Date | null
  prenoms: string[]
  nomNaissance: string
  nomUsage: string | null
  birthdate: string
}

const MOST = 200

/** What the calling aidant's structure owes, oldest first. Of someone who died, nothing: it would go to another. */
export const listPapiersDus = (tx: Tx) => tx.sql<PapierDu[]>`
  select p.id, p.mandat_id, p.usager_id, p.quoi, p.created_at, u.prenoms, u.nom_naissance, u.nom_usage, u.birthdate, r.recu_le, r.revoked_at
  from papier_du p
  join usager u on u.id = p.usager_id
  left join lateral (
    select r.recu_le, a.revoked_at
    from arret_recu r
    join autorisation a on a.id = r.autorisation_id
    where r.mandat_id = p.mandat_id and p.quoi = 'arret'
    order by r.recorded_at desc
    limit 1
  ) r on true
  where ${mine(tx, 'p')} and p.remis_at is null
    and not exists (select 1 from mandat m where ${mine(tx, 'm')} and m.usager_id = p.usager_id and m.ended_how = 'deces')
  order by p.created_at, p.id
  limit ${MOST}`
