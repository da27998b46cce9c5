import type { Tx } from '../db.ts'

/** A message given up: which fact it told and since when, never to whom nor its words. */
type Abandonne = { id: string; cle: string; canal: 'email' | 'sms'; failedAt: Date; tries: number }

/** For the operator: what was given up, latest first. */
export const listAbandonnes = (tx: Tx) => tx.sql<Abandonne[]>`
    select id, cle, canal, failed_at, tries
    from message
    where failed_at is not null
    order by failed_at desc, id
    limit 200`

/** How many messages wait, and how many were given up. */
export async function countMessages(tx: Tx) {
  const [counts] = await tx.sql<{ attente: number; abandonnes: number }[]>`
    select count(*) filter (where sent_at is null and failed_at is null)::int as attente,
      count(*) filter (where failed_at is not null)::int as abandonnes
    from message`
  return counts!
}
