import { constraintOf, type Db, type Tx } from '../db.ts'
import type { Log } from '../http/log.ts'
import { append } from '../journal/append.ts'
import { oneByOne } from '../turns.ts'

const BATCH = 100

type Expired = { id: string; structureId: string; usagerId: string; expiresAt: Date }

/**
 * Writes the line of each mandat that reached its end, once. A line for who reads the journal: the state follows from the date alone. Page after
 * page: all the mandats of a day end at the same second. How many.
 */
export async function writeExpired(db: Db, log: Log): Promise<number> {
  let count = 0
  for (let last: Expired | undefined, found = BATCH; found === BATCH; ) {
    const page = await db.tx({ kind: 'worker' }, (tx) => listExpired(tx, last))
    count += await oneByOne(page, { job: 'fins', log }, (expired) => writeLine(db, expired))
    last = page.at(-1)
    found = page.length
  }
  return count
}

const writeLine = (db: Db, { expiresAt, ...mandat }: Expired): Promise<number> =>
  db
    .tx({ kind: 'worker' }, (tx) =>
      append(tx, { action: 'mandat_expire', mandat, contenu: { expires_at: expiresAt.toISOString() } }),
    )
    .then(
      () => 1,
      (error: unknown) => {
        // Another worker wrote it meanwhile.
        if (constraintOf(error) === 'journal_expire_une_fois') return 0
        throw error
      },
    )

/** Of who is erased, nothing more is written. */
const listExpired = (tx: Tx, after: Expired | undefined) => tx.sql<Expired[]>`
  select m.id, m.structure_id, m.usager_id, m.expires_at
  from mandat m
  join usager u on u.id = m.usager_id
  where m.ended_at is null and m.expires_at <= ${tx.now} and u.erased_at is null
    and not exists (select 1 from journal j where j.mandat_id = m.id and j.action = 'mandat_expire')
    ${after ? tx.sql`and (m.expires_at, m.id) > (${after.expiresAt}, ${after.id})` : tx.sql``}
  order by m.expires_at, m.id
  limit ${BATCH}`
