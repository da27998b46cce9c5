import type { Db, Tx } from '../db.ts'
import { as } from '../http/as.ts'
import type { AidantContext } from '../http/env.ts'

/**
 * Writes in the technical access log that this aidant looked at something of the person: kept twelve months, shown to her. One of the
 * three writes a GET may make.
 */
export async function recordAcces(
  tx: Tx,
  acces: { genre: 'dossier_consulte' | 'demarche_consultee' | 'mandat_consulte'; usagerId: string },
): Promise<void> {
  if (tx.who.kind !== 'aidant' && tx.who.kind !== 'referent') throw new Error(`${tx.who.kind} opens no dossier`)
  await tx.sql`
    insert into acces (genre, aidant_id, structure_id, usager_id)
    values (${acces.genre}, ${tx.who.aidantId}, ${tx.who.structureId}, ${acces.usagerId})`
}

/**
 * May the calling aidant read this person's dossier as one? A référent who signed no mandat of hers may not: she reads it as the direction
 * does, with a reason, at `dossierDeDirection`. Row-level security holds to the same rule.
 */
export async function litCommeAidant(tx: Tx, usagerId: string): Promise<boolean> {
  if (tx.who.kind !== 'aidant') throw new Error(`${tx.who.kind} is no aidant`)
  const [row] = await tx.sql<{ lit: boolean }[]>`select lit_comme_aidant(${tx.who.structureId}, ${usagerId}) as lit`
  return row!.lit
}
export const dossierDeDirection = (usagerId: string) => `/structure/personnes/${usagerId}`

/**
 * Shows something of a person's dossier to whom may read it: as an aidant, or, for a référent who does not accompany her, as one, while she
 * has it open with a reason. `find` says what is asked for and whose it is, `read` shows it, `closed` answers when it must be opened first,
 * which else leads there. Nothing found is not found.
 */
export async function lire<Found extends { usagerId: string }, T>(
  db: Db,
  c: AidantContext,
  look: {
    find: (tx: Tx) => Promise<Found | undefined>
    read: (tx: Tx, found: Found) => Promise<T>
    closed?: (usagerId: string) => Response | Promise<Response>
  },
): Promise<T | Response> {
  const { aidant, dossier } = c.var
  if (!dossier) throw new Error(`${c.req.path} shows a dossier that its route does not declare`)
  const leads = (usagerId: string) => c.redirect(dossierDeDirection(usagerId), 303)
  const attempt = (kind: 'aidant' | 'referent') =>
    db.tx<{ shown: T } | { closed: string } | undefined>({ ...as(aidant), kind }, async (tx) => {
      const found = await look.find(tx)
      if (!found) return undefined
      const may = kind === 'aidant' ? await litCommeAidant(tx, found.usagerId) : await dossierOuvert(tx, found.usagerId)
      return may ? { shown: await look.read(tx, found) } : { closed: found.usagerId }
    })
  const first = await attempt('aidant')
  const seen = first && 'closed' in first && aidant.referent ? await attempt('referent') : first
  if (!seen) return c.notFound()
  return 'closed' in seen ? (look.closed ?? leads)(seen.closed) : seen.shown
}

/** Does the calling référent have this person's dossier open? */
export async function dossierOuvert(tx: Tx, usagerId: string): Promise<boolean> {
  if (tx.who.kind !== 'referent') throw new Error(`${tx.who.kind} opens no dossier`)
  const [row] = await tx.sql<{ ouvert: boolean }[]>`select dossier_ouvert(${tx.who.structureId}, ${usagerId}) as ouvert`
  return row!.ouvert
}
