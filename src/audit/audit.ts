import type { Action } from '../journal/entry.ts'

/** Why a référent opens a person's dossier; the person reads it. */
export const MOTIFS_OUVERTURE = [
  'demande_de_la_personne',
  'reclamation',
  'controle',
  'depart_aidant',
  'urgence',
  'autre',
] as const
export type MotifOuverture = (typeof MOTIFS_OUVERTURE)[number]

/** How long a dossier stays open; the database's `dossier_ouvert` holds to it. */
export const OUVERTURE_MINUTES = 15

/** Counting the lines found stops there: beyond, a number helps nobody. */
export const COMPTE_MAX = 1000

/** Mandats of a structure are counted by state up to there: the journal's first page must not wait for it. */
export const MANDATS_MAX = 10_000

/** Lines taken away at once: what one statement reads in its three seconds, and a person goes through. */
export const EXPORT_MAX = 5000

/**
 * What the journal of a structure can be searched for, in the order of the list: what the product writes of a structure, and nothing that it
 * does not write yet. `audit.test.ts` compares this with the sources: a use case that writes another action adds it here.
 */
export const ACTIONS_CHERCHEES = [
  'mandat_signe',
  'demarche_realisee',
  'acte_hors_mandat',
  'demarche_corrigee',
  'demarche_contestee',
  'contestation_repondue',
  'autorisation_revoquee',
  'arret_recu',
  'autorisation_remplacee',
  'autorisation_suspendue',
  'autorisation_retablie',
  'mandat_termine',
  'mandat_expire',
  'dossier_ouvert',
  'attestation_imprimee',
  'identite_modifiee',
  'contact_modifie',
  'aidant_ajoute',
  'aidant_suspendu',
  'aidant_retabli',
  'structure_modifiee',
  'export',
] as const satisfies readonly Action[]
export type ActionCherchee = (typeof ACTIONS_CHERCHEES)[number]
