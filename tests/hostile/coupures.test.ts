import { randomInt, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Db, isBusy, isUnavailable, openDb } from '../../src/db.ts'
import { append } from '../../src/journal/append.ts'
import { type Checkpoint, parseCheckpoint, signCheckpoint } from '../../src/journal/checkpoint.ts'
import { cosign, type Post } from '../../src/journal/cosign.ts'
import { consistencyRanges, growTree, leafHash, rangeHash, verifyConsistency } from '../../src/journal/merkle.ts'
import { isSignedBy, openSigner, parseVkey, type Signer } from '../../src/journal/note.ts'
import { nodesFrom, tilePath, tilesFor } from '../../src/journal/tiles.ts'
import { findRetard } from '../../src/journal/tree-queries.ts'
import { verifyDatabase } from '../../src/journal/verify-database.ts'
import { parseSubmission, submissionText } from '../../src/journal/witness.ts'
import { openWitnessStore } from '../../src/journal/witness-store.ts'
import { ORIGIN, pemKey } from '../support/arbre.ts'
import { scratch, startServer, type TestServer } from '../support/database.ts'
import { freePort, type Live, openLive } from '../support/live.ts'
import { type Program, ROOT, start, startScript } from '../support/processes.ts'

const journalKey = pemKey()
const log: Signer = openSigner(journalKey, ORIGIN)
let server: TestServer
let tree: Db
let app: Db
beforeAll(async () => {
  server = await startServer()
  tree = openDb({ url: server.sequencerUrl, connections: 2 })
  app = openDb({ url: server.url, connections: 4 })
})
afterAll(async () => {
  await Promise.all([tree?.close(), app?.close()])
  await server?.stop()
})

/** Asks until the answer is not undefined. Nothing here waits for a time, only for a fact: the test's own time out says that it never came. */
async function until<T>(ask: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    await sleep(20)
  }
}
const settled = () => until(async () => (await tree.tx({ kind: 'sequencer' }, findRetard)).enAttente === 0)
const kill = async (program: Program) => {
  program.child.kill('SIGKILL')
  await program.ended
}

/** One tree: each line once, each batch written by the holder of its moment, and what everyone saw of it is in it. */
async function expectOneTree(seen: readonly Checkpoint[]) {
  const admin = openDb({ url: server.adminUrl, connections: 3 })
  const { fault, counts } = await verifyDatabase(admin, { log: log.vkey, reading: 'contenus', seen })
  await admin.close()
  const [all] = await server.adminSql<{ lines: number; leaves: number; back: number }[]>`
    select (select count(*)::int from journal) as lines, count(distinct journal_id)::int as leaves,
      count(*) filter (where epoch < before)::int as back
    from (select journal_id, epoch, lag(epoch) over (order by leaf_index) as before from journal_feuille) f`
  expect([fault, counts.attente, counts.lignes, all]).toEqual([
    undefined,
    0,
    all!.lines,
    { lines: all!.lines, leaves: all!.lines, back: 0 },
  ])
}

describe('deux séquenceurs, chacun dans son processus', { timeout: 120_000 }, () => {
  /** Small batches: whoever is stopped nearly always has more to do. */
  const startSequencer = (holder: string) =>
    startScript(
      `import { openDb } from '@/src/db.ts'
       import { openSigner } from '@/src/journal/note.ts'
       import { openSequencer, startSequencer } from '@/src/journal/sequence.ts'
       const { url, pem, origin, holder } = JSON.parse(process.env.WHAT)
       const sequencer = openSequencer({ db: openDb({ url, connections: 2 }), signer: openSigner(pem, origin), holder, batch: 3 })
       startSequencer(sequencer, (_level, line) => console.log(JSON.stringify(line)))
       console.log('pret')`,
      { env: { ...process.env, WHAT: JSON.stringify({ url: server.sequencerUrl, pem: journalKey, origin: ORIGIN, holder }) } },
    )
  const running = new Map<string, Program>()
  beforeAll(async () => {
    for (const holder of [randomUUID(), randomUUID()]) running.set(holder, startSequencer(holder))
    await Promise.all([...running.values()].map((one) => one.until('pret')))
  })
  afterAll(async () => {
    for (const one of running.values()) await kill(one)
  })
  const write = (count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, i) =>
        app.tx({ kind: 'worker' }, (tx) => append(tx, { action: 'cle_publiee', contenu: { i } })),
      ),
    )
  const holder = () =>
    until(async () => {
      const [lease] = await server.adminSql<{ titulaire: string | null }[]>`select titulaire from journal_bail`
      return lease!.titulaire ?? undefined
    })
  /** Another holds the lease, and the lines written meanwhile have their places. */
  const replaced = async (former: string) => {
    await write(12)
    await until(async () => (await holder()) !== former)
    await settled()
  }

  it('lancés ensemble, n’en font qu’un', async () => {
    for (let i = 0; i < 10; i++) await write(20)
    await settled()
    expect([...running.keys()]).toContain(await holder())
    await expectOneTree([])
  })

  it('figé entre deux morceaux, l’un est remplacé ; réveillé, il n’écrit plus rien de ce qu’il croyait', async () => {
    for (let i = 0; i < 2; i++) {
      const former = await holder()
      await Promise.all([write(60), sleep(randomInt(0, 100)).then(() => running.get(former)!.child.kill('SIGSTOP'))])
      await replaced(former)
      running.get(former)!.child.kill('SIGCONT')
      await write(12)
      await settled()
    }
    await expectOneTree([])
  })

  it('figé au milieu de sa transaction, l’un est remplacé quand la base le coupe ; réveillé, il reprend', async () => {
    /** True when it stopped where we wanted: it has given the line its leaf, and was waiting to write the checkpoint over it. */
    const stop = async (frozen: Program) => {
      await server.adminSql.begin(async (sql) => {
        await sql`lock table journal_point in share mode`
        await write(1)
        await until(async () => {
          const waiting = await sql`select 1 from pg_locks where relation = 'journal_point'::regclass and not granted`
          return waiting.length > 0
        })
        frozen.child.kill('SIGSTOP')
      })
      await sleep(50)
      const idle = await server.adminSql`
        select 1 from pg_stat_activity where usename = 'traitdunion_sequencer' and state = 'idle in transaction'`
      return idle.length > 0
    }
    let former = await holder()
    while (!(await stop(running.get(former)!))) {
      // Too late: the database had already refused to let it wait any longer.
      running.get(former)!.child.kill('SIGCONT')
      former = await holder()
    }
    const frozen = running.get(former)!
    await replaced(former)
    frozen.child.kill('SIGCONT')
    await frozen.until('tache_echouee')
    await write(12)
    await settled()
    await expectOneTree([])
  })

  it('mort, l’un est remplacé', async () => {
    const former = await holder()
    await kill(running.get(former)!)
    await replaced(former)
    await expectOneTree([])
  })
})

describe('le disque du témoin', { timeout: 120_000 }, () => {
  it('plein au milieu d’une écriture, il n’a rien répondu, et se souvient de ce qu’il avait signé', async () => {
    // Its memory of a log is more than one block of a disk.
    const long = openSigner(journalKey, `${'mandats.'.repeat(120)}exemple/journal`)
    const directory = scratch('temoin-plein')
    const url = `http://127.0.0.1:${await freePort()}`
    const startWitness = async (...before: string[]) => {
      const [command, ...args] = [...before, process.execPath, '--import', 'tsx', 'src/witness-command.ts', 'start']
      const witness = start(command!, args, {
        cwd: ROOT,
        env: {
          ...process.env,
          WITNESS_NAME: 'temoin.exemple/1',
          WITNESS_DIR: directory,
          WITNESS_LOGS: long.vkey.text,
          WITNESS_PORT: new URL(url).port,
          TSX_DISABLE_CACHE: '1',
        },
      })
      await witness.until('À l’écoute')
      return witness
    }
    const grown = growTree()
    const checkpoints = [1, 2].map((size) => {
      grown.push(leafHash(Buffer.of(size)))
      return signCheckpoint(long, { origin: long.vkey.name, size, root: grown.root() })
    })
    const submit = (size: 1 | 2) =>
      fetch(`${url}/add-checkpoint`, {
        method: 'POST',
        body: submissionText(size - 1, size === 1 ? [] : [leafHash(Buffer.of(2))], checkpoints[size - 1]!),
      })
    const first = await startWitness()
    expect((await submit(1)).status).toBe(200)
    await kill(first)
    // No file of this process can hold more than 512 bytes.
    const full = await startWitness('/bin/sh', '-c', 'ulimit -f 1 && exec "$@"', 'sh')
    expect((await submit(2)).status).toBe(500)
    await kill(full)
    const again = await startWitness()
    expect(parseCheckpoint(openWitnessStore(directory).read(long.vkey.name)!)!.size).toBe(1)
    expect((await submit(2)).status).toBe(200)
    await kill(again)
  })
})

const KILLS = 30
const WRITERS = 6

describe(`service, séquenceur, témoin et PostgreSQL tués ${KILLS} fois sous les écritures`, { timeout: 300_000 }, () => {
  const running = new Map<string, Program>()
  const urls: string[] = []
  const directory = scratch('temoin')
  const witnessEnvironment = {
    ...process.env,
    WITNESS_NAME: 'temoin.exemple/1',
    WITNESS_DIR: directory,
    WITNESS_LOGS: log.vkey.text,
  }
  let live: Live
  let witnessUrl: string
  const witnessed = () => parseCheckpoint(openWitnessStore(directory).read(ORIGIN) ?? '')

  const startWitness = async () => {
    const witness = start(process.execPath, ['--import', 'tsx', 'src/witness-command.ts', 'start'], {
      cwd: ROOT,
      env: { ...witnessEnvironment, WITNESS_PORT: new URL(witnessUrl).port },
    })
    await witness.until('À l’écoute')
    return witness
  }
  /** As whatever supervises it does: again, as long as the database is not there. */
  const startService = (url: string) => until(() => live.startService(url).catch(() => undefined))

  beforeAll(async () => {
    const key = start(process.execPath, ['--import', 'tsx', 'src/witness-command.ts', 'key'], {
      cwd: ROOT,
      env: witnessEnvironment,
    })
    const vkey = (await key.ended).output.trim()
    witnessUrl = `http://127.0.0.1:${await freePort()}`
    for (let i = 0; i < 2; i++) urls.push(`http://localhost:${await freePort()}`)
    live = await openLive(server, 4, {
      JOURNAL_KEY: journalKey,
      JOURNAL_ORIGIN: ORIGIN,
      JOURNAL_WITNESSES: `witness un ${vkey} ${witnessUrl}\nquorum un`,
    })
    running.set('temoin', await startWitness())
    for (const url of urls) running.set(url, await startService(url))
  })
  afterAll(async () => {
    for (const one of running.values()) await kill(one)
  })

  it('rien d’acquitté ne manque à l’arbre, aucune ligne n’y est deux fois, et personne ne l’a vu reculer ni bifurquer', async () => {
    const wrong: unknown[] = []
    let over = false
    const during = (turn: (n: number) => Promise<void>) =>
      (async () => {
        for (let n = 0; !over && wrong.length === 0; n++) await turn(n).catch((error) => void wrong.push(error))
      })()
    const url = () => urls[randomInt(urls.length)]!

    // Everyone insists until she is answered, by one process or the other.
    const acknowledged = new Map<string, string>()
    const writers = Array.from({ length: WRITERS }, (_, writer) =>
      during(async (n) => {
        const envoi = randomUUID()
        for (let id: string | undefined; !id; ) {
          id = await live.note(url(), live.mandats[(n + writer) % 4]!, envoi).catch((error) => {
            if (error instanceof TypeError) return undefined // nobody there, or killed before it answered
            throw error
          })
          if (id) acknowledged.set(envoi, id)
          else await sleep(20)
        }
      }),
    )

    // Whoever looks from outside: each checkpoint only makes the one before longer, as the public tiles prove.
    const seen: Checkpoint[] = []
    const tiles = new Map<string, Buffer>()
    const ask = async (path: string) => {
      const answer = await fetch(`${url()}/journal/${path}`).catch(() => undefined)
      return answer?.status === 200 ? Buffer.from(await answer.arrayBuffer()) : undefined
    }
    const watcher = during(async () => {
      await sleep(100)
      const checkpoint = parseCheckpoint((await ask('checkpoint'))?.toString() ?? '')
      if (!checkpoint) return
      if (!isSignedBy(checkpoint.note, log.vkey)) throw new Error('a checkpoint is not signed by the log')
      const last = seen.at(-1)
      if (last && checkpoint.size < last.size) throw new Error(`${last.size} lines were shown, then ${checkpoint.size}`)
      const ranges = last ? consistencyRanges(last.size, checkpoint.size) : []
      const wanted = tilesFor(checkpoint.size, ranges)
      for (const path of wanted.map(tilePath))
        if (!tiles.has(path)) tiles.set(path, (await ask(`tile/${path}`)) ?? Buffer.alloc(0))
      const read = wanted.map((tile) => ({ ...tile, hashes: tiles.get(tilePath(tile))! }))
      if (read.some(({ hashes }) => hashes.length === 0)) return tiles.clear()
      const nodes = nodesFrom(read)
      if (
        last &&
        !verifyConsistency(
          last,
          checkpoint,
          ranges.map((range) => rangeHash(range, nodes)),
        )
      )
        throw new Error(`${checkpoint.size} lines do not go on from ${last.size}`)
      seen.push(checkpoint)
    })

    // Shown to the witness much more often than the service does, and beside it. What the witness answers, it must never forget.
    let answered = 0
    let onAnswer = () => {}
    const post: Post = async (where, body) => {
      const answer = await fetch(where, { method: 'POST', body })
      const text = await answer.text()
      if (answer.status === 200) answered = Math.max(answered, parseSubmission(body)!.checkpoint.size)
      if (answer.status === 200) onAnswer()
      return { status: answer.status, body: text }
    }
    const witness = {
      name: 'un',
      vkey: parseVkey(
        running
          .get('temoin')!
          .output()
          .match(/Témoin (\S+)/)![1]!,
      )!,
      url: witnessUrl,
    }
    const told = new Map<string, number>()
    const shower = during(async () => {
      await sleep(100)
      const said = await cosign(tree, witness, () => {}, post).catch((error) => {
        if (isUnavailable(error) || isBusy(error)) return 'base'
        throw error
      })
      told.set(said, (told.get(said) ?? 0) + 1)
    })

    /** Who can be killed, first those who never were: a service takes seconds to come back, and the others do not wait for it. */
    const standing = new Set(['postgresql', 'temoin', ...urls])
    const killed = new Set<string>()
    const backs: Promise<unknown>[] = []
    const said: string[] = []
    for (let n = 0; n < KILLS && wrong.length === 0; n++) {
      const victim = await until(async () => {
        const able = [...standing]
        return able.find((one) => !killed.has(one)) ?? able[randomInt(Math.max(1, able.length))]
      })
      standing.delete(victim)
      killed.add(victim)
      const back = (coming: Promise<unknown>) => backs.push(coming.then(() => standing.add(victim)))
      const before = acknowledged.size
      await until(async () => acknowledged.size >= before + 3 || wrong.length > 0)
      await sleep(randomInt(0, 150))
      if (victim === 'postgresql') {
        await server.kill9()
        back(server.restart())
      } else if (victim === 'temoin') {
        // Now, or as soon as it has answered.
        const answering = new Promise<void>((resolve) => (onAnswer = resolve))
        if (randomInt(2) === 0) await Promise.race([answering, until(async () => over || wrong.length > 0)])
        onAnswer = () => {}
        await kill(running.get(victim)!)
        if ((witnessed()?.size ?? 0) < answered) wrong.push(`the witness answered ${answered} and remembers ${witnessed()?.size}`)
        back(startWitness().then((one) => running.set(victim, one)))
      } else {
        await kill(running.get(victim)!)
        said.push(running.get(victim)!.output())
        back(startService(victim).then((one) => running.set(victim, one)))
      }
    }
    await Promise.all(backs)
    over = true
    await Promise.all([...writers, watcher, shower])
    expect(wrong).toEqual([])

    await settled()
    expect(['temoigne', 'rien_de_neuf']).toContain(await cosign(tree, witness, () => {}, post))
    said.push(...urls.map((one) => running.get(one)!.output()))
    if (process.env.VERBOSE) console.log({ acknowledged: acknowledged.size, seen: seen.length, answered, told })
    expect([told.get('fourche'), told.get('recul'), said.filter((one) => one.includes('journal_contredit'))]).toEqual([
      undefined,
      undefined,
      [],
    ])
    expect(seen.length).toBeGreaterThan(2)

    const placed = await server.adminSql<{ envoi: string; id: string }[]>`
      select d.envoi, d.id from demarche d join journal_feuille f on f.journal_id = d.journal_id`
    expect(new Map(placed.map(({ envoi, id }) => [envoi, id]))).toEqual(acknowledged)
    await expectOneTree([...seen, witnessed()!])
  })
})
