import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { openBoth } from '../support/e2e.ts'
import { handsOn } from '../support/keyboard.ts'
import { inspect } from '../support/screens.ts'
import { type Service, words } from '../support/service.ts'

const { service, browser } = await openBoth()

const text = (page: Page) => words(page.locator('main'))
const open = async (who: Parameters<Service['enter']>[1], js: boolean) => {
  const context = await browser.context({ js, width: 360 })
  await service.enter(context, who)
  return context.newPage()
}
/** The box or the answer that these words are beside. */
const answer = (page: Page, words: string | RegExp) =>
  page
    .locator('.choice', { has: page.locator('label', { hasText: words }) })
    .first()
    .locator('input')
const button = (page: Page, name: string) => page.getByRole('button', { name }).first()

describe.each([
  { js: false, comment: 'sans JavaScript, au clavier', persona: 'josiane' },
  { js: true, comment: 'avec JavaScript', persona: 'laetitia' },
])('$comment', ({ js, persona }) => {
  it('elle dit qu’elle n’est pas d’accord ; la direction corrige et répond ; elle lit les deux', async () => {
    const mandat = await service.mandat(persona)
    const aidant = await open('thomas', js)
    await aidant.goto(`${service.url}/mandats/${mandat}/demarches/nouvelle`)
    const his = handsOn(aidant, { mouse: js })
    await his.choose(answer(aidant, 'Autre démarche'))
    await his.type(aidant.locator('input[name=titre]'), 'Un courrier au bailleur')
    await aidant.locator('select[name=thematique]').selectOption({ index: 1 })
    await his.choose(answer(aidant, 'Terminée'))
    await his.press(button(aidant, 'Enregistrer'))
    await aidant.waitForURL('**notee=*')

    const hers = await open({ persona }, js)
    const hands = handsOn(hers, { mouse: js })
    await hers.goto(`${service.url}/mon-espace/mandats/${mandat}`)
    await hands.press(hers.getByRole('link', { name: 'Je ne suis pas d’accord' }).first())
    await hers.getByRole('heading', { name: 'Une démarche faite pour vous' }).waitFor()
    // Nothing is chosen for her, and a page asked for writes nothing.
    expect(await hers.locator('input:checked').count()).toBe(0)
    await hands.press(button(hers, 'Je ne suis pas d’accord'))
    await hers.getByText('Choisissez ce qui ne va pas.').first().waitFor()
    const other = await hers.context().newPage()
    await other.goto(hers.url())
    await hands.choose(answer(hers, 'Ce n’est pas exact'))
    await hands.choose(answer(hers, /Mettre en pause mes démarches/))
    await hands.press(button(hers, 'Je ne suis pas d’accord'))
    await hers.waitForURL('**#desaccord')
    expect(await text(hers)).toContain('doit vous répondre')
    // From a second tab, something else: it is told that it is not kept.
    await answer(other, 'Je n’ai pas demandé cela').check()
    await button(other, 'Je ne suis pas d’accord').click()
    await other.getByText('Ce que vous venez d’écrire n’est pas gardé').waitFor()

    const direction = await open('nadia', js)
    const theirs = handsOn(direction, { mouse: js })
    await direction.goto(`${service.url}/structure/contestations`)
    const asked = direction.getByRole('table').first().getByRole('link').last()
    await theirs.press(asked)
    await direction.getByRole('heading', { name: /Ouvrir le dossier/ }).waitFor()
    await theirs.choose(answer(direction, 'Pour répondre à la personne'))
    await theirs.press(button(direction, 'Ouvrir le dossier'))
    await direction.getByRole('heading', { name: /n’est pas d’accord/ }).waitFor()
    await theirs.press(direction.getByRole('link', { name: 'Corrigez d’abord la démarche' }))
    await theirs.choose(answer(direction, 'Refusée'))
    await theirs.type(direction.locator('textarea[name=raison]'), 'Le bailleur a refusé.')
    await theirs.press(button(direction, 'Enregistrer la correction'))
    await theirs.press(direction.getByRole('link', { name: 'Répondre à la personne' }))
    const second = await direction.context().newPage()
    await second.goto(direction.url())
    await theirs.choose(answer(direction, 'Vous avez raison : c’est corrigé'))
    await theirs.press(button(direction, 'Répondre à la personne'))
    await direction.getByText('La personne a une réponse').waitFor()
    await answer(second, 'Vous avez raison : cela n’aurait pas dû être fait').check()
    await button(second, 'Répondre à la personne').click()
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
