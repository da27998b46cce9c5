import axe from 'axe-core'
import { HtmlValidate } from 'html-validate'
import type { BrowserContext, Page } from 'playwright-core'
import { expect } from 'vitest'

const validator = new HtmlValidate({
  root: true,
  extends: ['html-validate:recommended', 'html-validate:document'],
  rules: {
    'form-dup-name': ['error', { shared: ['radio', 'checkbox', 'submit', 'button', 'reset'] }],
    // Spaces left by an absent piece of a template are not faults.
    'no-trailing-whitespace': 'off',
    // Only for files of third parties, and there is none.
    'require-sri': 'off',
    // Phone numbers are checked by eye: the rule wants a plugin's idea of a number.
    'tel-non-breaking': 'off',
  },
})

/** Fails with each fault, its rule and its line, and with each link that leads nowhere in its own page. */
export const expectValidHtml = async (html: string): Promise<void> => {
  const report = await validator.validateString(html)
  const faults = report.results.flatMap(({ messages }) =>
    messages.map(
      ({ line, ruleId, message }) => `${line}: ${ruleId}: ${message}\n    ${html.split('\n')[line - 1]?.trim().slice(0, 240)}`,
    ),
  )
  faults.push(...deadLinks(html).map((id) => `nothing has the id of #${id}`))
  if (faults.length > 0) expect.fail(`invalid HTML\n${faults.join('\n')}`)
}

/** What a page leads to in itself and does not have: nobody can mend a field that is refused and not shown. */
export function deadLinks(html: string): string[] {
  const ids = new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id))
  return [...html.matchAll(/ href="#([^"]+)"/g)].map(([, id]) => id!).filter((id) => !ids.has(id))
}

/** Runs every WCAG A and AA rule of axe and its good practices on the page as it is now; fails with each element found. */
export const expectAccessible = async (page: Page): Promise<void> => {
  const scripting = await page.evaluate("matchMedia('(scripting: enabled)').matches")
  if (scripting) return expectNoViolation(page)
  // axe itself needs JavaScript: the page obtained without it is shown again, as it is, where there is some.
  const context = await twin(page)
  try {
    const copy = await context.newPage()
    const body = await page.content()
    await copy.route(page.url(), (route) => route.fulfill({ contentType: 'text/html; charset=utf-8', body }))
    await copy.goto(page.url())
    await expectNoViolation(copy)
  } finally {
    await context.close()
  }
}

const twin = async (page: Page): Promise<BrowserContext> =>
  page
    .context()
    .browser()!
    .newContext({ viewport: page.viewportSize(), storageState: await page.context().storageState(), reducedMotion: 'reduce' })

const expectNoViolation = async (page: Page): Promise<void> => {
  // The same document is judged twice, at both widths.
  if (!(await page.evaluate("'axe' in window"))) await page.evaluate(axe.source)
  // As text: types of the page's globals do not exist here.
  const violations = await page.evaluate<Violation[]>(
    `axe.run({ runOnly: ${JSON.stringify(TAGS)} }).then((report) => report.violations)`,
  )
  const found = violations.map(({ id, help, nodes }) =>
    [`${id}: ${help}`, ...nodes.map((node) => `${node.html}\n    ${node.failureSummary}`)].join('\n  '),
  )
  if (found.length > 0) expect.fail(`${page.url()} is not accessible\n${found.join('\n')}`)
}

type Violation = { id: string; help: string; nodes: { html: string; failureSummary: string }[] }
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
