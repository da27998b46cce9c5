import type { Db, Who } from '../db.ts'
import { append } from '../journal/append.ts'
import { announcePause } from './announce.ts'
import { loadChosen } from './chosen.ts'
import { type PauseRefusal, refusalOfPause } from './fin.ts'
import { etatAutorisation, type Thematique } from './mandat.ts'

/** Pauses a whole mandat, or one of its thématiques, at the person's word: effective at once, until she says otherwise. Both sides are told. */
export const pauseMandat = (
  db: Db,
  by: Who & { kind: 'usager' },
  request: { mandatId: string; thematique?: Thematique | undefined },
): Promise<{ ok: true } | { ok: false; refusal: PauseRefusal }> =>
  db.tx(
    by,
    async (tx) => {
      const { mandat, autorisations, chosen } = await loadChosen(tx, request)
      const refusal = refusalOfPause(mandat, chosen, tx.now)
      if (refusal) return { ok: false, refusal }

      const active = autorisations.filter((one) => etatAutorisation(one, tx.now).etat === 'actif')
      const pausing = active.filter((one) => chosen.includes(one))
      let last = 0
      for (const { id, thematique } of pausing) {
        const line = await append(tx, { action: 'autorisation_suspendue', mandat: mandat!, contenu: { thematique } })
        await tx.sql`
          insert into suspension (autorisation_id, mandat_id, structure_id, usager_id, from_at, journal_id)
          values (${id}, ${mandat!.id}, ${mandat!.structureId}, ${mandat!.usagerId}, ${tx.now}, ${line.id})`
        last = line.id
      }
      await announcePause(tx, mandat!, { quoi: 'pause', at: tx.now, whole: pausing.length === active.length, line: last })
      return { ok: true }
    },
    { retryable: true },
  )
