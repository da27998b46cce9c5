import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { openBoth } from '../support/e2e.ts'
import { handsOn, keyboard } from '../support/keyboard.ts'
import { inspect } from '../support/screens.ts'
import { identify, words } from '../support/service.ts'

const { service, browser } = await openBoth()

const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).first().click()
const text = (page: Page) => words(page.locator('main'))

/** An aidant has filled in the note of a démarche, and not yet sent it. */
async function openNote(mandatId: string, thematique: string): Promise<Page> {
  const context = await browser.context({ js: false })
  await service.enter(context, 'thomas')
  const page = await context.newPage()
  await page.goto(`${service.url}/mandats/${mandatId}/demarches/nouvelle`)
  await page.locator('label', { hasText: /^\s*Autre démarche\s*$/ }).click()
  await page.getByLabel('Quelle autre démarche ?').fill('Un courrier')
  await page.getByLabel('Thématique').selectOption(thematique)
  await page.locator('label', { hasText: /^\s*Déposée\s*$/ }).click()
  return page
}
const countOf = async (mandatId: string) => {
  const [row] = await service.sql<{ n: number }[]>`select count(*)::int as n from demarche where mandat_id = ${mandatId}`
  return row!.n
}

describe.each([
  { js: false, comment: 'sans JavaScript', persona: 'odette', one: 'logement', mots: 'logement' },
  { js: true, comment: 'avec JavaScript', persona: 'josiane', one: 'famille', mots: 'démarches de famille et d’école' },
])('la personne, sur son téléphone, $comment', ({ js, persona, one, mots }) => {
  let page: Page
  let mandat: string

  it('entre avec FranceConnect, lit qui peut faire quoi, et ce qui a été fait', async () => {
    mandat = await service.mandat(persona)
    page = await (await browser.context({ js, width: 360 })).newPage()
    await page.goto(`${service.url}/`)
    const hands = handsOn(page, { mouse: js })
    await hands.press(page.getByRole('button', { name: 'S’identifier avec FranceConnect' }))
    await identify(page, persona)
    await page.waitForURL('**/mon-espace')
    expect(await page.locator('h1').innerText()).toBe('Qui peut faire vos démarches')
    expect(await words(page.locator('.sentence').first())).toMatch(
      /^Le CCAS de Figeac peut faire vos démarches d.+ jusqu’au .+ au soir\.$/,
    )
    expect(await page.locator('.timeline li').count()).toBeGreaterThan(2)

    await hands.press(page.getByRole('link', { name: 'Voir ce qui est fait' }).first())
    await page.getByRole('heading', { name: 'Ce que vous avez accepté' }).waitFor()
    const first = page.locator('.timeline li').first()
    await hands.press(first.locator('summary', { hasText: 'Tous les détails' }))
    expect(await first.locator('dl').first().isVisible()).toBe(true)
  })

  it('voit qui a ouvert son dossier', async () => {
    const context = await browser.context({ js })
    await service.enter(context, 'ines')
    const office = await context.newPage()
    await office.goto(`${service.url}/personnes/${await service.personne(persona)}`)
    await page.getByRole('link', { name: 'Qui a ouvert mon dossier' }).click()
    expect(await text(page)).toContain('Inès Delmas, à ')
    await page.getByRole('link', { name: 'Mes données' }).click()
    expect(await text(page)).toContain('Voici ce que ce service sait de vous')
    await page.getByRole('link', { name: 'Mes mandats' }).click()
  })

  it('met en pause en deux activations, et remet en route en deux ; la note ouverte est refusée tant que dure la pause', async () => {
    const note = await openNote(mandat, one)
    const before = await countOf(mandat)
    const keys = keyboard(page)
    await page.goto(`${service.url}/mon-espace`)
    await keys.press(page.getByRole('link', { name: 'Mettre en pause' }).first())
    await page.waitForURL('**/pause')
    await keys.press(page.getByRole('button', { name: 'Tout mettre en pause' }))
    await page.waitForURL(/\/mandats\/[0-9a-f-]{36}$/)
    expect(keys.activations).toBe(2)
    expect(await text(page)).toMatch(/C’est en pause : le CCAS de Figeac ne fait plus vos démarches d.* pour le moment\./)
    await press(note, 'Enregistrer')
    await note.getByText('Démarche hors du mandat').waitFor()
    expect(await countOf(mandat)).toBe(before)

    await keys.press(page.getByRole('link', { name: 'Remettre en route' }).first())
    await page.waitForURL('**/reprise')
    await keys.press(page.getByRole('button', { name: 'Tout remettre en route' }))
    await page.waitForURL(/\/mandats\/[0-9a-f-]{36}$/)
    expect(keys.activations).toBe(4)
    expect(await text(page)).toMatch(/Le CCAS de Figeac peut faire vos démarches/)
    await page.goto(`${service.url}/mon-espace`)
  })

  it('arrête un sujet en deux activations ; la note déjà ouverte chez l’aidant est refusée à l’instant', async () => {
    const note = await openNote(mandat, one)
    const before = await countOf(mandat)
    const keys = keyboard(page)
    await keys.press(page.getByRole('link', { name: 'Arrêter' }).first())
    await page.waitForURL('**/arreter')
    await keys.press(page.locator(`button[name=quoi][value=${one}]`))
    await page.waitForURL('**/arret')
    expect(keys.activations).toBe(2)
    expect(await text(page)).toMatch(
      /C’est arrêté depuis \d+ h \d\d : le CCAS de Figeac n’a plus le droit de faire vos démarches d/,
    )
    expect(await text(page)).toContain(mots)

    await press(note, 'Enregistrer')
    await note.getByText('Démarche hors du mandat').waitFor()
    expect(await countOf(mandat)).toBe(before)
  })

  it('arrête tout en deux activations, et le relit', async () => {
    const note = await openNote(mandat, 'social')
    await page.goto(`${service.url}/mon-espace`)
    const keys = keyboard(page)
    await keys.press(page.getByRole('link', { name: 'Arrêter' }).first())
    await page.waitForURL('**/arreter')
    await keys.press(page.getByRole('button', { name: 'Tout arrêter' }))
    await page.waitForURL('**/arret')
    expect(keys.activations).toBe(2)
    expect(await words(page.locator('.sentence'))).toMatch(
      /^C’est arrêté depuis \d+ h \d\d : le CCAS de Figeac n’a plus le droit de faire vos démarches, mais les demandes déjà envoyées, listées ici, ne sont pas annulées\.$/,
    )
    await press(note, 'Enregistrer')
    await note.getByText('Démarche hors du mandat').waitFor()

    // Going back and pressing again changes nothing and says the same.
    await page.goBack()
    await page.locator('h1').waitFor()
    await page.goto(`${service.url}/mon-espace`)
    expect(await text(page)).toContain('personne n’a le droit de faire vos démarches ici')
    await page.getByText(/^Ce qui est fini/).click()
  })

  it('quitte : « Précédent » ne montre rien d’elle', async () => {
    const nom = (await page.locator('header .who').innerText()).trim().split(' ').at(-1)!
    await press(page, 'Se déconnecter')
    await page.getByRole('heading', { name: 'Votre espace est fermé' }).waitFor()
    for (let i = 0; i < 2; i++) {
      await page.goBack()
      await page.locator('h1').waitFor()
      expect(await page.content()).not.toContain(nom)
    }
  })
})

it('à 320 pixels, en lettres deux fois plus grandes, le bouton de FranceConnect tient, et grandit autant que le texte', async () => {
  const page = await (await browser.context({ js: true, width: 320 })).newPage()
  await page.goto(`${service.url}/mon-espace/connexion`)
  await page.getByRole('button', { name: 'S’identifier avec FranceConnect' }).waitFor()
  const measured = () =>
    page.evaluate<{ letters: number; over: number; page: number }>(`(() => {
      const it = document.querySelector('.fournisseur button')
      return {
        letters: parseFloat(getComputedStyle(it).fontSize),
        over: it.scrollWidth - it.clientWidth,
        page: document.documentElement.scrollWidth,
      }
    })()`)
  const before = await measured()
  await page.evaluate(`{
    const { documentElement: all } = document
    all.style.fontSize = 2 * parseFloat(getComputedStyle(all).fontSize) + 'px'
  }`)
  const after = await measured()
  expect([before.over, after.over]).toEqual([0, 0])
  expect(after.page).toBeLessThanOrEqual(320)
  expect(after.letters).toBeCloseTo(2 * before.letters)
})

it.each([
  '/mon-espace/contacts',
  '/mon-espace/connexions',
  '/mon-espace/reunir',
  '/mon-espace/code-papier',
])('à 320 pixels, en lettres deux fois plus grandes, aucun bouton ne sort de l’écran : %s', async (path) => {
  const context = await browser.context({ js: false, width: 320 })
  await service.enter(context, { persona: 'odette' })
  // Another device of hers: a button to close it.
  await service.enter(await browser.context(), { persona: 'odette' })
  const page = await context.newPage()
  await page.goto(`${service.url}${path}`)
  const wide = await page.evaluate<number>(`(() => {
      const { documentElement: all } = document
      all.style.fontSize = 2 * parseFloat(getComputedStyle(all).fontSize) + 'px'
      return all.scrollWidth
    })()`)
  expect(await page.locator('main button').count()).toBeGreaterThan(0)
  expect(wide).toBeLessThanOrEqual(320)
})

it('qui n’a aucun mandat entre et ressort : on ne garde rien, et on le lui dit', async () => {
  const page = await (await browser.context({ js: false, width: 360 })).newPage()
  await page.goto(`${service.url}/mon-espace`)
  await press(page, 'S’identifier avec FranceConnect')
  await identify(page, 'camille')
  expect(await page.locator('h1').innerText()).toBe('Aucun mandat à votre nom')
  expect(await text(page)).toContain('n’a rien gardé de votre visite')
  for (const who of ['France services', 'CCAS', 'mairie']) expect(await text(page)).toContain(who)

  await page.goto(`${service.url}/mon-espace`)
  await press(page, 'S’identifier avec FranceConnect')
  await press(page, 'Revenir sur le service')
  await page.waitForURL('**/connexion/franceconnect/retour?**')
  expect(await page.locator('h1').innerText()).toBe('L’identification n’a pas abouti')
  // To herself, on her own device.
  expect(await text(page)).toContain('Votre identification n’est pas terminée.')
  expect(await text(page)).not.toContain('La personne')
  await page.getByRole('link', { name: 'Réessayer' }).click()
  await page.waitForURL('**/mon-espace/connexion')
})

it('lit pourquoi la direction a ouvert son dossier, un acte hors mandat, un mandat arrivé à sa fin', async () => {
  for (const persona of ['marcel', 'abdelkader', 'conceicao']) {
    const context = await browser.context({ js: false, width: 360 })
    await service.enter(context, { persona })
    const page = await context.newPage()
    await page.goto(`${service.url}/mon-espace`)
    if (persona === 'abdelkader') {
      await page.getByRole('link', { name: 'Voir ce qui est fait' }).click()
      expect(await text(page)).toContain('Votre mandat ne permettait pas cette démarche.')
      continue
    }
    await page.getByText(/^Ce qui est fini/).click()
    await page.locator('details a').first().click()
    await page.getByRole('link', { name: 'Ce qui est en cours, et ce qui est à vous de faire' }).click()
    await page.getByRole('heading', { name: 'Ce qui est maintenant à vous de faire' }).waitFor()
    await page.goto(`${service.url}/mon-espace/acces`)
    if (persona === 'marcel') expect(await text(page)).toMatch(/Nadia Belkacem, du CCAS de Figeac, pour vous répondre/)
  }
})

it('chaque page vue ici est valide, accessible, et tient dans 320 pixels', () => inspect(service, browser), 120_000)
