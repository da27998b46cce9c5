import type { Locator, Page } from 'playwright-core'

export type Keyboard = {
  /** Tab as far as there, then Enter (or Space, which ticks). */
  press(target: Locator, key?: 'Enter' | 'Space'): Promise<void>
  type(target: Locator, text: string): Promise<void>
  /** How many times Enter or Space was pressed. */
  readonly activations: number
  /** How many times Tab was. */
  readonly steps: number
}

/** Hands that have no mouse. */
export function keyboard(page: Page): Keyboard {
  let activations = 0
  let steps = 0
  const reach = async (target: Locator) => {
    for (let i = 0; i < 100; i++) {
      if (await target.evaluate((element) => element.ownerDocument.activeElement === element)) return
      await page.keyboard.press('Tab')
      steps++
    }
    throw new Error(`Tab does not lead to ${target}`)
  }
  return {
    async press(target, key = 'Enter') {
      await reach(target)
      activations++
      await page.keyboard.press(key)
    },
    async type(target, text) {
      await reach(target)
      await page.keyboard.type(text)
    },
    get activations() {
      return activations
    },
    get steps() {
      return steps
    },
  }
}
