import postgres from 'postgres'

/**
 * The broken twin of `openDb`: the driver's own pool, used as its manual shows. It loses acknowledged writes, slows down, ends the
 * process and stays frozen after a restart; a stress test that does not see it here would not see it in `src/db.ts` either.
 */
export function naivePool(url: string, connections: number, driver: typeof postgres = postgres) {
  const sql = driver(url, { max: connections, onnotice: () => {} })
  return {
    sql,
    tx: <T>(_who: unknown, work: (tx: { sql: postgres.ISql }) => Promise<T>) => sql.begin((sql) => work({ sql })) as Promise<T>,
    close: () => sql.end({ timeout: 1 }),
  }
}
