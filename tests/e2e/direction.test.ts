import type { Locator, Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { AIDANTS } from '../../src/demo/people.ts'
import { openBoth } from '../support/e2e.ts'
import { type Hands, handsOn } from '../support/keyboard.ts'
import { inspect } from '../support/screens.ts'
import { PATIENCE, signInMessage, words } from '../support/service.ts'

const { service, browser } = await openBoth()

const menu = (page: Page, name: string) => page.getByRole('navigation', { name: 'Menu' }).getByRole('link', { name })

describe.each([
  { js: true, comment: 'avec JavaScript, au clavier' },
  { js: false, comment: 'sans JavaScript' },
])('la directrice, $comment', ({ js }) => {
  let page: Page
  let hands: Hands

  it('se connecte comme un aidant, et arrive au journal', async () => {
    page = await (await browser.context({ js })).newPage()
    hands = handsOn(page, { mouse: !js })
    await page.goto(`${service.url}/structure/journal`)
    await page.getByLabel('Adresse e-mail professionnelle').fill(AIDANTS.nadia.email)
    await page.getByLabel('Code de votre application').fill(await service.code('nadia'))
    await page.getByRole('button', { name: 'Continuer' }).click()
    await page.getByLabel('Code reçu par e-mail').fill((await signInMessage(service, 'nadia')).code)
    await page.getByRole('button', { name: 'Se connecter' }).click()
    await page.waitForURL('**/structure/journal')
    expect(await page.locator('.timeline li').count()).toBeGreaterThan(10)
  })

  it('filtre par aidant, thématique, action et période', async () => {
    const found = page.locator('#resultats [role=status]')
    const filter = async (label: string, answer: (field: Locator) => Promise<void>, expected: RegExp) => {
      const before = page.url()
      await answer(page.getByLabel(label, { exact: false }).first())
      if (!js) await page.getByRole('button', { name: 'Filtrer' }).click()
      await expect.poll(() => page.url(), PATIENCE).not.toBe(before)
      await expect.poll(() => words(found), PATIENCE).toMatch(expected)
    }
    const all = (part: string, text: string) =>
      expect
        .poll(
          async () => (await page.locator(`.timeline ${part}`).allInnerTexts()).filter((line) => !line.includes(text)),
          PATIENCE,
        )
        .toEqual([])
    const line = (letters: string) => (field: Locator) => hands.select(field, letters)
    // The first day of a year is typed alike wherever day and month change places.
    const newYear = (year: number) => (field: Locator) => (js ? hands.type(field, `0101${year}`) : field.fill(`${year}-01-01`))
    await filter('Aidant', line('In'), /^\d+ lignes$/)
    await all('.by', 'Inès Delmas')
    await filter('Ce qui s’est passé', line('D'), /^\d+ lignes$/)
    await filter('Thématique', line('Argent'), /^\d+ lignes?$/)
    await all('li', 'Argent')
    await filter('Du', newYear(2020), /^\d+ lignes?$/)
    await filter('Au', newYear(2020), /^Aucune ligne$/)
    await filter('Au', (field) => field.fill('2019-12-31'), /./)
    await page.locator('main').getByText('La fin de la période est avant son début.').first().waitFor()

    // The address keeps the filters: read again, or sent to a colleague.
    await page.goto(`${service.url}/structure/journal?action=acte_hors_mandat`)
    expect(await page.locator('.timeline li').count()).toBe(1)
    expect(await words(page.locator('.timeline'))).toMatch(/Acte hors mandat[\s\S]*Samira Roux, pour Abdelkader/)
  })

  it('tourne les pages', async () => {
    await hands.press(menu(page, 'Journal de la structure'))
    const first = await page.locator('.timeline li').first().innerText()
    await hands.press(page.getByRole('link', { name: 'Page suivante' }))
    await page.waitForURL('**/structure/journal?avant=*')
    expect(await page.locator('.timeline li').first().innerText()).not.toBe(first)
    await hands.press(page.getByRole('link', { name: 'Revenir aux lignes les plus récentes' }))
    await page.waitForURL((url) => url.search === '')
    expect(await page.locator('.timeline li').first().innerText()).toBe(first)
  })

  it('imprime ce que le filtre trouve, avec un code de plus, et dit ce que propose la structure', async () => {
    await page.goto(`${service.url}/structure/journal?action=acte_hors_mandat`)
    await hands.press(page.getByRole('button', { name: 'Version à imprimer' }))
    await page.getByText('Vous allez emporter le journal de la structure.').waitFor()
    await hands.type(page.getByLabel('Code de votre application'), await service.code('nadia'))
    await hands.press(page.getByRole('button', { name: 'Confirmer avec ce code' }))
    await page.getByText('Filtre : Acte hors mandat').waitFor()
    expect(await words(page.locator('main'))).toMatch(/1 ligne, le[\s\S]*Samira Roux, pour Abdelkader/)
    expect(await page.getByRole('button', { name: 'Imprimer' }).count()).toBe(js ? 1 : 0)

    await page.goto(`${service.url}/structure/journal`)
    await hands.press(menu(page, 'Thématiques'))
    await page.waitForURL('**/structure/thematiques')
    const sport = page.getByLabel('Loisirs - Sport - Culture')
    const before = await sport.isChecked()
    await hands.choose(sport)
    await hands.press(page.getByRole('button', { name: 'Enregistrer' }))
    await page.getByText('C’est noté').waitFor()
    expect(await sport.isChecked()).toBe(!before)
  })

  it('voit qui agit pour la structure', async () => {
    await hands.press(menu(page, 'L’équipe'))
    await page.waitForURL('**/structure/aidants')
    const rows = await page.locator('tbody tr').allInnerTexts()
    for (const name of ['Nadia Belkacem', 'Thomas Lacombe', 'Inès Delmas', 'Samira Roux']) expect(rows.join('\n')).toContain(name)
    expect(rows.join('\n')).not.toContain('Fabrice')
  })

  it('n’ouvre un dossier qu’avec une raison, que la personne lit aussitôt', async () => {
    const persona = js ? 'odette' : 'toussaint'
    const raison = `Vérification annuelle ${js ? 'un' : 'deux'}`
    // From the list of persons as from the journal: where she has not acted herself, the reason comes first.
    await hands.press(menu(page, 'Personnes'))
    await page.waitForURL('**/personnes')
    await hands.press(page.locator(`a[href="/personnes/${await service.personne(persona)}"]`))
    await page.waitForURL('**/ouvrir')
    await hands.press(page.getByRole('button', { name: 'Ouvrir le dossier' }))
    expect(await page.locator('#erreurs').innerText()).toContain('Choisissez une raison')
    await hands.choose(page.getByLabel('Pour un contrôle'))
    await hands.type(page.getByLabel(/^Précision/), raison)
    await hands.press(page.getByRole('button', { name: 'Ouvrir le dossier' }))
    await page.waitForURL(/\/structure\/personnes\/[0-9a-f-]{36}$/)
    expect(await page.locator('main').innerText()).toContain(raison)

    const phone = await browser.context({ js, width: 360 })
    await service.enter(phone, { persona })
    const hers = await phone.newPage()
    await hers.goto(`${service.url}/mon-espace/acces`)
    expect(await words(hers.locator('main'))).toContain(`Nadia Belkacem, du CCAS de Figeac, pour un contrôle. « ${raison} »`)
  })
})

it('un aidant qui ne dirige pas n’a ni le menu, ni les pages', async () => {
  const context = await browser.context({ js: false })
  await service.enter(context, 'thomas')
  const page = await context.newPage()
  await page.goto(`${service.url}/personnes`)
  expect(await page.getByRole('navigation', { name: 'Menu' }).innerText()).not.toMatch(/Journal|équipe/)
  for (const path of ['/structure/journal', '/structure/aidants', `/structure/personnes/${await service.personne('odette')}`])
    expect((await page.goto(service.url + path))!.status()).toBe(404)
})

it('chaque page vue ici est valide, accessible, et tient dans 320 pixels', () => inspect(service, browser), 120_000)
