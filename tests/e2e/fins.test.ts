import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { openBoth } from '../support/e2e.ts'
import { handsOn, keyboard } from '../support/keyboard.ts'
import { inspect } from '../support/screens.ts'
import { type Service, words } from '../support/service.ts'

const { service, browser } = await openBoth()

const text = (page: Page) => words(page.locator('main'))
const button = (page: Page, name: string) => page.getByRole('button', { name }).first()
const open = async (who: Parameters<Service['enter']>[1], js = false) => {
  const context = await browser.context({ js, width: 360 })
  await service.enter(context, who)
  return context.newPage()
}

describe.each([
  { js: false, comment: 'sans JavaScript, au clavier', persona: 'josiane' },
  { js: true, comment: 'avec JavaScript', persona: 'laetitia' },
])('l’aidant, $comment', ({ js, persona }) => {
  it('enregistre un arrêt reçu ; la personne lit comment et quand sa demande est arrivée', async () => {
    const mandat = await service.mandat(persona)
    const page = await open('thomas', js)
    await page.goto(`${service.url}/mandats/${mandat}`)
    const hands = handsOn(page, { mouse: js })
    await hands.press(page.getByRole('link', { name: 'Enregistrer une demande d’arrêt' }))
    await page.getByRole('heading', { name: 'Enregistrer une demande d’arrêt' }).waitFor()
    await hands.press(button(page, 'Arrêter'))
    await page.getByText('Choisissez comment la demande est arrivée.').first().waitFor()
    await hands.choose(page.getByRole('radio', { name: 'Tout le mandat' }))
    await hands.choose(page.getByRole('radio', { name: 'Par courrier' }))
    await hands.press(button(page, 'Arrêter'))
    await page.waitForURL('**/arret?fait=1')
    expect(await text(page)).toContain('n’a plus le droit de faire ses démarches')

    const hers = await open({ persona }, js)
    await hers.goto(`${service.url}/mon-espace/mandats/${mandat}/arret`)
    expect(await text(hers)).toMatch(/Votre demande est arrivée par courrier, le .* Elle a été enregistrée le/)
  })
})

it('renouvelle, au clavier : les choix repris, la protection demandée de nouveau, puis l’identification', async () => {
  const page = await open('thomas')
  const keys = keyboard(page)
  await page.goto(`${service.url}/mandats/${await service.mandat('odette')}`)
  await keys.press(page.getByRole('link', { name: 'Renouveler' }))
  await page.getByRole('heading', { name: 'Renouveler le mandat' }).waitFor()
  await keys.press(button(page, 'Continuer'))
  await page.getByText('Répondez à cette question').first().waitFor()
  await keys.choose(page.getByRole('radio', { name: 'Non', exact: true }))
  await keys.press(button(page, 'Continuer'))
  await page.waitForURL('**/identification')
})

it('au clavier, renonce, apprend une mesure de protection, un décès : chaque page dit ce qui suit, et rien ne s’arrête sans la case', async () => {
  const mandat = await service.mandat('odette')
  const page = await open('thomas')
  const keys = keyboard(page)
  for (const [link, gesture] of [
    ['Renoncer au mandat', 'Renoncer'],
    ['La personne a une mesure de protection', 'Enregistrer la mesure'],
    ['La personne est décédée', 'Enregistrer le décès'],
  ] as const) {
    await page.goto(`${service.url}/mandats/${mandat}`)
    await keys.press(page.locator('summary', { hasText: 'Mettre fin sans demande de la personne' }))
    await keys.press(page.getByRole('link', { name: link }))
    await page.getByRole('heading', { name: 'Ce qui va se passer' }).waitFor()
    await keys.press(button(page, gesture))
    await page.getByText('Cochez cette case pour confirmer.').first().waitFor()
  }
  await keys.choose(page.getByRole('checkbox', { name: 'Je confirme' }))
  await keys.press(button(page, 'Enregistrer le décès'))
  await page.waitForURL('**/arret?fait=1')
  expect(await text(page)).toContain('Rendre ses papiers à ses héritiers')
  await page.goto(`${service.url}/mandats/${mandat}/renouveler`)
  expect(await text(page)).toContain('Ce mandat ne se renouvelle pas')
})

it('chaque page vue ici est valide, accessible, et tient dans 320 pixels', () => inspect(service, browser), 120_000)
