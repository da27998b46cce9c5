import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { assets } from '../../src/http/assets.ts'
import { button, form, results, searchForm } from '../../views/kit/form.ts'
import { html } from '../../views/kit/html.ts'
import { type Frame, page } from '../../views/kit/page.ts'
import { table } from '../../views/kit/table.ts'
import { pluriel } from '../../views/kit/words.ts'
import { openBrowser, type TestBrowser } from '../support/browser.ts'
import { expectAccessible, expectValidHtml } from '../support/html.ts'

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

test('htmx est, octet pour octet, celui du paquet 4.0.1', () => {
  const published = createRequire(import.meta.url).resolve('htmx.org/dist/htmx.min.js')
  const { version } = JSON.parse(readFileSync(new URL('../package.json', `file://${published}`), 'utf8'))
  expect(version).toBe('4.0.1')
  expect(sha256(readFileSync(new URL('../../public/htmx.min.js', import.meta.url)))).toBe(sha256(readFileSync(published)))
})

// A search as the aidant's pages have it, under the service's own rules for scripts and styles.
const CSP = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'"
const NAMES = ['Angela Dubois', 'Élodie Ñuñez', 'Jean Petit']
const frame: Frame = { space: 'aidant', who: { nom: 'Karim Benali', structure: 'CCAS de Figeac' } }
let signedIn = true
let asked = 0

const app = new Hono()
app.use(async (c, next) => {
  await next()
  c.header('Content-Security-Policy', CSP)
})
app.route('/', assets)
app.get('/connexion', (c) => c.html(page(frame, 'Connexion', form({}, button('Se connecter')))))
app.get('/fautif', (c) =>
  c.html('<!DOCTYPE html><html lang="fr"><title>Fautif</title><main><h1>Fautif</h1><input name="x"></main>'),
)
app.get('/personnes', (c) => {
  asked += 1
  if (!signedIn) return c.redirect('/connexion', 303)
  const q = c.req.query('q') ?? ''
  if (q === 'panne') return c.html(page(frame, 'Panne', html`<p>Référence 42</p>`), 500)
  const rows = NAMES.filter((name) => name.toLowerCase().includes(q.toLowerCase()))
  const list = table({ caption: 'Personnes', columns: [{ head: 'Nom', cell: (name) => name }], rows, empty: 'Personne.' })
  return c.html(
    page(
      frame,
      'Personnes',
      html`${searchForm({ action: '/personnes', name: 'q', label: 'Nom', value: q })}${results(pluriel(rows.length, 'personne'), list)}`,
    ),
  )
})

let browser: TestBrowser
let server: ReturnType<typeof serve>
let origin: string
beforeAll(async () => {
  browser = await openBrowser()
  server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
  await new Promise((resolve) => server.once('listening', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}, 60_000)
afterAll(async () => {
  server?.close()
  await browser?.close()
})

const search = async (js: boolean) => {
  signedIn = true
  const opened = await (await browser.context({ js })).newPage()
  await opened.goto(`${origin}/personnes`)
  return opened
}

test('la recherche répond pendant la frappe : adresse, focus et zone annoncée restent', async () => {
  const opened = await search(true)
  await opened.evaluate("window.annonce = document.querySelector('[role=status]')")
  asked = 0
  await opened.getByLabel('Nom').pressSequentially('petit', { delay: 20 })
  await expect.poll(() => opened.locator('tbody tr').count()).toBe(1)
  expect(await opened.locator('[role=status]').textContent()).toBe('1\u00a0personne')
  expect(await opened.evaluate("window.annonce === document.querySelector('[role=status]')")).toBe(true)
  expect(new URL(opened.url()).search).toBe('?q=petit')
  expect(await opened.evaluate('document.activeElement.name')).toBe('q')
  expect(asked).toBe(1)
}, 20_000)

test('remplacer un morceau dont un élément garde un style vide n’écrit aucun style, que la CSP refuserait', async () => {
  const opened = await search(true)
  const refused: string[] = []
  opened.on('console', (message) => message.type() === 'error' && refused.push(message.text()))
  // As a browser, or a tool that looks at the page, leaves it behind.
  await opened.evaluate("const { style } = document.querySelector('#resultats'); style.color = 'red'; style.color = ''")
  expect(await opened.locator('#resultats').getAttribute('style')).toBe('')
  await opened.evaluate("htmx.ajax('GET', '/personnes?q=petit', { target: 'main', select: 'main', swap: 'outerHTML' })")
  await expect.poll(() => opened.locator('tbody tr').count()).toBe(1)
  expect(refused).toEqual([])
}, 20_000)

test('la même recherche marche sans JavaScript', async () => {
  const opened = await search(false)
  await opened.getByLabel('Nom').fill('petit')
  await opened.keyboard.press('Enter')
  await opened.waitForURL('**/personnes?q=petit')
  expect(await opened.locator('tbody tr').count()).toBe(1)
}, 20_000)

test('session finie pendant la recherche : la page de connexion entière, pas une liste vide', async () => {
  const opened = await search(true)
  signedIn = false
  await opened.getByLabel('Nom').fill('jean')
  await opened.getByRole('heading', { name: 'Connexion' }).waitFor()
}, 20_000)

test('panne pendant la recherche : la page d’erreur entière, avec sa référence', async () => {
  const opened = await search(true)
  await opened.getByLabel('Nom').fill('panne')
  await opened.getByText('Référence 42').waitFor()
}, 20_000)

test.each([true, false])('nos pages sont accessibles et une page fautive est prise, JavaScript %s', async (js) => {
  const opened = await search(js)
  await expectAccessible(opened)
  await expectValidHtml(await (await app.request('/personnes')).text())
  await opened.goto(`${origin}/fautif`)
  await expect(expectAccessible(opened)).rejects.toThrow('label')
  await expect(expectValidHtml(await (await app.request('/fautif')).text())).rejects.toThrow('input-missing-label')
}, 20_000)

test('une page qui appelle l’extérieur ou brise la CSP fait échouer la fermeture du navigateur', async () => {
  const other = await openBrowser()
  const opened = await (await other.context()).newPage()
  await opened.goto(`${origin}/personnes`)
  await opened.evaluate("fetch('https://example.org/').catch(() => {})")
  await expect
    .poll(() => opened.evaluate("document.body.setAttribute('style', 'color: red'), getComputedStyle(document.body).color"))
    .not.toBe('rgb(255, 0, 0)')
  await expect(other.close()).rejects.toThrow(/example\.org|Content Security Policy/)
}, 20_000)
