import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export type Surroundings = Readonly<Record<string, string | undefined>>

/** The variables, or what the running demonstration leaves in its folder for the commands of its owner. */
export function surroundings(env: Surroundings): Surroundings & { demo: boolean } {
  if (env.DATABASE_AUDITOR_URL || env.DATABASE_ADMIN_URL || env.DATABASE_OPERATOR_URL || env.DATABASE_URL)
    return { ...env, demo: false } as Surroundings & { demo: boolean }
  const directory = env.DATA_DIR ?? fileURLToPath(new URL('../.data', import.meta.url))
  const file = path.join(directory, 'journal.json')
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>) : {}
  return { ...env, ...kept, demo: existsSync(file) } as Surroundings & { demo: boolean }
}
