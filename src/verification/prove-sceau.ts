import type { Tx } from '../db.ts'
import type { ProvenLine } from '../journal/proof.ts'
import { type Log, proveEntry } from '../journal/prove.ts'

/**
 * The line that signed a mandat, with the proof of its place, for whoever holds the seal: `empreinte` is the SHA-256 of the seal, in base64url. undefined
 * when there is none of that seal, or none in the tree yet.
 */
export async function proveSceau(
  tx: Tx,
  mandatId: string,
  empreinte: string,
  log: Log,
): Promise<Required<ProvenLine> | undefined> {
  const [line] = await tx.sql<{ id: number; entry: Buffer; payload: string; salt: Buffer }[]>`
    select id, entry, payload, salt
    from ligne_du_sceau(${mandatId}, ${Buffer.from(empreinte, 'base64url')})`
  const proven = line && (await proveEntry(tx, line, log, { payload: line.payload, salt: line.salt.toString('base64url') }))
  if (!proven?.ok) return undefined
  const { id, entry, payload, salt } = line!
  return { numero: id, octets: entry.toString('utf8'), faits: payload, sel: salt.toString('base64url'), preuve: proven.preuve }
}
