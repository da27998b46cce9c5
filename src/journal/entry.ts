import { digestAfter } from './merkle.ts'

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

/**
 * One line of the journal, as its columns are read: null and absent are the same thing. `at`: RFC 3339, to the millisecond, in UTC. `commitment`:
 * base64url, as the bytes have them.
 */
export type EntryFields = {
  at: string
  action: Action
  acteur: Acteur
  acteurId?: string | null
  structureId?: string | null
  usagerId?: string | null
  mandatId?: string | null
  mandatSeq?: number | null
  cibleAidantId?: string | null
  commitment: string
}

const WORDS = new Set<string>([...ACTIONS, ...ACTEURS])
const AT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const COMMITMENT = /^[\w-]{43}$/
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

function idOf(key: string, value: string | null | undefined): string {
  if (value == null) return ''
  // The database writes uuids one way only; another spelling of the same id would be other bytes.
  if (!UUID.test(value)) throw new Error('journal entry: an id is a uuid in lower case')
  return `,"${key}":"${value}"`
}

/**
 * The frozen bytes of a line (version 1), all of them ASCII: what the tree hashes. RFC 8785 of its columns, absent ones left out: values are
 * identifiers, numbers and words, and keys stand in their sorted order. The database's trigger writes
 * the same; `tests/unit/journal-vectors.ts` holds both to it.
 */
export function entryText(fields: EntryFields): string {
  const { acteur, action, at, mandatSeq, commitment } = fields
  if (!WORDS.has(acteur) || !WORDS.has(action)) throw new Error('journal entry: no such word')
  if (!AT.test(at)) throw new Error('journal entry: a time is to the millisecond, in UTC')
  if (!COMMITMENT.test(commitment)) throw new Error('journal entry: a commitment is 32 bytes')
  if (mandatSeq != null && !(Number.isSafeInteger(mandatSeq) && mandatSeq > 0))
    throw new Error('journal entry: mandat_seq counts from 1')
  return `{"acteur":"${acteur}"${idOf('acteur_id', fields.acteurId)},"action":"${action}","at":"${at}"${idOf(
    'cible_aidant_id',
    fields.cibleAidantId,
  )},"commitment":"${commitment}"${idOf('mandat_id', fields.mandatId)}${
    mandatSeq == null ? '' : `,"mandat_seq":${mandatSeq}`
  }${idOf('structure_id', fields.structureId)}${idOf('usager_id', fields.usagerId)},"v":1}`
}

// Written and hashed at once, never kept.
const salted = Buffer.alloc(32)
/** SHA-256(salt || payload), in base64url: with payload and salt gone, it says nothing. `salt`: 32 bytes, or their base64url. */
export function commitmentOf(salt: Buffer | string, payload: string): string {
  const written = typeof salt === 'string' ? salted.write(salt, 'base64url') : salt.copy(salted)
  if (salt.length !== (typeof salt === 'string' ? 43 : 32) || written !== 32)
    throw new Error('journal commitment: a salt is 32 bytes')
  return digestAfter(salted, payload, 'base64url')
}
