import { createHash, generateKeyPairSync, type KeyPairKeyObjectResult, randomBytes, sign } from 'node:crypto'

/** What may be wrong of an answer; right by default. */
export type Lie = {
  origin?: string
  rpId?: string
  challenge?: string
  verified?: boolean
  counter?: number
  id?: Buffer
  /** More of what the browser says, or otherwise. */
  client?: Record<string, unknown>
  /** All of §6.1's flags. */
  flags?: number
  /** After what is signed of the authenticator (extensions, or nothing known). */
  rest?: Buffer
  /** The public key, as COSE; else its own. */
  key?: Cbor
  /** What it attests of itself, and for what (§6.5). */
  attestation?: (signed: { authData: Buffer; clientHash: Buffer; keys: Keys }) => [fmt: string, statement: Map<string, Cbor>]
}
type Keys = KeyPairKeyObjectResult
export type Cbor = number | string | Buffer | readonly Cbor[] | Map<number | string, Cbor>

type Options = {
  challenge: string
  rpId?: string
  rp?: { id?: string }
  user?: { id: string }
  allowCredentials?: { id: string }[]
}

const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest()
const b64 = (bytes: Buffer) => bytes.toString('base64url')

/** CBOR (RFC 8949) of what a registration is made of: small integers, texts, byte strings, arrays, maps. */
function cbor(value: Cbor): Buffer {
  const head = (major: number, n: number) =>
    n < 24
      ? Buffer.from([(major << 5) | n])
      : n < 256
        ? Buffer.from([(major << 5) | 24, n])
        : Buffer.from([(major << 5) | 25, n >> 8, n & 255])
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value])
  if (value instanceof Map)
    return Buffer.concat([head(5, value.size), ...[...value].map((pair) => Buffer.concat(pair.map(cbor)))])
  return Buffer.concat([head(4, value.length), ...value.map(cbor)])
}

/**
 * A passkey in software: one ES256 key, whose counter grows at each signature, and which attests nothing (WebAuthn level 3, §6 and §8.7). It
 * takes the options a page carries and answers what a browser would send back, as JSON.
 */
export function newAuthenticator(origin: string) {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x, y } = keys.publicKey.export({ format: 'jwk' })
  const credential = randomBytes(32)
  let counter = 0

  const clientData = (type: string, options: Options, lie: Lie) =>
    Buffer.from(
      JSON.stringify({
        type,
        challenge: lie.challenge ?? options.challenge,
        origin: lie.origin ?? origin,
        crossOrigin: false,
        ...lie.client,
      }),
    )
  const authData = (rpId: string, { verified = true, ...lie }: Lie, attested = Buffer.alloc(0)) => {
    const count = Buffer.alloc(4)
    count.writeUInt32BE(lie.counter ?? counter)
    // UP, UV, AT (§6.1).
    const flags = lie.flags ?? 0x01 | (verified ? 0x04 : 0) | (attested.length > 0 ? 0x40 : 0)
    return Buffer.concat([sha256(lie.rpId ?? rpId), Buffer.from([flags]), count, attested, lie.rest ?? Buffer.alloc(0)])
  }
  const answer = (response: Record<string, string>, lie: Lie) => {
    const id = b64(lie.id ?? credential)
    return JSON.stringify({ id, rawId: id, type: 'public-key', clientExtensionResults: {}, response })
  }
  return {
    create(options: Options, lie: Lie = {}): string {
      const own = new Map<number, Cbor>([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, Buffer.from(x!, 'base64url')],
        [-3, Buffer.from(y!, 'base64url')],
      ])
      const id = lie.id ?? credential
      const attested = Buffer.concat([Buffer.alloc(16), Buffer.from([0, id.length]), id, cbor(lie.key ?? own)])
      const client = clientData('webauthn.create', options, lie)
      const data = authData(options.rp!.id!, lie, attested)
      const [fmt, statement] = lie.attestation?.({ authData: data, clientHash: sha256(client), keys }) ?? ['none', new Map()]
      const attestation = new Map<string, Cbor>([
        ['fmt', fmt],
        ['attStmt', statement],
        ['authData', data],
      ])
      return answer({ clientDataJSON: b64(client), attestationObject: b64(cbor(attestation)) }, lie)
    },
    sign(options: Options, lie: Lie = {}): string {
      counter++
      const client = clientData('webauthn.get', options, lie)
      const data = authData(options.rpId!, lie)
      const signature = sign('sha256', Buffer.concat([data, sha256(client)]), keys.privateKey)
      return answer({ clientDataJSON: b64(client), authenticatorData: b64(data), signature: b64(signature) }, lie)
    },
  }
}
export type Authenticator = ReturnType<typeof newAuthenticator>

/** The options that a page carries for the browser's passkeys. */
export function optionsOf(html: string): Options {
  const [, found] = /data-options="([^"]*)"/.exec(html) ?? []
  if (!found) throw new Error('this page asks for no passkey')
  return JSON.parse(found.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&')) as Options
}
