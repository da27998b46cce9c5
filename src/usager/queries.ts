import type { Tx } from '../db.ts'
import { hers, mine } from '../structure/mine.ts'
import type { Recherche } from './forms.ts'

export type UsagerRow = {
  id: string
  prenoms: string[]
  nomNaissance: string
  nomUsage: string | null
  birthdate: string
}
export type Contacts = { email: string | null; telephone: string | null; suivi: 'email' | 'sms' | 'papier' }
export type Personne = UsagerRow & {
  /** Of the mandat that matters most: in force first, the soonest to end; else the last one over. Null without any. */
  etat: 'actif' | 'suspendu' | 'expire' | 'termine' | null
  /** When that one was signed. */
  signeLe: Date | null
  /** When it ends, or ended. */
  fin: Date | null
  /** When the request to stop it had come, which an aidant recorded. */
  recuLe: Date | null
  enCours: number
}

/** One person of the structure, or undefined: unknown and another structure's are the same. Nobody may reach her without a mandat in force. */
export async function findUsager(tx: Tx, id: string) {
  const [usager] = await tx.sql<(UsagerRow & Contacts)[]>`
    select u.id, u.prenoms, u.nom_naissance, u.nom_usage, u.birthdate, u.suivi,
      case when v.en_vigueur then u.email end as email, case when v.en_vigueur then u.telephone end as telephone
    from usager u
    join dossier d on d.usager_id = u.id,
      lateral (select mandat_en_vigueur(d.structure_id, d.usager_id) as en_vigueur) as v
    where u.id = ${id} and ${mine(tx, 'd')}`
  return usager
}

/** Is `column` an identity of the person whose this one is, itself included? Of those that the caller may read: an aidant's structure's. */
export const siennes = (tx: Tx, column: string, usagerId: string | ReturnType<Tx['sql']>) =>
  tx.sql`${tx.sql(column)} in (
    select o.id
    from usager o
    join usager u on u.personne_id = o.personne_id
    where u.id = ${usagerId})`

export type AutreFiche = { id: string; reunie: boolean }

/** The structure's other dossiers of somebody of the same civil status: the same person (`reunie`) when she has said so herself. */
export const listAutresFiches = (tx: Tx, usagerId: string) => tx.sql<AutreFiche[]>`
    select o.id, o.personne_id = u.personne_id as reunie
    from usager u
    join usager o on o.id <> u.id and o.birthcountry = u.birthcountry and left(o.birthdate, 4) = left(u.birthdate, 4)
    join dossier d on d.usager_id = o.id
    where u.id = ${usagerId} and ${mine(tx, 'd')} and (o.personne_id = u.personne_id or meme_etat_civil(u, o))
    order by o.created_at`

export const PAGE = 20

/**
 * Persons of the structure, a page at a time by keyset, so that the thousandth page costs what the first does. `apres` is the last person
 * of the page before (one who is not there any more: the first page), `suivant` what to give for the next. In the order of the word found
 * or of the birth date, then of the names.
 */
export async function listPersonnes(
  tx: Tx,
  recherche: Recherche,
  apres: string | undefined,
): Promise<{ personnes: Personne[]; suivant: string | undefined }> {
  const mots = recherche.par === 'nom' ? await motsDe(tx, recherche.texte) : []
  if (recherche.par === 'date_incomplete' || (recherche.par === 'nom' && mots.length === 0))
    return { personnes: [], suivant: undefined }
  const place = apres ? await placeOf(tx, mots[0], apres) : undefined
  const page =
    recherche.par === 'nom'
      ? parNom(tx, mots, place)
      : recherche.par === 'tout'
        ? toutes(tx, place)
        : parNaissance(tx, recherche, place)
  const found = await tx.sql<Personne[]>`
    with page as (${page})
    select u.id, u.prenoms, u.nom_naissance, u.nom_usage, u.birthdate, m.etat, m.signe_le, m.fin, coalesce(m.en_cours, 0) as en_cours,
      (select r.recu_le from arret_recu r where r.mandat_id = m.id order by r.recorded_at desc limit 1) as recu_le
    from page
    join usager u on u.id = page.usager_id
    left join lateral (
      select e.id, e.etat, e.signed_at as signe_le, coalesce(e.ended_at, e.expires_at) as fin,
        count(*) filter (where e.etat in ('actif', 'suspendu')) over () as en_cours
      from mandat_etat e
      where e.structure_id = page.structure_id and e.usager_id = page.usager_id
      order by array_position(array['actif', 'suspendu'], e.etat), case when e.etat in ('actif', 'suspendu') then e.expires_at end,
        coalesce(e.ended_at, e.expires_at) desc
      limit 1
    ) m on true
    order by page.cle, page.tri, page.usager_id`
  const personnes = found.slice(0, PAGE)
  return { personnes, suivant: found.length > PAGE ? personnes.at(-1)!.id : undefined }
}

/** Where a person stands in the order of a search; undefined when she is not there any more. */
type Place = { id: string; tri: string; naissance: string; cle: string | null }

async function placeOf(tx: Tx, prefix: string | undefined, id: string): Promise<Place | undefined> {
  const [place] = await tx.sql<Place[]>`
    select d.usager_id as id, d.tri, d.naissance,
      ${prefix ? tx.sql`(select min(o.cle) from dossier_mot o where o.structure_id = d.structure_id and o.usager_id = d.usager_id and ${begins(tx, 'o.mot', prefix)})` : tx.sql`null`} as cle
    from dossier d
    where ${mine(tx, 'd')} and d.usager_id = ${id}`
  return prefix && !place?.cle ? undefined : place
}

// One page and one row more.

function parNom(tx: Tx, [first, ...others]: readonly string[], place: Place | undefined) {
  const prefix = first!
  // Of each word, first those named so (`cle`): among them the other words come at random, while those who hold it elsewhere are in the order of
  // names that may be none of these. A name may hold two words that begin alike: the person is found by the first only. `offset 0` keeps each question
  // asked row by row, in the order of the index until the page is full: left to itself the planner may go through a common word to its end first (measured).
  return tx.sql`
    select m.structure_id, m.usager_id, m.tri, m.cle
    from dossier_mot m
    where ${mine(tx, 'm')} and ${begins(tx, 'm.cle', prefix)}
      and not exists (
        select 1 from dossier_mot o
        where o.structure_id = m.structure_id and o.usager_id = m.usager_id and ${begins(tx, 'o.mot', prefix)} and o.mot < m.mot offset 0)
      ${others.reduce(
        (all, mot) => tx.sql`${all} and exists (
        select 1 from dossier_mot o where o.structure_id = m.structure_id and o.usager_id = m.usager_id and ${begins(tx, 'o.mot', mot)} offset 0)`,
        tx.sql``,
      )}
      ${place ? tx.sql`and (m.cle, m.tri, m.usager_id) > (${place.cle}, ${place.tri}, ${place.id})` : tx.sql``}
    order by m.cle, m.tri, m.usager_id
    limit ${PAGE + 1}`
}

function parNaissance(tx: Tx, recherche: Recherche & { par: 'naissance' | 'annee' }, place: Place | undefined) {
  return tx.sql`
    select d.structure_id, d.usager_id, d.tri, d.naissance as cle
    from dossier d
    where ${mine(tx, 'd')}
      and ${recherche.par === 'annee' ? begins(tx, 'd.naissance', recherche.annee) : tx.sql`d.naissance = any (${[...recherche.dates]})`}
      ${place ? tx.sql`and (d.naissance, d.tri, d.usager_id) > (${place.naissance}, ${place.tri}, ${place.id})` : tx.sql``}
    order by d.naissance, d.tri, d.usager_id
    limit ${PAGE + 1}`
}

function toutes(tx: Tx, place: Place | undefined) {
  return tx.sql`
    select d.structure_id, d.usager_id, d.tri, '' as cle
    from dossier d
    where ${mine(tx, 'd')} ${place ? tx.sql`and (d.tri, d.usager_id) > (${place.tri}, ${place.id})` : tx.sql``}
    order by d.tri, d.usager_id
    limit ${PAGE + 1}`
}

/** A range, which an index serves whatever the plan; `like` with a parameter may not be. '{' comes after every letter and digit. */
const begins = (tx: Tx, column: string, prefix: string) =>
  tx.sql`${tx.sql(column)} >= ${prefix} and ${tx.sql(column)} < ${`${prefix}{`}`

/**
 * The words of a search, normalised by what indexes the names; first the one that the fewest names hold, which the others then sift. Of words
 * that many names hold, first the one that begins most of them: in its order the others come at random, soon and often.
 */
async function motsDe(tx: Tx, texte: string): Promise<string[]> {
  const [row] = await tx.sql<{ mots: string[] }[]>`select mots(${texte}) as mots`
  if (row!.mots.length < 2) return row!.mots
  const sorted = await tx.sql<{ mot: string }[]>`
    select w.mot
    from unnest(${row!.mots}::text[]) as w (mot)
    order by
      (select count(*) from (
        select 1 from dossier_mot m where ${mine(tx, 'm')} and m.cle >= w.mot and m.cle < w.mot || '{' limit ${COMMON}) as n),
      (select count(*) from (
        select 1 from dossier d where ${mine(tx, 'd')} and d.tri >= w.mot and d.tri < w.mot || '{' limit ${COMMON}) as n) desc,
      w.mot`
  return sorted.map(({ mot }) => mot)
}

/** Counting stops there: enough to tell a rare word from a common one. */
const COMMON = 200

// What the person reads of herself

export type Donnees = UsagerRow & Contacts & { birthplace: string | null; birthcountry: string | null; refreshedAt: Date }
export type Structure = { id: string; nom: string; telephone: string; adresse: string; fuseau: string }

/** Who she is here, as FranceConnect said it last, and how she wants to be told. */
export const listDonnees = (tx: Tx) => tx.sql<Donnees[]>`
    select u.id, u.prenoms, u.nom_naissance, u.nom_usage, u.birthdate, u.birthplace, u.birthcountry, u.email, u.telephone, u.suivi,
      u.refreshed_at
    from usager u
    where ${hers(tx, 'u.id')}
    order by u.created_at`

/** May she have been known here under another sub, before a correction of her civil status? Tells nothing else of it, and not once she has said no. */
export async function findAutreEtatCivil(tx: Tx): Promise<boolean> {
  const [row] = await tx.sql<{ autre: boolean }[]>`select autre_etat_civil() as autre`
  return row!.autre
}

/** The structures that know her. */
export const listStructuresDe = (tx: Tx) => tx.sql<Structure[]>`
    select distinct s.id, s.nom, s.telephone, s.adresse, s.fuseau
    from dossier d
    join structure s on s.id = d.structure_id
    where ${hers(tx, 'd.usager_id')}
    order by s.nom`

export type Acces = {
  id: number
  at: Date
  genre: 'dossier_consulte' | 'demarche_consultee' | 'mandat_consulte'
  aidantId: string
  aidantPrenom: string
  aidantNom: string
  structureNom: string
  fuseau: string
}

/**
 * Who looked at her file, newest first, 100 at a time; `suivant` is what to give as `avant` for the next. Not what a référent looked at in
 * the quarter of an hour of an opening: `listOuvertures` tells it once, with its reason.
 */
export async function listAcces(tx: Tx, avant: number | undefined): Promise<{ acces: Acces[]; suivant: number | undefined }> {
  const found = await tx.sql<Acces[]>`
    select a.id, a.at, a.genre, a.aidant_id, i.prenom as aidant_prenom, i.nom as aidant_nom, s.nom as structure_nom, s.fuseau
    from acces a
    join aidant i on i.id = a.aidant_id
    join structure s on s.id = a.structure_id
    where ${hers(tx, 'a.usager_id')} ${avant === undefined ? tx.sql`` : tx.sql`and a.id < ${avant}`}
      and not exists (
        select 1
        from ouverture o
        where o.usager_id = a.usager_id and o.structure_id = a.structure_id and o.aidant_id = a.aidant_id
          and a.at >= o.opened_at and a.at < o.opened_at + interval '15 minutes')
    order by a.id desc
    limit ${ACCES_PAGE + 1}`
  const acces = found.slice(0, ACCES_PAGE)
  return { acces, suivant: found.length > ACCES_PAGE ? acces.at(-1)!.id : undefined }
}
const ACCES_PAGE = 100
