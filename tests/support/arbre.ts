import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Hono } from 'hono'
import { type Db, openDb } from '../../src/db.ts'
import { parseCheckpoint } from '../../src/journal/checkpoint.ts'
import { cosign, type Post } from '../../src/journal/cosign.ts'
import { cosignedAt, openSigner, type Signer, WITNESS_KEY } from '../../src/journal/note.ts'
import { openSequencer, type Sequencer } from '../../src/journal/sequence.ts'
import { findRetard } from '../../src/journal/tree-queries.ts'
import type { SeenPoint, Verified } from '../../src/journal/verify.ts'
import { verifyDatabase } from '../../src/journal/verify-database.ts'
import { witnessRoutes } from '../../src/journal/witness-routes.ts'
import type { WitnessStore } from '../../src/journal/witness-store.ts'

export const pemKey = () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
export const ORIGIN = 'mandats.exemple/journal'

/** A witness whose memory is a variable. */
export function newWitness(log: Signer, name = 'temoin.exemple/1') {
  const kept = new Map<string, string[]>()
  const store: WitnessStore = {
    read: (origin) => kept.get(origin)?.at(-1),
    readAll: (origin) => (kept.has(origin) ? new Blob(kept.get(origin)!).stream() : undefined),
    write: (origin, signed) => void kept.set(origin, [...(kept.get(origin) ?? []), signed]),
    alone: (_origin, _now, work) => work(),
  }
  const signer = openSigner(pemKey(), name, WITNESS_KEY)
  const app: Hono = witnessRoutes({ signer, logs: [log.vkey], store, now: () => new Date() })
  const post: Post = async (url, body) => {
    const answer = await app.request(new URL(url).pathname, { method: 'POST', body })
    return { status: answer.status, body: await answer.text() }
  }
  return {
    app,
    post,
    signer,
    store,
    /** As a policy names it. */
    witness: { name: 'un', vkey: signer.vkey, url: 'http://temoin.exemple' },
    forget: () => kept.clear(),
    seen: () => parseCheckpoint(store.read(log.vkey.name) ?? ''),
    /** Every checkpoint that it cosigned under this name, with when it says so. */
    all: (origin = log.vkey.name): SeenPoint[] =>
      (kept.get(origin) ?? []).map((signed) => {
        const checkpoint = parseCheckpoint(signed)!
        return { ...checkpoint, vu: cosignedAt(checkpoint.note.text, checkpoint.note.signatures, signer.vkey) }
      }),
  }
}

/** The tree over the journal of a database: its key, its sequencer, and how it is verified. */
export function openTree(
  urls: { sequencerUrl: string; auditorUrl: string; adminUrl: string },
  signer = openSigner(pemKey(), ORIGIN),
  options: { batch?: number } = {},
) {
  const db: Db = openDb({ url: urls.sequencerUrl, connections: 2 })
  const readers: Db[] = []
  const sequencer: Sequencer = openSequencer({ db, signer, holder: randomUUID(), ...options })
  return {
    db,
    signer,
    sequencer,
    /** Turns until no line waits. Another test's transaction, anywhere on the server, may hold lines back for a while. */
    async settle(): Promise<number> {
      for (let total = 0, tries = 0; tries < 1000; tries++) {
        const { count, more } = await sequencer.turn()
        total += count
        if (more) continue
        const { enAttente } = await db.tx({ kind: 'sequencer' }, findRetard)
        if (enAttente === 0) return total
        await sleep(50)
      }
      throw new Error('lines still wait for their leaf')
    },
    cosign: (witness: ReturnType<typeof newWitness>) => cosign(db, witness.witness, () => {}, witness.post),
    async verify(seen: readonly (SeenPoint | undefined)[] = [], as: 'auditor' | 'admin' = 'admin'): Promise<Verified> {
      const reader = openDb({ url: as === 'admin' ? urls.adminUrl : urls.auditorUrl, connections: 3 })
      readers.push(reader)
      const reading = as === 'admin' ? 'contenus' : 'empreintes'
      return verifyDatabase(reader, { log: signer.vkey, reading, seen: seen.filter((one) => one !== undefined) })
    },
    async close() {
      await Promise.all([db, ...readers].map((one) => one.close()))
    },
  }
}
export type OpenTree = ReturnType<typeof openTree>
