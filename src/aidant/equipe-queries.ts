import type { Tx } from '../db.ts'
import { mine } from '../structure/mine.ts'

export type Membre = {
  id: string
  prenom: string
  nom: string
  email: string
  referent: boolean
  /** Suspended in this structure, or in the whole service. */
  endedAt: Date | null
  suspendedAt: Date | null
  /** Her last sign in this structure; null when there is none left. */
  activeAt: Date | null
  /** Since when she may act here without a sign of her. */
  depuis: Date
  /** Her second factor was reset, and no other is there yet. */
  sansFacteur: boolean
}

const membres = (tx: Tx, more = tx.sql``) => tx.sql<Membre[]>`
  select a.id, a.prenom, a.nom, a.email, h.referent, h.ended_at, a.suspended_at, l.at as active_at, greatest(h.ouverte_at, l.at) as depuis,
    exists (
      select 1
      from invitation i
      where ${mine(tx, 'i')} and i.aidant_id = a.id and i.genre = 'facteur' and i.used_at is null and i.cancelled_at is null) as sans_facteur
  from habilitation h
  join aidant a on a.id = h.aidant_id,
    lateral (select derniere_activite(a.id, h.structure_id) as at) l
  where ${mine(tx, 'h')} and (select est_referent()) ${more}
  order by h.ended_at nulls first, a.nom, a.prenom, a.id`

/** Those who act, or have acted, for the calling référent's structure. */
export const listMembres = (tx: Tx) => membres(tx)

export const findMembre = async (tx: Tx, id: string): Promise<Membre | undefined> =>
  (await membres(tx, tx.sql`and a.id = ${id}`))[0]

/** Holds the team, and what this aidant does in it: read in a later statement, it stays true until the commit. */
export const holdEquipe = (tx: Tx, aidantId: string, structureId: string) =>
  tx.sql`select tient_l_equipe(${aidantId}, ${structureId})`

/** The others who direct the calling référent's structure. */
export const listAutresReferents = (tx: Tx, aidantId: string) => tx.sql<{ id: string; email: string }[]>`
  select a.id, a.email
  from habilitation h
  join aidant a on a.id = h.aidant_id
  where ${mine(tx, 'h')} and h.referent and h.ended_at is null and a.suspended_at is null and a.id <> ${aidantId}
  order by a.id`

export type InvitationRow = { id: string; email: string; prenom: string; nom: string; sentAt: Date; ouverte: boolean }

/** Of an invitation `i` of the calling référent's structure that nobody has taken up: one, or all. */
export const waiting = (tx: Tx, id?: string) => tx.sql`
  ${mine(tx, 'i')} and i.genre = 'arrivee' and i.used_at is null and i.cancelled_at is null ${id === undefined ? tx.sql`` : tx.sql`and i.id = ${id}`}`

/** Not `ouverte` when the link no longer leads anywhere. */
export const listInvitations = (tx: Tx, id?: string) => tx.sql<InvitationRow[]>`
  select i.id, i.email, i.prenom, i.nom, i.sent_at, invitation_ouverte(i) as ouverte
  from invitation i
  where ${waiting(tx, id)}
  order by i.sent_at desc, i.id`

export const findInvitation = async (tx: Tx, id: string): Promise<InvitationRow | undefined> => (await listInvitations(tx, id))[0]
