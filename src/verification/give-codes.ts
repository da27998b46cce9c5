import type { Db } from '../db.ts'
import { codeVerification, empreinteDuCode } from '../mandat/code.ts'

/** Gives their verification code to the mandats signed before there were any: their papers, printed again, carry one. */
export const giveCodes = (db: Db, secretsKey: Buffer): Promise<void> =>
  db.tx({ kind: 'worker' }, async (tx) => {
    await tx.sql`select pg_advisory_xact_lock(hashtext('code_verification'))`
    const without = await tx.sql<{ id: string }[]>`select mandats_sans_code() as id`
    for (const { id } of without)
      await tx.sql`
        insert into code_verification (mandat_id, empreinte)
        values (${id}, ${empreinteDuCode(codeVerification(secretsKey, id))})`
  })
