import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openDossier } from '../../src/audit/open.ts'
import { openDb } from '../../src/db.ts'
import { recordActeHorsMandat, recordDemarche } from '../../src/demarche/record.ts'
import { stopMandat } from '../../src/mandat/stop.ts'
import { printPapier } from '../../src/papier/print.ts'
import { eraseUsager } from '../../src/usager/erase.ts'
import { startServer, type TestServer } from '../support/database.ts'
import { ROOT } from '../support/processes.ts'
import { newWorld, ok, type Told, uneDemarche, type World } from '../support/world.ts'

/*
 * Whoever copies the disk after an erasure finds nothing of the person in the files of the database: tables, indexes, statistics of the planner, log of
 * transactions, log of the server. By bytes, on a server of its own.
 */

/** What she is and what is said of her, in words that stand nowhere else. */
const CANARIES = [
  'rakotondrainibe',
  'razafindrakotoarison',
  'voahangy',
  'quetzal',
  'ornithorynque',
  'axolotl',
  'pangolin-7',
  'tapir',
  'wombat',
]

let server: TestServer
let world: World
let told: Told
let sub: string
/** What held her words before the checkpoint, which lets go of the log of transactions that it no longer needs. */
let before: string[]
beforeAll(async () => {
  server = await startServer()
  world = await newWorld({ database: server })
  await asDocumented('installation')
  // Compressed, a word would not be found, nor found missing.
  for (const { statement } of await world.sql<{ statement: string }[]>`
    select format('alter table %I alter column %I set storage external', c.relname, a.attname) as statement
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attstorage = 'x'
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'`)
    await world.sql.unsafe(statement)
  await world.signMandat({ persona: 'marcel' })
  told = await world.signMandat({
    persona: 'voahangy',
    perimetre: ['logement', 'famille'],
    suivi: 'email',
    contact: 'quetzal@exemple.fr',
  })
  const thomas = world.as('thomas')
  const words = { titre: 'Dossier ornithorynque', note: 'Elle dit axolotl', reference: 'pangolin-7' }
  ok(await recordDemarche(world.db, thomas, uneDemarche(told.id, 'logement', words)))
  ok(await recordActeHorsMandat(world.db, thomas, uneDemarche(told.id, 'papiers'), 'Parce que tapir'))
  ok(await printPapier(world.db, thomas, { mandatId: told.id, papier: 'pour-vous' }, world.signer))
  const opening = { usagerId: told.usagerId, motif: 'autre', precision: 'Au sujet de wombat', envoi: told.id } as const
  ok(await openDossier(world.db, world.asReferent('nadia'), opening))
  await world.draft({ persona: 'voahangy', upTo: 'identite' })
  sub = (await world.sql<{ sub: string }[]>`select sub from usager where id = ${told.usagerId}`)[0]!.sub
  await world.sql`analyze`
  before = filesHolding()
  await world.sql`checkpoint`
})
afterAll(async () => {
  await world.close()
  await server.stop()
})

/** Base64 of a word wherever it begins in a group of three: what a JWS says is written so. */
const encoded = (word: string) =>
  [0, 1, 2].map((shift) =>
    Buffer.from(`${' '.repeat(shift)}${word}`)
      .toString('base64url')
      .slice(shift === 0 ? 0 : shift + 1, -2),
  )

/** Files of the server, from its folder, that hold a word of hers, whatever its case, or encoded. */
function filesHolding(): string[] {
  const spelt = ['Voahangy', 'RAKOTONDRAINIBE', 'Rakotondrainibe'].flatMap(encoded)
  const found: string[] = []
  for (const name of readdirSync(server.directory, { recursive: true, encoding: 'utf8', withFileTypes: true })) {
    if (!name.isFile()) continue
    const file = path.join(name.parentPath, name.name)
    const text = readFileSync(file, 'latin1')
    const lower = text.toLowerCase()
    const words = [...CANARIES.filter((word) => lower.includes(word)), ...[...spelt, sub].filter((word) => text.includes(word))]
    if (words.length > 0) found.push(`${path.relative(server.directory, file)}: ${words.join(' ')}`)
  }
  return found.sort()
}

/** Runs the statements that docs/exploitation.md gives for this moment. */
async function asDocumented(moment: 'installation' | 'ménage') {
  const text = readFileSync(path.join(ROOT, 'docs/exploitation.md'), 'utf8')
  const [, after] = text.split(`<!-- essai : effacement, ${moment} -->`)
  const [, block] = /```sql\n([^`]*)```/.exec(after!)!
  for (const statement of block!.replace(/^\s*--.*$/gm, '').split(';')) if (statement.trim()) await world.sql.unsafe(statement)
}

it('la recherche trouve ce qu’elle cherche : dans les tables, et dans le journal des transactions', () => {
  const places = filesHolding()
  for (const word of CANARIES)
    expect([word, places.some((one) => one.includes(`cluster/base/`) && one.includes(word))]).toEqual([word, true])
  expect(before.some((one) => one.includes('cluster/pg_wal/'))).toBe(true)
})

it('après l’effacement et le ménage décrit, plus un octet d’elle, ni dans les fichiers, ni dans les transactions, ni dans les logs', async () => {
  ok(await stopMandat(world.db, await world.asUsager('voahangy'), { mandatId: told.id }))
  const operator = openDb({ url: server.operatorUrl, connections: 1 })
  ok(await eraseUsager(operator, { numero: told.id, motif: 'demande', confirmed: true }))
  await operator.close()
  // Erased is not yet gone: that is why the rest is described.
  await world.sql`vacuum`
  await world.sql`checkpoint`
  expect(filesHolding()).not.toEqual([])

  await asDocumented('ménage')
  expect(filesHolding()).toEqual([])
  const said = JSON.stringify([world.log, await world.messages()]).toLowerCase()
  expect(CANARIES.filter((word) => said.includes(word))).toEqual([])
  // Marcel is still there: what was looked for is hers.
  expect(await world.tablesHolding('marcel')).toEqual(expect.arrayContaining(['usager', 'mandat_contenu']))
})
