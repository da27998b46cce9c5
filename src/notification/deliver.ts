import { createTransport } from 'nodemailer'
import type { Config } from '../config.ts'
import type { Db, Tx } from '../db.ts'
import { failure, type Log } from '../http/log.ts'
import { returnSms, takeSms } from './budget.ts'
import { insecables } from './insecables.ts'

export type Outgoing = {
  id: string
  cle: string
  canal: 'email' | 'sms'
  destinataire: string
  sujet: string | null
  corps: string
  /** The path of the page it leads to, of an e-mail to an aidant. */
  chemin: string | null
}
/** Sends one message, or throws: it will be tried again. */
export type Deliver = (message: Outgoing) => Promise<void>

const BATCH = 10
const LEASE_SECONDS = 60
const TRIES = 8

/** By SMTP, and by HTTP for SMS (one POST of `{ to, text, id }`, where the operator's gateway listens). */
export function openDelivery({ mail, smsUrl, publicUrl }: Pick<Config, 'mail' | 'smsUrl' | 'publicUrl'>): Deliver {
  // Shorter in all than the lease: the driver's own patience is ten minutes.
  const patience = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000 }
  const transport = createTransport({ url: mail.smtpUrl, ...patience }, { from: mail.from })
  return async ({ id, canal, destinataire, sujet, corps, chemin }) => {
    if (canal === 'email') {
      const text = insecables(chemin ? `${corps}\n${publicUrl}${chemin}` : corps)
      await transport.sendMail({ to: destinataire, subject: sujet!, text, headers: { 'X-Entity-Ref-ID': id } })
      return
    }
    if (!smsUrl) throw new Error('no SMS gateway is configured')
    const answer = await fetch(smsUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id, to: destinataire, text: corps }),
      signal: AbortSignal.timeout(10_000),
      redirect: 'error',
    })
    if (!answer.ok) throw new Error(`the SMS gateway answered ${answer.status}`)
  }
}

/**
 * Sends what is due, each message outside of any transaction under a lease of its own, of a minute: a slow one does not let another worker
 * send those behind it a second time. Tells how many were tried. An SMS that the day has no room for waits for the next; a code, counted
 * when it was asked for, does not, nor the last word to a former contact: who fills its day would keep her from knowing.
 */
export async function deliverDue(
  db: Db,
  deliver: Deliver,
  log: Log,
  limits: Pick<Config, 'secretsKey' | 'smsParJour'>,
): Promise<number> {
  const by = { kind: 'worker' } as const
  let tried = 0
  for (; tried < BATCH; tried++) {
    const [message] = await db.tx(by, (tx) => lease(tx))
    if (!message) break
    const counted = message.canal === 'sms' && !/^(connexion|contact):/.test(message.cle)
    const spent = counted ? await db.tx(by, (tx) => takeSms(tx, limits, message.destinataire, 'nouvelle')) : undefined
    if (spent) {
      log('warn', { event: 'sms_retenu', reason: spent })
      await db.tx(by, (tx) => hold(tx, message.id))
      continue
    }
    const error = await deliver(message).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    if (error) log('warn', { event: 'message_refuse', ...failure(error) })
    await db.tx(by, async (tx) => {
      if (error && counted) await returnSms(tx, limits, message.destinataire)
      await (error ? postpone(tx, message.id) : markSent(tx, message.id))
    })
  }
  return tried
}

/** `=` and not `in`: joined, the choice could be made once for each row, and lease several of which one alone would leave (seen). */
const lease = (tx: Tx) => tx.sql<Outgoing[]>`
  update message
  set due_at = ${tx.now}::timestamptz + make_interval(secs => ${LEASE_SECONDS}), tries = tries + 1
  where id = (
    select id
    from message
    where sent_at is null and failed_at is null and due_at <= ${tx.now} and heure_decente(${tx.now}, fuseau) <= ${tx.now}
    order by due_at
    limit 1
    for update skip locked
  )
  returning id, cle, canal, destinataire, sujet, corps, chemin`

const markSent = (tx: Tx, id: string) => tx.sql`update message set sent_at = ${tx.now} where id = ${id}`

/** Until the next day's budget (see rates.ts: days are UTC), at a decent hour. It was not a try. */
const hold = (tx: Tx, id: string) => tx.sql`
  update message
  set due_at = heure_decente(date_trunc('day', ${tx.now}::timestamptz, 'UTC') + interval '1 day', fuseau), tries = tries - 1
  where id = ${id}`

/**
 * Twice as long each time, from 30 seconds to about an hour; then it is left to the operator. A fifth more or less, drawn for each: those
 * refused together do not come back together.
 */
const postpone = (tx: Tx, id: string) => tx.sql`
  update message
  set due_at = heure_decente(${tx.now}::timestamptz + make_interval(secs => 30 * power(2, tries - 1) * ${0.8 + (0.4 * tx.random(2).readUInt16BE()) / 65535}), fuseau),
    failed_at = case when tries >= ${TRIES} then ${tx.now}::timestamptz end
  where id = ${id}`
