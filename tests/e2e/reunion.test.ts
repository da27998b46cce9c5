import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { openBoth } from '../support/e2e.ts'
import { type Hands, handsOn } from '../support/keyboard.ts'
import { inspect } from '../support/screens.ts'
import { identify, words } from '../support/service.ts'

/* Fatma's civil status was corrected: FranceConnect knows her under another sub. She has the sheet of before. */

const { service, browser } = await openBoth()

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).first()
const text = (page: Page) => words(page.locator('main'))
const QUESTION = 'Votre état civil a-t-il été corrigé ?'

/** A code as she draws it in the space of before. */
async function draw(js: boolean): Promise<string> {
  const context = await browser.context({ js, width: 360 })
  await service.enter(context, { persona: 'fatma' })
  const page = await context.newPage()
  await page.goto(`${service.url}/mon-espace/code-papier`)
  await button(page, /^Prendre un (nouveau )?code/).click()
  await page.getByRole('heading', { name: 'Votre nouveau code' }).waitFor()
  const [code] = /[36789BDFGHJKMPQRTVWXY]{4}(-[36789BDFGHJKMPQRTVWXY]{4}){2}/.exec(await text(page))!
  await context.close()
  return code!
}

describe.each([
  { js: false, comment: 'sans JavaScript, au clavier', width: 320 },
  { js: true, comment: 'avec JavaScript', width: 1280 },
] as const)('son état civil a été corrigé, $comment', ({ js, width }) => {
  let page: Page
  let hands: Hands

  it('elle apprend qu’il manque peut-être quelque chose, et le retrouve avec sa feuille d’avant', async () => {
    const code = await draw(js)
    await service.sql`update usager set reunion_refusee_at = null`
    page = await (await browser.context({ js, width })).newPage()
    hands = handsOn(page, { mouse: js })
    await page.goto(`${service.url}/mon-espace`)
    await hands.press(button(page, 'S’identifier avec FranceConnect'))
    await identify(page, 'fatma-rectifiee')
    // The first time nobody is known under that sub; the second, she is, and is asked.
    if (js) {
      await page.getByRole('heading', { name: QUESTION }).waitFor()
      expect(await text(page)).not.toContain('Figeac')
      await hands.press(page.getByRole('link', { name: 'Oui, le retrouver' }))
    } else {
      await page.getByRole('heading', { name: 'Aucun mandat à votre nom' }).waitFor()
      await hands.press(page.getByRole('link', { name: 'Retrouver ce qui a été fait avant' }))
    }
    await page.getByRole('heading', { name: 'Réunir mes deux historiques' }).waitFor()
    await hands.press(button(page, 'Réunir, avec FranceConnect'))
    await page.getByRole('link', { name: 'Tapez le code écrit sur votre feuille.' }).waitFor()
    await hands.type(page.getByLabel('Votre code privé'), code)
    await hands.type(page.getByLabel('L’année de votre naissance'), '1958')
    await hands.press(button(page, 'Réunir, avec FranceConnect'))
    await page.getByText('Rien n’est réuni').waitFor()
    await hands.type(page.getByLabel('Votre code privé'), code)
    await hands.type(page.getByLabel('L’année de votre naissance'), '1957')
    await hands.press(button(page, 'Réunir, avec FranceConnect'))
    await identify(page, 'fatma-rectifiee')
    await page.getByRole('heading', { name: 'Vos identités sont réunies' }).waitFor()
    await hands.press(page.getByRole('link', { name: 'Mes mandats' }).first())
    await page.getByRole('heading', { name: 'Qui peut faire vos démarches' }).waitFor()
    expect(await text(page)).toContain('Le CCAS de Figeac')
    expect(await text(page)).not.toContain(QUESTION)
  })

  it('elle les sépare d’un geste, et n’est plus interrogée', async () => {
    await hands.press(page.getByRole('link', { name: 'Mes données' }).first())
    await hands.press(page.getByText('Séparer : une de ces identités'))
    await hands.press(button(page, 'Séparer'))
    await page.getByRole('heading', { name: 'Qui vous êtes', exact: true }).waitFor()
    await hands.press(page.getByRole('link', { name: 'Mes mandats' }).first())
    await page.getByRole('heading', { name: 'Qui peut faire vos démarches' }).waitFor()
    expect(await text(page)).not.toMatch(/Figeac|corrigé/)
  })
})

it('la feuille d’une autre ne réunit rien, et le dit calmement', async () => {
  const code = await draw(false)
  const page = await (await browser.context({ js: false, width: 360 })).newPage()
  await page.goto(`${service.url}/mon-espace/reunir`)
  await page.getByLabel('Votre code privé').fill(code)
  await page.getByLabel('L’année de votre naissance').fill('1957')
  await button(page, 'Réunir, avec FranceConnect').click()
  await identify(page, 'josiane')
  await page.getByRole('heading', { name: 'Vos historiques ne sont pas réunis' }).waitFor()
  await page.getByRole('link', { name: 'Réessayer' }).click()
  await page.getByRole('heading', { name: 'Réunir mes deux historiques' }).waitFor()
})

it('un aidant voit sur chaque fiche que c’est la même personne', async () => {
  const [before, after] = [await service.personne('fatma'), await service.personne('fatma-rectifiee')]
  await service.sql`insert into dossier (structure_id, usager_id) select structure_id, ${after} from dossier where usager_id = ${before}`
  const context = await browser.context({ js: true, width: 1280 })
  await service.enter(context, 'thomas')
  const page = await context.newPage()
  await page.goto(`${service.url}/personnes/${before}`)
  await page.getByText('Même état civil').waitFor()
  await page.getByRole('link', { name: 'Une autre fiche' }).waitFor()
})

it('chaque page vue est bien écrite, lisible de tous, et tient sur un téléphone', async () => {
  await inspect(service, browser)
}, 600_000)
