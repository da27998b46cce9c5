// node src/install.mjs [--watch] TARGET [arguments]: installs what package-lock.json says when it is missing, then runs TARGET in
// this very process. Plain JavaScript and Node's own modules only: nothing is installed yet when it starts.

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const MODULES = path.join(ROOT, 'node_modules')
const STAMP = path.join(MODULES, '.trait-dunion')
const PATCHES = path.join(ROOT, 'patches')
const LOCK = path.join(ROOT, '.data', 'installation')
const NODE = [20, 19]
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']

class Sentence extends Error {}

await main(process.argv.slice(2)).catch((error) => {
  if (!(error instanceof Sentence)) throw error
  console.error(error.message)
  process.exit(1)
})

async function main([first, ...rest]) {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < NODE[0] || (major === NODE[0] && minor < NODE[1])) {
    throw new Sentence(
      `Trait d'union demande Node.js ${NODE.join('.')} ou plus récent, et celui-ci est le ${process.versions.node} : https://nodejs.org/fr/download`,
    )
  }
  if (first === '--watch') return watch(rest)

  await install()
  if (first === undefined) return
  const target = path.resolve(ROOT, first)
  process.argv = [process.execPath, target, ...rest]
  // From 22.18 on, Node reads our TypeScript by itself.
  if (target.endsWith('.ts') && !process.features.typescript) (await import('tsx/esm/api')).register()
  // A failing target must look as if it had been run directly: its errors are not ours to catch.
  import(pathToFileURL(target).href)
}

async function install() {
  const lock = fs.readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')
  const withoutDev = process.env.NODE_ENV === 'production' || /\bdev\b/.test(process.env.npm_config_omit ?? '')
  const packages = wantedPackages(JSON.parse(lock).packages, withoutDev)
  const stamp = createHash('sha256').update(`${lock} ${process.platform}-${process.arch} ${withoutDev}`).digest('hex')
  if (isInstalled(packages, stamp) && patchedFiles().every(({ before, after }) => before !== undefined && before === after))
    return

  const release = await takeLock()
  try {
    // A patch that finds neither its text nor its result may have met an older patch's: the package is then laid down afresh.
    const suits = isInstalled(packages, stamp) || matchesLock(packages)
    if (!suits || patchedFiles().some(({ after }) => after === undefined)) await npmCi(withoutDev)
    applyPatches()
    writeStamp(stamp)
  } finally {
    release()
  }
}

/** The entries of the lockfile this machine needs; among the optional ones, only those built for it. */
function wantedPackages(packages, withoutDev) {
  const allows = (list, value) =>
    !list || list.includes(value) || (list.every((one) => one[0] === '!') && !list.includes(`!${value}`))
  return Object.entries(packages).filter(
    ([where, entry]) =>
      where !== '' &&
      !(withoutDev && (entry.dev || entry.devOptional)) &&
      allows(entry.os, process.platform) &&
      allows(entry.cpu, process.arch) &&
      !entry.libc &&
      (!entry.optional || entry.os || entry.cpu),
  )
}

function isInstalled(packages, stamp) {
  if (readIfThere(STAMP) !== stamp) return false
  // Optional packages may have been left out on purpose (npm ci --omit=optional).
  return packages.every(([where, entry]) => entry.optional || fs.existsSync(path.join(ROOT, where, 'package.json')))
}

/** True when someone already ran `npm ci` or `npm install` themselves: npm writes this list last. */
function matchesLock(packages) {
  const text = readIfThere(path.join(MODULES, '.package-lock.json'))
  if (!text) return false
  const installed = JSON.parse(text).packages
  return packages.every(
    ([where, { version, integrity }]) =>
      installed[where]?.version === version &&
      installed[where].integrity === integrity &&
      fs.existsSync(path.join(ROOT, where, 'package.json')),
  )
}

async function npmCi(withoutDev) {
  console.log('Installation des dépendances…')
  // No package of ours needs its install script: PostgreSQL's links are made when it starts.
  const options = ['ci', '--no-audit', '--no-fund', '--ignore-scripts', ...(withoutDev ? ['--omit=dev'] : [])]
  const cli = process.env.npm_execpath ?? ''
  const [command, ...before] = cli.endsWith('npm-cli.js') ? [process.execPath, cli] : ['npm']
  const npm = spawn(command, [...before, ...options], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  process.once('exit', () => npm.kill('SIGKILL'))
  if (npm.pid) fs.writeFileSync(path.join(LOCK, 'npm'), String(npm.pid))
  let output = ''
  for (const stream of [npm.stdout, npm.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  const code = await new Promise((resolve) => {
    npm.once('error', (error) => resolve(error.code))
    npm.once('close', resolve)
  })
  if (code === 0) return
  if (code === 'ENOENT') throw new Sentence('La commande npm est introuvable : installez-la avec Node.js, puis relancez.')
  const causes = [
    [/ENOSPC|EDQUOT/, 'le disque est plein'],
    [
      /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ECONNRESET/,
      "le registre npm est injoignable, vérifiez l'accès à Internet",
    ],
    [/EACCES|EPERM|EROFS/, `impossible d'écrire dans ${MODULES}`],
    [/EUSAGE/, 'package-lock.json ne correspond pas à package.json'],
  ]
  const cause = causes.find(([pattern]) => pattern.test(output))?.[1] ?? output.trim().split('\n').slice(-5).join('\n')
  throw new Sentence(`L'installation des dépendances a échoué : ${cause}.`)
}

/**
 * Every file a patch changes, as it is and as it must be: undefined where the patch does not fit. A patch is named
 * PACKAGE-VERSION.patch; its hunks must match exactly.
 */
function patchedFiles() {
  return fs
    .readdirSync(PATCHES)
    .filter((name) => name.endsWith('.patch'))
    .flatMap((name) => {
      const [, packageName, version] = /^(.+)-(\d+\.\d+\.\d+)\.patch$/.exec(name)
      const folder = path.join(MODULES, packageName)
      const fits = JSON.parse(readIfThere(path.join(folder, 'package.json')) ?? '{}').version === version
      const [, ...files] = fs.readFileSync(path.join(PATCHES, name), 'utf8').split(/^--- a\//m)
      return files.map((text) => {
        const [header, ...hunks] = text.split(/^@@ .*\n/m)
        const file = path.join(folder, header.split('\n')[0].trim())
        const before = fits ? readIfThere(file) : undefined
        return { name, file, before, after: hunks.reduce(applyHunk, before) }
      })
    })
}

function applyHunk(content, hunk) {
  const lines = hunk.replace(/\n$/, '').split('\n')
  const side = (sign) =>
    lines
      .filter((line) => line[0] === ' ' || line[0] === sign || line === '')
      .map((line) => line.slice(1))
      .join('\n')
  if (content === undefined || content.includes(side('+'))) return content
  return content.split(side('-')).length === 2 ? content.replace(side('-'), () => side('+')) : undefined
}

function applyPatches() {
  for (const { name, file, before, after } of patchedFiles()) {
    if (after === undefined) {
      throw new Sentence(
        `Le correctif patches/${name} ne convient pas au code installé, et Trait d'union ne démarre pas sans lui.`,
      )
    }
    if (before === after) continue
    console.log(`Correctif appliqué : patches/${name}`)
    const draft = `${file}.${process.pid}`
    try {
      fs.writeFileSync(draft, after)
      fs.renameSync(draft, file)
    } catch (error) {
      throw new Sentence(
        `Le correctif patches/${name} manque et ne peut pas être écrit (${error.code}) : lancez une fois « node src/install.mjs ».`,
      )
    }
  }
}

function writeStamp(stamp) {
  try {
    fs.writeFileSync(STAMP, stamp)
  } catch (error) {
    // Read-only modules (an image run by another account): they have just been checked, and will be each time.
    if (!['EACCES', 'EPERM', 'EROFS'].includes(error.code)) throw error
  }
}

/**
 * One installation at a time. The holder touches its folder every second; ten seconds of silence mean that it was killed, and its
 * npm, which may have outlived it, is then given time to finish. Returns the release.
 */
async function takeLock() {
  let told = false
  for (;;) {
    try {
      fs.mkdirSync(path.dirname(LOCK), { recursive: true, mode: 0o700 })
      fs.mkdirSync(LOCK)
      break
    } catch (error) {
      if (['EACCES', 'EPERM', 'EROFS'].includes(error.code) && isReadOnly(MODULES)) return () => {}
      if (error.code === 'ENOSPC') throw new Sentence(`Le disque est plein : libérez de la place pour ${ROOT}, puis relancez.`)
      if (error.code !== 'EEXIST') throw new Sentence(`Impossible d'écrire dans ${path.dirname(LOCK)} (${error.code}).`)
    }
    const silence = Date.now() - (fs.statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
    if (silence > 180_000 || (silence > 10_000 && !isAlive(Number(readIfThere(path.join(LOCK, 'npm')))))) {
      fs.rmSync(LOCK, { recursive: true, force: true })
    } else {
      if (!told) console.log('Une autre commande installe déjà les dépendances : attente…')
      told = true
      await sleep(100)
    }
  }
  const beat = setInterval(() => fs.utimesSync(LOCK, new Date(), new Date()), 1000)
  const release = () => {
    clearInterval(beat)
    fs.rmSync(LOCK, { recursive: true, force: true })
  }
  const interrupted = () => process.exit(130)
  process.once('exit', release)
  for (const signal of SIGNALS) process.once(signal, interrupted)
  return () => {
    release()
    process.off('exit', release)
    for (const signal of SIGNALS) process.off(signal, interrupted)
  }
}

function isAlive(pid) {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function isReadOnly(folder) {
  try {
    fs.accessSync(folder, fs.constants.W_OK)
    return false
  } catch {
    return true
  }
}

function readIfThere(file) {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined
}

/** Runs the target in a child and starts it anew after each change, once the former has stopped its own children. */
async function watch(args) {
  let child
  let ended = Promise.resolve()
  let stopping = false
  let timer
  const start = () => {
    child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...args], { stdio: 'inherit' })
    ended = new Promise((resolve) => child.once('exit', resolve))
  }
  const restart = async () => {
    child.kill('SIGTERM')
    await ended
    if (!stopping) start()
  }
  for (const folder of ['src', 'views', 'sql', 'public']) {
    const full = path.join(ROOT, folder)
    if (!fs.existsSync(full)) continue
    fs.watch(full, { recursive: true }, () => {
      clearTimeout(timer)
      timer = setTimeout(restart, 100)
    })
  }
  for (const signal of SIGNALS) {
    process.on(signal, async () => {
      stopping = true
      child.kill(signal)
      process.exit((await ended) ?? 0)
    })
  }
  start()
}
