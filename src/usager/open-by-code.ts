import type { Db } from '../db.ts'
import { returnToken, takeToken } from '../http/rates.ts'
import { closeSession, openSession } from '../http/session.ts'
import { type CodeRefusal, empreinteDuCodePrive } from './code-prive.ts'
import { findParCode } from './code-queries.ts'

/**
 * Opens the person's space with the code of her paper and her year of birth, and ends the session this browser had. A code that may not be tried
 * any more is looked up all the same: nothing tells which it was. The database writes the line that shows it to her.
 */
export async function openByCode(
  db: Db,
  given: { code: string; annee: string; previousSession: string | undefined },
  secretsKey: Buffer,
): Promise<{ ok: true; token: string } | { ok: false; refusal: CodeRefusal }> {
  const empreinte = empreinteDuCodePrive(secretsKey, given.code)
  // The counters hash their keys without a secret: they are given what says nothing.
  const key = empreinte.toString('hex')
  const tries = await db.tx({ kind: 'portier' }, (tx) => takeToken(tx, 'code_prive', key))
  return db.tx({ kind: 'portier' }, async (tx) => {
    const usagerId = await findParCode(tx, { empreinte, annee: given.annee })
    if (!tries.ok || !usagerId) return { ok: false, refusal: 'code_inconnu' }
    await returnToken(tx, 'code_prive', key)
    if (given.previousSession) await closeSession(tx, given.previousSession)
    return { ok: true, token: await openSession(tx, { usagerId, niveau: 'code_prive' }) }
  })
}
