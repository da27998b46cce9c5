import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser, type TestBrowser } from '../support/browser.ts'
import { inspect } from '../support/screens.ts'
import { type Service, startService, words } from '../support/service.ts'

let service: Service
let browser: TestBrowser
beforeAll(async () => {
  ;[service, browser] = await Promise.all([startService(), openBrowser()])
})
afterAll(async () => {
  await service?.close()
  await browser?.close()
})

const text = (page: Page) => words(page.locator('main'))
const open = async (who: Parameters<Service['enter']>[1], js: boolean) => {
  const context = await browser.context({ js, width: 360 })
  await service.enter(context, who)
  return context.newPage()
}
const choose = (page: Page, words: string | RegExp) => page.locator('label', { hasText: words }).first().click()
const press = (page: Page, name: string) => page.getByRole('button', { name }).first().click()

describe.each([
  { js: false, comment: 'sans JavaScript', persona: 'josiane' },
  { js: true, comment: 'avec JavaScript', persona: 'laetitia' },
])('$comment', ({ js, persona }) => {
  it('elle dit qu’elle n’est pas d’accord ; la direction corrige et répond ; elle lit les deux', async () => {
    const mandat = await service.mandat(persona)
    const aidant = await open('thomas', js)
    await aidant.goto(`${service.url}/mandats/${mandat}/demarches/nouvelle`)
    await choose(aidant, 'Autre démarche')
    await aidant.locator('input[name=titre]').fill('Un courrier au bailleur')
    await aidant.locator('select[name=thematique]').selectOption({ index: 1 })
    await choose(aidant, 'Terminée')
    await press(aidant, 'Enregistrer')
    await aidant.waitForURL('**notee=*')

    const hers = await open({ persona }, js)
    await hers.goto(`${service.url}/mon-espace/mandats/${mandat}`)
    await hers.getByRole('link', { name: 'Je ne suis pas d’accord' }).first().click()
    await hers.getByRole('heading', { name: 'Une démarche faite pour vous' }).waitFor()
    // Nothing is chosen for her, and a page asked for writes nothing.
    expect(await hers.locator('input:checked').count()).toBe(0)
    await press(hers, 'Je ne suis pas d’accord')
    await hers.getByText('Choisissez ce qui ne va pas.').first().waitFor()
    const other = await hers.context().newPage()
    await other.goto(hers.url())
    await choose(hers, 'Ce n’est pas exact')
    await choose(hers, /Mettre en pause mes démarches/)
    await press(hers, 'Je ne suis pas d’accord')
    await hers.waitForURL('**#desaccord')
    expect(await text(hers)).toContain('doit vous répondre')
    // From a second tab, something else: it is told that it is not kept.
    await choose(other, 'Je n’ai pas demandé cela')
    await press(other, 'Je ne suis pas d’accord')
    await other.getByText('Ce que vous venez d’écrire n’est pas gardé').waitFor()

    const direction = await open('nadia', js)
    await direction.goto(`${service.url}/structure/contestations`)
    const asked = direction.getByRole('table').first().getByRole('link').last()
    await asked.click()
    await direction.getByRole('heading', { name: /Ouvrir le dossier/ }).waitFor()
    await choose(direction, 'À la suite d’un désaccord')
    await press(direction, 'Ouvrir le dossier')
    await direction.getByRole('heading', { name: /n’est pas d’accord/ }).waitFor()
    await direction.getByRole('link', { name: 'Corrigez d’abord la démarche' }).click()
    await choose(direction, 'Refusée')
    await direction.locator('textarea[name=raison]').fill('Le bailleur a refusé.')
    await press(direction, 'Enregistrer la correction')
    await direction.getByRole('link', { name: 'Répondre à la personne' }).click()
    const second = await direction.context().newPage()
    await second.goto(direction.url())
    await choose(direction, 'Vous avez raison : c’est corrigé')
    await press(direction, 'Répondre à la personne')
    await direction.getByText('La direction a répondu').waitFor()
    await choose(second, 'Vous avez raison : cela n’aurait pas dû être fait')
    await press(second, 'Répondre à la personne')
    await second.getByText('Votre réponse n’est pas enregistrée').waitFor()

    await hers.reload()
    const said = await text(hers)
    for (const words of [
      'Vous avez raison : c’est corrigé',
      'Le bailleur a refusé.',
      'Ce qui était noté d’abord',
      'Défenseur des droits',
    ])
      expect(said).toContain(words)
  })
})

it('chaque page vue ici est valide, accessible, et tient dans 320 pixels', () => inspect(service, browser), 120_000)
