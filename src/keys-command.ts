import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs'
import { asOperator } from './as-operator.ts'
import { readArgs, refus, runCommand } from './read-args.ts'
import { type CompromiseRefusal, declareCompromise } from './verification/compromise.ts'
import { addNext, type Changed, listCles, type Role, retire, rotate, type TrousseauRefusal } from './verification/trousseau.ts'

const USAGE = `Les clés de sceau, dans le fichier nommé par SEAL_KEYS :

  npm run keys -- list            les clés, sans leurs parties privées
  npm run keys -- new             ajoute la clé suivante (ou crée le fichier avec une première clé)
  npm run keys -- rotate          la suivante scelle ; la partie privée de l’ancienne est jetée
  npm run keys -- retire KID      jette la partie privée d’une clé qui ne scelle pas
  npm run keys -- compromise KID [--sure 2026-03-01T09:30:00Z]
                                  déclare qu’une clé retirée a été volée (DATABASE_OPERATOR_URL) : ce qu’elle a scellé ne compte que si sa ligne était
                                  dans le journal à cette heure, la dernière où la clé était sûre ; sans --sure, maintenant. Sans retour

Redémarrez le service après chaque changement. Entre new et rotate, laissez-le publier la nouvelle clé un jour au moins.
Code de sortie : 0 fait ; 1 refusé, dit pourquoi ; 2 commande inutilisable.`

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

const COMPROMISE_REFUSAL = {
  cle_inconnue: 'Le service n’a jamais publié cette clé : elle n’a rien pu sceller qui se vérifie.',
  heure_a_venir: 'Cette heure n’est pas encore venue : donnez la dernière où la clé était sûre, ou rien pour maintenant.',
  journal_sans_point:
    'À cette heure le journal n’avait aucun point de contrôle : aucun mandat ne serait gardé. Donnez une heure où il en avait.',
  coupure_plus_tard: 'Cette clé est déjà déclarée volée, et plus tôt : on ne revient pas en avant.',
} as const satisfies Record<CompromiseRefusal, string>

/** Whole or not at all, and for its owner alone: half a key file would stop the service for good. */
function replace(file: string, text: string) {
  const fresh = `${file}.nouveau`
  const handle = openSync(fresh, 'w', 0o600)
  writeSync(handle, text)
  fsyncSync(handle)
  closeSync(handle)
  renameSync(fresh, file)
}

/** The file that SEAL_KEYS names; its text is absent when there is none yet. */
function readKeys(): { file: string; text: string | undefined } {
  const file = process.env.SEAL_KEYS?.trim()
  if (!file)
    throw new Error(
      'SEAL_KEYS manque : indiquez le chemin du fichier des clés (SEAL_KEYS=cles.json npm run keys -- list). La démonstration fait et garde les siennes : ses clés publiques sont à l’adresse /.well-known/jwks.json.',
    )
  if (file.startsWith('{'))
    throw new Error('SEAL_KEYS contient les clés elles-mêmes : mettez-les dans un fichier, et donnez son chemin.')
  return { file, text: existsSync(file) ? readFileSync(file, 'utf8') : undefined }
}

function presentKeys(): { file: string; text: string } {
  const { file, text } = readKeys()
  if (text === undefined) throw new Error(`Le fichier ${file} n’existe pas : new le crée.`)
  return { file, text }
}

const DAY_MS = 24 * 60 * 60_000
/** After the change and not in its place: a key that was stolen is not kept a day longer. */
const TOO_SOON =
  'Attention : le fichier a changé il y a moins d’un jour. Si c’était par new, qui a gardé la liste des clés d’avant ne reconnaît pas encore les nouveaux sceaux ; d’ici un jour, oui.'

const show = (text: string) => {
  for (const cle of listCles(text)) console.log(`${cle.kid}  ${ROLE[cle.role]}`)
}

function keep(file: string, changed: Changed) {
  if (!changed.ok) throw refus(REFUSAL[changed.refusal])
  replace(file, changed.text)
  show(changed.text)
  console.log('\nRedémarrez le service.')
}

const THROWN = 'Les sauvegardes de ce fichier gardent la partie privée jetée ici : détruisez-les.'

/** Of a key that this file no longer signs with. */
async function compromise(args: string[]) {
  const { values, positionals } = readArgs({ args, allowPositionals: true, options: { sure: { type: 'string' } } })
  const [kid = '', more] = positionals
  const sure = values.sure === undefined ? undefined : new Date(values.sure)
  if (
    more !== undefined ||
    (sure && !/^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:\d\d)$/.test(values.sure!)) ||
    Number.isNaN(sure?.getTime())
  )
    throw new Error('Il faut le kid d’une clé et, après --sure, une heure avec son fuseau, comme 2026-03-01T09:30:00Z.')
  const { text } = presentKeys()
  const { role } = listCles(text).find((cle) => cle.kid === kid) ?? {}
  if (role === 'courante') throw refus(REFUSAL.cle_courante)
  if (role === 'suivante') throw refus('Cette clé doit encore sceller : retirez-la d’abord (retire).')
  const declared = await asOperator(process.env, 'de l’écrire dans le journal', (db) => declareCompromise(db, { kid, sure }))
  if (!declared.ok) throw refus(COMPROMISE_REFUSAL[declared.refusal])
  const { coupure, coupes } = declared
  console.log(`Clé ${kid} déclarée volée, dans le journal et dans /.well-known/jwks.json, dès maintenant.
Ce qu’elle a scellé compte si sa ligne est parmi les ${coupure} premières du journal.
${coupes === 0 ? 'Tous les mandats de ce service y sont.' : `${coupes === 1 ? 'Un mandat n’y est pas : il est' : `${coupes} mandats n’y sont pas : ils sont`} à refaire avec les personnes.`}
Les QR déjà imprimés qu’elle a signés ne suffisent plus : /v renvoie au code imprimé. Imprimez à nouveau ceux qui servent.`)
}

await runCommand(USAGE, {
  list: () => show(presentKeys().text),
  new: () => {
    const { file, text } = readKeys()
    keep(file, addNext(text))
  },
  rotate: () => {
    const { file, text } = presentKeys()
    const fresh = Date.now() - statSync(file).mtimeMs < DAY_MS
    keep(file, rotate(text))
    console.log(THROWN)
    if (fresh) console.log(TOO_SOON)
  },
  retire: ([kid = '']: string[]) => {
    const { file, text } = presentKeys()
    keep(file, retire(text, kid))
    console.log(THROWN)
  },
  compromise,
})
