import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { addNext, type Changed, listCles, type Role, retire, rotate, type TrousseauRefusal } from './verification/trousseau.ts'

const USAGE = `Les clés de sceau, dans le fichier nommé par SEAL_KEYS :

  npm run keys -- list            les clés, sans leurs parties privées
  npm run keys -- new             ajoute la clé suivante (ou crée le fichier avec une première clé)
  npm run keys -- rotate          la suivante scelle ; la partie privée de l’ancienne est jetée
  npm run keys -- retire KID      jette la partie privée d’une clé qui ne scelle pas

Redémarrez le service après chaque changement. Entre new et rotate, laissez-le publier la nouvelle clé un jour au moins.`

const ROLE = {
  courante: 'courante : scelle',
  suivante: 'suivante : publiée, scellera après rotate',
  retiree: 'retirée : publiée, sans partie privée',
} as const satisfies Record<Role, string>

const REFUSAL = {
  suivante_deja_la: 'Il y a déjà une clé suivante : faites d’abord rotate, ou retire.',
  pas_de_suivante: 'Il n’y a pas de clé suivante : faites d’abord new, puis redémarrez le service pour qu’il la publie.',
  cle_absente: 'Aucune clé n’a ce kid : voyez list.',
  cle_courante: 'Cette clé scelle : faites new, puis rotate, qui la retirera.',
  deja_retiree: 'Cette clé n’a déjà plus de partie privée.',
} as const satisfies Record<TrousseauRefusal, string>

/** Whole or not at all, and for its owner alone: half a key file would stop the service for good. */
function replace(file: string, text: string) {
  const fresh = `${file}.nouveau`
  const handle = openSync(fresh, 'w', 0o600)
  writeSync(handle, text)
  fsyncSync(handle)
  closeSync(handle)
  renameSync(fresh, file)
}

function run([verb, kid]: string[]) {
  const file = process.env.SEAL_KEYS?.trim()
  if (!file)
    throw new Error(
      'SEAL_KEYS manque : indiquez le chemin du fichier des clés (SEAL_KEYS=cles.json npm run keys -- list). La démonstration fait et garde les siennes : ses clés publiques sont à l’adresse /.well-known/jwks.json.',
    )
  if (file.startsWith('{'))
    throw new Error('SEAL_KEYS contient les clés elles-mêmes : mettez-les dans un fichier, et donnez son chemin.')
  const text = existsSync(file) ? readFileSync(file, 'utf8') : undefined
  if (text === undefined && verb !== 'new') throw new Error(`Le fichier ${file} n’existe pas : new le crée.`)

  const keep = (changed: Changed) => {
    if (!changed.ok) throw new Error(REFUSAL[changed.refusal])
    replace(file, changed.text)
    return changed.text
  }
  const after =
    verb === 'list' ? text! : keep(verb === 'new' ? addNext(text) : verb === 'rotate' ? rotate(text!) : retire(text!, kid ?? ''))
  for (const cle of listCles(after)) console.log(`${cle.kid}  ${ROLE[cle.role]}`)
  if (verb !== 'list')
    console.log('\nRedémarrez le service. Les sauvegardes de ce fichier gardent les anciennes clés : détruisez-les.')
}

const args = process.argv.slice(2)
if (['list', 'new', 'rotate', 'retire'].includes(args[0]!) && !args.includes('--help')) {
  try {
    run(args)
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
} else {
  console.error(USAGE)
  process.exitCode = args[0] === undefined || args.includes('--help') ? 0 : 1
}
