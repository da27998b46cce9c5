import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export type Proxy = {
  /** The same database through the proxy. */
  url: string
  /** Breaks every connection at once, with a reset. */
  cut(): void
  /** Until told otherwise, every new connection is reset at once. */
  refuse(refusing: boolean): void
  /** From now on nothing passes in either direction, and nobody is told. */
  freeze(): void
  /** Lets the next `commit` reach the server, then breaks its connection instead of handing back the answer. */
  loseNextCommit(): void
  close(): Promise<void>
}

/** A TCP proxy before the test database: the only way to be a bad network. */
export async function startProxy(url: string): Promise<Proxy> {
  const target = new URL(url)
  const pairs = new Set<[Socket, Socket]>()
  let frozen = false
  let losing = false
  let refusing = false
  const server = createServer((client) => {
    if (refusing) return void client.resetAndDestroy()
    const upstream = connect(Number(target.port), target.hostname)
    const pair: [Socket, Socket] = [client, upstream]
    pairs.add(pair)
    client.on('data', (bytes) => frozen || upstream.write(bytes))
    upstream.on('data', (bytes) => {
      if (losing && bytes.includes('COMMIT')) {
        losing = false
        client.resetAndDestroy()
      } else if (!frozen) client.write(bytes)
    })
    for (const socket of pair) {
      socket.on('error', () => {})
      socket.on('close', () => {
        if (frozen) return
        pairs.delete(pair)
        for (const other of pair) other.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const through = new URL(url)
  through.hostname = '127.0.0.1'
  through.port = String((server.address() as AddressInfo).port)
  const cut = () => {
    for (const [client, upstream] of pairs) {
      client.resetAndDestroy()
      upstream.destroy()
    }
  }
  return {
    url: through.href,
    cut,
    refuse(now) {
      refusing = now
    },
    freeze() {
      frozen = true
    },
    loseNextCommit() {
      losing = true
    },
    async close() {
      server.close()
      cut()
      await once(server, 'close')
    },
  }
}
