import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto'

/** signed-note, signature types: a log's Ed25519, a witness's timestamped cosignature (tlog-cosignature). */
export const LOG_KEY = 0x01
export const WITNESS_KEY = 0x04
type KeyType = typeof LOG_KEY | typeof WITNESS_KEY

/** A public key with the name that signs with it: `name+id+base64(type ‖ key)` (signed-note, verifier keys). */
export type Vkey = { text: string; name: string; id: Buffer; type: KeyType; key: KeyObject }
export type Signer = { vkey: Vkey; privateKey: KeyObject }
type Signature = { name: string; id: Buffer; bytes: Buffer; line: string }
export type Note = { text: string; signatures: readonly Signature[] }

const isName = (name: string) => name !== '' && !/[\s+\p{Cc}\p{Z}]/u.test(name)

/** Standard base64 written the one way it can be: another spelling of the same bytes is refused. */
export function base64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

/** signed-note: SHA-256(name ‖ 0x0A ‖ type ‖ public key), its first four bytes. */
const keyIdOf = (name: string, type: KeyType, raw: Buffer) =>
  hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([type]), raw]), 'buffer').subarray(0, 4)

function vkeyOf(name: string, type: KeyType, raw: Buffer): Vkey {
  const id = keyIdOf(name, type, raw)
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' })
  const text = `${name}+${id.toString('hex')}+${Buffer.concat([Buffer.from([type]), raw]).toString('base64')}`
  return { text, name, id, type, key }
}

/** The same key under another name. */
export const renamed = ({ key, type }: Vkey, name: string): Vkey =>
  vkeyOf(name, type, Buffer.from(key.export({ format: 'jwk' }).x!, 'base64url'))

/** undefined when it is not a whole key of a type we know. */
export function parseVkey(text: string): Vkey | undefined {
  const [, name, id, encoded] = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(text) ?? []
  const bytes = encoded === undefined ? undefined : base64(encoded)
  if (!name || !isName(name) || bytes?.length !== 33) return undefined
  const type = bytes[0]
  if (type !== LOG_KEY && type !== WITNESS_KEY) return undefined
  const vkey = vkeyOf(name, type, bytes.subarray(1))
  return vkey.id.toString('hex') === id ? vkey : undefined
}

/** `pem`: an Ed25519 private key, as `openssl genpkey -algorithm ed25519` writes it. Throws when it is anything else. */
export function openSigner(pem: string, name: string, type: KeyType = LOG_KEY): Signer {
  const privateKey = createPrivateKey(pem)
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new Error('journal key: Ed25519 only')
  if (!isName(name)) throw new Error('journal key: a name has neither space nor plus')
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' })
  return { vkey: vkeyOf(name, type, Buffer.from(x!, 'base64url')), privateKey }
}

const lineOf = ({ name, id }: Vkey, signature: Buffer) => `— ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`

/** The line that a log adds under a text: Ed25519 over the text itself. */
export const signatureLine = ({ vkey, privateKey }: Signer, text: string): string =>
  lineOf(vkey, sign(null, Buffer.from(text), privateKey))

/** tlog-cosignature, Ed25519: what is signed at this second (POSIX time). */
const cosigned = (text: string, seconds: number) => Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`)

/** The line that a witness adds: timestamp ‖ Ed25519. */
export function cosignatureLine({ vkey, privateKey }: Signer, text: string, seconds: number): string {
  const timestamp = Buffer.alloc(8)
  timestamp.writeBigUInt64BE(BigInt(seconds))
  return lineOf(vkey, Buffer.concat([timestamp, sign(null, cosigned(text, seconds), privateKey)]))
}

/** signed-note, format; undefined when it is not one. The text ends with its newline; the blank line belongs to neither. */
export function parseNote(note: string): Note | undefined {
  const at = note.lastIndexOf('\n\n')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the format forbids them
  if (at < 0 || !note.endsWith('\n') || /[\x00-\x09\x0b-\x1f]/.test(note) || note.length > 1_000_000) return undefined
  const signatures = parseSignatures(note.slice(at + 2))
  return signatures && signatures.length > 0 ? { text: note.slice(0, at + 1), signatures } : undefined
}

/** Signature lines alone, as a witness answers them; undefined when one is not such a line. */
export function parseSignatures(lines: string): Signature[] | undefined {
  const signatures: Signature[] = []
  for (const line of lines.split('\n').slice(0, -1)) {
    const [, name, encoded] = /^\u2014 (\S+) (\S+)$/u.exec(line) ?? []
    const bytes = encoded === undefined ? undefined : base64(encoded)
    if (!name || !isName(name) || !bytes || bytes.length < 5) return undefined
    signatures.push({ name, id: bytes.subarray(0, 4), bytes: bytes.subarray(4), line: `${line}\n` })
  }
  return lines.endsWith('\n') || lines === '' ? signatures : undefined
}

const from =
  ({ name, id }: Vkey) =>
  (signature: Signature) =>
    signature.name === name && signature.id.equals(id)

/** Whether this key signed the note. As the format wants: a wrong signature in its name refuses the note, even beside a right one. */
export function isSignedBy({ text, signatures }: Note, vkey: Vkey): boolean {
  const own = signatures.filter(from(vkey))
  return own.length > 0 && own.every(({ bytes }) => bytes.length === 64 && verify(null, Buffer.from(text), vkey.key, bytes))
}

/** When this witness says it saw the checkpoint, in POSIX seconds; undefined when it did not, or when any of its lines is wrong. */
export function cosignedAt(text: string, signatures: readonly Signature[], vkey: Vkey): number | undefined {
  const own = signatures.filter(from(vkey))
  const times = own.map(({ bytes }) => {
    if (bytes.length !== 72) return undefined
    const seconds = bytes.readBigUInt64BE()
    if (seconds > BigInt(Number.MAX_SAFE_INTEGER)) return undefined
    return verify(null, cosigned(text, Number(seconds)), vkey.key, bytes.subarray(8)) ? Number(seconds) : undefined
  })
  return times.includes(undefined) ? undefined : times[0]
}
