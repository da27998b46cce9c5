import type { Tx } from '../db.ts'
import type { Thematique } from '../mandat/mandat.ts'
import type { Statut } from '../mandat/statut.ts'

/** The states a status list is made of; undefined when there is no such list. */
export async function listStatuts(tx: Tx, liste: number) {
  const [lists] = await tx.sql<{ count: number }[]>`select listes() as count`
  if (liste >= lists!.count) return undefined
  return tx.sql<{ bloc: number; thematique: Thematique; etat: Statut }[]>`select bloc, thematique, etat from statuts(${liste})`
}

/** Every public key that ever sealed a mandat here, for whoever verifies (RFC 7517). */
export async function listKeys(tx: Tx): Promise<object[]> {
  const rows = await tx.sql<{ jwk: object }[]>`select jwk from cle order by created_at, kid`
  return rows.map(({ jwk }) => jwk)
}
