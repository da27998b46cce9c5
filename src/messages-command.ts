import { asOperator } from './as-operator.ts'
import type { Tx } from './db.ts'
import { isUuid } from './form.ts'
import { listAbandonnes } from './notification/queries.ts'
import { retryMessages } from './notification/retry.ts'
import { runCommand } from './read-args.ts'

const USAGE = `Les messages abandonnés après huit essais :

  npm run messages -- list
  npm run messages -- retry tous
  npm run messages -- retry 0b8c2a4e-…

Ni le destinataire ni le texte ne sont montrés. DATABASE_OPERATOR_URL doit être présente ; sans elle, la démonstration de ce dossier (ou de DATA_DIR),
pendant qu’elle tourne.
Code de sortie : 0 fait ; 2 commande inutilisable.`

const withMessages = (work: (tx: Tx) => Promise<void>) =>
  asOperator(process.env, 'de voir les messages abandonnés', (db) => db.tx({ kind: 'operator' }, work))

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
