import type { Reconnue, Tx } from '../db.ts'
import { ABSOLUTE_HOURS, IDLE_MINUTES } from './idle.ts'

export type SessionOuverte = {
  id: string
  /** « Firefox sur un ordinateur Windows »; null before its first page. */
  appareil: string | null
  niveau: Reconnue['niveau']
  /** Whether its last request came from the same network as this one's. */
  memeReseau: boolean
  createdAt: Date
  lastSeenAt: Date
}

/** Where the caller is signed in, the latest seen first. `sessionId`: the session that asks. */
export const listSessions = (tx: Tx, sessionId: string) => tx.sql<SessionOuverte[]>`
  select s.id, s.appareil, s.niveau, s.reseau is not distinct from here.reseau as meme_reseau, s.created_at, s.last_seen_at
  from session s, (select reseau from session where id = ${sessionId}) as here
  where ${sienne(tx)} and s.ended_at is null and s.last_seen_at > ${tx.now}::timestamptz - make_interval(mins => ${IDLE_MINUTES})
    and s.created_at > ${tx.now}::timestamptz - make_interval(hours => ${ABSOLUTE_HOURS})
  order by s.last_seen_at desc, s.id`

/** Our own filter, as `mine` and `hers`; row-level security asks the same again. */
export function sienne(tx: Tx) {
  if (tx.rlsOnly) return tx.sql`true`
  if (tx.who.kind === 'usager') return tx.sql`s.usager_id = any (${[...tx.who.usagerIds]}::uuid[])`
  if (tx.who.kind === 'aidant') return tx.sql`s.aidant_id = ${tx.who.aidantId}`
  throw new Error(`${tx.who.kind} has no session`)
}
