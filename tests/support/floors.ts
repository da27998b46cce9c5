import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const ROOT = path.resolve(import.meta.dirname, '../..')

/** On one floor, imports go towards an earlier noun only. A new folder of src finds its place here. */
const NOUNS = 'http journal notification structure aidant usager oidc mandat demarche papier verification audit'.split(' ')

type Sources = Record<string, string>
type Import = { from: string; kind: 'import' | 'type' | 'dynamic' | 'reexport' }

/** Every file of src and views, by its path from the root. */
export function readSources(): Sources {
  const files = ['src', 'views'].flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map(
      (name) => `${folder}/${name.replaceAll('\\', '/')}`,
    ),
  )
  return Object.fromEntries(
    files.filter((name) => /\.(ts|mjs)$/.test(name)).map((name) => [name, readFileSync(path.join(ROOT, name), 'utf8')]),
  )
}

/** What in these sources breaks the house's layout, one English sentence each; empty when nothing does. */
export function faultsOf(sources: Sources): string[] {
  const { dependencies } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  const files = Object.entries(sources).map(([name, text]) => ({ name, code: withoutComments(text) }))
  const importsOf = new Map(files.map(({ name, code }) => [name, listImports(code)]))
  const floorOf = floors(importsOf)
  return files.flatMap(({ name, code }) => {
    const faults: string[] = []
    const say = (fault: string) => faults.push(`${name}: ${fault}`)
    const noun = nounOf(name)
    if (noun && !NOUNS.includes(noun)) say(`the noun ${noun} has no place in the order`)
    if (/(^|[/.-])(utils?|helpers?|common|services?|managers?|index)([./-]|$)/i.test(name)) say('name that says nothing')
    if (!isTop(name)) for (const [word] of code.matchAll(OUTSIDE)) if (!EXCEPTIONS[name]?.test(word)) say(`${word} below app.ts`)
    for (const { from, kind } of importsOf.get(name)!) {
      if (!from.startsWith('.')) {
        const known = from.startsWith('node:') || packageOf(from) in dependencies
        if (!known && !name.startsWith('src/demo/')) say(`${from} is an alias or not a dependency of production`)
        if (from === 'postgres' && !/^src\/(db|migrate|migrate-command)\.ts$|^src\/demo\//.test(name))
          say('the driver belongs to db.ts')
        continue
      }
      if (!/\.(ts|mjs|json)$/.test(from)) say(`${from} has no extension`)
      if (kind === 'reexport') say(`barrel: export from ${from}`)
      const target = path.posix.join(path.posix.dirname(name), from)
      if (target.startsWith('src/demo/') && !name.startsWith('src/demo/') && !(DEMO_FROM.test(name) && kind === 'dynamic'))
        say(`${target} is for main.ts and the two commands alone, and not before it is needed`)
      const upward = refusedImport(name, target, kind, floorOf)
      if (upward) say(upward)
    }
    return faults
  })
}

/** The clock, randomness and configuration come from outside. */
const OUTSIDE =
  /process\.env|new Date\(\s*\)|\bDate\.now|Math\.random|\b(?:randomBytes|randomUUID|randomInt|randomFillSync|getRandomValues)\b/g
const EXCEPTIONS: Record<string, RegExp> = {
  'src/db.ts': /^random(Bytes|Int)$/, // what tx.random gives when no test says otherwise; the wait before a retry
  'src/http/log.ts': /^new Date/, // a line is written when the database is down too
  'src/http/health.ts': /^Date\.now$/, // how far this machine's clock is from the database's
  'src/migrate.ts': /^randomBytes$/, // the salt of a role's password
}

const nounOf = (name: string) => /^src\/([^/]+)\//.exec(name)?.[1]?.replace(/^demo$/, '')
/** Where configuration, clock and randomness come in. */
const isTop = (name: string) =>
  /^src\/(install\.mjs|main\.ts|app\.ts|config\.ts)$|^src\/demo\/|^src\/([\w-]+-)?command\.ts$|^src\/[^/]+\/command\.ts$/.test(
    name,
  )
const packageOf = (from: string) =>
  from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/')

/** What starts, backs up and restores the embedded database as well as a real one. */
const DEMO_FROM = /^src\/(?:main|backup-command|restore-command)\.ts$/

const RULES = 0
const QUERIES = 1
const USE_CASES = 2
const VIEWS = 3
const ROUTES = 4
const APP = 5
const FLOORS = ['rules', 'queries', 'use cases', 'views', 'routes', 'app']

/** By its name when it has one; otherwise a file that reads nothing is a rule, and one that touches the database a use case. */
function floors(importsOf: Map<string, Import[]>): (name: string) => number {
  const known = new Map<string, number>()
  const floorOf = (name: string) => named(name) ?? known.get(name) ?? RULES
  const computed = (name: string) => {
    const reached = importsOf.get(name)!.map(({ from, kind }) => {
      const target = path.posix.join(path.posix.dirname(name), from)
      if (target === 'src/db.ts') return USE_CASES // even by a type alone: it is handed a transaction
      return kind === 'type' ? RULES : floorOf(target)
    })
    const highest = Math.max(RULES, ...reached)
    // Only the HTTP edge draws pages (errors, refusals) outside a routes.ts.
    if (highest >= VIEWS) return nounOf(name) === 'http' ? ROUTES : USE_CASES
    return highest === QUERIES ? USE_CASES : highest
  }
  // Until nothing moves, since what a file is depends on what it imports.
  for (let moved = true; moved; ) {
    moved = false
    for (const name of importsOf.keys()) {
      const floor = computed(name)
      if (floor === (known.get(name) ?? RULES)) continue
      known.set(name, floor)
      moved = true
    }
  }
  return floorOf
}

function named(name: string): number | undefined {
  const [, noun, file] = /^src\/(?:([^/]+)\/)?(?:.*\/)?([^/]+)\.\w+$/.exec(name) ?? []
  if (name.startsWith('views/')) return VIEWS
  if (isTop(name)) return name === 'src/config.ts' ? RULES : APP
  if (file === undefined) return RULES // a package
  if (/^(.+-)?routes$/.test(file)) return ROUTES
  if (!noun) return file === 'worker' ? APP : RULES // db.ts, form.ts, rows.ts, migrate.ts
  if (file === noun || file === 'forms') return RULES
  return /^(.+-)?queries$|^mine$/.test(file) ? QUERIES : undefined // mine(tx) is a piece of query
}

function refusedImport(
  name: string,
  target: string,
  kind: Import['kind'],
  floorOf: (name: string) => number,
): string | undefined {
  const [from, to] = [floorOf(name), floorOf(target)]
  if (name.startsWith('views/')) {
    const near = path.posix.dirname(target) === path.posix.dirname(name)
    // Below the pages, what rows and refusals look like, and nothing that runs.
    const shape = kind === 'type' && to < VIEWS
    return target.startsWith('views/kit/') || near || shape || (to === RULES && nounOf(target))
      ? undefined
      : `a view runs rules and kit only, not ${target}`
  }
  // The edge's own files share the type of what they put in the request's context.
  if (to > from && !(kind === 'type' && nounOf(name) === 'http'))
    return `${FLOORS[from]} may not import ${target} (${FLOORS[to]})`
  if (from === RULES && nounOf(name) && target === 'src/db.ts' && kind !== 'type') return 'rules are pure: no database'
  const [noun, other] = [nounOf(name), nounOf(target)]
  if (from === to && from < APP && noun && other && noun !== other && NOUNS.indexOf(other) > NOUNS.indexOf(noun))
    return `${noun} comes before ${other}: ${target}`
  return undefined
}

function listImports(code: string): Import[] {
  const imports: Import[] = []
  for (const [, word, type, from] of code.matchAll(/^\s*(import|export)\s+(type\s+)?[^'";=()]*?from\s*['"]([^'"]+)['"]/gm))
    imports.push({ from: from!, kind: word === 'export' ? 'reexport' : type ? 'type' : 'import' })
  for (const [, from] of code.matchAll(/^\s*import\s*['"]([^'"]+)['"]/gm)) imports.push({ from: from!, kind: 'import' })
  for (const [, from] of code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g)) imports.push({ from: from!, kind: 'dynamic' })
  return imports
}

const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')
