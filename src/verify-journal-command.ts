import { createReadStream, readFileSync } from 'node:fs'
import { faultSentence, nonCompareSentence, otherFaults, PROOF_REFUSAL, restaurationSentence } from '../views/journal/words.ts'
import { nombre, pluriel } from '../views/kit/words.ts'
import { linesOf, verifyBundle } from './journal/bundle.ts'
import { parseVkey, renamed, type Vkey } from './journal/note.ts'
import { parseProof, parseProvenLines, verifyLine } from './journal/proof.ts'
import { perduesDe } from './journal/restauration.ts'
import { collectFaults, type Fault, type Verified } from './journal/verify.ts'
import { verifyDatabase } from './journal/verify-database.ts'
import { readArgs } from './read-args.ts'
import { policyOf, readSeen, type Seen } from './read-seen.ts'
import { surroundings } from './surroundings.ts'
import { keyOf, neededKey, withJournal } from './with-journal.ts'

/** A witness sees the journal every few seconds: what it saw an hour before the last line says nothing of the end. */
const VU_MS = 3_600_000

/** `journal verify`: the exit code (0 all is verified; 1 something is false; 3 verified, but seen by nobody). Throws a French sentence. */
export async function verify(args: string[]): Promise<number> {
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
  const { bundle, preuves, json } = values
  if (preuves && values.temoin.length > 0)
    throw new Error('--preuves se compare à une clé (--cle), et pas à un témoin : les siennes, s’il y en a, sont dans la preuve.')
  if (preuves) return verifyLines(preuves, values.cle)
  const around = surroundings(process.env)
  const log = keyOf(values.cle, bundle ? {} : around)
  const began = performance.now()

  const places = [...values.temoin]
  if (!bundle && around.JOURNAL_TEMOIN && places.length === 0) places.push(around.JOURNAL_TEMOIN)
  const policy = policyOf(around)
  const seen: Seen[] = []
  const unread = collectFaults()
  for (const where of places) {
    const known = log ?? (await bundleKey(bundle))
    if (!known) throw new Error('Pour comparer à un témoin, il faut la clé du journal : --cle.')
    const one = await readSeen(where, known, policy)
    if ('kind' in one) unread.add(one)
    else seen.push(...one)
  }

  let shown = 0
  const progress = (done: number, of?: number) => {
    if (json || !process.stderr.isTTY || performance.now() - shown < 500) return
    shown = performance.now()
    process.stderr.write(`\r${nombre(done)}${of === undefined ? '' : ` / ${nombre(of)}`} lignes`)
  }
  let verified: Verified & { log?: Vkey | undefined }
  if (bundle) {
    const stream = createReadStream(bundle, { encoding: 'utf8', highWaterMark: 1 << 20 })
    verified = await verifyBundle(linesOf(stream), { log, seen, progress })
  } else {
    const known = neededKey(values.cle, around)
    verified = await withJournal(around, (db, reading) => verifyDatabase(db, { log: known, reading, seen, progress }))
  }
  if (shown > 0) process.stderr.write('\r\x1b[K')

  const fautes = [...verified.fautes, ...unread.all()]
  const signer = log ?? verified.log
  const found: Found = {
    ...verified,
    fautes,
    fault: fautes[0]?.premieres[0],
    // Under a former name a witness says nothing of what came since, nor does one that stopped looking.
    temoigne: verified.vues > 0 && verified.depuis <= VU_MS,
    seen: lastOf(seen),
    cle: signer && renamed(signer, verified.nom).text,
    cleDuPaquet: bundle !== undefined && !log,
    seconds: (performance.now() - began) / 1000,
  }
  if (json) console.log(JSON.stringify(asJson(found)))
  else printFound(found)
  return found.fault ? 1 : found.temoigne ? 0 : 3
}

type Found = Verified & {
  temoigne: boolean
  seen: ReturnType<typeof lastOf>
  cle: string | undefined
  /** Nobody gave the key: the bundle says its own. */
  cleDuPaquet: boolean
  seconds: number
}

function asJson({ counts, fault, fautes, seen, ...found }: Found) {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  const said = ({ kind, ...where }: Fault) => ({ genre: kind, ...where, phrase: faultSentence({ kind, ...where }) })
  return {
    ok: !fault,
    ...counts,
    taille: found.size,
    racine: found.root.toString('base64'),
    cle: found.cle,
    temoins: seen.map(({ origin, size, temoins, points }) => ({ nom: origin, taille: size, temoins, points })),
    vues: found.vues,
    restaurations: found.restaurations.map((one) => ({ ...one, perdues: perduesDe(one) })),
    secondes: Number(found.seconds.toFixed(3)),
    // Of this whole process: seconds of processor, mebibytes at most.
    processeur: Number(((userCPUTime + systemCPUTime) / 1e6).toFixed(3)),
    memoire: Math.round(maxRSS / 1024),
    ...(fault && {
      faute: said(fault),
      fautes: fautes.map(({ kind, total, premieres }) => ({ genre: kind, total, premieres: premieres.map(said) })),
    }),
    ...(found.rompu !== undefined && { rompu: found.rompu, nonCompares: found.nonCompares }),
  }
}

function printFound(found: Found): void {
  const { counts, fault, fautes, seen, seconds, temoigne, vues } = found
  const rate = counts.lignes / Math.max(seconds, 0.001)
  console.log(
    `Clé        ${found.cle ?? 'inconnue'}${found.cleDuPaquet ? '\n           (c’est le paquet qui la donne : comparez-la à celle que vous connaissez, ou donnez --cle)' : ''}`,
  )
  console.log(
    `Lignes     ${nombre(counts.lignes)} en ${seconds.toFixed(1).replace('.', ',')} s (${nombre(Math.round(rate))} par seconde), ${nombre(counts.mandats)} mandats sans numéro manquant`,
  )
  console.log(
    `Contenus   ${nombre(counts.contenus)} conformes à leur engagement, ${nombre(counts.effaces)} effacés${counts.personnes > 0 ? ` (${pluriel(counts.personnes, 'personne', 'personnes')})` : ''}${counts.contenus + counts.effaces < counts.lignes ? `, ${nombre(counts.lignes - counts.contenus - counts.effaces)} non lus${fault ? ' ou faux' : ''}` : ''}`,
  )
  console.log(
    `Arbre      ${pluriel(counts.points, 'point de contrôle signé', 'points de contrôle signés')}, ${pluriel(counts.temoignages, 'signature de témoin', 'signatures de témoins')}, ${pluriel(counts.tuiles, 'tuile pleine', 'tuiles pleines')}`,
  )
  console.log(`Racine     ${found.root.toString('base64')} (${nombre(found.size)} lignes)`)
  if (counts.attente > 0) console.log(`En attente ${nombre(counts.attente)} lignes pas encore dans l’arbre`)
  for (const { origin, size, temoins, points } of seen)
    console.log(
      `Témoin     a vu ${nombre(size)} lignes${origin === found.nom ? '' : ` de ${origin}`}${points > 1 ? `, et gardé ${nombre(points)} points de contrôle` : ''}${temoins.length > 0 ? ` (${temoins.join(', ')})` : ' ; sa signature n’est pas vérifiée sans JOURNAL_WITNESSES'}`,
    )
  for (const one of found.restaurations) console.log(`Restauré   ${restaurationSentence(one)}`)
  if (fault) {
    console.log(`\nFAUX : ${faultSentence(fault)}`)
    for (const other of otherFaults(fautes)) console.log(`       ${other}`)
    const missed = nonCompareSentence(found)
    if (missed) console.log(`\n${missed}`)
  } else if (temoigne)
    console.log(
      `\nVérifié : rien n’a changé depuis que ces lignes ont été écrites, et les témoins ont vu le même journal${vues < found.size ? `, sauf les ${nombre(found.size - vues)} dernières, que personne n’a encore vues` : ''}.`,
    )
  else if (vues > 0)
    console.log(
      `\nVérifié en lui-même. Les témoins n’ont vu que les ${nombre(vues)} premières lignes, et d’autres s’écrivent depuis plus d’une heure : de celles-là, rien ne dit qu’elles n’ont été ni coupées ni récrites.`,
    )
  else
    console.log(
      '\nVérifié en lui-même. Sans témoin (--temoin), rien ne dit que la fin n’a pas été coupée ni le journal entier récrit.',
    )
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
async function bundleKey(file: string | undefined): Promise<Vkey | undefined> {
  if (!file) return undefined
  for await (const [, line = ''] of linesOf(createReadStream(file, { encoding: 'utf8', end: 2_000 })))
    return line.startsWith('cle ') ? parseVkey(line.slice(4)) : undefined
  return undefined
}
