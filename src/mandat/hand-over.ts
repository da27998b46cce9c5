import type { Db, Who } from '../db.ts'
import { mine } from '../structure/mine.ts'
import { remisAujourdhui } from './papier-du-queries.ts'

type HandedOver = { ok: true } | { ok: false; refusal: 'introuvable' }

/** An aidant says that a paper was handed over: once; unknown, another structure's and already handed over are one answer. */
export const handOver = (db: Db, by: Who & { kind: 'aidant' }, id: string): Promise<HandedOver> =>
  db.tx(by, async (tx) => {
    const [done] = await tx.sql`
      update papier_du
      set remis_at = ${tx.now}, remis_par = ${by.aidantId}
      where id = ${id} and ${mine(tx)} and remis_at is null
      returning 1`
    return done ? { ok: true } : { ok: false, refusal: 'introuvable' }
  })

/** It was a mistake, seen the same day on the structure's clock: the row keeps both words, and the database owes the paper again. */
export const takeBack = (db: Db, by: Who & { kind: 'aidant' }, id: string, fuseau: string): Promise<HandedOver> =>
  db.tx(by, async (tx) => {
    const [done] = await tx.sql`
      update papier_du p
      set annule_at = ${tx.now}, annule_par = ${by.aidantId}
      where p.id = ${id} and ${mine(tx, 'p')} and p.annule_at is null and ${remisAujourdhui(tx, fuseau)}
      returning 1`
    return done ? { ok: true } : { ok: false, refusal: 'introuvable' }
  })
