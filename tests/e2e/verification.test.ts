import type { BrowserContext, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { codeVerification } from '../../src/mandat/code.ts'
import { type MandatClaims, parseSealKeys } from '../../src/mandat/sceau.ts'
import { stopMandat } from '../../src/mandat/stop.ts'
import { attestationUrl } from '../../src/verification/attestation.ts'
import { openBoth } from '../support/e2e.ts'
import { expectAccessible } from '../support/html.ts'
import { keyboard } from '../support/keyboard.ts'
import { costOf } from '../support/poids.ts'
import { inspect } from '../support/screens.ts'
import { PATIENCE, words } from '../support/service.ts'

const { service, browser } = await openBoth()

const key = () => parseSealKeys(service.config.sealKeys)

/** The QR of a mandat's paper. */
async function paperOf(mandatId: string): Promise<string> {
  const [row] = await service.sql<{ sceau: string }[]>`select sceau from mandat_contenu where mandat_id = ${mandatId}`
  const claims = JSON.parse(Buffer.from(row!.sceau.split('.')[1]!, 'base64url').toString()) as MandatClaims
  return attestationUrl(claims, { fuseau: 'Europe/Paris', publicUrl: service.url, key: key().current })
}
/** Opened as a phone's camera does: a tab of its own. */
async function scan(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage()
  await page.goto(url)
  await page.locator('[data-verification]').waitFor()
  return page
}
const said = (page: Page) => words(page.locator('main'))
/** Until the worker holds the page: what a first visit leaves behind. */
const kept = (page: Page) =>
  page.evaluate(
    "navigator.serviceWorker.ready.then(async () => { for (;;) { if (await caches.match('/v')) return true; await new Promise((r) => setTimeout(r, 50)) } })",
  )

test('ce que coûte la première lecture d’un QR, clés et liste comprises : 40 ko au plus', async () => {
  const page = await (await browser.context()).newPage()
  const url = await paperOf(await service.mandat('odette'))
  const { paths, sent, compressed } = await costOf(page, url, () => page.locator('[data-verification]').waitFor())
  console.log(
    `/v, ses clés et une liste : ${(compressed / 1000).toFixed(1)} ko, ${(sent / 1000).toFixed(1)} sans comprimer la page`,
  )
  expect(paths).toEqual(expect.arrayContaining(['/v', '/.well-known/jwks.json', expect.stringMatching(/^\/statuts\//)]))
  expect(compressed).toBeLessThanOrEqual(40_000)
  await page.context().close()
})

test('un tiers photographie le QR : authentique, pour quoi, jusqu’à quand, et depuis quand on le sait', async () => {
  const asked: string[] = []
  const context = await browser.context({ width: 360 })
  context.on('request', (request) => asked.push(request.url()))
  const url = await paperOf(await service.mandat('odette'))
  const page = await scan(context, url)
  const text = await said(page)
  for (const sentence of [
    'Ce papier est authentique, et le mandat est en cours',
    'Demandez une pièce d’identité à qui présente ce papier.',
    'Vous n’êtes pas obligé d’accepter.',
    'Odette',
    'CCAS de Figeac',
    'En cours',
    'Statut connu depuis le',
  ])
    expect(text).toContain(sentence)
  expect(text).not.toContain('JavaScript')
  await expectAccessible(page)
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360)
  // What the paper says reached no server: neither the digits nor what they stand for.
  const digits = url.split('#')[1]!
  const sent = asked.filter((one) => one !== url)
  expect(sent.length).toBeGreaterThan(3)
  for (const one of sent) expect(one).not.toContain(digits.slice(0, 20))
  await context.close()
})

test('réseau coupé après une visite : le même papier, et un autre, se vérifient ; jamais « en cours » le lendemain', async () => {
  const context = await browser.context({ width: 360 })
  const [first, second] = [
    await paperOf(await service.mandat('odette')),
    await paperOf(await service.mandat('josiane', 'figeac')),
  ]
  const visit = await scan(context, first)
  await kept(visit)
  await visit.close()
  await context.setOffline(true)
  for (const [url, name] of [
    [first, 'Odette'],
    [second, 'Josiane'],
  ] as const) {
    const page = await scan(context, url)
    const text = await said(page)
    expect(text).toMatch(/Ce papier est authentique, et le mandat était en cours à \d{1,2}\sh\s\d\d \(sans réseau\)/)
    expect(text).toContain(name)
    expect(
      await page.evaluate("getComputedStyle(document.body).fontFamily + (document.querySelector('.facts') ? 1 : 0)"),
    ).toMatch(/1$/)
    await page.close()
  }

  const later = await context.newPage()
  await later.addInitScript('{ const now = Date.now; Date.now = () => now() + 25 * 3600 * 1000 }')
  await later.goto(first)
  await later.locator('[data-verification]').waitFor()
  const text = await said(later)
  expect(text).toContain('Ce papier est authentique, mais on ne sait pas si le mandat est encore en cours')
  expect(text).toContain('statut non vérifié')
  expect(text).toContain('Statut connu depuis le')
  for (const promise of ['et le mandat est en cours', 'était en cours', 'En cours', 'valide']) expect(text).not.toContain(promise)

  // Another page of ours is the network's: the worker answers for /v alone.
  await expect(later.goto(`${service.url}/verifier`)).rejects.toThrow()
  await context.close()
})

test('un onglet resté ouvert ne dit plus « en cours » le surlendemain', async () => {
  const context = await browser.context({ width: 360 })
  const page = await scan(context, await paperOf(await service.mandat('josiane', 'figeac')))
  expect(await said(page)).toContain('le mandat est en cours')
  await context.setOffline(true)
  await page.evaluate("{ const now = Date.now; Date.now = () => now() + 48 * 3600 * 1000; dispatchEvent(new Event('pageshow')) }")
  expect(await said(page)).not.toContain('le mandat est en cours')
  await context.close()
})

test('un papier faux est dit faux, réseau ou pas ; un autre papier se lit dans le même onglet', async () => {
  const context = await browser.context()
  const genuine = await paperOf(await service.mandat('odette'))
  const forged = genuine.replace(/(\d\d)(\d{20})$/, (_, pair: string, rest: string) => (pair === '20' ? '21' : '20') + rest)
  expect(forged).not.toBe(genuine)
  const page = await scan(context, forged)
  expect(await said(page)).toContain('Ce papier est faux : sa signature ne correspond pas à ce qu’il dit')
  expect(await said(page)).not.toContain('Odette')
  await expectAccessible(page)
  await page.goto(genuine)
  await page.getByText('authentique, et le mandat est en cours').waitFor(PATIENCE)
  await page.goto(`${service.url}/v#123`)
  await page.getByText('Ce n’est pas un papier de ce service').waitFor(PATIENCE)
  expect(await said(page)).not.toContain('Odette')
  await context.close()
})

test('deux papiers photographiés coup sur coup : rien de celui d’avant ne se montre', async () => {
  const context = await browser.context()
  const page = await scan(context, await paperOf(await service.mandat('odette')))
  expect(await said(page)).toContain('Odette')
  const held: (() => void)[] = []
  let holding = true
  await context.route('**/.well-known/jwks.json', async (route) => {
    if (holding) await new Promise<void>((go) => held.push(go))
    await route.continue()
  })
  for (const fragment of ['123', '456']) {
    const asked = held.length
    await page.evaluate(`location.hash = '${fragment}'`)
    await expect.poll(() => held.length).toBe(asked + 1)
  }
  const answered = page.waitForEvent('requestfinished')
  held[0]!()
  await answered
  await page.evaluate('new Promise((go) => setTimeout(go, 200))')
  expect(await said(page)).not.toContain('Odette')
  holding = false
  for (const go of held) go()
  await page.getByText('Ce n’est pas un papier de ce service').waitFor(PATIENCE)
  await context.close()
})

test('sans réseau et sans visite d’avant, rien n’est dit faux', async () => {
  const context = await browser.context()
  const page = await scan(context, `${service.url}/v`)
  expect(await said(page)).toContain('Photographiez le QR du papier')
  await kept(page)
  await page.evaluate("caches.delete('v-donnees')")
  await context.setOffline(true)
  const offline = await scan(context, await paperOf(await service.mandat('odette')))
  expect(await said(offline)).toContain('Ce papier n’a pas pu être vérifié')
  expect(await said(offline)).toContain('Cela ne dit pas qu’il est faux')
  await context.close()
})

test('un mandat arrêté se sait en cinq secondes', async () => {
  const context = await browser.context()
  const id = await service.mandat('odette')
  const url = await paperOf(id)
  const hers = await browser.context()
  await service.enter(hers, { persona: 'odette' })
  const space = await hers.newPage()
  await space.goto(`${service.url}/mon-espace/mandats/${id}/arreter`)
  await space.getByRole('button', { name: /arrêt/i }).first().click()
  await space.waitForURL(/arret$/)
  await new Promise((resolve) => setTimeout(resolve, 5_100))
  const page = await scan(context, url)
  expect(await said(page)).toContain('Ce papier est authentique, mais le mandat est arrêté')
  // Not to be taken: nothing says how one would.
  expect(await said(page)).not.toMatch(/pièce d’identité|pas obligé/)
  await hers.close()
  await context.close()
})

test('la déconnexion d’une personne efface tout de son navigateur ; le /v d’un tiers marche encore', async () => {
  const url = await paperOf(await service.mandat('josiane', 'figeac'))
  const [clerk, hers] = [await browser.context(), await browser.context()]
  for (const context of [clerk, hers]) await kept(await scan(context, url))
  await service.enter(hers, { persona: 'josiane' })
  const space = await hers.newPage()
  await space.goto(`${service.url}/mon-espace`)
  await space.getByRole('button', { name: 'Se déconnecter' }).click()
  await space.waitForURL(/deconnexion$/)
  expect(
    await space.evaluate(
      'Promise.all([caches.keys(), navigator.serviceWorker.getRegistrations()]).then(([a, b]) => a.length + b.length)',
    ),
  ).toBe(0)
  await clerk.setOffline(true)
  expect(await said(await scan(clerk, url))).toContain('le mandat était en cours')
  await Promise.all([clerk.close(), hers.close()])
})

test('sans JavaScript, au clavier, une phrase mène au code, qui dit la même chose', async () => {
  const context = await browser.context({ js: false, width: 360 })
  const id = await service.mandat('josiane', 'figeac')
  const page = await context.newPage()
  const keys = keyboard(page)
  await page.goto(await paperOf(id))
  await keys.press(page.getByRole('link', { name: 'vérifiez le papier avec le code imprimé dessus' }))
  await keys.type(page.getByLabel('Code de vérification'), 'kkk')
  await keys.press(page.getByRole('button', { name: 'Vérifier' }))
  expect(await said(page)).toContain('Tapez l’année de naissance de la personne.')
  const [row] = await service.sql<{ year: string }[]>`
    select left(identite ->> 'birthdate', 4) as year from mandat_contenu where mandat_id = ${id}`
  await keys.type(page.getByLabel('Code de vérification'), codeVerification(service.config.secretsKey, id).toLowerCase())
  await keys.type(page.getByLabel('Année de naissance'), String(Number(row!.year) + 1))
  await keys.press(page.getByRole('button', { name: 'Vérifier' }))
  expect(await said(page)).toContain('Aucun mandat n’a ce code avec cette année de naissance')
  await keys.type(page.getByLabel('Code de vérification'), codeVerification(service.config.secretsKey, id))
  await keys.type(page.getByLabel('Année de naissance'), row!.year)
  await keys.press(page.getByRole('button', { name: 'Vérifier' }))
  const text = await said(page)
  expect(text).toContain('Ce papier est authentique, et le mandat est en cours')
  expect(text).toContain('Demandez une pièce d’identité à qui présente ce papier.')
  expect(page.url()).toBe(`${service.url}/verifier`)
  await context.close()
})

test('chaque page vue ici est juste, accessible, et tient sur un téléphone', async () => {
  await inspect(service, browser)
})

test('une liste d’avant l’arrêt, servie après, ne l’efface pas', async () => {
  const context = await browser.context({ width: 360 })
  const id = await service.mandat('josiane', 'figeac')
  const url = await paperOf(id)
  const list = await (await fetch(`${service.url}/statuts/0`)).text()
  await new Promise((resolve) => setTimeout(resolve, 1_100)) // lists are dated by the second
  await stopMandat(
    service.db,
    { kind: 'usager', usagerIds: [await service.personne('josiane')], niveau: 'identite' },
    { mandatId: id },
  )
  await new Promise((resolve) => setTimeout(resolve, 5_100))
  expect(await said(await scan(context, url))).toContain('le mandat est arrêté')
  await context.route('**/statuts/0', (route) => route.fulfill({ body: list, contentType: 'application/statuslist+jwt' }))
  expect(await said(await scan(context, url))).toContain('le mandat est arrêté')
  await context.setOffline(true)
  expect(await said(await scan(context, url))).toContain('le mandat est arrêté')
  await context.close()
})
