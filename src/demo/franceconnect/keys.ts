import { createHash, createPrivateKey, generateKeyPairSync, type JsonWebKey, sign } from 'node:crypto'
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** A private ES256 key as a JWK; `kid` is its RFC 7638 thumbprint. */
type SigningJwk = JsonWebKey & { kid: string; alg: 'ES256'; use: 'sig' }

export type Keys = {
  /** The signing key first, then the one it replaced: both are published, so that what the old one signed can still be checked. */
  jwks(): readonly SigningJwk[]
  /** A compact JWS with the current key, header `{alg,kid}` and nothing else. */
  sign(payload: Record<string, unknown>): string
  rotate(): Promise<void>
}

/**
 * Opens the key file, or creates it (0600) the first time; without a file the keys live as long as the process.
 * Throws when the file cannot be read as keys.
 */
export async function openKeys(file?: string): Promise<Keys> {
  const stored = file ? await readKeys(file) : undefined
  let jwks = stored ?? [newKey()]
  if (file && !stored) await writeKeys(file, jwks)

  return {
    jwks: () => jwks,
    sign: (payload) => signWith(jwks[0]!, payload),
    async rotate() {
      const next = [newKey(), jwks[0]!]
      if (file) await writeKeys(file, next)
      jwks = next
    },
  }
}

async function readKeys(file: string): Promise<SigningJwk[] | undefined> {
  const text = await readFile(file, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  try {
    const { keys } = JSON.parse(text) as { keys: SigningJwk[] }
    for (const jwk of keys) createPrivateKey({ key: jwk, format: 'jwk' })
    if (keys[0]?.kid) {
      await chmod(file, 0o600)
      return keys
    }
  } catch (cause) {
    throw new Error(`unreadable keys of the FranceConnect simulator: ${file}`, { cause })
  }
  throw new Error(`no key of the FranceConnect simulator in ${file}`)
}

/** Whole or not at all: an interrupted start must not leave half a file behind. */
async function writeKeys(file: string, keys: readonly SigningJwk[]) {
  await mkdir(dirname(file), { recursive: true })
  const draft = `${file}.${process.pid}`
  await writeFile(draft, `${JSON.stringify({ keys })}\n`, { mode: 0o600 })
  await chmod(draft, 0o600)
  await rename(draft, file)
}

export function newKey(): SigningJwk {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = privateKey.export({ format: 'jwk' })
  const thumbprint = JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y })
  return { ...jwk, kid: createHash('sha256').update(thumbprint).digest('base64url'), alg: 'ES256', use: 'sig' }
}

function signWith(jwk: SigningJwk, payload: Record<string, unknown>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${part({ alg: 'ES256', kid: jwk.kid })}.${part(payload)}`
  const signature = sign('sha256', Buffer.from(input), {
    key: createPrivateKey({ key: jwk, format: 'jwk' }),
    dsaEncoding: 'ieee-p1363',
  })
  return `${input}.${signature.toString('base64url')}`
}
