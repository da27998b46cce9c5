import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { scratch } from '../support/database.ts'
import { ROOT, start } from '../support/processes.ts'

/**
 * Clones of a tiny project: the launcher, one dependency that comes from a file (no network), one patch for it, one target.
 * npm is the real one, without the variables that the npm running these tests hands down.
 */
let pristine: string
let clone: string

const env: NodeJS.ProcessEnv = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_|^NODE_ENV$|^INIT_CWD$/i.test(name)),
)

const cache = scratch('npm')
env.npm_config_cache = cache
env.npm_config_offline = 'true'

const file = (...names: string[]) => path.join(clone, ...names)
const run = (...args: string[]) => start(process.execPath, ['src/install.mjs', ...args], { cwd: clone, env })
const npm = (cwd: string, ...args: string[]) => {
  const done = spawnSync('npm', [...args, '--no-audit', '--no-fund'], { cwd, env, encoding: 'utf8' })
  if (done.status !== 0) throw new Error(done.stderr)
}

const INSTALL = 'Installation des dépendances…\n'
const PATCH = 'Correctif appliqué : patches/voisin-1.2.3.patch\n'
const DONE = 'garde 42 a b\n'

beforeAll(() => {
  pristine = scratch('installation')
  const write = (name: string, text: string) => {
    fs.mkdirSync(path.dirname(path.join(pristine, name)), { recursive: true })
    fs.writeFileSync(path.join(pristine, name), text)
  }
  write('voisin/package.json', JSON.stringify({ name: 'voisin', version: '1.2.3', type: 'module', exports: './index.js' }))
  write('voisin/index.js', "// avant\nexport const garde = 'absente'\n// après\n")
  npm(path.join(pristine, 'voisin'), 'pack', '--pack-destination', '..')
  fs.rmSync(path.join(pristine, 'voisin'), { recursive: true })
  write('package.json', JSON.stringify({ name: 'essai', type: 'module', dependencies: { voisin: 'file:voisin-1.2.3.tgz' } }))
  npm(pristine, 'install', '--package-lock-only')
  write(
    'patches/voisin-1.2.3.patch',
    [
      'Why, in a few words.\n',
      '--- a/index.js',
      '+++ b/index.js',
      '@@ -1,3 +1,3 @@',
      ' // avant',
      "-export const garde = 'absente'",
      "+export const garde = 'garde'",
      ' // après\n',
    ].join('\n'),
  )
  write('src/cible.mjs', "import { garde } from 'voisin'\nconsole.log(garde, 42, ...process.argv.slice(2))\n")
  fs.copyFileSync(path.join(ROOT, 'src/install.mjs'), path.join(pristine, 'src/install.mjs'))
})

afterAll(() => {
  for (const folder of [pristine, cache]) fs.rmSync(folder, { recursive: true, force: true })
})

beforeEach(() => {
  clone = scratch('clone')
  fs.cpSync(pristine, clone, { recursive: true })
})

afterEach(() => fs.rmSync(clone, { recursive: true, force: true, maxRetries: 5 }))

const launch = () => run('src/cible.mjs', 'a', 'b').ended

describe('un clone neuf', () => {
  it('s’installe, se corrige et lance sa cible ; la fois d’après il la lance aussitôt', async () => {
    expect(await launch()).toEqual({ code: 0, output: INSTALL + PATCH + DONE })
    expect(await launch()).toEqual({ code: 0, output: DONE })
    expect(fs.readdirSync(file('.data'))).toEqual([])
  })

  it('deux commandes lancées ensemble n’installent qu’une fois', async () => {
    const outputs = (await Promise.all([launch(), launch()])).map(({ code, output }) => ({ code, output }))
    const all = outputs.map(({ output }) => output).join('')
    expect(outputs.map(({ code }) => code)).toEqual([0, 0])
    expect(all.split(INSTALL)).toHaveLength(2)
    expect(all.split(DONE)).toHaveLength(3)
    expect(all).toContain('Une autre commande installe déjà les dépendances : attente…')
  })

  it('interrompu pendant l’installation, il recommence sans rien attendre', async () => {
    const first = run('src/cible.mjs', 'a', 'b')
    await first.until(INSTALL)
    await sleep(150)
    first.child.kill('SIGINT')
    expect((await first.ended).code).toBe(130)
    expect(await launch()).toEqual({ code: 0, output: INSTALL + PATCH + DONE })
  })

  it('tué pendant l’installation, le suivant attend la fin de npm ou le silence, puis aboutit', async () => {
    const first = run('src/cible.mjs', 'a', 'b')
    await first.until(INSTALL)
    first.child.kill('SIGKILL')
    await first.ended
    const long = new Date(Date.now() - 20_000)
    fs.utimesSync(file('.data/installation'), long, long)
    const second = await launch()
    expect(second.code).toBe(0)
    expect(second.output).toMatch(new RegExp(`${DONE}$`))
  })
})

describe('une installation faite', () => {
  it('par npm ci est gardée telle quelle, et corrigée', async () => {
    npm(clone, 'ci')
    expect(await launch()).toEqual({ code: 0, output: PATCH + DONE })
  })

  it('à laquelle un paquet manque est refaite', async () => {
    await launch()
    fs.rmSync(file('node_modules/voisin'), { recursive: true })
    expect(await launch()).toEqual({ code: 0, output: INSTALL + PATCH + DONE })
  })

  it('pour un autre package-lock.json est refaite', async () => {
    await launch()
    const lock = JSON.parse(fs.readFileSync(file('package-lock.json'), 'utf8'))
    fs.writeFileSync(file('package-lock.json'), JSON.stringify(lock))
    // Only the spelling changed: what is installed still suits.
    expect(await launch()).toEqual({ code: 0, output: DONE })
    fs.rmSync(file('node_modules/.trait-dunion'))
    fs.writeFileSync(
      file('node_modules/.package-lock.json'),
      JSON.stringify({ packages: { 'node_modules/voisin': { version: '1.0.0' } } }),
    )
    expect(await launch()).toEqual({ code: 0, output: INSTALL + PATCH + DONE })
  })

  it('dont le correctif a disparu le retrouve', async () => {
    await launch()
    const source = file('node_modules/voisin/index.js')
    fs.writeFileSync(source, fs.readFileSync(source, 'utf8').replace("'garde'", "'absente'"))
    expect(await launch()).toEqual({ code: 0, output: PATCH + DONE })
  })

  it('que le correctif ne reconnaît pas est refaite', async () => {
    await launch()
    fs.writeFileSync(file('node_modules/voisin/index.js'), "export const garde = 'autre'\n")
    expect(await launch()).toEqual({ code: 0, output: INSTALL + PATCH + DONE })
  })

  it('dont le correctif ne convient pas n’est jamais lancée', async () => {
    const patch = file('patches/voisin-1.2.3.patch')
    const text = fs.readFileSync(patch, 'utf8')
    const refusal = (version: string) =>
      `Le correctif patches/voisin-${version}.patch ne convient pas au code installé, et Trait d'union ne démarre pas sans lui.\n`
    fs.writeFileSync(patch, text.replaceAll('// avant', '// ailleurs'))
    expect(await launch()).toEqual({ code: 1, output: INSTALL + refusal('1.2.3') })
    fs.writeFileSync(patch, text)
    fs.renameSync(patch, file('patches/voisin-1.2.4.patch'))
    expect(await launch()).toEqual({ code: 1, output: INSTALL + refusal('1.2.4') })
  })

  it('impossible dit pourquoi en une phrase', async () => {
    fs.rmSync(file('voisin-1.2.3.tgz'))
    const program = start(process.execPath, ['src/install.mjs'], { cwd: clone, env: { ...env, npm_config_cache: file('cache') } })
    const { code, output } = await program.ended
    expect(code).toBe(1)
    expect(output).toMatch(/L'installation des dépendances a échoué : /)
    expect(fs.readdirSync(file('.data'))).toEqual([])
  })
})

describe('une machine qui ne peut pas installer le dit en une phrase', () => {
  it.each([
    ['npm error code ENOSPC', 'le disque est plein'],
    ['npm error errno EDQUOT', 'le disque est plein'],
    ['npm error code ENOTFOUND', "le registre npm est injoignable, vérifiez l'accès à Internet"],
    ['npm error code EROFS', /^impossible d'écrire dans .*node_modules$/],
    ['npm error code EUSAGE', 'package-lock.json ne correspond pas à package.json'],
    ['npm error quelque chose d’autre', 'npm error quelque chose d’autre'],
  ])('%s', async (said, cause) => {
    const npm = file('npm-cli.js')
    fs.writeFileSync(npm, `console.error(${JSON.stringify(said)})\nprocess.exitCode = 1\n`)
    const { code, output } = await start(process.execPath, ['src/install.mjs', 'src/cible.mjs'], {
      cwd: clone,
      env: { ...env, npm_execpath: npm },
    }).ended
    expect(code).toBe(1)
    expect(output).toMatch(/^Installation des dépendances…\nL'installation des dépendances a échoué : .*\.\n$/)
    expect(output.slice(INSTALL.length + "L'installation des dépendances a échoué : ".length, -2)).toEqual(
      typeof cause === 'string' ? cause : expect.stringMatching(cause),
    )
  })

  it.each([
    ['ENOSPC', /^Le disque est plein : libérez de la place pour .*, puis relancez\.\n$/],
    ['EIO', /^Impossible d'écrire dans .*\.data \(EIO\)\.\n$/],
  ])('%s avant même d’appeler npm', async (code, sentence) => {
    const broken = `import fs from 'node:fs'
      fs.mkdirSync = () => { throw Object.assign(new Error('${code}'), { code: '${code}' }) }`
    const ran = await start(
      process.execPath,
      ['--import', `data:text/javascript,${encodeURIComponent(broken)}`, 'src/install.mjs', 'src/cible.mjs'],
      { cwd: clone, env },
    ).ended
    expect(ran).toEqual({ code: 1, output: expect.stringMatching(sentence) })
  })
})

describe('la cible', () => {
  it('reçoit elle-même les signaux', async () => {
    fs.writeFileSync(
      file('src/cible.mjs'),
      "process.on('SIGTERM', () => process.exit(7))\nsetInterval(() => {}, 1000)\nconsole.log('prête')\n",
    )
    const program = run('src/cible.mjs')
    await program.until('prête')
    program.child.kill('SIGTERM')
    expect((await program.ended).code).toBe(7)
  })

  it('qui échoue montre sa propre erreur', async () => {
    fs.writeFileSync(file('src/cible.mjs'), "throw new Error('panne de la cible')\n")
    const { code, output } = await launch()
    expect(code).toBe(1)
    expect(output).toContain('panne de la cible')
  })

  it('avec --watch, repart à chaque changement une fois la précédente arrêtée, et s’arrête avec elle', async () => {
    const version = (n: number) =>
      fs.writeFileSync(
        file('src/cible.mjs'),
        `setInterval(() => {}, 1000)
         for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => setTimeout(() => { console.log('fin ${n}'); process.exit(0) }, 1000))
         console.log('début ${n}')\n`,
      )
    version(1)
    const program = run('--watch', 'src/cible.mjs')
    await program.until('début 1')
    version(2)
    await program.until('début 2')
    program.child.kill('SIGINT')
    const { code, output } = await program.ended
    expect(code).toBe(0)
    expect(output.slice(output.indexOf('début 1'))).toBe('début 1\nfin 1\ndébut 2\nfin 2\n')
  })

  it('avec --watch, une erreur de frappe n’arrête que la cible', async () => {
    fs.writeFileSync(file('src/cible.mjs'), "throw new Error('faute de frappe')\n")
    const program = run('--watch', 'src/cible.mjs')
    await program.until('faute de frappe')
    fs.writeFileSync(file('src/cible.mjs'), "console.log('corrigée')\n")
    await program.until('corrigée')
    program.child.kill('SIGINT')
    expect((await program.ended).code).toBe(0)
  })
})

it('un Node trop ancien est nommé en une phrase, avant toute installation', async () => {
  const older = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.4' } })`
  const { code, output } = await start(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(older)}`, 'src/install.mjs', 'src/cible.mjs'],
    { cwd: clone, env },
  ).ended
  expect(code).toBe(1)
  expect(output).toMatch(/^Trait d'union demande Node\.js 20\.19 ou plus récent, et celui-ci est le 18\.20\.4.*\n$/)
})
