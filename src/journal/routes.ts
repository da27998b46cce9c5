import { Hono } from 'hono'
import { journalPublicPage } from '../../views/journal/journal.ts'
import { mentionOf } from '../../views/journal/words.ts'
import type { Config } from '../config.ts'
import type { Db } from '../db.ts'
import { asUsager } from '../http/as.ts'
import type { Env } from '../http/env.ts'
import { jsonFile } from '../http/json-file.ts'
import { addressOf, limitRate } from '../http/limit-rate.ts'
import { publicPage, requireUsager } from '../http/rules.ts'
import { NO_WITNESS } from './policy.ts'
import type { ProvenLines } from './proof.ts'
import { cosignedNote } from './prove.ts'
import { proveMine } from './prove-mine.ts'
import { restaurationsDites } from './restauration.ts'
import { parseTilePath, WIDTH } from './tiles.ts'
import { findPoint, findRetard, findTile, listLastTemoignages, listRestaurations, listTemoignages } from './tree-queries.ts'

/**
 * What anyone may read of the journal (C2SP tlog-tiles): numbers, hashes and signatures, never a line. Entry bundles are private, a declared
 * deviation. `/journal` says the same to people.
 */
export function journalRoutes({ db, config }: { db: Db; config: Config }): Hono<Env> {
  const routes = new Hono<Env>()
  const policy = config.journal?.policy ?? NO_WITNESS
  const perAddress = limitRate(db, 'journal_adresse', (c) => addressOf(c, config.proxies))

  routes.get('/journal', publicPage, perAddress, async (c) => {
    const state = await db.tx({ kind: 'verifier' }, async (tx) => {
      const point = await findPoint(tx)
      return {
        now: tx.now,
        point: point && { ...point, temoins: (await listTemoignages(tx, point.taille)).map(({ temoin }) => temoin) },
        retard: await findRetard(tx),
        vus: await listLastTemoignages(tx),
        restaurations: restaurationsDites(await listRestaurations(tx)),
      }
    })
    const cle = config.journal?.signer.vkey.text
    return c.html(journalPublicPage({ ...state, policy, cle, frame: { space: 'public', demo: c.var.demo } }))
  })

  routes.get('/journal/checkpoint', publicPage, perAddress, async (c) => {
    const note = await db.tx({ kind: 'verifier' }, async (tx) => {
      const point = await findPoint(tx)
      return point && cosignedNote(tx, point)
    })
    if (!note) return c.notFound()
    c.header('Access-Control-Allow-Origin', '*')
    c.header('Cache-Control', 'public, max-age=2')
    c.header('Content-Type', 'text/plain; charset=utf-8')
    return c.body(note)
  })

  routes.get('/journal/tile/:chemin{.*}', publicPage, perAddress, async (c) => {
    const tile = parseTilePath(c.req.param('chemin'))
    const hashes = tile && (await db.tx({ kind: 'verifier' }, (tx) => findTile(tx, tile)))
    if (!hashes) return c.notFound()
    c.header('Access-Control-Allow-Origin', '*')
    // What is in a tile never changes; a partial one is soon of no use to anybody.
    c.header('Cache-Control', tile.width === WIDTH ? 'public, max-age=31536000, immutable' : 'public, max-age=3600')
    c.header('Content-Type', 'application/octet-stream')
    return c.body(new Uint8Array(hashes))
  })
  return routes
}

/** What the journal says of the person who asks, with the proof of each line: she keeps it, and shows it to whom she likes. */
export function mesPreuvesRoutes({ db, config }: { db: Db; config: Config }): Hono<Env> {
  return new Hono<Env>().get('/mon-espace/donnees/journal.json', requireUsager, async (c) => {
    const { journal } = config
    const mine = journal && (await db.tx(asUsager(c.var.usager), (tx) => proveMine(tx, c.var.usager.ids, journal.policy)))
    if (!mine) return c.notFound()
    const file: ProvenLines = {
      v: 1,
      cle: journal.signer.vkey.text,
      mention: mentionOf(mine.signedAt, mine.temoigne),
      lignes: mine.lignes,
    }
    return jsonFile('journal.json', file)
  })
}
