import type { JWK } from 'jose'
import type { Tx } from '../db.ts'
import type { Thematique } from '../mandat/mandat.ts'
import type { MandatEtat } from '../mandat/queries.ts'
import type { Statut } from '../mandat/statut.ts'
import { held } from '../structure/mine.ts'

/** The states a status list is made of; undefined when there is no such list. */
export async function listStatuts(tx: Tx, liste: number) {
  const [lists] = await tx.sql<{ count: number }[]>`select listes() as count`
  if (liste >= lists!.count) return undefined
  return tx.sql<{ bloc: number; thematique: Thematique; etat: Statut }[]>`select bloc, thematique, etat from statuts(${liste})`
}

/** Every public key that ever sealed a mandat here, and the cut-off of those that were stolen. */
export const listKeys = (tx: Tx): Promise<{ jwk: JWK; coupure: number | null }[]> =>
  tx.sql<{ jwk: JWK; coupure: number | null }[]>`
    select jwk, coupure
    from cle
    order by created_at, kid`

/** What a paper says, and its status now: nothing more is told to whoever holds its code. */
export type Papier = {
  prenoms: string[]
  nomNaissance: string
  nomUsage: string | null
  birthdate: string
  structureNom: string
  siret: string
  fuseau: string
  signedAt: Date
  expiresAt: Date
  /** Sealed with a stolen key, after its cut-off. */
  coupe: boolean
  sujets: { thematique: Thematique; etat: MandatEtat['etat'] }[]
}

/** By its code's hash and her year of birth, through the one function that reads them. */
export async function findPapier(
  tx: Tx,
  { empreinte, annee }: { empreinte: Buffer; annee: string },
): Promise<Papier | undefined> {
  const rows = await tx.sql<(Omit<Papier, 'sujets'> & Papier['sujets'][number])[]>`
    select prenoms, nom_naissance, nom_usage, birthdate, structure_nom, siret, fuseau, signed_at, expires_at, coupe, thematique, etat
    from verifie(${empreinte}, ${annee})`
  const [first] = rows
  if (!first) return undefined
  const { thematique: _, etat: __, ...papier } = first
  return { ...papier, sujets: rows.map(({ thematique, etat }) => ({ thematique, etat })) }
}

/** Does the seal of this mandat count no more? */
export async function isCoupe(tx: Tx, mandatId: string): Promise<boolean> {
  const [row] = await tx.sql<{ coupe: boolean }[]>`select mandat_coupe(${mandatId}) as coupe`
  return row!.coupe
}

/** The pieces that prove a mandat, for whoever may read its words. */
export async function findPreuve(tx: Tx, mandatId: string) {
  const [preuve] = await tx.sql<{ sceau: string; conditions: string; idToken: string; jwks: string; texte: string }[]>`
    select m.sceau, m.conditions, m.id_token, j.jwks, m.texte
    from mandat_contenu m
    join jwks_archive j on j.id = m.jwks_id
    where m.mandat_id = ${mandatId} and ${held(tx, 'm')}`
  return preuve
}
