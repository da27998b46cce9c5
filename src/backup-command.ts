import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { pluriel } from '../views/kit/words.ts'
import { readArgs, runCommand } from './read-args.ts'
import { surroundings } from './surroundings.ts'

const USAGE = `Sauvegarder la base de ce dossier (ou de DATA_DIR), pendant que le service tourne :

  npm run backup [-- --vers DOSSIER]

  --vers    le dossier à créer ; sinon sauvegarde-AAAAMMJJTHHMMSSZ, ici. Tout ce qui a été enregistré avant la fin y est

Elle contient des données personnelles en clair : chiffrez-la, et gardez-la ailleurs que sur cette machine.
Les clés n’y sont pas, et doivent être gardées à part : le fichier demo.json de ce dossier (ou, sur un vrai serveur, SEAL_KEYS, SECRETS_KEY et
JOURNAL_KEY). Sans elles une sauvegarde se relit, mais ne scelle, ne déchiffre et ne signe plus rien.
Une base installée à part (DATABASE_URL) se sauvegarde avec les outils de PostgreSQL : docs/exploitation.md dit comment.
Code de sortie : 0 faite et relue ; 2 commande inutilisable, ou sauvegarde impossible.`

async function run(args: string[]): Promise<void> {
  const { values } = readArgs({ args, options: { vers: { type: 'string' } } })
  const around = surroundings(process.env)
  if (!around.demo || !around.DATABASE_ADMIN_URL) {
    throw new Error(
      process.env.DATABASE_ADMIN_URL || process.env.DATABASE_URL
        ? 'Cette base n’est pas celle que ce dossier fait tourner : sauvegardez-la avec les outils de PostgreSQL (docs/exploitation.md, « Sauvegarder »).'
        : 'Rien ne tourne ici : lancez npm start dans un autre terminal, puis recommencez.',
    )
  }
  const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
  const to = path.resolve(values.vers ?? `sauvegarde-${stamp}`)
  const { backupDemo } = await import('./demo/backup.ts')
  const dataDir = around.DATA_DIR ?? fileURLToPath(new URL('../.data', import.meta.url))
  const { fichiers, fin, empreinte } = await backupDemo({ dataDir, adminUrl: around.DATABASE_ADMIN_URL, to })
  const octets = fichiers.reduce((sum, { taille }) => sum + taille, 0)
  console.log(`Sauvegarde entière et relue : ${to}
${pluriel(fichiers.length, 'fichier')}, ${pluriel(Math.ceil(octets / 1e6), 'mégaoctet')}, jusqu’à ${fin}.
Empreinte (notez-la ailleurs) : ${empreinte}

Les clés n’y sont pas. Gardez à part, et jamais au même endroit : ${path.join(dataDir, 'demo.json')}`)
}

await runCommand(USAGE, run)
