import type { Who } from '../db.ts'
import type { SessionAidant, SessionUsager } from './env.ts'

/** Who an aidant signed in is to the database. */
export const as = (aidant: SessionAidant) => ({ kind: 'aidant', aidantId: aidant.id, structureId: aidant.structureId }) as const

/** The same, as who directs her structure. */
export const asReferent = (aidant: SessionAidant) => ({ ...as(aidant), kind: 'referent' }) as const

/** Who a person signed in is to the database, how she was recognised and what that shows her. */
export const asUsager = (usager: SessionUsager): Who & { kind: 'usager' } => {
  const her = { kind: 'usager', usagerIds: usager.ids } as const
  return usager.niveau === 'identite'
    ? { ...her, niveau: usager.niveau }
    : { ...her, niveau: usager.niveau, imprimePar: usager.imprimePar }
}
