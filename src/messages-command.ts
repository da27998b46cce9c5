import { asOperator } from './as-operator.ts'
import { parseConfig } from './config.ts'
import type { Tx } from './db.ts'
import { isUuid } from './form.ts'
import { listAbandonnes } from './notification/queries.ts'
import { retryMessages } from './notification/retry.ts'
import { runCommand } from './read-args.ts'
import { surroundings } from './surroundings.ts'

const USAGE = `Les messages abandonnés après huit essais :

  npm run messages -- list
  npm run messages -- retry tous
  npm run messages -- retry 0b8c2a4e-…

Ni le destinataire ni le texte ne sont montrés. Les variables du service et DATABASE_OPERATOR_URL doivent être présentes ; sans elles, la démonstration
de ce dossier (ou de DATA_DIR), pendant qu’elle tourne.
Code de sortie : 0 fait ; 2 commande inutilisable.`

async function withMessages(work: (tx: Tx) => Promise<void>) {
  const around = surroundings(process.env)
  if (!around.demo && !around.DATABASE_URL)
    throw new Error(
      'Aucune base à lire : donnez les variables du service (docs/exploitation.md), ou lancez d’abord la démonstration (npm start) dans un autre terminal, avec le même DATA_DIR s’il en a un.',
    )
  const url = around.demo
    ? around.DATABASE_OPERATOR_URL
    : parseConfig({ ...process.env, MODE: 'production' }).database.operatorUrl
  await asOperator(url, 'de voir les messages abandonnés', (db) => db.tx({ kind: 'operator' }, work))
}

async function list(tx: Tx) {
  const abandonnes = await listAbandonnes(tx)
  for (const { id, canal, cle, tries, failedAt } of abandonnes)
    console.log(`${id}  ${canal.padEnd(5)}  ${failedAt.toISOString()}  ${tries} essais  ${cle}`)
  console.log(abandonnes.length === 0 ? 'Aucun message abandonné.' : `${abandonnes.length} au plus récent d’abord.`)
}

await runCommand(USAGE, {
  list: () => withMessages(list),
  retry: ([which = '', more]) => {
    if (more !== undefined || (which !== 'tous' && !isUuid(which))) throw new Error(USAGE)
    return withMessages(async (tx) => {
      const count = await retryMessages(tx, which === 'tous' ? undefined : which)
      console.log(count === 0 ? 'Rien à renvoyer.' : `${count} remis à envoyer.`)
    })
  },
})
