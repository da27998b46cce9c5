import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { openBoth } from '../support/e2e.ts'
import { handsOn } from '../support/keyboard.ts'
import { inspect } from '../support/screens.ts'
import { words } from '../support/service.ts'

const { service, browser } = await openBoth()

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).first()
const text = (page: Page) => words(page.locator('main'))
/** The code sent to prove a contact, as it is read on the telephone. */
const received = async (to: string) => {
  const [message] = await service.sql<{ corps: string }[]>`
    select corps from message where cle like 'connexion:contact:%' and destinataire = ${to} order by created_at desc limit 1`
  return /\d{3} \d{3}/.exec(message!.corps)![0]
}

describe.each([
  {
    js: false,
    comment: 'sans JavaScript, au clavier',
    width: 320,
    persona: 'odette',
    sien: '+33698760001',
    ensemble: '+33698760002',
  },
  { js: true, comment: 'avec JavaScript', width: 1280, persona: 'josiane', sien: '+33698760003', ensemble: '+33698760004' },
] as const)('changer de numéro, $comment', ({ js, width, persona, sien, ensemble }) => {
  const enMots = (numero: string) => numero.replace('+33', '0').replace(/\d\d(?=\d)/g, '$& ')

  it('elle, dans son espace : le code reçu, puis c’est changé, et elle voit que c’est elle', async () => {
    const context = await browser.context({ js, width })
    await service.enter(context, { persona })
    const page = await context.newPage()
    const hands = handsOn(page, { mouse: js })
    await page.goto(`${service.url}/mon-espace/donnees`)
    await hands.press(page.getByRole('link', { name: 'Mes contacts' }))
    await page.waitForURL('**/mon-espace/contacts')
    await hands.choose(page.getByLabel('Par SMS'))
    await hands.press(button(page, 'Continuer'))
    await hands.press(page.getByRole('link', { name: 'Tapez un numéro de mobile, ou choisissez une autre façon.' }))
    await hands.type(page.getByLabel('Votre mobile'), enMots(sien))
    await hands.press(button(page, 'Continuer'))
    await page.waitForURL('**/contacts/code')
    expect(await text(page)).toContain(`Un code de six chiffres part au ${enMots(sien)}`)
    const code = await received(sien)
    await hands.type(page.getByLabel('Code reçu'), code === '000 000' ? '111 111' : '000 000')
    await hands.press(button(page, 'Changer'))
    await page.getByText('Rien n’est changé', { exact: true }).waitFor()
    await hands.type(page.getByLabel('Code reçu'), code)
    await hands.press(button(page, 'Changer'))
    await page.getByText('C’est changé').waitFor()
    const after = await text(page)
    expect(after).toContain(`Par SMS, au ${enMots(sien)}`)
    expect(after).toContain('Par vous, dans cet espace')
    await context.close()
  })

  it('avec son aidant : elle lit le code, il confirme, et elle voit que c’est lui', async () => {
    const usagerId = await service.personne(persona)
    const context = await browser.context({ js, width })
    await service.enter(context, 'thomas')
    const page = await context.newPage()
    const hands = handsOn(page, { mouse: js })
    await page.goto(`${service.url}/personnes/${usagerId}`)
    await hands.press(page.getByRole('link', { name: 'Changer avec elle' }))
    await page.waitForURL('**/contact')
    await hands.choose(page.getByLabel('Par SMS'))
    await hands.type(page.getByLabel('Son mobile'), enMots(ensemble))
    await hands.press(button(page, 'Continuer'))
    await page.waitForURL('**/contact/code')
    await hands.type(page.getByLabel('Code reçu'), await received(ensemble))
    await hands.press(button(page, 'Changer'))
    await page.getByText('Vous allez changer comment une personne est prévenue.').waitFor()
    await hands.type(page.getByLabel('Code de votre application'), await service.code('thomas'))
    await hands.press(button(page, /^Confirmer/))
    await page.getByText('C’est changé').waitFor()
    expect(await text(page)).toContain(`Par SMS, au ${enMots(ensemble)}`)
    await context.close()

    const her = await browser.context({ js, width })
    await service.enter(her, { persona })
    const hers = await her.newPage()
    await hers.goto(`${service.url}/mon-espace/contacts`)
    expect(await text(hers)).toContain('Par Thomas')
    await her.close()
  })
})

it('chaque page vue est valide, accessible, et tient à 320 px', { timeout: 120_000 }, () => inspect(service, browser))
