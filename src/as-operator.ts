import { type Db, openDb } from './db.ts'
import { type Surroundings, surroundings } from './surroundings.ts'

/** What a command does as the operator. `droit`: what this role alone may do, said when its address is missing. */
export async function asOperator<T>(env: Surroundings, droit: string, work: (db: Db) => Promise<T>): Promise<T> {
  const url = surroundings(env).DATABASE_OPERATOR_URL
  if (!url)
    throw new Error(
      `DATABASE_OPERATOR_URL manque : c’est elle qui donne le droit ${droit}. La démonstration donne la sienne pendant qu’elle tourne (npm start, avec le même DATA_DIR s’il en a un).`,
    )
  const db = openDb({ url, connections: 1 })
  try {
    return await work(db)
  } finally {
    await db.close()
  }
}
