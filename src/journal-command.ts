import { createWriteStream, writeFileSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { PROOF_REFUSAL, PROVE_REFUSAL } from '../views/journal/words.ts'
import { erase } from './erase-command.ts'
import { exportJournal } from './journal/export.ts'
import { parseProvenLines, verifyLine } from './journal/proof.ts'
import { proveLine } from './journal/prove.ts'
import { readArgs, refus, runCommand } from './read-args.ts'
import { policyOf } from './read-seen.ts'
import { surroundings } from './surroundings.ts'
import { verify } from './verify-journal-command.ts'
import { neededKey, withJournal } from './with-journal.ts'

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

async function exportPaquet(args: string[]): Promise<void> {
  const { values } = readArgs({
    args,
    options: { vers: { type: 'string' }, contenus: { type: 'boolean', default: false }, cle: { type: 'string' } },
  })
  const around = surroundings(process.env)
  const log = neededKey(values.cle, around)
  await withJournal(around, async (db, reading) => {
    if (values.contenus && reading !== 'contenus') throw new Error('--contenus demande DATABASE_ADMIN_URL.')
    const out = values.vers ? createWriteStream(values.vers, { mode: 0o600 }) : process.stdout
    // Its errors too: a full disk in the middle is said, never a bundle that looks whole.
    await pipeline(exportJournal(db, { log, contenus: values.contenus }), out, { end: values.vers !== undefined })
  })
  if (values.vers)
    console.error(
      `Paquet écrit : ${values.vers}${values.contenus ? '. Il contient ce que la loi peut faire effacer : gardez-le comme un dossier.' : ''}`,
    )
}

async function prove(args: string[]): Promise<void> {
  const { values, positionals } = readArgs({
    args,
    allowPositionals: true,
    options: { vers: { type: 'string' }, cle: { type: 'string' } },
  })
  const [number] = positionals
  if (!number || !/^\d{1,15}$/.test(number)) throw new Error(USAGE)
  const around = surroundings(process.env)
  const log = neededKey(values.cle, around)
  const policy = policyOf(around)
  const of = { signer: { vkey: log }, policy }
  const proven = await withJournal(around, (db) =>
    db.tx({ kind: 'operator' }, (tx) => proveLine(tx, Number(number), of, 'non_lu')),
  )
  if (!proven.ok) throw new Error(PROVE_REFUSAL[proven.refusal])
  const [line] = parseProvenLines(proven.preuve)!.lignes
  const checked = verifyLine(
    line!,
    log,
    policy.witnesses.map(({ vkey }) => vkey),
  )
  if (!checked.ok) throw refus(`FAUX : ${PROOF_REFUSAL[checked.refusal]}`)
  if (values.vers) writeFileSync(values.vers, proven.preuve, { mode: 0o600 })
  else process.stdout.write(proven.preuve)
  const witnessed = [...checked.seen].map(([name, at]) => `${name}, ${new Date(at * 1000).toISOString()}`)
  console.error(
    `Ligne ${number} : rang ${proven.index} d’un arbre de ${proven.size} lignes. Preuve vérifiée${witnessed.length > 0 ? `, vue par ${witnessed.join(' et ')}` : ' ; aucun témoin ne l’a encore vue'}.`,
  )
}

await runCommand(USAGE, { verify, export: exportPaquet, prove, erase })
