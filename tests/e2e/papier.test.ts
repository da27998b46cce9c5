import { PNG } from 'pngjs'
import { describe, expect, it } from 'vitest'
import { openRenderer } from '../../src/papier/render.ts'
import { attestationUrl, fromDigits, openAttestation } from '../../src/verification/attestation.ts'
import { mandatPapier } from '../../views/papier/mandat.ts'
import { openBoth } from '../support/e2e.ts'
import { CLAIMS, FUSEAU, ours } from '../support/forgeries.ts'
import { lePlusLong } from '../support/papiers.ts'
import { readQr } from '../support/qr-reader.ts'
import { inspect } from '../support/screens.ts'

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

it('le mandat le plus long, imprimé et numérisé à 150 points par pouce : son QR se relit et se vérifie, et mesure cinquante millimètres', async () => {
  const url = await attestationUrl(CLAIMS, {
    fuseau: FUSEAU,
    publicUrl: 'https://mandats.departement-de-la-reunion.exemple.fr',
    key: ours.current,
  })
  const renderer = openRenderer({ patienceMs: 30_000 })
  const rendered = await renderer.svg(mandatPapier(lePlusLong(url)))
  await renderer.close()
  if (!rendered.ok) throw new Error(rendered.refusal)
  // Its first page alone, an A4 of 210 mm.
  const svg = new TextDecoder()
    .decode(rendered.pdf)
    .replace(/viewBox="[^"]*" width="[^"]*" height="[^"]*"/, 'viewBox="0 0 595.28 841.89" width="1240" height="1754"')
  const page = await (await browser.context()).newPage()
  await page.setViewportSize({ width: 1240, height: 1754 })
  await page.setContent(`<body style="margin:0;background:#fff">${svg}</body>`)
  const { data, width, height } = PNG.sync.read(await page.screenshot())
  const read = readQr(new Uint8ClampedArray(data), width, height)
  expect(read?.data).toBe(url)
  const opened = await openAttestation(fromDigits(read!.data.split('#')[1]!)!, ours.jwks)
  expect(opened).toMatchObject({ ok: true, attestation: { perimetre: CLAIMS.perimetre, structure: CLAIMS.mandataire.nom } })
  const { topLeftCorner, topRightCorner } = read!.location
  expect(((topRightCorner.x - topLeftCorner.x) * 210) / width).toBeGreaterThanOrEqual(50)
})

it('chaque page vue ici est valide, accessible, et tient dans 320 pixels', () => inspect(service, browser), 120_000)
