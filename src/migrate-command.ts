import { bootstrap, migrateAt } from './migrate.ts'
import { readArgs, runCommand } from './read-args.ts'

const USAGE = `Créer les rôles de la base et la mettre à jour :

  npm run migrate

DATABASE_ADMIN_URL et les quatre adresses des rôles doivent être présentes (docs/exploitation.md). Recommencer est sans danger.
Code de sortie : 0 à jour ; 2 commande inutilisable, ou migration refusée.`

const ROLES = {
  app: 'DATABASE_URL',
  operator: 'DATABASE_OPERATOR_URL',
  sequencer: 'DATABASE_SEQUENCER_URL',
  auditor: 'DATABASE_AUDITOR_URL',
} as const

/** `npm run migrate`: makes the roles with the passwords of the addresses given, then the database up to date. */
async function run(args: string[]): Promise<void> {
  readArgs({ args })
  const { DATABASE_ADMIN_URL } = process.env
  const missing = ['DATABASE_ADMIN_URL', ...Object.values(ROLES)].filter((name) => !process.env[name])
  if (missing.length > 0 || !DATABASE_ADMIN_URL) throw new Error(`Il manque ${missing.join(', ')} : voyez docs/exploitation.md.`)
  const passwordOf = (name: string) => decodeURIComponent(new URL(process.env[name]!).password)
  await bootstrap(DATABASE_ADMIN_URL, {
    app: passwordOf(ROLES.app),
    operator: passwordOf(ROLES.operator),
    sequencer: passwordOf(ROLES.sequencer),
    auditor: passwordOf(ROLES.auditor),
  })
  const applied = await migrateAt(DATABASE_ADMIN_URL)
  console.log(applied.length === 0 ? 'La base est déjà à jour.' : `Migrations appliquées : ${applied.join(', ')}.`)
}

await runCommand(USAGE, run)
