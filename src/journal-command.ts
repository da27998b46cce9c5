import { createReadStream, createWriteStream, readFileSync, writeFileSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import {
  faultSentence,
  nonCompareSentence,
  otherFaults,
  PROOF_REFUSAL,
  PROVE_REFUSAL,
  restaurationSentence,
} from '../views/journal/words.ts'
import { pluriel } from '../views/kit/words.ts'
import { type Db, openDb } from './db.ts'
import { erase } from './erase-command.ts'
import { linesOf, verifyBundle } from './journal/bundle.ts'
import { originOf } from './journal/checkpoint.ts'
import { exportJournal } from './journal/export.ts'
import { openSigner, parseVkey, renamed, type Vkey } from './journal/note.ts'
import { parseProof, parseProvenLines, verifyLine } from './journal/proof.ts'
import { proveLine } from './journal/prove.ts'
import { perduesDe } from './journal/restauration.ts'
import { collectFaults, type Fault, type Verified } from './journal/verify.ts'
import { verifyDatabase } from './journal/verify-database.ts'
import { readArgs, runCommand } from './read-args.ts'
import { policyOf, readSeen, type Seen, textOf } from './read-seen.ts'
import { type Surroundings, surroundings } from './surroundings.ts'

const USAGE = `Le journal, vérifié sans nous croire :

  npm run journal -- verify [--temoin FICHIER|ADRESSE]… [--cle CLÉ] [--json]
  npm run journal -- verify --bundle FICHIER [--cle CLÉ] [--temoin …]      sans aucune base de données
  npm run journal -- verify --preuves FICHIER [--cle CLÉ]                  un .tlog-proof, ou le journal.json d’une personne, sans aucune base
  npm run journal -- export [--vers FICHIER] [--contenus]                  un paquet, pour qui vérifiera ailleurs
  npm run journal -- prove NUMÉRO [--vers FICHIER]                         la preuve (.tlog-proof) d’une ligne
  npm run journal -- erase NUMÉRO --motif MOTIF [--seule] [--confirmer] [--json]   efface une personne ; sans --confirmer, dit ce qui le serait

  --temoin     ce qu’un témoin a gardé : tous les points de contrôle qu’il a signés, ou le dernier ; on peut en donner plusieurs
  --cle        la clé publique du journal que vous connaissez. Sinon : JOURNAL_VKEY, la clé de JOURNAL_KEY, ou celle du paquet
  --contenus   avec ce qui est dit des personnes, que la loi peut faire effacer (DATABASE_ADMIN_URL seulement)

Base : DATABASE_AUDITOR_URL (rôle traitdunion_auditor : le journal, aucun nom), ou DATABASE_ADMIN_URL, qui relit aussi les contenus.
Sans ces variables : la démonstration de ce dossier (ou de DATA_DIR), pendant qu’elle tourne.

Code de sortie : 0 tout est vérifié ; 1 quelque chose est faux : la première ligne fausse, puis les autres, vingt par sorte ; 2 commande inutilisable, base ou fichier illisible ;
3 tout est vérifié, mais aucun témoin n’a été comparé, ou il n’a rien vu de la dernière heure : la fin a pu être coupée, ou tout le journal récrit ; ou la
clé n’est connue que par le fichier de --preuves.

erase : NUMÉRO est celui d’un mandat de la personne, imprimé au bas de chaque papier, ou le sien, que sa page « Mes données » montre. MOTIF est conservation
(au bout de six ans ; le service le fait seul), ou ce que le délégué à la protection des données a décidé : demande, decision, erreur. --seule,
pour rejouer après une restauration : cette identité, sans celles auxquelles la personne l’a réunie. Base : DATABASE_OPERATOR_URL. Code de sortie : 0 effacée, maintenant ou déjà ; 1 refusé, dit pourquoi ; 2 commande inutilisable ; 3 rien fait, il manque --confirmer.`

/** A witness sees the journal every few seconds: what it saw an hour before the last line says nothing of the end. */
const VU_MS = 3_600_000

/** The key that must have signed. */
function keyOf(given: string | undefined, around: Surroundings): Vkey | undefined {
  const text = given ?? around.JOURNAL_VKEY
  if (text !== undefined) {
    const vkey = parseVkey(textOf(text).trim())
    if (!vkey) throw new Error('La clé donnée n’est pas une clé publique de journal : nom+identifiant+clé.')
    return vkey
  }
  const { JOURNAL_KEY, JOURNAL_ORIGIN, PUBLIC_URL } = around
  const origin = JOURNAL_ORIGIN ?? (PUBLIC_URL && originOf(PUBLIC_URL))
  return JOURNAL_KEY && origin ? openSigner(textOf(JOURNAL_KEY), origin).vkey : undefined
}

/** As much as may be read: contents for the administrator, their hashes for the auditor. */
function openJournal(around: Surroundings & { demo: boolean }): { db: Db; reading: 'contenus' | 'empreintes' } {
  const admin = around.DATABASE_ADMIN_URL
  const url = admin ?? around.DATABASE_AUDITOR_URL
  if (!url)
    throw new Error(
      'Aucune base à lire : donnez DATABASE_AUDITOR_URL, ou lancez d’abord la démonstration de ce dossier (npm start) dans un autre terminal.',
    )
  return { db: openDb({ url, connections: 4 }), reading: admin ? 'contenus' : 'empreintes' }
}

const nombre = (count: number) => new Intl.NumberFormat('fr-FR').format(count).replaceAll(/\s/g, ' ')

async function verify(args: string[]): Promise<number> {
  const { values } = readArgs({
    args,
    options: {
      bundle: { type: 'string' },
      preuves: { type: 'string' },
      cle: { type: 'string' },
      temoin: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
    },
  })
  if (values.preuves && values.temoin.length > 0)
    throw new Error('--preuves se compare à une clé (--cle), et pas à un témoin : les siennes, s’il y en a, sont dans la preuve.')
  if (values.preuves) return verifyLines(values.preuves, values.cle)
  const around = surroundings(process.env)
  const log = keyOf(values.cle, values.bundle ? {} : around)
  const began = performance.now()
  const say = (line: string) => values.json || console.log(line)
  let shown = 0
  const progress = (done: number, of?: number) => {
    if (values.json || !process.stderr.isTTY || performance.now() - shown < 500) return
    shown = performance.now()
    process.stderr.write(`\r${nombre(done)}${of === undefined ? '' : ` / ${nombre(of)}`} lignes`)
  }

  let verified: Verified & { log?: Vkey | undefined }
  const seen: Seen[] = []
  const places = [...values.temoin]
  if (!values.bundle && around.JOURNAL_TEMOIN && places.length === 0) places.push(around.JOURNAL_TEMOIN)
  const policy = policyOf(around)
  const unread = collectFaults()
  for (const where of places) {
    const known = log ?? bundleKey(values.bundle)
    if (!known) throw new Error('Pour comparer à un témoin, il faut la clé du journal : --cle.')
    const one = await readSeen(where, known, policy)
    if ('kind' in one) unread.add(one)
    else seen.push(...one)
  }

  if (values.bundle) {
    const stream = createReadStream(values.bundle, { encoding: 'utf8', highWaterMark: 1 << 20 })
    verified = await verifyBundle(linesOf(stream), { log, seen, progress })
  } else {
    if (!log) throw new Error('La clé du journal manque : --cle, JOURNAL_VKEY, ou JOURNAL_KEY et PUBLIC_URL.')
    const { db, reading } = openJournal(around)
    try {
      verified = await verifyDatabase(db, { log, reading, seen, progress })
    } finally {
      await db.close()
    }
  }
  if (shown > 0) process.stderr.write('\r\x1b[K')
  const fautes = [...verified.fautes, ...unread.all()]
  const fault = fautes[0]?.premieres[0]
  const seconds = (performance.now() - began) / 1000
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  const { counts } = verified
  const seenLast = lastOf(seen)
  // Under a former name a witness says nothing of what came since, nor does one that stopped looking.
  const temoigne = verified.vues > 0 && verified.depuis <= VU_MS
  const code = fault ? 1 : temoigne ? 0 : 3
  const cle = (log ?? verified.log) && renamed((log ?? verified.log)!, verified.nom).text
  if (values.json) {
    const said = ({ kind, ...where }: Fault) => ({ genre: kind, ...where, phrase: faultSentence({ kind, ...where }) })
    console.log(
      JSON.stringify({
        ok: !fault,
        ...counts,
        taille: verified.size,
        racine: verified.root.toString('base64'),
        cle,
        temoins: seenLast.map(({ origin, size, temoins, points }) => ({ nom: origin, taille: size, temoins, points })),
        vues: verified.vues,
        restaurations: verified.restaurations.map((one) => ({ ...one, perdues: perduesDe(one) })),
        secondes: Number(seconds.toFixed(3)),
        // Of this whole process: seconds of processor, mebibytes at most.
        processeur: Number(((userCPUTime + systemCPUTime) / 1e6).toFixed(3)),
        memoire: Math.round(maxRSS / 1024),
        ...(fault && {
          faute: said(fault),
          fautes: fautes.map(({ kind, total, premieres }) => ({ genre: kind, total, premieres: premieres.map(said) })),
        }),
        ...(verified.rompu !== undefined && { rompu: verified.rompu, nonCompares: verified.nonCompares }),
      }),
    )
    return code
  }
  const rate = counts.lignes / Math.max(seconds, 0.001)
  say(
    `Clé        ${cle ?? 'inconnue'}${values.bundle && !log ? '\n           (c’est le paquet qui la donne : comparez-la à celle que vous connaissez, ou donnez --cle)' : ''}`,
  )
  say(
    `Lignes     ${nombre(counts.lignes)} en ${seconds.toFixed(1).replace('.', ',')} s (${nombre(Math.round(rate))} par seconde), ${nombre(counts.mandats)} mandats sans numéro manquant`,
  )
  say(
    `Contenus   ${nombre(counts.contenus)} conformes à leur engagement, ${nombre(counts.effaces)} effacés${counts.personnes > 0 ? ` (${pluriel(counts.personnes, 'personne', 'personnes')})` : ''}${counts.contenus + counts.effaces < counts.lignes ? `, ${nombre(counts.lignes - counts.contenus - counts.effaces)} non lus${fault ? ' ou faux' : ''}` : ''}`,
  )
  say(
    `Arbre      ${pluriel(counts.points, 'point de contrôle signé', 'points de contrôle signés')}, ${pluriel(counts.temoignages, 'signature de témoin', 'signatures de témoins')}, ${pluriel(counts.tuiles, 'tuile pleine', 'tuiles pleines')}`,
  )
  say(`Racine     ${verified.root.toString('base64')} (${nombre(verified.size)} lignes)`)
  if (counts.attente > 0) say(`En attente ${nombre(counts.attente)} lignes pas encore dans l’arbre`)
  for (const { origin, size, temoins, points } of seenLast)
    say(
      `Témoin     a vu ${nombre(size)} lignes${origin === verified.nom ? '' : ` de ${origin}`}${points > 1 ? `, et gardé ${nombre(points)} points de contrôle` : ''}${temoins.length > 0 ? ` (${temoins.join(', ')})` : ' ; sa signature n’est pas vérifiée sans JOURNAL_WITNESSES'}`,
    )
  for (const one of verified.restaurations) say(`Restauré   ${restaurationSentence(one)}`)
  if (fault) {
    say(`\nFAUX : ${faultSentence(fault)}`)
    for (const other of otherFaults(fautes)) say(`       ${other}`)
    const missed = nonCompareSentence(verified)
    if (missed) say(`\n${missed}`)
  } else if (temoigne)
    say(
      `\nVérifié : rien n’a changé depuis que ces lignes ont été écrites, et les témoins ont vu le même journal${verified.vues < verified.size ? `, sauf les ${nombre(verified.size - verified.vues)} dernières, que personne n’a encore vues` : ''}.`,
    )
  else if (verified.vues > 0)
    say(
      `\nVérifié en lui-même. Les témoins n’ont vu que les ${nombre(verified.vues)} premières lignes, et d’autres s’écrivent depuis plus d’une heure : de celles-là, rien ne dit qu’elles n’ont été ni coupées ni récrites.`,
    )
  else
    say('\nVérifié en lui-même. Sans témoin (--temoin), rien ne dit que la fin n’a pas été coupée ni le journal entier récrit.')
  return code
}

/** Of each name and each witness, the largest of the checkpoints that were kept, and how many they are. */
function lastOf(seen: readonly Seen[]) {
  const last = new Map<string, Seen & { points: number }>()
  for (const one of seen) {
    const of = [one.origin, ...one.temoins].join(' ')
    const known = last.get(of)
    last.set(of, { ...(known && known.size > one.size ? known : one), points: (known?.points ?? 0) + 1 })
  }
  return [...last.values()]
}

/** The lines of a file that someone downloaded: each must be in the tree that its checkpoint signs. */
function verifyLines(where: string, cle: string | undefined): number {
  const file = parseProvenLines(readFileSync(where, 'utf8'))
  const log = keyOf(cle, {}) ?? parseVkey(file?.cle ?? '')
  if (!file || file.lignes.length === 0 || !log)
    throw new Error(
      'Ce fichier ne contient pas de lignes avec leurs preuves, ou ce qu’il dit se contredit : rien n’est à en croire.',
    )
  for (const line of file.lignes) {
    const checked = verifyLine(line, log)
    if (checked.ok) continue
    console.log(`FAUX : la ligne ${line.numero}. ${PROOF_REFUSAL[checked.refusal]}`)
    return 1
  }
  console.log(
    `Clé        ${log.text}${cle ? '' : '\n           (c’est le fichier qui la donne : comparez-la à celle que vous connaissez, ou donnez --cle)'}`,
  )
  const [only, ...others] = file.lignes
  if (only && others.length === 0) {
    // What it says of itself: none of its letters may move about the terminal.
    const plain = (text: string) => text.replaceAll(/\p{C}/gu, '?')
    // Its number is only what the file says; its rank is proven.
    console.log(`Ligne      rang ${parseProof(only.preuve)!.index} : ${plain(only.octets)}`)
    console.log(
      `Faits      ${only.faits === undefined ? 'ils ne sont pas joints à cette preuve, ou ont été effacés' : plain(only.faits)}`,
    )
  }
  console.log(
    `\n${pluriel(file.lignes.length, 'ligne non modifiée', 'lignes non modifiées')} depuis le point de contrôle que ${others.length > 0 ? 'chaque preuve' : 'la preuve'} porte. Cela ne dit pas que ce qui a été fait était juste.`,
  )
  return cle ? 0 : 3
}

/** The key that a bundle announces at its second line. */
function bundleKey(file: string | undefined): Vkey | undefined {
  if (!file) return undefined
  const [, line = ''] = readFileSync(file, 'utf8').slice(0, 2_000).split('\n')
  return line.startsWith('cle ') ? parseVkey(line.slice(4)) : undefined
}

async function run(args: string[]): Promise<number> {
  const { values } = readArgs({
    args,
    options: { vers: { type: 'string' }, contenus: { type: 'boolean', default: false }, cle: { type: 'string' } },
  })
  const around = surroundings(process.env)
  const log = keyOf(values.cle, around)
  if (!log) throw new Error('La clé du journal manque : --cle, JOURNAL_VKEY, ou JOURNAL_KEY et PUBLIC_URL.')
  const { db, reading } = openJournal(around)
  if (values.contenus && reading !== 'contenus') throw new Error('--contenus demande DATABASE_ADMIN_URL.')
  const out = values.vers ? createWriteStream(values.vers, { mode: 0o600 }) : process.stdout
  try {
    // Its errors too: a full disk in the middle is said, never a bundle that looks whole.
    await pipeline(exportJournal(db, { log, contenus: values.contenus }), out, { end: values.vers !== undefined })
    if (values.vers) {
      console.error(
        `Paquet écrit : ${values.vers}${values.contenus ? '. Il contient ce que la loi peut faire effacer : gardez-le comme un dossier.' : ''}`,
      )
    }
  } finally {
    await db.close()
  }
  return 0
}

async function prove(args: string[]): Promise<number> {
  const { values, positionals } = readArgs({
    args,
    allowPositionals: true,
    options: { vers: { type: 'string' }, cle: { type: 'string' } },
  })
  const [number] = positionals
  if (!number || !/^\d{1,15}$/.test(number)) throw new Error(USAGE)
  const around = surroundings(process.env)
  const log = keyOf(values.cle, around)
  if (!log) throw new Error('La clé du journal manque : --cle, JOURNAL_VKEY, ou JOURNAL_KEY et PUBLIC_URL.')
  const policy = policyOf(around)
  const { db } = openJournal(around)
  try {
    const of = { signer: { vkey: log }, policy }
    const proven = await db.tx({ kind: 'operator' }, (tx) => proveLine(tx, Number(number), of, 'non_lu'))
    if (!proven.ok) throw new Error(PROVE_REFUSAL[proven.refusal])
    const [line] = parseProvenLines(proven.preuve)!.lignes
    const checked = verifyLine(
      line!,
      log,
      policy.witnesses.map(({ vkey }) => vkey),
    )
    if (!checked.ok) {
      console.error(`FAUX : ${PROOF_REFUSAL[checked.refusal]}`)
      return 1
    }
    if (values.vers) writeFileSync(values.vers, proven.preuve, { mode: 0o600 })
    else process.stdout.write(proven.preuve)
    const witnessed = [...checked.seen].map(([name, at]) => `${name}, ${new Date(at * 1000).toISOString()}`)
    console.error(
      `Ligne ${number} : rang ${proven.index} d’un arbre de ${proven.size} lignes. Preuve vérifiée${witnessed.length > 0 ? `, vue par ${witnessed.join(' et ')}` : ' ; aucun témoin ne l’a encore vue'}.`,
    )
    return 0
  } finally {
    await db.close()
  }
}

await runCommand(USAGE, { verify, export: run, prove, erase })
