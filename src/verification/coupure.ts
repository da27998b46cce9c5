import { createHash } from 'node:crypto'
import type { JWK } from 'jose'
import { parseVkey } from '../journal/note.ts'
import { type LineRefusal, type ProvenLine, parseProof, verifyLine } from '../journal/proof.ts'
import type { CleCompromise, Jwks } from '../mandat/jws.ts'

export type CoupureReason = 'ligne_absente' | 'ligne_introuvable' | 'autre_ligne' | 'apres_la_coupure' | LineRefusal

/** As the line of a mandat names its seal. */
export const empreinteDuSceau = (sceau: string): string => createHash('sha256').update(sceau).digest('base64url')

/**
 * A key was stolen: does this line prove that the seal was in the journal before? It must be the one that signed this mandat (`jti`), name this very
 * seal, be in the tree, and come before the cut-off: whoever has the key can date a seal as he likes, and never its line.
 */
export function verifyCoupure(
  ligne: ProvenLine | undefined,
  { jti, sceau }: { jti: string; sceau: string },
  { coupure, journal }: CleCompromise,
): { ok: true; rang: number } | { ok: false; reason: CoupureReason } {
  const log = parseVkey(journal ?? '')
  if (!ligne || !log) return { ok: false, reason: 'ligne_absente' }
  const proven = verifyLine(ligne, log)
  if (!proven.ok) return { ok: false, reason: proven.refusal }
  const [line, facts] = [read(ligne.octets), read(ligne.faits ?? '')]
  if (line.action !== 'mandat_signe' || line.mandat_id !== jti || facts.sceau_sha256 !== empreinteDuSceau(sceau))
    return { ok: false, reason: 'autre_ligne' }
  const rang = parseProof(ligne.preuve)!.index
  return rang < coupure ? { ok: true, rang } : { ok: false, reason: 'apres_la_coupure' }
}

function read(json: string): Readonly<Record<string, unknown>> {
  try {
    return (JSON.parse(json) ?? {}) as Record<string, unknown>
  } catch {
    return {}
  }
}

/** What `/.well-known/jwks.json` says (RFC 7517), the stolen keys apart. `journal`: the public key of the tree. */
export function jwksOf(cles: readonly { jwk: JWK; coupure: number | null }[], journal: string | undefined): Jwks {
  const compromises = cles.flatMap(({ jwk, coupure }) =>
    coupure === null ? [] : [{ ...jwk, coupure, ...(journal && { journal }) }],
  )
  const keys = cles.flatMap(({ jwk, coupure }) => (coupure === null ? [jwk] : []))
  return { keys, ...(compromises.length > 0 && { compromises }) }
}
