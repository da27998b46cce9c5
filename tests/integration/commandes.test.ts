import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT, start } from '../support/processes.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'commandes-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A command alone: no service beside it, no variable but those given. */
const run = (name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  start(process.execPath, ['--import', 'tsx', `src/${name}-command.ts`, ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, DATA_DIR: folder, ...env },
  }).ended

const VERBES = ['structure', 'keys', 'messages', 'journal', 'witness', 'mandat']
const SANS_VERBE = ['migrate', 'verify-mandat', 'backup', 'restore']
/** Words of zod, Node and the system that say nothing to who runs the service. */
const ANGLAIS = /\b(invalid|unknown|expected|too (?:small|big)|no such file|error|at file:|undefined)\b/i
const SECONDES = 60_000

describe('une commande mal écrite le dit en français, avec le code 2', () => {
  it(
    'un verbe qu’elle n’a pas, une option qu’elle n’a pas, et --help qui n’est pas une faute',
    async () => {
      const wrong = await Promise.all([
        ...VERBES.map((name) => run(name, ['autre'])),
        ...SANS_VERBE.map((name) => run(name, ['--autre'])),
      ])
      for (const [index, { code, output }] of wrong.entries()) {
        expect([[...VERBES, ...SANS_VERBE][index], code]).toEqual([[...VERBES, ...SANS_VERBE][index], 2])
        expect(output).toMatch(/npm run|n’est pas une option/)
        expect(output).not.toMatch(ANGLAIS)
      }
      const manual = readFileSync(path.join(ROOT, 'docs/exploitation.md'), 'utf8')
      for (const { code, output } of await Promise.all([...VERBES, ...SANS_VERBE].map((name) => run(name, ['--help'])))) {
        expect(code).toBe(0)
        expect(output).toMatch(/npm run[\s\S]*Code de sortie/)
        // A variable that a command names is in the operator's manual too.
        const variables = output.match(/\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? []
        expect(variables.filter((name) => !manual.includes(`\`${name}\``) && !manual.includes(`${name}=`))).toEqual([])
      }
    },
    SECONDES,
  )

  it(
    'une valeur trop courte, un fichier absent, un dossier pour un fichier, une base qui ne répond pas',
    async () => {
      const DATABASE_AUDITOR_URL = 'postgres://a:b@127.0.0.1:9/x'
      const absent = path.join(folder, 'absent')
      const said = await Promise.all([
        run('structure', [
          'add',
          '--nom',
          'X',
          '--siret',
          '12',
          '--adresse',
          'rue',
          '--telephone',
          '1',
          '--email',
          'a',
          '--prenom',
          ' ',
        ]),
        run('journal', ['verify', '--bundle', absent]),
        run('journal', ['verify', '--preuves', absent]),
        run('journal', ['verify', '--preuves', folder]),
        run('journal', ['verify', '--cle', 'fausse'], { DATABASE_AUDITOR_URL }),
        run('verify-mandat', ['e30.e30.e30', '--fc-jwks', absent]),
        run('restore', [absent]),
        run('messages', ['list'], { DATABASE_URL: 'postgres://a:b@127.0.0.1:9/x' }),
      ])
      for (const { code, output } of said) {
        expect([code, output]).toEqual([2, output])
        expect(output).not.toMatch(ANGLAIS)
      }
      expect(said[0]!.output).toMatch(/--nom est trop court[\s\S]*--siret doit être fait[\s\S]*--prenom manque/)
      expect(said[1]!.output).toBe(`${absent} n’existe pas.\n`)
      expect(said[3]!.output).toBe('Ce fichier ne se lit pas, ou ne s’écrit pas (EISDIR).\n')
    },
    SECONDES,
  )
})
