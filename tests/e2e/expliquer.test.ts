import { expect, it } from 'vitest'
import { openBoth } from '../support/e2e.ts'
import { inspect } from '../support/screens.ts'

const { service, browser } = await openBoth()

/** A browser whose voices are these. What is said is kept in `dit`. */
const VOICES = (voices: readonly { lang: string; localService: boolean }[]) => `
  window.dit = []
  window.SpeechSynthesisUtterance = function (text) { this.text = text }
  Object.defineProperty(window, 'speechSynthesis', { value: {
    getVoices: () => ${JSON.stringify(voices)}, speak: (one) => window.dit.push([one.text, one.voice.lang]), cancel: () => {}, addEventListener: () => {} } })`

const opened = async (look: { js?: boolean; width?: 360 }, script?: string, search = '') => {
  const context = await browser.context(look)
  if (script) await context.addInitScript({ content: script })
  await service.enter(context, 'thomas')
  const page = await context.newPage()
  await page.goto(`${service.url}/mandats/expliquer${search}`)
  return page
}

it('« Écouter » n’est là qu’avec une voix de cet appareil, dans cette langue, et lit tout le texte', async () => {
  const button = (page: Awaited<ReturnType<typeof opened>>) => page.getByRole('button', { name: 'Écouter' })
  for (const voices of [[], [{ lang: 'fr-FR', localService: false }], [{ lang: 'en-GB', localService: true }]]) {
    const page = await opened({}, VOICES(voices))
    expect([voices, await button(page).isVisible()]).toEqual([voices, false])
  }
  expect(await button(await opened({ js: false })).isVisible()).toBe(false)

  const page = await opened(
    {},
    VOICES([
      { lang: 'fr-FR', localService: false },
      { lang: 'fr_FR', localService: true },
    ]),
  )
  await button(page).click()
  const said = await page.evaluate<[string, string][]>('window.dit')
  expect(said[0]).toEqual(['Ce que nous vous proposons', 'fr_FR'])
  expect(said.at(-1)![0]).toContain('Seul le texte en français a une valeur légale.')
  await page.getByRole('button', { name: 'Arrêter la lecture' }).click()
  expect(await button(page).isVisible()).toBe(true)
})

it('« Grande écriture » agrandit la page, sans JavaScript, et se quitte', async () => {
  const page = await opened({ js: false, width: 360 })
  const size = async () =>
    Number.parseFloat(
      await page
        .locator('.aloud p')
        .first()
        .evaluate((one) => one.ownerDocument.defaultView!.getComputedStyle(one).fontSize),
    )
  const ordinary = await size()
  await page.getByRole('link', { name: 'Grande écriture' }).click()
  expect(await size()).toBeGreaterThan(ordinary * 1.25)
  expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360)
  await page.getByRole('link', { name: 'Français facile' }).click()
  expect(await page.locator('.alert').innerText()).toContain('Brouillon non relu')
  expect(await page.locator('html').getAttribute('class')).toBe('grande')
  await page.getByRole('link', { name: 'Écriture ordinaire' }).click()
  expect(await page.locator('.aloud').innerText()).toContain('Une structure peut vous aider.')
  expect((await page.goto(`${service.url}/mandats/expliquer?langue=ar`))!.status()).toBe(404)
})

it('chaque page vue ici est valide, accessible, et tient dans 320 pixels', () => inspect(service, browser), 120_000)
