import { z } from 'zod'
import { type EvidenceReason, verifyEvidence } from '../mandat/conditions.ts'
import type { Jwks } from '../mandat/jws.ts'
import type { MandatClaims } from '../mandat/sceau.ts'
import { texteScelle } from '../mandat/texte.ts'

const preuveSchema = z.object({
  sceau: z.string(),
  conditions: z.string(),
  id_token: z.string(),
  /** The provider's keys of that day, as they were archived. */
  jwks: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }),
  /** Who the provider answered. */
  client_id: z.string(),
  texte: z.string(),
  /** IANA zone of the structure, in which the text says the last day. */
  fuseau: z.string(),
})
/** The pieces that prove a mandat without us: what `preuve.json` holds. */
export type Preuve = z.infer<typeof preuveSchema>

export const readPreuve = (value: unknown): Preuve | undefined => preuveSchema.safeParse(value).data

/** As the downloaded file says it. `jwks`: the archived text. */
export const preuveOf = (
  kept: { sceau: string; conditions: string; idToken: string; jwks: string; texte: string; fuseau: string },
  clientId: string,
) =>
  ({
    sceau: kept.sceau,
    conditions: kept.conditions,
    id_token: kept.idToken,
    jwks: JSON.parse(kept.jwks) as Preuve['jwks'],
    client_id: clientId,
    texte: kept.texte,
    fuseau: kept.fuseau,
  }) satisfies Preuve

export type PreuveReason = EvidenceReason | 'autre_accord' | 'autre_mandat' | 'texte_different'

/**
 * Do these pieces belong to this seal, and hold together? `claims`: of a seal that was opened. The provider's keys are those of the file:
 * that they are the provider's is to be checked elsewhere (its own archive, the journal's line).
 */
export async function verifyPreuve(
  claims: MandatClaims,
  preuve: Preuve,
): Promise<{ ok: true } | { ok: false; reason: PreuveReason }> {
  const { accord, mandataire, perimetre, texte, act } = claims
  const evidence = await verifyEvidence({
    conditions: preuve.conditions,
    idToken: preuve.id_token,
    jwks: preuve.jwks as unknown as Jwks,
    issuer: accord.iss,
    clientId: preuve.client_id,
    perimetre,
  })
  if (!evidence.ok) return evidence
  const { conditions, accord: found } = evidence
  const same = (['acr', 'auth_time', 'conditions_sha256', 'id_token_sha256'] as const).every(
    (name) => found[name] === accord[name],
  )
  if (!same) return { ok: false, reason: 'autre_accord' }
  const parties =
    conditions.id === claims.jti &&
    conditions.structure.siret === mandataire.siret &&
    conditions.structure.nom === mandataire.nom &&
    conditions.aidant.nom === act.nom &&
    conditions.texte.sha256 === texte.sha256 &&
    conditions.texte.version === texte.version
  if (!parties) return { ok: false, reason: 'autre_mandat' }
  return preuve.texte === textOf(claims, preuve.fuseau) ? { ok: true } : { ok: false, reason: 'texte_different' }
}

/** The words, made again from what is sealed. */
function textOf({ texte, mandataire, perimetre, exp, iss }: MandatClaims, fuseau: string): string | undefined {
  if (!isZone(fuseau)) return undefined
  return texteScelle(texte.version, {
    structureNom: mandataire.nom,
    siret: mandataire.siret,
    fuseau,
    thematiques: perimetre,
    end: new Date(exp * 1000),
    publicUrl: iss,
  })
}

const isZone = (fuseau: string) => {
  try {
    return new Intl.DateTimeFormat('fr', { timeZone: fuseau }) !== undefined
  } catch {
    return false
  }
}
