import { constraintOf, type Db, type Tx, type Who } from '../db.ts'
import { append } from '../journal/append.ts'
import { refusalOfCaller } from '../mandat/acting.ts'
import { announceContestation, announcePause } from '../mandat/announce.ts'
import { loadChosen } from '../mandat/chosen.ts'
import type { Maniere } from '../mandat/fin.ts'
import { etatAutorisation } from '../mandat/mandat.ts'
import { findMandatEnCours, lockToEnd } from '../mandat/queries.ts'
import { newUuid } from '../uuid.ts'
import type { MotifContestation, Recue } from './contestation.ts'
import { type DemarcheRow, findDemarche } from './queries.ts'

type Said = { demarcheId: string; motif: MotifContestation; note: string | null }
export type RecordContestationRefusal = 'introuvable' | 'recu_futur' | 'recu_avant_acte' | 'aidant_inactif' | 'auteur'
/** `deja`: she had said it, and nothing is written. */
type Recorded = { ok: true; deja?: true } | { ok: false; refusal: RecordContestationRefusal }

/**
 * She does not agree with an act: written at once, told to who answers. `pause`: what it belongs to waits for the answer, until then or until she
 * says otherwise. Said twice, it is said once; what was recorded for her before takes nothing from what she says.
 */
export const contestDemarche = (db: Db, by: Who & { kind: 'usager' }, said: Said & { pause: boolean }): Promise<Recorded> =>
  once(db.tx(by, (tx) => contest(tx, said), { retryable: true }))

/**
 * Records what she said at the desk, by telephone, by a letter. Whoever of the structure hears it may, but the author of the act; whether it was
 * said already is not theirs to learn.
 */
export const recordContestation = (
  db: Db,
  by: Who & { kind: 'aidant' },
  { maniere, recuLe, ...said }: Said & { maniere: Maniere; recuLe: Date },
): Promise<Recorded> =>
  once(
    db.tx(by, async (tx) => {
      if (await refusalOfCaller(tx)) return { ok: false, refusal: 'aidant_inactif' }
      return contest(tx, { ...said, pause: false }, { aidantId: by.aidantId, maniere, recuLe })
    }),
  )

const once = (contested: Promise<Recorded>): Promise<Recorded> =>
  contested.catch((error) => {
    if (constraintOf(error) !== 'contestation_ouverte') throw error
    return { ok: true, deja: true }
  })

async function contest(tx: Tx, { demarcheId, motif, note, pause }: Said & { pause: boolean }, recue?: Recue): Promise<Recorded> {
  const demarche = await findDemarche(tx, demarcheId)
  // Whoever holds her paper contests nothing of what it does not show.
  if (!demarche || (!recue && demarche.thematique === null)) return { ok: false, refusal: 'introuvable' }
  const { mandatId, reclamation, doneAt } = demarche
  if (recue?.aidantId === demarche.aidantId) return { ok: false, refusal: 'auteur' }
  const mandat = await lockToEnd(tx, mandatId)
  if (!mandat) return { ok: false, refusal: 'introuvable' }
  if (recue && recue.recuLe > tx.now) return { ok: false, refusal: 'recu_futur' }
  // A minute is said, not a second: the one in which the act was done is read as what followed.
  if (recue && recue.recuLe.getTime() <= doneAt.getTime() - 60_000) return { ok: false, refusal: 'recu_avant_acte' }

  const id = newUuid(tx)
  const { aidantId = null, maniere = null } = recue ?? {}
  const recuLe = recue ? new Date(Math.max(recue.recuLe.getTime(), doneAt.getTime())) : null
  // Of a complaint, its author and she read the words, and neither answers: none are kept.
  const mots = note !== null && !reclamation && { note }
  const pausing = pause ? await findPausable(tx, demarche) : undefined
  // That a pause waits for her answer is said here alone: its own line is read by the author of the act, when she directs.
  const pauseDite = pausing && { pause: pausing.thematique }
  const line = await append(tx, {
    action: 'demarche_contestee',
    mandat,
    contenu: { demarche: demarcheId, motif, ...mots, ...pauseDite, ...(recuLe && { maniere, recu_le: recuLe.toISOString() }) },
    sensible: true,
  })
  await tx.sql`
    insert into contestation (id, demarche_id, mandat_id, structure_id, usager_id, motif, contested_at, journal_id, aidant_id, maniere, recu_le)
    values (${id}, ${demarcheId}, ${mandatId}, ${mandat.structureId}, ${mandat.usagerId}, ${motif}, ${tx.now}, ${line.id}, ${aidantId}, ${maniere},
      ${recuLe})`
  if (pausing) {
    const contenu = { thematique: pausing.thematique }
    const paused = await append(tx, { action: 'autorisation_suspendue', mandat: pausing.mandat, contenu })
    await tx.sql`
      insert into suspension (autorisation_id, mandat_id, structure_id, usager_id, from_at, journal_id, contestation_id)
      values (${pausing.id}, ${pausing.mandat.id}, ${mandat.structureId}, ${pausing.mandat.usagerId}, ${tx.now}, ${paused.id}, ${id})`
    await announcePause(tx, pausing.mandat, { quoi: 'pause', at: tx.now, whole: pausing.whole, line: paused.id })
  }
  await announceContestation(tx, mandat, { contestationId: id, line: line.id })
  return { ok: true }
}

/** What may wait for the answer: the thématique of the act under the mandat where it is in force, which may have been renewed since; `whole`: nothing else is. */
async function findPausable(tx: Tx, demarche: DemarcheRow) {
  const enCours = await findMandatEnCours(tx, demarche)
  const { mandat, autorisations } = enCours
    ? await loadChosen(tx, { mandatId: enCours.id })
    : { mandat: undefined, autorisations: [] }
  const active = autorisations.filter((one) => etatAutorisation(one, tx.now).etat === 'actif')
  const one = active.find(({ thematique }) => thematique === demarche.thematique)
  return mandat && one && { ...one, mandat, whole: active.length === 1 }
}
