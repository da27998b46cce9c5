import type { Db, Who } from '../db.ts'
import {
  type Brouillon,
  type Connue,
  deleteBrouillon,
  findActing,
  findConnue,
  listConnues,
  lockBrouillon,
} from './brouillon-queries.ts'
import { resteADire } from './contact.ts'
import { estPartage, lecteurDuPersonnel } from './contact-queries.ts'
import { dernierJour, expiresAt, identiteTenue, isInForce, perimetreDe } from './mandat.ts'
import { listMandats, lockMandat, type MandatEtat } from './queries.ts'

type NewAccord = {
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
  | 'contact_structure'

/** True while her yes holds: to the day that she read, by someone identified less than thirty minutes ago. */
export const accordTenu = (brouillon: Brouillon, fuseau: string, now: Date): boolean =>
  brouillon.accordAt !== null &&
  brouillon.authTime !== null &&
  identiteTenue(brouillon.authTime, now) &&
  dernierJour(expiresAt(now, brouillon.duree, fuseau), fuseau) === brouillon.dernierJour

function refusalOfAccord(
  brouillon: Brouillon | undefined,
  accord: NewAccord,
  aidant: { fuseau: string } | undefined,
  now: Date,
): AccordRefusal | undefined {
  if (!brouillon || !aidant) return 'introuvable'
  if (!brouillon.identite || !brouillon.authTime) return 'identite_absente'
  if (!identiteTenue(brouillon.authTime, now)) return 'connexion_perimee'
  if (!accord.redit) return 'pas_redit'
  if (accord.thematiques.length === 0) return 'aucune_thematique'
  if (!accord.thematiques.every((thematique) => (brouillon.perimetre as string[]).includes(thematique))) return 'perimetre_elargi'
  if (perimetreDe(accord.thematiques).join() !== perimetreDe(accord.lues).join()) return 'phrase_a_relire'
  if (dernierJour(expiresAt(now, brouillon.duree, aidant.fuseau), aidant.fuseau) !== accord.dernierJour) return 'phrase_a_relire'
  if (accord.suivi !== 'papier' && !accord.contact) return 'contact_manquant'
  return undefined
}

/** `prouve`: nothing more to ask about her contact; `code`: one is to be sent there. */
type Given = { ok: true; prouve: boolean; code: boolean } | { ok: false; refusal: AccordRefusal }

/** A code typed back a moment ago, or for an earlier mandat: the same contact is not asked to prove itself again. */
const provenHere = (brouillon: Brouillon, contact: string) => (brouillon.contact === contact ? brouillon.contactProuveAt : null)
const provenBefore = (connue: Connue | undefined, contact: string) =>
  connue?.telephone === contact
    ? connue.telephoneProuveAt
    : connue?.email?.toLowerCase() === contact.toLowerCase()
      ? connue.emailProuveAt
      : null

/** Her yes, said on the screen turned to her. Writes nothing but the draft: the mandat exists once the structure has accepted. */
export const giveAccord = (db: Db, by: Who & { kind: 'aidant' }, brouillonId: string, accord: NewAccord): Promise<Given> =>
  db.tx(by, async (tx) => {
    const brouillon = await lockBrouillon(tx, brouillonId)
    const acting = await findActing(tx)
    const refusal = refusalOfAccord(brouillon, accord, acting, tx.now)
    if (refusal) return { ok: false, refusal }
    const { suivi } = accord
    const contact = suivi === 'papier' ? null : accord.contact!
    const lecteur = suivi === 'email' ? await lecteurDuPersonnel(tx, contact!) : undefined
    if (lecteur) return { ok: false, refusal: `contact_${lecteur}` }

    const { sub } = brouillon!.identite!
    const contactProuveAt =
      contact === null ? null : (provenHere(brouillon!, contact) ?? provenBefore(await findConnue(tx, sub), contact))
    const contactPartage = contact !== null && (await estPartage(tx, contact, sub, [acting!.telephone]))

    await tx.sql`
      update brouillon
      set granted = ${perimetreDe(accord.thematiques)}, accord_at = ${tx.now}, dernier_jour = ${accord.dernierJour}, suivi = ${suivi},
        contact = ${contact}, contact_prouve_at = ${contactProuveAt}, contact_partage = ${contactPartage}, contact_lecteur = null,
        updated_at = ${tx.now}
      where id = ${brouillonId}`
    const reste = resteADire({ suivi, contactProuveAt, contactPartage, contactLecteur: null })
    return { ok: true, prouve: !reste.code && !reste.lecteur, code: reste.code }
  })

/**
 * Her no erases everything: no draft, no identity, no trace. Once the mandat is signed there is nothing to erase, and she is told so.
 * `continuent`: what she had given this structure before, which her no does not end.
 */
export const refuseAccord = (
  db: Db,
  by: Who & { kind: 'aidant' },
  brouillonId: string,
): Promise<{ ok: true; continuent: MandatEtat[] } | { ok: false; refusal: 'deja_signe' }> =>
  db.tx(by, async (tx) => {
    const brouillon = await lockBrouillon(tx, brouillonId)
    await deleteBrouillon(tx, brouillonId)
    if (await lockMandat(tx, brouillonId)) return { ok: false, refusal: 'deja_signe' }
    const known = brouillon?.identite ? await listConnues(tx, brouillon.identite.sub) : []
    const mandats = await listMandats(tx, brouillon?.usagerId ? [brouillon.usagerId, ...known] : known)
    return { ok: true, continuent: mandats.filter(isInForce) }
  })
