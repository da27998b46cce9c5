import type { SessionAidant } from './env.ts'

/** Who an aidant signed in is to the database. */
export const as = (aidant: SessionAidant) => ({ kind: 'aidant', aidantId: aidant.id, structureId: aidant.structureId }) as const
