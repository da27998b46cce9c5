import { spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import path from 'node:path'
import { Hono } from 'hono'
import postgres from 'postgres'
import { createApp } from '../../src/app.ts'
import { parseConfig } from '../../src/config.ts'
import { openDb, type Tx } from '../../src/db.ts'
import { demarcheDuCatalogue, type NewDemarche } from '../../src/demarche/demarche.ts'
import { recordDemarche } from '../../src/demarche/record.ts'
import { startDemo } from '../../src/demo/demo.ts'
import { seed } from '../../src/demo/seed.ts'
import { serve } from '../../src/http/server.ts'
import { openSession } from '../../src/http/session.ts'
import { franceconnect } from '../../src/oidc/franceconnect.ts'
import { openProvider } from '../../src/oidc/provider.ts'
import { queriesLater } from './db.ts'
import { handwrittenPersonnes } from './handwritten.ts'
import { journalTimes } from './journal.ts'
import { paperTimes } from './papier.ts'
import { preuveTimes } from './preuves.ts'
import { signInTimes } from './signin.ts'
import { startTimes } from './start.ts'
import { addMandats, addPersonnes } from './volume.ts'

type Shot = { url: string; cookie?: string; body?: string }

/** `npm run bench`: ratios within one run, so that another machine may be compared; medians of interleaved rounds. `-- journal`, `-- signin`, `-- papiers`: that alone. */
async function main(only: string | undefined) {
  console.log(
    `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]!.model.trim()}, Node ${process.versions.node}, charge ${loadavg()[0]!.toFixed(1)}\n`,
  )
  if (only === 'journal') return journalTimes(console.log)
  if (only === 'signin') return signInTimes(console.log)
  if (only === 'papiers') return papers()
  const dataDir = mkdtempSync(path.join(tmpdir(), 'traitdunion-bench-'))
  chmodSync(dataDir, 0o711)
  const demo = await startDemo({
    dataDir,
    port: 3900,
    reset: false,
    say: () => {},
    seed: (environment) => seed(environment, path.join(dataDir, 'franceconnect.json')),
  })
  const config = parseConfig(demo.environment)
  const admin = postgres(config.database.adminUrl!, { max: 1, onnotice: () => {} })
  const db = openDb({ url: config.database.url, connections: 8, waitMs: 30_000, random: randomBytes })
  const log = () => {}
  const oidc = { franceconnect: openProvider({ profile: franceconnect, ...config.franceconnect, log }) }
  const app = createApp({ db, config, oidc, log })
  const closing: (() => Promise<unknown>)[] = []
  const listen = async (handler: Parameters<typeof serve>[0]) => {
    const { port, close } = await serve(handler, { port: 0, host: '127.0.0.1' })
    closing.push(close)
    return `http://127.0.0.1:${port}`
  }

  try {
    const [aidant] = await admin<{ id: string; structureId: string }[]>`
      select a.id, h.structure_id as "structureId" from aidant a join habilitation h on h.aidant_id = a.id where a.email = 'thomas@figeac.demo'`
    const structureId = aidant!.structureId
    const session = async (aidantId: string, structure: string) =>
      `session=${await db.tx({ kind: 'portier' }, (tx) => openSession(tx, { aidantId, structureId: structure }))}`
    const cookie = await session(aidant!.id, structureId)
    const service = await listen(app)
    const by = { kind: 'aidant', aidantId: aidant!.id, structureId } as const

    // 1. Noting a démarche, against the least a web service can do with the same layer: begin, insert, commit.
    // Each round under mandats of its own: nobody notes twenty times in ten minutes under one, where what is alike is compared word by word.
    const mandats = await addMandats(admin, structureId, aidant!.id, 22 * 400)
    const fresh = () => mandats.splice(0, 400)
    const same = fresh()
    await admin`create table nu (like demarche including indexes)`
    await admin`grant insert on nu to traitdunion_app`
    let bareLine = 0
    const insertBare = (mandat: string, resultat: string) =>
      db.tx(by, async (tx: Tx) => {
        await tx.sql`
          insert into nu (id, mandat_id, structure_id, usager_id, aidant_id, genre, thematique, sensible, reclamation, nature, mode, presence,
            canal, done_at, recorded_at, resultat, envoi, journal_id)
          values (${randomUUID()}, ${mandat}, ${structureId}, ${mandat}, ${by.aidantId}, 'reguliere', 'logement', false, false, 'demande',
            'avec_la_personne', 'presente', 'en_ligne_franceconnect', ${tx.now}, ${tx.now}, ${resultat}, ${randomUUID()}, ${++bareLine})`
      })
    const bare = await listen(
      new Hono().post('/', async (c) => {
        const form = new URLSearchParams(await c.req.text())
        await insertBare(form.get('mandat')!, form.get('demarche')!)
        return c.text('ok', 303)
      }),
    )
    const acts = () =>
      fresh().map((mandat) => () => recordDemarche(db, by, { ...DEMARCHE, mandatId: mandat, envoi: randomUUID() }))
    const bares = () => same.map((mandat) => () => insertBare(mandat, 'deposee'))
    // A service that has lived: plans made while its tables were almost empty read them whole.
    await compareWork(acts, bares, 4)
    await admin`vacuum analyze`
    // Each its own name: what was just noted is asked about before it is noted again.
    let named = 0
    const body = (mandat: string) =>
      new URLSearchParams({
        mandat,
        demarche: 'autre',
        titre: `Demander une aide au logement ${++named}`,
        thematique: 'logement',
        resultat: 'deposee',
        envoi: randomUUID(),
      }).toString()
    const noting = await compare(
      () => fresh().map((mandat) => ({ url: `${service}/mandats/${mandat}/demarches/nouvelle`, cookie, body: body(mandat) })),
      () => same.map((mandat) => ({ url: bare, body: body(mandat) })),
      303,
    )
    say(
      'noter une démarche (HTTP) / insertion nue (HTTP)',
      1 / noting.ratio,
      '>= 0.4',
      `${rate(noting.a, 400)} et ${rate(noting.b, 400)} par seconde`,
    )

    const writing = await compareWork(acts, bares)
    say(
      'enregistrer une démarche (transaction) / insertion nue de la même ligne',
      1 / writing.ratio,
      '>= 0.4',
      `${rate(writing.a, 400)} et ${rate(writing.b, 400)} par seconde`,
    )

    // No person searches as fast as this; the limit is another matter.
    const forgetLimits = () => admin`delete from limite`

    // 2. One full page, against the same data in a hand-written template.
    const byHand = await listen(handwrittenPersonnes(db, by))
    const pages = await compare(
      () => repeat(200, { url: `${service}/personnes`, cookie }),
      () => repeat(200, { url: byHand, cookie }),
      200,
      forgetLimits,
    )
    say(
      'page « Personnes » / même page écrite à la main',
      pages.ratio,
      '',
      `${rate(pages.a, 200)} et ${rate(pages.b, 200)} pages par seconde`,
    )

    // 3. The list of a structure of 100,000 persons, against one of 1,000.
    const small = await addPersonnes(admin, 1_000)
    const large = await addPersonnes(admin, 100_000)
    await admin`vacuum analyze`
    const smallCookie = await session(small.aidantId, small.structureId)
    const largeCookie = await session(large.aidantId, large.structureId)
    for (const [what, query] of [
      ['liste', ''],
      ['recherche « mar »', '?q=mar'],
      ['recherche « marie dup »', '?q=marie+dup'],
      ['naissance 1961', '?q=1961'],
    ] as const) {
      const lists = await compare(
        () => repeat(100, { url: `${service}/personnes${query}`, cookie: largeCookie }),
        () => repeat(100, { url: `${service}/personnes${query}`, cookie: smallCookie }),
        200,
        forgetLimits,
      )
      say(
        `personnes, ${what} : 100 000 / 1 000`,
        lists.ratio,
        '<= 1.2',
        `${rate(lists.a, 100)} et ${rate(lists.b, 100)} pages par seconde`,
      )
    }

    // 4. The layer after 200,000 queries.
    const later = await queriesLater(config.database.url)
    say(
      '200 000 requêtes plus tard / les premières',
      later.ratio,
      '<= 1.1',
      `${later.laterMicroseconds.toFixed(0)} et ${later.firstMicroseconds.toFixed(0)} µs de processeur par transaction`,
    )
  } finally {
    for (const close of closing) await close()
    await Promise.all([db.close(), admin.end()])
    await demo.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }

  await papers()

  // 5. The journal, up to a million lines.
  await journalTimes(console.log)

  // 6. What the time of an answer tells.
  await signInTimes(console.log)

  // 7. Starting, as a newcomer does.
  const { installed, first, later: again } = await startTimes()
  console.log(
    `démarrages : ${installed.toFixed(1)} s la première fois (clone neuf, installation comprise ; visé : 30), ${first.toFixed(1)} s avec une base neuve, ${again.toFixed(1)} s ensuite (visé : 3)`,
  )
}

/** What makes a mandat hold without us: its seals and evidence, then its papers, off the event loop so that no request waits for them. */
async function papers() {
  await preuveTimes(console.log)
  const { first, warm, longest } = await paperTimes()
  console.log(
    `PDF d’un mandat : ${warm.toFixed(0)} ms (visé : 100), ${(1000 / warm).toFixed(0)} par seconde ; le plus long ${longest.toFixed(0)} ms, le premier ${first.toFixed(0)} ms`,
  )
}

const say = (what: string, ratio: number, aim: string, detail: string) =>
  console.log(`${what} : ${ratio.toFixed(2)}${aim && ` (visé : ${aim})`} ; ${detail}`)
const rate = (seconds: number, count: number) => Math.round(count / seconds)
const repeat = (count: number, shot: Shot) => Array.from({ length: count }, () => shot)

const DEMARCHE = {
  thematique: 'logement',
  code: 'aide-logement',
  titre: demarcheDuCatalogue('aide-logement')!.libelle,
  administration: null,
  nature: 'demande',
  mode: 'avec_la_personne',
  presence: 'presente',
  canal: 'en_ligne_franceconnect',
  doneAt: null,
  dureeMinutes: null,
  resultat: 'deposee',
  motifBlocage: null,
  reference: null,
  montantCentimes: null,
  etapeQuoi: null,
  etapeQui: null,
  etapeQuand: null,
  orientation: null,
  note: null,
} as const satisfies Partial<NewDemarche>

/** The same for work done here, 32 at a time. */
async function compareWork(a: () => Work[], b: () => Work[], rounds = 7) {
  const together = async (all: Work[]) => {
    const left = all.values()
    const start = performance.now()
    await Promise.all(
      Array.from({ length: 32 }, async () => {
        for (const one of left) await one()
      }),
    )
    return (performance.now() - start) / 1000
  }
  const times: { a: number[]; b: number[] } = { a: [], b: [] }
  for (let round = -1; round < rounds; round++) {
    const [first, second] = [await together(a()), await together(b())]
    if (round < 0) continue
    times.a.push(first)
    times.b.push(second)
  }
  const [ma, mb] = [median(times.a), median(times.b)]
  return { a: ma, b: mb, ratio: ma / mb }
}
type Work = () => Promise<unknown>

/** Median seconds of each side over interleaved rounds, and a/b. The client is another process, so that it does not share our loop. */
async function compare(
  a: () => Shot[],
  b: () => Shot[],
  status: number,
  before: () => Promise<unknown> = async () => {},
  rounds = 7,
) {
  const times: { a: number[]; b: number[] } = { a: [], b: [] }
  for (let round = -1; round < rounds; round++) {
    await before()
    const [first, second] = [await fire(a(), status), await fire(b(), status)]
    if (round < 0) continue // the engine compiles, the caches fill
    times.a.push(first)
    times.b.push(second)
  }
  const [ma, mb] = [median(times.a), median(times.b)]
  return { a: ma, b: mb, ratio: ma / mb }
}
const median = (list: number[]) => list.toSorted((x, y) => x - y)[Math.floor(list.length / 2)]!

let client: ReturnType<typeof spawn> | undefined
/** Seconds to have every request answered, 16 at a time; throws when one was not answered as expected. */
function fire(shots: Shot[], status: number): Promise<number> {
  client ??= spawn(process.execPath, [path.join(import.meta.dirname, 'client.mjs')], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const running = client
  running.unref()
  return new Promise((resolve, reject) => {
    running.once('message', (answer: { seconds: number; wrong?: string }) =>
      answer.wrong ? reject(new Error(answer.wrong)) : resolve(answer.seconds),
    )
    running.send({ shots, status })
  })
}

await main(process.argv[2]).finally(() => client?.kill())
