import type { Db, Who } from '../db.ts'
import { append } from '../journal/append.ts'
import { hers } from '../structure/mine.ts'
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
      // Both, where what waits for an answer is also paused of her own.
      const lifting = await tx.sql<{ id: string; thematique: Thematique }[]>`
        select s.id, a.thematique
        from suspension s
        join autorisation a on a.id = s.autorisation_id
        where a.id = any (${resuming.map(({ id }) => id)}::uuid[]) and s.until_at is null and ${hers(tx, 's.usager_id')}
        order by s.journal_id`
      for (const { id, thematique } of lifting) {
        const line = await append(tx, { action: 'autorisation_retablie', mandat: mandat!, contenu: { thematique } })
        await tx.sql`update suspension set until_at = ${tx.now}, until_journal_id = ${line.id} where id = ${id}`
        last = line.id
      }
      await announcePause(tx, mandat!, { quoi: 'reprise', at: tx.now, whole: resuming.length === paused.length, line: last })
      return { ok: true }
    },
    { retryable: true },
  )
