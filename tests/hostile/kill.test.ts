import { randomBytes, randomInt, randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CGU_VERSION } from '../../src/aidant/aidant.ts'
import { openDb } from '../../src/db.ts'
import { openKeys } from '../../src/demo/franceconnect/keys.ts'
import { openSession } from '../../src/http/session.ts'
import { append } from '../../src/journal/append.ts'
import { originOf } from '../../src/journal/checkpoint.ts'
import { cosign } from '../../src/journal/cosign.ts'
import { openSigner } from '../../src/journal/note.ts'
import { findRetard } from '../../src/journal/tree-queries.ts'
import { verifyDatabase } from '../../src/journal/verify-database.ts'
import { aLaSeconde, expiresAt } from '../../src/mandat/mandat.ts'
import { archiveJwks } from '../../src/oidc/connexion.ts'
import { newWitness, pemKey } from '../support/arbre.ts'
import { startServer, type TestServer } from '../support/database.ts'
import { type Program, ROOT, start } from '../support/processes.ts'

const KILLS = 20
const WRITERS = 8
const MANDATS = 4

let server: TestServer
let service: Program
let url: string
let cookie: string
const journalKey = pemKey()
const mandats: string[] = []

beforeAll(async () => {
  server = await startServer()
  // Whoever runs the server may have made it forgetful: what the service acknowledges must be durable all the same.
  await server.adminSql`alter role traitdunion_app set synchronous_commit = off`
  const { aidantId, structureId } = await tell()
  const db = openDb({ url: server.url, connections: 1 })
  cookie = `session=${await db.tx({ kind: 'portier' }, (tx) => openSession(tx, { aidantId, structureId }))}`
  for (let n = 0; n < MANDATS; n++) mandats.push(await sign(db, aidantId, structureId))
  await db.close()

  const port = await freePort()
  url = `http://localhost:${port}`
  const environment = {
    PORT: String(port),
    HOST: 'localhost',
    PUBLIC_URL: url,
    DATABASE_URL: server.url,
    SEAL_KEYS: JSON.stringify({ keys: (await openKeys()).jwks() }),
    JOURNAL_KEY: journalKey,
    DATABASE_SEQUENCER_URL: server.sequencerUrl,
    SECRETS_KEY: randomBytes(32).toString('base64url'),
    SMTP_URL: 'smtp://localhost',
    MAIL_FROM: 'essais@localhost',
    FRANCECONNECT_ISSUER: 'http://127.0.0.1:9/api/v2',
    FRANCECONNECT_CLIENT_ID: randomBytes(32).toString('hex'),
    FRANCECONNECT_CLIENT_SECRET: randomBytes(32).toString('hex'),
    EDITEUR: 'Essais',
    CONTACT: 'essais@figeac.fr',
  }
  service = start(process.execPath, ['--import', 'tsx', 'src/main.ts'], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, ...environment },
  })
  await service.until('"demarrage"')
})
afterAll(async () => {
  service?.child.kill('SIGKILL')
  await service?.ended
  await server?.stop()
})

async function tell() {
  const [structure] = await server.adminSql<{ id: string }[]>`
    insert into structure (nom, siret, adresse, telephone)
    values ('CCAS de Figeac', '26460102500018', '5 rue de Colomb, 46100 Figeac', '0565340000')
    returning id`
  const [aidant] = await server.adminSql<{ id: string }[]>`
    insert into aidant (email, prenom, nom, cgu_version, cgu_accepted_at)
    values ('thomas@figeac.demo', 'Thomas', 'Lacombe', ${CGU_VERSION}, horloge())
    returning id`
  await server.adminSql`insert into habilitation (aidant_id, structure_id) values (${aidant!.id}, ${structure!.id})`
  return { aidantId: aidant!.id, structureId: structure!.id }
}

/** A mandat in force, its words left out. */
async function sign(db: ReturnType<typeof openDb>, aidantId: string, structureId: string): Promise<string> {
  const [usager] = await server.adminSql<{ id: string }[]>`
    insert into usager (sub, prenoms, nom_naissance, birthdate)
    values (${randomUUID()}, '{Jeanne}', 'Valadié', '1950-03-12')
    returning id`
  await server.adminSql`insert into dossier (structure_id, usager_id) values (${structureId}, ${usager!.id})`
  const mandat = { id: randomUUID(), structureId, usagerId: usager!.id }
  const jwksId = await archiveJwks(db, '{"keys":[]}')
  await db.tx({ kind: 'aidant', aidantId, structureId }, async (tx) => {
    const signedAt = aLaSeconde(tx.now)
    const end = expiresAt(signedAt, 'mois', 'Europe/Paris')
    const line = await append(tx, { action: 'mandat_signe', mandat, contenu: { duree: 'mois' } })
    await tx.sql`
      insert into mandat (id, structure_id, usager_id, aidant_id, duree, signed_at, expires_at, statut_bloc, journal_id)
      values (${mandat.id}, ${structureId}, ${mandat.usagerId}, ${aidantId}, 'mois', ${signedAt}, ${end}, bloc_libre(), ${line.id})`
    await tx.sql`
      insert into autorisation (mandat_id, structure_id, usager_id, thematique, signed_at, expires_at, journal_id)
      values (${mandat.id}, ${structureId}, ${mandat.usagerId}, 'logement', ${signedAt}, ${end}, ${line.id})`
    await tx.sql`
      insert into mandat_contenu (mandat_id, structure_id, usager_id, sceau, conditions, id_token, jwks_id, texte, identite, structure, aidant, accord)
      values (${mandat.id}, ${structureId}, ${mandat.usagerId}, '', '{}', '', ${jwksId}, '', '{}', '{}', '{}', '{}')`
  })
  return mandat.id
}

/** Below the ports that outgoing connections take. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(15_000, 32_000)
    const probe = createServer()
    const free = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false))
      probe.listen(port, 'localhost', () => resolve(true))
    })
    if (!free) continue
    await new Promise((resolve) => probe.close(resolve))
    return port
  }
}

/** One sending of the form: what the service acknowledges, or undefined when it says to come back. */
async function note(mandatId: string, envoi: string): Promise<string | undefined> {
  const response = await fetch(`${url}/mandats/${mandatId}/demarches/nouvelle`, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie, origin: url, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      demarche: 'autre',
      titre: 'Une lettre',
      thematique: 'logement',
      resultat: 'deposee',
      encore: 'oui',
      envoi,
    }).toString(),
  })
  const page = await response.text()
  if (response.status === 303) return new URL(response.headers.get('location')!, url).searchParams.get('notee')!
  if (response.status !== 503 || !response.headers.has('retry-after'))
    throw new Error(`${response.status}: ${page.slice(0, 300)}`)
  return undefined
}

describe(`PostgreSQL tué ${KILLS} fois sous les écritures`, { timeout: 240_000 }, () => {
  it('rien d’acquitté ne manque, rien n’est deux fois, et le service reprend en moins de 2 s', async () => {
    const acknowledged = new Map<string, { id: string; mandatId: string }>()
    const failures: unknown[] = []
    let sentAgain = 0
    let last = 0
    let over = false
    const writers = Array.from({ length: WRITERS }, async (_, writer) => {
      for (let n = writer; !over; n++) {
        const envoi = randomUUID()
        const mandatId = mandats[n % MANDATS]!
        for (let id: string | undefined; !id; ) {
          id = await note(mandatId, envoi).catch((error) => void failures.push(error))
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
      while (last < back && performance.now() - back < 10_000) await sleep(5)
      slow.push(Math.round(last - back))
      told.add(await cosign(tree, witness.witness, () => {}, witness.post))
    }
    over = true
    await Promise.all(writers)

    if (process.env.VERBOSE) console.log({ acknowledged: acknowledged.size, sentAgain, slow })
    expect(failures).toEqual([])
    expect(slow).toHaveLength(KILLS)
    expect(Math.max(...slow)).toBeLessThan(2000)
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
    const deadline = performance.now() + 15_000
    while ((await tree.tx({ kind: 'sequencer' }, findRetard)).enAttente > 0 && performance.now() < deadline) await sleep(100)
    told.add(await cosign(tree, witness.witness, () => {}, witness.post))
    await tree.close()
    expect([...told].filter((one) => !['temoigne', 'rien_de_neuf'].includes(one))).toEqual([])
    const admin = openDb({ url: server.adminUrl, connections: 1 })
    const verified = await verifyDatabase(admin, { log: log.vkey, reading: 'contenus', seen: [witness.seen()!] })
    await admin.close()
    const [all] = await adminSql<{ n: number }[]>`select count(*)::int as n from journal`
    expect([verified.fault, verified.counts.lignes, verified.counts.attente]).toEqual([undefined, all!.n, 0])
  })
})
