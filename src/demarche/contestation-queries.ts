import type { Tx } from '../db.ts'
import type { Maniere } from '../mandat/fin.ts'
import type { Thematique } from '../mandat/mandat.ts'
import { sansPauseAElle } from '../mandat/queries.ts'
import { held, mine } from '../structure/mine.ts'
import type { MotifContestation, Reponse } from './contestation.ts'

/** One contestation as its reader may see it; the notes only for whom they are, while they are kept. */
export type ContestationRow = {
  id: string
  demarcheId: string
  mandatId: string
  usagerId: string
  motif: MotifContestation
  contestedAt: Date
  note: string | null
  /** When an aidant recorded it for her. */
  maniere: Maniere | null
  recuLe: Date | null
  recueParPrenom: string | null
  recueParNom: string | null
  reponse: Reponse | null
  answeredAt: Date | null
  noteReponse: string | null
  reponduParPrenom: string | null
  reponduParNom: string | null
  /** What she contests waits, paused, for the answer, and for nothing else: a pause of her own since then outlives it. */
  enPause: Thematique | null
  /** Since she contested it, the act was corrected. */
  corrigeeDepuis: boolean
}

const rows = (tx: Tx) => tx.sql`
    select q.id, q.demarche_id, q.mandat_id, q.usager_id, q.motif, q.contested_at, qc.payload::jsonb ->> 'note' as note, q.maniere, q.recu_le,
      i.prenom as recue_par_prenom, i.nom as recue_par_nom, q.reponse, q.answered_at, rc.payload::jsonb ->> 'note' as note_reponse,
      r.prenom as repondu_par_prenom, r.nom as repondu_par_nom,
      (select a.thematique
        from suspension s
        join autorisation_etat a on a.id = s.autorisation_id
        where s.id = pause_qui_attend(q.id) and a.etat = 'suspendu' and ${sansPauseAElle(tx)}) as en_pause,
      exists (select 1 from correction k where k.demarche_id = q.demarche_id and k.journal_id > q.journal_id) as corrigee_depuis
    from contestation q
    left join journal_contenu qc on qc.journal_id = q.journal_id
    left join journal_contenu rc on rc.journal_id = q.answered_journal_id
    left join aidant i on i.id = q.aidant_id
    left join aidant r on r.id = q.answered_by`

export async function findContestation(tx: Tx, id: string) {
  const [contestation] = await tx.sql<ContestationRow[]>`${rows(tx)}
    where q.id = ${id} and ${held(tx, 'q')}`
  return contestation
}

/** All that was said of one act, latest first. */
export const listContestations = (tx: Tx, demarcheId: string) => tx.sql<ContestationRow[]>`${rows(tx)}
    where q.demarche_id = ${demarcheId} and ${held(tx, 'q')}
    order by q.journal_id desc`

/** One line of the direction's list: nothing of what is sensitive, and of a complaint only that it is one. */
export type AContester = {
  id: string
  usagerId: string
  prenoms: string[]
  nomNaissance: string
  nomUsage: string | null
  motif: MotifContestation
  contestedAt: Date
  answeredAt: Date | null
  reponse: Reponse | null
  titre: string | null
  reclamation: boolean
}

/** How many wait for the answer of the calling référent. */
export async function countAContester(tx: Tx): Promise<number> {
  const [row] = await tx.sql<{ compte: number }[]>`
    select count(*)::int as compte
    from contestation q
    join usager u on u.id = q.usager_id
    where ${mine(tx, 'q')} and q.answered_at is null`
  return row!.compte
}

/** What the calling référent has to answer, oldest first, then what was answered of late. Of a person whose dossier is archived, nothing. */
export const listAContester = (tx: Tx) => tx.sql<AContester[]>`
    select q.id, q.usager_id, u.prenoms, u.nom_naissance, u.nom_usage, q.motif, q.contested_at, q.answered_at, q.reponse,
      case when not d.sensible then c.titre end as titre, d.id is null as reclamation
    from contestation q
    join usager u on u.id = q.usager_id
    left join demarche d on d.id = q.demarche_id
    left join demarche_contenu c on c.demarche_id = d.id and not d.sensible
    where ${mine(tx, 'q')}
    order by q.answered_at desc nulls first, q.journal_id
    limit 100`
