import type { Db, Tx, Who } from '../db.ts'
import { append } from '../journal/append.ts'
import { announcePause } from './announce.ts'
import { loadChosen } from './chosen.ts'
import { aMettreEnPause, type Maniere, type PauseRefusal, refusalOfPause } from './fin.ts'
import { etatAutorisation, type Thematique } from './mandat.ts'

type Request = { mandatId: string; thematique?: Thematique | undefined }
type Paused = { ok: true } | { ok: false; refusal: PauseRefusal }

/** Pauses a whole mandat, or one of its thématiques, at the person's word: effective at once, until she says otherwise. Both sides are told. */
export const pauseMandat = (db: Db, by: Who & { kind: 'usager' }, request: Request): Promise<Paused> =>
  db.tx(by, (tx) => pauseChosen(tx, request), { retryable: true })

/** The same for her and, when `recorded`, for the aidant who says how her request came. */
export async function pauseChosen(tx: Tx, request: Request, recorded?: { aidantId: string; maniere: Maniere }): Promise<Paused> {
  const { mandat, autorisations, chosen } = await loadChosen(tx, request)
  const refusal = refusalOfPause(mandat, chosen, tx.now)
  if (refusal) return { ok: false, refusal }

  const { aidantId = null, maniere = null } = recorded ?? {}
  const pausing = aMettreEnPause(chosen, tx.now)
  const active = autorisations.filter((one) => etatAutorisation(one, tx.now).etat === 'actif')
  let last = 0
  for (const { id, thematique } of pausing) {
    const contenu = { thematique, ...(maniere && { maniere }) }
    const line = await append(tx, { action: 'autorisation_suspendue', mandat: mandat!, contenu })
    await tx.sql`
      insert into suspension (autorisation_id, mandat_id, structure_id, usager_id, from_at, journal_id, aidant_id, maniere)
      values (${id}, ${mandat!.id}, ${mandat!.structureId}, ${mandat!.usagerId}, ${tx.now}, ${line.id}, ${aidantId}, ${maniere})`
    last = line.id
  }
  const whole = active.every((one) => chosen.includes(one))
  const deja = !pausing.some((one) => active.includes(one))
  await announcePause(tx, mandat!, { quoi: 'pause', at: tx.now, whole, recorded: recorded !== undefined, deja, line: last })
  return { ok: true }
}
