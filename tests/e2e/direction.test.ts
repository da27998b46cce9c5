import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { AIDANTS } from '../../src/demo/people.ts'
import { openBoth } from '../support/e2e.ts'
import { inspect } from '../support/screens.ts'
import { PATIENCE, signInMessage, words } from '../support/service.ts'

const { service, browser } = await openBoth()

const menu = (page: Page, name: string) => page.getByRole('navigation', { name: 'Menu' }).getByRole('link', { name }).click()

describe.each([
  { js: true, comment: 'avec JavaScript' },
  { js: false, comment: 'sans JavaScript' },
])('la directrice, $comment', ({ js }) => {
  let page: Page

  it('se connecte comme un aidant, et arrive au journal', async () => {
    page = await (await browser.context({ js })).newPage()
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
    const filter = async (label: string, value: string | { label: string }, expected: RegExp) => {
      const before = page.url()
      const field = page.getByLabel(label, { exact: false }).first()
      if ((await field.evaluate((element) => element.nodeName)) === 'SELECT') await field.selectOption(value)
      else {
        await field.fill(String(value))
        if (js) await field.blur()
      }
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
    await filter('Aidant', { label: 'Inès Delmas' }, /^\d+ lignes$/)
    await all('.by', 'Inès Delmas')
    await filter('Ce qui s’est passé', 'demarche_realisee', /^\d+ lignes$/)
    await filter('Thématique', 'argent', /^\d+ lignes?$/)
    await all('li', 'Argent')
    await filter('Du', '2020-01-01', /^\d+ lignes?$/)
    await filter('Au', '2020-01-31', /^Aucune ligne$/)
    await filter('Au', '2019-12-31', /./)
    expect(await page.locator('main').innerText()).toContain('La fin de la période est avant son début.')

    // The address keeps the filters: read again, or sent to a colleague.
    await page.goto(`${service.url}/structure/journal?action=acte_hors_mandat`)
    expect(await page.locator('.timeline li').count()).toBe(1)
    expect(await words(page.locator('.timeline'))).toMatch(/Acte hors mandat[\s\S]*Samira Roux, pour Abdelkader/)
  })

  it('tourne les pages', async () => {
    await menu(page, 'Journal de la structure')
    const first = await page.locator('.timeline li').first().innerText()
    await page.getByRole('link', { name: 'Page suivante' }).click()
    await page.waitForURL('**/structure/journal?avant=*')
    expect(await page.locator('.timeline li').first().innerText()).not.toBe(first)
    await page.getByRole('link', { name: 'Revenir aux lignes les plus récentes' }).click()
    expect(await page.locator('.timeline li').first().innerText()).toBe(first)
  })

  it('voit qui agit pour la structure', async () => {
    await menu(page, 'L’équipe')
    const rows = await page.locator('tbody tr').allInnerTexts()
    for (const name of ['Nadia Belkacem', 'Thomas Lacombe', 'Inès Delmas', 'Samira Roux']) expect(rows.join('\n')).toContain(name)
    expect(rows.join('\n')).not.toContain('Fabrice')
  })

  it('n’ouvre un dossier qu’avec une raison, que la personne lit aussitôt', async () => {
    const persona = js ? 'odette' : 'toussaint'
    const raison = `Vérification annuelle ${js ? 'un' : 'deux'}`
    // From the list of persons as from the journal: where she has not acted herself, the reason comes first.
    await menu(page, 'Personnes')
    await page.locator(`a[href="/personnes/${await service.personne(persona)}"]`).click()
    await page.waitForURL('**/ouvrir')
    await page.getByRole('button', { name: 'Ouvrir le dossier' }).click()
    expect(await page.locator('#erreurs').innerText()).toContain('Choisissez une raison')
    await page.getByLabel('Pour un contrôle').check()
    await page.getByLabel(/^Précision/).fill(raison)
    await page.getByRole('button', { name: 'Ouvrir le dossier' }).click()
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
