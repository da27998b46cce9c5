import { createHmac } from 'node:crypto'
import type { Config } from '../config.ts'
import type { Tx, Who } from '../db.ts'
import type { Log } from '../http/log.ts'
import { countedAs, RATES, type Rate, returnToken, takeToken } from '../http/rates.ts'

type Limits = Pick<Config, 'secretsKey' | 'smsParJour'>
/** What sending a code needs: the operator is told when no SMS is left. */
export type SmsDoor = Limits & { log: Log }

/** Numbers are few enough to be tried one by one: without SECRETS_KEY a counter says nothing of hers, after her no either. */
export const compteurDuContact = (secretsKey: Buffer, contact: string) =>
  createHmac('sha256', secretsKey).update(`limite:contact:${contact}`).digest('base64url')

/** A code that someone has sent to a contact not proven yet, the code that stops from her sheet, or a notice. */
type Pour = (Who & { kind: 'aidant' | 'usager' }) | 'arret' | 'nouvelle'
/** Of a number's day, and how much of the service's, only the code that stops may take: nobody keeps her from it by making others leave. */
const POUR_ARRETER = { numero: 2, partDuTotal: 1 / 10 }

type Budget = [rate: Rate, key: string, count?: number]
const askedBy = (pour: Pour, numero: string): Budget[] => {
  if (typeof pour === 'string') return []
  return pour.kind === 'usager'
    ? [
        ['sms_numero_personnes', numero],
        // Hers, whichever of her identities asks.
        ['sms_personne', countedAs(pour.usagerIds)],
      ]
    : [
        ['sms_numero_aidants', numero],
        ['sms_aidant', pour.aidantId],
        ['sms_structure', pour.structureId],
      ]
}
/** Always in this order: two that wait for one another would wait for ever. */
const budgetsOf = ({ secretsKey, smsParJour }: Limits, contact: string, pour: Pour): Budget[] => {
  const numero = compteurDuContact(secretsKey, contact)
  const laisse = pour === 'arret' ? { numero: 0, partDuTotal: 0 } : POUR_ARRETER
  return [
    ['sms_numero', numero, RATES.sms_numero.count - laisse.numero],
    ...askedBy(pour, numero),
    ['sms_total', '', smsParJour - Math.floor(smsParJour * laisse.partDuTotal)],
  ]
}

/** Takes one SMS from the day of this number, of who asks for it, and of the service; or names the first that has none left, and takes nothing. */
export async function takeSms(
  tx: Tx,
  limits: Limits,
  numero: string,
  pour: Pour,
): Promise<Extract<Rate, `sms_${string}`> | undefined> {
  const taken: Budget[] = []
  for (const budget of budgetsOf(limits, numero, pour)) {
    taken.push(budget)
    if ((await takeToken(tx, ...budget)).ok) continue
    for (const [rate, key] of taken) await returnToken(tx, rate, key)
    return budget[0] as Extract<Rate, `sms_${string}`>
  }
  return undefined
}

/** Gives back a notice that did not leave. */
export async function returnSms(tx: Tx, limits: Limits, numero: string): Promise<void> {
  for (const [rate, key] of budgetsOf(limits, numero, 'nouvelle')) await returnToken(tx, rate, key)
}
