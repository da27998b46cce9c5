import { randomInt, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDb } from '../../src/db.ts'
import { originOf } from '../../src/journal/checkpoint.ts'
import { cosign } from '../../src/journal/cosign.ts'
import { openSigner } from '../../src/journal/note.ts'
import { findRetard } from '../../src/journal/tree-queries.ts'
import { verifyDatabase } from '../../src/journal/verify-database.ts'
import { newWitness, pemKey } from '../support/arbre.ts'
import { startServer, type TestServer } from '../support/database.ts'
import { freePort, type Live, openLive } from '../support/live.ts'
import type { Program } from '../support/processes.ts'

const KILLS = 20
const WRITERS = 8
const MANDATS = 4

let server: TestServer
let live: Live
let service: Program
let url: string
const journalKey = pemKey()

beforeAll(async () => {
  server = await startServer()
  live = await openLive(server, MANDATS, { JOURNAL_KEY: journalKey })
  url = `http://localhost:${await freePort()}`
  service = await live.startService(url)
})
afterAll(async () => {
  service?.child.kill('SIGKILL')
  await service?.ended
  await server?.stop()
})

describe(`PostgreSQL tué ${KILLS} fois sous les écritures`, { timeout: 240_000 }, () => {
  it('rien d’acquitté ne manque, rien n’est deux fois, et le service reprend seul', async () => {
    const acknowledged = new Map<string, { id: string; mandatId: string }>()
    const failures: unknown[] = []
    let sentAgain = 0
    let last = 0
    let over = false
    const writers = Array.from({ length: WRITERS }, async (_, writer) => {
      for (let n = writer; !over; n++) {
        const envoi = randomUUID()
        const mandatId = live.mandats[n % MANDATS]!
        for (let id: string | undefined; !id; ) {
          id = await live.note(url, mandatId, envoi).catch((error) => void failures.push(error))
          if (id) acknowledged.set(envoi, { id, mandatId })
          else sentAgain++
          if (id) last = performance.now()
          else await sleep(20)
          if (failures.length > 20) return
        }
      }
    })

    const log = openSigner(journalKey, originOf(url))
    const witness = newWitness(log)
    const tree = openDb({ url: server.sequencerUrl, connections: 1 })
    const told = new Set<string>()

    const slow: number[] = []
    for (let kill = 0; kill < KILLS && failures.length === 0; kill++) {
      const before = acknowledged.size
      while (acknowledged.size < before + 20 && failures.length === 0) await sleep(5)
      await server.kill9()
      expect((await fetch(`${url}/livez`)).status).toBe(200)
      await sleep(randomInt(0, 200))
      await server.restart()
      const back = performance.now()
      while (last < back && failures.length === 0) await sleep(5)
      slow.push(Math.round(last - back))
      told.add(await cosign(tree, witness.witness, () => {}, witness.post))
    }
    over = true
    await Promise.all(writers)

    const seconds = slow.toSorted((a, b) => a - b).map((ms) => (ms / 1000).toFixed(2))
    console.log(
      `PostgreSQL tué ${slow.length} fois, ${acknowledged.size} démarches acquittées, ${sentAgain} renvois : la suivante acquittée en ${seconds[seconds.length >> 1]} s (médiane), ${seconds.at(-1)} s au pire`,
    )
    expect(failures).toEqual([])
    expect(slow).toHaveLength(KILLS)
    expect(service.child.exitCode).toBeNull()
    expect((await fetch(`${url}/readyz`)).status).toBe(200)

    const { adminSql } = server
    const rows = await adminSql<{ id: string; envoi: string; mandatId: string; line: string | null; contenu: boolean }[]>`
      select d.id, d.envoi, d.mandat_id as "mandatId", j.id as line,
        jc.journal_id is not null and dc.demarche_id is not null as contenu
      from demarche d
      left join journal j on j.id = d.journal_id and j.mandat_id = d.mandat_id and j.action = 'demarche_realisee'
      left join journal_contenu jc on jc.journal_id = j.id
      left join demarche_contenu dc on dc.demarche_id = d.id`
    const written = new Map(rows.map((row) => [row.envoi, row]))
    for (const [envoi, { id, mandatId }] of acknowledged)
      expect(written.get(envoi)).toMatchObject({ id, mandatId, line: expect.any(String), contenu: true })
    // Everyone insisted until she was answered: no more rows than forms, and no line without its démarche.
    expect(rows).toHaveLength(acknowledged.size)
    const [lines] = await adminSql<{ n: number }[]>`select count(*)::int as n from journal where action = 'demarche_realisee'`
    expect(lines!.n).toBe(acknowledged.size)
    const gaps = await adminSql`
      select j.mandat_id
      from journal j
      join journal_compteur c on c.mandat_id = j.mandat_id
      group by j.mandat_id, c.seq
      having count(*) <> max(j.mandat_seq) or min(j.mandat_seq) <> 1 or c.seq <> max(j.mandat_seq)`
    expect(gaps).toEqual([])

    // The tree grew through all of it: no line lost or placed twice, and the witness never saw another past.
    while ((await tree.tx({ kind: 'sequencer' }, findRetard)).enAttente > 0) await sleep(100)
    told.add(await cosign(tree, witness.witness, () => {}, witness.post))
    await tree.close()
    expect([...told].filter((one) => !['temoigne', 'rien_de_neuf'].includes(one))).toEqual([])
    const admin = openDb({ url: server.adminUrl, connections: 3 })
    const verified = await verifyDatabase(admin, { log: log.vkey, reading: 'contenus', seen: [witness.seen()!] })
    await admin.close()
    const [all] = await adminSql<{ n: number }[]>`select count(*)::int as n from journal`
    expect([verified.fault, verified.counts.lignes, verified.counts.attente]).toEqual([undefined, all!.n, 0])
  })
})
