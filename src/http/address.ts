import type { Context } from 'hono'
import type { Env } from './env.ts'

/**
 * The caller's network: her address, or the first half of it in IPv6, where a house has 2⁶⁴ of them. `proxies` of ours have each added
 * one address at the end of X-Forwarded-For; what stands before is the caller's word.
 */
export function addressOf(c: Context<Env>, proxies: number): string {
  const forwarded = (c.req.header('x-forwarded-for') ?? '').split(',').map((one) => one.trim())
  const address = (proxies > 0 && forwarded.at(-proxies)) || c.env?.incoming?.socket.remoteAddress || 'inconnue'
  const v4 = /(?:^|:)(\d+(?:\.\d+){3})$/.exec(address)
  if (v4 || !address.includes(':')) return v4?.[1] ?? address
  const [head = '', tail = ''] = address.split('::')
  const before = head.split(':').filter(Boolean)
  const after = tail.split(':').filter(Boolean)
  const zeros = address.includes('::') ? Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0') : []
  return [...before, ...zeros, ...after].slice(0, 4).join(':')
}
