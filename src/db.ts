import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { connect as openSocket, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'

/** How a person was recognised: by FranceConnect, by the private code of her paper, by that and a code sent to her since. */
export type Reconnue =
  | { niveau: 'identite' }
  /** `imprimePar`: the structure that printed the code, of which alone it shows something; null when she drew it herself. */
  | { niveau: 'code_prive' | 'contact_prouve'; imprimePar: string | null }

export type Who =
  | { kind: 'aidant'; aidantId: string; structureId: string }
  | { kind: 'referent'; aidantId: string; structureId: string }
  | ({ kind: 'usager'; usagerIds: readonly string[] } & Reconnue)
  | { kind: 'portier' }
  | { kind: 'verifier' }
  | { kind: 'worker' }
  | { kind: 'sequencer' }
  | { kind: 'operator' }

/** The driver's tagged template, without what could leave the transaction or send unchecked text. */
interface Sql extends postgres.ISql {
  unsafe: never
  file: never
  notify: never
  types: never
  typed: never
}

export type Tx = {
  readonly sql: Sql
  readonly who: Who
  /** The database's clock, read when the transaction began and again by `clock()`. Retryable work knows it from its first answer on. */
  readonly now: Date
  clock(): Promise<Date>
  random(bytes: number): Buffer
  /** For the isolation tests alone: our own filters are left out, row-level security must hold by itself. */
  readonly rlsOnly: boolean
}

export type Db = {
  /**
   * Runs `work` in one transaction of its own: all of it is committed, or nothing. Throws what `work` throws, a busy error
   * (`isBusy`) or an unavailable one (`isUnavailable`: after it the outcome of the commit may be unknown). With `retryable`, which
   * asks for work that may be done twice, serialization failures, deadlocks and lost connections are tried three times, and its first
   * statements travel with the beginning of the transaction.
   */
  tx<T>(who: Who, work: (tx: Tx) => Promise<T>, options?: { retryable?: boolean }): Promise<T>
  /**
   * One statement on behalf of nobody, in one round trip: row-level security shows it no row, so that it can only call a function which says
   * itself what it tells. For what only reads: sent again when the connection is lost. Throws as `tx` does.
   */
  ask<T>(query: (sql: Sql) => Promise<T>): Promise<T>
  /** Refuses new work, waits for what is running or waiting, then leaves the database. */
  close(): Promise<void>
}

const STATEMENT_MS = 3000
const LOCK_MS = 1000
const IDLE_MS = 5000
/** The server ends any statement and any pause before this: a longer silence means that nobody is there. */
const SILENCE_MS = STATEMENT_MS + IDLE_MS + 1000
/** Least time given to a server to begin a transaction: under load a caller may get its turn at the very end of its wait. */
const BEGIN_MS = 1000
const TRIES = 3
/** The longest that a timer of Node can be. */
const FOREVER_MS = 2 ** 31 - 1

const failure = (code: string, message: string, cause?: unknown) => Object.assign(new Error(message, { cause }), { code })
const codeOf = (error: unknown) => String((error as { code?: unknown } | null)?.code)
const unavailable = (cause: unknown) =>
  failure('DATABASE_UNAVAILABLE', `no connection to the database: ${cause instanceof Error ? codeOf(cause) : cause}`, cause)

const BUSY = ['DATABASE_BUSY', '55P03', '57014', '40P01', '40001']
/** No lease, lock or answer came within the time allowed, or others' work crossed it: the caller may try again later (503). */
export const isBusy = (error: unknown) => BUSY.includes(codeOf(error))
/** The database could not be reached, or the connection was lost on the way (503). */
export const isUnavailable = (error: unknown) => codeOf(error) === 'DATABASE_UNAVAILABLE'
/** A policy or a grant forbids it. */
export const isForbidden = (error: unknown) => codeOf(error) === '42501'
/** Name of the constraint that the statement violated. */
export const constraintOf = (error: unknown): string | undefined =>
  error instanceof postgres.PostgresError ? error.constraint_name : undefined

const isTransient = (error: unknown) => isUnavailable(error) || ['40001', '40P01'].includes(codeOf(error))
/** What the driver or the socket says of a broken connection, or the server of its own state (starting, stopping, full). */
const isBroken = (error: unknown) => /^(CONNECT|E[A-Z]+$|EAI_AGAIN$|57P0|25P0[34]|53300|08)/.test(codeOf(error))
const translated = (error: unknown) => (isBroken(error) ? unavailable(error) : (error as Error))

/** A `date` stays text: it has no time zone to be wrong about. */
const types = {
  date: { to: 1082, from: [1082, 1114], serialize: String, parse: (text: string) => text },
  bigint: {
    to: 20,
    from: [20],
    serialize: String,
    parse(text: string) {
      if (!Number.isSafeInteger(Number(text))) throw new RangeError(`bigint out of the safe range: ${text}`)
      return Number(text)
    },
  },
}

type Connection = {
  client: postgres.Sql
  lost?: Error
  /** Those who wait for an answer on it, refused at once when it is lost: the driver forgets some of them for ever. */
  waiting: Set<(reason: unknown) => void>
  lose(reason: Error): Error
  answer<T>(promise: Promise<T>): Promise<T>
}

/**
 * One client of the driver with one socket, never a second one: a client that reconnected would send what remains of a broken
 * transaction outside of any transaction, each statement committed alone. Its first statement connects it.
 */
function openConnection(url: string): Connection {
  let socket: Socket | undefined
  const client = postgres(url, {
    max: 1,
    max_lifetime: null,
    connect_timeout: 0,
    connection: {
      application_name: 'traitdunion',
      TimeZone: 'UTC',
      // No receipt, no act: what is acknowledged is durable, whatever the server or the role was set to.
      synchronous_commit: 'on',
      statement_timeout: STATEMENT_MS,
      lock_timeout: LOCK_MS,
      idle_in_transaction_session_timeout: IDLE_MS,
    },
    types,
    transform: { column: { from: postgres.toCamel, to: postgres.fromCamel } },
    onnotice: () => {},
    onclose: () => connection.lose(unavailable('closed')),
    ...{
      async socket({ path, host: [host], port: [port] }: { path?: string; host: [string]; port: [number] }) {
        if (socket || connection.lost) throw unavailable('a client never reconnects')
        socket = path ? openSocket(path) : openSocket({ host, port, noDelay: true })
        await once(socket, 'connect')
        return Object.assign(socket, { host }) // the driver reads there the name that TLS must check
      },
    },
  }) as unknown as postgres.Sql
  const waiting: Connection['waiting'] = new Set()
  const connection: Connection = {
    client,
    waiting,
    lose(reason) {
      if (!connection.lost) {
        connection.lost = reason
        socket?.destroy()
        for (const refuse of waiting) refuse(reason)
      }
      return connection.lost
    },
    answer: (promise) =>
      new Promise((resolve, reject) => {
        waiting.add(reject)
        promise.then(resolve, reject).finally(() => waiting.delete(reject))
      }),
  }
  return connection
}

/** The database's clock as one transaction knows it: nothing before its first answer. */
type Clock = { now?: Date }

/** Begins a transaction for this caller, in one round trip, and reads the database's time. */
async function begin(connection: Connection, who: Who, clock: Clock, withinMs: number): Promise<void> {
  const { client, lose, answer } = connection
  const { aidantId, structureId } = 'aidantId' in who ? who : { aidantId: null, structureId: null }
  const usagerIds = 'usagerIds' in who ? `{${who.usagerIds}}` : '{}'
  const niveau = 'niveau' in who ? who.niveau : ''
  const codeStructure = 'imprimePar' in who ? (who.imprimePar ?? '*') : ''
  const alarm = setTimeout(() => lose(unavailable('silence')), withinMs)
  try {
    const begun = client`begin`.execute() // the driver sends a statement when it is waited for, and this one comes first
    const context = client<{ now: Date }[]>`
      select
        horloge() as now,
        set_config('app.who', ${who.kind}, true),
        set_config('app.aidant_id', coalesce(${aidantId}::uuid::text, ''), true),
        set_config('app.structure_id', coalesce(${structureId}::uuid::text, ''), true),
        set_config('app.usager_ids', ${usagerIds}::uuid[]::text, true),
        set_config('app.niveau', ${niveau}, true),
        set_config('app.code_structure', ${codeStructure}, true)`
    // At once: the answer to a statement that travelled with this one may follow in the same packet.
    const read = context.then(([row]) => {
      clock.now = row!.now
    })
    await answer(Promise.all([begun, read]))
  } catch (error) {
    throw lose(translated(error))
  } finally {
    clearTimeout(alarm)
  }
}

/** After an error that is not the server's the driver's answers may be shifted by one statement: that connection is never used again. */
const checked = (error: unknown, lose: Connection['lose']) =>
  error instanceof postgres.PostgresError && error.severity === 'ERROR' ? error : lose(translated(error))

/** Sends one statement by itself, which the server commits by itself. */
async function askAlone<T>({ client, lose, answer }: Connection, query: (sql: Sql) => Promise<T>, withinMs: number): Promise<T> {
  const alarm = setTimeout(() => lose(unavailable('silence')), withinMs)
  try {
    return await answer(query(client as unknown as Sql))
  } catch (error) {
    throw checked(error, lose)
  } finally {
    clearTimeout(alarm)
  }
}

/** What the driver hands out, with the three parts of it that are not in its types. */
type Statement = Promise<unknown> & {
  handler(statement: Statement): void
  resolve(rows: unknown): void
  reject(reason: unknown): void
}

/** Does the work of a transaction that has begun, then commits it; whatever happens, the work can send nothing more afterwards. */
async function run<T>(
  connection: Connection,
  who: Who,
  clock: Clock,
  work: (tx: Tx) => Promise<T>,
  random: Tx['random'],
  rlsOnly: boolean,
): Promise<T> {
  const { client, waiting, lose, answer } = connection
  let ended = false
  let failed: unknown
  const silence = setTimeout(() => lose(unavailable('silence')), SILENCE_MS)

  const check = (error: unknown) => checked(error, lose)

  const send = (statement: Statement, execute: Statement['handler']) => {
    const { resolve, reject } = statement
    statement.catch(() => {}) // also when the work does not wait for it
    if (ended || connection.lost) return reject(connection.lost ?? new Error('statement sent after the end of its transaction'))
    statement.resolve = (rows) => {
      waiting.delete(statement.reject)
      resolve(rows)
    }
    statement.reject = (reason) => {
      waiting.delete(statement.reject)
      const error = check(reason)
      failed ??= error
      // A statement that travelled behind one that failed says so only: the reason is the first one's.
      reject(codeOf(error) === '25P02' ? failed : error)
    }
    waiting.add(statement.reject)
    silence.refresh()
    execute(statement)
  }
  // The driver sends a statement when it is first awaited: the guard belongs there, not where the statement is written.
  const template = (...args: Parameters<Sql>) => {
    const statement = client(...args) as unknown as Statement | object
    if ('handler' in statement) {
      const execute = statement.handler
      statement.handler = (executed) => send(executed, execute)
    }
    return statement
  }
  const sql = Object.assign(template, { json: client.json, array: client.array }) as unknown as Sql
  const tx = {
    sql,
    who,
    get now() {
      if (!clock.now) throw new Error('the time is not known before the first answer')
      return clock.now
    },
    async clock() {
      const [row] = await sql<{ now: Date }[]>`select horloge() as now`
      clock.now = row!.now
      return clock.now
    },
    random,
    rlsOnly,
  }

  try {
    const result = await answer(work(tx))
    ended = true
    const { command } = await answer(client`commit`).catch((error) => Promise.reject(check(error)))
    if (command !== 'COMMIT') throw failed // the work swallowed the error of a statement, and the server has undone everything
    return result
  } catch (error) {
    ended = true
    const reason = connection.lost ?? error
    if (!connection.lost) await answer(client`rollback`).catch(check)
    throw reason
  } finally {
    clearTimeout(silence)
  }
}

/**
 * Opens the pool: `connections` transactions at a time, first come first served. A caller waits `waitMs` at most for its turn and
 * its connection. Each connection belongs whole to one transaction, so that nothing ever queues inside the driver.
 */
export function openDb(options: {
  url: string
  connections?: number
  waitMs?: number
  random?: (n: number) => Buffer
  rlsOnly?: boolean
}): Db {
  const { url, connections = 8, waitMs = 2000, random = randomBytes, rlsOnly = false } = options
  const idle: Connection[] = []
  const queue: (() => void)[] = []
  let free = connections
  let closing: Promise<unknown> | undefined

  const takeTurn = (withinMs = FOREVER_MS) =>
    new Promise<void>((resolve, reject) => {
      if (free > 0) return resolve(void free--)
      const timer = setTimeout(() => {
        queue.splice(queue.indexOf(go), 1)
        reject(failure('DATABASE_BUSY', 'every connection is taken'))
      }, withinMs)
      const go = () => resolve(clearTimeout(timer))
      queue.push(go)
    })
  const endTurn = () => {
    const next = queue.shift()
    if (next) next()
    else free++
  }

  const takeIdle = () => {
    let connection = idle.pop()
    while (connection?.lost) connection = idle.pop()
    return connection
  }
  /** Nothing has been done yet: trying again is always safe, so a database that restarts costs the caller a short wait. */
  const lease = async (who: Who, clock: Clock, deadline: number): Promise<Connection> => {
    for (;;) {
      const connection = takeIdle() ?? openConnection(url)
      try {
        await begin(connection, who, clock, Math.max(deadline - performance.now(), BEGIN_MS))
        return connection
      } catch (error) {
        if (!isUnavailable(error) || performance.now() > deadline) throw error
      }
      await sleep(randomInt(50, 150))
    }
  }
  /** A connection that is open already is not waited for: what fails with its beginning will be done again. */
  const leaseAtOnce = (who: Who, clock: Clock): Connection | undefined => {
    const connection = takeIdle()
    if (connection) begin(connection, who, clock, waitMs).catch(() => {})
    return connection
  }

  return {
    async tx(who, work, { retryable = false } = {}) {
      if (closing) throw unavailable('closing')
      let deadline = performance.now() + waitMs
      await takeTurn(waitMs)
      try {
        for (let left = retryable ? TRIES - 1 : 0; ; left--) {
          const clock: Clock = {}
          const atOnce = retryable && left === TRIES - 1
          const connection = (atOnce && leaseAtOnce(who, clock)) || (await lease(who, clock, deadline))
          try {
            return await run(connection, who, clock, work, random, rlsOnly)
          } catch (error) {
            if (left === 0 || !isTransient(error)) throw error
          } finally {
            if (!connection.lost) idle.push(connection)
          }
          await sleep(randomInt(10, 100))
          deadline = performance.now() + waitMs
        }
      } finally {
        endTurn()
      }
    },
    async ask(query) {
      if (closing) throw unavailable('closing')
      const deadline = performance.now() + waitMs
      await takeTurn(waitMs)
      try {
        for (;;) {
          const connection = takeIdle() ?? openConnection(url)
          try {
            return await askAlone(connection, query, Math.max(deadline - performance.now(), BEGIN_MS))
          } catch (error) {
            if (!isUnavailable(error) || performance.now() > deadline) throw error
          } finally {
            if (!connection.lost) idle.push(connection)
          }
          await sleep(randomInt(50, 150))
        }
      } finally {
        endTurn()
      }
    },
    async close() {
      closing ??= Promise.all(Array.from({ length: connections }, () => takeTurn())).then(() =>
        Promise.all(idle.map(({ client }) => client.end({ timeout: 1 }))),
      )
      await closing
    },
  }
}
