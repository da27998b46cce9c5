import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { openBoth } from '../support/e2e.ts'
import { type Hands, handsOn, keyboard } from '../support/keyboard.ts'
import { inspect } from '../support/screens.ts'
import { words } from '../support/service.ts'

const { service, browser } = await openBoth()

const text = (page: Page) => words(page.locator('main'))

/** Her new code, as she reads it in her own space. */
async function draw(persona: string): Promise<string> {
  const context = await browser.context({ js: false, width: 320 })
  await service.enter(context, { persona })
  const page = await context.newPage()
  const keys = keyboard(page)
  await page.goto(`${service.url}/mon-espace/donnees`)
  await keys.press(page.getByRole('link', { name: 'Mon code papier' }))
  await page.waitForURL('**/code-papier')
  await keys.press(page.getByRole('button', { name: /^Prendre un (nouveau )?code/ }))
  await page.getByRole('heading', { name: 'Votre nouveau code' }).waitFor()
  expect(keys.activations).toBe(2)
  const [code] = /[36789BDFGHJKMPQRTVWXY]{4}(-[36789BDFGHJKMPQRTVWXY]{4}){2}/.exec(await text(page))!
  await context.close()
  return code!
}
const yearOf = async (usagerId: string) =>
  (await service.sql<{ year: string }[]>`select left(birthdate, 4) as year from usager where id = ${usagerId}`)[0]!.year
const prove = (usagerId: string, telephone: string | null) =>
  service.sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`
    await tx`
      update usager
      set telephone = ${telephone}, telephone_prouve_at = case when ${telephone !== null} then horloge() end, email_prouve_at = null
      where id = ${usagerId}`
  })
const received = async () => {
  const [message] = await service.sql<{ corps: string }[]>`
    select corps from message where cle like 'connexion:%:preuve' order by created_at desc limit 1`
  return /\d{3} \d{3}/.exec(message!.corps)![0]
}

describe.each([
  { js: false, comment: 'sans JavaScript, au clavier', persona: 'odette', width: 320 },
  { js: true, comment: 'avec JavaScript', persona: 'josiane', width: 360 },
] as const)('avec le papier et son téléphone, $comment', ({ js, persona, width }) => {
  let page: Page
  let hands: Hands
  let usagerId: string
  let code: string

  it('ouvre son espace avec le code et son année, et lit sans le confidentiel', async () => {
    usagerId = await service.personne(persona)
    code = await draw(persona)
    page = await (await browser.context({ js, width })).newPage()
    hands = handsOn(page, { mouse: js })
    await page.goto(`${service.url}/mon-espace`)
    const entrer = page.getByRole('button', { name: 'Ouvrir mon espace' })
    await hands.press(page.getByRole('link', { name: 'J’ai un papier avec un code' }))
    await hands.press(entrer)
    await hands.press(page.getByRole('link', { name: 'Tapez le code écrit sur votre feuille.' }))
    await hands.type(page.getByLabel('Votre code privé'), code.toLowerCase().replaceAll('-', ' '))
    await hands.type(page.getByLabel('L’année de votre naissance'), '1901')
    await hands.press(entrer)
    await page.getByText('Votre espace n’est pas ouvert').waitFor()
    await hands.type(page.getByLabel('Votre code privé'), code)
    await hands.type(page.getByLabel('L’année de votre naissance'), await yearOf(usagerId))
    await hands.press(entrer)
    await page.waitForURL('**/mon-espace')
    expect(await page.locator('h1').innerText()).toBe('Qui peut faire vos démarches')
    expect(await text(page)).toContain('Pour tout voir, connectez-vous avec FranceConnect')
    expect(await page.getByRole('link', { name: 'Mes données' }).count()).toBe(0)

    await page.getByRole('link', { name: 'Qui a ouvert mon dossier' }).click()
    expect(await text(page)).toMatch(/Votre code a servi, le \d/)
    await page.getByRole('link', { name: 'Pour tout voir, connectez-vous avec FranceConnect' }).click()
    await page.getByRole('heading', { name: 'Pour tout voir, FranceConnect' }).waitFor()
    await page.getByRole('link', { name: 'Mon espace' }).click()
  })

  it('sans contact prouvé, lit comment arrêter autrement', async () => {
    await prove(usagerId, null)
    await page.reload()
    await page.getByRole('link', { name: 'Comment arrêter' }).first().click()
    await page.getByRole('heading', { name: 'Arrêter autrement' }).waitFor()
    expect(await text(page)).toMatch(/FranceConnect.*Le CCAS de Figeac : .*coupez le bas de votre feuille/s)
    await page.getByRole('link', { name: 'Ne rien changer' }).click()
  })

  it('avec un code reçu sur son téléphone, met en pause puis arrête', async () => {
    await prove(usagerId, '+33612345678')
    await page.reload()
    await hands.press(page.getByRole('link', { name: 'Arrêter', exact: true }).first())
    await page.getByRole('heading', { name: 'D’abord, un code pour vous' }).waitFor()
    expect(await text(page)).toContain('06 •• •• •• 78')
    await hands.press(page.getByRole('button', { name: 'Recevoir le code' }))
    await page.waitForURL('**/confirmer/code?**')
    const digits = await received()
    const [recus, continuer] = [page.getByLabel('Les 6 chiffres reçus'), page.getByRole('button', { name: 'Continuer' })]
    await hands.type(recus, digits === '000 000' ? '111111' : '000000')
    await hands.press(continuer)
    await page.getByText('Le code n’est pas accepté').waitFor()
    await hands.type(recus, '12')
    await hands.press(continuer)
    await page.getByRole('link', { name: 'Le code est fait de 6 chiffres.' }).waitFor()
    await hands.type(recus, digits)
    await hands.press(continuer)
    await page.waitForURL('**/arreter')
    const stop = page.url()
    await page.goto(stop.replace(/arreter$/, 'pause'))
    await hands.press(page.getByRole('button', { name: 'Tout mettre en pause' }))
    await page.waitForURL(/mandats\/[0-9a-f-]+$/)
    await page.goto(stop)
    await hands.press(page.getByRole('button', { name: 'Tout arrêter' }))
    await page.waitForURL('**/arret')
    expect(await text(page)).toMatch(/C’est arrêté depuis \d+ h \d\d/)
  })

  it('annule son code d’un geste, et l’espace ouvert avec se ferme', async () => {
    const context = await browser.context({ js, width })
    await service.enter(context, { persona })
    const hers = await context.newPage()
    const keys = keyboard(hers)
    await hers.goto(`${service.url}/mon-espace/acces`)
    expect(await text(hers)).toContain('Votre code a servi, le')
    await keys.press(hers.getByRole('link', { name: 'Changez ou annulez ce code' }))
    await hers.waitForURL('**/code-papier')
    await keys.press(hers.getByRole('button', { name: 'Annuler mon code' }))
    await hers.getByText('Vous n’avez pas de code en ce moment.').waitFor()
    expect(keys.activations).toBe(2)
    await page.goto(`${service.url}/mon-espace`)
    await page.waitForURL('**/mon-espace/connexion**')
  })
})

it('chaque page vue est bien écrite, lisible de tous, et tient sur un téléphone', async () => {
  await inspect(service, browser)
}, 600_000)
