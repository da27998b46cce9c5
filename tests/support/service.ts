import type { BrowserContext, Locator, Page } from 'playwright-core'
import type postgres from 'postgres'
import { createApp } from '../../src/app.ts'
import { type Config, parseConfig } from '../../src/config.ts'
import { type Db, openDb } from '../../src/db.ts'
import { findPersona, subOf } from '../../src/demo/franceconnect/personas.ts'
import { type Simulator, startSimulator } from '../../src/demo/franceconnect/simulator.ts'
import { demoPages } from '../../src/demo/pages.ts'
import { AIDANTS, type AidantKey, codeOf, STRUCTURES, type StructureKey } from '../../src/demo/people.ts'
import { PROCONNECT } from '../../src/demo/proconnect/flavour.ts'
import { seed } from '../../src/demo/seed.ts'
import { openLog } from '../../src/http/log.ts'
import { serve } from '../../src/http/server.ts'
import { openSession } from '../../src/http/session.ts'
import { franceconnect } from '../../src/oidc/franceconnect.ts'
import { proconnect } from '../../src/oidc/proconnect.ts'
import { openProvider } from '../../src/oidc/provider.ts'
import { startWorker } from '../../src/worker.ts'
import { freshDatabase, scratch } from './database.ts'
import { environmentOf } from './environment.ts'

/** One page as it was sent. */
export type Screen = { path: string; status: number; html: string }

export type Service = {
  /** http://localhost:port */
  url: string
  config: Config
  db: Db
  /** As a superuser. */
  sql: postgres.Sql
  simulator: Simulator
  proconnect: Simulator
  /** Every sort of page that was sent, by address, status and parts: see `inspect`. */
  screens: Map<string, Screen>
  /** A code of her authenticator that has not served: whatever she signed or mistyped before is forgotten. */
  code(aidant: AidantKey): Promise<string>
  /** Id of a person who has signed once. */
  personne(persona: string): Promise<string>
  /** Her mandat in force with that structure that was signed last. */
  mandat(persona: string, structure?: StructureKey): Promise<string>
  /** Someone is signed in in this browser: an aidant in her first structure or the one named, or a person. */
  enter(context: BrowserContext, who: AidantKey | { persona: string }, structure?: StructureKey): Promise<void>
  close(): Promise<void>
}

/** Of the service to its database. */
export const CONNECTIONS = 4
const CLIENT = { clientId: 'trait-dunion-demo', clientSecret: 'demo-secret-des-essais' }
const PRO = { clientId: 'trait-dunion-demo-pro', clientSecret: 'demo-secret-des-essais-pro' }

/** The service as `npm start` gives it: its six months of invented life, the simulator, a real port; on a database of its own. */
export async function startService(): Promise<Service> {
  // Its address, with its port, is in all it does: it listens before it is made.
  let answer: (request: Request, env: object) => Response | Promise<Response> = () => new Response(null, { status: 503 })
  const listening = await serve({ fetch: (request, env) => answer(request, env) }, { port: 0, host: 'localhost' })
  const url = `http://localhost:${listening.port}`

  const keysFile = `${scratch('franceconnect')}/cles.json`
  const [database, simulator, pro] = await Promise.all([
    freshDatabase(),
    startSimulator({
      port: 0,
      keysFile,
      clients: [
        {
          ...CLIENT,
          name: "Trait d'union (démonstration)",
          redirectUris: [`${url}/connexion/franceconnect/retour`],
          postLogoutRedirectUris: [`${url}/connexion/franceconnect/deconnecte`],
        },
      ],
    }),
    startSimulator({
      port: 0,
      flavour: PROCONNECT,
      clients: [
        {
          ...PRO,
          name: "Trait d'union (démonstration)",
          redirectUris: [`${url}/connexion/proconnect/retour`],
          postLogoutRedirectUris: [`${url}/connexion/proconnect/deconnecte`],
        },
      ],
    }),
  ])
  const sql = database.adminSql
  const environment = {
    ...(await environmentOf(database, url)),
    FRANCECONNECT_ISSUER: simulator.issuer,
    FRANCECONNECT_CLIENT_ID: CLIENT.clientId,
    FRANCECONNECT_CLIENT_SECRET: CLIENT.clientSecret,
    PROCONNECT_ISSUER: pro.issuer,
    PROCONNECT_CLIENT_ID: PRO.clientId,
    PROCONNECT_CLIENT_SECRET: PRO.clientSecret,
  }
  await seed(environment, keysFile)

  const config = parseConfig(environment)
  const db = openDb({ url: database.url, connections: CONNECTIONS })
  const log = openLog(() => {})
  const oidc = {
    franceconnect: openProvider({ profile: franceconnect, ...config.franceconnect, log: () => {} }),
    proconnect: openProvider({ profile: proconnect, ...config.proconnect!, log: () => {} }),
  }
  const app = createApp({ db, config, oidc, log }, demoPages(db))
  const worker = startWorker(db, async () => {}, log, config)
  const screens = new Map<string, Screen>()
  answer = async (request, env) => {
    const response = await app.fetch(request, env)
    if (response.headers.get('content-type')?.startsWith('text/html')) {
      const { pathname, search } = new URL(request.url)
      // Its bytes, to be looked at as it is shown: `text()` makes its unbreakable spaces plain.
      const screen = {
        path: pathname + search,
        status: response.status,
        html: await new Blob([await response.clone().arrayBuffer()]).text(),
      }
      screens.set(sortOf(screen), screen)
    }
    return response
  }

  const structureId = async (key: StructureKey) => {
    const [row] = await sql<{ id: string }[]>`select id from structure where siret = ${STRUCTURES[key].siret}`
    return row!.id
  }
  const aidantId = async (key: AidantKey) => {
    const [row] = await sql<{ id: string }[]>`select id from aidant where email = ${AIDANTS[key].email}`
    return row!.id
  }
  const personne = async (key: string) => {
    const [row] = await sql<{ id: string }[]>`select id from usager where sub = ${subOf(findPersona(key)!, CLIENT.clientId)}`
    if (!row) throw new Error(`${key} has not signed yet`)
    return row.id
  }
  return {
    url,
    config,
    db,
    sql,
    simulator,
    proconnect: pro,
    screens,
    async code(aidant) {
      await sql`
        with former as (delete from facteur where aidant_id = ${await aidantId(aidant)} and genre = 'totp' returning aidant_id, genre, secret)
        insert into facteur (aidant_id, genre, secret) select aidant_id, genre, secret from former`
      await sql`delete from limite`
      return codeOf(aidant, (await sql<{ now: Date }[]>`select horloge() as now`)[0]!.now)
    },
    personne,
    async mandat(persona, structure = 'figeac') {
      const [row] = await sql<{ id: string }[]>`
        select id from mandat_etat
        where usager_id = ${await personne(persona)} and structure_id = ${await structureId(structure)} and etat = 'actif'
        order by signed_at desc`
      if (!row) throw new Error(`${persona} has no mandat in force there`)
      return row.id
    },
    async enter(context, who, structure) {
      const holder =
        typeof who === 'string'
          ? { aidantId: await aidantId(who), structureId: await structureId(structure ?? AIDANTS[who].structures[0]) }
          : { usagerId: await personne(who.persona) }
      const value = await db.tx({ kind: 'portier' }, (tx) => openSession(tx, holder))
      await context.addCookies([{ name: 'session', value, url, httpOnly: true, sameSite: 'Lax' }])
    },
    async close() {
      await worker.stop()
      await listening.close()
      await Promise.all([db.close(), simulator.close(), pro.close()])
      await database.drop()
    },
  }
}

/** Two pages of the same sort are made of the same parts: same address but for the names in it, same status, same classes and fields. */
export const sortOf = ({ path, status, html }: Screen) => {
  const parts = new Set(html.match(/(?<= class=")(?:alert )?[^" ]*|(?<= (?:name|role)=")[^"]*|<h[1-4]|<table|<details/g))
  const where = path.replace(/\?.*/, '').replace(/[0-9a-f-]{36}|(?<=(?:lien|invitation)\/).*/g, ':id')
  return [status, ANYWHERE.includes(status) ? '' : where, ...[...parts].sort()].join(' ')
}
const ANYWHERE = [403, 404, 405, 413, 429]

/** The code and the address of the last sign-in message sent to an aidant. */
export async function signInMessage({ sql }: Service, aidant: AidantKey): Promise<{ code: string; lien: string }> {
  const [row] = await sql<{ corps: string }[]>`
    select corps from message
    where destinataire = ${AIDANTS[aidant].email} and cle like 'connexion:%'
    order by created_at desc limit 1`
  const [, code = ''] = /: (\d{3} \d{3})\n/.exec(row!.corps) ?? []
  const [lien = ''] = /http\S+/.exec(row!.corps) ?? []
  return { code: code.replace(' ', ''), lien }
}

/** What she does at FranceConnect: chooses who she is, reads what will be sent, goes on. Ends on the service. */
export async function identify(page: Page, persona: string): Promise<void> {
  await page.locator(`button[name=persona][value="${persona}"]`).click()
  await page.getByRole('button', { name: /^Continuer sur/ }).click()
  await page.waitForURL(/^http:\/\/localhost:/)
}

/** For what comes by itself: a message sent, an answer shown. */
export const PATIENCE = { timeout: 10_000 }

/** What is read there, its unbreakable spaces as plain ones. */
export const words = async (where: Locator): Promise<string> => (await where.innerText()).replace(/[\u00a0\u202f]/g, ' ')
