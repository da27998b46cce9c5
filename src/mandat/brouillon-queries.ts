import { CGU_VERSION } from '../aidant/aidant.ts'
import type { Tx } from '../db.ts'
import { mine } from '../structure/mine.ts'
import type { Identite } from '../usager/identite.ts'
import type { Contacts } from '../usager/queries.ts'
import type { Lecteur } from './contact.ts'
import type { Acting, Duree, FinsNotees, Thematique } from './mandat.ts'

export type Brouillon = {
  id: string
  structureId: string
  aidantId: string
  usagerId: string | null
  perimetre: Thematique[]
  duree: Duree
  conditions: string | null
  identite: Identite | null
  idToken: string | null
  jwksId: string | null
  authTime: Date | null
  granted: Thematique[] | null
  accordAt: Date | null
  /** What she read and said yes to, 'YYYY-MM-DD'. */
  dernierJour: string | null
  suivi: 'email' | 'sms' | 'papier' | null
  contact: string | null
  /** When she typed back the code sent there. */
  contactProuveAt: Date | null
  /** Known to be the structure's, or three other persons'. */
  contactPartage: boolean
  contactLecteur: Lecteur | null
  createdAt: Date
}

const columns = (tx: Tx) => tx.sql`
  b.id, b.structure_id, b.aidant_id, b.usager_id, b.perimetre, b.duree, b.conditions, b.identite, b.id_token, b.jwks_id, b.auth_time,
  b.granted, b.accord_at, b.dernier_jour, b.suivi, b.contact, b.contact_prouve_at,
  b.contact_partage, b.contact_lecteur, b.created_at`

/** No contact: nothing proven of it, nobody else who reads it. */
export const withoutContact = (tx: Tx) =>
  tx.sql`contact = null, contact_prouve_at = null, contact_partage = false, contact_lecteur = null`

/** What an update takes back of a draft: everything of the person, and what she said. Her choices stay. */
export const withoutPerson = (tx: Tx) => tx.sql`
  identite = null, id_token = null, jwks_id = null, auth_time = null, identified_at = null, granted = null, accord_at = null,
  dernier_jour = null, suivi = null, ${withoutContact(tx)}`

export async function findBrouillon(tx: Tx, id: string) {
  const [brouillon] = await tx.sql<Brouillon[]>`
    select ${columns(tx)}
    from brouillon b
    where b.id = ${id} and ${mine(tx, 'b')}`
  return brouillon
}

export async function lockBrouillon(tx: Tx, id: string) {
  const locked = tx.sql<Brouillon[]>`
    select ${columns(tx)}
    from brouillon b
    where b.id = ${id} and ${mine(tx, 'b')}
    for update`
  const [[brouillon]] = await Promise.all([locked.execute(), tx.clock()])
  return brouillon
}

/** Drafts this aidant may resume, newest first. */
export const listBrouillons = (tx: Tx) => tx.sql<Brouillon[]>`
    select ${columns(tx)}
    from brouillon b
    where ${mine(tx, 'b')} and b.updated_at > (select horloge()) - interval '24 hours'
    order by b.updated_at desc
    limit 20`

export const deleteBrouillon = (tx: Tx, id: string) => tx.sql`
  delete from brouillon
  where id = ${id} and ${mine(tx)}`

/** What this structure already has of the person identified: how she is told, and what a new accord would end. */
export type Connue = Contacts & {
  emailProuveAt: Date | null
  telephoneProuveAt: Date | null
  enVigueur: readonly { thematique: Thematique; expiresAt: Date }[]
  protegeeLe: Date | null
}

/** Undefined when this structure does not know her: what others have of her is not ours to say. */
export async function findConnue(tx: Tx, sub: string): Promise<Connue | undefined> {
  const ids = await listConnues(tx, sub)
  const [usager] = await tx.sql<Omit<Connue, 'enVigueur' | 'protegeeLe'>[]>`
    select u.suivi, u.email, u.telephone, u.email_prouve_at, u.telephone_prouve_at
    from usager u
    where u.id = ${ids[0] ?? null}`
  if (!usager) return undefined
  const enVigueur = await tx.sql<Connue['enVigueur'][number][]>`
    select a.thematique, a.expires_at
    from autorisation a
    where a.usager_id = any (${ids}) and ${mine(tx, 'a')} and a.revoked_at is null and a.expires_at > (select horloge())
    order by array_position(thematiques(), a.thematique)`
  return { ...usager, enVigueur, protegeeLe: (await findFinsNotees(tx, sub)).protegeeLe }
}

/** Who this is to the calling structure: her identities that it knows, first this sub's; none when it does not know her. */
export async function listConnues(tx: Tx, sub: string): Promise<string[]> {
  const found = await tx.sql<{ id: string }[]>`select identites_connues(${sub}) as id`
  return found.map(({ id }) => id)
}

/** What the calling structure recorded of this person that ends every mandat; what others did is not looked at. */
export async function findFinsNotees(tx: Tx, sub: string): Promise<FinsNotees> {
  const [notees] = await tx.sql<FinsNotees[]>`
    select coalesce(bool_or(m.ended_how = 'deces'), false) as decedee, max(m.ended_at) filter (where m.ended_how = 'protection') as protegee_le
    from mandat m
    where m.usager_id = any (${await listConnues(tx, sub)}) and ${mine(tx, 'm')}`
  return notees!
}

/** The acting aidant and her structure, as they stand now: what every step of the journey checks. */
export async function findActing(tx: Tx) {
  if (tx.who.kind !== 'aidant') throw new Error(`${tx.who.kind} does not act for a structure`)
  const [acting] = await tx.sql<ActingRow[]>`
    select a.prenom, a.nom, a.email, a.cgu_version, a.suspended_at is not null as aidant_suspendu, h.ended_at is null as dans_la_structure,
      s.nom as structure_nom, s.siret, s.adresse, s.telephone, s.fuseau, s.suspended_at is not null as structure_suspendue,
      s.thematiques_desactivees as desactivees
    from aidant a
    join habilitation h on h.aidant_id = a.id and h.structure_id = ${tx.who.structureId}
    join structure s on s.id = h.structure_id
    where a.id = ${tx.who.aidantId}`
  return acting
}
export type ActingRow = {
  prenom: string
  nom: string
  email: string
  cguVersion: number | null
  aidantSuspendu: boolean
  dansLaStructure: boolean
  structureNom: string
  siret: string
  adresse: string
  telephone: string
  fuseau: string
  structureSuspendue: boolean
  desactivees: Thematique[]
}

/** As the rules read them. */
export const actingOf = (row: ActingRow): Acting => ({
  structure: { suspendue: row.structureSuspendue },
  aidant: { suspendu: row.aidantSuspendu, dansLaStructure: row.dansLaStructure, cguAcceptees: row.cguVersion === CGU_VERSION },
})

/** What the screens of a mandat to come show: who acts, the draft and what is known of her; before there is one, those that may be resumed. */
export async function findChoices(tx: Tx, brouillonId?: string) {
  const brouillon = brouillonId ? await findBrouillon(tx, brouillonId) : undefined
  return {
    acting: (await findActing(tx))!,
    brouillon,
    brouillons: brouillonId ? [] : await listBrouillons(tx),
    connue: brouillon?.identite ? await findConnue(tx, brouillon.identite.sub) : undefined,
    now: tx.now,
  }
}
