import { hash } from 'node:crypto'
import { jcs } from './jcs.ts'

export const ACTIONS = [
  'mandat_signe',
  'autorisation_remplacee',
  'autorisation_revoquee',
  'autorisation_suspendue',
  'autorisation_retablie',
  'mandat_termine',
  'mandat_expire',
  'demarche_realisee',
  'demarche_corrigee',
  'acte_hors_mandat',
  'demarche_contestee',
  'contestation_repondue',
  'session_deleguee',
  'attestation_imprimee',
  'identite_modifiee',
  'contact_modifie',
  'dossier_ouvert',
  'export',
  'structure_ajoutee',
  'structure_modifiee',
  'aidant_ajoute',
  'aidant_suspendu',
  'aidant_retabli',
  'cle_publiee',
  'jwks_archive',
  'donnees_effacees',
  'restauration',
  'arret_recu',
  'cle_compromise',
] as const
export type Action = (typeof ACTIONS)[number]

export const ACTEURS = ['usager', 'aidant', 'systeme', 'operateur'] as const
export type Acteur = (typeof ACTEURS)[number]

/** One line of the journal, as its columns are read: null and absent are the same thing. */
export type EntryFields = {
  at: Date
  action: Action
  acteur: Acteur
  acteurId?: string | null
  structureId?: string | null
  usagerId?: string | null
  mandatId?: string | null
  mandatSeq?: number | null
  cibleAidantId?: string | null
  commitment: Buffer
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function id(value: string): string {
  // The database writes uuids one way only; another spelling of the same id would be other bytes.
  if (!UUID.test(value)) throw new Error('journal entry: an id is a uuid in lower case')
  return value
}

/**
 * The frozen bytes of a line (version 1): what the tree hashes. The database's trigger writes the same; `tests/unit/journal-vectors.ts`
 * holds both to it.
 */
export function entryBytes(fields: EntryFields): Buffer {
  const { acteurId, structureId, usagerId, mandatId, mandatSeq, cibleAidantId } = fields
  if (fields.commitment.length !== 32) throw new Error('journal entry: a commitment is 32 bytes')
  if (mandatSeq != null && !(Number.isSafeInteger(mandatSeq) && mandatSeq > 0))
    throw new Error('journal entry: mandat_seq counts from 1')
  return Buffer.from(
    jcs({
      v: 1,
      at: fields.at.toISOString(),
      action: fields.action,
      acteur: fields.acteur,
      ...(acteurId != null && { acteur_id: id(acteurId) }),
      ...(structureId != null && { structure_id: id(structureId) }),
      ...(usagerId != null && { usager_id: id(usagerId) }),
      ...(mandatId != null && { mandat_id: id(mandatId) }),
      ...(mandatSeq != null && { mandat_seq: mandatSeq }),
      ...(cibleAidantId != null && { cible_aidant_id: id(cibleAidantId) }),
      commitment: fields.commitment.toString('base64url'),
    }),
  )
}

/** SHA-256(salt || payload), 32 bytes: with payload and salt gone, it says nothing. */
export function commitmentOf(salt: Buffer, payload: string): Buffer {
  if (salt.length !== 32) throw new Error('journal commitment: a salt is 32 bytes')
  return hash('sha256', Buffer.concat([salt, Buffer.from(payload)]), 'buffer')
}
