import type { BrowserContext } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { openBoth } from '../support/e2e.ts'
import { costOf } from '../support/poids.ts'
import { inspect } from '../support/screens.ts'
import { words } from '../support/service.ts'

const { service, browser } = await openBoth()

const KB = 1000

/** Each page in a browser that has seen nothing, then again in one that has what does not change. */
async function expectLight(
  enter: (context: BrowserContext) => Promise<void>,
  pages: readonly string[],
  first: number,
  then: number,
) {
  for (const address of pages) {
    const context = await browser.context()
    await enter(context)
    const page = await context.newPage()
    const cold = await costOf(page, service.url + address)
    const warm = await costOf(page, service.url + address)
    expect(cold.sent, `${address}, first time`).toBeLessThanOrEqual(first * KB)
    expect(cold.paths.length, `${address}, first time`).toBeLessThanOrEqual(12)
    expect(warm.compressed, `${address}, afterwards`).toBeLessThanOrEqual(then * KB)
    await context.close()
  }
}

describe('le poids des pages', () => {
  it('de la personne : 100 ko la première fois, 15 ensuite', async () => {
    const mandat = await service.mandat('odette')
    await expectLight(async () => {}, ['/', '/mon-espace/connexion', '/accessibilite', '/mentions-legales'], 100, 15)
    await expectLight(
      (context) => service.enter(context, { persona: 'odette' }),
      [
        '/mon-espace',
        `/mon-espace/mandats/${mandat}`,
        `/mon-espace/mandats/${mandat}/arreter`,
        '/mon-espace/acces',
        '/mon-espace/donnees',
      ],
      100,
      15,
    )
  })

  it('de l’aidant : 180 ko la première fois, 40 ensuite', async () => {
    const mandat = await service.mandat('odette')
    const odette = await service.personne('odette')
    await expectLight(
      (context) => service.enter(context, 'thomas'),
      ['/personnes', `/personnes/${odette}`, `/mandats/${mandat}`, `/mandats/${mandat}/demarches/nouvelle`, '/mandats/nouveau'],
      180,
      40,
    )
    await expectLight((context) => service.enter(context, 'nadia'), ['/structure/journal'], 180, 40)
  })

  it('de qui vérifie un papier : 40 ko la première fois, même sans compression des pages', () =>
    expectLight(async () => {}, ['/v', '/verifier'], 40, 15))

  it('sans rien qui vienne d’ailleurs, ni police, ni image', async () => {
    const context = await browser.context()
    await service.enter(context, { persona: 'odette' })
    const page = await context.newPage()
    const asked: string[] = []
    page.on('request', (request) => asked.push(new URL(request.url()).pathname))
    await page.goto(`${service.url}/mon-espace`)
    expect(asked.filter((path) => path.endsWith('.js'))).toEqual([])
    for (const path of asked) expect(path).toMatch(/^\/(mon-espace|assets\/[0-9a-f]{16}\/[\w.-]+)$/)
  })
})

it('les pages de tous, et celle de la démonstration, sont reliées entre elles', async () => {
  const page = await (await browser.context({ js: false })).newPage()
  await page.goto(`${service.url}/`)
  for (const [link, title] of [
    ['Accessibilité : non conforme', 'Accessibilité : non conforme'],
    ['Mentions légales et données personnelles', 'Mentions légales et données personnelles'],
    ['Messages de la démonstration', 'La démonstration'],
    ['Trait d’union', 'On vous aide pour vos démarches. Vous gardez la main.'],
  ] as const) {
    await page.getByRole('link', { name: link }).click()
    expect(await words(page.locator('h1'))).toBe(title)
  }
  await page.getByRole('link', { name: 'Se connecter comme aidant' }).click()
  await page.waitForURL('**/connexion')
})

it('chaque page vue ici est valide, accessible, et tient dans 320 pixels', () => inspect(service, browser), 120_000)
