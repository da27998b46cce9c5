import { createHmac } from 'node:crypto'
import type { Config } from '../config.ts'
import type { Tx, Who } from '../db.ts'
import type { Log } from '../http/log.ts'
import { type Rate, returnToken, takeToken } from '../http/rates.ts'

type Limits = Pick<Config, 'secretsKey' | 'smsParJour'>
/** What sending a code needs: the operator is told when no SMS is left. */
export type SmsDoor = Limits & { log: Log }

/** Numbers are few enough to be tried one by one: without SECRETS_KEY a counter says nothing of hers, after her no either. */
export const compteurDuContact = (secretsKey: Buffer, contact: string) =>
  createHmac('sha256', secretsKey).update(`limite:contact:${contact}`).digest('base64url')

/** Who has a code sent to a contact that is not proven yet; nobody, when it is. */
type Asker = Who & { kind: 'aidant' | 'usager' }
type Budget = [rate: Rate, key: string, count?: number]
/** Always in this order: two that wait for one another would wait for ever. */
function budgetsOf({ secretsKey, smsParJour }: Limits, numero: string, by?: Asker): Budget[] {
  const here = compteurDuContact(secretsKey, numero)
  const budgets: Budget[] = [['sms_numero', here]]
  if (by?.kind === 'usager') budgets.push(['sms_numero_personnes', here])
  if (by?.kind === 'aidant')
    budgets.push(['sms_numero_aidants', here], ['sms_aidant', by.aidantId], ['sms_structure', by.structureId])
  return [...budgets, ['sms_total', '', smsParJour]]
}

/** Takes one SMS from the day of this number, of who asks for it, and of the service; or names the first that has none left, and takes nothing. */
export async function takeSms(
  tx: Tx,
  limits: Limits,
  numero: string,
  by?: Asker,
): Promise<Extract<Rate, `sms_${string}`> | undefined> {
  const taken: Budget[] = []
  for (const budget of budgetsOf(limits, numero, by)) {
    taken.push(budget)
    if ((await takeToken(tx, ...budget)).ok) continue
    for (const [rate, key] of taken) await returnToken(tx, rate, key)
    return budget[0] as Extract<Rate, `sms_${string}`>
  }
  return undefined
}

/** Gives back one that did not leave. */
export async function returnSms(tx: Tx, limits: Limits, numero: string): Promise<void> {
  for (const [rate, key] of budgetsOf(limits, numero)) await returnToken(tx, rate, key)
}
