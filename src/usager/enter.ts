import type { Db } from '../db.ts'
import { leaveSession, openSession } from '../http/session.ts'
import type { Identite } from './identite.ts'
import { refreshUsager } from './recognize.ts'

export type EnterRefusal = 'personne_inconnue'

/**
 * Opens the person's own space, and ends the session this browser had. Someone who never gave a mandat here is told so and nothing is kept
 * of her visit. What FranceConnect now says of her replaces what it said before.
 */
export const enterEspace = (
  db: Db,
  identite: Identite,
  previousSession: string | undefined,
): Promise<{ ok: true; token: string } | { ok: false; refusal: EnterRefusal }> =>
  db.tx({ kind: 'portier' }, async (tx) => {
    // Held: whoever erases her comes before, and she is unknown, or after, and ends the session opened here.
    const [usager] = await tx.sql<{ id: string }[]>`select id from usager where sub = ${identite.sub} for no key update`
    if (!usager) return { ok: false, refusal: 'personne_inconnue' }
    await refreshUsager(tx, usager.id, identite)
    if (previousSession) await leaveSession(tx, previousSession)
    return { ok: true, token: await openSession(tx, { usagerId: usager.id }) }
  })
