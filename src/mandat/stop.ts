import type { Db, Who } from '../db.ts'
import { endAutorisations } from './end.ts'
import type { Thematique } from './mandat.ts'
import { announceStop } from './messages.ts'
import { listAutorisations, lockMandat } from './queries.ts'

export type StopRefusal = 'introuvable' | 'deja_termine' | 'deja_expire' | 'thematique_absente'
export type Stopped = { ok: true; at: Date; ended: Thematique[]; mandatEnded: boolean } | { ok: false; refusal: StopRefusal }

/**
 * Stops a whole mandat, or one of its thématiques, at the person's word: effective at once, never undone, no reason asked (art. 2003
 * and 2004 C. civ.). Both sides are told.
 */
export const stopMandat = (
  db: Db,
  by: Who & { kind: 'usager' },
  request: { mandatId: string; thematique?: Thematique | undefined },
): Promise<Stopped> =>
  db.tx(
    by,
    async (tx) => {
      const mandat = await lockMandat(tx, request.mandatId)
      if (!mandat) return { ok: false, refusal: 'introuvable' }
      const autorisations = await listAutorisations(tx, mandat.id)
      const chosen = autorisations.filter(({ thematique }) => !request.thematique || thematique === request.thematique)
      if (chosen.length === 0) return { ok: false, refusal: 'thematique_absente' }
      if (chosen.every(({ revokedAt }) => revokedAt)) return { ok: false, refusal: 'deja_termine' }
      if (mandat.expiresAt <= tx.now) return { ok: false, refusal: 'deja_expire' }

      const at = tx.now
      const { ended, mandatEnded } = await endAutorisations(
        tx,
        mandat,
        chosen.map(({ thematique }) => thematique),
        'revoque',
        at,
      )
      await announceStop(tx, mandat, { at, ended, mandatEnded })
      return { ok: true, at, ended, mandatEnded }
    },
    { retryable: true },
  )
