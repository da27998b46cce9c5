import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileOf } from '../journal/witness-store.ts'
import { bootstrap, migrateAt, onDatabase } from '../migrate.ts'
import { refus } from '../read-args.ts'
import { checkFiles, openBackup } from './backup.ts'
import { keepSecrets, NAME, type Secrets } from './demo.ts'
import { takeLock } from './lock.ts'
import { choosePlace, placesOf } from './place.ts'
import { explain, startPostgres } from './postgres.ts'

type Ended = { nom: string }
type RestoreDemo = {
  dataDir: string
  backup: string
  /** Restores, verifies, and leaves nothing behind. */
  trial: boolean
  say(line: string): void
  /** What `npm run restore` does on any restored database; it throws a French sentence, and then nothing is put in place. */
  finish(around: {
    adminUrl: string
    cle: string
    origine: string
    sauvegarde: string
    temoinOf(nom: string): string | undefined
  }): Promise<Ended>
}

/**
 * Restores a backup in the folder of a demonstration that has no database: in a place of its own first, where the ending is said and verified; only
 * then under the name that `npm start` looks for. Throws a French sentence; nothing is then in place.
 */
export async function restoreDemo({ dataDir, backup, trial, say, finish }: RestoreDemo): Promise<void> {
  const home = path.resolve(dataDir)
  const file = path.join(home, 'demo.json')
  if (!fs.existsSync(file))
    throw new Error(
      `${file} manque : les clés ne sont pas dans la sauvegarde. Remettez-y d’abord celui que vous avez gardé à part, puis recommencez.`,
    )
  const secrets = JSON.parse(fs.readFileSync(file, 'utf8')) as Secrets
  const release = trial ? () => {} : takeInstance(home)
  const draft = trial ? fs.mkdtempSync(path.join(tmpdir(), 'traitdunion-essai-')) : path.join(home, 'restauration')
  const gone = [draft]
  try {
    const target = path.join(home, 'postgres')
    const taken = trial ? undefined : placesOf(target).find((root) => fs.existsSync(path.join(root, 'cluster')))
    if (taken)
      throw refus(
        `Il y a déjà une base dans ${taken} : une restauration n’en remplace aucune. Déplacez ce dossier (ne l’effacez pas : il sert à savoir ce qui s’est passé), puis recommencez.`,
      )
    const manifest = openBackup(backup)
    say('Copie et relecture de la sauvegarde…')
    for (const root of placesOf(draft)) for (const name of ['cluster', 'password']) remove(path.join(root, name))
    const { root } = choosePlace(draft, say)
    gone.push(root)
    fs.mkdirSync(path.join(root, 'cluster'), { mode: 0o700 })
    for (const nom of manifest.dossiers) fs.mkdirSync(path.join(root, nom), { recursive: true, mode: 0o700 })
    for (const { nom } of manifest.fichiers) fs.copyFileSync(path.join(backup, nom), path.join(root, nom))
    checkFiles(root, manifest)

    say('Démarrage de PostgreSQL, qui rejoue ce qui a été écrit pendant la sauvegarde…')
    const server = await startPostgres({ directory: draft, say })
    let ended: Ended
    try {
      const adminUrl = onDatabase(server.url, NAME)
      // The roles' passwords are those of the keys kept apart, and the tables those of this code.
      await bootstrap(adminUrl, secrets.passwords)
      await migrateAt(adminUrl)
      const { cle, origine } = secrets.journal
      const temoinOf = (nom: string) => {
        const kept = path.join(home, 'temoin', fileOf(nom, 'points'))
        return fs.existsSync(kept) ? kept : undefined
      }
      ended = await finish({ adminUrl, cle, origine, sauvegarde: manifest.fin, temoinOf })
    } finally {
      await server.stop()
    }
    if (trial) return
    const place = choosePlace(target, say)
    fs.renameSync(path.join(root, 'password'), path.join(place.root, 'password'))
    keepSecrets(file, { ...secrets, journal: { ...secrets.journal, origine: ended.nom } })
    fs.renameSync(path.join(root, 'cluster'), place.cluster)
  } catch (error) {
    throw explain(error, home)
  } finally {
    for (const root of gone) remove(root)
    release()
  }
}

const remove = (name: string) => fs.rmSync(name, { recursive: true, force: true, maxRetries: 20 })

function takeInstance(dataDir: string): () => void {
  const lock = takeLock(path.join(dataDir, 'instance'))
  if (typeof lock === 'function') return lock
  throw refus(
    `Trait d'union tourne (processus ${lock}) avec les données de ${dataDir} : arrêtez-le d'abord. Une restauration ne remplace jamais une base qui sert.`,
  )
}
