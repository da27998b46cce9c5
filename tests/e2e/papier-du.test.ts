import { expect, it } from 'vitest'
import { openBoth } from '../support/e2e.ts'
import { keyboard } from '../support/keyboard.ts'
import { inspect } from '../support/screens.ts'
import { words } from '../support/service.ts'

const { service, browser } = await openBoth()

it.each([
  false,
  true,
])('« À remettre sur papier », au clavier, JavaScript %s : la ligne remise s’en va, et revient si c’était une erreur', async (js) => {
  await service.mandat('odette')
  const context = await browser.context({ js, width: 360 })
  await service.enter(context, 'thomas')
  const page = await context.newPage()
  await page.goto(`${service.url}/personnes`)
  const keys = keyboard(page)
  await keys.press(page.getByRole('link', { name: 'À remettre sur papier' }))
  await page.getByRole('heading', { name: 'À remettre sur papier' }).waitFor()
  const rows = () => page.getByRole('button', { name: /^Remis à/ }).count()
  const before = await rows()
  expect(before).toBeGreaterThan(0)
  await keys.press(page.getByRole('button', { name: /^Remis à/ }).first())
  await page.waitForURL('**/a-remettre?remis=1')
  await page.getByText('Ce papier est remis, et n’est plus à remettre.').waitFor()
  expect(await rows()).toBe(before - 1)
  expect(await words(page.locator('main'))).toContain('C’est noté')
  await keys.press(page.getByRole('button', { name: /^Annuler : remis à/ }).first())
  await page.waitForURL('**/a-remettre?annule=1')
  await page.getByText('Ce papier est de nouveau à remettre.').waitFor()
  expect(await rows()).toBe(before)
})

it('chaque page vue ici est valide, accessible, et tient dans 320 pixels', () => inspect(service, browser), 120_000)
