import { generateKeyPairSync } from 'node:crypto'
import { parseSealKeys } from '../mandat/sceau.ts'

/** Of one key in the file: signs now, will sign at the next rotation, or is only published. */
export type Role = 'courante' | 'suivante' | 'retiree'
type Cle = { kid: string; role: Role }
export type TrousseauRefusal = 'suivante_deja_la' | 'pas_de_suivante' | 'cle_absente' | 'cle_courante' | 'deja_retiree'
export type Changed = { ok: true; text: string } | { ok: false; refusal: TrousseauRefusal }

type Jwk = { kty: 'EC'; crv: 'P-256'; x: string; y: string; d?: string; kid?: string; alg?: 'ES256'; use?: 'sig' }

/** The text of SEAL_KEYS as keys in order, each with the identifier it is published under. Throws as `parseSealKeys`. */
function read(text: string): { jwk: Jwk; kid: string; role: Role }[] {
  const { jwks } = parseSealKeys(text)
  const { keys } = JSON.parse(text) as { keys: Jwk[] }
  return keys.map((jwk, index) => ({
    jwk,
    kid: jwks.keys[index]!.kid,
    role: index === 0 ? 'courante' : jwk.d ? 'suivante' : 'retiree',
  }))
}

/** The first key signs; the next comes right after it, and the retired ones last, newest first. */
const write = (keys: readonly Jwk[]) => {
  const text = `${JSON.stringify({ keys }, null, 2)}\n`
  parseSealKeys(text) // what the service will read
  return text
}

const withoutPrivate = ({ d: _, ...jwk }: Jwk): Jwk => jwk

export const listCles = (text: string): Cle[] => read(text).map(({ kid, role }) => ({ kid, role }))

/** A new key pair: the current one of an empty set, else the next one, published from the next start so that every verifier knows it in time. */
export function addNext(text: string | undefined): Changed {
  const fresh = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }) as unknown as Jwk
  if (text === undefined) return { ok: true, text: write([named(fresh)]) }
  const keys = read(text)
  if (keys.some(({ role }) => role === 'suivante')) return { ok: false, refusal: 'suivante_deja_la' }
  const [current, ...others] = keys.map(({ jwk }) => jwk)
  return { ok: true, text: write([current!, named(fresh), ...others]) }
}

/** The next key signs; of the one that did, only the public half stays. */
export function rotate(text: string): Changed {
  const keys = read(text)
  const next = keys.find(({ role }) => role === 'suivante')
  if (!next) return { ok: false, refusal: 'pas_de_suivante' }
  const others = keys.filter((key) => key !== next).map(({ jwk }) => withoutPrivate(jwk))
  return { ok: true, text: write([next.jwk, ...others]) }
}

/** Throws away the private half of a key that does not sign: one that was seen by someone. What it sealed still verifies. */
export function retire(text: string, kid: string): Changed {
  const keys = read(text)
  const found = keys.find((key) => key.kid === kid)
  if (!found) return { ok: false, refusal: 'cle_absente' }
  if (found.role === 'courante') return { ok: false, refusal: 'cle_courante' }
  if (found.role === 'retiree') return { ok: false, refusal: 'deja_retiree' }
  const others = keys.filter((key) => key !== found).map(({ jwk }) => jwk)
  return { ok: true, text: write([...others, withoutPrivate(found.jwk)]) }
}

const named = (jwk: Jwk): Jwk => ({
  ...jwk,
  kid: parseSealKeys(JSON.stringify({ keys: [jwk] })).current.kid,
  alg: 'ES256',
  use: 'sig',
})
