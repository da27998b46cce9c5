import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { stopMandat } from '../../src/mandat/stop.ts'
import { addMandats } from '../bench/volume.ts'
import { openBoth } from '../support/e2e.ts'
import { type Keyboard, keyboard } from '../support/keyboard.ts'
import { inspect } from '../support/screens.ts'
import { PATIENCE } from '../support/service.ts'

const { service, browser } = await openBoth()

const LOOKS = [
  { js: true, comment: 'avec JavaScript' },
  { js: false, comment: 'sans JavaScript' },
]
const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).first().click()
const radio = (page: Page, name: string) => page.locator('label', { hasText: new RegExp(`^\\s*${name}\\s*$`) }).click()

async function signedIn(look: { js: boolean; width?: 320 }): Promise<Page> {
  const context = await browser.context(look)
  await service.enter(context, 'thomas')
  return context.newPage()
}
const demarchesOf = async (mandatId: string, genre?: string) => {
  const [row] = await service.sql<{ n: number }[]>`
    select count(*)::int as n from demarche where mandat_id = ${mandatId} and genre = coalesce(${genre ?? null}, genre)`
  return row!.n
}

describe.each(LOOKS)('une personne se trouve, au clavier, $comment', ({ js }) => {
  const find = async (page: Page, keys: Keyboard, typed: string) => {
    await keys.type(page.getByLabel('Chercher une personne'), typed)
    if (!js) await keys.press(page.getByRole('button', { name: 'Chercher' }))
  }
  const names = (page: Page) => page.locator('#resultats tbody th a').allInnerTexts()

  it('par son nom, avec ou sans accents, ou sa date de naissance', async () => {
    const page = await signedIn({ js })
    await page.goto(`${service.url}/personnes`)
    const keys = keyboard(page)
    await keys.press(page.getByRole('link', { name: 'Aller au contenu' }))
    expect([keys.steps, await page.evaluate('document.activeElement.id')]).toEqual([1, 'contenu'])
    for (const [typed, found] of [
      ['lacombe', /^Odette LACOMBE,Odette LACOMBE$/],
      ['CONCEIC', /^Maria MAURY$/],
      ['laëtitia', /^Lætitia [^,]+$/],
      ['12/03/1954', /^Odette LACOMBE$/],
      ['12 mars 1954', /^Odette LACOMBE$/],
      ['1939', /^Marcel [^,]+$/],
    ] as const) {
      const before = keys.steps
      await find(page, keys, typed)
      await expect.poll(async () => (await names(page)).join(), PATIENCE).toMatch(found)
      await expect.poll(() => new URL(page.url()).searchParams.get('q'), PATIENCE).toBe(typed)
      // Who is still typing stays where she is while the answers change under her.
      if (js && typed !== 'lacombe') expect(keys.steps).toBe(before)
    }
    // Fabrice's persons, of another structure.
    await find(page, keys, 'expédite')
    await page.getByText('Personne ne correspond à').waitFor()
    expect(await page.getByRole('status').first().innerText()).toBe('Aucune personne trouvée')

    await find(page, keys, 'odette')
    await page
      .getByRole('link', { name: /^Odette LACOMBE/ })
      .first()
      .waitFor()
    await expect.poll(() => new URL(page.url()).searchParams.get('q'), PATIENCE).toBe('odette')
    await keys.press(page.getByRole('link', { name: /^Odette LACOMBE/ }).first())
    await page.getByRole('heading', { name: 'Ce qui a été fait' }).waitFor()
  })

  it('dans une liste tournée page à page, même cherchée', async () => {
    const [ids] = await service.sql<{ structureId: string; aidantId: string }[]>`
      select structure_id as "structureId", aidant_id as "aidantId" from mandat where id = ${await service.mandat('toussaint')}`
    const [row] = await service.sql<{ n: number }[]>`select count(*)::int as n from usager where prenoms = array['Essai']`
    if (row!.n === 0) await addMandats(service.sql, ids!.structureId, ids!.aidantId, 45)

    const page = await signedIn({ js })
    await page.goto(`${service.url}/personnes`)
    const keys = keyboard(page)
    await find(page, keys, 'essai')
    await page.getByText('Plus de 20 personnes trouvées').waitFor()
    const seen = new Set<string>()
    for (const count of [20, 40, 45]) {
      await expect
        .poll(async () => {
          for (const name of await names(page)) seen.add(name)
          return seen.size
        }, PATIENCE)
        .toBe(count)
      const next = page.getByRole('link', { name: 'Page suivante' })
      expect(await next.count()).toBe(count < 45 ? 1 : 0)
      if (count < 45) await keys.press(next)
    }
    await keys.press(page.getByRole('link', { name: 'Revenir au début de la liste' }))
    await page.getByText('Plus de 20 personnes trouvées').waitFor()
  })
})

describe.each(LOOKS)('une démarche, $comment', ({ js }) => {
  const dossier = async (page: Page, persona: string) => page.goto(`${service.url}/personnes/${await service.personne(persona)}`)

  it('se note en trois activations au clavier, depuis le dossier ouvert', async () => {
    const page = await signedIn({ js })
    // Not the same one twice in ten minutes: with JavaScript and without, each her person.
    const persona = js ? 'josiane' : 'fatma'
    await dossier(page, persona)
    const mandat = await service.mandat(persona)
    const before = await demarchesOf(mandat)

    const keys = keyboard(page)
    const direct = page.locator('.foot a[href*="/demarches/nouvelle?demarche="]').first()
    const chosen = await direct.innerText()
    await keys.press(direct)
    await page.waitForURL('**/demarches/nouvelle?demarche=*')
    expect(await page.locator('.tiles .choice', { has: page.locator('input:checked') }).innerText()).toContain(chosen)
    await keys.press(page.locator('input[name=resultat]').first(), 'Space')
    await keys.press(page.getByRole('button', { name: 'Enregistrer' }))
    await page.waitForURL('**/personnes/*?notee=*')
    // The click that opens the form among them.
    expect(keys.activations).toBe(3)
    expect(await page.getByRole('status').first().innerText()).toContain('Démarche notée')
    expect(await demarchesOf(mandat)).toBe(before + 1)

    await page.getByRole('link', { name: 'La relire' }).click()
    expect(await page.locator('main').innerText()).toContain('Thomas Lacombe, CCAS de Figeac')
  })

  it('envoyée deux fois d’un double clic, n’est notée qu’une fois', async () => {
    const page = await signedIn({ js })
    const mandat = await service.mandat('toussaint')
    const before = await demarchesOf(mandat)
    await page.goto(`${service.url}/mandats/${mandat}/demarches/nouvelle`)
    await page.locator('.tiles .choice').first().click()
    await radio(page, js ? 'Terminée' : 'Bloquée')
    await page.getByRole('button', { name: 'Enregistrer' }).dblclick()
    await page.waitForURL('**/personnes/*?notee=*')
    expect(await demarchesOf(mandat)).toBe(before + 1)

    // « Précédent » brings the page back and, reloaded, a new `envoi`.
    await page.goBack()
    await page.locator('h1').waitFor()
    await page.locator('.tiles .choice').first().click()
    await radio(page, js ? 'Terminée' : 'Bloquée')
    await press(page, 'Enregistrer')
    await page.getByRole('heading', { name: 'Vous avez déjà noté cette démarche à' }).waitFor()
    expect(await demarchesOf(mandat)).toBe(before + 1)
    await press(page, 'La noter une deuxième fois')
    await page.waitForURL('**/personnes/*?notee=*')
    expect(await demarchesOf(mandat)).toBe(before + 2)
  })

  it('notée, n’en laisse pas une autre cochée à sa place après « Précédent »', async () => {
    const page = await signedIn({ js })
    await page.goto(`${service.url}/mandats/${await service.mandat('abdelkader')}/demarches/nouvelle`)
    await page
      .locator('.tiles .choice')
      .nth(js ? 5 : 6)
      .click()
    await radio(page, 'Déposée')
    await press(page, 'Enregistrer')
    await page.waitForURL('**/personnes/*?notee=*')

    await page.goBack()
    await page.getByRole('heading', { name: 'Noter une démarche' }).waitFor()
    expect(await page.locator('.tiles input:checked').count()).toBe(0)
  })

  it('hors du périmètre, devient un acte hors mandat, avec sa raison', async () => {
    const page = await signedIn({ js })
    const mandat = await service.mandat('toussaint')
    const before = await demarchesOf(mandat, 'hors_mandat')
    await page.goto(`${service.url}/mandats/${mandat}/demarches/nouvelle`)
    await radio(page, 'Autre démarche')
    await page.getByLabel('Quelle autre démarche ?').fill('Renouveler la carte de bus')
    await page.getByLabel('Thématique').selectOption('transports')
    await radio(page, js ? 'Déposée' : 'Terminée')
    await press(page, 'Enregistrer')
    await page.getByText('Démarche hors du mandat').waitFor()
    expect(await page.locator('main').innerText()).toContain('Le mandat ne couvre pas les démarches de transport')
    expect(await page.getByLabel('Quelle autre démarche ?').inputValue()).toBe('Renouveler la carte de bus')

    await press(page, 'Enregistrer comme acte hors mandat')
    expect(await page.locator('#erreurs').innerText()).toMatch(/pourquoi/i)
    await page.getByLabel('Pourquoi cet acte').fill('La carte expirait ce soir et la personne était là.')
    await press(page, 'Enregistrer comme acte hors mandat')
    await page.waitForURL('**/personnes/*?notee=*')
    expect(await page.getByRole('status').first().innerText()).toContain('Acte hors mandat noté')
    expect(await demarchesOf(mandat, 'hors_mandat')).toBe(before + 1)
  })

  it('avec un numéro de sécurité sociale, est refusée, expliquée, et rien de tapé n’est perdu', async () => {
    const page = await signedIn({ js, width: 320 })
    const mandat = await service.mandat('toussaint')
    await page.goto(`${service.url}/mandats/${mandat}/demarches/nouvelle`)
    await page.locator('.tiles .choice').first().click()
    await page.getByText('Plus de précisions').click()
    await page.getByLabel('Temps passé').selectOption('30')
    await page.getByLabel(/^Note/).fill('Son numéro : 1 54 03 46 102 012 03')
    await press(page, 'Enregistrer')
    await page.locator('#erreurs').waitFor()
    expect(await page.evaluate('document.activeElement.id')).toBe('erreurs')
    expect(await page.title()).toMatch(/^Erreur : /)
    const said = await page.locator('#erreurs').innerText()
    expect(said).toMatch(/sécurité sociale/)
    expect(said).toMatch(/résultat/i)
    expect(await page.getByLabel(/^Note/).inputValue()).toContain('Son numéro')
    expect(await page.getByLabel('Temps passé').inputValue()).toBe('30')
    expect(await page.locator('.tiles input').first().isChecked()).toBe(true)
  })
})

it('après l’arrêt, une page restée ouverte ne note plus rien dans le mandat ; ce qui a été fait avant se note encore', async () => {
  const page = await signedIn({ js: false })
  const mandat = await service.mandat('laetitia')
  await page.goto(`${service.url}/mandats/${mandat}/demarches/nouvelle`)
  await page.locator('.tiles .choice').first().click()
  await radio(page, 'Déposée')
  const usager = { kind: 'usager', usagerIds: [await service.personne('laetitia')], niveau: 'identite' } as const
  expect(await stopMandat(service.db, usager, { mandatId: mandat, thematique: undefined })).toMatchObject({ ok: true })
  const before = await demarchesOf(mandat)
  await press(page, 'Enregistrer')
  await page.getByText('Démarche hors du mandat').waitFor()
  expect(await demarchesOf(mandat)).toBe(before)

  await page.goto(`${service.url}/mandats/${mandat}/demarches/nouvelle`)
  expect(await page.locator('main').innerText()).toContain('Ce mandat n’est pas en cours')
  await page.locator('.tiles .choice').first().click()
  await radio(page, 'Terminée')
  const yesterday = new Date(Date.now() - 2 * 24 * 3_600_000).toISOString().slice(0, 10)
  await page.getByLabel(/^Faite le/).fill(`${yesterday}T10:30`)
  await press(page, 'Enregistrer')
  await page.waitForURL('**/personnes/*?notee=*')
  expect(await page.getByRole('status').first().innerText()).toContain('Démarche notée après coup')
  expect(await demarchesOf(mandat, 'apres_coup')).toBeGreaterThan(0)
})

it('chaque page vue ici est valide, accessible, et tient dans 320 pixels', () => inspect(service, browser), 120_000)
