import { setTimeout as sleep } from 'node:timers/promises'
import { Secret, TOTP } from 'otpauth'
import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { openBoth } from '../support/e2e.ts'
import { keyboard } from '../support/keyboard.ts'
import { inspect } from '../support/screens.ts'
import { identify } from '../support/service.ts'

const { service, browser } = await openBoth()

/** A device that recognises whoever holds it, as a telephone does once unlocked. */
async function withDevice(page: Page): Promise<void> {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
}
const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).click()
const code = (page: Page) => page.getByLabel('Code de votre application')

it('avec une clé d’accès : l’ajouter, se connecter, signer un mandat, retirer l’application', async () => {
  const context = await browser.context()
  await service.enter(context, 'thomas')
  const page = await context.newPage()
  await withDevice(page)
  await page.goto(`${service.url}/personnes`)
  await page.getByRole('link', { name: 'Mes moyens de connexion' }).click()
  await page.getByLabel('Clé d’accès').check()
  await press(page, 'Ajouter')
  await page.locator('#erreurs').waitFor()
  await page.getByLabel('Nom', { exact: true }).fill('Ordinateur de la mairie')
  await press(page, 'Ajouter')
  await page.getByText('Vous allez ajouter un moyen de connexion.').waitFor()
  await code(page).fill('000000')
  await press(page, 'Confirmer avec ce code')
  await page.getByText('Rien n’a changé').waitFor()
  await code(page).fill(await service.code('thomas'))
  // Clicked again while the answer is on its way, it is sent once: a second form would leave under the token that the first has just ended.
  let sent = 0
  await page.route('**', async (route) => {
    if (route.request().method() === 'POST') sent++
    if (sent > 0) await sleep(500)
    await route.continue()
  })
  await page.getByRole('button', { name: 'Confirmer avec ce code' }).evaluate((button) => {
    button.click()
    setTimeout(() => button.click(), 200)
  })
  await page.waitForURL('**/ajouts/*')
  expect(sent).toBe(1)
  await page.unrouteAll()
  await press(page, 'Créer la clé d’accès')
  await page.getByText('Ces codes ne seront plus jamais montrés').waitFor()
  expect(await page.locator('strong.code').count()).toBe(10)
  await page.evaluate('window.print = () => { document.title = "imprimé" }')
  await press(page, 'Imprimer')
  expect(await page.title()).toBe('imprimé')
  await page.getByRole('link', { name: /continuer/ }).click()
  await page.getByRole('heading', { name: 'Ordinateur de la mairie' }).waitFor()

  await press(page, 'Se déconnecter')
  await page.goto(`${service.url}/a-remettre`)
  await press(page, 'Me connecter avec une clé d’accès')
  await press(page, 'Utiliser ma clé d’accès')
  await page.waitForURL('**/a-remettre')

  await page.goto(`${service.url}/mandats/nouveau`)
  await page.getByLabel('Non', { exact: true }).check()
  await page.locator('label', { hasText: /^\s*Logement\s*$/ }).click()
  await page.getByLabel(/^1 mois/).check()
  await press(page, 'Continuer')
  await press(page, 'S’identifier avec FranceConnect')
  await identify(page, 'moussa')
  await page.waitForURL('**/accord')
  await page.getByLabel('Sur papier').check()
  await page.getByLabel('La personne a redit').check()
  await press(page, 'Je donne mon accord')
  await page.waitForURL('**/acceptation')
  await press(page, 'Signer avec ma clé d’accès')
  await page.getByText('Vous allez accepter et signer un mandat.').waitFor()
  await press(page, 'Confirmer avec ma clé d’accès')
  await page.waitForURL(/\/mandats\/[0-9a-f-]{36}\?signe=1$/)

  await page.getByRole('link', { name: 'Mes moyens de connexion' }).click()
  await press(page, 'Retirer : Application d’authentification')
  await press(page, 'Confirmer avec ma clé d’accès')
  await page.getByText('Le moyen de connexion est retiré').waitFor()
  await page.getByText('C’est le seul').waitFor()
  await context.close()
})

it('sans JavaScript, sur un téléphone, au clavier : une seconde application, et des codes de secours', async () => {
  const context = await browser.context({ js: false, width: 360 })
  const page = await context.newPage()
  await page.goto(`${service.url}/connexion`)
  expect(await page.getByText('Me connecter avec une clé d’accès').isVisible()).toBe(false)
  await service.enter(context, 'ines')
  await page.goto(`${service.url}/mes-moyens-de-connexion`)
  let hands = keyboard(page)
  await page.getByLabel('Application d’authentification').check()
  await hands.type(page.getByLabel('Nom', { exact: true }), 'Téléphone neuf')
  await hands.press(page.getByRole('button', { name: 'Ajouter' }))
  await page.getByText('Vous allez ajouter un moyen de connexion.').waitFor()
  hands = keyboard(page)
  await hands.type(code(page), await service.code('ines'))
  await hands.press(page.getByRole('button', { name: 'Confirmer avec ce code' }))
  await page.locator('svg.qr').waitFor()
  const cle = (await page.locator('strong.code').innerText()).replaceAll(' ', '')
  const [row] = await service.sql<{ now: Date }[]>`select horloge() as now`
  const first = new TOTP({ secret: Secret.fromBase32(cle) }).generate({ timestamp: row!.now.getTime() })
  hands = keyboard(page)
  await hands.type(page.getByLabel('Code affiché par l’application'), first)
  await hands.press(page.getByRole('button', { name: 'Associer cette application' }))
  await page.getByText('Ces codes ne seront plus jamais montrés').waitFor()
  expect(await page.locator('strong.code').count()).toBe(10)
  expect(await page.getByRole('button', { name: 'Imprimer' }).count()).toBe(0)
  expect(await page.locator('noscript').innerText()).toContain('dans le menu de votre navigateur')
  await keyboard(page).press(page.getByRole('link', { name: /continuer/ }))
  await page.getByRole('heading', { name: 'Téléphone neuf' }).waitFor()
  await keyboard(page).press(page.getByRole('button', { name: 'Remplacer mes codes de secours' }))
  hands = keyboard(page)
  await hands.type(code(page), await service.code('ines'))
  await hands.press(page.getByRole('button', { name: 'Confirmer avec ce code' }))
  await page.getByText('Ces codes ne seront plus jamais montrés').waitFor()
  await context.close()
})

it('chaque page vue ici est valide, accessible, et tient dans 320 pixels', () => inspect(service, browser), 120_000)
