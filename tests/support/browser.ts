import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BrowserContext, chromium } from 'playwright-core'

export type Look = {
  /** JavaScript of the page; true by default. */
  js?: boolean | undefined
  /** Width of the screen in CSS pixels; 1280 by default, a phone below 500. */
  width?: 320 | 360 | 1280 | undefined
  dark?: boolean | undefined
}
export type TestBrowser = {
  /** A new browser profile: nothing shared with the others. Closed with the browser. */
  context(look?: Look): Promise<BrowserContext>
  /** Ends the browser; fails when a page left this machine, broke the CSP or threw. */
  close(): Promise<void>
}

const LOOPBACK = /^(https?|wss?):\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(\/|$)|^(about|blob|data):/

/** One browser for a test file: `beforeAll(async () => { browser = await openBrowser() })`, `afterAll(() => browser.close())`. */
export const openBrowser = async (): Promise<TestBrowser> => {
  const { executablePath, env } = await findChromium()
  const browser = await chromium.launch({
    executablePath,
    env,
    args: [
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-domain-reliability',
      '--disable-sync',
      '--disable-gpu',
      '--no-pings',
      '--no-first-run',
      '--font-render-hinting=none',
      '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1 , EXCLUDE ::1',
    ],
  })
  const faults: string[] = []
  return {
    async context({ js = true, width = 1280, dark = false } = {}) {
      const phone = width < 500
      const context = await browser.newContext({
        javaScriptEnabled: js,
        viewport: { width, height: phone ? 640 : 800 },
        ...(phone && { deviceScaleFactor: 2, hasTouch: true, isMobile: true }),
        colorScheme: dark ? 'dark' : 'light',
        locale: 'fr-FR',
        timezoneId: 'Europe/Paris',
        reducedMotion: 'reduce',
      })
      context.setDefaultTimeout(10_000)
      context.on('request', (request) => {
        if (!LOOPBACK.test(request.url())) faults.push(`request to the outside: ${request.url()}`)
      })
      context.on('weberror', (fault) => faults.push(`error in a page: ${String(fault.error())}`))
      context.on('console', (message) => {
        if (message.type() === 'error' && /Content Security Policy/i.test(message.text())) faults.push(message.text())
      })
      return context
    },
    async close() {
      await browser.close()
      if (faults.length > 0) throw new Error(`the pages misbehaved:\n${faults.join('\n')}`)
    },
  }
}

/** The program named by CHROMIUM, else the one that came with `npm ci` (Linux x64), with its fonts so that pages look the same everywhere. */
const findChromium = async (): Promise<{ executablePath: string; env: Record<string, string> }> => {
  const env = Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined))
  if (env.CHROMIUM) return { executablePath: env.CHROMIUM, env }
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error('Les tests de navigateur ont besoin de Chromium : donner son chemin dans la variable CHROMIUM.')
  const home = await unpacked()
  const executablePath = join(home, 'chromium')
  const lacking = execFileSync('ldd', [executablePath], { encoding: 'utf8' }).includes('not found')
  return {
    executablePath,
    env: {
      ...env,
      FONTCONFIG_PATH: join(home, 'fonts'),
      ...(lacking && { LD_LIBRARY_PATH: [join(home, 'al2023', 'lib'), env.LD_LIBRARY_PATH].filter(Boolean).join(':') }),
    },
  }
}

/**
 * The package unpacks into the common temporary folder, and two tests starting together would see half a program there: we unpack apart and
 * rename when whole. (Its own launch flags are left aside too: they switch off web security, which is what we come to test.)
 */
const unpacked = async (): Promise<string> => {
  const { default: sparticuz } = await import('@sparticuz/chromium')
  const cache = new URL('../../node_modules/.cache/', import.meta.url).pathname
  const home = join(cache, 'chromium-147')
  if (existsSync(home)) return home
  mkdirSync(cache, { recursive: true })
  const stage = mkdtempSync(join(cache, 'chromium-'))
  const before = { TMPDIR: process.env.TMPDIR, AWS_EXECUTION_ENV: process.env.AWS_EXECUTION_ENV }
  process.env.TMPDIR = stage
  // Makes the package unpack its system libraries as well, for machines that have none.
  process.env.AWS_EXECUTION_ENV = 'AWS_Lambda_nodejs20.x'
  try {
    await sparticuz.executablePath()
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
  writeFileSync(join(stage, 'fonts', 'fonts.conf'), fontsConf(join(home, 'fonts')))
  try {
    renameSync(stage, home)
  } catch (error) {
    if (!existsSync(home)) throw error
    rmSync(stage, { recursive: true })
  }
  return home
}

/** Every family asked for ends in the one font of the package: the file it brings names folders of another machine, and Chromium dies without any font. */
const fontsConf = (folder: string) => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${folder}</dir>
  <cachedir>${folder}/cache</cachedir>
  <match target="pattern"><edit name="family" mode="append" binding="weak"><string>Open Sans</string></edit></match>
</fontconfig>
`
