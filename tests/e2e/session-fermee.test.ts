import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { AIDANTS, type AidantKey } from '../../src/demo/people.ts'
import { openBoth } from '../support/e2e.ts'
import { expectAccessible } from '../support/html.ts'
import { inspect } from '../support/screens.ts'
import { CONNECTIONS, PATIENCE, signInMessage, words } from '../support/service.ts'

const { service, browser } = await openBoth()

const NOTE = 'Odette a dit : « le bailleur n’a pas répondu » & <rien> depuis\nle 3 mars.'

let filled = 0
/** Thomas, his form half filled. */
async function filling(look: { js: boolean; width: 360 | 1280 }): Promise<{ page: Page; mandat: string }> {
  const context = await browser.context(look)
  await service.enter(context, 'thomas')
  const page = await context.newPage()
  const mandat = await service.mandat('josiane')
  await page.goto(`${service.url}/mandats/${mandat}/demarches/nouvelle`)
  await page.locator('.tiles .choice').first().click()
  // Another each time: the same one noted twice in ten minutes is asked about first.
  const resultat = ['Déposée', 'Terminée', 'En attente', 'Bloquée', 'Refusée', 'Abandonnée'][filled++ % 6]!
  await page.locator('label', { hasText: new RegExp(`^\\s*${resultat}\\s*$`) }).click()
  await page.getByText('Plus de précisions').click()
  await page.getByLabel(/^Note/).fill(NOTE)
  return { page, mandat }
}
const press = (page: Page, name: string) => page.getByRole('button', { name }).first().click()

/** The whole sign-in, in the tab that the link opened. */
async function signInBeside(page: Page, aidant: AidantKey): Promise<Page> {
  const opened = page.context().waitForEvent('page')
  await page.getByRole('link', { name: 'nouvel onglet' }).click()
  const beside = await opened
  await beside.getByLabel('Adresse e-mail professionnelle').fill(AIDANTS[aidant].email)
  await beside.getByLabel('Code de votre application').fill(await service.code(aidant))
  await press(beside, 'Continuer')
  await beside.waitForURL('**/connexion/code')
  await beside.getByLabel(/^Code/).fill((await signInMessage(service, aidant)).code)
  await press(beside, 'Se connecter')
  await beside.waitForURL('**/personnes')
  return beside
}
const notes = async (mandat: string) =>
  service.sql<{ note: string | null; email: string }[]>`
    select c.note, a.email
    from demarche d join demarche_contenu c on c.demarche_id = d.id join aidant a on a.id = d.aidant_id
    where d.mandat_id = ${mandat} and c.note like 'Odette a dit%'
    order by d.recorded_at`

describe.each([
  { js: true, width: 1280, comment: 'avec JavaScript' },
  { js: false, width: 360, comment: 'sans JavaScript, sur un téléphone' },
] as const)('une démarche interrompue, $comment,', ({ js, width }) => {
  it('par la fermeture de la session, n’est ni perdue ni notée par une autre', async () => {
    const { page, mandat } = await filling({ js, width })
    const before = await notes(mandat)
    await service.sql`update session set last_seen_at = horloge() - interval '31 minutes' where ended_at is null`
    await press(page, 'Enregistrer')
    await page.getByRole('heading', { name: 'Votre session s’est fermée' }).waitFor()
    expect(await words(page.locator('main'))).toContain(
      'après 30 minutes sans activité. Rien de ce que vous avez écrit n’est perdu.',
    )
    await expectAccessible(page)

    // Nadia shares the computer.
    const hers = await signInBeside(page, 'nadia')
    await press(page, 'Envoyer à nouveau')
    await page.getByRole('heading', { name: 'Ce formulaire n’est pas à votre nom' }).waitFor()
    await expectAccessible(page)
    expect(await notes(mandat)).toEqual(before)
    await press(hers, 'Se déconnecter')
    await hers.waitForURL(`${service.url}/`)

    await signInBeside(page, 'thomas')
    await press(page, 'Envoyer à nouveau')
    await page.waitForURL('**/personnes/*?notee=*')
    expect(await notes(mandat)).toEqual([...before, { note: NOTE, email: AIDANTS.thomas.email }])
  })

  it('parce que le service est occupé, s’envoie de nouveau d’un geste', async () => {
    const { page, mandat } = await filling({ js, width })
    const before = await notes(mandat)
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const taken = Array.from({ length: CONNECTIONS }, () => service.db.tx({ kind: 'worker' }, () => released))
    await press(page, 'Enregistrer')
    await page.getByRole('heading', { name: 'Le service est très occupé' }).waitFor(PATIENCE)
    release()
    await Promise.allSettled(taken)
    await expectAccessible(page)
    await press(page, 'Envoyer à nouveau')
    await page.waitForURL('**/personnes/*?notee=*')
    expect(await notes(mandat)).toHaveLength(before.length + 1)
  })
})

it('chaque page vue ici est valide, accessible, et tient dans 320 pixels', () => inspect(service, browser), 120_000)
