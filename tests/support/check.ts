import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { faultsOf, readSources } from './floors.ts'

/** `npm run check`: one line each, what is wrong under the line, exit code 1 when anything is. */
const ROOT = path.resolve(import.meta.dirname, '../..')

const MACHINE = /(?<![\w.~-])(?:\/(?:home|root|tmp|Users)\/[\w.-]+|\/work\b(?:\/[\w.-]+)?)|\bregistry\.[\w-]+\.\w+/g

type Step = [name: string, faults: () => Promise<string[]> | string[]]
const STEPS: Step[] = [
  ['format et lint', biomeFaults],
  ['types', () => run('node_modules/typescript/bin/tsc', '--noEmit', '-p', '.', '--pretty', 'false')],
  ['étages', () => faultsOf(readSources())],
  ['fichiers générés à jour', () => run('src/install.mjs', 'tests/support/generate.ts', '--check')],
  ['package-lock.json sans adresse', lockfileFaults],
  ['aucun chemin ni registre de machine', machineFaults],
]

let failed = 0
for (const [name, faultsOfStep] of STEPS) {
  const faults = await faultsOfStep()
  console.log(`${faults.length === 0 ? 'ok    ' : 'ÉCHEC '} ${name}`)
  for (const line of faults.slice(0, 40)) console.log(`         ${line}`)
  if (faults.length > 40) console.log(`         … et ${faults.length - 40} lignes`)
  if (faults.length > 0) failed++
}
console.log(`${STEPS.length - failed} contrôles réussis, ${failed} en échec`)
process.exitCode = failed > 0 ? 1 : 0

async function biomeFaults(): Promise<string[]> {
  const lines = await run(
    'node_modules/@biomejs/biome/bin/biome',
    'check',
    '--colors=off',
    '--reporter=github',
    '--diagnostic-level=error',
  )
  const short = lines.flatMap((line) => {
    const [, rule, file, at, message] = /^::error title=([^,]+),file=([^,]+),line=(\d+).*?::(.*)$/.exec(line) ?? []
    return rule ? [`${file}:${at} ${rule === 'format' ? 'format' : `${rule} : ${message}`}`] : []
  })
  return short.length > 0 ? short : lines
}

/** Lines a command prints when it fails; none when it succeeds. */
async function run(script: string, ...args: string[]): Promise<string[]> {
  const child = spawn(process.execPath, [path.join(ROOT, script), ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code === 0) return []
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  return lines.length > 0 ? lines : [`${script} s'arrête sans rien dire (${code})`]
}

/** Where a package comes from is the business of whoever installs it. */
function lockfileFaults(): string[] {
  const { packages } = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { resolved?: string; integrity?: string; link?: boolean }>
  }
  return Object.entries(packages).flatMap(([name, { resolved, integrity }]) => [
    ...(resolved ? [`${name} : resolved ${resolved}`] : []),
    ...(name !== '' && !integrity ? [`${name} : sans empreinte`] : []),
  ])
}

/** What only existed on the machine of whoever wrote it. Tests may make temporary folders. */
async function machineFaults(): Promise<string[]> {
  const child = spawn('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let list = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (list += text))
  const code = await new Promise((resolve) => {
    child.once('error', resolve)
    child.once('close', resolve)
  })
  if (code !== 0) return ['git ne liste pas les fichiers de ce dossier']
  return list
    .split('\0')
    .filter((name) => name !== '' && name !== 'package-lock.json' && !name.startsWith('tests/'))
    .flatMap((name) => {
      const text = read(name)
      if (text === undefined || text.includes('\0')) return []
      return text
        .split('\n')
        .flatMap((line, index) => [...line.matchAll(MACHINE)].map(([found]) => `${name}:${index + 1} : ${found}`))
    })
}

/** A file deleted and not yet said so to git has nothing wrong. */
function read(name: string): string | undefined {
  try {
    return readFileSync(path.join(ROOT, name), 'utf8')
  } catch {
    return undefined
  }
}
