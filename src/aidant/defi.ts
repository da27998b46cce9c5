import { createHash } from 'node:crypto'
import type { Tx } from '../db.ts'
import { DEFI_MINUTES } from './moyens.ts'

/** Who must sign, and what: a browser that signs in, or a session and what it confirms. */
export type Pour = { navigateur: string } | { aidantId: string; sessionId: string; objet: string }

// A browser may say anything of itself, what a session confirms included: one is never the other.
const empreinteDe = (pour: Pour) =>
  createHash('sha256')
    .update(JSON.stringify('navigateur' in pour ? [pour.navigateur] : [pour.sessionId, pour.objet]))
    .digest()

/** A challenge of 32 bytes for a passkey to sign; the former one for the same thing no longer serves. */
export async function openDefi(tx: Tx, pour: Pour): Promise<Buffer> {
  const defi = tx.random(32)
  await tx.sql`
    insert into defi (pour, aidant_id, defi)
    values (${empreinteDe(pour)}, ${'aidantId' in pour ? pour.aidantId : null}, ${defi})
    on conflict (pour) do update
    set defi = excluded.defi, created_at = horloge()`
  return defi
}

/** Takes the challenge opened for this, once, within five minutes: whatever is then signed, right or wrong, it has served. */
export async function takeDefi(tx: Tx, pour: Pour): Promise<Buffer | undefined> {
  const [taken] = await tx.sql<{ defi: Buffer; fresh: boolean }[]>`
    delete from defi
    where pour = ${empreinteDe(pour)}
    returning defi, created_at > ${tx.now}::timestamptz - make_interval(mins => ${DEFI_MINUTES}) as fresh`
  return taken?.fresh ? taken.defi : undefined
}
