import type { Tx } from '../db.ts'
import type { Contact, Mail, Words } from './words.ts'

/** `fuseau`: whose clock says when a telephone may ring. `atOnce`: she has just asked for it and waits, at any hour. */
type Hour = { fuseau: string } | { atOnce: true }

/** `chemin`: the page it ends with the address of, for who signs in. */
type Letter = Mail & { chemin?: string }
type Message =
  | ({ cle: string; canal: 'email'; destinataire: string } & Letter)
  | ({ cle: string; canal: 'sms'; destinataire: string; corps: string } & Hour)

type Options = { once?: boolean; decoy?: boolean }

/**
 * Puts a message in the outbox, in the transaction of its fact; it leaves after the commit, and once for each `cle`. An e-mail leaves at once,
 * an SMS between 8 and 20 h. `once`: for what is told from a state and not from a fact, a key already there is no error (not
 * named in the statement: that would need a right to read). `decoy`: the same statement writes nothing, where time must not tell whether a message
 * leaves.
 */
export async function queue(tx: Tx, message: Message, { once = false, decoy = false }: Options = {}): Promise<void> {
  const none = { sujet: undefined, chemin: undefined, fuseau: undefined, atOnce: undefined }
  const { sujet = null, chemin = null, fuseau = null, atOnce = false } = { ...none, ...message }
  await tx.sql`
    insert into message (cle, canal, destinataire, sujet, corps, chemin, fuseau, at_once, due_at)
    select ${message.cle}, ${message.canal}, ${message.destinataire}, ${sujet}, ${message.corps}, ${chemin}, ${fuseau}, ${atOnce},
      heure_decente(horloge(), ${fuseau})
    where ${!decoy}
    ${once ? tx.sql`on conflict do nothing` : tx.sql``}`
}

/** Puts in the outbox what is written to an aidant. */
export const queueMail = (tx: Tx, cle: string, destinataire: string, letter: Letter, options?: Options): Promise<void> =>
  queue(tx, { cle, canal: 'email', destinataire, ...letter }, options)

/** Puts in the outbox what a person is told, in the words of her way. */
export const queueTo = (
  tx: Tx,
  cle: string,
  { canal, contact: destinataire }: Contact,
  { sujet, corps, sms }: Words,
  hour: Hour,
  options?: Options,
): Promise<void> =>
  queue(
    tx,
    canal === 'sms' ? { cle, canal, destinataire, corps: sms, ...hour } : { cle, canal, destinataire, sujet, corps },
    options,
  )
