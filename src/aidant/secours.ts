import { createHmac } from 'node:crypto'
import type { Tx } from '../db.ts'

const CODES = 10
const DIGITS = 12

const empreinteDe = (secretsKey: Buffer, aidantId: string, code: string) =>
  createHmac('sha256', secretsKey).update(`secours:${aidantId}:${code}`).digest()

/** Ten new recovery codes of twelve digits, told once; the former ones no longer serve. */
export async function drawSecours(tx: Tx, aidantId: string, secretsKey: Buffer): Promise<string[]> {
  // 2⁴⁸ values for 10¹²: no code is twice as likely as another by more than 1 in 280.
  const codes = Array.from({ length: CODES }, () => String(tx.random(6).readUIntBE(0, 6) % 10 ** DIGITS).padStart(DIGITS, '0'))
  await tx.sql`delete from code_secours where aidant_id = ${aidantId}`
  await tx.sql`
    insert into code_secours (aidant_id, empreinte)
    select ${aidantId}, decode(unnest(${codes.map((code) => empreinteDe(secretsKey, aidantId, code).toString('hex'))}::text[]), 'hex')`
  return codes
}

/** Spends a recovery code: of twenty sent at once, one is right. */
export async function spendSecours(tx: Tx, aidantId: string, code: string, secretsKey: Buffer): Promise<boolean> {
  const spent = await tx.sql`
    delete from code_secours
    where aidant_id = ${aidantId} and empreinte = ${empreinteDe(secretsKey, aidantId, code)}
    returning 1`
  return spent.length > 0
}

export async function countSecours(tx: Tx, aidantId: string): Promise<number> {
  const [row] = await tx.sql<{ count: number }[]>`select count(*) as count from code_secours where aidant_id = ${aidantId}`
  return row!.count
}
