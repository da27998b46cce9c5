import { gzipSync } from 'node:zlib'
import type { Page, Request } from 'playwright-core'

/**
 * What a page costs, until it is `ready`: the paths asked for, bytes as they were sent, headers of the answers included, and bytes had the page been
 * compressed too, as a proxy does in production.
 */
export async function costOf(
  page: Page,
  url: string,
  ready: () => Promise<unknown> = async () => {},
): Promise<{ paths: string[]; sent: number; compressed: number }> {
  const finished: Request[] = []
  const keep = (request: Request) => void finished.push(request)
  page.on('requestfinished', keep)
  await page.goto(url)
  await ready()
  page.off('requestfinished', keep)
  let sent = 0
  let compressed = 0
  for (const request of finished) {
    const { responseBodySize: body, responseHeadersSize: headers } = await request.sizes()
    sent += headers + body
    compressed +=
      headers + (request.resourceType() === 'document' ? gzipSync((await (await request.response())!.body())!).length : body)
  }
  return { paths: finished.map((request) => new URL(request.url()).pathname), sent, compressed }
}
