import { afterAll } from 'vitest'
import { openBrowser, type TestBrowser } from './browser.ts'
import { type Service, startService } from './service.ts'

/** What a browser test needs, for the whole of its file: `const { service, browser } = await openBoth()`. Closed after its tests. */
export async function openBoth(): Promise<{ service: Service; browser: TestBrowser }> {
  const [service, browser] = await Promise.all([startService(), openBrowser()])
  afterAll(async () => {
    await service.close()
    await browser.close()
  })
  return { service, browser }
}
