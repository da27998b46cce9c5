import type { Db, Who } from '../db.ts'
import { append } from '../journal/append.ts'
import { announcePause } from './announce.ts'
import { loadChosen } from './chosen.ts'
import { type ResumeRefusal, refusalOfResume } from './fin.ts'
import { etatAutorisation, type Thematique } from './mandat.ts'

/** Lifts her pause of a whole mandat, or of one thématique: she alone can. Both sides are told. */
export const resumeMandat = (
  db: Db,
  by: Who & { kind: 'usager' },
  request: { mandatId: string; thematique?: Thematique | undefined },
): Promise<{ ok: true } | { ok: false; refusal: ResumeRefusal }> =>
  db.tx(
    by,
    async (tx) => {
      const { mandat, autorisations, chosen } = await loadChosen(tx, request)
      const refusal = refusalOfResume(mandat, chosen, tx.now)
      if (refusal) return { ok: false, refusal }

      const paused = autorisations.filter((one) => etatAutorisation(one, tx.now).etat === 'suspendu')
      const resuming = paused.filter((one) => chosen.includes(one))
      let last = 0
      for (const { id, thematique } of resuming) {
        const line = await append(tx, { action: 'autorisation_retablie', mandat: mandat!, contenu: { thematique } })
        await tx.sql`
          update suspension
          set until_at = ${tx.now}, until_journal_id = ${line.id}
          where autorisation_id = ${id} and until_at is null`
        last = line.id
      }
      await announcePause(tx, mandat!, { quoi: 'reprise', at: tx.now, whole: resuming.length === paused.length, line: last })
      return { ok: true }
    },
    { retryable: true },
  )
