import { BlockList, isIP } from 'node:net'
import type { Context } from 'hono'
import type { Env } from './env.ts'

/** Proxies of ours in front of the service: how many add an address, and the networks from which the nearest one calls us. */
export type Proxies = { count: number; from: BlockList }

/** This machine, and the private networks (RFC 1918, RFC 4193). */
const PRIVATE = ['127.0.0.0/8', '::1', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7']

/** `networks`: addresses, or networks as « 10.0.0.0/8 ». Throws on what is neither. */
export function proxiesOf(count: number, networks: readonly string[] = PRIVATE): Proxies {
  const from = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) from.addAddress(address, family)
    else from.addSubnet(address, Number(bits), family)
  }
  return { count, from }
}

/**
 * The caller's network: her address, or the first half of it in IPv6, where a house has 2⁶⁴ of them. Our proxies have each added one address
 * at the end of X-Forwarded-For; what stands before is the caller's word, and so is all of it from who is no proxy of ours.
 */
export function addressOf(c: Context<Env>, { count, from }: Proxies): string {
  const peer = c.env?.incoming?.socket.remoteAddress
  const proxied = count > 0 && peer !== undefined && from.check(peer, isIP(peer) === 6 ? 'ipv6' : 'ipv4')
  const forwarded = (c.req.header('x-forwarded-for') ?? '').split(',').map((one) => one.trim())
  const address = (proxied && forwarded.at(-count)) || peer || 'inconnue'
  const v4 = /(?:^|:)(\d+(?:\.\d+){3})$/.exec(address)
  if (v4 || !address.includes(':')) return v4?.[1] ?? address
  const [head = '', tail = ''] = address.split('::')
  const before = head.split(':').filter(Boolean)
  const after = tail.split(':').filter(Boolean)
  const zeros = address.includes('::') ? Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0') : []
  return [...before, ...zeros, ...after].slice(0, 4).join(':')
}
