import type { Db, Tx } from '../../src/db.ts'

/** The statements that `work` sends, in order, without their values: two questions that time must not tell apart send the same. */
export async function statementsOf(db: Db, work: (db: Db) => Promise<unknown>): Promise<string[]> {
  const statements: string[] = []
  const sqlOf = (tx: Tx) =>
    new Proxy(tx.sql, {
      apply: (sql, self, args: [readonly string[]]) => {
        statements.push(args[0].join('?').replace(/\s+/g, ' '))
        return Reflect.apply(sql, self, args) as unknown
      },
    })
  await work({ ...db, tx: (who, act, options) => db.tx(who, (tx) => act({ ...tx, sql: sqlOf(tx), now: tx.now }), options) })
  return statements
}
