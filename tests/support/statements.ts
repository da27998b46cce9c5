import type { Db, Tx } from '../../src/db.ts'

/** The same database; each statement is written down as it is sent, without its values. */
export function watched(db: Db, statements: string[]): Db {
  const sqlOf = (tx: Tx) =>
    new Proxy(tx.sql, {
      apply: (sql, self, args: [readonly string[] | object, ...unknown[]]) => {
        // What names a column is called as well, and sends nothing.
        if (Array.isArray(args[0]) && 'raw' in args[0]) statements.push(args[0].join('?').replace(/\s+/g, ' '))
        return Reflect.apply(sql as never, self, args) as unknown
      },
    })
  return {
    ...db,
    tx: (who, act, options) => db.tx(who, (tx) => act(Object.create(tx, { sql: { value: sqlOf(tx) } }) as Tx), options),
  }
}

/** The statements that `work` sends, in order: two questions that time must not tell apart send the same. */
export async function statementsOf(db: Db, work: (db: Db) => Promise<unknown>): Promise<string[]> {
  const statements: string[] = []
  await work(watched(db, statements))
  return statements
}
