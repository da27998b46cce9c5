import { randomBytes, randomUUID } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { type Db, openDb } from '../../src/db.ts'
import { startPostgres } from '../../src/demo/postgres.ts'
import { append } from '../../src/journal/append.ts'
import { openSigner } from '../../src/journal/note.ts'
import { NO_WITNESS } from '../../src/journal/policy.ts'
import { proveLine } from '../../src/journal/prove.ts'
import { openSequencer, startSequencer } from '../../src/journal/sequence.ts'
import { asRole, bootstrap, migrate, onDatabase, type Passwords } from '../../src/migrate.ts'
import { pemKey } from '../support/arbre.ts'
import { ROOT, start } from '../support/processes.ts'
import { addLines, openLines } from './lines.ts'

const WRITERS = 32
const WRITING_MS = 15_000
const SIZES = [1_000, 100_000, 1_000_000]
const PROOFS = 200
const ORIGIN = 'mesure.exemple/journal'

/** What the journal costs: placing lines under writers, proving one, verifying all, in a database and in a bundle. */
export async function journalTimes(say: (line: string) => void): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), 'traitdunion-bench-'))
  chmodSync(directory, 0o711)
  const server = await startPostgres({ directory, temporary: true, settings: { max_wal_size: '8GB' } })
  const passwords: Passwords = { app: 'app', operator: 'operator', sequencer: 'sequencer', auditor: 'auditor' }
  const signer = openSigner(pemKey(), ORIGIN)
  const opened: { end(): Promise<void> }[] = []
  const open = async (name: string) => {
    const adminUrl = onDatabase(server.url, name)
    await bootstrap(adminUrl, passwords)
    const admin = postgres(adminUrl, { max: 1, onnotice: () => {} })
    await migrate(admin)
    const as = (role: keyof Passwords, connections: number) => {
      const db = openDb({ url: asRole(adminUrl, role, passwords), connections, waitMs: 30_000, random: randomBytes })
      opened.push({ end: db.close })
      return db
    }
    opened.push(admin)
    const tree = as('sequencer', 3)
    return {
      adminUrl,
      auditorUrl: asRole(adminUrl, 'auditor', passwords),
      admin,
      as,
      tree,
      sequencer: openSequencer({ db: tree, signer, holder: randomUUID() }),
    }
  }
  try {
    const lived = await open('ecritures')
    say(await lagUnderWriters(lived))

    const large = await open('volume')
    await openLines(large.admin)
    let from = 0
    for (const size of SIZES) {
      await addLines(large.admin, from, size)
      await large.admin`vacuum analyze`
      const began = performance.now()
      for (let placed = 0; placed < size - from; ) placed += (await large.sequencer.turn()).count
      const rate = ((size - from) / (performance.now() - began)) * 1000
      if (size === SIZES.at(-1)) say(`ranger un retard de ${nombre(size - from)} lignes : ${nombre(rate)} lignes par seconde`)
      from = size
      say(await proofAt(large.tree, { signer, policy: NO_WITNESS }, size))
      if (size === SIZES[0]) continue
      const vkey = signer.vkey.text
      const bundle = path.join(directory, 'paquet')
      const env = { DATABASE_ADMIN_URL: large.adminUrl }
      await journal(['export', '--cle', vkey, '--contenus', '--vers', bundle], env)
      say(`vérifier ${nombre(size)} lignes, base, contenus relus : ${await verified(['--cle', vkey], env)}`)
      say(
        `vérifier ${nombre(size)} lignes, base, comme l’auditeur : ${await verified(['--cle', vkey], { DATABASE_AUDITOR_URL: large.auditorUrl })}`,
      )
      say(`vérifier ${nombre(size)} lignes, paquet, contenus relus : ${await verified(['--cle', vkey, '--bundle', bundle], {})}`)
    }
  } finally {
    for (const one of opened) await one.end()
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

const nombre = (count: number) => new Intl.NumberFormat('fr-FR').format(Math.round(count)).replaceAll(/\s/g, ' ')
const rank = (list: number[], part: number) => list.toSorted((a, b) => a - b)[Math.floor((list.length - 1) * part)]!

/** Lines are written as fast as they can be by 32 writers, in the process that sequences, as in the service: from each commit to its leaf. */
async function lagUnderWriters({
  admin,
  as,
  sequencer,
}: {
  admin: postgres.Sql
  as(role: 'app', connections: number): Db
  sequencer: ReturnType<typeof openSequencer>
}) {
  const db = as('app', 8)
  const committed = new Map<number, number>()
  const placed = new Map<number, number>()
  const end = performance.now() + WRITING_MS
  const running = startSequencer(sequencer, () => {})
  const writers = Array.from({ length: WRITERS }, async () => {
    while (performance.now() < end) {
      const { id } = await db.tx({ kind: 'worker' }, (tx) => append(tx, { action: 'cle_publiee', contenu: { essai: 'mesure' } }))
      committed.set(id, performance.now())
    }
  })
  const watcher = (async () => {
    for (let next = 0; performance.now() < end || placed.size < committed.size; ) {
      const rows = await admin<{ id: string; index: string }[]>`
        select journal_id as id, leaf_index as index from journal_feuille where leaf_index >= ${next} order by leaf_index`
      const now = performance.now()
      for (const { id } of rows) placed.set(Number(id), now)
      next = Number(rows.at(-1)?.index ?? next - 1) + 1
      await sleep(10)
    }
  })()
  await Promise.all([...writers, watcher])
  await running.stop()
  const lags = [...committed].map(([id, at]) => Math.max(0, placed.get(id)! - at))
  return `du commit à l’arbre, ${WRITERS} écrivains (${nombre((committed.size / WRITING_MS) * 1000)} lignes par seconde) : ${rank(lags, 0.5).toFixed(0)} ms, p99 ${rank(lags, 0.99).toFixed(0)} ms (visé : 2 000)`
}

/** One line drawn among all of them, its proof read as the service reads it; the rows are those PostgreSQL says it read. */
async function proofAt(tree: Db, log: Parameters<typeof proveLine>[2], size: number): Promise<string> {
  const times: number[] = []
  const rows: number[] = []
  for (let n = 0; n < PROOFS; n++) {
    const line = 1 + Math.floor((n * size) / PROOFS)
    await tree.tx({ kind: 'sequencer' }, async (tx) => {
      const read = async () => {
        const [sum] = await tx.sql<{ n: number }[]>`
          select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int as n from pg_stat_xact_user_tables`
        return sum!.n
      }
      const [before, began] = [await read(), performance.now()]
      const proven = await proveLine(tx, line, log, 'non_lu')
      times.push(performance.now() - began)
      if (!proven.ok) throw new Error(proven.refusal)
      rows.push((await read()) - before)
    })
  }
  return `preuve d’une ligne parmi ${nombre(size)} : ${rank(times, 0.5).toFixed(1)} ms, p99 ${rank(times, 0.99).toFixed(1)} ms (visé : 20), ${rank(rows, 0.5)} rangées lues, ${Math.max(...rows)} au plus`
}

/** The command itself, in a process of its own. */
async function journal(args: string[], env: Record<string, string>): Promise<string> {
  const { PATH, HOME } = process.env
  const { code, output } = await start(process.execPath, ['src/install.mjs', 'src/journal-command.ts', ...args], {
    cwd: ROOT,
    env: { PATH, HOME, ...env } as NodeJS.ProcessEnv,
  }).ended
  // 3: all is verified, and no witness was asked.
  if (code !== 0 && code !== 3) throw new Error(output)
  return output
}

async function verified(args: string[], env: Record<string, string>): Promise<string> {
  const { lignes, secondes, processeur, memoire } = JSON.parse(await journal(['verify', '--json', ...args], env)) as Record<
    string,
    number
  >
  return `${nombre(lignes! / processeur!)} lignes par seconde de processeur (visé : 100 000), ${nombre(lignes! / secondes!)} à la montre, ${memoire} Mio au plus`
}
