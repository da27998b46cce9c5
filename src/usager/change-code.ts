import type { Db, Who } from '../db.ts'
import { drawCodePrive, empreinteDuCodePrive } from './code-prive.ts'
import { replaceOwnCode } from './code-queries.ts'

/**
 * Gives the person another private code, told this once, or cancels hers. Those of her sheets serve no more, whoever printed them, and the
 * spaces they had opened close; the database says so in the access log.
 */
export const changeCode = (
  db: Db,
  by: Who & { kind: 'usager' },
  geste: 'remplacer' | 'annuler',
  secretsKey: Buffer,
): Promise<{ code: string | undefined }> =>
  db.tx(by, async (tx) => {
    const code = geste === 'remplacer' ? drawCodePrive(tx.random) : undefined
    // Of the identity she came in with.
    await replaceOwnCode(tx, by.usagerIds[0]!, code === undefined ? null : empreinteDuCodePrive(secretsKey, code))
    return { code }
  })
