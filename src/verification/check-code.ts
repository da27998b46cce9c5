import type { Db } from '../db.ts'
import { returnToken, takeToken } from '../http/rates.ts'
import { empreinteDuCode } from '../mandat/code.ts'
import { findPapier, type Papier } from './queries.ts'

/** One refusal for three: an unknown code, another year of birth, a code tried too often. */
export type CodeRefusal = 'papier_inconnu'
type Checked = { ok: true; papier: Papier; now: Date } | { ok: false; refusal: CodeRefusal }

/** Looks up a paper by its code and her year of birth. A code that may not be tried any more is looked up all the same: nothing tells which it was. */
export async function checkCode(db: Db, { code, annee }: { code: string; annee: string }): Promise<Checked> {
  const token = await db.tx({ kind: 'portier' }, (tx) => takeToken(tx, 'verifier_code', code))
  const { papier, now } = await db.tx({ kind: 'verifier' }, async (tx) => ({
    papier: await findPapier(tx, { empreinte: empreinteDuCode(code), annee }),
    now: tx.now,
  }))
  if (!token.ok || !papier) return { ok: false, refusal: 'papier_inconnu' }
  await db.tx({ kind: 'portier' }, (tx) => returnToken(tx, 'verifier_code', code))
  return { ok: true, papier, now }
}
