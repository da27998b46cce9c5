import { type Db, isBusy, type Tx } from '../db.ts'
import { failure, type Log } from '../http/log.ts'
import { startTurns } from '../turns.ts'
import { signCheckpoint } from './checkpoint.ts'
import { growTree, type Hash, type Tree } from './merkle.ts'
import type { Signer } from './note.ts'
import { collectTiles } from './tiles.ts'
import { readTree } from './tree-queries.ts'

/** A holder that dies is replaced after this; one that stalls inside its transaction, when the server ends it (5 s). */
const LEASE_MS = 4_000
const IDLE_MS = 200
const BATCH = 4_096

type FullTile = { level: number; index: number; hashes: Buffer; root: Hash }
/** What the holder of a lease remembers between two batches; forgotten at any doubt. */
type Memory = {
  epoch: number
  tree: Tree
  full: FullTile[]
  /** One transaction that wrote more than a batch is taken in several, in order of id. */
  backlog?: { upto: string; after: number }
}
type Batch = { held: boolean; count: number; more: boolean }

export type Sequencer = {
  /** One turn: takes or keeps the lease, and gives their leaves to lines that wait. */
  turn(): Promise<Batch>
  /** Lets the lease go at once. */
  release(): Promise<void>
}

/**
 * Gives each line its place in the tree (journal.md): lines of transactions that are all over (xid below the oldest one running), in order of
 * id, with the tiles they fill and one signed checkpoint, all in one transaction. `holder` is drawn for this process.
 */
export function openSequencer({
  db,
  signer,
  holder,
  batch = BATCH,
}: {
  db: Db
  signer: Signer
  holder: string
  batch?: number
}): Sequencer {
  let memory: Memory | undefined

  const take = (): Promise<Batch> =>
    db
      .tx({ kind: 'sequencer' }, async (tx) => {
        const lease = await takeLease(tx, holder)
        if (!lease) return { held: false, count: 0, more: false }
        const known = memory?.epoch === lease.epoch ? memory : await remember(tx, lease.epoch)
        memory = undefined // until this is committed
        const { upto, after } = known.backlog ?? { upto: await findUpto(tx, lease, batch), after: 0 }

        const leaves = await place(tx, known, { from: lease.horizon, upto, after }, batch)
        const whole = leaves.length < batch
        if (leaves.length > 0) await insertPoint(tx, known, signer)
        if (whole && upto !== lease.horizon) await tx.sql`update journal_bail set horizon = ${upto}::xid8`
        return {
          held: true,
          count: leaves.length,
          more: !whole || upto !== lease.xmin,
          next: { ...known, backlog: whole ? undefined : { upto, after: leaves.at(-1)!.journalId } } as Memory,
        }
      })
      .then(({ next, ...done }: Batch & { next?: Memory }) => {
        memory = next
        return done
      })

  return {
    async turn() {
      try {
        const wanted = memory?.backlog !== undefined || (await db.tx({ kind: 'sequencer' }, (tx) => isWanted(tx, holder)))
        return wanted ? await take() : { held: memory !== undefined, count: 0, more: false }
      } catch (error) {
        memory = undefined
        throw error
      }
    },
    async release() {
      memory = undefined
      await db.tx(
        { kind: 'sequencer' },
        (tx) => tx.sql`
        update journal_bail
        set titulaire = null, jusqu_a = null
        where titulaire = ${holder}`,
      )
    },
  }
}

async function remember(tx: Tx, epoch: number): Promise<Memory> {
  const { size, peaks, open } = await readTree(tx)
  const full: FullTile[] = []
  const tree = growTree(
    collectTiles((tile) => void full.push(tile), open),
    { size, peaks },
  )
  return { epoch, tree, full }
}

/** Of transactions from..upto and ids beyond `after`; or of all, with ids after..last. */
type Lines = { from: string; upto: string; after: number } | { after: number; last: number }
type Leaf = { leafIndex: number; journalId: number; hash: Hash }

/** Gives the first `batch` of these lines their leaves, and writes the tiles that they fill. */
async function place(tx: Tx, { tree, full, epoch }: Memory, lines: Lines, batch: number): Promise<Leaf[]> {
  const leaves = await insertLeaves(tx, lines, { size: tree.size, epoch, batch })
  for (const { hash } of leaves) tree.push(hash)
  await Promise.all(full.splice(0).map((tile) => insertTile(tx, tile)))
  return leaves
}

async function insertPoint(tx: Tx, { tree, epoch }: Memory, signer: Signer): Promise<void> {
  const root = tree.root()
  const note = signCheckpoint(signer, { origin: signer.vkey.name, size: tree.size, root })
  await tx.sql`
    insert into journal_point (taille, racine, epoch, note)
    values (${tree.size}, ${root}, ${epoch}, ${note})`
}

const IDS = 20_000

/**
 * Every line that has no leaf, whatever its transaction, under one checkpoint. Only for a restored database, whose transaction ids may not be
 * those that wrote its lines: in a transaction that keeps all writers out.
 */
export async function placeAll(tx: Tx, signer: Signer, epoch: number): Promise<void> {
  const known = await remember(tx, epoch)
  const [journal] = await tx.sql<{ last: number }[]>`select max(id) as last from journal`
  // Piece by piece, whatever the size of the journal: each statement stays short.
  for (let after = 0; after < journal!.last; after += IDS) await place(tx, known, { after, last: after + IDS }, IDS)
  await insertPoint(tx, known, signer)
}

/** Without writing: whether the lease is to be taken or renewed, or is ours with lines that wait. */
async function isWanted(tx: Tx, holder: string): Promise<boolean> {
  const [row] = await tx.sql<{ wanted: boolean }[]>`
    select case
        when titulaire is null or jusqu_a < clock_timestamp() then true
        when titulaire <> ${holder} then false
        when jusqu_a < clock_timestamp() + ${LEASE_MS / 2} * interval '1 millisecond' then true
        else exists (
          select 1
          from journal j
          where j.xid >= b.horizon and j.xid < pg_snapshot_xmin(pg_current_snapshot())
            and not exists (select 1 from journal_feuille f where f.journal_id = j.id offset 0))
      end as wanted
    from journal_bail b`
  return row!.wanted
}

type Lease = { epoch: number; horizon: string /** Of the oldest transaction that runs. */; xmin: string }

/** Holds the lease's row to the end of the transaction: whoever else asks waits, then sees that it is taken. */
async function takeLease(tx: Tx, holder: string): Promise<Lease | undefined> {
  const [lease] = await tx.sql<Lease[]>`
    update journal_bail
    set epoch = case when titulaire = ${holder} then epoch else epoch + 1 end,
      titulaire = ${holder},
      jusqu_a = clock_timestamp() + ${LEASE_MS} * interval '1 millisecond'
    where titulaire is null or titulaire = ${holder} or jusqu_a < clock_timestamp()
    returning epoch, horizon::text, pg_snapshot_xmin(pg_current_snapshot())::text as xmin`
  return lease
}

/** Below which transaction the lines of this turn are: the oldest that runs or, of a long backlog, the one where a batch is full. */
async function findUpto(tx: Tx, { horizon, xmin }: Lease, batch: number): Promise<string> {
  const [row] = await tx.sql<{ xid: string }[]>`
    select xid::text
    from journal
    where xid > ${horizon}::xid8 and xid < ${xmin}::xid8
    order by journal.xid
    offset ${Math.max(0, batch - 2)}
    limit 1`
  return row?.xid ?? xmin
}

/** The entry's hash is taken where the entry is; the trigger of the table refuses any other, and any place but the next. */
async function insertLeaves(
  tx: Tx,
  lines: Lines,
  { size, epoch, batch }: { size: number; epoch: number; batch: number },
): Promise<Leaf[]> {
  const { after } = lines
  const which =
    'last' in lines
      ? tx.sql`j.id > ${after} and j.id <= ${lines.last}`
      : tx.sql`j.xid >= ${lines.from}::xid8 and j.xid < ${lines.upto}::xid8 and j.id > ${after}`
  const leaves = await tx.sql<Leaf[]>`
    with pretes as (
      select j.id, j.entry
      from journal j
      where ${which}
        -- offset 0: each line looks for its own leaf; a join would read all the leaves there are.
        and not exists (select 1 from journal_feuille f where f.journal_id = j.id offset 0)
      order by j.id
      limit ${batch})
    insert into journal_feuille (leaf_index, journal_id, epoch, hash)
    select ${size}::bigint + row_number() over (order by id) - 1, id, ${epoch}, sha256(decode('00', 'hex') || entry)
    from pretes
    returning leaf_index, journal_id, hash`
  return [...leaves].sort((a, b) => a.leafIndex - b.leafIndex)
}

const insertTile = (tx: Tx, { level, index, hashes, root }: FullTile) => tx.sql`
  insert into journal_tuile (niveau, numero, hashes, racine)
  values (${level}, ${index}, ${hashes}, ${root})`

/** Turns until told to stop; a failure is said, and the next turn begins anew. */
export function startSequencer(sequencer: Sequencer, log: Log): { stop(): Promise<void> } {
  const failed = (error: unknown) => log('warn', { event: 'tache_echouee', reason: 'sequenceur', ...failure(error) })
  const turns = startTurns(() =>
    sequencer.turn().then(
      ({ more }) => (more ? 0 : IDLE_MS),
      (error: unknown) => {
        // Another holds the lease at this very moment: nothing is wrong.
        if (!isBusy(error)) failed(error)
        return IDLE_MS
      },
    ),
  )
  return {
    async stop() {
      await turns.stop()
      await sequencer.release().catch(failed)
    },
  }
}
