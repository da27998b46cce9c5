import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { openBoth } from '../support/e2e.ts'
import { expectAccessible } from '../support/html.ts'
import { keyboard } from '../support/keyboard.ts'
import { readQr } from '../support/read-qr.ts'
import { inspect } from '../support/screens.ts'
import { identify, words } from '../support/service.ts'

const { service, browser } = await openBoth()

const h1 = (page: Page) => words(page.locator('h1'))
/** A tile is pressed anywhere. */
const tile = (page: Page, name: string) => page.locator('label', { hasText: new RegExp(`^\\s*${name}\\s*$`) }).click()
const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).click()

/** Thomas, in a browser, as far as the page where she identifies herself: for logement and papiers, a month. */
async function toIdentification(look: { js: boolean; width?: 320 }): Promise<Page> {
  const context = await browser.context(look)
  await service.enter(context, 'thomas')
  const page = await context.newPage()
  await page.goto(`${service.url}/mandats/nouveau`)
  await page.getByLabel('Non', { exact: true }).check()
  await tile(page, 'Logement')
  await tile(page, 'Papiers - Citoyenneté - Élections')
  await page.getByLabel(/^1 mois/).check()
  await press(page, 'Continuer')
  await page.waitForURL('**/identification')
  return page
}
async function toAccord(look: { js: boolean; width?: 320 }, persona: string): Promise<Page> {
  const page = await toIdentification(look)
  await press(page, 'S’identifier avec FranceConnect')
  await identify(page, persona)
  await page.waitForURL('**/accord')
  return page
}
const known = async (persona: string) =>
  service.personne(persona).then(
    () => true,
    () => false,
  )
const mandatsOf = async (persona: string) => {
  const [row] = await service.sql<{ n: number }[]>`
    select count(*)::int as n from mandat where usager_id = ${await service.personne(persona)}`
  return row!.n
}

describe.each([
  { js: true, comment: 'avec JavaScript', persona: 'francoise' },
  { js: false, comment: 'sans JavaScript', persona: 'moussa' },
])('un mandat, $comment', ({ js, persona }) => {
  it('s’explique, se choisit, se relit, s’accepte des deux côtés', async () => {
    const context = await browser.context({ js })
    await service.enter(context, 'thomas')
    const page = await context.newPage()
    await page.goto(`${service.url}/personnes`)
    await page.getByRole('navigation', { name: 'Menu' }).getByRole('link', { name: 'Nouveau mandat' }).click()
    expect(await h1(page)).toBe('Expliquer ensemble')
    await page.getByRole('link', { name: 'Choisir ensemble' }).click()
    for (const box of await page.locator('input[type=checkbox], input[type=radio]').all())
      expect(await box.isChecked()).toBe(false)
    await page.getByLabel('Non', { exact: true }).check()
    await tile(page, 'Logement')
    await tile(page, 'Argent - Impôts - Consommation')
    await page.getByLabel(/^1 mois/).check()
    await press(page, 'Continuer')

    expect(await words(page.locator('main'))).toContain(
      'Tapez vous-même votre mot de passe, sans que personne ne le voie : pour l’instant, vous n’acceptez encore rien.',
    )
    await press(page, 'S’identifier avec FranceConnect')
    await identify(page, persona)
    await page.waitForURL('**/accord')
    expect(await words(page.locator('.sentence'))).toMatch(
      /^Je donne mon accord : jusqu’au .+ au soir, le CCAS de Figeac peut faire mes démarches de logement, .+ à ma place, et je peux arrêter quand je veux, sans dire pourquoi\.$/,
    )
    const [yes, no] = await Promise.all(
      ['Je donne mon accord', 'Non, j’arrête'].map((name) => page.getByRole('button', { name }).boundingBox()),
    )
    expect([no!.width, no!.height]).toEqual([yes!.width, yes!.height])

    // Nothing was said again: the page says what is missing, and keeps the choice of paper.
    await page.getByLabel('Sur papier').check()
    await press(page, 'Je donne mon accord')
    expect(await page.locator('#erreurs').innerText()).toContain('Cochez cette case quand la personne a redit')
    expect(await page.getByLabel('Sur papier').isChecked()).toBe(true)
    // She leaves one thématique aside: the sentence changes, at once or once asked, and is read again before it counts.
    await page.getByLabel('La personne a redit').check()
    await tile(page, 'Argent - Impôts - Consommation')
    if (!js) {
      await press(page, 'Je donne mon accord')
      await page.getByText('La phrase a changé').waitFor()
    }
    await page.locator('.sentence', { hasText: 'mes démarches de logement à ma place' }).waitFor()
    expect(await page.getByLabel('Sur papier').isChecked()).toBe(true)
    expect(await page.getByLabel('La personne a redit').isChecked()).toBe(false)
    await page.getByLabel('La personne a redit').check()
    await press(page, 'Je donne mon accord')
    await page.waitForURL('**/acceptation')

    await page.getByLabel('Code de votre application').fill('000000')
    await press(page, 'Accepter et signer le mandat')
    await page.getByText('Mandat non signé').waitFor()
    await page.getByLabel('Code de votre application').fill(await service.code('thomas'))
    await press(page, 'Accepter et signer le mandat')
    await page.waitForURL(/\/mandats\/[0-9a-f-]{36}\?signe=1$/)
    expect(await h1(page)).toMatch(/^Mandat d/)
    expect(await page.locator('main').innerText()).toContain('Logement')
    expect(await mandatsOf(persona)).toBe(1)
  })

  it('refusé, n’a pas existé : ses mots, et rien d’elle dans la base', async () => {
    const page = await toAccord({ js }, 'camille')
    await press(page, 'Non, j’arrête')
    await page
      .getByText(
        'Vous avez dit non, c’est votre droit : aucun mandat n’existe, ce service n’a rien gardé sur vous, et vous pouvez demander une autre aide.',
      )
      .waitFor()
    expect(await known('camille')).toBe(false)
    const [row] = await service.sql<
      { n: number }[]
    >`select count(*)::int as n from brouillon where identite::text ilike '%lescure%'`
    expect(row!.n).toBe(0)
    await page.goBack()
    expect(await page.content()).not.toContain('LESCURE')
  })

  it('interrompu chez FranceConnect, garde les choix et reprend', async () => {
    const page = await toIdentification({ js })
    for (const [gesture, title] of [
      ['Revenir sur le service', 'L’identification n’a pas abouti'],
      ['Simuler une panne', 'Identification indisponible'],
    ] as const) {
      await press(page, 'S’identifier avec FranceConnect')
      await page.getByRole('button', { name: gesture }).first().click()
      await page.waitForURL('**/connexion/franceconnect/retour?**')
      expect(await h1(page)).toBe(title)
      expect(await page.locator('main').innerText()).toContain('Vos choix sont gardés')
      await page.getByRole('link', { name: 'Reprendre où vous en étiez' }).click()
      expect(await page.locator('main').innerText()).toContain('démarches de papiers et de logement')
    }
    await press(page, 'S’identifier avec FranceConnect')
    await identify(page, 'aissatou')
    await page.waitForURL('**/accord')
    expect(await page.locator('.sentence').innerText()).toContain('de papiers et de logement')
  })

  it('signé deux fois d’un double clic, n’existe qu’une fois ; « Précédent » ne casse rien', async () => {
    const page = await toAccord({ js }, 'voahangy')
    await page.getByLabel('La personne a redit').check()
    await page.getByLabel('Sur papier').check()
    await page.getByRole('button', { name: 'Je donne mon accord' }).dblclick()
    // Two clicks are two navigations, the first cut by the second: the page is waited for, not either of them.
    const settled = async (url: RegExp) => {
      await expect.poll(() => page.url(), { timeout: 15_000 }).toMatch(url)
      await page.waitForLoadState('networkidle')
    }
    await settled(/\/acceptation$/)
    await page.goBack()
    await page.goForward()
    await page.waitForURL('**/acceptation')
    await page.getByLabel('Code de votre application').fill(await service.code('thomas'))
    const before = (await known('voahangy')) ? await mandatsOf('voahangy') : 0
    await page.getByRole('button', { name: 'Accepter et signer le mandat' }).dblclick()
    await settled(/\/mandats\/[0-9a-f-]{36}\?signe=1$/)
    expect(await mandatsOf('voahangy')).toBe(before + 1)

    expect(await page.getByRole('status').innerText()).toContain('Mandat signé')
    const here = page.url().replace('?signe=1', '')
    await page.goBack()
    await page.waitForURL(here)
    expect(await h1(page)).toMatch(/^Mandat de Voahangy/)
    expect(await mandatsOf('voahangy')).toBe(before + 1)
  })

  it('impossible, se dit calmement : personne protégée, mineure, sans choix', async () => {
    const context = await browser.context({ js })
    await service.enter(context, 'thomas')
    const page = await context.newPage()
    await page.goto(`${service.url}/mandats/nouveau`)
    await press(page, 'Continuer')
    expect(await page.locator('#erreurs li').count()).toBe(3)
    await page.getByLabel('Oui', { exact: true }).check()
    await tile(page, 'Logement')
    await page.getByLabel(/^1 mois/).check()
    await press(page, 'Continuer')
    expect(await h1(page)).toBe('Pas de mandat possible ici')

    const minor = await toIdentification({ js })
    await press(minor, 'S’identifier avec FranceConnect')
    await identify(minor, 'leo')
    expect(await minor.locator('main').innerText()).toContain('La personne a moins de 18 ans')
    expect(await known('leo')).toBe(false)
  })
})

it.each([{ js: true }, { js: false }])('identifiée sur son téléphone, prévenue par SMS, puis oubliée d’un bouton ($js)', async ({
  js,
}) => {
  const page = await toIdentification({ js })
  await press(page, 'Sur son téléphone')
  await page.waitForURL('**/telephone')
  const phone = await (await browser.context({ js, width: 360 })).newPage()
  await phone.goto(readQr(await page.content()))
  await press(phone, 'S’identifier avec FranceConnect')
  await identify(phone, 'odette')
  await phone.waitForURL('**/telephone/code')
  const digits = (await phone.locator('.digits').innerText()).replace(/\D/g, '')
  await page.getByLabel('Code affiché sur son téléphone').fill(digits === '000000' ? '111111' : '000000')
  await press(page, 'Continuer')
  await page.getByText('Rien n’est relié').first().waitFor()
  await page.getByLabel('Code affiché sur son téléphone').fill(digits)
  await press(page, 'Continuer')
  await page.waitForURL('**/accord')
  await page.getByLabel('La personne a redit').check()
  await page.getByLabel('Par SMS').check()
  await page.getByLabel('Son mobile').fill(js ? '06 44 55 66 77' : '06 44 55 66 78')
  await press(page, 'Je donne mon accord')
  await page.waitForURL('**/contact')
  await press(page, 'Continuer')
  await page.locator('#erreurs').waitFor()
  const [row] = await service.sql<{ corps: string }[]>`
    select corps from message where cle like 'connexion:contact:%' order by created_at desc limit 1`
  await page.getByLabel('Code reçu').fill(/(\d{3} \d{3})/.exec(row!.corps)![1]!.replace(' ', ''))
  await press(page, 'Continuer')
  await page.waitForURL('**/acceptation')
  const here = page.url()
  await page.goto(here.replace('acceptation', 'accord'))
  expect(await h1(page)).toBe('C’est dit')
  await page.goto(`${service.url}/mandats/nouveau`)
  expect(await page.locator('.alert').innerText()).toContain('Odette LACOMBE')
  await page
    .getByRole('button', { name: /^Effacer.*Odette/ })
    .first()
    .click()
  await page.waitForURL('**/nouveau')
  expect((await page.goto(here))!.status()).toBe(404)
  expect(await h1(page)).toBe('Ce mandat n’est plus en préparation')
})

it('passe par un simulateur accessible lui aussi', async () => {
  const page = await toIdentification({ js: true, width: 320 })
  await press(page, 'S’identifier avec FranceConnect')
  await expectAccessible(page)
  await page.locator('button[name=persona][value=aissatou]').click()
  await page.getByRole('heading', { name: 'Informations transmises' }).waitFor()
  await expectAccessible(page)
})

it('se fait au clavier seul : signé en treize activations, remis en seize', async () => {
  const context = await browser.context({ js: false })
  await service.enter(context, 'thomas')
  const page = await context.newPage()
  await page.goto(`${service.url}/personnes`)
  const keys = keyboard(page)
  const role = (name: string | RegExp, kind: 'link' | 'button' | 'checkbox' | 'radio' | 'textbox' = 'button') =>
    page.getByRole(kind, { name, exact: typeof name === 'string' })

  await keys.press(role('Nouveau mandat', 'link'))
  await page.waitForURL('**/expliquer')
  await keys.press(role('Choisir ensemble', 'link'))
  await page.waitForURL('**/nouveau')
  await keys.press(role('Non', 'radio'), 'Space')
  await keys.press(role('Logement', 'checkbox'), 'Space')
  await keys.press(role(/^1 mois/, 'radio'), 'Space')
  await keys.press(role('Continuer'))
  await page.waitForURL('**/identification')
  await keys.press(role('S’identifier avec FranceConnect'))
  await keys.press(page.locator('button[name=persona][value=aissatou]'))
  await keys.press(role(/^Continuer sur/))
  await page.waitForURL('**/accord')
  await keys.press(role(/^La personne a redit/, 'checkbox'), 'Space')
  await keys.press(role(/^Sur papier/, 'radio'), 'Space')
  await keys.press(role('Je donne mon accord'))
  await page.waitForURL('**/acceptation')
  await keys.type(role('Code de votre application d’authentification', 'textbox'), await service.code('thomas'))
  await keys.press(role('Accepter et signer le mandat'))
  await page.waitForURL(/\/mandats\/[0-9a-f-]{36}\?signe=1$/)
  expect(await mandatsOf('aissatou')).toBe(1)
  expect(keys.activations).toBe(13)

  // Told on paper: what she is owed is noted as handed over.
  await keys.press(page.getByRole('navigation').getByRole('link', { name: 'Personnes' }))
  await page.waitForURL('**/personnes')
  await keys.press(role('À remettre sur papier', 'link'))
  await page.waitForURL('**/a-remettre')
  await keys.press(role(/^Remis à Aïssatou/).first())
  await page.waitForURL('**/a-remettre?remis=1')
  expect(keys.activations).toBe(16)
})

it('chaque page vue ici est valide, accessible, et tient dans 320 pixels', () => inspect(service, browser), 120_000)
