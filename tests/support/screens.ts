import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Page } from 'playwright-core'
import { expect, inject } from 'vitest'
import type { TestBrowser } from './browser.ts'
import { expectAccessible, expectValidHtml } from './html.ts'
import type { Screen, Service } from './service.ts'

/** Width and colours each page is looked at in; the two others only for pictures, as nothing of the colours depends on the width. */
const LOOKS = [
  { width: 1280, dark: false, judged: true },
  { width: 320, dark: true, judged: true },
  { width: 320, dark: false, judged: false },
  { width: 1280, dark: true, judged: false },
] as const

/**
 * Looks at every sort of page the service has sent: valid HTML, title, one h1, language, no sideways scroll at 320 px, a visible focus, and axe
 * at both widths in both colours. With ECRANS=<folder>, leaves a picture of each there, for human eyes.
 */
export async function inspect(service: Pick<Service, 'url' | 'screens'>, browser: TestBrowser): Promise<void> {
  const context = await browser.context()
  const page = await context.newPage()
  let shown: Screen | undefined
  await page.route(
    (url) => url.href.startsWith(service.url),
    (route) =>
      route.request().isNavigationRequest() && shown
        ? route.fulfill({ contentType: 'text/html; charset=utf-8', body: shown.html })
        : route.continue(),
  )
  const faults: string[] = []
  for (const [sort, screen] of service.screens) {
    if (!isFirst(sort)) continue
    shown = screen
    const say = (fault: string) => faults.push(`${screen.status} ${screen.path}: ${fault}`)
    const check = (what: Promise<void>) => what.catch((error: Error) => say(error.message))
    await check(expectValidHtml(screen.html))
    await page.setViewportSize({ width: 1280, height: 800 })
    await page.emulateMedia({ colorScheme: 'light' })
    await page.goto(service.url + screen.path)
    for (const fault of await faultsOf(page)) say(fault)
    for (const { width, dark, judged } of LOOKS) {
      if (!judged && !process.env.ECRANS) continue
      await page.setViewportSize({ width, height: width === 320 ? 640 : 800 })
      await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' })
      const wide = await page.evaluate<number>('document.documentElement.scrollWidth')
      if (wide > width) say(`scrolls sideways at ${width} px`)
      await picture(page, screen, `${width}${dark ? '-sombre' : ''}`)
      if (judged) await check(expectAccessible(page))
    }
  }
  await context.close()
  expect(faults, faults.join('\n\n')).toEqual([])
}

/** Test files see many of the same pages: the first to come looks at them for all. */
function isFirst(sort: string): boolean {
  const folder = path.join(inject('postgres').directory, 'ecrans')
  mkdirSync(folder, { recursive: true })
  try {
    mkdirSync(path.join(folder, createHash('sha256').update(sort).digest('hex')))
    return true
  } catch {
    return false
  }
}

async function faultsOf(page: Page): Promise<string[]> {
  const { lang, title, h1, unfocused } = await page.evaluate<{ lang: string; title: string; h1: number; unfocused: string[] }>(
    MADE,
  )
  return [
    lang !== 'fr' && `its language is « ${lang} »`,
    !/\S.* - Trait d’union$/.test(title) && `its title is « ${title} »`,
    h1 !== 1 && `it has ${h1} h1`,
    ...unfocused.map((element) => `the focus cannot be seen on ${element}`),
  ].filter((fault) => fault !== false)
}

/** Focus given from the keyboard, one element after the other: the outline is on the element, or on the card around it. */
const MADE = `(() => {
  const outlined = (element) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(element)
    return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2
  }
  const unfocused = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')].filter((element) => {
    if (!element.checkVisibility() || element.disabled) return false
    element.focus({ focusVisible: true })
    return document.activeElement !== element || !(outlined(element) || (element.closest('.choice') && outlined(element.closest('.choice'))))
  })
  document.activeElement.blur()
  return {
    lang: document.documentElement.lang,
    title: document.title,
    h1: document.querySelectorAll('h1').length,
    unfocused: unfocused.map((element) => element.outerHTML.slice(0, 160)),
  }
})()`

async function picture(page: Page, { path: address, status }: Screen, look: string): Promise<void> {
  const folder = process.env.ECRANS
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  const name = address
    .replace(/[0-9a-f-]{36}/g, 'x')
    .replace(/[^\w-]+/g, '_')
    .slice(0, 80)
  const heading = (await page.title())
    .replace(/ - .*/, '')
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .slice(0, 50)
  const twin = (pictures.get(`${name}${look}`) ?? 0) + 1
  pictures.set(`${name}${look}`, twin)
  await page.screenshot({ path: path.join(folder, `${name}_${heading}_${status}_${twin}_${look}.png`), fullPage: true })
}
const pictures = new Map<string, number>()
