import type { Db, Tx } from '../db.ts'
import type { Log } from '../http/log.ts'
import { oneByOne } from '../turns.ts'
import { siennes } from '../usager/queries.ts'
import { announceBlockedCode, type BlockedCode } from './announce.ts'

const by = { kind: 'worker' } as const

/**
 * Tells of each private code that was tried wrong too often and serves no more. Not in the transaction of the try, whose answer must cost what
 * that of an unknown code does.
 */
export const announceBlockedCodes = async (db: Db, log: Log): Promise<number> =>
  oneByOne(await db.tx(by, listUntold), { job: 'codes_bloques', log }, (code) =>
    db.tx(by, async (tx) => {
      const [untold] = await tx.sql`
        update code_prive_essai set dit_at = ${tx.now} where code_prive_id = ${code.id} and dit_at is null returning code_prive_id`
      if (!untold) return 0
      await announceBlockedCode(tx, code)
      return 1
    }),
  )

/** A code that she drew herself is told under one of her mandats too: by these her messages are found, to be erased with her. */
const listUntold = (tx: Tx) => tx.sql<BlockedCode[]>`
  select c.id, c.usager_id, c.structure_id,
    coalesce(c.mandat_id, (select m.id from mandat m where ${siennes(tx, 'm.usager_id', tx.sql`c.usager_id`)} order by m.signed_at desc limit 1)) as mandat_id,
    coalesce(s.fuseau, 'Europe/Paris') as fuseau
  from code_prive_essai e
  join code_prive c on c.id = e.code_prive_id
  left join structure s on s.id = c.structure_id
  where e.bloque_at is not null and e.dit_at is null
  order by e.bloque_at
  limit 100`
