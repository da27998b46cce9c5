import type { Tx } from '../db.ts'

/**
 * Gives messages that were given up their tries again, at once (an SMS at a decent hour): one by its id, or all. Tells how many. A sign-in code
 * stays where it is: it no longer opens anything.
 */
export async function retryMessages(tx: Tx, id: string | undefined): Promise<number> {
  const retried = await tx.sql`
    update message
    set failed_at = null, tries = 0, due_at = ${tx.now}
    where failed_at is not null and not starts_with(cle, 'connexion:') and (${id ?? null}::uuid is null or id = ${id ?? null})
    returning id`
  return retried.length
}
