import { type ParseArgsConfig, parseArgs } from 'node:util'

/** `parseArgs`, whose refusals are said in French. */
export function readArgs<const T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const [, what = '?'] = /'([^' ]*)[^']*'/.exec(message) ?? []
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw new Error(`${what} n’est pas une option de cette commande.${AIDE}`)
    if (code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') throw new Error(`« ${what} » est de trop.${AIDE}`)
    if (code !== 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') throw error
    throw new Error(`${what} ${/does not take/.test(message) ? 'ne prend pas de valeur' : 'demande une valeur'}.${AIDE}`)
  }
}

const AIDE = ' --help dit comment faire.'

export const wantsHelp = (args: readonly string[]): boolean => args.includes('--help') || args.includes('-h')

/** A command without verbs: says what it is for, or does its work; a failure is said in its sentence, with exit code 1. */
export async function runCommand(usage: string, run: (args: string[]) => Promise<void>): Promise<void> {
  const args = process.argv.slice(2)
  if (wantsHelp(args)) return console.log(usage)
  await run(args).catch((error: Error) => {
    console.error(error.message)
    process.exitCode = 1
  })
}
