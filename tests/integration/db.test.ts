import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { constraintOf, type Db, isBusy, isUnavailable, openDb, type Tx, type Who } from '../../src/db.ts'
import { freshDatabase, type TestDatabase } from '../support/database.ts'
import { startProxy } from '../support/proxy.ts'

const A = '00000000-0000-4000-8000-00000000000a'
const B = '00000000-0000-4000-8000-00000000000b'
const C = '00000000-0000-4000-8000-00000000000c'
const worker: Who = { kind: 'worker' }

let base: TestDatabase

beforeAll(async () => {
  base = await freshDatabase()
  await base.adminSql.unsafe(`
    create table essai (id int primary key, mot text, constraint essai_mot_unique unique (mot));
    create table essai_cloisonne (id int primary key, structure_id uuid not null);
    alter table essai_cloisonne enable row level security;
    create policy cloison on essai_cloisonne
      using (structure_id = nullif(current_setting('app.structure_id', true), '')::uuid);
    insert into essai_cloisonne values (1, '${B}'), (2, '${C}');
    grant select, insert, update, delete on essai, essai_cloisonne to traitdunion_app;`)
})
afterEach(() => base.adminSql`delete from essai`)
afterAll(() => base.drop())

const open = (options: Partial<Parameters<typeof openDb>[0]> = {}): Db => {
  const db = openDb({ url: base.url, ...options })
  onTestFinished(() => db.close())
  return db
}
const insert = (tx: Tx, id: number) => tx.sql`insert into essai (id, mot) values (${id}, ${`mot ${id}`})`
const ids = async () => (await base.adminSql`select id from essai order by id`).map(({ id }) => id)
const pid = async (tx: Tx) => (await tx.sql<{ pid: number }[]>`select pg_backend_pid() as pid`)[0]!.pid
const kill = async (backend: number) => {
  await base.adminSql`select pg_terminate_backend(${backend}, 2000)`
  await sleep(20)
}
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => expect.fail(`devait échouer, a donné ${JSON.stringify(value)}`),
    (error) => error,
  )

describe('l’appelant', () => {
  const context = (db: Db, who: Who) =>
    db.tx(
      who,
      async (tx) =>
        (
          await tx.sql`
            select
              current_setting('app.who') as who,
              current_setting('app.aidant_id') as aidant,
              current_setting('app.structure_id') as structure,
              current_setting('app.usager_ids') as usagers`
        )[0],
    )

  it('est connu de la base dès la première instruction, et de lui seul', async () => {
    const db = open({ connections: 1 })
    const nobody = { aidant: '', structure: '', usagers: '{}' }
    expect(await context(db, { kind: 'aidant', aidantId: A, structureId: B })).toEqual({
      who: 'aidant',
      aidant: A,
      structure: B,
      usagers: '{}',
    })
    expect(await context(db, { kind: 'portier' })).toEqual({ who: 'portier', ...nobody })
    expect(await context(db, { kind: 'usager', usagerIds: [A, C], niveau: 'identite' })).toEqual({
      who: 'usager',
      ...nobody,
      usagers: `{${A},${C}}`,
    })
    expect(await context(db, { kind: 'usager', usagerIds: [], niveau: 'identite' })).toEqual({ who: 'usager', ...nobody })
    expect(await context(db, { kind: 'referent', aidantId: C, structureId: A })).toEqual({
      who: 'referent',
      aidant: C,
      structure: A,
      usagers: '{}',
    })
  })

  it('ne voit que ce que la cloison lui laisse, l’un après l’autre sur la même connexion', async () => {
    const db = open({ connections: 1 })
    const seen = (who: Who) => db.tx(who, async (tx) => (await tx.sql`select id from essai_cloisonne`).map(({ id }) => id))
    expect(await seen({ kind: 'aidant', aidantId: A, structureId: B })).toEqual([1])
    expect(await seen({ kind: 'aidant', aidantId: A, structureId: C })).toEqual([2])
    expect(await seen(worker)).toEqual([])
  })

  it('ne laisse rien derrière lui sur la connexion', async () => {
    const db = open({ connections: 1 })
    const [left] = await db.tx({ kind: 'aidant', aidantId: A, structureId: B }, async (tx) => {
      await tx.sql`commit` // what the connection is like between two transactions
      return tx.sql`
        select current_setting('app.who', true) as who, current_setting('app.aidant_id', true) as aidant,
          current_setting('app.structure_id', true) as structure, current_setting('app.usager_ids', true) as usagers`
    })
    expect(Object.values(left!).filter(Boolean)).toEqual([])
  })

  it('mal nommé, ne commence aucune transaction', async () => {
    const db = open()
    let began = false
    const start = async () => {
      began = true
    }
    const error = await failure(db.tx({ kind: 'aidant', aidantId: 'x', structureId: B }, start))
    expect(error).toMatchObject({ code: '22P02' })
    expect(await failure(db.tx({ kind: 'usager', usagerIds: [`${A}","x`], niveau: 'identite' }, start))).toMatchObject({
      code: '22P02',
    })
    expect(began).toBe(false)
  })
})

describe('l’heure et le hasard', () => {
  afterEach(() => base.freeze(null))

  it('viennent de la base, relue à la demande', async () => {
    const db = open()
    await base.freeze(new Date('2031-05-06T07:08:09.123Z'))
    await db.tx(worker, async (tx) => {
      expect(tx.now).toEqual(new Date('2031-05-06T07:08:09.123Z'))
      await base.freeze(new Date('2031-05-06T07:08:10.000Z'))
      expect(tx.now).toEqual(new Date('2031-05-06T07:08:09.123Z'))
      expect(await tx.clock()).toEqual(new Date('2031-05-06T07:08:10.000Z'))
      expect(tx.now).toEqual(new Date('2031-05-06T07:08:10.000Z'))
    })
  })

  it('sont ceux qu’on injecte', async () => {
    const db = open({ random: (n) => Buffer.alloc(n, 7) })
    expect(await db.tx(worker, async (tx) => tx.random(3))).toEqual(Buffer.from([7, 7, 7]))
    expect(await open().tx(worker, async (tx) => tx.random(16))).toHaveLength(16)
  })
})

describe('les valeurs', () => {
  it('sortent dans la forme convenue', async () => {
    const [row] = await open().tx(
      worker,
      (tx) => tx.sql`
        select
          9007199254740991::int8 as un_compte,
          array[1, 2]::int8[] as des_comptes,
          date '2026-03-29' as un_jour,
          array[date '2026-03-29'] as des_jours,
          timestamp '2026-03-29 02:30' as heure_murale,
          timestamptz '2026-03-29 02:30:00.125+02' as un_instant,
          12.30::numeric as un_montant,
          '{"une_cle": {"autre_cle": [1]}}'::jsonb as un_objet,
          array['a', 'b'] as des_mots,
          '\\x00ff'::bytea as des_octets`,
    )
    expect(row).toEqual({
      unCompte: 9007199254740991,
      desComptes: [1, 2],
      unJour: '2026-03-29',
      desJours: ['2026-03-29'],
      heureMurale: '2026-03-29 02:30:00',
      unInstant: new Date('2026-03-29T00:30:00.125Z'),
      unMontant: '12.30',
      unObjet: { une_cle: { autre_cle: [1] } },
      desMots: ['a', 'b'],
      desOctets: Buffer.from([0, 255]),
    })
  })

  it('entrent comme elles sont sorties', async () => {
    const [row] = await open().tx(
      worker,
      (tx) => tx.sql`
        select
          ${'2026-03-29'}::date::text as jour,
          ${new Date('2026-03-29T00:30:00.125Z')}::timestamptz as instant,
          ${42}::int8 as compte,
          ${[A, B]}::uuid[] as des_ids,
          ${tx.sql.json({ une_cle: null })}::jsonb as objet,
          ${null}::text as rien`,
    )
    expect(row).toEqual({
      jour: '2026-03-29',
      instant: new Date('2026-03-29T00:30:00.125Z'),
      compte: 42,
      desIds: [A, B],
      objet: { une_cle: null },
      rien: null,
    })
  })

  it('refusent undefined et l’entier que JavaScript arrondirait', async () => {
    const db = open({ connections: 1 })
    const absent = undefined as unknown as string
    expect(await failure(db.tx(worker, (tx) => tx.sql`select ${absent}::text`))).toMatchObject({ code: 'UNDEFINED_VALUE' })
    expect(await failure(db.tx(worker, (tx) => tx.sql`insert into essai ${tx.sql({ id: 1, mot: absent })}`))).toMatchObject({
      code: 'UNDEFINED_VALUE',
    })
    expect(await failure(db.tx(worker, (tx) => tx.sql`select 9007199254740993::int8`))).toBeInstanceOf(RangeError)
    expect(await db.tx(worker, (tx) => tx.sql`select 1 as un`)).toEqual([{ un: 1 }])
  })

  it('ne décalent jamais les réponses, même quand l’une d’elles est fautive au milieu d’un lot', async () => {
    const db = open({ connections: 1 })
    const wrong = new Date(Number.NaN)
    const batch = (tx: Tx, value: Date) =>
      Promise.all([tx.sql`select 'a' as a`, tx.sql`select ${value}::timestamptz as b`, tx.sql`select 'c' as c`])
    await db.tx(worker, (tx) => batch(tx, new Date(0))) // prepared: from now on the three leave together
    const started = performance.now()
    expect(await failure(db.tx(worker, (tx) => batch(tx, wrong)))).toBeInstanceOf(RangeError)
    expect(await db.tx(worker, (tx) => tx.sql`select 'd' as d`)).toEqual([{ d: 'd' }])
    expect(performance.now() - started).toBeLessThan(5000) // not after the silence of 9 s

    // The twin: the third statement of a plain connection never gets an answer.
    const naive = postgres(base.url, { max: 1 })
    onTestFinished(() => naive.end({ timeout: 0 }))
    await batch({ sql: naive } as unknown as Tx, new Date(0))
    const answers = [naive`select 'a' as a`, naive`select ${wrong}::timestamptz as b`, naive`select 'c' as c`].map((one) =>
      one.then(
        ([row]) => row,
        (error) => error.name,
      ),
    )
    expect(await Promise.race([Promise.all(answers), sleep(500, 'sans réponse')])).not.toEqual([
      { a: 'a' },
      'RangeError',
      { c: 'c' },
    ])
  })
})

describe('une transaction', () => {
  it('écrit tout et rend ce que le travail rend', async () => {
    const given = await open().tx(worker, async (tx) => {
      await Promise.all([insert(tx, 1), insert(tx, 2)])
      return 'rendu'
    })
    expect(given).toBe('rendu')
    expect(await ids()).toEqual([1, 2])
  })

  it('n’écrit rien quand le travail échoue, et dit pourquoi', async () => {
    const why = new Error('changé d’avis')
    const error = await failure(
      open().tx(worker, async (tx) => {
        await insert(tx, 1)
        throw why
      }),
    )
    expect(error).toBe(why)
    expect(await ids()).toEqual([])
  })

  it('ne se dit pas réussie quand le travail a tu l’erreur d’une instruction', async () => {
    const error = await failure(
      open().tx(worker, async (tx) => {
        await insert(tx, 1)
        await insert(tx, 1).catch(() => {})
        return 'tout va bien'
      }),
    )
    expect(error).toMatchObject({ code: '23505' })
    expect(await ids()).toEqual([])
  })

  it('peut se reprendre à un point de sauvegarde', async () => {
    await open().tx(worker, async (tx) => {
      await insert(tx, 1)
      await tx.sql`savepoint avant`
      await insert(tx, 1).catch(() => tx.sql`rollback to savepoint avant`)
      await insert(tx, 2)
    })
    expect(await ids()).toEqual([1, 2])
  })

  it('nomme la contrainte violée', async () => {
    const error = await failure(open().tx(worker, (tx) => tx.sql`insert into essai values (1, 'm'), (2, 'm')`))
    expect(constraintOf(error)).toBe('essai_mot_unique')
    expect(constraintOf(new Error('autre'))).toBeUndefined()
    expect(constraintOf(undefined)).toBeUndefined()
  })

  it('n’a plus de voix une fois finie, et ne parle jamais dans la suivante', async () => {
    const db = open({ connections: 1 })
    let late!: () => Promise<unknown>
    let written: PromiseLike<unknown> | undefined
    await db.tx(worker, async (tx) => {
      late = async () => insert(tx, 1)
      written = insert(tx, 2) // written here, awaited later: the driver would send it then
    })
    await db.tx(worker, async (tx) => {
      for (const statement of [late, async () => written])
        expect(await failure(statement())).toMatchObject({ message: 'statement sent after the end of its transaction' })
      await insert(tx, 3)
    })
    expect(await ids()).toEqual([3])
  })

  it('ne laisse pas un lot interrompu continuer derrière son dos', async () => {
    const db = open({ connections: 1 })
    let rest: Promise<unknown> | undefined
    const error = await failure(
      db.tx(worker, async (tx) => {
        const slow = async () => {
          await tx.sql`select pg_sleep(0.1)`
          await insert(tx, 1)
        }
        rest = slow()
        await Promise.all([rest, Promise.reject(new Error('interrompu'))])
      }),
    )
    expect(error).toMatchObject({ message: 'interrompu' })
    await db.tx(worker, async (tx) => {
      await failure(rest!)
      await insert(tx, 2)
    })
    expect(await ids()).toEqual([2])
  })

  it('a ses délais : 3 s par instruction, 1 s par verrou, 5 s de silence', async () => {
    const limits = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']
    const rows = await open().tx(worker, (tx) => tx.sql`select current_setting(l) as v from unnest(${limits}::text[]) l`)
    expect(rows.map(({ v }) => v)).toEqual(['3s', '1s', '5s'])
  })
})

describe('une connexion perdue au milieu d’une transaction', () => {
  it('n’écrit rien, ni avant, ni après, même si le travail s’obstine', async () => {
    const db = open({ connections: 1 })
    const outcomes: unknown[] = []
    let stubborn: Promise<void> | undefined
    const error = await failure(
      db.tx(worker, (tx) => {
        stubborn = (async () => {
          await insert(tx, 1)
          await kill(await pid(tx))
          for (const id of [2, 3, 4]) outcomes.push(await failure(insert(tx, id)))
          await sleep(300)
          outcomes.push(await failure(insert(tx, 5)))
        })()
        return stubborn
      }),
    )
    expect(isUnavailable(error)).toBe(true)
    await stubborn
    expect(outcomes.map(isUnavailable)).toEqual([true, true, true, true])
    expect(await ids()).toEqual([])
    await db.tx(worker, (tx) => insert(tx, 6))
    expect(await ids()).toEqual([6])
  })

  it('refuse aussi l’instruction déjà partie, et celles qui attendent derrière elle', async () => {
    const db = open({ connections: 1 })
    const outcomes: unknown[] = []
    const error = await failure(
      db.tx(worker, async (tx) => {
        const backend = await pid(tx)
        const sent = [1, 2, 3].map(async (n) => outcomes.push(await failure(tx.sql`select pg_sleep(2.5), ${n}::int`)))
        await Promise.all([...sent, sleep(50).then(() => kill(backend))])
        await insert(tx, 1)
      }),
    )
    expect(isUnavailable(error)).toBe(true)
    await sleep(50)
    expect(outcomes.map(isUnavailable)).toEqual([true, true, true])
    expect(await ids()).toEqual([])
  })

  it('le jumeau naïf, lui, écrit la suite hors de toute transaction', async () => {
    const naive = postgres(base.url, { max: 1, onnotice: () => {} })
    onTestFinished(() => naive.end({ timeout: 1 }))
    await naive`begin`
    const [backend] = await naive<{ pid: number }[]>`select pg_backend_pid() as pid`
    await naive`insert into essai values (1, 'avant')`
    await kill(backend!.pid)
    await naive`insert into essai values (2, 'après')`
    expect(await ids()).toEqual([2])
  })

  it('rejette un travail qui n’attend plus rien de la base', async () => {
    const db = open({ connections: 1 })
    const error = await failure(
      db.tx(worker, async (tx) => {
        void sleep(50).then(async () => kill(await backend))
        const backend = pid(tx)
        await backend
        await new Promise(() => {})
      }),
    )
    expect(isUnavailable(error)).toBe(true)
    await db.tx(worker, (tx) => insert(tx, 1))
    expect(await ids()).toEqual([1])
  })

  it('dont l’accusé du commit est perdu, n’est rejouée que si elle peut l’être', async () => {
    const proxy = await startProxy(base.url)
    onTestFinished(() => proxy.close())
    const db = open({ url: proxy.url, connections: 1 })
    let times = 0
    const once = (tx: Tx) => {
      times++
      return tx.sql`insert into essai values (1, 'une fois') on conflict do nothing`
    }
    await db.tx(worker, async () => {})

    proxy.loseNextCommit()
    expect(isUnavailable(await failure(db.tx(worker, once)))).toBe(true)
    expect([times, await ids()]).toEqual([1, [1]]) // written, and nobody could know

    times = 0
    proxy.loseNextCommit()
    await db.tx(worker, once, { retryable: true })
    expect([times, await ids()]).toEqual([2, [1]])
  })
})

describe('un travail qui peut être refait', () => {
  it('part avec le début de sa transaction : il en a le contexte, et ne sait l’heure qu’à sa première réponse', async () => {
    const db = open({ connections: 1 })
    await db.tx(worker, async () => {}) // a connection is open
    const seen = await db.tx(
      worker,
      async (tx) => {
        expect(() => tx.now).toThrow('not known before the first answer')
        const [row] = await tx.sql`select app_who() as who, horloge() as at`
        return { who: row!.who, known: tx.now <= row!.at }
      },
      { retryable: true },
    )
    expect(seen).toEqual({ who: 'worker', known: true })
  })
})

describe('les nouvelles tentatives', () => {
  const raising = (code: string, failures: number) => {
    const seen = { times: 0 }
    return {
      seen,
      work: async (tx: Tx) => {
        seen.times++
        if (seen.times <= failures) await tx.sql`select essai_lever(${code})`
        return seen.times
      },
    }
  }
  beforeAll(
    () =>
      base.adminSql`
        create function essai_lever(code text) returns void language plpgsql
        as $$ begin raise exception 'levée' using errcode = code; end $$`,
  )

  it('voient la raison de la première requête, même derrière celles qui sont parties avec elle', async () => {
    const db = open()
    const busy = await failure(
      db.tx(worker, async (tx) => {
        const locked = tx.sql`select essai_lever('55P03')`.execute()
        locked.catch(() => {})
        await tx.sql`select 1`
      }),
    )
    expect(isBusy(busy)).toBe(true)
  })

  it('suivent une sérialisation impossible ou un interblocage, trois fois en tout', async () => {
    for (const code of ['40001', '40P01']) {
      expect(await open().tx(worker, raising(code, 2).work, { retryable: true })).toBe(3)
      const tooMany = raising(code, 3)
      expect(await failure(open().tx(worker, tooMany.work, { retryable: true }))).toMatchObject({ code })
      expect(tooMany.seen.times).toBe(3)
    }
  })

  it('n’ont pas lieu sans permission, ni pour une autre erreur', async () => {
    const without = raising('40001', 1)
    expect(await failure(open().tx(worker, without.work))).toMatchObject({ code: '40001' })
    expect(without.seen.times).toBe(1)
    for (const code of ['23505', '55P03', '57014', 'P0001']) {
      const other = raising(code, 1)
      expect(await failure(open().tx(worker, other.work, { retryable: true }))).toMatchObject({ code })
      expect(other.seen.times).toBe(1)
    }
  })

  it('suivent une connexion perdue', async () => {
    let times = 0
    const db = open({ connections: 1 })
    await db.tx(
      worker,
      async (tx) => {
        if (times++ === 0) await kill(await pid(tx))
        await insert(tx, 1)
      },
      { retryable: true },
    )
    expect([times, await ids()]).toEqual([2, [1]])
  })

  it('sortent d’un véritable interblocage', async () => {
    const url = new URL(base.url)
    url.searchParams.set('lock_timeout', '5000') // let the deadlock detector (1 s) speak first
    const db = open({ url: url.href, connections: 2 })
    await db.tx(worker, (tx) => Promise.all([insert(tx, 1), insert(tx, 2)]))
    let tries = 0
    let meet = () => {}
    const met = new Promise<void>((resolve) => (meet = resolve))
    const touch = (first: number, second: number) =>
      db.tx(
        worker,
        async (tx) => {
          await tx.sql`update essai set mot = mot || '!' where id = ${first}`
          if (++tries === 2) meet()
          await met
          await tx.sql`update essai set mot = mot || '!' where id = ${second}`
        },
        { retryable: true },
      )
    await Promise.all([touch(1, 2), touch(2, 1)])
    const rows = await base.adminSql`select mot from essai order by id`
    expect([tries, rows.map(({ mot }) => mot)]).toEqual([3, ['mot 1!!', 'mot 2!!']])
  })
})

describe('une question posée au nom de personne', () => {
  const seen = (db: Db) => db.ask((sql) => sql<{ id: number }[]>`select id from essai_cloisonne`)
  const backend = async (db: Db) => (await db.ask((sql) => sql<{ pid: number }[]>`select pg_backend_pid() as pid`))[0]!.pid

  it('ne voit aucune ligne cloisonnée, même sur la connexion d’un autre', async () => {
    const db = open({ connections: 1 })
    const by: Who = { kind: 'aidant', aidantId: A, structureId: B }
    expect(await db.tx(by, (tx) => tx.sql`select id from essai_cloisonne`)).toHaveLength(1)
    expect(await seen(db)).toHaveLength(0)
  })

  it('rend sa connexion telle quelle, même fautive', async () => {
    const db = open({ connections: 1 })
    const before = await backend(db)
    expect(await failure(db.ask((sql) => sql`select 1 / 0`))).toMatchObject({ code: '22012' })
    expect(await backend(db)).toBe(before)
    expect(await db.tx(worker, pid)).toBe(before)
  })

  it('est reposée quand la connexion se perd', async () => {
    const db = open({ connections: 1 })
    const before = await backend(db)
    await kill(before)
    expect(await backend(db)).not.toBe(before)
  })

  it('attend son tour, et pas plus longtemps que les autres', async () => {
    const db = open({ connections: 1, waitMs: 100 })
    const held = db.tx(worker, (tx) => tx.sql`select pg_sleep(0.4)`)
    expect(isBusy(await failure(seen(db)))).toBe(true)
    await held
    expect(await seen(db)).toHaveLength(0)
  })

  it('finit avant que la base ne se ferme', async () => {
    const db = open()
    const asked = db.ask((sql) => sql`select pg_sleep(0.1)`)
    await db.close()
    await asked
    expect(isUnavailable(await failure(seen(db)))).toBe(true)
  })
})

describe('la file d’attente', () => {
  const connected = async () => {
    const [row] = await base.adminSql`
      select count(*)::int as n from pg_stat_activity where application_name = 'traitdunion' and datname = current_database()`
    return row!.n
  }

  it('sert dans l’ordre d’arrivée', async () => {
    const db = open({ connections: 1 })
    const served: number[] = []
    await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        db.tx(worker, async (tx) => {
          served.push(n)
          await tx.sql`select pg_sleep(0.002)`
        }),
      ),
    )
    expect(served).toEqual([...served].sort((a, b) => a - b))
  })

  it('renvoie celui qui attend trop, et lui seul', async () => {
    const db = open({ connections: 1, waitMs: 400 })
    let letGo = () => {}
    let long: Promise<void> | undefined
    await new Promise<void>((held) => {
      long = db.tx(worker, () => {
        held()
        return new Promise<void>((resolve) => (letGo = resolve))
      })
    })
    const started = performance.now()
    const error = await failure(db.tx(worker, async () => {}))
    expect(performance.now() - started).toBeGreaterThan(390)
    expect([isBusy(error), isUnavailable(error)]).toEqual([true, false])
    const patient = db.tx(worker, async () => 'servi')
    letGo()
    await long
    expect(await patient).toBe('servi')
  })

  it('ne perd aucune place, quoi qu’il arrive à ceux qui en ont eu une', async () => {
    const url = new URL(base.url)
    url.searchParams.set('idle_in_transaction_session_timeout', '600')
    const db = open({ url: url.href, connections: 2, waitMs: 10_000 })
    const disasters: ((tx: Tx) => Promise<unknown>)[] = [
      () => Promise.reject(new Error('refus')),
      () => {
        throw new Error('avant même de promettre')
      },
      async (tx) => kill(await pid(tx)),
      (tx) => tx.sql`select nulle_part`,
      (tx) => tx.sql`select ${undefined as unknown as string}`,
      () => new Promise(() => {}), // never ends: the server closes the session after 600 ms without a word
      async (tx) => {
        void insert(tx, 1).then(() => {})
        throw new Error('sans attendre')
      },
    ]
    for (let round = 0; round < 3; round++) await Promise.all(disasters.map((work) => failure(db.tx(worker, work))))
    expect(await ids()).toEqual([])
    const both = await Promise.all([1, 2].map((id) => db.tx(worker, (tx) => insert(tx, id).then(() => sleep(50, id)))))
    expect(both).toEqual([1, 2])
    await expect.poll(connected).toBeLessThanOrEqual(2)
  })

  it('se ferme en finissant ce qui est commencé ou attendu, et refuse la suite', async () => {
    const db = openDb({ url: base.url, connections: 1 })
    const running = [1, 2, 3].map((id) => db.tx(worker, (tx) => insert(tx, id).then(() => sleep(20))))
    const closed = Promise.all([db.close(), db.close()])
    expect(isUnavailable(await failure(db.tx(worker, async () => {})))).toBe(true)
    await closed
    await Promise.all(running)
    expect(await ids()).toEqual([1, 2, 3])
    await expect.poll(connected).toBe(0)
  })
})

describe('une base injoignable', () => {
  it('un instant seulement, ne coûte à l’appelant qu’une attente', async () => {
    const proxy = await startProxy(base.url)
    onTestFinished(() => proxy.close())
    const db = open({ url: proxy.url, connections: 4, waitMs: 5000 })
    await Promise.all([1, 2, 3, 4].map(() => db.tx(worker, (tx) => tx.sql`select pg_sleep(0.05)`)))
    proxy.refuse(true)
    proxy.cut() // the four idle connections are dead, whether their clients know it or not
    const served = Promise.all([1, 2, 3, 4, 5, 6].map((id) => db.tx(worker, (tx) => insert(tx, id))))
    await sleep(400)
    proxy.refuse(false)
    await served
    expect(await ids()).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('se dit telle dans le délai, et ne se confond ni avec l’affluence ni avec un mauvais mot de passe', async () => {
    const nowhere = open({ url: 'postgres://x:y@127.0.0.1:9/rien', waitMs: 300 })
    const started = performance.now()
    const error = await failure(nowhere.tx(worker, async () => {}, { retryable: true }))
    expect(performance.now() - started).toBeLessThan(20_000)
    expect([isUnavailable(error), isBusy(error)]).toEqual([true, false])

    const wrong = new URL(base.url)
    wrong.password = 'faux'
    const refused = await failure(open({ url: wrong.href }).tx(worker, async () => {}))
    expect([isUnavailable(refused), (refused as { code: string }).code]).toEqual([false, '28P01'])
  })
})

describe('le pilote', () => {
  const root = path.resolve(import.meta.dirname, '../..')
  const sources = ['src', 'views']
    .filter((folder) => existsSync(path.join(root, folder)))
    .flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`),
    )
    .filter((file) => /\.(ts|mjs)$/.test(file) && !/^src\/(db\.ts|migrate\.ts|demo\/)/.test(file))
    .map((file) => ({ file, text: readFileSync(path.join(root, file), 'utf8') }))
  const containing = (pattern: RegExp) => sources.filter(({ text }) => pattern.test(text)).map(({ file }) => file)

  it('n’est appelé que par la couche de base de données, les migrations et la démonstration', () => {
    expect(containing(/(from|import|require)\s*\(?\s*['"]postgres['"/]/)).toEqual([])
  })

  it('ne reçoit de personne d’autre de quoi finir une transaction ou laisser un réglage sur la connexion', () => {
    expect(containing(/sql(<[^`]*>)?`\s*(begin|start transaction|commit|end|abort|rollback(?! to))\b/i)).toEqual([])
    expect(containing(/sql(<[^`]*>)?`\s*(set(?! local| constraints)|reset|listen|prepare|create temp)\b/i)).toEqual([])
    expect(containing(/\bpg_(try_)?advisory_lock(_shared)?\(|set_config\([^)]*false/i)).toEqual([])
  })
})
