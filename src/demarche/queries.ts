import type { Tx } from '../db.ts'
import { isUuid } from '../form.ts'
import type { Content } from '../journal/verify.ts'
import type { Thematique } from '../mandat/mandat.ts'
import { held, mine } from '../structure/mine.ts'
import type { MotifContestation, Reponse } from './contestation.ts'
import {
  type Canal,
  CORRIGEABLES,
  type DureeMinutes,
  type EtapeQui,
  type Faits,
  type Kind,
  type Mode,
  type MotifBlocage,
  type Nature,
  type NewDemarche,
  type Presence,
  type Resultat,
} from './demarche.ts'

/** One démarche as its reader may see it: what is masked from her, or no longer kept, is null. */
export type DemarcheRow = {
  id: string
  /** Its line of the journal. */
  journalId: number
  mandatId: string
  structureId: string
  usagerId: string
  aidantId: string
  genre: Kind
  sensible: boolean
  reclamation: boolean
  resultat: Resultat
  doneAt: Date
  recordedAt: Date
  thematique: Thematique | null
  nature: Nature | null
  mode: Mode | null
  presence: Presence | null
  canal: Canal | null
  dureeMinutes: DureeMinutes | null
  motifBlocage: MotifBlocage | null
  code: string | null
  titre: string | null
  administration: string | null
  reference: string | null
  montantCentimes: number | null
  etapeQuoi: string | null
  etapeQui: EtapeQui | null
  /** 'YYYY-MM-DD'. */
  etapeQuand: string | null
  orientation: string | null
  note: string | null
  motifHorsMandat: string | null
  aidantPrenom: string
  aidantNom: string
  structureNom: string
  fuseau: string
  /** Its latest correction, when there is one: what is above is then what it says, and `avant` what was noted first (undefined when masked). */
  correction: {
    at: Date
    par: string
    /** Someone else than its author has corrected it. */
    parDirection: boolean
    annulee: boolean
    raison: string | null
    avant: DemarcheRow | undefined
  } | null
  /** The latest time that she did not agree, one that waits for its answer first, for herself and who answers her. */
  contestation: {
    id: string
    motif: MotifContestation
    contestedAt: Date
    reponse: Reponse | null
    answeredAt: Date | null
  } | null
}

/** The last démarche of the page before: where the next one begins. */
type Curseur = { doneAt: string; id: string }
export const texteDuCurseur = ({ doneAt, id }: Curseur): string => `${Date.parse(doneAt)}_${id}`
/** Undefined when it cannot be one of ours: the first page is shown. Thirteen digits stay between the years 1653 and 2286. */
export function curseurDe(text: string | undefined): Curseur | undefined {
  const [, ms, id] = /^(-?\d{1,13})_(.+)$/.exec(text ?? '') ?? []
  return id !== undefined && isUuid(id) ? { doneAt: new Date(Number(ms)).toISOString(), id } : undefined
}

const PAGE = 20
/** All that was done under a mandat: more than has ever been. */
export const TOUTES = 1000

/**
 * The démarches found by `which`, with their words. Row-level security says whose may be read; `masked` also leaves out those of sensitive
 * ones, which a list does not show. The page is cut before its words are fetched.
 */
async function rows(tx: Tx, masked: boolean, which: Piece, page: Piece): Promise<DemarcheRow[]> {
  const { sql } = tx
  // With the title goes the thématique, and all that would tell what it was. To herself nothing is masked, once FranceConnect said who she is;
  // whoever holds her paper reads neither what is sensitive nor her complaints.
  const byCode = isByCode(tx)
  const discrete = byCode ? sql`(d.sensible or d.reclamation)` : sql`d.sensible`
  const shown = tx.who.kind === 'usager' && !byCode ? sql`true` : sql`not ${discrete} or c.demarche_id is not null`
  const ifShown = (column: string) => sql`case when ${shown} then ${sql(`d.${column}`)} end as ${sql(column)}`
  const found = await sql<Found[]>`
    select d.id, d.journal_id, d.mandat_id, d.structure_id, d.usager_id, d.aidant_id, d.genre, d.sensible, d.reclamation, d.resultat, d.done_at,
      d.recorded_at, ${ifShown('thematique')}, ${ifShown('nature')}, ${ifShown('mode')}, ${ifShown('presence')}, ${ifShown('canal')},
      ${ifShown('duree_minutes')}, ${ifShown('motif_blocage')},
      c.code, c.titre, c.administration, c.reference, c.montant_centimes, c.etape_quoi, c.etape_qui, c.etape_quand, c.orientation, c.note,
      c.motif_hors_mandat, a.prenom as aidant_prenom, a.nom as aidant_nom, s.nom as structure_nom, s.fuseau,
      k.corrected_at, k.annulee, k.par_direction, k.resultat as resultat_corrige, ka.prenom || ' ' || ka.nom as corrige_par, kc.payload::jsonb as corrige,
      q.id as contestation_id, q.motif as contestation_motif, q.contested_at, q.reponse, q.answered_at
    from (
      select d.id, d.journal_id, d.mandat_id, d.structure_id, d.usager_id, d.aidant_id, d.genre, d.sensible, d.reclamation, d.resultat, d.done_at,
        d.recorded_at, d.thematique, d.nature, d.mode, d.presence, d.canal, d.duree_minutes, d.motif_blocage
      from demarche d
      where ${which} and ${held(tx, 'd')}
      ${page}
    ) d
    left join demarche_contenu c on c.demarche_id = d.id ${masked || (byCode && !tx.rlsOnly) ? sql`and not ${discrete}` : sql``}
    join aidant a on a.id = d.aidant_id
    join structure s on s.id = d.structure_id
    left join lateral (
      select k.corrected_at, k.annulee, k.resultat, k.aidant_id, k.journal_id, bool_or(k.aidant_id <> d.aidant_id) over () as par_direction
      from correction k
      where k.demarche_id = d.id
      order by k.journal_id desc
      limit 1
    ) k on true
    left join aidant ka on ka.id = k.aidant_id
    left join journal_contenu kc on kc.journal_id = k.journal_id and c.demarche_id is not null
    left join lateral (
      select q.id, q.motif, q.contested_at, q.reponse, q.answered_at
      from contestation q
      where q.demarche_id = d.id
      order by q.answered_at desc nulls first, q.journal_id desc
      limit 1
    ) q on true
    order by d.done_at desc, d.id desc`
  return found.map(asItIs)
}

type Found = Omit<DemarcheRow, 'correction' | 'contestation'> & {
  correctedAt: Date | null
  annulee: boolean | null
  parDirection: boolean | null
  resultatCorrige: Resultat | null
  corrigePar: string | null
  corrige: (Faits & { raison: string }) | null
  contestationId: string | null
  contestationMotif: MotifContestation | null
  contestedAt: Date | null
  reponse: Reponse | null
  answeredAt: Date | null
}
/** What is true of an act now: what was noted of it, or what the latest correction says in its place. */
function asItIs(found: Found): DemarcheRow {
  const {
    correctedAt,
    annulee,
    parDirection,
    resultatCorrige,
    corrigePar,
    corrige,
    contestationId,
    contestationMotif,
    contestedAt,
    reponse,
    answeredAt,
    ...rest
  } = found
  const contestation = contestationId
    ? { id: contestationId, motif: contestationMotif!, contestedAt: contestedAt!, reponse, answeredAt }
    : null
  const noted: DemarcheRow = { ...rest, correction: null, contestation }
  if (!correctedAt) return noted
  const { raison = null, ...faits } = corrige ?? {}
  const kept = Object.fromEntries(CORRIGEABLES.flatMap((key) => (key in faits ? [[key, (faits as Faits)[key]]] : [])))
  const correction = {
    at: correctedAt,
    par: corrigePar!,
    parDirection: parDirection!,
    annulee: annulee!,
    raison,
    avant: corrige ? noted : undefined,
  }
  return { ...noted, ...kept, resultat: resultatCorrige!, correction }
}
type Piece = ReturnType<typeof held>
const isByCode = ({ who }: Tx) => who.kind === 'usager' && who.niveau !== 'identite'

/**
 * What was done, latest first, a page at a time by keyset: all of hers for the person, this structure's for an aidant, from whom the list
 * masks what is sensitive (a screen is shared), or for the référent, who reads it while the dossier is open.
 */
export async function listDemarches(
  tx: Tx,
  of: { usagerIds: readonly string[] } | { mandatId: string },
  apres?: Curseur,
  limit = PAGE,
): Promise<{ demarches: DemarcheRow[]; suivant: Curseur | undefined }> {
  const { sql } = tx
  const which = 'mandatId' in of ? sql`d.mandat_id = ${of.mandatId}` : sql`d.usager_id = any (${[...of.usagerIds]}::uuid[])`
  const page = sql`${apres ? sql`and (d.done_at, d.id) < (${apres.doneAt}, ${apres.id})` : sql``}
      order by d.done_at desc, d.id desc
      limit ${limit + 1}`
  const found = await rows(tx, tx.who.kind === 'aidant', which, page)
  const demarches = found.slice(0, limit)
  const last = demarches.at(-1)
  return { demarches, suivant: found.length > limit && last ? { doneAt: last.doneAt.toISOString(), id: last.id } : undefined }
}

/** One démarche with all that its reader may read of it; undefined when it is unknown, not hers, or someone else's complaint. */
export async function findDemarche(tx: Tx, id: string) {
  const [demarche] = await rows(tx, false, tx.sql`d.id = ${id}`, tx.sql``)
  return demarche
}

/** What the caller may read of the facts of a line: row-level security says whose, and a référent's only with the dossier open when they are sensitive. */
export async function findFaits(tx: Tx, journalId: number): Promise<Content> {
  const [found] = await tx.sql<{ payload: string | null; salt: Buffer | null }[]>`
    select c.payload, c.salt
    from journal_contenu c
    where c.journal_id = ${journalId} and ${held(tx, 'c')}`
  if (!found) return 'non_lu'
  return found.payload !== null && found.salt ? { payload: found.payload, salt: found.salt.toString('base64url') } : 'efface'
}

export type DejaNotee = { id: string; recordedAt: Date }

/**
 * What may be the démarche about to be noted under this mandat: the one that the same form recorded (`renvoi`), and those of its thématique,
 * nature and result, and its moment when one is said, that this aidant noted less than ten minutes ago. Latest first.
 */
export const listJustNotees = (
  tx: Tx,
  aidantId: string,
  { mandatId, envoi, thematique, nature, resultat, doneAt }: NewDemarche,
) => tx.sql<(DejaNotee & { genre: Kind; renvoi: boolean })[]>`
  select d.id, d.genre, d.recorded_at, d.envoi = ${envoi} as renvoi
  from demarche d
  where d.mandat_id = ${mandatId} and ${mine(tx, 'd')} and (d.envoi = ${envoi}
    or (d.aidant_id = ${aidantId} and d.thematique = ${thematique} and d.nature = ${nature} and d.resultat = ${resultat}
      and d.recorded_at > (select horloge()) - interval '10 minutes' ${doneAt ? tx.sql`and d.done_at = ${doneAt}` : tx.sql``}))
  order by d.recorded_at desc`

/** The latest of these démarches that has these words. */
export async function findOfTitre(tx: Tx, ids: readonly string[], titre: string): Promise<DejaNotee | undefined> {
  const [found] = await tx.sql<DejaNotee[]>`
    select d.id, d.recorded_at
    from demarche d
    join demarche_contenu c on c.demarche_id = d.id
    where d.id = any (${[...ids]}::uuid[]) and ${mine(tx, 'd')} and c.titre = ${titre}
    order by d.recorded_at desc
    limit 1`
  return found
}

/** May the calling aidant note for the person of this mandat: as one who accompanies her, or a référent with the dossier open? */
export async function mayNote(tx: Tx, mandatId: string): Promise<boolean> {
  const [row] = await tx.sql<{ may: boolean }[]>`
    select lit_comme_aidant(m.structure_id, m.usager_id) or dossier_ouvert(m.structure_id, m.usager_id) as may
    from mandat m
    where m.id = ${mandatId} and ${mine(tx, 'm')}`
  return row?.may === true
}

/** Codes of the catalogue lately noted for this person in this structure, latest first; not the sensitive ones, which no list shows. */
export async function listRecents(tx: Tx, usagerId: string): Promise<string[]> {
  const found = await tx.sql<{ code: string }[]>`
    select c.code
    from demarche d
    join demarche_contenu c on c.demarche_id = d.id
    where ${mine(tx, 'd')} and d.usager_id = ${usagerId} and not d.sensible and c.code is not null
    group by c.code
    order by max(d.recorded_at) desc, c.code
    limit 6`
  return found.map(({ code }) => code)
}

/**
 * The moment at which the structure's clock showed `local` ('YYYY-MM-DDTHH:MM'), undefined for an unknown mandat. A minute is said, not a
 * second: the minute in which the mandat was signed is read as what followed.
 */
export async function findMoment(tx: Tx, mandatId: string, local: string) {
  const [moment] = await tx.sql<{ at: Date }[]>`
    select case when m.signed_at < said.at + interval '1 minute' then greatest(said.at, m.signed_at) else said.at end as at
    from mandat m
    join structure s on s.id = m.structure_id,
      lateral (select ${local}::timestamp at time zone s.fuseau as at) as said
    where m.id = ${mandatId} and ${held(tx, 'm')}`
  return moment?.at
}
