import type { Db, Who } from '../db.ts'
import { append } from '../journal/append.ts'
import { announceReponse } from '../mandat/announce.ts'
import { lockToEnd } from '../mandat/queries.ts'
import { dossierOuvert } from '../usager/access.ts'
import type { Reponse } from './contestation.ts'
import { findContestation } from './contestation-queries.ts'

/** `rien_de_corrige`: « corrigé » is said once the act has been, since she contested it. */
export type AnswerRefusal = 'introuvable' | 'deja_repondue' | 'dossier_referme' | 'rien_de_corrige'
type Answered = { ok: true; usagerId: string } | { ok: false; refusal: AnswerRefusal }

/** Answers the person, once, with her dossier open; the pause that waited for it is over, and no other. She is told. */
export const answerContestation = (
  db: Db,
  by: Who & { kind: 'referent' },
  { contestationId, reponse, note }: { contestationId: string; reponse: Reponse; note: string | null },
): Promise<Answered> =>
  db.tx(by, async (tx) => {
    const known = await findContestation(tx, contestationId)
    const mandat = known && (await lockToEnd(tx, known.mandatId))
    const [paused] = await tx.sql<{ id: string; mandatId: string }[]>`
      select id, mandat_id
      from suspension
      where id = pause_qui_attend(${known?.id ?? null})`
    // Renewed since the act, the mandat paused is not its own: held too before what is to be lifted is read, so that her stop comes before or after.
    const held = paused && (await lockToEnd(tx, paused.mandatId))
    const contestation = mandat && (await findContestation(tx, contestationId))
    if (!contestation) return { ok: false, refusal: 'introuvable' }
    if (contestation.answeredAt) return { ok: false, refusal: 'deja_repondue' }
    if (!(await dossierOuvert(tx, mandat.usagerId))) return { ok: false, refusal: 'dossier_referme' }
    if (reponse === 'corrigee' && !contestation.corrigeeDepuis) return { ok: false, refusal: 'rien_de_corrige' }

    const line = await append(tx, {
      action: 'contestation_repondue',
      mandat,
      contenu: { contestation: contestationId, reponse, ...(note !== null && { note }) },
      sensible: true,
    })
    await tx.sql`
      update contestation
      set reponse = ${reponse}, answered_at = ${tx.now}, answered_by = ${by.aidantId}, answered_journal_id = ${line.id}
      where id = ${contestationId}`
    const { enPause } = contestation
    const reprise = enPause ? held : undefined
    if (paused && reprise) {
      const lifted = await append(tx, { action: 'autorisation_retablie', mandat: reprise, contenu: { thematique: enPause } })
      await tx.sql`update suspension set until_at = ${tx.now}, until_journal_id = ${lifted.id} where id = ${paused.id}`
    }
    await announceReponse(tx, mandat, { line: line.id, at: tx.now, reprise })
    return { ok: true, usagerId: mandat.usagerId }
  })
