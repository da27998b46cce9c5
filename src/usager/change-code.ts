import type { Db, Who } from '../db.ts'
import { codeDe } from '../papier/papier.ts'
import { empreinteDuCodePrive } from './code-prive.ts'

/** Twelve letters at least in all but one draw of 2^90. */
const DRAWN = 64

/**
 * Gives the person another private code, told this once, or cancels hers. The former serves no more, and the spaces it had opened close; the
 * database says so in the access log.
 */
export const changeCode = (
  db: Db,
  by: Who & { kind: 'usager' },
  geste: 'remplacer' | 'annuler',
  secretsKey: Buffer,
): Promise<{ code: string | undefined }> =>
  db.tx(by, async (tx) => {
    const code = geste === 'remplacer' ? codeDe(tx.random(DRAWN)) : undefined
    await tx.sql`
      select changer_code_prive(${by.usagerIds[0]!}, ${code === undefined ? null : empreinteDuCodePrive(secretsKey, code)})`
    return { code }
  })
