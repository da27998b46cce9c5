import { createWriteStream } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Config } from '../config.ts'
import { startDemo } from './demo.ts'
import { demoPages } from './pages.ts'
import { AIDANTS, STRUCTURES } from './people.ts'
import { seed } from './seed.ts'

/** Starts what the service needs around it on this machine, with invented people, and says in French where to go. */
export async function surroundings(args: string[], variables: NodeJS.ProcessEnv) {
  const { values } = parseArgs({ args, options: { reset: { type: 'boolean', default: false } } })
  const port = Number(variables.PORT ?? 3000)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error('PORT doit être un numéro de port, de 1 à 65535.')
  const dataDir = variables.DATA_DIR ?? fileURLToPath(new URL('../../.data', import.meta.url))
  const say = (line: string) => process.stdout.write(`${line}\n`)
  const demo = await startDemo({
    dataDir,
    port,
    reset: values.reset,
    say,
    seed: (environment) => seed(environment, path.join(dataDir, 'franceconnect.json')),
  })
  const log = createWriteStream(path.join(dataDir, 'service.log'), { flags: 'a' })
  // A full disk loses the log, not the service.
  log.on('error', ({ message }) => say(`service.log ne s'écrit plus : ${message}`))
  return {
    environment: demo.environment,
    // Nothing leaves this machine: the messages are read on /demo.
    deliver: async () => {},
    pages: demoPages,
    write: (line: string) => void log.write(line),
    stop: demo.stop,
    ready: (config: Config) => say(welcome(config)),
  }
}

const welcome = ({ publicUrl }: Config) => `
Trait d'union est prêt : ${publicUrl}

  Commencez par           ${publicUrl}/demo   (qui être, les codes du moment, les e-mails et SMS envoyés)
  Aidant                  ${publicUrl}/connexion      ${AIDANTS.thomas.email}, ${AIDANTS.thomas.prenom} ${AIDANTS.thomas.nom} (${STRUCTURES.figeac.nom})
  Directrice              ${publicUrl}/connexion      ${AIDANTS.nadia.email}, ${AIDANTS.nadia.prenom} ${AIDANTS.nadia.nom}
  Personne aidée          ${publicUrl}/mon-espace     choisissez Odette dans le simulateur de FranceConnect

Ctrl-C arrête tout ; les données restent dans .data (npm start -- --reset repart à neuf).
`
