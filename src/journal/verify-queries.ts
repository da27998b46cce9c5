import type { Tx } from '../db.ts'
import type { Content, Fault, GoneRecord, LeafRecord, PointRecord } from './verify.ts'

/** How much of the contents the caller may read: all (administrator), their hashes (auditor). */
export type Reading = 'contenus' | 'empreintes'

/** What is read of a line: `colonnes` as `COLUMNS` writes them. */
type Row = { id: number; entry: string; colonnes: string } & ContentRow
type ContentRow = { payload?: string | null; salt?: string | null; empreinte?: string | null }

const contentOf = ({ payload, salt, empreinte }: ContentRow, reading: Reading): Content => {
  if (reading === 'empreintes') return empreinte ? { empreinte } : 'efface'
  return payload != null && salt ? { payload, salt } : 'efface'
}

const contents = (tx: Tx, reading: Reading) =>
  reading === 'contenus'
    ? {
        columns: tx.sql`c.payload, ${base64url(tx, tx.sql`c.salt`)} as salt`,
        join: tx.sql`left join journal_contenu c on c.journal_id = j.id`,
      }
    : {
        columns: tx.sql`${base64url(tx, tx.sql`e.empreinte`)} as empreinte`,
        join: tx.sql`left join journal_empreintes(array(select journal_id from page)) e on e.journal_id = j.id`,
      }

/** With what PostgreSQL itself brings: what is verified goes through no function that came with the data. */
const base64url = ({ sql }: Tx, bytes: ReturnType<Tx['sql']>) => sql`translate(encode(${bytes}, 'base64'), '+/=', '-_')`

/**
 * The columns of a line in one value, which costs the driver a quarter of what ten do: as PostgreSQL writes a row, which can be read one way only (empty
 * for null, quotes around whatever else could be mistaken). The verifier writes the same of the frozen bytes, and compares (`rowText`).
 */
const COLUMNS = (tx: Tx) => tx.sql`row(
  to_char(j.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), j.action, j.acteur, j.acteur_id, j.structure_id, j.usager_id, j.mandat_id,
  j.mandat_seq, j.cible_aidant_id, ${base64url(tx, tx.sql`j.commitment`)})::text as colonnes`

/** The frozen bytes as text: they are ASCII, and whatever is not comes out as a backslash and octal digits, which no line of ours has. */
const ENTRY = (tx: Tx) => tx.sql`encode(j.entry, 'escape') as entry`

/**
 * Leaves in order, each with its line, its content and whether its fact is there: put together as they are taken, and not kept. The database sends a page
 * as one text, six or seven lines for each (ADR 0051): no value of ours holds an end of line, and whichever does was changed; it comes with a U+0001 instead,
 * which none of ours holds either. What is read here are slices of the page: whoever keeps one keeps it whole.
 */
export async function listLeaves(
  tx: Tx,
  from: number,
  upto: number,
  reading: Reading,
): Promise<Iterable<LeafRecord | GoneRecord>> {
  const { columns, join } = contents(tx, reading)
  const values = ['colonnes', 'entry', ...(reading === 'contenus' ? ['salt', 'payload'] : ['empreinte'])]
  const inLines = values.map((of) => tx.sql`replace(coalesce(l.${tx.sql(of)}, ''), E'\\n', E'\\x01') || E'\\n' || `)
  // A fact is looked for by its line each time (`limit 1`): as an `exists` the whole of its table may be read for each page.
  const [[page], [all]] = await Promise.all([
    tx.sql<{ texte: string | null }[]>`
    with page as materialized (
      select leaf_index, journal_id
      from journal_feuille
      where leaf_index >= ${from} and leaf_index < ${upto}),
    lignes as (
    select page.leaf_index, page.journal_id as id, ${COLUMNS(tx)}, ${ENTRY(tx)}, ${columns},
      case
        when j.action = 'mandat_signe' then (select true from mandat m where m.journal_id = j.id and m.id = j.mandat_id limit 1)
        when j.action = 'mandat_termine' then (select true from mandat m where m.ended_journal_id = j.id and m.id = j.mandat_id limit 1)
        when j.action in ('autorisation_revoquee', 'autorisation_remplacee')
          then (select true from autorisation a where a.revoked_journal_id = j.id and a.mandat_id = j.mandat_id limit 1)
        when j.action = 'autorisation_suspendue'
          then (select true from suspension s where s.journal_id = j.id and s.mandat_id = j.mandat_id limit 1)
        when j.action = 'autorisation_retablie'
          then (select true from suspension s where s.until_journal_id = j.id and s.mandat_id = j.mandat_id limit 1)
        when j.action in ('demarche_realisee', 'acte_hors_mandat')
          then (select true from demarche d where d.journal_id = j.id and d.mandat_id = j.mandat_id limit 1)
        when j.action = 'demarche_corrigee'
          then (select true from correction k where k.journal_id = j.id and k.mandat_id = j.mandat_id limit 1)
        when j.action = 'demarche_contestee'
          then (select true from contestation q where q.journal_id = j.id and q.mandat_id = j.mandat_id limit 1)
        when j.action = 'contestation_repondue'
          then (select true from contestation q where q.answered_journal_id = j.id and q.mandat_id = j.mandat_id limit 1)
        when j.action = 'arret_recu' then (select true from arret_recu r where r.journal_id = j.id and r.mandat_id = j.mandat_id limit 1)
        when j.action = 'dossier_ouvert' then (
          select true from ouverture o where o.journal_id = j.id and (o.aidant_id, o.usager_id) = (j.acteur_id, j.usager_id) limit 1)
        else true
      end as fait,
      case
        when j.action = 'mandat_signe' then coalesce((select true from mandat_contenu c where c.mandat_id = j.mandat_id limit 1), false)
        when j.action in ('demarche_realisee', 'acte_hors_mandat') then coalesce(
          (select true from demarche d join demarche_contenu c on c.demarche_id = d.id where d.journal_id = j.id limit 1), false)
      end as mots
    from page
    left join journal j on j.id = page.journal_id
    ${join}
    order by page.leaf_index)
    select string_agg(l.leaf_index || E'\\n' || l.id || E'\\n' || ${inLines}
      case when l.entry is null then 'efface' else coalesce(l.fait, false) || coalesce(' ' || l.mots, '') end || E'\\n', '') as texte
    from lignes l`,
    tx.sql<{ hashes: Buffer | null }[]>`
    select string_agg(hash, ''::bytea order by leaf_index) as hashes
    from journal_feuille
    where leaf_index >= ${from} and leaf_index < ${upto}`,
  ])
  return (function* () {
    const texte = page!.texte ?? ''
    let at = 0
    const next = () => {
      const from = at
      at = texte.indexOf('\n', from) + 1
      return texte.slice(from, at - 1)
    }
    for (let i = 0; at < texte.length; i++) {
      const [index, id, colonnes, entry, sealed] = [Number(next()), Number(next()), next(), next(), next()]
      const content = contentOf({ payload: reading === 'contenus' ? next() : null, salt: sealed, empreinte: sealed }, reading)
      const known = next()
      const hash = all!.hashes!.subarray(i * 32, i * 32 + 32)
      if (known === 'efface') yield { index, id, hash, gone: true }
      else
        yield {
          index,
          id,
          hash,
          entry,
          colonnes,
          content,
          fact: known.startsWith('true'),
          words: known.includes(' ') ? known.endsWith(' true') : undefined,
        }
    }
  })()
}

/** Numbers of lines, `after` left out; undefined: to the end of what a number may be, where nobody but a forger writes. */
export type Numbers = { after: number | undefined; upto: number | undefined }
/** Slices of the lines there are, and every other number: whoever forges a line, or a fact of one that there never was, chooses its number. */
export async function listSlices(read: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>): Promise<Numbers[]> {
  const slices: Numbers[] = []
  for (let after: number | undefined; ; ) {
    const [end] = await read(
      (tx) => tx.sql<{ id: number }[]>`
        select id
        from journal
        where ${within(tx, tx.sql`id`, { after, upto: undefined })}
        order by id
        offset ${SLICE}
        limit 1`,
    )
    slices.push({ after, upto: end?.id })
    if (!end) return slices
    after = end.id
  }
}
/** What is read of one stays far from the time a statement has, on a slow machine too. */
const SLICE = 20_000

/** A number that a forger chose may be none that is read here: then the nearest that is. */
const readable = ({ sql }: Tx, id: ReturnType<Tx['sql']>) =>
  sql`greatest(least(${id}, ${Number.MAX_SAFE_INTEGER}), ${Number.MIN_SAFE_INTEGER})`

export const within = ({ sql }: Tx, id: ReturnType<Tx['sql']>, { after, upto }: Numbers) =>
  sql`(${after === undefined ? sql`true` : sql`${id} > ${after}`} and ${upto === undefined ? sql`true` : sql`${id} <= ${upto}`})`

/**
 * Lines that had no leaf when the tree had this size, among these; `settled`: below the horizon of that moment, or dated of a time that has not come,
 * which none of ours is.
 */
export async function listWaiting(
  tx: Tx,
  { size, horizon, reading, ...numbers }: Numbers & { size: number; horizon: string; reading: Reading },
) {
  const { columns, join } = contents(tx, reading)
  const rows = await tx.sql<(Row & { settled: boolean })[]>`
    with page as materialized (
      select j.id as journal_id
      from journal j
      where ${within(tx, tx.sql`j.id`, numbers)} and not exists (
        -- The bounds again: without them all the leaves there are would be read each time.
        select 1
        from journal_feuille f
        where f.journal_id = j.id and ${within(tx, tx.sql`f.journal_id`, numbers)} and f.leaf_index < ${size}))
    select ${readable(tx, tx.sql`j.id`)} as id, ${COLUMNS(tx)}, ${ENTRY(tx)}, ${columns}, j.xid < ${horizon}::xid8 or j.at > horloge() + interval '1 hour' as settled
    from page
    join journal j on j.id = page.journal_id
    ${join}
    order by j.id`
  return rows.map((row) => ({
    record: { id: row.id, entry: row.entry, colonnes: row.colonnes, content: contentOf(row, reading) },
    settled: row.settled,
  }))
}

/**
 * How far the journal goes now, at one moment: leaves, below which transaction every line must have its leaf, and the last size that a checkpoint
 * says (beyond the leaves, when lines were cut).
 */
export async function findExtent(tx: Tx): Promise<{ size: number; horizon: string; last: number }> {
  const [extent] = await tx.sql<{ size: number; horizon: string; last: number }[]>`
    select
      (select coalesce(max(leaf_index) + 1, 0) from journal_feuille) as size,
      (select horizon::text from journal_bail) as horizon,
      (select coalesce(max(taille), 0) from journal_point) as last`
  return extent!
}

export const listPoints = (tx: Tx, after: number, upto: number): Promise<PointRecord[]> =>
  tx.sql<PointRecord[]>`
    select p.taille, p.racine, p.note,
      coalesce((select json_agg(json_build_object('temoin', t.temoin, 'ligne', t.ligne)) from journal_temoignage t where t.taille = p.taille), '[]') as temoignages
    from journal_point p
    where p.taille > ${after} and p.taille <= ${upto}
    order by p.taille`

export const listTiles = (tx: Tx, level: number, from: number, upto: number) =>
  tx.sql<{ level: number; index: number; hashes: Buffer; root: Buffer }[]>`
    select niveau as level, numero as index, hashes, racine as root
    from journal_tuile
    where niveau = ${level} and numero >= ${from} and numero < ${upto}
    order by numero`

/** Each fact that a line must say: the table, its columns, the words of the line. */
const FACTS = [
  { table: 'mandat', mandat: 'id', line: 'journal_id', at: 'signed_at', actions: ['mandat_signe'] },
  { table: 'mandat', mandat: 'id', line: 'ended_journal_id', at: 'ended_at', actions: ['mandat_termine'] },
  { table: 'autorisation', mandat: 'mandat_id', line: 'journal_id', at: 'signed_at', actions: ['mandat_signe'] },
  {
    table: 'autorisation',
    mandat: 'mandat_id',
    line: 'revoked_journal_id',
    at: 'revoked_at',
    actions: ['autorisation_revoquee', 'autorisation_remplacee'],
  },
  { table: 'suspension', mandat: 'mandat_id', line: 'journal_id', at: 'from_at', actions: ['autorisation_suspendue'] },
  { table: 'suspension', mandat: 'mandat_id', line: 'until_journal_id', at: 'until_at', actions: ['autorisation_retablie'] },
  {
    table: 'demarche',
    mandat: 'mandat_id',
    line: 'journal_id',
    at: 'recorded_at',
    actions: ['demarche_realisee', 'acte_hors_mandat'],
  },
  { table: 'correction', mandat: 'mandat_id', line: 'journal_id', at: 'corrected_at', actions: ['demarche_corrigee'] },
  { table: 'contestation', mandat: 'mandat_id', line: 'journal_id', at: 'contested_at', actions: ['demarche_contestee'] },
  {
    table: 'contestation',
    mandat: 'mandat_id',
    line: 'answered_journal_id',
    at: 'answered_at',
    actions: ['contestation_repondue'],
  },
] as const
export const FACT_SORTS = FACTS.map((_, i) => i)

/** Of one sort of fact, those whose lines are among these, or that have none, and that their lines do not say. */
export async function listWrongFacts(tx: Tx, sort: number, lines: Numbers | 'aucune'): Promise<Fault[]> {
  const { table, mandat, line, at, actions } = FACTS[sort]!
  const { sql } = tx
  const among = (id: ReturnType<typeof sql>) => (lines === 'aucune' ? sql`${id} is null` : within(tx, id, lines))
  const wrong = await sql<{ id: string; line: number | null; redated: boolean }[]>`
    with dit as (
      select f.id, f.${sql(line)} as line, f.${sql(at)} as at, j.at as line_at,
        coalesce(j.mandat_id = f.${sql(mandat)} and j.action = any (${[...actions]}::text[]), f.${sql(line)} is null and f.${sql(at)} is null) as said
      from ${sql(table)} f
      left join journal j on j.id = f.${sql(line)} and ${among(sql`j.id`)}
      where ${among(sql`f.${sql(line)}`)})
    select id, ${readable(tx, sql`line`)} as line, said as redated
    from dit
    where not said or abs(extract(epoch from at - line_at)) > 60
    order by line`
  return wrong.map((fact) => ({
    kind: fact.redated ? 'fait_redate' : 'fait_sans_ligne',
    ligne: fact.line ?? undefined,
    ou: `${table} ${fact.id}`,
  }))
}
