import type { Config } from '../config.ts'
import type { Db } from '../db.ts'

/**
 * What to say, in French, when the last mandat was sealed under another address than the service's: papers and seals name the old one, and under the
 * new one no reader takes them for ours. Undefined when nothing changed, or when the operator names the old address herself.
 */
export async function otherEmetteur(
  db: Db,
  { mode, publicUrl, publicUrlAvant }: Pick<Config, 'mode' | 'publicUrl' | 'publicUrlAvant'>,
): Promise<string | undefined> {
  const [last] = await db.tx({ kind: 'worker' }, (tx) => tx.sql<{ iss: string | null }[]>`select dernier_emetteur() as iss`)
  const iss = last!.iss ?? publicUrl
  if (iss === publicUrl || iss === publicUrlAvant) return undefined
  const voulu = mode === 'production' ? ` Si c'est voulu, indiquez PUBLIC_URL_AVANT=${iss}` : ''
  return `Les mandats déjà signés disent ${iss}, et le service s'appelle maintenant ${publicUrl} : leurs papiers ne s'y vérifient pas. Remettez l'ancienne adresse.${voulu}`
}
