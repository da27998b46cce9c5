import type { Db, Tx, Who } from '../db.ts'
import { type Opened, openConnexion } from '../oidc/connexion.ts'
import type { Identite } from '../usager/identite.ts'
import {
  actingOf,
  deleteBrouillon,
  findActing,
  findFinsNotees,
  listConnues,
  lockBrouillon,
  withoutPerson,
} from './brouillon-queries.ts'
import { conditionsOf, nonceOf } from './conditions.ts'
import { type ActingRefusal, jourLocal, type PersonneRefusal, refusalOfActing, refusalOfPersonne } from './mandat.ts'
import { TEXTE_COURANT, texte } from './texte.ts'

/**
 * Fixes the words, then opens the round trip bound to them: the nonce is their hash (mandat.md « What the provider's signature is
 * bound to »). `navigateur` is this browser's cookie: the round trip comes back here or nowhere.
 */
export const openIdentification = (
  db: Db,
  by: Who & { kind: 'aidant' },
  request: { brouillonId: string; navigateur: string | undefined },
): Promise<(Opened & { ok: true }) | { ok: false; refusal: ActingRefusal | 'introuvable' }> =>
  db.tx(by, async (tx) => {
    const fixed = await fixWords(tx, request.brouillonId)
    if (!fixed.ok) return fixed
    return { ok: true, ...(await openConnexion(tx, { but: 'mandat', nonce: fixed.nonce, ...request })) }
  })

/** Fixes the words of a draft as they stand now: whoever was identified for others is no longer. Their hash is the round trip's nonce. */
export async function fixWords(
  tx: Tx,
  brouillonId: string,
): Promise<{ ok: true; nonce: string } | { ok: false; refusal: ActingRefusal | 'introuvable' }> {
  const brouillon = await lockBrouillon(tx, brouillonId)
  const acting = await findActing(tx)
  if (!brouillon || !acting) return { ok: false, refusal: 'introuvable' }
  const refusal = refusalOfActing(actingOf(acting))
  if (refusal) return { ok: false, refusal }

  const { version, langue, sha256 } = texte(TEXTE_COURANT)!
  const conditions = conditionsOf({
    id: brouillon.id,
    structure: { siret: acting.siret, nom: acting.structureNom },
    aidant: { nom: `${acting.prenom} ${acting.nom}` },
    perimetre: brouillon.perimetre,
    duree: brouillon.duree,
    texte: { version, langue, sha256 },
    demandeLe: tx.now,
    sel: tx.random(16),
  })
  const nonce = nonceOf(conditions)
  await tx.sql`
      update brouillon
      set conditions = ${conditions}, ${withoutPerson(tx)}, updated_at = ${tx.now}
      where id = ${brouillon.id}`
  return { ok: true, nonce }
}

export type Identified = { idToken: string; jwksId: string; authTime: Date; identite: Identite; nonce: string }
export type IdentifiedRefusal = PersonneRefusal | 'deces_note' | 'introuvable' | 'choix_changes' | 'autre_personne'

/** Keeps the identity she proved, for thirty minutes, on the draft whose words the round trip was opened for. Who may give no mandat leaves no trace, draft included. */
export const keepIdentity = (
  db: Db,
  by: Who & { kind: 'aidant' },
  brouillonId: string,
  identified: Identified,
): Promise<{ ok: true } | { ok: false; refusal: IdentifiedRefusal }> =>
  db.tx(by, async (tx) => {
    const brouillon = await lockBrouillon(tx, brouillonId)
    const acting = await findActing(tx)
    if (!brouillon || !acting) return { ok: false, refusal: 'introuvable' }
    if (!brouillon.conditions || nonceOf(brouillon.conditions) !== identified.nonce)
      return { ok: false, refusal: 'choix_changes' }
    if (brouillon.usagerId && !(await memePersonne(tx, brouillon.usagerId, identified.identite.sub)))
      return { ok: false, refusal: 'autre_personne' }
    const { decedee } = await findFinsNotees(tx, identified.identite.sub)
    const ofHer = refusalOfPersonne({
      identite: identified.identite,
      protegee: false,
      aidant: acting,
      today: jourLocal(tx.now, acting.fuseau),
    })
    const refusal = decedee ? 'deces_note' : ofHer
    if (refusal) {
      // No other identification will make this mandat possible: what was prepared for it goes too.
      await deleteBrouillon(tx, brouillonId)
      return { ok: false, refusal }
    }

    await tx.sql`
      update brouillon
      set identite = ${tx.sql.json(identified.identite)}, id_token = ${identified.idToken}, jwks_id = ${identified.jwksId},
        auth_time = ${identified.authTime}, identified_at = ${tx.now}, granted = null, accord_at = null,
        dernier_jour = null, updated_at = ${tx.now}
      where id = ${brouillon.id}`
    return { ok: true }
  })

/** Is it her whose renewal it is, under whichever of her subs? */
async function memePersonne(tx: Tx, usagerId: string, sub: string): Promise<boolean> {
  return (await listConnues(tx, sub)).includes(usagerId)
}
