import { createWriteStream } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Config } from '../config.ts'
import { startDemo } from './demo.ts'
import { demoPages } from './pages.ts'
import { AIDANTS, STRUCTURES } from './people.ts'
import { seed } from './seed.ts'

/** Starts what the service needs around it on this machine, with invented people, and says in French where to go. */
export async function surroundings(args: string[], variables: NodeJS.ProcessEnv) {
  const reset = asksReset(args)
  const port = Number(variables.PORT ?? 3000)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error('PORT doit être un numéro de port, de 1 à 65535.')
  const dataDir = variables.DATA_DIR ?? fileURLToPath(new URL('../../.data', import.meta.url))
  const say = (line: string) => process.stdout.write(`${line}\n`)
  const demo = await startDemo({
    dataDir,
    port,
    reset,
    say,
    seed: (environment) => seed(environment, path.join(dataDir, 'franceconnect.json')),
  })
  let running = false
  const log = createWriteStream(path.join(dataDir, 'service.log'), { flags: 'a' })
  // A full disk loses the log, not the service.
  log.on('error', ({ message }) => say(`service.log ne s'écrit plus : ${message}`))
  return {
    environment: demo.environment,
    // Nothing leaves this machine: the messages are read on /demo.
    deliver: async () => {},
    pages: demoPages,
    write: (line: string) => void log.write(line),
    async stop() {
      await demo.stop()
      if (running) say('Arrêté. Les données sont gardées.')
    },
    ready(config: Config) {
      running = true
      say(welcome(config, variables.DATA_DIR ?? '.data'))
    },
  }
}

/** The one option; whatever else is typed is answered in French, before anything starts. */
function asksReset(args: string[]): boolean {
  const unknown = args.find((arg) => arg !== '--reset')
  if (unknown !== undefined)
    throw new Error(`Option inconnue : ${unknown}. La seule option est --reset, qui repart à neuf : npm start -- --reset`)
  return args.length > 0
}

const welcome = ({ publicUrl }: Config, directory: string) => `
Trait d'union est prêt : ${publicUrl}

  Commencez par           ${publicUrl}/demo   (qui être, les codes du moment, les e-mails et SMS envoyés)
  Aidant                  ${publicUrl}/connexion      ${AIDANTS.thomas.email}, ${AIDANTS.thomas.prenom} ${AIDANTS.thomas.nom} (${STRUCTURES.figeac.nom})
  Référente               ${publicUrl}/connexion      ${AIDANTS.nadia.email}, ${AIDANTS.nadia.prenom} ${AIDANTS.nadia.nom}
  Personne aidée          ${publicUrl}/mon-espace     choisissez Odette dans le simulateur de FranceConnect

Ctrl-C arrête tout ; les données restent dans ${directory} (npm start -- --reset repart à neuf).
`
