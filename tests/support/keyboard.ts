import type { Locator, Page } from 'playwright-core'

export type Hands = {
  /** A link or a button. */
  press(target: Locator): Promise<void>
  /** In place of what was there. */
  type(target: Locator, text: string): Promise<void>
  /** A box, or one answer of several. */
  choose(target: Locator): Promise<void>
  /** The first line of a list that begins so: letters of every keyboard. */
  select(target: Locator, letters: string): Promise<void>
}
export type Keyboard = Hands & {
  /** Tab as far as there, then Enter (or Space, which ticks). */
  press(target: Locator, key?: 'Enter' | 'Space'): Promise<void>
  /** How many times Enter or Space was pressed. */
  readonly activations: number
  /** How many times Tab was. */
  readonly steps: number
}

/** The same journey with a mouse or without, as a run of it says. */
export const handsOn = (page: Page, { mouse }: { mouse: boolean }): Hands => (mouse ? MOUSE : keyboard(page))

const MOUSE: Hands = {
  press: (target) => target.click(),
  type: (target, text) => target.fill(text),
  choose: (target) => target.locator('xpath=../label').click(),
  async select(target, letters) {
    const lines = await target.locator('option').allTextContents()
    await target.selectOption({ index: lines.findIndex((line) => line.startsWith(letters)) })
  },
}

type Element = NonNullable<Awaited<ReturnType<Locator['elementHandle']>>>
const isFocused = (element: Element) => element.evaluate((it) => it.ownerDocument.activeElement === it)
/** It, or another answer to the same question. */
const isAsked = (element: Element) =>
  element.evaluate((it) => {
    const { activeElement: at } = it.ownerDocument
    return at === it || (it.matches('[type=radio]') && at?.getAttribute('name') === it.getAttribute('name'))
  })

/** Hands that have no mouse. */
export function keyboard(page: Page): Keyboard {
  let activations = 0
  let steps = 0
  const reach = async (target: Locator, there = isFocused) => {
    // Looked for once, not at each step: by its name in a long page, that is slow.
    const element = (await target.elementHandle())!
    for (let i = 0; i < 200; i++) {
      if (await there(element)) return element
      await page.keyboard.press('Tab')
      steps++
    }
    throw new Error(`Tab does not lead to ${target}`)
  }
  const press = async (target: Locator, key: 'Enter' | 'Space' = 'Enter') => {
    const element = await reach(target)
    activations++
    // A click waits for the page that it leads to; a key does not.
    const leads = await element.evaluate((it) => it.matches('a:not([href^="#"]), [type=submit]'))
    await Promise.all([leads && page.waitForEvent('domcontentloaded'), page.keyboard.press(key)])
  }
  return {
    press,
    async type(target, text) {
      await reach(target)
      if (await target.inputValue()) await page.keyboard.press('ControlOrMeta+A')
      await page.keyboard.type(text)
    },
    async choose(target) {
      // Tab stops once at a question; inside, the arrows go from one answer to the next.
      const element = await reach(target, isAsked)
      for (let i = 0; i < 20 && !(await isFocused(element)); i++) await page.keyboard.press('ArrowDown')
      await press(target, 'Space')
    },
    async select(target, letters) {
      await reach(target)
      await page.keyboard.type(letters)
    },
    get activations() {
      return activations
    },
    get steps() {
      return steps
    },
  }
}
