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

/** What a line says. `at`: RFC 3339, to the millisecond, in UTC. `commitment`: base64url, as the bytes have it. */
export type EntryFields = {
  at: string
  action: Action
  acteur: Acteur
  acteurId?: string | undefined
  structureId?: string | undefined
  usagerId?: string | undefined
  mandatId?: string | undefined
  mandatSeq?: number | undefined
  cibleAidantId?: string | undefined
  commitment: string
}

const AT = '\\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\\d|3[01])T(?:[01]\\d|2[0-3])(?::[0-5]\\d){2}\\.\\d{3}Z'
// The database writes uuids one way only; another spelling of the same id would be other bytes.
const UUID = [8, 4, 4, 4, 12].map((n) => '[0-9a-f]'.repeat(n)).join('-')
const id = (key: string) => `(?:,"${key}":"(${UUID})")?`
const ENTRY = new RegExp(
  `^\\{"acteur":"(${ACTEURS.join('|')})"${id('acteur_id')},"action":"(${ACTIONS.join('|')})","at":"(${AT})"${id('cible_aidant_id')},"commitment":"([\\w-]{43})"${id('mandat_id')}(?:,"mandat_seq":([1-9]\\d{0,14}))?${id('structure_id')}${id('usager_id')},"v":1\\}$`,
)

/**
 * Reads the frozen bytes of a line (version 1), all of them ASCII: what the tree hashes. RFC 8785 of its columns, absent ones left out: values are
 * identifiers, numbers and words, and keys stand in their sorted order. undefined for whatever the database's trigger, which writes them, would not
 * have written: what is read can be said in these bytes alone. `tests/unit/journal-vectors.ts` holds both to it.
 */
export function parseEntry(entry: string): EntryFields | undefined {
  const read = ENTRY.exec(entry)
  if (!read) return undefined
  const [, acteur, acteurId, action, at, cibleAidantId, commitment, mandatId, seq, structureId, usagerId] = read
  return {
    at: at!,
    action: action as Action,
    acteur: acteur as Acteur,
    acteurId,
    structureId,
    usagerId,
    mandatId,
    mandatSeq: seq === undefined ? undefined : Number(seq),
    cibleAidantId,
    commitment: commitment!,
  }
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
