import type { Tx } from '../db.ts'

export type Message =
  | { cle: string; canal: 'email'; destinataire: string; sujet: string; corps: string }
  | { cle: string; canal: 'sms'; destinataire: string; corps: string }

/** Puts a message in the outbox, in the transaction of its fact; it leaves after the commit, and once for each `cle`. */
export async function queue(tx: Tx, message: Message): Promise<void> {
  await tx.sql`
    insert into message (cle, canal, destinataire, sujet, corps)
    values (${message.cle}, ${message.canal}, ${message.destinataire}, ${message.canal === 'email' ? message.sujet : null}, ${message.corps})`
}
