import type { Db, Who } from '../db.ts'
import { type Brouillon, deleteBrouillon, findActing, lockBrouillon } from './brouillon-queries.ts'
import { dernierJour, expiresAt, perimetreDe } from './mandat.ts'
import { lockMandat } from './queries.ts'

export type NewAccord = {
  redit: boolean
  thematiques: readonly string[]
  /** What the sentence she read said, in the same order: her yes is to that and nothing else. */
  lues: readonly string[]
  /** The last day that sentence said, 'YYYY-MM-DD'. */
  dernierJour: string
  suivi: 'email' | 'sms' | 'papier'
  contact?: string | undefined
}
export type AccordRefusal =
  | 'introuvable'
  | 'identite_absente'
  | 'connexion_perimee'
  | 'pas_redit'
  | 'aucune_thematique'
  | 'perimetre_elargi'
  | 'phrase_a_relire'
  | 'contact_manquant'
  | 'contact_aidant'

const IDENTITY_LIFE_MS = 30 * 60_000

export function refusalOfAccord(
  brouillon: Brouillon | undefined,
  accord: NewAccord,
  aidant: { email: string; fuseau: string } | undefined,
  now: Date,
): AccordRefusal | undefined {
  if (!brouillon || !aidant) return 'introuvable'
  if (!brouillon.identite || !brouillon.authTime) return 'identite_absente'
  if (now.getTime() - brouillon.authTime.getTime() > IDENTITY_LIFE_MS) return 'connexion_perimee'
  if (!accord.redit) return 'pas_redit'
  if (accord.thematiques.length === 0) return 'aucune_thematique'
  if (!accord.thematiques.every((thematique) => (brouillon.perimetre as string[]).includes(thematique))) return 'perimetre_elargi'
  if (perimetreDe(accord.thematiques).join() !== perimetreDe(accord.lues).join()) return 'phrase_a_relire'
  if (dernierJour(expiresAt(now, brouillon.duree, aidant.fuseau), aidant.fuseau) !== accord.dernierJour) return 'phrase_a_relire'
  if (accord.suivi !== 'papier' && !accord.contact) return 'contact_manquant'
  if (accord.contact?.toLowerCase() === aidant.email) return 'contact_aidant'
  return undefined
}

/** Her yes, said on the screen turned to her. Writes nothing but the draft: the mandat exists once the structure has accepted. */
export const giveAccord = (
  db: Db,
  by: Who & { kind: 'aidant' },
  brouillonId: string,
  accord: NewAccord,
): Promise<{ ok: true } | { ok: false; refusal: AccordRefusal }> =>
  db.tx(by, async (tx) => {
    const brouillon = await lockBrouillon(tx, brouillonId)
    const refusal = refusalOfAccord(brouillon, accord, await findActing(tx), tx.now)
    if (refusal) return { ok: false, refusal }

    await tx.sql`
      update brouillon
      set granted = ${perimetreDe(accord.thematiques)}, accord_at = ${tx.now}, dernier_jour = ${accord.dernierJour}, suivi = ${accord.suivi}, contact = ${accord.contact ?? null},
        updated_at = ${tx.now}
      where id = ${brouillonId}`
    return { ok: true }
  })

/** Her no erases everything: no draft, no identity, no trace. Once the mandat is signed there is nothing to erase, and she is told so. */
export const refuseAccord = (
  db: Db,
  by: Who & { kind: 'aidant' },
  brouillonId: string,
): Promise<{ ok: true } | { ok: false; refusal: 'deja_signe' }> =>
  db.tx(by, async (tx) => {
    await deleteBrouillon(tx, brouillonId)
    return (await lockMandat(tx, brouillonId)) ? { ok: false, refusal: 'deja_signe' } : { ok: true }
  })
