import type { Db } from '../db.ts'
import { returnToken, takeToken } from '../http/rates.ts'
import { leaveSession, openSession } from '../http/session.ts'
import { empreinteDuCodePrive, type OpenRefusal } from './code-prive.ts'
import { findParCode } from './code-queries.ts'

/**
 * Opens the person's space with the code of her paper and her year of birth, and ends the session this browser had. A code that may not be tried
 * any more is looked up all the same: nothing tells which it was. The database writes the line that shows it to her.
 */
export async function openByCode(
  db: Db,
  given: { code: string; annee: string; previousSession: string | undefined },
  secretsKey: Buffer,
): Promise<{ ok: true; token: string } | { ok: false; refusal: OpenRefusal }> {
  const empreinte = empreinteDuCodePrive(secretsKey, given.code)
  // The counters hash their keys without a secret: they are given what says nothing.
  const key = empreinte.toString('hex')
  const tries = await db.tx({ kind: 'portier' }, (tx) => takeToken(tx, 'code_prive', key))
  return db.tx({ kind: 'portier' }, async (tx) => {
    const found = await findParCode(tx, { empreinte, annee: given.annee, compte: tries.ok })
    if (!tries.ok || !found) return { ok: false, refusal: 'code_inconnu' }
    await returnToken(tx, 'code_prive', key)
    // It may be an aidant's, on a computer that serves both.
    if (given.previousSession) await leaveSession(tx, given.previousSession)
    return { ok: true, token: await openSession(tx, { ...found, niveau: 'code_prive' }) }
  })
}
