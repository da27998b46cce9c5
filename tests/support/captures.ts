import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'
import { AIDANTS, type AidantKey, codeOf } from '../../src/demo/people.ts'
import { openBrowser } from './browser.ts'
import { ROOT, start } from './processes.ts'

/** `npm run captures`: the three pictures of the README, taken from a demonstration that has just begun. */
const FOLDER = path.join(ROOT, 'docs', 'captures')

const directory = mkdtempSync(path.join(tmpdir(), 'traitdunion-captures-'))
const port = await freePort()
const url = `http://localhost:${port}`
const demo = start(process.execPath, ['src/install.mjs', 'src/main.ts'], {
  cwd: ROOT,
  env: { ...process.env, PORT: String(port), DATA_DIR: directory },
})
const browser = await openBrowser()
try {
  await demo.until(/est prêt/)
  mkdirSync(FOLDER, { recursive: true })

  const aidante = await signIn(await browser.context(), 'ines')
  await aidante.goto(`${url}/personnes?q=josiane`)
  await aidante.locator('#resultats tbody a').first().click()
  await shoot(aidante, 'aidante.png')

  const personne = await (await browser.context({ width: 360 })).newPage()
  await personne.setViewportSize({ width: 360, height: 800 })
  await personne.goto(`${url}/mon-espace`)
  await personne.getByRole('button', { name: 'S’identifier avec FranceConnect' }).click()
  await personne.locator('button[name=persona][value=odette]').click()
  await personne.getByRole('button', { name: /^Continuer sur/ }).click()
  await shoot(personne, 'personne.png')

  const direction = await signIn(await browser.context(), 'nadia')
  await direction.goto(`${url}/structure/journal`)
  await shoot(direction, 'direction.png')
} finally {
  await browser.close()
  demo.child.kill('SIGTERM')
  await demo.ended
  rmSync(directory, { recursive: true, force: true })
}

async function signIn(context: BrowserContext, aidant: AidantKey): Promise<Page> {
  const page = await context.newPage()
  await page.goto(`${url}/connexion`)
  await page.getByLabel('Adresse e-mail professionnelle').fill(AIDANTS[aidant].email)
  await page.getByLabel('Code de votre application').fill(codeOf(aidant, new Date()))
  await page.getByRole('button', { name: 'Continuer' }).click()
  await page.waitForURL('**/connexion/code')
  const mail = await context.newPage()
  const sent = mail.locator('article', { hasText: `Bonjour ${AIDANTS[aidant].prenom},` }).first()
  do await mail.goto(`${url}/demo`)
  while ((await sent.count()) === 0)
  const [code = ''] = /\d{3} \d{3}/.exec(await sent.innerText()) ?? []
  await page.getByLabel('Code reçu par e-mail').fill(code.replace(' ', ''))
  await page.getByRole('button', { name: 'Se connecter' }).click()
  await page.waitForURL('**/personnes')
  return page
}

async function shoot(page: Page, name: string) {
  await page.locator('.timeline').first().waitFor()
  const { length } = await page.screenshot({ path: path.join(FOLDER, name) })
  if (length > 150_000) throw new Error(`docs/captures/${name} : ${length} octets, 150 000 au plus`)
  console.log(`docs/captures/${name} : ${Math.round(length / 1000)} ko`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, 'localhost')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
