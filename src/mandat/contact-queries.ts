import type { Tx } from '../db.ts'
import { hers, mine } from '../structure/mine.ts'
import type { Contacts } from '../usager/queries.ts'
import { listConnues } from './brouillon-queries.ts'
import { memeNumero } from './contact.ts'

/**
 * Who reads this mailbox, however its address is written: the calling aidant, one of her structure (of one that knows her, when the person calls), or
 * none of them.
 */
export async function lecteurDuPersonnel(tx: Tx, email: string): Promise<'aidant' | 'structure' | undefined> {
  const here =
    tx.who.kind === 'usager'
      ? tx.sql`h.structure_id in (select d.structure_id from dossier d where ${hers(tx, 'd.usager_id')})`
      : mine(tx, 'h')
  const found = await tx.sql<{ id: string }[]>`
    select a.id
    from aidant a
    join habilitation h on h.aidant_id = a.id
    where ${here} and h.ended_at is null and boite(a.email) = boite(${email})`
  const me = tx.who.kind === 'aidant' ? tx.who.aidantId : undefined
  return found.some(({ id }) => id === me) ? 'aidant' : found.length > 0 ? 'structure' : undefined
}

/**
 * Is it known to be read by others: one of these telephones (the structure's), the contact of another person whom this aidant helps, of three others
 * of any structure? Nothing more is told of them.
 */
export const estPartage = async (tx: Tx, contact: string, sub: string, telephones: readonly string[]): Promise<boolean> =>
  telephones.some((telephone) => memeNumero(contact, telephone)) ||
  (tx.who.kind === 'aidant' && (await estChezCetAidant(tx, contact, sub))) ||
  (await estAilleurs(tx, contact, sub))

/** The database says yes or no; of the person who asks for herself, it also looks at those whom her aidants help. */
async function estAilleurs(tx: Tx, contact: string, sub: string): Promise<boolean> {
  const [row] = await tx.sql<{ shared: boolean }[]>`select contact_partage(${contact}, ${sub}) as shared`
  return row!.shared
}

/**
 * Is it already the contact of another person who gave this very aidant a mandat? Then perhaps hers, or lent: nothing here knows an aidant's
 * mobile, so the second person is asked who else reads it.
 */
async function estChezCetAidant(tx: Tx, contact: string, sub: string): Promise<boolean> {
  if (tx.who.kind !== 'aidant') throw new Error(`${tx.who.kind} is no aidant`)
  const [found] = await tx.sql`
    select 1
    from mandat m
    join usager u on u.id = m.usager_id
    where ${mine(tx, 'm')} and m.aidant_id = ${tx.who.aidantId} and u.sub <> ${sub} and u.id <> all (${await listConnues(tx, sub)})
      and (u.telephone = ${contact} or boite(u.email) = boite(${contact}))
    limit 1`
  return found !== undefined
}

// Changed without a mandat, by the person or by an aidant who is with her

export type AvecContact = Contacts & { id: string; sub: string; prenoms: string[]; nomNaissance: string; nomUsage: string | null }

/** The person, of whom the caller may change how she is told; undefined when there is no such one. */
export async function findAvecContact(tx: Tx, usagerId: string): Promise<AvecContact | undefined> {
  const known =
    tx.who.kind === 'usager'
      ? hers(tx, 'u.id')
      : tx.sql`exists (select 1 from dossier d where d.usager_id = u.id and ${mine(tx, 'd')})`
  const [usager] = await tx.sql<AvecContact[]>`
    select u.id, u.sub, u.prenoms, u.nom_naissance, u.nom_usage, u.suivi, u.email, u.telephone
    from usager u
    where u.id = ${usagerId} and ${known} and peut_changer_contact(u.id)`
  return usager
}

/** How the person is told, under each identity of hers that a structure knows: one, unless she united several and has changed nothing since. */
export const listContacts = (tx: Tx) => tx.sql<Contacts[]>`
  select u.suivi, u.email, u.telephone
  from usager u
  where ${hers(tx, 'u.id')} and exists (select 1 from dossier d where d.usager_id = u.id)
  order by u.created_at`

/** Until the end of the transaction, nobody else changes how she is told: two changes come one after the other, and the tries of one code. */
export const holdContact = (tx: Tx, usagerId: string) =>
  tx.sql`select pg_advisory_xact_lock(hashtext('changement_contact'), hashtext(${usagerId}))`

/** What waits for its code: asked by the person herself, or by the calling aidant. */
export type Attendu = {
  id: string
  suivi: 'email' | 'sms'
  contact: string
  partage: boolean
  code: Buffer
  essais: number
  createdAt: Date
}
const sien = (tx: Tx) =>
  tx.who.kind === 'aidant' ? tx.sql`c.aidant_id = ${tx.who.aidantId} and ${mine(tx, 'c')}` : tx.sql`c.aidant_id is null`

export async function findAttendu(tx: Tx, usagerId: string): Promise<Attendu | undefined> {
  const [attendu] = await tx.sql<Attendu[]>`
    select c.id, c.suivi, c.contact, c.partage, c.code, c.essais, c.created_at
    from changement_contact c
    where c.usager_id = ${usagerId} and ${sien(tx)}`
  return attendu
}
export const deleteAttendu = (tx: Tx, usagerId: string) =>
  tx.sql`delete from changement_contact c where c.usager_id = ${usagerId} and ${sien(tx)}`

/** What waited, or paper alone, takes the place of all that she had, which this returns for each identity of hers; none when it waits no more. */
export const replaceContact = (
  tx: Tx,
  usagerId: string,
  { attenduId, lecteur }: { attenduId: string | null; lecteur: string | null },
) => tx.sql<(Contacts & { usagerId: string })[]>`
  select usager_id, suivi, email, telephone
  from changer_contact(${usagerId}, ${attenduId}, ${lecteur})`

export type Changement = {
  at: Date
  /** What changed, never to what. */
  champs: ('email' | 'telephone' | 'suivi')[] | null
  acteur: 'usager' | 'aidant'
  prenom: string | null
  nom: string | null
  structureNom: string | null
}

/** When her contact changed and by whom, latest first: what the person reads of it; once, though each identity of hers has its line. */
export const listChangements = (tx: Tx) => tx.sql<Changement[]>`
    select j.at, c.payload::jsonb -> 'champs' as champs, j.acteur, a.prenom, a.nom, s.nom as structure_nom
    from (
      select max(id) as id
      from journal
      where action = 'contact_modifie' and ${hers(tx, 'usager_id')}
      group by xid) derniere
    join journal j using (id)
    left join journal_contenu c on c.journal_id = j.id
    left join aidant a on j.acteur = 'aidant' and a.id = j.acteur_id
    left join structure s on s.id = j.structure_id
    order by j.id desc
    limit 20`
