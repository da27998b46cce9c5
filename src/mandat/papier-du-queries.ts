import type { Tx } from '../db.ts'
import { mine } from '../structure/mine.ts'
import { siennes } from '../usager/queries.ts'

/** What is told on paper to whom is not told otherwise, or by a telephone that others read. The database writes it with its fact. */
export type PapierQuoi = 'signe' | 'arret' | 'pause' | 'reprise' | 'code'

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
  /** Whether nothing of the mandat is left; whether some of it was stopped, and some replaced by another mandat. */
  fini: boolean
  arrete: boolean
  remplace: boolean
  prenoms: string[]
  nomNaissance: string
  nomUsage: string | null
  birthdate: string
}

/** `remisAt`, by whom. */
export type PapierRemis = PapierDu & { remisAt: Date; remisPar: string }

const MOST = 200

/**
 * What the calling aidant's structure still owes, oldest first. A mandat that is over is owed the news of its end alone: nobody brings someone the
 * papers of what she cannot use, nor a pause that a stop has overtaken. Of a pause lifted, only that it was lifted, and the other way about. Of
 * someone who died, nothing: it would go to another.
 */
export const listPapiersDus = (tx: Tx) => tx.sql<PapierDu[]>`
  ${papiers(tx)}
  where ${mine(tx, 'p')} and p.remis_at is null
    and not exists (select 1 from mandat d where ${mine(tx, 'd')} and ${siennes(tx, 'd.usager_id', tx.sql`p.usager_id`)} and d.ended_how = 'deces')
    and case p.quoi
      when 'arret' then true
      -- It opens her space, mandat over or not.
      when 'code' then true
      when 'signe' then m.etat in ('actif', 'suspendu')
      when 'pause' then exists (select 1 from autorisation_etat a where a.mandat_id = p.mandat_id and a.etat = 'suspendu')
      when 'reprise' then exists (
        select 1 from autorisation_etat a join suspension s on s.autorisation_id = a.id where a.mandat_id = p.mandat_id and a.etat = 'actif')
    end
  order by p.created_at, p.id
  limit ${MOST}`

/** What was said handed over today on the structure's clock, latest first: while it may be taken back. */
export const listPapiersRemis = (tx: Tx, fuseau: string) => tx.sql<PapierRemis[]>`
  ${papiers(tx)}
  where ${mine(tx, 'p')} and p.annule_at is null and ${remisAujourdhui(tx, fuseau)}
  order by p.remis_at desc, p.id
  limit ${MOST}`

/** Of the paper `p`: what may still be taken back. */
export const remisAujourdhui = (tx: Tx, fuseau: string) =>
  tx.sql`(p.remis_at at time zone ${fuseau})::date = (${tx.now}::timestamptz at time zone ${fuseau})::date`

const papiers = (tx: Tx) => tx.sql`
  select p.id, p.mandat_id, p.usager_id, p.quoi, p.created_at, u.prenoms, u.nom_naissance, u.nom_usage, u.birthdate, r.recu_le, r.revoked_at,
    m.etat = 'termine' as fini,
    exists (select 1 from autorisation a where a.mandat_id = m.id and a.revoked_how <> 'remplace') as arrete,
    exists (select 1 from autorisation a where a.mandat_id = m.id and a.revoked_how = 'remplace') as remplace, p.remis_at, b.prenom || ' ' || b.nom as remis_par
  from papier_du p
  join mandat_etat m on m.id = p.mandat_id
  left join aidant b on b.id = p.remis_par
  join usager u on u.id = p.usager_id
  left join lateral (
    select r.recu_le, a.revoked_at
    from arret_recu r
    join autorisation a on a.id = r.autorisation_id
    where r.mandat_id = p.mandat_id and p.quoi = 'arret'
    order by r.recorded_at desc
    limit 1
  ) r on true`
