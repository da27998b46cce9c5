import { createRequire } from 'node:module'
import jsqr from 'jsqr'
import { describe, expect, it } from 'vitest'
import { openRenderer } from '../../src/papier/render.ts'
import { arretPapier } from '../../views/papier/arret.ts'
import { mandatPapier } from '../../views/papier/mandat.ts'
import { papierPage, papierRefusePage } from '../../views/papier/page.ts'
import { pourVousPapier } from '../../views/papier/pour-vous.ts'
import { openBoth } from '../support/e2e.ts'
import { lePlusLong, unMandat } from '../support/papiers.ts'
import { inspect } from '../support/screens.ts'
import type { Screen } from '../support/service.ts'

// Neither says its types as it is imported.
const { PNG } = createRequire(import.meta.url)('pngjs') as {
  PNG: { sync: { read(bytes: Buffer): { data: Buffer; width: number; height: number } } }
}
type Corner = { x: number; y: number }
type Read = { data: string; location: { topLeftCorner: Corner; topRightCorner: Corner } }
const readQr = jsqr as unknown as (data: Uint8ClampedArray, width: number, height: number) => Read | null

const { service, browser } = await openBoth()

describe.each([
  { js: false, comment: 'sans JavaScript' },
  { js: true, comment: 'avec JavaScript' },
])('imprimer, $comment', ({ js }) => {
  it.each([
    { who: 'thomas', where: '/mandats', width: 1280, button: 'Imprimer le mandat', papier: 'mandat' },
    { who: 'thomas', where: '/mandats', width: 1280, button: 'Imprimer « Pour vous seulement »', papier: 'pour-vous' },
    { who: { persona: 'odette' }, where: '/mon-espace/mandats', width: 360, button: 'Mon mandat', papier: 'mandat' },
    { who: { persona: 'odette' }, where: '/mon-espace/mandats', width: 360, button: 'Ce qui a été fait', papier: 'releve' },
    {
      who: { persona: 'odette' },
      where: '/mon-espace/mandats',
      width: 360,
      button: 'Ma feuille, avec un nouveau code',
      papier: 'pour-vous',
    },
  ] as const)('$button ($where)', async ({ who, where, width, button, papier }) => {
    const context = await browser.context({ js, width })
    await service.enter(context, who)
    const page = await context.newPage()
    await page.goto(`${service.url}${where}/${await service.mandat('odette')}`)
    const answered = page.waitForResponse((response) => response.url().endsWith(`/papiers/${papier}`))
    await page.getByRole('button', { name: button, exact: true }).click()
    const answer = await answered
    expect([answer.status(), answer.headers()['content-type']]).toEqual([200, 'application/pdf'])
    await context.close()
  })
})

it('le QR imprimé se lit, et mesure cinquante millimètres', async () => {
  const renderer = openRenderer({ patienceMs: 30_000 })
  const page = await (await browser.context()).newPage()
  for (const mandat of [unMandat(), lePlusLong()]) {
    const rendered = await renderer.svg(mandatPapier({ ...mandat }))
    if (!rendered.ok) throw new Error(rendered.refusal)
    const svg = new TextDecoder()
      .decode(rendered.pdf)
      .replace(/viewBox="[^"]*" width="[^"]*" height="[^"]*"/, 'viewBox="0 0 595.28 841.89" width="2100" height="2970"')
    await page.setViewportSize({ width: 2100, height: 2970 })
    await page.setContent(`<body style="margin:0;background:#fff">${svg}</body>`)
    const { data, width, height } = PNG.sync.read(await page.screenshot())
    const found = readQr(new Uint8ClampedArray(data), width, height)
    expect(found?.data).toMatch(/^https:\/\/mandats\.exemple\.fr\/v#(?:1234567890)+$/)
    const { topLeftCorner, topRightCorner } = found!.location
    // Ten pixels to the millimetre.
    expect((topRightCorner.x - topLeftCorner.x) / 10).toBeGreaterThanOrEqual(50)
  }
  await renderer.close()
})

it('chaque page vue ici est valide, accessible, et tient dans 320 pixels ; les pages à imprimer aussi', async () => {
  const facts = unMandat({ perimetre: ['logement', 'argent'] })
  const frame = { space: 'aidant', who: { nom: 'Thomas Lacombe', structure: 'CCAS de Figeac' } } as const
  const [one, two] = (['logement', 'argent'] as const).map((thematique) => ({
    thematique,
    signedAt: facts.now,
    expiresAt: facts.expiresAt,
    revokedAt: facts.now,
    revokedHow: 'revoque' as const,
    suspensions: [],
  }))
  const papers = [
    mandatPapier({ ...facts, arret: 'À l’impression, ce mandat est en pause.' }),
    pourVousPapier({
      ...facts,
      themes: ['Logement', 'Argent - Impôts - Consommation'],
      codePrive: '36K7-BDF9-MQRX',
      elleMeme: false,
      prouve: false,
    }),
    arretPapier({ ...facts, arretees: [one!], recus: [], restent: [two!] }),
  ]
  const retour = '/mandats/00000000-0000-4000-8000-000000000000'
  const screens = new Map<string, Screen>(service.screens)
  for (const papier of papers)
    screens.set(`papier ${papier.nom}`, {
      path: `${retour}/papiers/${papier.nom}`,
      status: 200,
      html: papierPage({ frame, papier, retour }),
    })
  screens.set('papier refusé', {
    path: `${retour}/papiers/arret`,
    status: 409,
    html: papierRefusePage({ frame, refusal: 'rien_d_arrete', retour }),
  })
  await inspect({ ...service, screens }, browser)
}, 120_000)
