import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createApp } from '../../src/app.ts'
import type { Config } from '../../src/config.ts'
import { type Db, openDb } from '../../src/db.ts'
import { proxiesOf } from '../../src/http/address.ts'
import { rulesOf } from '../../src/http/rules.ts'
import { franceconnect } from '../../src/oidc/franceconnect.ts'
import { proconnect } from '../../src/oidc/proconnect.ts'
import { openProvider } from '../../src/oidc/provider.ts'
import { freshDatabase, type TestDatabase } from '../support/database.ts'

const settings = { issuer: 'https://fc.exemple/api/v2', clientId: 'x', clientSecret: 'y' }
const config = {
  mode: 'production',
  publicUrl: 'https://mandats.exemple',
  secretsKey: randomBytes(32),
  proxies: proxiesOf(1),
  franceconnect: settings,
} as Config

let database: TestDatabase
let db: Db
let app: ReturnType<typeof createApp>

beforeAll(async () => {
  database = await freshDatabase()
  db = openDb({ url: database.url, connections: 2 })
  app = createApp({
    db,
    config: { ...config, sealKeys: await sealKeys() },
    oidc: { franceconnect: openProvider({ profile: franceconnect, ...settings, log: () => {} }) },
    log: () => {},
  })
})
afterAll(async () => {
  await db.close()
  await database.drop()
})

const sealKeys = async () => {
  const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign'])
  const { kty, crv, x, y, d } = await crypto.subtle.exportKey('jwk', privateKey)
  return JSON.stringify({ keys: [{ kty, crv, x, y, d }] })
}

/** docs/adr/0009: what paper, backups and configurations freeze. */
const EN_SERVICE = [
  '/.well-known/jwks.json',
  '/statuts/:liste{[0-9]{1,4}}',
  '/connexion/franceconnect/retour',
  '/connexion/franceconnect/deconnecte',
  '/structure/journal',
  '/mon-espace',
  '/v',
  '/verifier',
  '/journal',
  '/journal/checkpoint',
  '/journal/tile/:chemin{.*}',
]
const RESERVEES = ['/connexion/proconnect/retour', '/connexion/proconnect/deconnecte']

it.each(EN_SERVICE)('l’adresse gelée %s est en service', (path) => {
  expect(rulesOf(app).map((route) => route.path)).toContain(path)
})

it.each(RESERVEES)('l’adresse gelée %s est en service avec ProConnect, et ne sert à rien d’autre sans lui', async (path) => {
  expect(rulesOf(app).map((route) => route.path)).not.toContain(path)
  expect((await app.request(path)).status).toBe(404)
  const oidc = {
    franceconnect: openProvider({ profile: franceconnect, ...settings, log: () => {} }),
    proconnect: openProvider({ profile: proconnect, ...settings, log: () => {} }),
  }
  const withIt = createApp({ db, config: { ...config, sealKeys: await sealKeys() }, oidc, log: () => {} })
  expect(rulesOf(withIt).map((route) => route.path)).toContain(path)
})

it('les clés et les statuts se lisent de n’importe quelle page', async () => {
  for (const path of ['/.well-known/jwks.json', '/statuts/0']) {
    const answer = await app.request(path)
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, '*'])
  }
  expect((await app.request('/statuts/1')).status).toBe(404)
})

it('une liste de statuts gardée ailleurs ne s’ajoute pas à nos cinq secondes', async () => {
  expect((await app.request('/statuts/0')).headers.get('cache-control')).toBe('no-cache')
})

it('une liste de statuts n’est relue et signée qu’une fois pour tous ceux qui la demandent ensemble', async () => {
  const asked = await Promise.all([1, 2, 3].map(async () => (await app.request('/statuts/0')).text()))
  expect(new Set(asked).size).toBe(1)
})

it('qui demande les statuts comme une machine attend', async () => {
  const status = async () => (await app.request('/statuts/0')).status
  let calls = 0
  while ((await status()) === 200 && calls < 100) calls++
  expect(calls).toBeLessThan(61)
  const late = await app.request('/statuts/0')
  expect([late.status, Number(late.headers.get('retry-after')) > 0]).toEqual([429, true])
})
