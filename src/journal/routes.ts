import { type Context, Hono } from 'hono'
import { journalPublicPage } from '../../views/journal/journal.ts'
import { pasDePreuvePage } from '../../views/journal/preuve.ts'
import { mentionOf } from '../../views/journal/words.ts'
import type { Config } from '../config.ts'
import type { Db } from '../db.ts'
import { parseSearch } from '../form.ts'
import { asUsager } from '../http/as.ts'
import type { Env, Variables } from '../http/env.ts'
import { frameOf } from '../http/frame.ts'
import { jsonFile } from '../http/json-file.ts'
import { limitAddress, limitCaller } from '../http/limit-rate.ts'
import { publicPage, requireUsager } from '../http/rules.ts'
import { comparePapier } from './compare.ts'
import { papierForm } from './forms.ts'
import { NO_WITNESS } from './policy.ts'
import type { ProvenLines } from './proof.ts'
import { cosignedNote, type Proven } from './prove.ts'
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
  const perAddress = limitAddress(db, config, 'journal_adresse')

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
    const asked = c.req.query('taille') !== undefined || c.req.query('empreinte') !== undefined
    const form = asked ? parseSearch(c, papierForm) : undefined
    const comparaison = form?.ok ? await db.tx({ kind: 'verifier' }, (tx) => comparePapier(tx, form.data)) : undefined
    const errors = form && !form.ok ? form.errors : {}
    const cle = config.journal?.signer.vkey.text
    const frame = { space: 'public', demo: c.var.demo } as const
    const shown = { ...state, policy, cle, frame, comparaison, values: form?.values, errors }
    return c.html(journalPublicPage(shown), form && !form.ok ? 422 : 200)
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
  return new Hono<Env>().get('/mon-espace/donnees/journal.json', requireUsager, limitCaller(db, 'preuve'), async (c) => {
    const { journal } = config
    const mine = journal && (await db.tx(asUsager(c.var.usager), (tx) => proveMine(tx, c.var.usager.ids, journal.policy)))
    if (!mine) return c.notFound()
    const file: ProvenLines = {
      v: 1,
      cle: journal.signer.vkey.text,
      mention: mentionOf(mine.signedAt, mine.temoigne, c.var.demo),
      lignes: mine.lignes,
    }
    return jsonFile('journal.json', file)
  })
}

/** A request, whatever its route promises of the caller. */
type Asking = Pick<Context<Env>, 'body' | 'html'> & { var: Readonly<Variables> }

/** The proof of one line as a file, or the page that says why there is none yet. `retour`: where she came from. */
export function preuveFile(c: Asking, numero: number, proven: Proven, retour: string): Response | Promise<Response> {
  if (!proven.ok) return c.html(pasDePreuvePage({ frame: frameOf(c), refusal: proven.refusal, retour }), 409)
  return c.body(proven.preuve, 200, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Disposition': `attachment; filename="ligne-${numero}.tlog-proof"`,
  })
}
