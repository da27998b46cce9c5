import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import path from 'node:path'
import postgres from 'postgres'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import { type DemoOptions, startDemo } from '../../src/demo/demo.ts'
import { AIDANTS, codeOf } from '../../src/demo/people.ts'
import { seed as people } from '../../src/demo/seed.ts'
import { surroundings } from '../../src/demo/start.ts'
import { scratch } from '../support/database.ts'
import { freePort } from '../support/live.ts'
import { start as launch, type Program, ROOT, startScript } from '../support/processes.ts'

let port: number
let model: string
let dataDir: string
let said: string[] = []

/** The data of a demo already started once, for the tests that are not about the first start. */
const startedBefore = () => spawnSync('cp', ['-a', model, dataDir])

beforeAll(async () => {
  model = path.join(scratch('modele'), '.data')
  dataDir = model
  port = await freePort()
  await (await start({ seed: (environment) => people(environment, path.join(dataDir, 'franceconnect.json')) })).stop()
})

afterAll(() => fs.rmSync(path.dirname(model), { recursive: true, force: true }))

beforeEach(() => {
  dataDir = path.join(scratch('demo'), '.data')
  said = []
})

// A server may still be writing its last files there.
afterEach(() => fs.rmSync(path.dirname(dataDir), { recursive: true, force: true, maxRetries: 20 }))

const start = (options: Partial<DemoOptions> = {}) =>
  startDemo({ dataDir, port, reset: false, say: (line) => said.push(line), ...options })

const inAnotherProcess = () =>
  startScript(
    `import { startDemo } from '@/src/demo/demo.ts'
     const demo = await startDemo({ dataDir: ${JSON.stringify(dataDir)}, port: ${port}, reset: false, say: console.log })
     console.log('prête ' + JSON.stringify(demo.environment) + ' .')`,
  )

const query = async (url: string, text: string) => {
  const sql = postgres(url, { max: 1, onnotice: () => {}, backoff: false })
  try {
    return [...((await sql.unsafe(text)) as Record<string, unknown>[])]
  } finally {
    await sql.end({ timeout: 5 })
  }
}

describe('la démonstration', () => {
  it('donne au vrai code tout ce qu’il lui faut, garde données et secrets, et ne se remplit qu’une fois', async () => {
    const seeds: string[] = []
    const seed = async ({ DATABASE_ADMIN_URL }: Record<string, string>) => {
      seeds.push(DATABASE_ADMIN_URL!)
      await query(DATABASE_ADMIN_URL!, 'create table graine (n int); insert into graine values (7)')
    }
    const first = await start({ seed })
    const config = parseConfig({ ...first.environment, SMTP_URL: 'smtp://127.0.0.1:1', MAIL_FROM: 'demo@exemple.fr' })
    expect(config.mode).toBe('demo')
    const discovery = await fetch(`${config.franceconnect.issuer}/.well-known/openid-configuration`)
    expect(await discovery.json()).toMatchObject({ issuer: config.franceconnect.issuer })
    expect(await query(config.database.url, 'select current_user as me, horloge() is not null as clock')).toEqual([
      { me: 'traitdunion_app', clock: true },
    ])
    await first.stop()

    const second = await start({ seed })
    for (const name of ['SEAL_KEYS', 'SECRETS_KEY', 'FRANCECONNECT_CLIENT_SECRET', 'FRANCECONNECT_ISSUER'])
      expect(second.environment[name]).toBe(first.environment[name])
    expect(await query(second.environment.DATABASE_ADMIN_URL!, 'select n from graine')).toEqual([{ n: 7 }])
    await second.stop()
    expect(seeds).toHaveLength(1)

    const third = await start({ seed, reset: true })
    expect(third.environment.SECRETS_KEY).not.toBe(first.environment.SECRETS_KEY)
    expect(seeds).toHaveLength(2)
    await third.stop()
    expect(fs.existsSync(path.join(dataDir, 'instance'))).toBe(false)
  })

  it('refuse d’être prise pour une production', async () => {
    startedBefore()
    const demo = await start()
    await demo.stop()
    const production = { ...demo.environment, MODE: 'production', SMTP_URL: 'smtp://127.0.0.1:1', MAIL_FROM: 'demo@exemple.fr' }
    expect(() => parseConfig(production)).toThrow(/DATABASE_URL[\s\S]*FRANCECONNECT_CLIENT_ID/)
  })

  it('garde ses secrets pour elle seule', async () => {
    startedBefore()
    fs.chmodSync(dataDir, 0o755)
    await (await start()).stop()
    expect(fs.statSync(dataDir).mode & 0o777).toBe(0o700)
    for (const name of ['demo.json', 'franceconnect.json', 'postgres/password'])
      expect(fs.statSync(path.join(dataDir, name)).mode & 0o777).toBe(0o600)
  })

  it('interrompue pendant son remplissage, recommence sur une base vide', async () => {
    const broken = start({
      seed: async ({ DATABASE_ADMIN_URL }) => {
        await query(DATABASE_ADMIN_URL!, 'create table graine (n int)')
        throw new Error('coupée')
      },
    })
    await expect(broken).rejects.toThrow('coupée')
    const demo = await start({
      seed: async ({ DATABASE_ADMIN_URL }) => void (await query(DATABASE_ADMIN_URL!, 'create table graine (n int)')),
    })
    await demo.stop()
  })

  it('dont une migration a changé propose de repartir à neuf', async () => {
    startedBefore()
    const demo = await start()
    await query(demo.environment.DATABASE_ADMIN_URL!, `update migration set sha256 = 'autre' where name like '0001%'`)
    await demo.stop()
    await expect(start()).rejects.toThrow(/La migration 0001_\w+\.sql a changé .* npm start -- --reset$/)
    await (await start({ reset: true })).stop()
  })

  it('dont les secrets ont disparu propose de repartir à neuf', async () => {
    startedBefore()
    fs.rmSync(path.join(dataDir, 'demo.json'))
    await expect(start()).rejects.toThrow('npm start -- --reset')
  })

  it('dont le port du simulateur est pris en choisit un autre et le dit', async () => {
    const { createServer } = await import('node:http')
    startedBefore()
    const { port } = JSON.parse(fs.readFileSync(path.join(dataDir, 'demo.json'), 'utf8')).franceconnect
    const other = createServer().listen(port, '127.0.0.1')
    const demo = await start()
    expect(said.at(-1)).toMatch(new RegExp(`^Le port ${port} est pris`))
    expect(demo.environment.FRANCECONNECT_ISSUER).not.toContain(`:${port}`)
    await demo.stop()
    other.close()
  })
})

describe('npm start', () => {
  const running: Program[] = []
  const npmStart = (folder = dataDir) => {
    const program = launch(process.execPath, ['src/install.mjs', 'src/main.ts'], {
      cwd: ROOT,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, PORT: String(port), DATA_DIR: folder },
      detached: true,
    })
    running.push(program)
    return program
  }
  /** What a terminal does: everything that was started in it is told. */
  const ctrlC = ({ child }: Program) => process.kill(-child.pid!, 'SIGINT')
  afterEach(async () => {
    for (const { child, ended } of running.splice(0)) {
      child.kill('SIGKILL')
      await ended
    }
  })

  it('dit où cliquer et qui être, envoie les messages sur /demo ; Ctrl-C arrête tout, et les données sont là la fois d’après', async () => {
    startedBefore()
    const url = `http://localhost:${port}`
    const first = npmStart()
    await first.until('repart à neuf).\n')
    const { nadia, thomas } = AIDANTS
    for (const words of [
      `Trait d'union est prêt : ${url}\n`,
      `${url}/demo   (qui être, les codes du moment, les e-mails et SMS envoyés)`,
      new RegExp(`Aidant +${url}/connexion +${thomas.email}, Thomas Lacombe \\(CCAS de Figeac\\)`),
      new RegExp(`Référente +${url}/connexion +${nadia.email}, Nadia Belkacem`),
      new RegExp(`Personne aidée +${url}/mon-espace +choisissez Odette dans le simulateur de FranceConnect`),
      `Ctrl-C arrête tout ; les données restent dans ${dataDir} (npm start -- --reset repart à neuf).`,
    ])
      expect(first.output()).toMatch(words)
    // Every address that it says leads somewhere.
    for (const [address] of first.output().matchAll(/http:\S+/g))
      expect([address, (await fetch(address)).status]).toEqual([address, 200])
    expect(await (await fetch(`${url}/`)).text()).toContain('Trait d’union')

    const demo = () => fetch(`${url}/demo`).then((page) => page.text())
    const CODE = /Bonjour Nadia,<\/p><p>Votre code de connexion à Trait d’union\s: \d{3}\s\d{3}</
    expect(await demo()).toContain(nadia.email)
    expect(await demo()).not.toMatch(CODE)
    await fetch(`${url}/connexion`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: url, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ email: nadia.email, code: codeOf('nadia', new Date()) }).toString(),
    })
    await expect.poll(demo, { timeout: 20_000 }).toMatch(CODE)

    const other = path.join(path.dirname(dataDir), 'autre')
    spawnSync('cp', ['-a', model, other])
    expect(await npmStart(other).ended).toEqual({
      code: 1,
      output: expect.stringMatching(
        new RegExp(
          `^Le port ${port} est déjà pris : fermez l'autre programme, ou choisissez-en un autre avec PORT=3100 npm start\\.\n$`,
          'm',
        ),
      ),
    })
    expect((await fetch(url)).status).toBe(200)

    ctrlC(first)
    expect(await first.ended).toEqual({ code: 0, output: expect.stringMatching(/\nArrêté\. Les données sont gardées\.\n$/) })
    await expect(fetch(url)).rejects.toThrow()

    const second = npmStart()
    await second.until('est prêt')
    expect(await demo()).toMatch(CODE)
    ctrlC(second)
    expect((await second.ended).code).toBe(0)
  })
})

describe('deux instances', () => {
  it('la seconde le dit, n’efface rien et ne dérange pas la première', async () => {
    startedBefore()
    const program = inAnotherProcess()
    const { DATABASE_URL } = JSON.parse(/prête (.*) \./.exec(await program.until(' .\n'))![1]!)
    const sentence = new RegExp(`^Trait d'union tourne déjà \\(processus ${program.child.pid}\\) avec les données de .*`)
    await expect(start()).rejects.toThrow(sentence)
    await expect(start({ reset: true })).rejects.toThrow(sentence)
    expect(await query(DATABASE_URL, 'select 1 as un')).toEqual([{ un: 1 }])
    program.child.kill('SIGKILL')
    await program.ended

    const demo = await start()
    await demo.stop()
  })

  it('lancées à la même seconde, une seule démarre', async () => {
    startedBefore()
    const results = await Promise.allSettled(
      [inAnotherProcess(), inAnotherProcess(), inAnotherProcess()].map((program) =>
        program.until(/ \.\n|déjà/).then((output) => ({ program, started: output.includes('prête') })),
      ),
    )
    const programs = results.map(
      (result) => (result as PromiseFulfilledResult<{ program: ReturnType<typeof inAnotherProcess>; started: boolean }>).value,
    )
    expect(programs.filter(({ started }) => started)).toHaveLength(1)
    for (const { program } of programs) {
      program.child.kill('SIGKILL')
      await program.ended
    }
  })

  it('une option inconnue ou un port impossible sont refusés en français, avant que rien ne démarre', async () => {
    await expect(surroundings(['--rest'], { DATA_DIR: dataDir })).rejects.toThrow(
      'Option inconnue : --rest. La seule option est --reset, qui repart à neuf : npm start -- --reset',
    )
    for (const PORT of ['abc', '0', '65536', '80.5'])
      await expect(surroundings([], { DATA_DIR: dataDir, PORT })).rejects.toThrow(
        'PORT doit être un numéro de port, de 1 à 65535.',
      )
    expect(fs.existsSync(dataDir)).toBe(false)
  })

  it('un verrou laissé par un processus tué, ou dont le numéro a resservi, n’empêche rien', async () => {
    startedBefore()
    fs.mkdirSync(path.join(dataDir, 'instance'))
    fs.writeFileSync(path.join(dataDir, 'instance/processus'), `${process.ppid} un autre départ`)
    await (await start()).stop()
  })
})
