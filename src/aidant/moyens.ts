/** Where an aidant reads her ways in. */
export const MOYENS = '/mes-moyens-de-connexion'
/** How long what she asked to add waits to be paired; the database's `ajouter_facteur` holds to it. */
export const AJOUT_MINUTES = 15

/** An authenticator application (RFC 6238), or a passkey (WebAuthn). */
export type Genre = 'totp' | 'cle_acces'

/** What is confirmed by a fresh factor. */
export type Confirme = 'ajouter' | 'retirer' | 'codes' | 'reinitialiser' | 'ouvrir' | 'exporter' | 'signer' | 'contact'
/** A recovery code serves to come back, and for nothing that binds anyone. */
export const parSecours = (confirme: Confirme): boolean => ['ajouter', 'retirer', 'codes'].includes(confirme)
