import { deflateSync, inflateSync } from 'node:zlib'
import { z } from 'zod'
import { type Jwks, type JwsReason, verifyEs256 } from './jws.ts'
import { THEMATIQUES, type Thematique } from './mandat.ts'
import { type SealKey, signJws } from './sceau.ts'

/** IETF Token Status List values, two bits each. */
export const STATUTS = { VALID: 0, INVALID: 1, SUSPENDED: 2 } as const
export type Statut = keyof typeof STATUTS

const BITS = 2
const PER_BYTE = 8 / BITS
export const SLOTS = 100_000
/** Slots of one mandat: ten thématiques in fixed order, six spare. */
const BLOC = 16
export const BLOCS = SLOTS / BLOC

/** Where a mandat's block is: the list's number, and the block's first slot in it (the seal's `idx`). */
export const placeDe = (bloc: number): { liste: number; idx: number } => ({
  liste: Math.floor(bloc / BLOCS),
  idx: (bloc % BLOCS) * BLOC,
})

/** The slot of one thématique in its list. */
export const slotDe = (idx: number, thematique: Thematique): number => idx + THEMATIQUES.indexOf(thematique)

/** One list, compressed (`lst`): every slot not named is VALID, taken or not, so that the list does not tell which are. */
export function encodeList(entries: Iterable<{ slot: number; statut: Statut }>): string {
  const bytes = new Uint8Array(SLOTS / PER_BYTE)
  for (const { slot, statut } of entries) {
    if (!Number.isInteger(slot) || slot < 0 || slot >= SLOTS) throw new Error(`status list: no slot ${slot}`)
    bytes[Math.floor(slot / PER_BYTE)]! |= STATUTS[statut] << ((slot % PER_BYTE) * BITS)
  }
  return deflateSync(bytes, { level: 9 }).toString('base64url')
}

const LIFE = 24 * 3600
const TTL = 60

/** The list as published (`application/statuslist+jwt`). `sub` is its own URL; lives 24 h, to be fetched again after 60 s. */
export function signStatusList({ sub, lst, now }: { sub: string; lst: string; now: Date }, key: SealKey): Promise<string> {
  const iat = Math.floor(now.getTime() / 1000)
  return signJws('statuslist+jwt', { sub, iat, exp: iat + LIFE, ttl: TTL, status_list: { bits: BITS, lst } }, key)
}

const claimsSchema = z.object({
  sub: z.string(),
  iat: z.int(),
  exp: z.int(),
  status_list: z.object({ bits: z.literal(BITS), lst: z.string() }),
})

export type StatusReason = JwsReason | 'type_inattendu' | 'contenu_incomplet' | 'autre_liste' | 'liste_perimee' | 'hors_liste'

/** The status of one slot according to a published list: what a third party computes. `sub` is the URL it was fetched from. */
export async function statusAt(
  token: string,
  slot: number,
  jwks: Jwks,
  { sub, now }: { sub: string; now: Date },
): Promise<{ ok: true; statut: Statut } | { ok: false; reason: StatusReason }> {
  const list = await verifyEs256(token, jwks)
  if (!list.ok) return list
  if (list.header.typ !== 'statuslist+jwt') return { ok: false, reason: 'type_inattendu' }
  const claims = claimsSchema.safeParse(list.claims)
  if (!claims.success) return { ok: false, reason: 'contenu_incomplet' }
  if (claims.data.sub !== sub) return { ok: false, reason: 'autre_liste' }
  if (now.getTime() >= claims.data.exp * 1000) return { ok: false, reason: 'liste_perimee' }
  const bytes = inflateSync(Buffer.from(claims.data.status_list.lst, 'base64url'), { maxOutputLength: SLOTS / PER_BYTE })
  const byte = bytes[Math.floor(slot / PER_BYTE)]
  if (byte === undefined) return { ok: false, reason: 'hors_liste' }
  const value = (byte >> ((slot % PER_BYTE) * BITS)) & 0b11
  const statut = (Object.keys(STATUTS) as Statut[]).find((name) => STATUTS[name] === value)
  return statut ? { ok: true, statut } : { ok: false, reason: 'contenu_incomplet' }
}
