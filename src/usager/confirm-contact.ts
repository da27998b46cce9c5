import type { Db } from '../db.ts'
import { closeSession, openSession } from '../http/session.ts'
import { CODE_ESSAIS, CODE_VIE_MS } from '../six-digits.ts'
import { empreinteDePreuve } from './code-prive.ts'

/** One refusal for all: wrong, too old, tried three times, already served, never sent. */
export type ProofRefusal = 'code_refuse'

/**
 * The code sent to her comes back in the space that asked for it: works once, for ten minutes, three tries. The session is changed for one that
 * may stop and pause.
 */
export const confirmContact = (
  db: Db,
  by: { sessionId: string; usagerIds: readonly string[] },
  code: string,
  secretsKey: Buffer,
): Promise<{ ok: true; token: string } | { ok: false; refusal: ProofRefusal }> =>
  db.tx({ kind: 'portier' }, async (tx) => {
    const [row] = await tx.sql<
      { id: string; code: Buffer; essais: number; createdAt: Date; usedAt: Date | null; codeId: string }[]
    >`
      select p.id, p.code, p.essais, p.created_at, p.used_at, s.code_prive_id as code_id
      from code_preuve p
      join session s on s.id = p.session_id
      where p.session_id = ${by.sessionId}
      order by p.created_at desc
      limit 1
      for update of p`
    const now = await tx.clock()
    if (!row || row.usedAt || row.essais >= CODE_ESSAIS || now.getTime() - row.createdAt.getTime() > CODE_VIE_MS)
      return { ok: false, refusal: 'code_refuse' }
    if (!row.code.equals(empreinteDePreuve(secretsKey, row.id, code))) {
      await tx.sql`update code_preuve set essais = essais + 1 where id = ${row.id}`
      return { ok: false, refusal: 'code_refuse' }
    }
    await tx.sql`update code_preuve set used_at = ${now} where id = ${row.id}`
    const since = await closeSession(tx, by.sessionId)
    // Closed meanwhile (her code was replaced, she left): it opens nothing any more.
    if (!since) return { ok: false, refusal: 'code_refuse' }
    const holder = { usagerId: by.usagerIds[0]!, niveau: 'contact_prouve', codeId: row.codeId } as const
    return { ok: true, token: await openSession(tx, holder, since) }
  })
