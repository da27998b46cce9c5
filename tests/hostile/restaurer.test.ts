import * as fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createApp } from '../../src/app.ts'
import { openDb } from '../../src/db.ts'
import { recordDemarche } from '../../src/demarche/record.ts'
import { startDemo } from '../../src/demo/demo.ts'
import { parseCheckpoint } from '../../src/journal/checkpoint.ts'
import { cosign } from '../../src/journal/cosign.ts'
import { openSigner } from '../../src/journal/note.ts'
import { parsePolicy } from '../../src/journal/policy.ts'
import { fileOf } from '../../src/journal/witness-store.ts'
import { openTree } from '../support/arbre.ts'
import { openDatabase, scratch } from '../support/database.ts'
import { type Ran, ROOT, start } from '../support/processes.ts'
import { newWorld, ok, type Told, uneDemarche, type World } from '../support/world.ts'

// Many commands, each a process of its own.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

/** A demonstration's folder as its owner has it, and the commands as she types them. */
const folder = scratch('restaurer')
const dataDir = path.join(folder, '.data')
const cluster = path.join(dataDir, 'postgres', 'cluster')
const port = 20_000 + (process.pid % 10_000)
const backup = path.join(folder, 'sauvegarde')
const env = { PATH: process.env.PATH, HOME: process.env.HOME, DATA_DIR: dataDir } as NodeJS.ProcessEnv
const run = async (command: string, ...args: string[]): Promise<Ran> => {
  const { code, output } = await start(process.execPath, ['src/install.mjs', `src/${command}-command.ts`, ...args], {
    cwd: ROOT,
    env,
  }).ended
  return { code, output: output.replace(/[\u00a0\u202f]/g, ' ') }
}
const restore = (...args: string[]) => run('restore', ...args)
const secretsNow = () =>
  JSON.parse(fs.readFileSync(path.join(dataDir, 'demo.json'), 'utf8')) as {
    passwords: Parameters<typeof openDatabase>[1]
    journal: { cle: string; origine: string }
  }

/** The database and the witness of the folder, with a sequencer in this name of the journal. */
async function serve(nom = secretsNow().journal.origine) {
  const demo = await startDemo({ dataDir, port, reset: false, say: () => {} })
  const { passwords, journal } = secretsNow()
  const database = openDatabase(demo.environment.DATABASE_ADMIN_URL!, passwords)
  const tree = openTree(database, openSigner(journal.cle, nom))
  const db = openDb({ url: database.url })
  const [witness] = parsePolicy(demo.environment.JOURNAL_WITNESSES!).witnesses
  return {
    database: { ...database, drop: async () => {} },
    tree,
    db,
    cosign: () => cosign(tree.db, witness!, () => {}),
    record: async () => ok(await recordDemarche(db, world.as('thomas'), uneDemarche(told.id))).id,
    async stop() {
      await tree.sequencer.release()
      await Promise.all([tree.close(), db.close(), database.adminSql.end()])
      await demo.stop()
    },
  }
}

const origineAvant = () => `localhost:${port}/journal`
const witnessed = (nom: string) => parseCheckpoint(fs.readFileSync(path.join(dataDir, 'temoin', fileOf(nom)), 'utf8'))!.size
/** Demarches whose receipt was given before the moment that the backup names, and those of the following day. */
const before: string[] = []
const after: string[] = []
let world: World
let told: Told
let lost = 0

beforeAll(async () => {
  await (await startDemo({ dataDir, port, reset: false, say: () => {} })).stop()
  const served = await serve()
  const { tree, record } = served
  world = await newWorld({ database: served.database })
  told = await world.signMandat({ persona: 'josiane', perimetre: ['logement', 'famille'] })
  await tree.settle()
  const received: { id: string; at: number }[] = []
  let writing = true
  const writers = Array.from({ length: 4 }, async () => {
    while (writing) received.push({ id: await record(), at: Date.now() })
  })
  const sequencing = (async () => {
    while (writing) await tree.sequencer.turn()
  })()
  while (received.length < 20) await sleep(20)
  const made = await run('backup', '--vers', backup)
  writing = false
  await Promise.all([...writers, sequencing])
  expect(made).toMatchObject({ code: 0, output: expect.stringContaining('Sauvegarde entière et relue') })
  const { fin } = JSON.parse(fs.readFileSync(path.join(backup, 'manifeste.json'), 'utf8')) as { fin: string }
  for (const { id, at } of received) if (at < Date.parse(fin)) before.push(id)
  expect(before.length).toBeGreaterThanOrEqual(20)

  // A day goes on; the witness sees it.
  for (let i = 0; i < 5; i++) after.push(await record())
  await tree.settle()
  expect(await served.cosign()).toBe('temoigne')
  await world.close()
  await served.stop()
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 20 }))

describe('npm run backup', () => {
  it('ne contient aucune clé, dit où elles sont, et n’est lisible que de son propriétaire', () => {
    const secrets = fs.readFileSync(path.join(dataDir, 'demo.json'), 'utf8')
    const words = [...secrets.matchAll(/"(?:d|secretsKey|clientSecret)": "([^"]+)"/g)].map(([, word]) => word!)
    expect(words.length).toBeGreaterThanOrEqual(3)
    for (const name of fs.readdirSync(backup, { recursive: true, encoding: 'utf8' })) {
      const file = path.join(backup, name)
      if (!fs.statSync(file).isFile()) continue
      expect(fs.statSync(file).mode & 0o077).toBe(0)
      const bytes = fs.readFileSync(file)
      for (const word of words) expect([name, bytes.includes(word)]).toEqual([name, false])
    }
    expect(fs.statSync(backup).mode & 0o077).toBe(0)
  })

  it('ne se fait pas sans service, ni par-dessus une autre', async () => {
    expect(await run('backup', '--vers', path.join(folder, 'autre'))).toMatchObject({
      code: 2,
      output: expect.stringContaining('npm start'),
    })
    const demo = await startDemo({ dataDir, port, reset: false, say: () => {} })
    const again = await run('backup', '--vers', backup)
    await demo.stop()
    expect(again).toMatchObject({ code: 2, output: expect.stringContaining('existe déjà') })
  })
})

describe('npm run restore', () => {
  it('refuse de remplacer une base : celle qui tourne, celle qui est arrêtée', async () => {
    const demo = await startDemo({ dataDir, port, reset: false, say: () => {} })
    const live = await restore(backup, '--accepter-la-perte')
    await demo.stop()
    expect(live).toMatchObject({ code: 1, output: expect.stringContaining('tourne (processus') })
    expect(await restore(backup, '--accepter-la-perte')).toMatchObject({
      code: 1,
      output: expect.stringContaining('Il y a déjà une base'),
    })
  })

  it('refuse une sauvegarde abîmée ou incomplète, et n’en laisse rien', async () => {
    fs.renameSync(cluster, `${cluster}.gardee`)
    const copy = path.join(folder, 'abimee')
    const names = fs.readdirSync(path.join(backup, 'cluster'), { recursive: true, encoding: 'utf8' })
    const table = names.find(
      (name) => /^base\/\d+\/\d+$/.test(name) && fs.statSync(path.join(backup, 'cluster', name)).size > 8192,
    )!
    const wal = names.find((name) => /^pg_wal\/[0-9A-F]{24}$/.test(name))!
    const flip = (name: string) => {
      const file = path.join(copy, name)
      const bytes = fs.readFileSync(file)
      bytes[bytes.length >> 1]! ^= 1
      fs.writeFileSync(file, bytes)
    }
    const damages: [string, RegExp, () => void][] = [
      ['un bit d’une table', /abîmée : cluster\/base/, () => flip(`cluster/${table}`)],
      ['un bit du WAL', /abîmée : cluster\/pg_wal/, () => flip(`cluster/${wal}`)],
      [
        'un mot du manifeste',
        /abîmée : manifeste.json/,
        () => {
          const file = path.join(copy, 'manifeste.json')
          fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('"fin":"20', '"fin":"19'))
        },
      ],
      ['un fichier coupé', /abîmée : cluster\/base/, () => fs.truncateSync(path.join(copy, 'cluster', table), 8192)],
      ['un fichier de moins', /incomplète : cluster\/base/, () => fs.rmSync(path.join(copy, 'cluster', table))],
      [
        'un fichier de plus',
        /abîmée : cluster\/standby.signal/,
        () => fs.writeFileSync(path.join(copy, 'cluster/standby.signal'), ''),
      ],
      ['interrompue', /pas une sauvegarde entière/, () => fs.rmSync(path.join(copy, 'manifeste.json'))],
    ]
    for (const [name, sentence, damage] of damages) {
      fs.rmSync(copy, { recursive: true, force: true })
      fs.cpSync(backup, copy, { recursive: true })
      damage()
      const { code, output } = await restore(copy, '--accepter-la-perte')
      expect([name, code, output]).toEqual([name, 1, expect.stringMatching(sentence)])
      expect([fs.existsSync(cluster), fs.existsSync(path.join(dataDir, 'restauration'))]).toEqual([false, false])
    }
  })

  it('sans demo.json, dit que les clés sont gardées à part', async () => {
    const file = path.join(dataDir, 'demo.json')
    fs.renameSync(file, `${file}.ailleurs`)
    const refused = await restore(backup)
    fs.renameSync(`${file}.ailleurs`, file)
    expect(refused).toMatchObject({ code: 2, output: expect.stringContaining('les clés ne sont pas dans la sauvegarde') })
  })

  it('la sauvegarde d’hier se voit devant le témoin : elle est refusée, et dit combien de lignes manquent', async () => {
    const { code, output } = await restore(backup)
    const [, tenues, vues, perdues] =
      /tient (\d+) lignes du journal, et les témoins en ont vu (\d+) : les (\d+) dernières au moins/.exec(output) ?? []
    expect([code, Number(vues)]).toEqual([1, witnessed(origineAvant())])
    lost = Number(perdues)
    expect(lost).toBe(Number(vues) - Number(tenues))
    expect(lost).toBeGreaterThanOrEqual(after.length)
    expect(fs.existsSync(cluster)).toBe(false)
    expect(secretsNow().journal.origine).toBe(origineAvant())
  })

  it('sans rien du témoin, rien n’est restauré tant qu’on ne le dit pas', async () => {
    const kept = path.join(dataDir, 'temoin')
    fs.renameSync(kept, `${kept}.muet`)
    const refused = await restore(backup)
    fs.renameSync(`${kept}.muet`, kept)
    expect(refused).toMatchObject({ code: 1, output: expect.stringContaining('Aucun témoin à qui comparer') })
  })

  it('un essai vérifie tout et ne laisse rien', async () => {
    const tried = await restore(backup, '--essai', '--accepter-la-perte')
    expect(tried).toMatchObject({ code: 0, output: expect.stringContaining('Essai réussi') })
    expect([fs.existsSync(cluster), secretsNow().journal.origine]).toEqual([false, origineAvant()])
  })

  it('acceptée, la perte est dite ; tout ce qui était enregistré y est, et le journal continue sous un autre nom', async () => {
    const restored = await restore(backup, '--accepter-la-perte')
    expect(restored.output).toContain(`les ${lost} dernières au moins sont perdues`)
    expect(restored.code).toBe(0)
    const nom = secretsNow().journal.origine
    expect(nom).toMatch(/^localhost:\d+\/journal\/\d{8}T\d{6}Z$/)

    const served = await serve()
    const { tree, database } = served
    const rows = await database.adminSql<{ id: string }[]>`select id from demarche`
    const ids = new Set(rows.map(({ id }) => id))
    expect(before.filter((id) => !ids.has(id))).toEqual([])
    expect(after.filter((id) => ids.has(id))).toEqual([])

    // The service goes on: lines are placed once each, the witness follows the new name, and what is lost stays said.
    await served.record()
    await tree.settle()
    expect(await served.cosign()).toBe('temoigne')
    const [twice] =
      await database.adminSql`select count(*)::int as n, count(distinct journal_id)::int as d, (select count(*)::int from journal) as all from journal_feuille`
    expect([twice!.n, twice!.d]).toEqual([twice!.all, twice!.all])
    expect(witnessed(nom)).toBe(twice!.all)
    const verified = await run(
      'journal',
      'verify',
      '--temoin',
      path.join(dataDir, 'temoin', fileOf(nom, 'points')),
      '--temoin',
      path.join(dataDir, 'temoin', fileOf(origineAvant(), 'points')),
    )
    expect(verified.output).toContain(`les ${lost} dernières au moins sont perdues`)
    expect(verified.code).toBe(0)
    const app = createApp({ db: served.db, config: world.config, oidc: { franceconnect: world.provider }, log: () => {} })
    const page = await app.request('/journal')
    expect((await page.text()).replace(/[\u00a0\u202f]/g, ' ')).toContain(`les ${lost} dernières au moins sont perdues`)

    // A bundle tells it as well, without a database.
    const bundle = path.join(folder, 'paquet')
    expect((await run('journal', 'export', '--vers', bundle)).code).toBe(0)
    const elsewhere = await run(
      'journal',
      'verify',
      '--bundle',
      bundle,
      '--temoin',
      path.join(dataDir, 'temoin', fileOf(nom, 'points')),
    )
    expect(elsewhere).toMatchObject({ code: 0, output: expect.stringContaining(`les ${lost} dernières au moins sont perdues`) })
    const hidden = fs.readFileSync(bundle, 'utf8').replace(/("vues":\{[^}]*:)\d+/, '$10')
    fs.writeFileSync(bundle, hidden)
    expect((await run('journal', 'verify', '--bundle', bundle)).code).toBe(1)

    await served.stop()
  })

  it('sous l’ancien nom, la base n’accepte plus aucun point de contrôle', async () => {
    const served = await serve(origineAvant())
    await served.record()
    const refused = served.tree.sequencer.turn()
    await expect(refused).rejects.toMatchObject({ constraint_name: 'journal_point_nom' })
    await served.stop()
  })
})
