import { generateKeyPairSync } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { serve, stopOnSignal } from './http/server.ts'
import { LOG_KEY, openSigner, parseVkey, WITNESS_KEY } from './journal/note.ts'
import { witnessRoutes } from './journal/witness-routes.ts'
import { openWitnessStore } from './journal/witness-store.ts'
import { runCommand } from './read-args.ts'

const USAGE = `Témoigner d’un journal : ce programme signe chaque point de contrôle qui ne fait qu’allonger le précédent, et aucun autre.
Il ne vaut que s’il est tenu par quelqu’un d’autre que le service.

  npm run witness -- start       répond à POST /add-checkpoint (C2SP tlog-witness)
  npm run witness -- key         montre sa clé publique, à donner au service

WITNESS_NAME   son nom, sans espace ni « + » (exemple : temoin.exemple.fr/1)
WITNESS_DIR    son dossier : sa clé privée et sa mémoire. Perdu, il ne doit plus témoigner sous ce nom ; copié, jamais deux à la fois.
WITNESS_LOGS   les clés publiques des journaux, séparées par des espaces, ou le chemin d’un fichier (une par ligne)
WITNESS_PORT   8090 si rien n’est dit. WITNESS_HOST : 127.0.0.1 ; un relais y met le chiffrement.
Code de sortie : 2 commande inutilisable.`

function open() {
  const { WITNESS_NAME: name, WITNESS_DIR: directory } = process.env
  if (!name || !directory) throw new Error(`WITNESS_NAME et WITNESS_DIR doivent être présents.\n\n${USAGE}`)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const file = path.join(directory, 'cle.pem')
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync('ed25519')
    writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' })
  }
  return { signer: openSigner(readFileSync(file, 'utf8'), name, WITNESS_KEY), directory }
}

function logs() {
  const given = process.env.WITNESS_LOGS?.trim() ?? ''
  const texts = (existsSync(given) ? readFileSync(given, 'utf8') : given).split(/\s+/).filter(Boolean)
  const vkeys = texts.map((text) => {
    const vkey = parseVkey(text)
    if (vkey?.type !== LOG_KEY) throw new Error('WITNESS_LOGS contient autre chose qu’une clé de journal.')
    return vkey
  })
  if (vkeys.length === 0) throw new Error('WITNESS_LOGS manque : sans clé de journal, il n’y a rien à témoigner.')
  return vkeys
}

async function start() {
  const { signer, directory } = open()
  const app = witnessRoutes({
    signer,
    logs: logs(),
    store: openWitnessStore(directory),
    now: () => new Date(),
    say: (line) => console.log(line),
  })
  const host = process.env.WITNESS_HOST ?? '127.0.0.1'
  const listening = await serve(app, { port: Number(process.env.WITNESS_PORT ?? 8090), host })
  stopOnSignal(() => listening.close())
  console.log(`Témoin ${signer.vkey.text}\nÀ l’écoute sur http://${host}:${listening.port}/`)
}

await runCommand(USAGE, { start, key: () => console.log(open().signer.vkey.text) })
