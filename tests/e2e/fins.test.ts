import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { openBoth } from '../support/e2e.ts'
import { inspect } from '../support/screens.ts'
import { type Service, words } from '../support/service.ts'

const { service, browser } = await openBoth()

const text = (page: Page) => words(page.locator('main'))
const press = (page: Page, name: string) => page.getByRole('button', { name }).first().click()
const open = async (who: Parameters<Service['enter']>[1], js = false) => {
  const context = await browser.context({ js, width: 360 })
  await service.enter(context, who)
  return context.newPage()
}

describe.each([
  { js: false, comment: 'sans JavaScript', persona: 'josiane' },
  { js: true, comment: 'avec JavaScript', persona: 'laetitia' },
])('l’aidant, $comment', ({ js, persona }) => {
  it('enregistre un arrêt reçu ; la personne lit comment et quand sa demande est arrivée', async () => {
    const mandat = await service.mandat(persona)
    const page = await open('thomas', js)
    await page.goto(`${service.url}/mandats/${mandat}`)
    await page.getByRole('link', { name: 'Enregistrer une demande d’arrêt' }).click()
    await page.getByRole('heading', { name: 'Enregistrer une demande d’arrêt' }).waitFor()
    await press(page, 'Arrêter')
    await page.getByText('Choisissez comment la demande est arrivée.').first().waitFor()
    await page.locator('label', { hasText: 'Tout le mandat' }).click()
    await page.locator('label', { hasText: 'Par courrier' }).click()
    await press(page, 'Arrêter')
    await page.waitForURL('**/arret?fait=1')
    expect(await text(page)).toContain('n’a plus le droit de faire ses démarches')

    const hers = await open({ persona }, js)
    await hers.goto(`${service.url}/mon-espace/mandats/${mandat}/arret`)
    expect(await text(hers)).toMatch(/Votre demande est arrivée par courrier, le .* Elle a été enregistrée le/)
  })
})

it('renouvelle : les choix repris, la protection demandée de nouveau, puis l’identification', async () => {
  const page = await open('thomas')
  await page.goto(`${service.url}/mandats/${await service.mandat('odette')}`)
  await page.getByRole('link', { name: 'Renouveler' }).click()
  await page.getByRole('heading', { name: 'Renouveler le mandat' }).waitFor()
  await press(page, 'Continuer')
  await page.getByText('Répondez à cette question').first().waitFor()
  await page.locator('label', { hasText: /^\s*Non\s*$/ }).click()
  await press(page, 'Continuer')
  await page.waitForURL('**/identification')
})

it('renonce, apprend une mesure de protection, un décès : chaque page dit ce qui suit, et rien ne s’arrête sans la case', async () => {
  const mandat = await service.mandat('odette')
  const page = await open('thomas')
  for (const [link, button] of [
    ['Renoncer au mandat', 'Renoncer'],
    ['La personne a une mesure de protection', 'Enregistrer la mesure'],
    ['La personne est décédée', 'Enregistrer le décès'],
  ] as const) {
    await page.goto(`${service.url}/mandats/${mandat}`)
    await page.getByText('Mettre fin sans demande de la personne').click()
    await page.getByRole('link', { name: link }).click()
    await page.getByRole('heading', { name: 'Ce qui va se passer' }).waitFor()
    await press(page, button)
    await page.getByText('Cochez cette case pour confirmer.').first().waitFor()
  }
  await page.locator('label', { hasText: 'Je confirme' }).click()
  await press(page, 'Enregistrer le décès')
  await page.waitForURL('**/arret?fait=1')
  expect(await text(page)).toContain('Rendre ses papiers à ses héritiers')
  await page.goto(`${service.url}/mandats/${mandat}/renouveler`)
  expect(await text(page)).toContain('Ce mandat ne se renouvelle pas')
})

it('chaque page vue ici est valide, accessible, et tient dans 320 pixels', () => inspect(service, browser), 120_000)
