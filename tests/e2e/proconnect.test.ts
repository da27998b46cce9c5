import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { openBoth } from '../support/e2e.ts'
import { expectAccessible } from '../support/html.ts'
import { inspect } from '../support/screens.ts'
import { identify, words } from '../support/service.ts'

const { service, browser } = await openBoth()

const h1 = (page: Page) => page.locator('h1').innerText()
const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).click()
/** At ProConnect, whose page is another origin's. */
async function choose(page: Page, agent: string) {
  await page.locator(`button[name=persona][value="${agent}"]`).click()
  await page.waitForURL(/^http:\/\/localhost:/)
}

describe.each([
  { js: true, width: 1280, comment: 'avec JavaScript' },
  { js: false, width: 360, comment: 'sans JavaScript, sur un petit écran' },
] as const)('un aidant par ProConnect, $comment', ({ js, width }) => {
  it('entre, signe un mandat sans taper de code, et sort des deux côtés', async () => {
    const page = await (await browser.context({ js, width })).newPage()
    await page.goto(`${service.url}/mandats/nouveau`)
    await press(page, 'S’identifier avec ProConnect')
    await page.locator('h1', { hasText: 'Je choisis un compte professionnel' }).waitFor()
    await expectAccessible(page)
    await choose(page, 'thomas-figeac')
    expect(page.url()).toBe(`${service.url}/mandats/nouveau`)

    await page.getByLabel('Non', { exact: true }).check()
    await page.locator('label', { hasText: /^\s*Logement\s*$/ }).click()
    await page.getByLabel(/^1 mois/).check()
    await press(page, 'Continuer')
    await press(page, 'S’identifier avec FranceConnect')
    await identify(page, js ? 'odette' : 'josiane')
    await page.getByLabel(/^La personne a redit/).check()
    await page.getByLabel('Sur papier', { exact: false }).check()
    await press(page, 'Je donne mon accord')
    await page.waitForURL('**/acceptation')
    expect(await page.getByLabel(/^Code de votre application/).count()).toBe(0)

    await press(page, 'Signer avec ProConnect')
    await choose(page, 'thomas-figeac')
    await page.waitForURL(/\/mandats\/[0-9a-f-]{36}\?signe=1$/)

    await page.goto(`${service.url}/structures`)
    expect(await words(page.locator('main'))).toContain('Vous êtes entré par ProConnect')
    await page.goto(`${service.url}/personnes`)
    await press(page, 'Se déconnecter')
    await page.waitForURL(`${service.url}/`)
    await page.goto(`${service.url}/personnes`)
    expect(await h1(page)).toBe('Connexion des aidants')
  })

  it('confirme un acte là-bas, et reprend sans rien retaper quand il n’est pas allé au bout', async () => {
    const page = await (await browser.context({ js, width })).newPage()
    await page.goto(`${service.url}/mes-moyens-de-connexion`)
    await press(page, 'S’identifier avec ProConnect')
    await choose(page, 'thomas-figeac')
    await page.getByLabel('Application d’authentification').check()
    await page.getByLabel('Nom').fill('Téléphone « neuf »')
    await press(page, 'Ajouter')
    await press(page, 'Confirmer avec ProConnect')
    await page.locator('button[name=geste][value=revenir]').click()
    await page.locator('h1', { hasText: 'Rien n’est confirmé' }).waitFor()
    await press(page, 'Reprendre où vous en étiez')
    await press(page, 'Confirmer avec ProConnect')
    // When she authenticated is told in whole seconds: this time must come after.
    await page.waitForTimeout(1_100)
    await choose(page, 'thomas-figeac')
    expect(await h1(page)).toBe('ProConnect vous a reconnu')
    await press(page, 'Confirmer')
    await page.waitForURL('**/ajouts/*')
    expect(await words(page.locator('main'))).toContain('Nom : Téléphone « neuf »')
  })

  it('qui n’a rien à faire ici lit une page calme, et peut recommencer', async () => {
    const page = await (await browser.context({ js, width })).newPage()
    for (const [agent, says] of [
      ['inconnue', 'Ce compte ProConnect n’ouvre rien ici'],
      ['thomas-courriel', 'une application d’authentification, une clé d’accès ou une carte'],
    ] as const) {
      await page.goto(`${service.url}/connexion`)
      await press(page, 'S’identifier avec ProConnect')
      await choose(page, agent)
      expect(await h1(page)).toBe('La session ne s’est pas ouverte')
      expect(await words(page.locator('main'))).toContain(says)
      await page.getByRole('link', { name: 'Revenir à la connexion' }).click()
      expect(await h1(page)).toBe('Connexion des aidants')
    }
    await page.goto(`${service.url}/connexion/proconnect/retour?state=inconnu`)
    expect(await words(page.locator('main'))).toContain('Rien n’a été changé')
  })
})

it('chaque écran se lit, se voit et se parcourt', async () => {
  await inspect(service, browser)
})
