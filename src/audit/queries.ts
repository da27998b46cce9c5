import type { Equipe } from '../aidant/equipe.ts'
import type { Tx } from '../db.ts'
import type { Kind, Resultat } from '../demarche/demarche.ts'
import type { Acteur, Action } from '../journal/entry.ts'
import type { Maniere } from '../mandat/fin.ts'
import { annulee, signalee } from '../mandat/fin-queries.ts'
import type { Duree, Etat, Fin, Thematique } from '../mandat/mandat.ts'
import { held, mine } from '../structure/mine.ts'
import { COMPTE_MAX, MANDATS_MAX, type MotifOuverture } from './audit.ts'
import type { Filtre } from './forms.ts'

/** One line of the journal as the direction reads it: who, what, about whom, when. Nothing of a sensitive démarche but that it took place. */
export type LigneRow = {
  id: number
  at: Date
  action: Action
  /** Null of a pause lifted: by her, or by the direction with its answer. */
  acteur: Acteur | null
  aidantPrenom: string | null
  aidantNom: string | null
  ciblePrenom: string | null
  cibleNom: string | null
  usagerId: string | null
  prenoms: string[] | null
  nomNaissance: string | null
  nomUsage: string | null
  mandatId: string | null
  /** The act that a correction is of; never said of a sensitive one. */
  corrigeeId: string | null
  genre: Kind | null
  doneAt: Date | null
  resultat: Resultat | null
  titre: string | null
  motifHorsMandat: string | null
  thematique: Thematique | null
  perimetre: Thematique[] | null
  duree: Duree | null
  how: Fin | null
  motif: MotifOuverture | null
  precision: string | null
  /** Which paper was printed. */
  papier: PapierDit | null
  /** How and when the request to stop came, when an aidant recorded it. */
  maniere: Maniere | null
  recuLe: Date | null
  /** Done after a request to stop had come; never said of a sensitive démarche, nor of what is none. */
  signalee: boolean | null
  /** The person does not agree with it, and waits for an answer; for who answers her. */
  contestee: boolean
  /** Said noted by mistake: of an act, now; of a correction, by it. */
  annulee: boolean
  /** What was decided of someone of the team. */
  equipe: Equipe | null
}
/** As the line of a printed paper says it. */
export type PapierDit = 'mandat' | 'guichet' | 'pour_vous' | 'arret' | 'preuve'

const PAGE = 30

/**
 * Who lifts a pause is not said in the structure's journal: an aidant does it with her answer alone, and the author of what was contested reads it too,
 * when she directs.
 */
const auteurDit = (tx: Tx) => tx.sql`j.action <> 'autorisation_retablie'`

/** On the line alone, or on the rows that name it: never on contents, which may be erased, nor by what is confidential. */
function matching(tx: Tx, { du, au, aidant, thematique, action }: Filtre, fuseau: string) {
  const { sql } = tx
  return sql`${mine(tx, 'j')}
    ${du ? sql`and j.at >= ${du}::timestamp at time zone ${fuseau}` : sql``}
    ${au ? sql`and j.at < (${au}::timestamp + interval '1 day') at time zone ${fuseau}` : sql``}
    ${aidant ? sql`and j.acteur = 'aidant' and j.acteur_id = ${aidant} and ${auteurDit(tx)}` : sql``}
    ${
      action === 'apres_coup'
        ? sql`and j.id in (select d.journal_id from demarche d where ${mine(tx, 'd')} and d.genre = 'apres_coup' and not d.reclamation)`
        : action
          ? sql`and j.action = ${action}`
          : sql``
    }
    ${
      // Never by the thématique of a sensitive démarche: to be found by it would be to tell it.
      thematique
        ? sql`and j.id in (
          select d.journal_id from demarche d where ${mine(tx, 'd')} and d.thematique = ${thematique} and not d.sensible
          union all
          select unnest(array[a.journal_id, a.revoked_journal_id]) from autorisation a where ${mine(tx, 'a')} and a.thematique = ${thematique}
          union all
          select unnest(array[s.journal_id, s.until_journal_id])
          from suspension s
          join autorisation a on a.id = s.autorisation_id
          where ${mine(tx, 's')} and a.thematique = ${thematique})`
        : sql``
    }`
}

/** Lines of the structure's journal, newest first, a page at a time from the line `avant`; how many there are in all, up to COMPTE_MAX + 1. */
export async function listLignes(
  tx: Tx,
  filtre: Filtre,
  fuseau: string,
  avant: number | undefined,
  taille = PAGE,
): Promise<{ lignes: LigneRow[]; suivant: number | undefined; compte: number }> {
  const { sql } = tx
  // What is sensitive stays out by the line's own mark too: a complaint's démarche is hidden, its line is not.
  const found = await sql<LigneRow[]>`
    with page as (
      select j.id, j.at, j.action, j.acteur, j.acteur_id, j.cible_aidant_id, j.usager_id, j.mandat_id
      from journal j
      where ${matching(tx, filtre, fuseau)} ${avant === undefined ? sql`` : sql`and j.id < ${avant}`}
      order by j.id desc
      limit ${taille + 1})
    select j.id, j.at, j.action, case when ${auteurDit(tx)} then j.acteur end as acteur, a.prenom as aidant_prenom, a.nom as aidant_nom, k.prenom as cible_prenom, k.nom as cible_nom,
      j.usager_id, u.prenoms, u.nom_naissance, u.nom_usage, j.mandat_id, o.id as corrigee_id, d.genre, coalesce(c.titre, oc.titre) as titre, c.motif_hors_mandat,
      case when not d.sensible then d.done_at end as done_at,
      case when not d.sensible then d.resultat end as resultat,
      not d.sensible and ${signalee(tx)} as signalee,
      exists (select 1 from contestation q where q.demarche_id = d.id and q.answered_at is null) as contestee, coalesce(r.annulee, ${annulee(tx)}) as annulee,
      case when not d.sensible then d.thematique else p.payload ->> 'thematique' end as thematique,
      case when p.payload ? 'perimetre' then array(select jsonb_array_elements_text(p.payload -> 'perimetre')) end as perimetre,
      p.payload ->> 'duree' as duree, p.payload ->> 'how' as how,
      p.payload ->> 'equipe' as equipe, p.payload ->> 'papier' as papier, p.payload ->> 'maniere' as maniere, (p.payload ->> 'recu_le')::timestamptz as recu_le,
      case when j.action = 'dossier_ouvert' then p.payload ->> 'motif' end as motif,
      case when j.action = 'dossier_ouvert' then p.payload ->> 'precision' end as precision
    from page j
    left join journal_contenu jc on jc.journal_id = j.id and not jc.sensible
    left join demarche d on d.journal_id = j.id and not d.reclamation
    left join demarche_contenu c on c.demarche_id = d.id and not d.sensible
    left join correction r on r.journal_id = j.id
    left join demarche o on o.id = r.demarche_id and not o.reclamation and not o.sensible
    left join demarche_contenu oc on oc.demarche_id = o.id
    left join aidant a on j.acteur = 'aidant' and a.id = j.acteur_id and ${auteurDit(tx)}
    left join aidant k on k.id = j.cible_aidant_id
    left join usager u on u.id = j.usager_id,
      lateral (select jc.payload::jsonb as payload) as p
    order by j.id desc`
  const [counted] = await sql<{ compte: number }[]>`
    select count(*) as compte
    from (select 1 from journal j where ${matching(tx, filtre, fuseau)} limit ${COMPTE_MAX + 1}) as l`
  const lignes = found.slice(0, taille)
  return { lignes, suivant: found.length > taille ? lignes.at(-1)?.id : undefined, compte: counted!.compte }
}

export type CompteRow = { etat: Etat['etat']; how: Fin | null; nombre: number }

/** How many mandats of the structure are in each state now, and ended in each way; none of an archived dossier. 'trop' beyond `max`. */
export async function countMandats(tx: Tx, max = MANDATS_MAX): Promise<CompteRow[] | 'trop'> {
  const comptes = await tx.sql<CompteRow[]>`
    select etat, ended_how as how, count(*) as nombre
    from (select m.etat, m.ended_how from mandat_etat m where ${mine(tx, 'm')} limit ${max + 1}) as m
    group by etat, ended_how`
  return comptes.reduce((sum, { nombre }) => sum + nombre, 0) > max ? 'trop' : comptes
}

/** The actions whose facts are those of a démarche. */
const DE_DEMARCHE = [
  'demarche_realisee',
  'demarche_corrigee',
  'acte_hors_mandat',
  'demarche_contestee',
  'contestation_repondue',
] as const satisfies readonly Action[]

/**
 * Whose line of the structure's journal this is, and whether its facts are to be shown: those of a démarche, its note among them, only while the
 * dossier is open, since the journal shows its title alone. Not of a pause lifted: its bytes say by whom.
 */
export async function findLigne(tx: Tx, id: number) {
  const [ligne] = await tx.sql<{ usagerId: string | null; demarche: boolean; lisible: boolean }[]>`
    select j.usager_id, j.action = any (${[...DE_DEMARCHE]}) as demarche,
      j.action <> all (${[...DE_DEMARCHE]}) or dossier_ouvert(j.structure_id, j.usager_id) as lisible
    from journal j
    where j.id = ${id} and ${mine(tx, 'j')} and ${auteurDit(tx)}`
  return ligne
}

export type AidantRow = { id: string; prenom: string; nom: string }

/** Those who may have written in the structure's journal, who have left it too. */
export const listAidants = (tx: Tx) => tx.sql<AidantRow[]>`
    select a.id, a.prenom, a.nom
    from habilitation h
    join aidant a on a.id = h.aidant_id
    where ${mine(tx, 'h')}
    order by h.ended_at nulls first, a.nom, a.prenom, a.id`

export type OuvertureRow = {
  id: string
  openedAt: Date
  motif: MotifOuverture
  precision: string | null
  usagerId: string
  aidantPrenom: string
  aidantNom: string
  structureNom: string
  fuseau: string
}

const ouvertures = (tx: Tx, more = tx.sql``) => tx.sql`
  select o.id, o.opened_at, o.motif, jc.payload::jsonb ->> 'precision' as precision, o.usager_id,
    a.prenom as aidant_prenom, a.nom as aidant_nom, s.nom as structure_nom, s.fuseau ${more}
  from ouverture o
  left join journal_contenu jc on jc.journal_id = o.journal_id
  join aidant a on a.id = o.aidant_id
  join structure s on s.id = o.structure_id`

/** What was looked at during an opening, besides the dossier itself; the access log is the person's alone to read. */
export type OuvertureVue = OuvertureRow & { lus: ('mandat_consulte' | 'demarche_consultee')[] }

/** Who of the direction opened her dossier, when and why, latest first. For the person, and for the référents of the structure. */
export const listOuvertures = (tx: Tx, usagerIds: readonly string[]) => tx.sql<OuvertureVue[]>`${ouvertures(tx, lus(tx))}
    where o.usager_id = any (${[...usagerIds]}::uuid[]) and ${held(tx, 'o')}
    order by o.opened_at desc, o.id
    limit 100`

// A look belongs to the last opening before it.
const lus = (tx: Tx) => tx.sql`,
    array(
      select distinct l.genre
      from acces l
      where l.usager_id = o.usager_id and l.structure_id = o.structure_id and l.aidant_id = o.aidant_id and l.genre <> 'dossier_consulte'
        and l.at >= o.opened_at and l.at < o.opened_at + interval '15 minutes'
        and not exists (
          select 1
          from ouverture p
          where p.usager_id = o.usager_id and p.structure_id = o.structure_id and p.aidant_id = o.aidant_id
            and p.opened_at > o.opened_at and p.opened_at <= l.at)
      order by l.genre desc) as lus`

/** The opening by which the calling référent may read this dossier now; undefined when she has none, or no longer. */
export async function findOuverture(tx: Tx, usagerId: string) {
  if (tx.who.kind !== 'referent') throw new Error(`${tx.who.kind} opens no dossier`)
  const [ouverture] = await tx.sql<OuvertureRow[]>`${ouvertures(tx)}
    where o.usager_id = ${usagerId} and o.aidant_id = ${tx.who.aidantId} and ${mine(tx, 'o')} and dossier_ouvert(o.structure_id, o.usager_id)
    order by o.opened_at desc
    limit 1`
  return ouverture
}
