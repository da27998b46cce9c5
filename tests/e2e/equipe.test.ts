import { Secret, TOTP } from 'otpauth'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { openBoth } from '../support/e2e.ts'
import { keyboard } from '../support/keyboard.ts'
import { inspect } from '../support/screens.ts'
import { words } from '../support/service.ts'

const { service, browser } = await openBoth()

const lienPour = async (email: string) => {
  const [row] = await service.sql<{ corps: string }[]>`
    select corps from message where destinataire = ${email} and cle like 'invitation:%' order by created_at desc limit 1`
  return /http\S+/.exec(row!.corps)![0]
}
/** What her authenticator shows once the key on the page is typed in it. */
const codeAffiche = async (page: Page) => {
  const cle = (await page.locator('strong.code').innerText()).replaceAll(' ', '')
  const [row] = await service.sql<{ now: Date }[]>`select horloge() as now`
  return new TOTP({ secret: Secret.fromBase32(cle) }).generate({ timestamp: row!.now.getTime() })
}

describe.each([
  { js: true, width: 1280, comment: 'avec JavaScript' },
  { js: false, width: 360, comment: 'sans JavaScript, sur un téléphone' },
] as const)('l’équipe, $comment, au clavier', ({ js, width }) => {
  const email = js ? 'lea.vidal@figeac.demo' : 'luc.vidal@figeac.demo'
  const prenom = js ? 'Léa' : 'Luc'
  let nadia: Page
  /** Asked once more on a page of its own. */
  const geste = async (name: string) => {
    await keyboard(nadia).press(nadia.getByRole('link', { name }))
    await nadia.waitForURL('**?geste=*')
    await keyboard(nadia).press(nadia.getByRole('button', { name }))
  }
  const row = (name: string) => nadia.locator('tbody tr', { hasText: name })

  it('la référente invite, renvoie, et l’invitée entre avec son téléphone', async () => {
    const context = await browser.context({ js, width })
    await service.enter(context, 'nadia')
    nadia = await context.newPage()
    await nadia.goto(`${service.url}/personnes`)
    let hands = keyboard(nadia)
    await hands.press(nadia.getByRole('navigation', { name: 'Menu' }).getByRole('link', { name: 'L’équipe' }))
    await nadia.waitForURL('**/structure/aidants')
    hands = keyboard(nadia)
    await hands.press(nadia.getByRole('link', { name: 'Inviter quelqu’un' }))
    await nadia.waitForURL('**/structure/inviter')
    hands = keyboard(nadia)
    await hands.press(nadia.getByRole('button', { name: 'Envoyer l’invitation' }))
    await nadia.locator('#erreurs').waitFor()
    hands = keyboard(nadia)
    await hands.type(nadia.getByLabel('Prénom'), prenom)
    await hands.type(nadia.getByLabel('Nom', { exact: true }), 'Vidal')
    await hands.type(nadia.getByLabel('Adresse e-mail professionnelle'), email)
    await hands.press(nadia.getByRole('button', { name: 'Envoyer l’invitation' }))
    await nadia.waitForURL('**/structure/aidants?fait=invitation')
    expect(await words(row(prenom))).toContain('Valable jusqu’au')
    await keyboard(nadia).press(nadia.getByRole('link', { name: `${prenom} Vidal` }))
    await nadia.waitForURL('**/structure/invitations/*')
    const first = await lienPour(email)
    await keyboard(nadia).press(nadia.getByRole('button', { name: 'Renvoyer l’invitation' }))
    await nadia.waitForURL('**/structure/aidants?fait=renvoyer')

    const hers = await (await browser.context({ js, width })).newPage()
    await hers.goto(first)
    await keyboard(hers).press(hers.getByRole('button', { name: 'Continuer' }))
    await hers.getByText('Il a déjà servi, il a plus de 7 jours').waitFor()
    const lien = await lienPour(email)
    // Her mailbox's scanner passes first.
    for (let i = 0; i < 2; i++) expect((await fetch(lien)).status).toBe(200)
    await hers.goto(lien)
    await keyboard(hers).press(hers.getByRole('button', { name: 'Continuer' }))
    await hers.locator('svg.qr').waitFor()
    hands = keyboard(hers)
    await hands.type(hers.getByLabel('Code affiché par l’application'), '000000')
    await hands.press(hers.getByRole('button', { name: 'Rejoindre l’équipe' }))
    await hers.getByText('Application non associée').waitFor()
    hands = keyboard(hers)
    await hands.type(hers.getByLabel('Code affiché par l’application'), await codeAffiche(hers))
    await hands.press(hers.getByRole('button', { name: 'Rejoindre l’équipe' }))
    await keyboard(hers).press(hers.getByRole('link', { name: 'J’ai gardé mes codes : continuer' }))
    await hers.waitForURL('**/conditions-d-utilisation?*')
    hands = keyboard(hers)
    await hands.press(hers.getByLabel('J’ai lu ces conditions et je les accepte'), 'Space')
    await hands.press(hers.getByRole('button', { name: 'Accepter et continuer' }))
    await hers.waitForURL('**/personnes')
    expect(await words(hers.locator('header'))).toMatch(new RegExp(`CCAS de Figeac[\\s\\S]*${prenom} Vidal`))

    await nadia.goto(`${service.url}/structure/aidants`)
    expect(await words(row(prenom))).toMatch(/Aidant[\s\S]*Actif/)
    // Suspended, her open page is over at the next thing she asks.
    await keyboard(nadia).press(nadia.getByRole('link', { name: `${prenom} Vidal` }))
    await geste('Suspendre l’accès')
    await nadia.waitForURL('**?fait=suspendre')
    await hers.reload()
    expect(hers.url()).toContain('/connexion')
    await geste('Rétablir l’accès')
    await nadia.waitForURL('**?fait=retablir')
    expect(await words(nadia.locator('.facts'))).toMatch(/Actif/)
  })

  it('elle nomme un référent, et ne se retire pas la dernière', async () => {
    await nadia.goto(`${service.url}/structure/aidants`)
    await keyboard(nadia).press(nadia.getByRole('link', { name: 'Nadia Belkacem' }))
    await geste('Ne plus être référent')
    await nadia.getByText('Une structure garde au moins un référent').waitFor()
    await nadia.goto(`${service.url}/structure/aidants`)
    await keyboard(nadia).press(nadia.getByRole('link', { name: 'Thomas Lacombe' }))
    await geste('Nommer référent')
    await nadia.waitForURL('**?fait=designer')
    await geste('Ne plus être référent')
    await nadia.waitForURL('**?fait=retirer')
  })

  it('elle réinitialise un second facteur avec son propre code, et l’aidante en associe un autre', async () => {
    await keyboard(nadia).press(nadia.getByRole('link', { name: 'Réinitialiser son second facteur' }))
    await nadia.waitForURL('**/facteur')
    await keyboard(nadia).press(nadia.getByRole('button', { name: 'Réinitialiser' }))
    const hands = keyboard(nadia)
    await hands.type(nadia.getByLabel('Code de votre application d’authentification'), await service.code('nadia'))
    await hands.press(nadia.getByRole('button', { name: 'Confirmer avec ce code' }))
    await nadia.waitForURL('**?fait=facteur')
    expect(await words(nadia.locator('.facts'))).toContain('second facteur à associer')

    const his = await (await browser.context({ js, width })).newPage()
    await his.goto(await lienPour('thomas@figeac.demo'))
    await keyboard(his).press(his.getByRole('button', { name: 'Continuer' }))
    const typing = keyboard(his)
    await typing.type(his.getByLabel('Code affiché par l’application'), await codeAffiche(his))
    await typing.press(his.getByRole('button', { name: 'Associer cette application' }))
    await keyboard(his).press(his.getByRole('link', { name: 'J’ai gardé mes codes : continuer' }))
    await his.waitForURL('**/personnes')
    await nadia.reload()
    expect(await words(nadia.locator('.facts'))).not.toContain('second facteur à associer')
  })
})

it('chaque page vue ici est valide, accessible, et tient dans 320 pixels', () => inspect(service, browser), 120_000)
