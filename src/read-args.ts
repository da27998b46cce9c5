import { type ParseArgsConfig, parseArgs } from 'node:util'

/** `parseArgs`, whose refusals are said in French. The print of a key may begin with a dash, as a value or alone: one in sixty-four does (RFC 7638). */
export function readArgs<const T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    const read = config.args?.reduce(withValue(config), [])
    const prints = config.allowPositionals && !read?.includes('--') ? read?.filter(isPrint) : undefined
    const args = prints?.length ? [...read!.filter((arg) => !isPrint(arg)), '--', ...prints] : read
    return parseArgs({ ...config, args } as T)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const [, what = '?'] = /'([^' ]*)[^']*'/.exec(message) ?? []
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw new Error(`${what} n’est pas une option de cette commande.${AIDE}`)
    if (code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') throw new Error(`« ${what} » est de trop.${AIDE}`)
    if (code !== 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') throw error
    throw new Error(`${what} ${/does not take/.test(message) ? 'ne prend pas de valeur' : 'demande une valeur'}.${AIDE}`)
  }
}

const withValue =
  ({ options = {} }: ParseArgsConfig) =>
  (read: readonly string[], arg: string): string[] => {
    const name = read.at(-1) ?? ''
    const isValue = /^-[^-]/.test(arg) && name.startsWith('--') && options[name.slice(2)]?.type === 'string'
    return isValue ? [...read.slice(0, -1), `${name}=${arg}`] : [...read, arg]
  }

const isPrint = (arg: string) => /^-[\w-]{42}$/.test(arg)

const AIDE = ' --help dit comment faire.'

const wantsHelp = (args: readonly string[]): boolean => args.includes('--help') || args.includes('-h')

/** What the work refuses or finds false, in a French sentence: exit code 1. All else that a command throws is 2. */
export const refus = (sentence: string): Error => Object.assign(new Error(sentence), { sortie: 1 })

type Run = (args: string[]) => unknown

/**
 * Runs a command, or the one of its verbs that is asked for; its exit code is the number it answers, else 0. One that throws says why in its
 * sentence: 1 when it refused (`refus`), 2 when it could not be done (wrong usage, a variable, a file or the database out of reach).
 */
export async function runCommand(usage: string, work: Run | Readonly<Record<string, Run>>): Promise<void> {
  const args = process.argv.slice(2)
  const [verb] = args
  const verbs = typeof work === 'function' ? undefined : work
  if (wantsHelp(args) || (verbs && verb === undefined)) return console.log(usage)
  try {
    if (verbs && !Object.hasOwn(verbs, verb!)) throw new Error(usage)
    const code = await (verbs ? verbs[verb!]!(args.slice(1)) : (work as Run)(args))
    if (typeof code === 'number') process.exitCode = code
  } catch (error) {
    console.error(sentenceOf(error as NodeJS.ErrnoException))
    process.exitCode = (error as { sortie?: number }).sortie ?? 2
  }
}

/** What a machine says in English, said in French; our own sentences as they are. */
function sentenceOf({ code = '', path = 'Ce fichier', message }: NodeJS.ErrnoException): string {
  if (/^(DATABASE_UNAVAILABLE|CONNECT|ECONN|ENOTFOUND|ETIMEDOUT)/.test(code))
    return 'La base de données ne répond pas : tourne-t-elle ?'
  if (/^(28|3D)...$/.test(code)) return 'La base refuse cette adresse : son compte, son mot de passe ou son nom est faux.'
  if (code === '42501') return 'Ce rôle de la base n’en a pas le droit.'
  if (code === 'ENOENT') return `${path} n’existe pas.`
  return /^E[A-Z]+$/.test(code) ? `${path} ne se lit pas, ou ne s’écrit pas (${code}).` : message
}
