import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { AIDANTS } from '../../src/demo/people.ts'
import { openBoth } from '../support/e2e.ts'
import { inspect } from '../support/screens.ts'
import { CONNECTIONS } from '../support/service.ts'

const { service, browser } = await openBoth()

/** The calm page: its status, words that accuse nobody, a reference, a way out. */
async function expectCalm(page: Page, title: string, reference = true) {
  expect(await page.locator('h1').innerText()).toBe(title)
  if (reference) expect(await page.locator('.reference').innerText()).toMatch(/^[\w-]{6,}$/)
  await page.getByRole('link', { name: 'Revenir à l’accueil' }).click()
  await page.waitForURL((url) => ['/', '/personnes', '/mon-espace'].includes(url.pathname))
}

describe.each([
  { js: true, comment: 'avec JavaScript' },
  { js: false, comment: 'sans JavaScript' },
])('une page d’erreur, $comment,', ({ js }) => {
  it('dit calmement ce qui n’existe pas (404) ou ne se fait pas (405)', async () => {
    const page = await (await browser.context({ js })).newPage()
    expect((await page.goto(`${service.url}/nulle-part`))!.status()).toBe(404)
    await expectCalm(page, 'Cette page n’existe pas', false)
    expect((await page.goto(`${service.url}/deconnexion`))!.status()).toBe(405)
    await expectCalm(page, 'Cette action n’est pas possible d’ici')
  })

  it('arrête un formulaire venu d’un autre site (403)', async () => {
    const context = await browser.context({ js })
    await service.enter(context, 'thomas')
    const page = await context.newPage()
    const elsewhere = new URL('/piege', service.simulator.issuer).href
    await page.route(elsewhere, (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: `<form method="post" action="${service.url}/deconnexion"><button>Gagner un téléphone</button></form>`,
      }),
    )
    await page.goto(elsewhere)
    await page.getByRole('button').click()
    await page.waitForURL(`${service.url}/deconnexion`)
    await expectCalm(page, 'Cette action n’est pas possible d’ici')
    // She is still signed in.
    expect(new URL(page.url()).pathname).toBe('/personnes')
  })

  it('refuse ce qui est trop long (413)', async () => {
    const page = await (await browser.context({ js })).newPage()
    await page.goto(`${service.url}/connexion`)
    await page.getByLabel('Adresse e-mail professionnelle').fill('a'.repeat(70_000))
    await page.getByRole('button', { name: 'Continuer' }).click()
    await page.getByRole('heading', { name: 'C’est trop long' }).waitFor()
    await expectCalm(page, 'C’est trop long')
  })

  it('fait attendre après trop d’essais (429), sur la page même, avec ce qui était tapé et jamais le code', async () => {
    const page = await (await browser.context({ js })).newPage()
    const email = js ? AIDANTS.fabrice.email : AIDANTS.jocelyne.email
    const late = page.getByRole('heading', { name: 'Trop d’essais en peu de temps' })
    for (let tries = 0; tries < 8 && (await late.count()) === 0; tries++) {
      await page.goto(`${service.url}/connexion`)
      await page.getByLabel('Adresse e-mail professionnelle').fill(email)
      await page.getByLabel('Code de votre application').fill('000000')
      await page.getByRole('button', { name: 'Continuer' }).click()
      await page.getByRole('heading', { name: /Tapez le code|Trop d’essais/ }).waitFor()
    }
    await late.waitFor()
    expect(await page.getByLabel('Adresse e-mail professionnelle').inputValue()).toBe(email)
    expect(await page.getByLabel('Code de votre application').inputValue()).toBe('')
    expect(await page.getByRole('alert').innerText()).toMatch(/à partir de \d+\sh\s\d\d \(heure de Paris\)/)
  })

  it('dit que le service est occupé quand la base ne répond pas (503), et reprend', async () => {
    const context = await browser.context({ js })
    await service.enter(context, 'thomas')
    const page = await context.newPage()
    await page.goto(`${service.url}/personnes`)
    // Every connection is taken, longer than a request waits for one.
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const taken = Array.from({ length: CONNECTIONS }, () => service.db.tx({ kind: 'worker' }, () => released))
    await page.getByRole('link', { name: 'Nouveau mandat' }).first().click()
    await page.getByRole('heading', { name: 'Le service est très occupé' }).waitFor()
    release()
    await Promise.allSettled(taken)
    await expectCalm(page, 'Le service est très occupé')
    expect(new URL(page.url()).pathname).toBe('/personnes')
  })
})

it('dit que FranceConnect ne répond pas, à l’aidant comme à la personne, et ne perd rien', async () => {
  const context = await browser.context({ js: false })
  await service.enter(context, 'thomas')
  const page = await context.newPage()
  await page.goto(`${service.url}/mandats/nouveau`)
  await page.getByLabel('Non', { exact: true }).check()
  await page.locator('label', { hasText: /^\s*Logement\s*$/ }).click()
  await page.getByLabel(/^1 mois/).check()
  await page.getByRole('button', { name: 'Continuer' }).click()
  await service.simulator.close()
  await page.getByRole('button', { name: 'S’identifier avec FranceConnect' }).click()
  await page.getByRole('heading', { name: 'Identification indisponible' }).waitFor()
  expect(await page.locator('main').innerText()).toContain('FranceConnect ne répond pas pour le moment. Vos choix sont gardés')

  const hers = await (await browser.context({ js: false, width: 360 })).newPage()
  await hers.goto(`${service.url}/mon-espace`)
  await hers.getByRole('button', { name: 'S’identifier avec FranceConnect' }).click()
  await hers.getByText('FranceConnect ne répond pas pour le moment').waitFor()
})

it('une page mal faite serait vue : titre, langue, h1, largeur, focus, HTML, contraste', async () => {
  const html = `<html><head><title>?</title><style>
      button { outline: none } p { width: 2000px; color: #999 } @media (max-width: 400px) { label { display: none } }
    </style></head><body><main><p>Trop large et trop pâle</p><label for="nom">Nom</label><input id="nom">
    <button type="button">Continuer</button></main></body></html>`
  const screens = new Map([['une page mal faite', { path: '/', status: 200, html }]])
  const said = await inspect({ ...service, screens }, browser).catch((error: Error) => error.message)
  for (const fault of [
    'its title is « ? »',
    'its language is «  »',
    'it has 0 h1',
    'scrolls sideways at 320 px',
    'the focus cannot be seen on <button',
    'invalid HTML',
    'color-contrast',
    // On the narrow screen alone.
    'Form elements must have labels',
  ])
    expect(said).toContain(fault)
})

it('chaque page vue ici est valide, accessible, et tient dans 320 pixels', () => inspect(service, browser), 120_000)
