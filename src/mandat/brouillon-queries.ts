import { CGU_VERSION } from '../aidant/aidant.ts'
import type { Tx } from '../db.ts'
import { mine } from '../structure/mine.ts'
import type { Identite } from '../usager/identite.ts'
import type { Acting, Duree, Thematique } from './mandat.ts'

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
  identifiedAt: Date | null
  granted: Thematique[] | null
  accordAt: Date | null
  /** What she read and said yes to, 'YYYY-MM-DD'. */
  dernierJour: string | null
  suivi: 'email' | 'sms' | 'papier' | null
  contact: string | null
  updatedAt: Date
}

const columns = (tx: Tx) => tx.sql`
  b.id, b.structure_id, b.aidant_id, b.usager_id, b.perimetre, b.duree, b.conditions, b.identite, b.id_token, b.jwks_id, b.auth_time,
  b.identified_at, b.granted, b.accord_at, b.dernier_jour, b.suivi, b.contact, b.updated_at`

/** What an update takes back of a draft: everything of the person, and what she said. Her choices stay. */
export const withoutPerson = (tx: Tx) => tx.sql`
  identite = null, id_token = null, jwks_id = null, auth_time = null, identified_at = null, granted = null, accord_at = null,
  dernier_jour = null, suivi = null, contact = null`

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
