import type { Tx } from '../db.ts'
import { held, hers, mine } from '../structure/mine.ts'
import type { Identite } from '../usager/identite.ts'
import type { Autorisation, Duree, Fin, Thematique } from './mandat.ts'

export type MandatRow = {
  id: string
  structureId: string
  usagerId: string
  aidantId: string
  duree: Duree
  signedAt: Date
  expiresAt: Date
  endedAt: Date | null
  endedHow: Fin | null
}
export type MandatEtat = MandatRow & {
  etat: 'actif' | 'suspendu' | 'expire' | 'termine'
  perimetre: Thematique[]
  enVigueur: Thematique[]
  enPause: Thematique[]
  /** What a pause of her own would change: what is in force, and what is paused only until she is answered. */
  pausables: Thematique[]
  /** When the last request to stop that an aidant recorded had come. */
  recuLe: Date | null
  structureNom: string
  fuseau: string
}
export type MandatContenu = {
  sceau: string
  conditions: string
  texte: string
  identite: Identite
  structure: { nom: string; siret: string; adresse: string; telephone: string; fuseau: string }
  aidant: { prenom: string; nom: string }
  accord: { at: string; suivi: 'email' | 'sms' | 'papier' }
}

/**
 * Takes the mandat's row lock, and only that. What may have changed while waiting (autorisations, suspensions) must be read in a
 * LATER statement: a view read in this one would still show the moment before the lock. `no key`: a line that only refers to the mandat
 * takes a key share, and must not wait here while it holds what we wait for.
 */
export async function lockMandat(tx: Tx, id: string) {
  const locked = tx.sql<MandatRow[]>`
    select m.id, m.structure_id, m.usager_id, m.aidant_id, m.duree, m.signed_at, m.expires_at, m.ended_at, m.ended_how
    from mandat m
    where m.id = ${id} and ${held(tx, 'm')}
    for no key update`
  // Sent together, answered in order, and sent by `execute`, not when waited for: the clock must be read once the lock is held, or an end
  // could be dated before what it waited for.
  const [[mandat]] = await Promise.all([locked.execute(), tx.clock()])
  return mandat
}

/**
 * The same, for what ends or pauses it: the time read is of a later millisecond than that of anything noted before, which holds for ever that
 * it came before.
 */
export async function lockToEnd(tx: Tx, id: string) {
  const mandat = await lockMandat(tx, id)
  await Promise.all([tx.sql`select pg_sleep(0.001)`, tx.clock()])
  return mandat
}

/** The autorisations of one mandat in the fixed order of the thématiques, with their suspensions. */
export async function listAutorisations(tx: Tx, mandatId: string) {
  const found = await tx.sql<
    (Omit<Autorisation, 'suspensions'> & { id: string; from: Date | null; until: Date | null; attend: boolean })[]
  >`
    select a.id, a.thematique, a.signed_at, a.expires_at, a.revoked_at, a.revoked_how, s.from_at as "from", s.until_at as "until",
      attend_une_reponse(s.id) as attend
    from autorisation a
    left join suspension s on s.autorisation_id = a.id and ${held(tx, 's')}
    where a.mandat_id = ${mandatId} and ${held(tx, 'a')}
    order by array_position(thematiques(), a.thematique), s.from_at`
  const firsts = found.filter(({ id }, n) => found[n - 1]?.id !== id)
  return firsts.map(({ from: _, until: __, attend: ___, ...autorisation }) => ({
    ...autorisation,
    suspensions: found.flatMap(({ id, from, until, attend }) =>
      id === autorisation.id && from ? [{ from, until, attend }] : [],
    ),
  }))
}

/** No pause of her own of the autorisation `a` goes on: one that waits for an answer is over with it. */
export const sansPauseAElle = (tx: Tx) => tx.sql`not exists (
  select 1 from suspension o where o.autorisation_id = a.id and o.until_at is null and not attend_une_reponse(o.id))`

const etats = (tx: Tx) => tx.sql`
  select m.id, m.structure_id, m.usager_id, m.aidant_id, m.duree, m.signed_at, m.expires_at, m.ended_at, m.ended_how, m.etat,
    s.nom as structure_nom, s.fuseau,
    (select r.recu_le from arret_recu r where r.mandat_id = m.id order by r.recorded_at desc limit 1) as recu_le,
    array(select a.thematique from autorisation_etat a where a.mandat_id = m.id order by array_position(thematiques(), a.thematique)) as perimetre,
    array(select a.thematique from autorisation_etat a where a.mandat_id = m.id and a.etat = 'actif'
      order by array_position(thematiques(), a.thematique)) as en_vigueur,
    array(select a.thematique from autorisation_etat a where a.mandat_id = m.id and a.etat = 'suspendu'
      order by array_position(thematiques(), a.thematique)) as en_pause,
    array(select a.thematique from autorisation_etat a where a.mandat_id = m.id and a.etat in ('actif', 'suspendu') and ${sansPauseAElle(tx)}
      order by array_position(thematiques(), a.thematique)) as pausables
  from mandat_etat m
  join structure s on s.id = m.structure_id`

/** One mandat with its state at the database's time, for whoever `tx` speaks for. */
export async function findMandat(tx: Tx, id: string) {
  const [mandat] = await tx.sql<MandatEtat[]>`${etats(tx)}
    where m.id = ${id} and ${held(tx, 'm')}`
  return mandat
}

/** The mandat, in force or paused, under which the calling person lets this structure act for this thématique, under any identity of hers: one at most. */
export async function findMandatEnCours(
  tx: Tx,
  { structureId, thematique }: { structureId: string; thematique: Thematique | null },
) {
  const [mandat] = await tx.sql<MandatEtat[]>`${etats(tx)}
    where m.structure_id = ${structureId} and ${hers(tx, 'm.usager_id')} and exists (
      select 1 from autorisation_etat a where a.mandat_id = m.id and a.thematique = ${thematique} and a.etat in ('actif', 'suspendu'))`
  return mandat
}

/** A person's mandats, newest first: all of hers for her, this structure's for an aidant. */
export const listMandats = (tx: Tx, usagerIds: readonly string[]) => tx.sql<MandatEtat[]>`${etats(tx)}
    where m.usager_id = any (${[...usagerIds]}::uuid[]) and ${held(tx, 'm')}
    order by m.signed_at desc, m.id`

/**
 * What was agreed that day, word for word. Undefined for an aidant when no mandat of the person is in force, but for the one who signed it.
 */
export async function findMandatContenu(tx: Tx, mandatId: string) {
  const [contenu] = await tx.sql<MandatContenu[]>`
    select m.sceau, m.conditions, m.texte, m.identite, m.structure, m.aidant, m.accord
    from mandat_contenu m
    where m.mandat_id = ${mandatId} and ${held(tx, 'm')}`
  return contenu
}

/** Who accepted it for the structure, while she still acts there. */
export async function findSignataire(tx: Tx, { aidantId, structureId }: MandatRow) {
  const [signataire] = await tx.sql<{ prenom: string; nom: string }[]>`
    select a.prenom, a.nom
    from habilitation h
    join aidant a on a.id = h.aidant_id
    where h.aidant_id = ${aidantId} and h.structure_id = ${structureId} and h.ended_at is null and a.suspended_at is null and ${mine(tx, 'h')}`
  return signataire
}
