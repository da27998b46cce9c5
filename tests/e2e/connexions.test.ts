import { expect, it } from 'vitest'
import { openBoth } from '../support/e2e.ts'
import { expectAccessible } from '../support/html.ts'
import { inspect } from '../support/screens.ts'

const { service, browser } = await openBoth()

it.each([
  { who: 'thomas', from: '/personnes', js: true, width: 1280 },
  { who: 'ines', from: '/personnes', js: false, width: 360 },
  { who: { persona: 'odette' }, from: '/mon-espace', js: false, width: 360 },
] as const)('« Mes connexions » : fermer une connexion oubliée ailleurs ($from, JavaScript : $js)', async ({
  who,
  from,
  js,
  width,
}) => {
  const [here, forgotten] = [await browser.context({ js, width }), await browser.context({ js, width })]
  await Promise.all([service.enter(here, who), service.enter(forgotten, who)])
  const [page, other] = [await here.newPage(), await forgotten.newPage()]
  // A minute later, what it asks says again where it comes from.
  await service.sql`update session set last_seen_at = horloge() - interval '2 minutes'`
  await other.goto(service.url + from)
  await page.goto(service.url + from)
  await page.getByRole('link', { name: 'Mes connexions' }).click()
  await page.getByRole('button', { name: /^Fermer cette connexion : Chrome/ }).click()
  await page.getByText('Aucune autre connexion n’est ouverte.').waitFor()
  await other.reload()
  expect(new URL(other.url()).pathname).toMatch(/connexion$/)
  await Promise.all([here.close(), forgotten.close()])
})

it('deux minutes avant la fermeture, le dit, puis qu’elle est fermée, sans rien perdre de ce qui est écrit ; un autre onglet compte', async () => {
  const context = await browser.context()
  await service.enter(context, 'thomas')
  const page = await context.newPage()
  await page.clock.install()
  await page.goto(`${service.url}/mandats/${await service.mandat('josiane')}/demarches/nouvelle`)
  await page.getByText('Plus de précisions').click()
  const note = page.getByLabel(/^Note/)
  await note.fill('Le bailleur rappelle')
  const dialog = page.getByRole('dialog')

  await page.clock.fastForward('27:50')
  expect(await dialog.count()).toBe(0)
  await page.clock.fastForward('00:20')
  await dialog.getByText('Votre connexion se ferme dans 2 minutes').waitFor()
  await expectAccessible(page)
  await page.clock.fastForward('01:00')
  await dialog.getByText('Votre connexion se ferme dans 1 minute').waitFor()
  await dialog.getByRole('button', { name: 'Continuer' }).press('Enter')
  await dialog.waitFor({ state: 'detached' })

  await page.clock.fastForward('28:05')
  await dialog.waitFor()
  const beside = await context.newPage()
  await beside.goto(`${service.url}/personnes`)
  await dialog.waitFor({ state: 'detached' })

  await page.clock.fastForward('28:05')
  await dialog.waitFor()
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'hidden' })
  await page.clock.fastForward('02:00')
  await dialog.getByText('Votre connexion est fermée').waitFor()
  await dialog.getByRole('button', { name: 'Continuer' }).click()
  await dialog.waitFor({ state: 'hidden' })
  expect(await note.inputValue()).toBe('Le bailleur rappelle')
  await context.close()
})

it('chaque page vue ici est valide, accessible, et tient dans 320 pixels', () => inspect(service, browser), 120_000)
