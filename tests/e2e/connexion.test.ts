import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { AIDANTS } from '../../src/demo/people.ts'
import { openBoth } from '../support/e2e.ts'
import { type Hands, handsOn } from '../support/keyboard.ts'
import { inspect } from '../support/screens.ts'
import { PATIENCE, signInMessage, words } from '../support/service.ts'

const { service, browser } = await openBoth()

const h1 = (page: Page) => words(page.locator('h1'))
const pathOf = (page: Page) => page.url().slice(service.url.length)

/** First step, from the page where she is: e-mail and code of her authenticator. */
async function begin(page: Page, hands: Hands, aidant: keyof typeof AIDANTS) {
  await hands.type(page.getByLabel('Adresse e-mail professionnelle'), AIDANTS[aidant].email)
  await hands.type(page.getByLabel('Code de votre application'), await service.code(aidant))
  await hands.press(page.getByRole('button', { name: 'Continuer' }))
  await page.waitForURL('**/connexion/code')
}

describe.each([
  { js: true, comment: 'avec JavaScript' },
  { js: false, comment: 'sans JavaScript, au clavier' },
])('un aidant, $comment', ({ js }) => {
  it('arrive à la page demandée après ses deux codes, le second lu sur /demo', async () => {
    const context = await browser.context({ js })
    const page = await context.newPage()
    await page.goto(`${service.url}/personnes?q=odette`)
    expect(pathOf(page)).toMatch(/^\/connexion\?suite=/)
    expect(await page.getByText('Vous arriverez ensuite sur la page demandée').isVisible()).toBe(true)

    const hands = handsOn(page, { mouse: js })
    await begin(page, hands, 'thomas')
    const demo = await context.newPage()
    const { code } = await signInMessage(service, 'thomas')
    await expect
      .poll(async () => {
        await demo.goto(`${service.url}/demo`)
        return demo.locator('#messages ~ article').first().innerText()
      }, PATIENCE)
      .toContain(`${code.slice(0, 3)} ${code.slice(3)}`)

    await hands.type(page.getByLabel('Code reçu par e-mail'), code)
    await hands.press(page.getByRole('button', { name: 'Se connecter' }))
    await page.waitForURL('**/personnes?q=odette')
    expect(await h1(page)).toBe('Personnes')
    expect(await page.locator('header').innerText()).toContain('CCAS de Figeac')
  })

  it('peut ouvrir le lien reçu : le lire ne l’use pas, son bouton ouvre la session', async () => {
    const context = await browser.context({ js })
    const page = await context.newPage()
    await page.goto(`${service.url}/mandats/expliquer`)
    await begin(page, handsOn(page, { mouse: js }), 'thomas')
    const { lien } = await signInMessage(service, 'thomas')
    // The mail reader's scanner passes first.
    for (let i = 0; i < 2; i++) expect((await fetch(lien)).status).toBe(200)
    await page.goto(lien)
    await page.getByRole('button', { name: 'Ouvrir ma session' }).click()
    await page.waitForURL('**/mandats/expliquer')

    const again = await context.newPage()
    await again.goto(lien)
    await again.getByRole('button', { name: 'Ouvrir ma session' }).click()
    expect(await again.locator('main').innerText()).toContain('Ce code n’ouvre pas de session')
  })

  it('voit ce qu’il faut corriger, en premier et à la place du regard', async () => {
    const page = await (await browser.context({ js })).newPage()
    await page.goto(`${service.url}/connexion`)
    await page.getByLabel('Adresse e-mail professionnelle').fill('thomas')
    await page.getByRole('button', { name: 'Continuer' }).click()
    await page.locator('#erreurs').waitFor()
    expect(await page.title()).toMatch(/^Erreur : /)
    expect(await page.evaluate('document.activeElement.id')).toBe('erreurs')
    expect(await page.getByLabel('Adresse e-mail professionnelle').inputValue()).toBe('thomas')
    await page.locator('#erreurs a').first().click()
    expect(await page.evaluate('document.activeElement.id')).toBe('champ-email')
  })

  it('de deux structures choisit, sait toujours pour laquelle il agit, et en change', async () => {
    const page = await (await browser.context({ js })).newPage()
    await page.goto(`${service.url}/personnes`)
    const hands = handsOn(page, { mouse: js })
    await begin(page, hands, 'samira')
    const { code } = await signInMessage(service, 'samira')
    await hands.type(page.getByLabel('Code reçu par e-mail'), code)
    await hands.press(page.getByRole('button', { name: 'Se connecter' }))
    await page.waitForURL('**/structures?suite=%2Fpersonnes')
    expect(await h1(page)).toBe('Pour quelle structure agissez-vous ?')
    await hands.press(page.getByRole('button', { name: 'CCAS de Figeac' }))
    await page.waitForURL('**/personnes')
    const acting = page.locator('header .acting')
    expect(await acting.innerText()).toContain('CCAS de Figeac')
    expect(await page.getByRole('link', { name: /Odette/ }).count()).toBeGreaterThan(0)

    await hands.press(page.getByRole('link', { name: 'Changer de structure' }))
    await hands.press(page.getByRole('button', { name: 'France services Saint-Denis' }))
    await page.waitForURL('**/personnes')
    expect(await acting.innerText()).toContain('France services Saint-Denis')
    expect(await page.getByRole('link', { name: /Odette/ }).count()).toBe(0)
    for (const link of ['Nouveau mandat', 'Personnes']) {
      await hands.press(page.getByRole('navigation', { name: 'Menu' }).getByRole('link', { name: link }))
      expect(await acting.innerText()).toContain('France services Saint-Denis')
    }
  })

  it('n’atteint rien tant que les conditions d’utilisation ne sont pas acceptées', async () => {
    await service.sql`update aidant set cgu_version = null, cgu_accepted_at = null where email = ${AIDANTS.ines.email}`
    const context = await browser.context({ js })
    await service.enter(context, 'ines')
    const page = await context.newPage()
    for (const asked of ['/personnes', '/mandats/nouveau', `/mandats/${await service.mandat('odette')}/demarches/nouvelle`]) {
      await page.goto(service.url + asked)
      expect(pathOf(page)).toBe(`/conditions-d-utilisation?suite=${encodeURIComponent(asked)}`)
    }
    await page.getByRole('button', { name: 'Accepter et continuer' }).click()
    expect(await page.locator('#erreurs').innerText()).toContain('Cochez la case')
    await page.getByLabel('J’ai lu ces conditions').check()
    await page.getByRole('button', { name: 'Accepter et continuer' }).click()
    await page.waitForURL('**/demarches/nouvelle')
    expect(await h1(page)).toBe('Noter une démarche')
  })

  it('se déconnecte : « Précédent » ne montre plus personne', async () => {
    const context = await browser.context({ js })
    await service.enter(context, 'thomas')
    const page = await context.newPage()
    await page.goto(`${service.url}/personnes`)
    await page
      .getByRole('link', { name: /Odette/ })
      .first()
      .click()
    await page.getByRole('heading', { name: 'Ce qui a été fait' }).waitFor()
    await page.getByRole('button', { name: 'Se déconnecter' }).click()
    await page.waitForURL(`${service.url}/`)
    await page.goBack()
    await page.getByRole('heading', { name: 'Connexion des aidants' }).waitFor()
    expect(await page.content()).not.toContain('Odette')
  })
})

it('chaque page vue ici est valide, accessible, et tient dans 320 pixels', () => inspect(service, browser), 120_000)
