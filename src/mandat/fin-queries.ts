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

/** A thématique paused now, and who recorded it at her request when it was not she. */
export type EnPause = {
  thematique: Thematique
  fromAt: Date
  maniere: Maniere | null
  aidantPrenom: string | null
  aidantNom: string | null
}

/** Oldest first where she asked for one while another waits for an answer: an aidant's page says since when, and not which. */
export const listPauses = (tx: Tx, mandatId: string) => tx.sql<EnPause[]>`
    select a.thematique, s.from_at, s.maniere, i.prenom as aidant_prenom, i.nom as aidant_nom
    from suspension s
    join autorisation_etat a on a.id = s.autorisation_id
    left join aidant i on i.id = s.aidant_id
    where s.mandat_id = ${mandatId} and s.until_at is null and a.etat = 'suspendu' and ${held(tx, 's')}
    order by array_position(thematiques(), a.thematique), s.journal_id`

/** Whether the démarche `d` is said noted by mistake, which a later correction may undo. */
export const annulee = (tx: Tx) => tx.sql`coalesce(
  (select k.annulee from correction k where k.demarche_id = d.id order by k.journal_id desc limit 1), false)`

/**
 * Whether the démarche `d` was done after a request to stop had come, and before it was recorded: whoever did it could still, and may not have known.
 * Of acts outside the mandat, all since then: of a thématique it never held, once all of it is over.
 */
export const signalee = (tx: Tx) => tx.sql`exists (
  select 1
  from arret_recu r
  join autorisation a on a.id = r.autorisation_id
  join mandat m on m.id = r.mandat_id
  where r.mandat_id = d.mandat_id and d.done_at >= r.recu_le and not ${annulee(tx)}
    and case when d.thematique = a.thematique then d.genre = 'hors_mandat' or d.done_at < least(a.revoked_at, a.expires_at)
      else d.genre = 'hors_mandat' and m.ended_at is not null
        and not exists (select 1 from autorisation o where o.mandat_id = m.id and o.thematique = d.thematique) end)`

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
