import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'

type App = { fetch(request: Request, env: object): Response | Promise<Response> }
export type Listening = {
  port: number
  /** Takes no more connections, lets what is under way end (5 s at most), then closes everything. */
  close(): Promise<void>
}

/** `patience`: milliseconds, for tests. */
type Options = { port: number; host: string; patience?: { headers?: number; request?: number; drain?: number } }

/** Listens; rejects when it cannot (see `isPortTaken`). */
export async function serve(app: App, { port, host, patience = {} }: Options): Promise<Listening> {
  let draining = false
  const handle = getRequestListener(
    (request, bindings) => {
      if (draining && 'shouldKeepAlive' in bindings.outgoing) bindings.outgoing.shouldKeepAlive = false
      return app.fetch(request, { ...bindings, draining: () => draining })
    },
    // What is not even an address for us, or thrown and not an Error: there is no page to show.
    {
      errorHandler: (error) =>
        new Response(null, { status: error instanceof Error && error.name === 'RequestError' ? 400 : 500 }),
    },
  )
  const server = createServer(
    {
      headersTimeout: patience.headers ?? 5_000,
      requestTimeout: patience.request ?? 10_000,
      // Longer than a proxy keeps its own idle connections (60 s as a rule), so that it is never the one surprised.
      keepAliveTimeout: 65_000,
      connectionsCheckingInterval: Math.min(1_000, patience.headers ?? 1_000),
    },
    handle,
  )
  server.setTimeout(30_000)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })

  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise<void>((resolve) => {
        draining = true
        const idle = setInterval(() => server.closeIdleConnections(), 50)
        const enough = setTimeout(() => server.closeAllConnections(), patience.drain ?? 5_000)
        server.close(() => {
          clearInterval(idle)
          clearTimeout(enough)
          resolve()
        })
      }),
  }
}

/** True for the error of `serve` when another program has the port. */
export const isPortTaken = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'

/** Runs `stop` at the first SIGTERM or SIGINT, then exits; a second signal exits at once. */
export function stopOnSignal(stop: () => Promise<void>): void {
  let stopping = false
  const onSignal = () => {
    if (stopping) process.exit(1)
    stopping = true
    stop().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
}
