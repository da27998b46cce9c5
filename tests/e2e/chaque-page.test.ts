import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Listening, serve } from '../../src/http/server.ts'
import { openRenderer } from '../../src/papier/render.ts'
import { openBrowser, type TestBrowser } from '../support/browser.ts'
import { type Matrix, openMatrix } from '../support/matrix.ts'
import type { Caller } from '../support/matrix-table.ts'
import { inspect } from '../support/screens.ts'
import { type Screen, sortOf } from '../support/service.ts'

/* Every page of the router, shown to each of those who may read it: none escapes being looked at for want of a journey that opens it. */

let matrix: Matrix
let browser: TestBrowser
let listening: Listening
beforeAll(async () => {
  ;[matrix, browser] = await Promise.all([openMatrix({ papers: openRenderer({ packages: [] }) }), openBrowser()])
  listening = await serve(matrix.app, { port: 0, host: 'localhost' })
})
afterAll(async () => {
  await listening?.close()
  await browser?.close()
  await matrix?.close()
})

/** Files, keys, figures, and doors that only lead elsewhere. */
const NO_PAGE = [
  '/assets/:hash/:name',
  '/livez',
  '/readyz',
  '/.well-known/jwks.json',
  '/sceaux/:sceau',
  '/statuts/:liste{[0-9]{1,4}}',
  '/mon-espace/donnees/journal.json',
  '/journal/checkpoint',
  '/journal/tile/:chemin{.*}',
  '/v-sw.js',
  '/connexion/franceconnect/deconnecte',
  '/connexion/proconnect/deconnecte',
  '/mes-connexions/rester',
  '/demarches/:demarcheId/preuve.tlog-proof',
  '/structure/journal/:ligne/preuve.tlog-proof',
  '/mon-espace/mandats/:mandatId/preuve.json',
  '/mon-espace/demarches/:demarcheId/preuve.tlog-proof',
]
/** Shown only in the middle of a journey, by the file that makes it. */
const ELSEWHERE = {
  '/connexion/cle': 'moyens',
  '/mes-moyens-de-connexion/ajouts/:ajoutId': 'moyens',
  '/personnes/:usagerId/contact/code': 'contact',
  '/mon-espace/contacts/code': 'contact',
  '/mandats/brouillons/:brouillonId/telephone': 'mandat',
  '/mandats/brouillons/:brouillonId/contact': 'mandat',
  '/telephone/code': 'mandat',
  '/mon-espace/mandats/:mandatId/reprise': 'mon-espace',
}

/** Whose refusals no journey meets. */
const ALSO: Record<string, { caller: Caller; address: string }[]> = {
  'GET /journal': [{ caller: 'anonyme', address: '/journal?taille=&empreinte=' }],
}
/** The papers too, since no PDF can be made here: they are pages to print. */
const PAPERS = /^POST .*\/(papiers\/[\w-]+|apercu)$/

it('chaque page du service est valide, accessible, et tient dans 320 pixels ; chaque papier aussi, imprimé par le navigateur', async () => {
  const screens = new Map<string, Screen>()
  const seen = new Set<string>()
  const asked = matrix.routes.filter(({ key, method }) => method === 'GET' || PAPERS.test(key))
  for (const { key, method } of asked) {
    await matrix.world.sql`delete from limite`
    for (const { caller, address } of [...matrix.owners(key), ...(ALSO[key] ?? [])]) {
      const fields = await matrix.fieldsOf(key, caller)
      const { status, headers, html } = await matrix.ask({ caller, method, address, fields })
      if (status === 404 || !headers.get('content-type')?.startsWith('text/html')) continue
      const screen = { path: address, status, html }
      screens.set(sortOf(screen), screen)
      seen.add(key)
    }
  }
  const unseen = asked.map(({ key }) => key).filter((key) => !seen.has(key))
  expect.soft(unseen.sort()).toEqual([...NO_PAGE, ...Object.keys(ELSEWHERE)].map((path) => `GET ${path}`).sort())
  await inspect({ url: `http://localhost:${listening.port}`, screens }, browser)
}, 300_000)
