import { fileURLToPath } from 'node:url'
import { faultSentence, RESTORE_REFUSAL, restaurationSentence } from '../views/journal/words.ts'
import { nombre } from '../views/kit/words.ts'
import { openDb } from './db.ts'
import { originOf, parseCheckpoint } from './journal/checkpoint.ts'
import { openSigner } from './journal/note.ts'
import { restoreJournal } from './journal/restore.ts'
import { findPoint } from './journal/tree-queries.ts'
import { verifyDatabase } from './journal/verify-database.ts'
import { checkMigrations } from './migrate.ts'
import { readArgs, refus, runCommand } from './read-args.ts'
import { policyOf, readSeen, type Seen, textOf } from './read-seen.ts'

const USAGE = `Restaurer une sauvegarde, et le dire dans le journal :

  npm run restore -- SAUVEGARDE [--essai]     une sauvegarde de npm run backup, dans ce dossier (ou DATA_DIR), qui ne doit avoir aucune base
  npm run restore -- --serveur                la base de DATABASE_ADMIN_URL, que les outils de PostgreSQL viennent de restaurer, service arrêté

  --essai               restaure à part, vérifie, puis efface tout : à faire chaque trimestre
  --temoin              ce qu’un témoin a gardé du journal, tous ses points ou le dernier (fichier ou adresse) ; on peut en donner plusieurs
  --sans-temoin         aucun témoin ne peut être consulté : ce qui est perdu ne sera pas connu
  --accepter-la-perte   des lignes que les témoins ont vues manquent, et personne ne peut les retrouver : continuer sans elles

Le journal continue sous un autre nom, que les témoins doivent accepter : sous l’ancien, deux suites différentes auraient été signées.
Sur un serveur : JOURNAL_KEY, et JOURNAL_ORIGIN ou PUBLIC_URL, comme pour le service. Voir docs/exploitation.md, « Restaurer ».

Code de sortie : 0 restauré et vérifié ; 1 refusé : rien n’est changé ; 2 commande inutilisable.`

type Choices = { temoin: string[]; 'sans-temoin': boolean; 'accepter-la-perte': boolean }
type Restored = { adminUrl: string; cle: string; origine: string; sauvegarde?: string; temoinOf(nom: string): string | undefined }

/** What ends every restore: the tree is verified, compared with the witnesses, goes on under another name, and is verified again. */
async function finish({ adminUrl, cle, origine, sauvegarde, temoinOf }: Restored, choices: Choices): Promise<{ nom: string }> {
  const signerOf = (nom: string) => openSigner(cle, nom)
  // Alone: what ends a restore refuses to be beside anybody.
  const db = openDb({ url: adminUrl, connections: 1 })
  const verify = (nom: string, seen: readonly Seen[]) =>
    verifyDatabase(db, { log: signerOf(nom).vkey, reading: 'contenus', seen })
  try {
    const point = await db.tx({ kind: 'operator' }, (tx) => findPoint(tx))
    // The database says its own name: it may have been restored before.
    const avant = (point && parseCheckpoint(point.note)?.origin) ?? origine
    const seen = await seenOf([...choices.temoin, ...[temoinOf(avant)].filter((one) => one !== undefined)], signerOf(avant).vkey)
    if (seen.length === 0 && !choices['sans-temoin'])
      throw refus(
        'Aucun témoin à qui comparer : donnez ce qu’il a gardé (--temoin), ou --sans-temoin si personne ne peut le donner. Rien n’est restauré.',
      )
    const kept = await verify(avant, seen)
    const wrong = kept.fautes.find(({ kind }) => kind !== 'temoin_plus_loin')
    if (wrong) throw refus(`FAUX : ${faultSentence(wrong.premieres[0]!)}\nRien n’est restauré.`)
    const tenues = kept.size + kept.counts.attente
    const vues: Record<string, number> = {}
    for (const { origin, size } of seen) vues[origin] = Math.max(size, vues[origin] ?? 0)
    const perdues = (vues[avant] ?? 0) - tenues
    if (perdues > 0 && !choices['accepter-la-perte'])
      throw refus(
        `Cette sauvegarde tient ${nombre(tenues)} lignes du journal, et les témoins en ont vu ${nombre(vues[avant]!)} : les ${nombre(perdues)} dernières au moins n’y sont pas.\nCherchez une sauvegarde plus récente, ou la suite du WAL. Si elles sont perdues pour toujours : --accepter-la-perte le dit dans le journal, et continue. Rien n’est restauré.`,
      )

    const restored = await restoreJournal(db, { avant, vues, signerOf, ...(sauvegarde && { sauvegarde }) })
    if (!restored.ok) throw refus(RESTORE_REFUSAL[restored.refusal])
    const after = await verify(restored.nom, seen)
    if (after.fault) throw refus(`FAUX, après la restauration : ${faultSentence(after.fault)}`)
    console.log(`Restauré   ${restaurationSentence(after.restaurations.at(-1)!)}
Vérifié    ${nombre(after.size)} lignes dans l’arbre, et chaque fait a la sienne.
Clé        ${signerOf(restored.nom).vkey.text}
           À donner aux témoins : sans elle, ils ne signeront plus rien.`)
    return restored
  } finally {
    await db.close()
  }
}

async function seenOf(places: readonly string[], log: Parameters<typeof readSeen>[1]): Promise<Seen[]> {
  const policy = policyOf(process.env)
  const seen = await Promise.all(
    places.map(async (where) => {
      const points = await readSeen(where, log, policy)
      if ('kind' in points) throw refus(`FAUX : ${faultSentence(points)} Rien n’est restauré.`)
      return points
    }),
  )
  return seen.flat()
}

async function restoreServer(choices: Choices): Promise<void> {
  const { DATABASE_ADMIN_URL: adminUrl, JOURNAL_KEY, JOURNAL_ORIGIN, PUBLIC_URL } = process.env
  const origine = JOURNAL_ORIGIN ?? (PUBLIC_URL && originOf(PUBLIC_URL))
  if (!adminUrl || !JOURNAL_KEY || !origine)
    throw new Error('Il manque DATABASE_ADMIN_URL, JOURNAL_KEY, ou JOURNAL_ORIGIN (sinon PUBLIC_URL).')
  await checkMigrations(adminUrl)
  const { nom } = await finish({ adminUrl, cle: textOf(JOURNAL_KEY), origine, temoinOf: () => undefined }, choices)
  console.log(`\nAvant de redémarrer le service : JOURNAL_ORIGIN=${nom}`)
}

async function run(args: string[]): Promise<void> {
  const { values, positionals } = readArgs({
    args,
    allowPositionals: true,
    options: {
      serveur: { type: 'boolean', default: false },
      essai: { type: 'boolean', default: false },
      temoin: { type: 'string', multiple: true, default: [] },
      'sans-temoin': { type: 'boolean', default: false },
      'accepter-la-perte': { type: 'boolean', default: false },
    },
  })
  const [backup, more] = positionals
  if (more !== undefined || values.serveur === (backup !== undefined)) throw new Error(USAGE)
  if (values.serveur) return restoreServer(values)
  const { restoreDemo } = await import('./demo/restore.ts')
  await restoreDemo({
    dataDir: process.env.DATA_DIR ?? fileURLToPath(new URL('../.data', import.meta.url)),
    backup: backup!,
    trial: values.essai,
    say: (line) => console.log(line),
    finish: (around) => finish(around, values),
  })
  console.log(
    values.essai
      ? '\nEssai réussi : cette sauvegarde se restaure. Rien n’en reste ici.'
      : '\nRestauré. npm start relance le service.',
  )
}

await runCommand(USAGE, run)
