import { sign } from 'node:crypto'
import type { Lie } from './authenticator.ts'

/** DER (X.690): a tag, and the bytes of its parts. */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 255]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}
const seq = (...parts: Buffer[]) => der(0x30, ...parts)
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'))
const small = (tag: number, n: number) => der(tag, Buffer.from([n]))
const ECDSA_SHA256 = oid('2a8648ce3d040302')
const COMMON_NAME = oid('550403')
const CRL = oid('551d1f')
const ANDROID_KEY = oid('2b06010401d679020111')

/**
 * What an Android key attests of itself (WebAuthn level 3, §8.4), in a certificate that its sender signed alone and that says where its
 * revocations are listed: whoever judges it calls that address.
 */
export const androidKey =
  (revocations: string): NonNullable<Lie['attestation']> =>
  ({ authData, clientHash, keys }) => {
    const name = (text: string) => seq(der(0x31, seq(COMMON_NAME, der(0x0c, Buffer.from(text)))))
    const dates = seq(der(0x17, Buffer.from('240101000000Z')), der(0x17, Buffer.from('490101000000Z')))
    const spki = keys.publicKey.export({ type: 'spki', format: 'der' })
    const certificate = (subject: string, ...extensions: Buffer[]) => {
      const more = extensions.length > 0 ? [der(0xa3, seq(...extensions))] : []
      const version = der(0xa0, small(2, 2))
      const tbs = seq(version, small(2, 1), seq(ECDSA_SHA256), name('Moi'), dates, name(subject), spki, ...more)
      return seq(tbs, seq(ECDSA_SHA256), der(3, Buffer.from([0]), sign('sha256', tbs, keys.privateKey)))
    }
    const described = seq(small(2, 3), small(10, 1), small(2, 4), small(10, 1), der(4, clientHash), der(4), seq(), seq())
    const points = seq(seq(der(0xa0, der(0xa0, der(0x86, Buffer.from(revocations))))))
    const leaf = certificate('Clé', seq(ANDROID_KEY, der(4, described)), seq(CRL, der(4, points)))
    const sig = sign('sha256', Buffer.concat([authData, clientHash]), keys.privateKey)
    return [
      'android-key',
      new Map<string, never>([
        ['alg', -7],
        ['sig', sig],
        ['x5c', [leaf, certificate('Moi')]],
      ] as never),
    ]
  }
