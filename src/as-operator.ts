import { type Db, openDb } from './db.ts'

/** What a command does as the operator, at this address. `droit`: what this role alone may do, said when the address is missing. */
export async function asOperator<T>(url: string | undefined, droit: string, work: (db: Db) => Promise<T>): Promise<T> {
  if (!url) throw new Error(`DATABASE_OPERATOR_URL manque : c’est elle qui donne le droit ${droit}.`)
  const db = openDb({ url, connections: 1 })
  try {
    return await work(db)
  } finally {
    await db.close()
  }
}
