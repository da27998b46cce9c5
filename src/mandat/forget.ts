import type { Db, Tx } from '../db.ts'
import { LOT } from '../turns.ts'
import { withoutPerson } from './brouillon-queries.ts'

/** Drafts lose the identity after thirty minutes and everything after a day; what waits on a telephone waits no longer. */
export const forgetBrouillons = (db: Db): Promise<void> =>
  db.tx({ kind: 'worker' }, async (tx) => {
    await tx.sql`
      update brouillon
      set ${withoutPerson(tx)}
      where identified_at < ${tx.now}::timestamptz - interval '30 minutes'`
    await tx.sql`
      delete from telephone
      where coalesce(identified_at, created_at) < ${tx.now}::timestamptz - interval '30 minutes'`
    await tx.sql`delete from brouillon where updated_at < ${tx.now}::timestamptz - interval '24 hours'`
  })

/** What was handed over on paper thirty days ago, as a message sent. */
export const forgetPapiersRemis = (tx: Tx) => tx.sql`
  delete from papier_du
  where id in (select id from papier_du where remis_at < ${tx.now}::timestamptz - interval '30 days' limit ${LOT})`

/** A new contact whose code never came back. */
export const forgetChangements = (tx: Tx) => tx.sql`
  delete from changement_contact
  where id in (select id from changement_contact where created_at < ${tx.now}::timestamptz - interval '30 minutes' limit ${LOT})`
