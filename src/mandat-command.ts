import { enMots, jourEtHeure, MANIERE, THEMATIQUE } from '../views/kit/words.ts'
import { REFUSAL } from '../views/mandat/refusals.ts'
import { asOperator } from './as-operator.ts'
import { findMoment } from './demarche/queries.ts'
import { isUuid } from './form.ts'
import { arretRecuForm } from './mandat/forms.ts'
import { findStopped, recordStop } from './mandat/record-stop.ts'
import { readArgs, refus, runCommand } from './read-args.ts'

const mots = (table: Readonly<Record<string, string>>) =>
  Object.entries(table)
    .map(([value, words]) => `                 ${value.padEnd(11)} ${words}`)
    .join('\n')

const USAGE = `Enregistrer un arrêt que la personne a demandé au service lui-même (lettre, bulletin, appel, e-mail) :

  npm run mandat -- stop NUMÉRO --maniere courrier --recu "27/03/2026 14:05"                  dit ce qui s’arrêterait, et n’arrête rien
  npm run mandat -- stop NUMÉRO --maniere courrier --recu "27/03/2026 14:05" --confirmer      arrête, sans retour

  NUMÉRO       celui du mandat, imprimé au bas de chaque papier
  --maniere    comment la demande est arrivée :
${mots(MANIERE)}
  --recu       quand elle est arrivée, à l’heure de la structure : ce qui a été fait depuis est signalé
  --quoi       une seule thématique ; sinon, tout le mandat :
${mots(Object.fromEntries(Object.entries(THEMATIQUE).map(([value, { titre }]) => [value, titre])))}

Le service prévient la personne et la structure dans la minute. DATABASE_OPERATOR_URL doit être présente ; sans elle, la démonstration de ce dossier (ou
de DATA_DIR), pendant qu’elle tourne.
Code de sortie : 0 arrêté, maintenant ou déjà ; 1 refusé, dit pourquoi ; 2 commande inutilisable ; 3 rien fait, il manque --confirmer.`

async function stop(args: string[]): Promise<number> {
  const { values, positionals } = readArgs({
    args,
    allowPositionals: true,
    options: {
      maniere: { type: 'string' },
      recu: { type: 'string' },
      quoi: { type: 'string', default: 'tout' },
      confirmer: { type: 'boolean', default: false },
    },
  })
  const [typed = '', ...others] = positionals
  const mandatId = typed.toLowerCase()
  if (!isUuid(mandatId) || others.length > 0)
    throw new Error('Quel mandat ? Donnez son numéro : il est imprimé au bas de chaque papier.')
  const form = arretRecuForm.safeParse({ quoi: values.quoi, maniere: values.maniere, recuLe: values.recu })
  if (!form.success)
    throw new Error(
      form.error.issues
        .map(({ path, message }) => `--${path[0] === 'recuLe' ? 'recu' : String(path[0])} : ${message}`)
        .join('\n'),
    )
  const { quoi, maniere } = form.data
  return asOperator(process.env, 'd’enregistrer un arrêt', async (db) => {
    const by = { kind: 'operator' } as const
    const mandat = await findStopped(db, mandatId)
    const recuLe = await db.tx(by, (tx) => findMoment(tx, mandatId, form.data.recuLe))
    if (!mandat || !recuLe) throw refus('Aucun mandat n’a ce numéro. Rien n’est arrêté.')
    const { structureNom, fuseau, signedAt, thematiques } = mandat
    const what = `le mandat donné à « ${structureNom} », signé le ${jourEtHeure(signedAt, fuseau)}, pour ${quoi === 'tout' ? enMots(thematiques) : enMots([quoi])} ; demande reçue ${MANIERE[maniere]} le ${jourEtHeure(recuLe, fuseau)}`
    if (!values.confirmer) {
      console.log(`S’arrêterait, sans retour : ${what}.\nRien n’est arrêté : ajoutez --confirmer.`)
      return 3
    }
    const recorded = await recordStop(db, by, { mandatId, thematique: quoi === 'tout' ? undefined : quoi, maniere, recuLe })
    if (recorded.ok) console.log(`C’est arrêté : ${what}.\nLe service prévient la personne et la structure dans la minute.`)
    else if (recorded.refusal === 'deja_termine') console.log(REFUSAL.deja_termine)
    else throw refus(`${REFUSAL[recorded.refusal]} Rien n’est arrêté.`)
    return 0
  })
}

await runCommand(USAGE, { stop })
