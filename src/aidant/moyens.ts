/** Where an aidant reads her ways in. */
export const MOYENS = '/mes-moyens-de-connexion'
/** How long what she asked to add waits to be paired; the database's `ajouter_facteur` holds to it. */
export const AJOUT_MINUTES = 15

/** How long a challenge, or ProConnect's answer, waits for what it confirms. */
export const DEFI_MINUTES = 5
/** Where what is to be confirmed leaves for ProConnect. */
export const CONFIRMATION = '/connexion/proconnect/confirmation'

/** An authenticator application (RFC 6238), or a passkey (WebAuthn). */
export type Genre = 'totp' | 'cle_acces'

/** What is confirmed by a fresh factor. */
export const CONFIRMES = ['ajouter', 'retirer', 'codes', 'reinitialiser', 'ouvrir', 'exporter', 'signer', 'contact'] as const
export type Confirme = (typeof CONFIRMES)[number]
/** What a form sends to be confirmed, and where: what a passkey signs, or ProConnect's answer serves for. `fields`: all that it says. */
type Envoi = { chemin: string; fields: readonly (readonly [name: string, value: string])[] }
export const objetDe = ({ chemin, fields }: Envoi): string => JSON.stringify([chemin, fields])
/** The same, when ProConnect has just said again who she is: no passkey is ever asked to sign this. */
export const objetReconnu = (envoi: Envoi): string => `proconnect ${objetDe(envoi)}`
/** A recovery code serves to come back, and for nothing that binds anyone. */
export const parSecours = (confirme: Confirme): boolean => ['ajouter', 'retirer', 'codes'].includes(confirme)
