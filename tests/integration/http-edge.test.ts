import { spawn } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { Hono } from 'hono'
import { csrf } from 'hono/csrf'
import { logger } from 'hono/logger'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { createApp } from '../../src/app.ts'
import { parseConfig } from '../../src/config.ts'
import { type Db, openDb } from '../../src/db.ts'
import { parseForm, texte } from '../../src/form.ts'
import { addressOf, type Proxies, proxiesOf } from '../../src/http/address.ts'
import { openEdge } from '../../src/http/edge.ts'
import type { Env } from '../../src/http/env.ts'
import { calm } from '../../src/http/errors.ts'
import { healthRoutes } from '../../src/http/health.ts'
import { limitCaller, limitRate } from '../../src/http/limit-rate.ts'
import { deadline, MAX_BODY } from '../../src/http/limits.ts'
import { failure, type Log, openLog } from '../../src/http/log.ts'
import { openMetrics } from '../../src/http/metrics.ts'
import { forgetRates, RATES, returnToken, takeToken } from '../../src/http/rates.ts'
import { checkRules, publicPage, requireAidant, requireReferent, requireUsager, rulesOf } from '../../src/http/rules.ts'
import { isPortTaken, serve } from '../../src/http/server.ts'
import { franceconnect } from '../../src/oidc/franceconnect.ts'
import { openProvider } from '../../src/oidc/provider.ts'
import { LOT, lotByLot } from '../../src/turns.ts'
import { asset } from '../../views/kit/assets.ts'
import { freshDatabase, type TestDatabase } from '../support/database.ts'

const OURS = 'https://mandats.figeac.fr'
const PROVIDER = 'https://oidc.franceconnect.gouv.fr'
const FORM = 'application/x-www-form-urlencoded'
const ID = '0190a2b4-1111-7abc-8def-0123456789ab'

const awa = {
  id: ID,
  nom: 'Diop',
  prenom: 'Awa',
  structureId: ID,
  structureNom: 'CCAS de Figeac',
  fuseau: 'Europe/Paris',
  referent: false,
  parProconnect: false,
  confirmee: true,
  structures: 1,
}
const jeanne = { ids: [ID], nom: 'Jeanne Valadié', niveau: 'identite' as const }

/** An edge whose log can be read, and where `X-Qui` stands in for the session. */
function openSmall(options: { publicUrl?: string; demo?: boolean } = {}) {
  const lines: string[] = []
  const log = openLog((line) => lines.push(line))
  const app = openEdge({ publicUrl: OURS, formActions: [PROVIDER], demo: false, random: randomBytes, log, ...options })
  app.use(async (c, next) => {
    const who = c.req.header('x-qui')
    if (who === 'aidant' || who === 'cgu') c.set('aidant', awa)
    if (who === 'referent') c.set('aidant', { ...awa, referent: true })
    if (who === 'usager') c.set('usager', jeanne)
    if (who === 'cgu') c.set('detour', '/cgu')
    await next()
  })
  return { app, log, lines, read: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) }
}
const post = (body = 'a=b', headers: Record<string, string> = {}) => ({
  method: 'POST',
  body,
  headers: { origin: OURS, 'sec-fetch-site': 'same-origin', 'content-type': FORM, ...headers },
})

let database: TestDatabase
let db: Db
beforeAll(async () => {
  database = await freshDatabase()
  db = openDb({ url: database.url, connections: 3 })
})
afterAll(async () => {
  await db?.close()
  await database?.drop()
})

describe('ce qui vient d’un autre site', () => {
  const other = 'https://evil.example'
  // [Origin, Sec-Fetch-Site, accepted by us, accepted by Hono's csrf()]
  const TABLE: [string | null, string | null, boolean, boolean][] = [
    [OURS, 'same-origin', true, true],
    [OURS, null, true, true],
    [null, 'same-origin', true, true],
    [null, null, false, false],
    [other, 'cross-site', false, false],
    [other, null, false, false],
    [null, 'cross-site', false, false],
    [OURS, 'cross-site', false, true],
    [other, 'same-origin', false, true],
    [OURS, 'same-site', false, true],
    [OURS, 'none', false, true],
    ['null', 'same-origin', false, true],
  ]
  const status = async (app: Hono<Env>, origin: string | null, site: string | null, type = FORM) => {
    const headers = { 'content-type': type, ...(origin && { origin }), ...(site && { 'sec-fetch-site': site }) }
    return (await app.request(`${OURS}/x`, { method: 'POST', body: 'a=b', headers })).status
  }
  const { app } = openSmall()
  app.post('/x', publicPage, (c) => c.text('fait'))
  app.get('/lire', publicPage, (c) => c.text('lu'))
  // The broken twin: right with either header, blind to other content types.
  const twin = new Hono<Env>().use(csrf({ origin: OURS })).post('/x', (c) => c.text('fait'))

  it.each(TABLE)('Origin %s et Sec-Fetch-Site %s : accepté %s', async (origin, site, accepted, twinAccepts) => {
    expect(await status(app, origin, site)).toBe(accepted ? 200 : 403)
    expect(await status(twin, origin, site)).toBe(twinAccepts ? 200 : 403)
  })

  it.each([
    'application/json',
    'text/xml',
    'application/octet-stream',
    'text/plain',
    `${FORM}; charset=utf-16`,
  ])('refuse %s, même de chez nous', async (type) => {
    expect(await status(app, OURS, 'same-origin', type)).toBe(415)
  })

  it('refuse ce que le double laisse passer : un contenu d’un autre type, d’un autre site', async () => {
    expect(await status(app, other, 'cross-site', 'application/json')).toBe(403)
    expect(await status(twin, other, 'cross-site', 'application/json')).toBe(200)
  })

  it('ne fait pas de différence de méthode, et laisse lire', async () => {
    for (const method of ['PUT', 'PATCH', 'DELETE', 'PROPFIND']) expect((await app.request('/x', { method })).status).toBe(403)
    expect((await app.request('/lire', { headers: { origin: other, 'sec-fetch-site': 'cross-site' } })).status).toBe(200)
  })

  it('répond calmement, en français, avec une référence', async () => {
    const response = await app.request('/x', { method: 'POST', body: 'a=b' })
    const html = await response.text()
    expect(html).toContain('<html lang="fr">')
    expect(html).toContain(response.headers.get('x-request-id')!)
  })
})

describe('les règles d’accès', () => {
  const build = () => {
    const small = openSmall()
    small.app.get('/', publicPage, (c) => c.text('accueil'))
    small.app.get('/personnes', requireAidant, (c) => c.text(c.var.aidant.prenom))
    small.app.get('/structure/aidants', requireReferent, (c) => c.text(c.var.aidant.nom))
    small.app.get('/mon-espace', requireUsager, (c) => c.text(c.var.usager.nom))
    small.app.get('/mandats/:mandatId', requireAidant, (c) => c.text(c.req.param('mandatId')))
    small.app.post('/mandats/:mandatId', requireAidant, (c) => c.text('fait'))
    small.app.get('/cgu', requireAidant, (c) => c.text('conditions'))
    return small
  }
  const { app } = build()
  const as = (who: string, path: string, init: RequestInit = {}) =>
    app.request(path, { ...init, headers: { ...(init.headers as Record<string, string>), 'x-qui': who } })

  it.each([
    ['/personnes', { personne: 303, aidant: 200, referent: 200, usager: 404 }],
    ['/structure/aidants', { personne: 303, aidant: 404, referent: 200, usager: 404 }],
    ['/mon-espace', { personne: 303, aidant: 404, referent: 404, usager: 200 }],
    ['/', { personne: 200, aidant: 200, referent: 200, usager: 200 }],
  ] as const)('%s', async (path, expected) => {
    for (const [who, status] of Object.entries(expected)) expect((await as(who, path)).status, who).toBe(status)
  })

  it('donne la même réponse pour ce qui n’est pas à soi et pour ce qui n’existe pas', async () => {
    const unlike = (text: string) => text.replace(/[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}/g, '')
    for (const [who, path] of [
      ['usager', '/personnes'],
      ['aidant', '/structure/aidants'],
      ['usager', `/mandats/${ID}`],
    ] as const) {
      for (const init of [{}, post()]) {
        if ('method' in init && path !== `/mandats/${ID}`) continue
        const [mine, unknown] = [await as(who, path, init), await as(who, '/inconnue', init)]
        expect([mine.status, unlike(await mine.text())]).toEqual([unknown.status, unlike(await unknown.text())])
        expect([...mine.headers.keys()]).toEqual([...unknown.headers.keys()])
      }
    }
  })

  it('mène à la bonne porte en retenant la page demandée, aussi pour un envoi', async () => {
    const where = async (path: string, init?: RequestInit) => (await app.request(path, init)).headers.get('location')
    expect(await where(`/mandats/${ID}?a=1&b=%C3%A9`)).toBe(
      `/connexion?suite=${encodeURIComponent(`/mandats/${ID}?a=1&b=%C3%A9`)}`,
    )
    expect(await where('/mon-espace')).toBe('/mon-espace/connexion?suite=%2Fmon-espace')
    expect(await where(`/mandats/${ID}`, post())).toBe(`/connexion?suite=${encodeURIComponent(`/mandats/${ID}`)}`)
    expect(await where(`/personnes?q=${'x'.repeat(600)}`)).toBe('/connexion?suite=%2Fpersonnes')
  })

  it('fait passer d’abord par le détour demandé, et par lui seul', async () => {
    expect((await as('cgu', '/personnes')).headers.get('location')).toBe('/cgu?suite=%2Fpersonnes')
    expect((await as('cgu', `/mandats/${ID}`, post())).status).toBe(303)
    expect((await as('cgu', '/cgu')).status).toBe(200)
  })

  it('ne donne que des identifiants bien formés aux requêtes', async () => {
    expect((await as('aidant', `/mandats/${ID}`)).status).toBe(200)
    for (const id of ['1', ID.toUpperCase(), `${ID}0`, `{${ID}}`, 'null'])
      expect((await as('aidant', `/mandats/${id}`)).status, id).toBe(404)
  })

  it('sait dire la règle de chaque route', () => {
    expect(rulesOf(app)).toEqual([
      { method: 'GET', path: '/', rule: 'public', guards: [] },
      { method: 'GET', path: '/personnes', rule: 'aidant', guards: [] },
      { method: 'GET', path: '/structure/aidants', rule: 'referent', guards: [] },
      { method: 'GET', path: '/mon-espace', rule: 'usager', guards: [] },
      { method: 'GET', path: '/mandats/:mandatId', rule: 'aidant', guards: [] },
      { method: 'POST', path: '/mandats/:mandatId', rule: 'aidant', guards: [] },
      { method: 'GET', path: '/cgu', rule: 'aidant', guards: [] },
    ])
    expect(() => checkRules(app)).not.toThrow()
  })

  it.each<[string, (app: Hono<Env>) => void]>([
    ['sans règle', (app) => app.get('/oubliee', (c) => c.text('ouverte'))],
    ['dont la règle vient après', (app) => app.get('/oubliee', (c) => c.text('ouverte'), requireAidant as never)],
    [
      'montée depuis un autre module',
      (app) =>
        app.route(
          '/a',
          new Hono<Env>().get('/oubliee', (c) => c.text('ouverte')),
        ),
    ],
    ['pour toutes les méthodes', (app) => app.all('/oubliee', publicPage as never, (c) => c.text('ouverte'))],
    ['posée en passage', (app) => app.use('/oubliee', (c) => c.text('ouverte') as never)],
  ])('empêche le démarrage avec une route %s', (_, add) => {
    const { app } = build()
    add(app)
    expect(() => checkRules(app)).toThrow(/oubliee/)
  })
})

describe('les réponses', () => {
  const small = openSmall()
  const { app } = small
  app.get('/publique', publicPage, (c) => c.text('vu', 200, { 'Cache-Control': 'public, max-age=60' }))
  app.get('/privee', requireAidant, (c) => c.text('vu', 200, { 'Cache-Control': 'public, max-age=60' }))
  app.get('/page', publicPage, (c) => c.text('vu'))
  app.get('/panne', publicPage, () => {
    throw new Error('Jeanne Valadié, née le 12 mars 1950\n    at Jeanne (12 rue de la Paix:1:1)')
  })
  app.get('/rien', publicPage, () => {
    throw 'pas une erreur'
  })
  app.get('/connexion/franceconnect/retour', publicPage, (c) => c.text('consommé'))
  let written = 0
  app.post('/page', publicPage, (c) => {
    written++
    return c.text('fait')
  })

  it('portent toutes les protections, erreurs comprises', async () => {
    for (const path of ['/page', '/inconnue', '/panne', '/privee']) {
      const { headers } = await app.request(path)
      const csp = headers.get('content-security-policy')!.split('; ')
      expect(csp).toEqual([
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        `form-action 'self' ${PROVIDER}`,
        "base-uri 'none'",
        "frame-ancestors 'none'",
      ])
      expect(headers.get('referrer-policy')).toBe('same-origin')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin')
      expect(headers.get('permissions-policy')).toContain('camera=()')
      expect(headers.get('strict-transport-security')).toBe('max-age=63072000')
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('x-request-id')).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$/)
    }
  })

  it('ne sont gardées par un cache que si la page est à tout le monde et le dit', async () => {
    expect((await app.request('/publique')).headers.get('cache-control')).toBe('public, max-age=60')
    expect((await app.request('/privee', { headers: { 'x-qui': 'aidant' } })).headers.get('cache-control')).toBe('no-store')
  })

  it('ne demandent pas https quand le service n’y est pas', async () => {
    const { app } = openSmall({ publicUrl: 'http://localhost:3000' })
    expect((await app.request('/')).headers.has('strict-transport-security')).toBe(false)
  })

  it('une panne donne une page calme et une référence, et le journal technique dit où sans dire qui', async () => {
    small.lines.length = 0
    const response = await app.request('/panne')
    expect(response.status).toBe(500)
    const reference = response.headers.get('x-request-id')!
    const html = await response.text()
    expect(html).toContain(reference)
    expect(html).not.toMatch(/Jeanne|Error|panne/)
    const [failed, request] = small.read()
    expect(failed).toMatchObject({ level: 'error', event: 'erreur', requestId: reference, route: '/panne', error: 'Error' })
    expect((failed!.at as string[])[0]).toMatch(/tests\/integration\/http-edge\.test\.ts:\d+:\d+/)
    expect(request).toMatchObject({ level: 'error', event: 'requete', requestId: reference, status: 500 })
    expect(small.lines.join('')).not.toMatch(/Jeanne|1950|Paix/)
  })

  it('même ce qui n’est pas une erreur, une fois lancé, donne la page calme', async () => {
    const response = await app.request('/rien')
    expect([response.status, response.headers.get('cache-control')]).toEqual([500, 'no-store'])
  })

  it('HEAD répond comme GET, sans corps, et n’atteint jamais ce qui écrit', async () => {
    const [get, head] = [await app.request('/page'), await app.request('/page', { method: 'HEAD' })]
    expect([head.status, await head.text()]).toEqual([200, ''])
    expect([...head.headers.keys()].sort()).toEqual([...get.headers.keys()].sort())
    const callback = await app.request('/connexion/franceconnect/retour?code=x', { method: 'HEAD' })
    expect([callback.status, callback.headers.get('allow')]).toEqual([405, 'GET'])
    expect((await app.request('/connexion/franceconnect/retour?code=x')).status).toBe(200)
  })

  it('une méthode que la page ne connaît pas donne 405 et ce qu’elle accepte, sans rien faire', async () => {
    const before = written
    const response = await app.request('/privee', post())
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    expect((await app.request('/page', { method: 'OPTIONS' })).headers.get('allow')).toBe('GET, HEAD, POST')
    expect((await app.request('/page', { ...post(), method: 'DELETE' })).status).toBe(405)
    expect((await app.request('/inconnue', post())).status).toBe(404)
    expect(written).toBe(before)
  })

  it.each([
    '/page/',
    '//page',
    '/p%61ge',
    '/page%2f',
    '/page%00',
    '/%zz',
    '/page;a=b',
    '/PAGE',
    '/page%3F',
    '/../../etc/passwd',
    '/page/%C3%A9',
  ])('une adresse écrite de travers donne la page calme : %s', async (path) => {
    const response = await app.request(new Request(`http://localhost${path}`))
    expect(response.status).toBe(404)
    expect(await response.text()).toContain('<html lang="fr">')
  })

  it('une adresse trop longue aussi', async () => {
    expect((await app.request(`/page?q=${'x'.repeat(1900)}`)).status).toBe(200)
    expect((await app.request(`/page?q=${'x'.repeat(2000)}`)).status).toBe(414)
  })
})

describe('la taille et le temps', () => {
  const { app } = openSmall()
  const schema = z.object({ note: texte(100_000) })
  app.post('/note', publicPage, async (c) => {
    const parsed = await parseForm(c, schema)
    return c.text(parsed.ok ? 'gardé' : 'refusé', parsed.ok ? 200 : 422)
  })

  it('refuse un envoi de plus de 64 Kio, annoncé ou non', async () => {
    const just = `note=${'x'.repeat(MAX_BODY - 5)}`
    expect((await app.request('/note', post(just))).status).toBe(200)
    expect((await app.request('/note', post(`${just}x`))).status).toBe(413)
    expect((await app.request('/note', post('note=x', { 'content-length': String(MAX_BODY + 1) }))).status).toBe(413)
    const stream = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 70; i++) controller.enqueue(new Uint8Array(1024).fill(120))
        controller.close()
      },
    })
    expect(
      (await app.request(new Request('http://localhost/note', { ...post(), body: stream, duplex: 'half' } as RequestInit)))
        .status,
    ).toBe(413)
  })

  it('donne à chaque page trois secondes et demie, huit au retour d’un fournisseur', async () => {
    const timers = vi.spyOn(globalThis, 'setTimeout')
    for (const path of ['/', '/connexion/franceconnect/retour', '/connexion/proconnect/retour']) await app.request(OURS + path)
    const patience = timers.mock.calls.map(([, ms]) => ms ?? 0)
    timers.mockRestore()
    expect(patience.filter((ms) => ms >= 3_500)).toEqual([3_500, 8_000, 8_000])
  })

  it('répond 503 à l’échéance, quoi que fasse la page ensuite', async () => {
    const lines: string[] = []
    const late = openEdge({
      publicUrl: OURS,
      formActions: [],
      demo: false,
      random: randomBytes,
      log: openLog((line) => lines.push(line)),
    })
    late.use(deadline((path) => (path === '/patiente' ? 10_000 : 50)))
    let finish!: () => void
    const finished = new Promise<void>((go) => {
      finish = go
    })
    late.get('/lente', publicPage, async (c) => {
      await finished
      return c.text('enfin')
    })
    late.get('/patiente', publicPage, async (c) => {
      await sleep(150)
      return c.text('enfin')
    })
    late.get('/casse', publicPage, async () => {
      await sleep(100)
      throw new Error('trop tard')
    })
    // Before the page is done: it is not waited for.
    const response = await late.request('/lente')
    finish()
    expect([response.status, response.headers.get('retry-after'), response.headers.get('cache-control')]).toEqual([
      503,
      '5',
      'no-store',
    ])
    expect((await late.request('/patiente')).status).toBe(200)
    expect((await late.request('/casse')).status).toBe(503)
    await expect.poll(() => lines.some((line) => line.includes('"event":"erreur"'))).toBe(true)
  })

  it('laisse au fournisseur d’identité le temps qu’il lui faut, et pas aux autres', async () => {
    const { app } = openSmall()
    for (const path of ['/lente', '/connexion/franceconnect/retour'])
      app.get(path, publicPage, async (c) => {
        await sleep(3_700)
        return c.text('enfin')
      })
    const [slow, callback] = await Promise.all([app.request('/lente'), app.request('/connexion/franceconnect/retour')])
    expect([slow.status, callback.status]).toEqual([503, 200])
  })
})

describe('le journal technique', () => {
  const NOM = 'Valadié'
  it('ne garde rien de la personne, où que ce soit écrit', async () => {
    const { app, lines, read } = openSmall()
    const seen: string[] = []
    app.use(logger((line) => seen.push(line)))
    app.get('/personnes', requireAidant, (c) => c.text('vu'))
    app.get('/v/:code', publicPage, () => {
      throw Object.assign(new TypeError(`duplicate key: ${NOM}`), {
        code: '23505',
        constraint_name: 'usager_unique',
        detail: `Key (nom)=(${NOM})`,
      })
    })
    const q = encodeURIComponent(NOM)
    await app.request(`/personnes?q=${q}`, {
      headers: { 'x-qui': 'aidant', cookie: `session=${NOM.replace('é', 'e')}`, 'user-agent': NOM.replace('é', 'e') },
    })
    await app.request(`/${q}`)
    await app.request(`/v/ABCD${'Valadie'}`)
    await app.request('/personnes', post(`nom=${q}`))
    expect(read().map(({ event, route, status, caller }) => [event, route, status, caller])).toEqual([
      ['requete', '/personnes', 200, 'aidant'],
      ['requete', '-', 404, 'anonyme'],
      ['erreur', '/v/:code', undefined, undefined],
      ['requete', '/v/:code', 500, 'anonyme'],
      ['requete', '-', 405, 'anonyme'],
    ])
    expect(lines.join('')).not.toMatch(/Valadi|Awa|Diop|Figeac|ABCD|%C3/)
    expect(read()[2]).toMatchObject({ error: 'TypeError:23505', constraint: 'usager_unique' })
    // The broken twin writes the address asked for.
    expect(seen.join('')).toMatch(/Valadi/)
  })

  it('n’a que des champs connus, et met « ? » où l’on voudrait glisser une phrase', () => {
    const lines: string[] = []
    const log = openLog(
      (line) => lines.push(line),
      () => new Date(0),
    )
    const line = {
      event: 'Madame Valadié',
      route: '/personnes?q=Valadie',
      reason: 'refus_ok',
      error: 'Valadié: x',
      at: [NOM],
      nom: NOM,
      status: Number.NaN,
    }
    log('warn', line as unknown as Parameters<Log>[1])
    expect(lines).toEqual([
      '{"time":"1970-01-01T00:00:00.000Z","level":"warn","event":"?","route":"?","status":"?","reason":"refus_ok","error":"?","at":"?"}\n',
    ])
  })

  it('ne confond pas un message sur plusieurs lignes avec l’endroit de la panne', () => {
    const { at } = failure(new Error('a\n    at Jeanne Valadie (/home/jeanne:1:2)'))
    expect(at!.join()).not.toMatch(/jeanne/i)
    expect(failure('Valadié')).toEqual({ error: 'not_an_error' })
  })

  it('compte pour /metrics, sans adresse ni nom', async () => {
    const metrics = openMetrics()
    const log = metrics.counting(() => {})
    const app = openEdge({ publicUrl: OURS, formActions: [], demo: false, random: randomBytes, log })
    app.get('/v/:code', publicPage, (c) => c.text('vu'))
    await app.request('/v/Valadie')
    await app.request('/v/Valadie', { method: 'VALADIE' })
    await app.request('/Valadie')
    const response = await metrics.app.request('/metrics')
    const body = await response.text()
    expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4')
    expect(body).toContain('http_requests_total{method="GET",route="/v/:code",status="200"} 1')
    expect(body).toContain('http_request_duration_seconds_bucket{route="/v/:code",le="+Inf"}')
    expect(body).not.toMatch(/valadie/i)
    expect((await app.request('/metrics')).status).toBe(404)
  })
})

describe('la santé', () => {
  const ready = async (on: Db, bindings: object = {}) => {
    const { app, log, lines } = openSmall()
    app.route('/', healthRoutes({ db: on, log }))
    checkRules(app)
    const response = await app.request('/readyz', {}, bindings as Env['Bindings'])
    expect((await app.request('/livez')).status).toBe(200)
    return { status: response.status, body: await response.json(), lines }
  }

  it('est prête avec sa base à l’heure, et ne bavarde pas', async () => {
    const { status, body, lines } = await ready(db)
    expect([status, body]).toEqual([200, { etat: 'pret' }])
    expect(lines).toEqual([])
  })

  it('n’est pas prête quand les horloges diffèrent de deux secondes', async () => {
    for (const ms of [2_500, -5_000]) {
      await database.travel({ ms })
      expect((await ready(db)).body).toEqual({ etat: 'horloge' })
    }
    await database.travel({ ms: 2_500 })
    expect((await ready(db)).status).toBe(200)
  })

  it('n’est pas prête sans sa base, mais vit', async () => {
    const url = new URL(database.url)
    url.port = '1'
    const nowhere = openDb({ url: url.href, connections: 1, waitMs: 300 })
    const { status, body } = await ready(nowhere)
    expect([status, body]).toEqual([503, { etat: 'base' }])
    await nowhere.close()
  })

  it('n’est plus prête pendant l’arrêt', async () => {
    expect((await ready(db, { draining: () => true })).body).toEqual({ etat: 'arret' })
  })

  it.each(['55P03', '57014', '40P01', '40001'])('la base qui renonce (%s) donne 503 et l’attente', async (code) => {
    const { app } = openSmall()
    app.get('/page', publicPage, () => {
      throw Object.assign(new Error('given up'), { code })
    })
    const response = await app.request('/page')
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2'])
  })

  it('une base occupée donne 503 et l’attente, pas une panne', async () => {
    const one = openDb({ url: database.url, connections: 1, waitMs: 100 })
    const { app, read } = openSmall()
    app.get('/page', publicPage, async (c) => c.text(String(await one.tx({ kind: 'portier' }, async (tx) => tx.now.getTime()))))
    let release = () => {}
    const held = one.tx({ kind: 'portier' }, () => new Promise<void>((resolve) => (release = resolve)))
    await sleep(50)
    const response = await app.request('/page')
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2'])
    expect(read()[0]).toMatchObject({ level: 'warn', event: 'base_indisponible' })
    release()
    await held
    expect((await app.request('/page')).status).toBe(200)
    await one.close()
  })
})

describe('les limites d’usage', () => {
  const take = (key: string) => db.tx({ kind: 'portier' }, (tx) => takeToken(tx, 'code', key))
  const told = async (remoteAddress: string | undefined, forwarded: string, proxies: Proxies) => {
    const app = new Hono<Env>().get('/', (c) => c.text(addressOf(c, proxies)))
    const bindings = { incoming: { socket: { remoteAddress } } } as unknown as Env['Bindings']
    return (await app.request('/', { headers: { 'x-forwarded-for': forwarded } }, bindings)).text()
  }

  it('laissent passer le compte exact, même d’un coup, puis font attendre', async () => {
    await database.freeze(new Date('2026-03-03T10:01:40Z'))
    const tokens = await Promise.all(Array.from({ length: 6 }, () => take('jeanne')))
    expect(tokens.filter(({ ok }) => ok)).toHaveLength(RATES.code.count)
    const until = new Date('2026-03-03T10:05:00Z')
    expect(await take('jeanne')).toEqual({ ok: false, refusal: 'trop_d_essais', retryAfter: 200, until })
    expect(await take('awa')).toEqual({ ok: true })
    await database.freeze(new Date('2026-03-03T10:04:59.999Z'))
    expect(await take('jeanne')).toMatchObject({ ok: false, retryAfter: 1 })
    await database.freeze(new Date('2026-03-03T10:05:00Z'))
    expect(await take('jeanne')).toEqual({ ok: true })
  })

  it('ne comptent pas deux fois la personne qui a réuni deux identités', async () => {
    const ids = ['b', 'a']
    let entered = false
    const app = new Hono<Env>()
    app.use((c, next) => {
      entered = !entered
      c.set('usager', { ids: entered ? ids : ids.toReversed(), niveau: 'identite', nom: 'Fatma' })
      return next()
    })
    app.get('/', limitCaller(db, 'feuille'), (c) => c.text('fait'))
    for (let n = 0; n < RATES.feuille.count; n++) expect((await app.request('/')).status).toBe(200)
    expect((await app.request('/')).status).toBe(429)
  })

  it('rendent l’essai qui a réussi', async () => {
    for (let i = 0; i < 5; i++) {
      expect(await take('marie')).toEqual({ ok: true })
      await db.tx({ kind: 'portier' }, (tx) => returnToken(tx, 'code', 'marie'))
    }
  })

  it('ne gardent ni clé lisible, ni fenêtre ancienne', async () => {
    const rows = await database.adminSql`select cle, debut from limite`
    expect(rows.length).toBeGreaterThan(2)
    for (const { cle } of rows) expect(cle).toHaveLength(32)
    await database.freeze(new Date('2026-03-07T12:00:00Z'))
    await db.tx({ kind: 'worker' }, forgetRates)
    expect(await database.adminSql`select 1 from limite`).toHaveLength(0)
    await database.freeze(null)
  })

  it('s’oublient lot par lot, même après un déluge', async () => {
    await database.adminSql`
      insert into limite (cle, debut, fin, compte)
      select sha256(n::text::bytea), horloge() - interval '1 day', horloge() - interval '1 hour', 1 from generate_series(1, ${2 * LOT + 10}) n`
    const forget = () => db.tx({ kind: 'worker' }, forgetRates)
    expect((await forget()).count).toBe(LOT)
    await lotByLot(forget)
    expect(await database.adminSql`select 1 from limite where fin <= horloge()`).toHaveLength(0)
  })

  it('donnent la page calme et le temps d’attente', async () => {
    const { app } = openSmall()
    app.post(
      '/essai',
      publicPage,
      limitRate(db, 'code', (c) => addressOf(c, proxiesOf(1))),
      (c) => c.text('essayé'),
    )
    const attempt = () => app.request('/essai', post('a=b', { 'x-forwarded-for': '203.0.113.9' }))
    for (let i = 0; i < RATES.code.count; i++) expect((await attempt()).status).toBe(200)
    const response = await attempt()
    expect(response.status).toBe(429)
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await response.text()).toContain('<html lang="fr">')
  })

  it.each([
    [0, '1.2.3.4', '10.0.0.1'],
    [1, '6.6.6.6, 1.2.3.4', '1.2.3.4'],
    [2, '6.6.6.6, 1.2.3.4, 10.0.0.2', '1.2.3.4'],
    [1, '', '10.0.0.1'],
    [1, '::ffff:1.2.3.4', '1.2.3.4'],
    [1, '2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    [1, '2001:db8::1', '2001:db8:0:0'],
    [1, '2001:db8::2', '2001:db8:0:0'],
    [1, '::1', '0:0:0:0'],
  ])('ne croient de l’adresse que ce que nos %s relais ont ajouté à « %s »', async (count, forwarded, expected) => {
    expect(await told('10.0.0.1', forwarded, proxiesOf(count))).toBe(expected)
  })

  it.each([
    ['203.0.113.50', undefined, '203.0.113.50'],
    ['::ffff:203.0.113.50', undefined, '203.0.113.50'],
    ['2001:db8::7', undefined, '2001:db8:0:0'],
    [undefined, undefined, 'inconnue'],
    ['192.168.1.1', ['10.0.0.0/8'], '192.168.1.1'],
    ['::ffff:127.0.0.1', undefined, '1.2.3.4'],
    ['fd00::1', undefined, '1.2.3.4'],
    ['198.51.100.3', ['10.0.0.0/8', '198.51.100.3'], '1.2.3.4'],
  ])('à qui appelle de %s, nos relais étant %j : l’adresse est %s', async (peer, networks, expected) => {
    expect(await told(peer, '6.6.6.6, 1.2.3.4', proxiesOf(1, networks))).toBe(expected)
  })
})

describe('l’application entière', () => {
  const log: Log = () => {}
  const secret = () => randomBytes(32).toString('base64url')
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
  const config = parseConfig({
    PUBLIC_URL: OURS,
    DATABASE_URL: `postgres://app:${secret()}@base/base`,
    SEAL_KEYS: JSON.stringify({ keys: [key] }),
    JOURNAL_KEY: generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
    SECRETS_KEY: secret(),
    FRANCECONNECT_ISSUER: `${PROVIDER}/api/v2`,
    FRANCECONNECT_CLIENT_ID: secret(),
    FRANCECONNECT_CLIENT_SECRET: secret(),
    SMTP_URL: 'smtp://courrier',
    MAIL_FROM: 'mandats@figeac.fr',
    EDITEUR: 'CCAS de Figeac',
    CONTACT: 'mandats@figeac.fr',
  })
  const provider = openProvider({
    profile: franceconnect,
    issuer: `${PROVIDER}/api/v2`,
    clientId: 'x',
    clientSecret: 'y',
    log: () => {},
  })

  it('démarre, chaque route avec sa règle, et sert ses fichiers à tous', async () => {
    const app = createApp({ db, config, oidc: { franceconnect: provider }, log })
    expect(rulesOf(app).every(({ rule }) => rule !== undefined)).toBe(true)
    const style = await app.request(asset('style.css'))
    expect([style.status, style.headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable'])
    expect(style.headers.get('content-security-policy')).toContain(`form-action 'self' ${PROVIDER};`)
    expect((await app.request('/readyz')).status).toBe(200)
    expect((await app.request('/inconnue')).status).toBe(404)
  })
})

describe('le serveur', () => {
  const hello = new Hono().get('/', (c) => c.text('bonjour'))
  /** Writes on a raw connection, piece by piece, and tells what came back before it was closed. */
  const talk = async (port: number, pieces: string[], every = 0): Promise<{ answer: string }> => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    const answer = text(socket).catch(() => '')
    await once(socket, 'connect')
    void (async () => {
      for (const piece of pieces) {
        if (socket.destroyed) return
        socket.write(piece)
        await sleep(every)
      }
    })()
    return { answer: await answer }
  }
  const drip = (first: string) => [first, ...Array<string>(100).fill('x')]

  it('ferme la porte à qui envoie ses en-têtes ou son corps goutte à goutte', async () => {
    const { app, read } = openSmall()
    app.post('/', publicPage, async (c) => c.text(await c.req.text()))
    const server = await serve(app, { port: 0, host: '127.0.0.1', patience: { headers: 200, request: 400 } })
    const headers = await talk(server.port, drip('GET / HTTP/1.1\r\nHost: x\r\nX-Lent: '), 50)
    expect(headers.answer).toMatch(/^HTTP\/1\.1 408 /)
    const body = await talk(
      server.port,
      drip(`POST / HTTP/1.1\r\nHost: x\r\nOrigin: ${OURS}\r\nContent-Type: ${FORM}\r\nContent-Length: 1000\r\n\r\n`),
      50,
    )
    expect(body.answer).toMatch(/^HTTP\/1\.1 408 /)
    await server.close()
    expect(read().some(({ event }) => event === 'erreur')).toBe(false)
  })

  it('répond à ce qui n’est pas une adresse sans rien dire d’elle', async () => {
    const server = await serve(hello, { port: 0, host: '127.0.0.1' })
    for (const request of [
      'GET /\\evil HTTP/1.1\r\nHost: x',
      'GET http://[ HTTP/1.1\r\nHost: x',
      'GET / HTTP/1.1\r\nHost: a b',
      'POUET',
    ]) {
      const { answer } = await talk(server.port, [`${request}\r\nConnection: close\r\n\r\n`])
      expect(answer, request).toMatch(/^HTTP\/1\.1 400 /)
      expect(answer).not.toMatch(/Error|node_modules/)
    }
    await server.close()
  })

  // A proxy in front might read the other: what it takes for one body would be a second request to us.
  it.each([
    ['une longueur et des morceaux', 'Content-Length: 5\r\nTransfer-Encoding: chunked'],
    ['des morceaux après une tabulation, et une longueur', 'Transfer-Encoding:\tchunked\r\nContent-Length: 5'],
    ['des morceaux qui n’en sont plus', 'Transfer-Encoding: chunked, identity'],
    ['deux longueurs', 'Content-Length: 5\r\nContent-Length: 6'],
    ['deux longueurs en une', 'Content-Length: 5, 5'],
    ['une longueur signée', 'Content-Length: +5'],
    ['une longueur négative', 'Content-Length: -5'],
    ['une espace avant les deux points', 'Content-Length : 5'],
    ['un en-tête replié', 'X: a\r\n Content-Length: 5'],
    ['une fin de ligne nue', 'X: a\nContent-Length: 5'],
  ])('une demande qui se lit de deux façons est refusée, et n’en cache pas une autre : %s', async (_, headers) => {
    const { app } = openSmall()
    app.post('/', publicPage, async (c) => c.text(await c.req.text()))
    const server = await serve(app, { port: 0, host: '127.0.0.1' })
    const hidden = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    const post = `POST / HTTP/1.1\r\nHost: x\r\nOrigin: ${OURS}\r\nContent-Type: ${FORM}\r\n${headers}\r\n\r\n0\r\n\r\n${hidden}`
    const { answer } = await talk(server.port, [post])
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400'])
    await server.close()
  })

  it('un rejet qui n’est pas une erreur reste une page ou un 500 muet', async () => {
    const app = new Hono().get('/', () => {
      throw 'Jeanne'
    })
    const server = await serve(app, { port: 0, host: '127.0.0.1' })
    const response = await fetch(`http://127.0.0.1:${server.port}/`)
    expect([response.status, await response.text()]).toEqual([500, ''])
    await server.close()
  })

  it('dit quand le port est pris', async () => {
    const server = await serve(hello, { port: 0, host: '127.0.0.1' })
    const second = await serve(hello, { port: server.port, host: '127.0.0.1' }).catch((error: unknown) => error)
    expect(isPortTaken(second)).toBe(true)
    expect(isPortTaken(new Error('autre'))).toBe(false)
    await server.close()
  })

  /** An application whose answer takes its time, or waits for its draining to be seen; and the moment it was asked. */
  const slow = (ms?: number) => {
    let ask!: () => void
    const asked = new Promise<void>((resolve) => (ask = resolve))
    let drain!: () => void
    const draining = new Promise<void>((resolve) => (drain = resolve))
    const app = new Hono<Env>()
      .get('/lente', async (c) => {
        ask()
        await (ms === undefined ? draining : sleep(ms))
        return c.text('enfin')
      })
      .get('/readyz', (c) => {
        if (c.env.draining?.()) drain()
        return c.text(String(c.env.draining?.()))
      })
    return { app, asked }
  }

  it('s’arrête en laissant finir : plus de nouvelle connexion, la réponse en cours arrive', async () => {
    // It does not wait for what is idle: by this patience the test would be over.
    const { app, asked } = slow(400)
    const server = await serve(app, { port: 0, host: '127.0.0.1', patience: { drain: 120_000 } })
    const agent = new http.Agent({ keepAlive: true })
    const get = (path: string) =>
      new Promise<{ body: string; connection: string | undefined }>((resolve, reject) => {
        http
          .get({ port: server.port, host: '127.0.0.1', path, agent }, async (response) =>
            resolve({ body: await text(response), connection: response.headers.connection }),
          )
          .on('error', reject)
      })
    expect((await get('/readyz')).body).toBe('false')
    const during = get('/lente')
    await asked
    const closed = server.close()
    await expect(fetch(`http://127.0.0.1:${server.port}/readyz`)).rejects.toThrow()
    expect((await during).body).toBe('enfin')
    await closed
    agent.destroy()
  })

  it('n’est plus prêt pour une connexion déjà ouverte, et la ferme', async () => {
    const { app, asked } = slow()
    const server = await serve(app, { port: 0, host: '127.0.0.1' })
    const socket = connect(server.port, '127.0.0.1')
    const answered = text(socket)
    socket.write('GET /lente HTTP/1.1\r\nHost: x\r\n\r\n')
    await asked
    const closed = server.close()
    // Read while draining, and what lets the first be answered.
    socket.write('GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n')
    await closed
    const answer = await answered
    expect(answer).toContain('enfin')
    expect(answer).toMatch(/true$|true\r?\n0/)
    expect(answer).toMatch(/connection: close/i)
  })

  it('n’attend pas plus que prévu une réponse qui ne vient pas', async () => {
    const { app, asked } = slow(20_000)
    const server = await serve(app, { port: 0, host: '127.0.0.1', patience: { drain: 300 } })
    const lost = fetch(`http://127.0.0.1:${server.port}/lente`).catch(() => 'coupée')
    await asked
    await server.close()
    expect(await lost).toBe('coupée')
  })

  /** A process of its own, as main will be. */
  const launch = async (env: NodeJS.ProcessEnv = process.env) => {
    const code = `
      import { Hono } from 'hono'
      import { serve, stopOnSignal } from './src/http/server.ts'
      let answer
      const app = new Hono()
        .get('/lente', async (c) => { console.log('demandée'); await new Promise((r) => (answer = r)); return c.text('enfin') })
      const server = await serve(app, { port: 0, host: '127.0.0.1' })
      stopOnSignal(async () => {
        console.log('arrêt')
        if (process.env.OBSTINE === undefined) setTimeout(answer, 300)
        await server.close()
        console.log('base fermée')
      })
      console.log(server.port)`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
      cwd: `${import.meta.dirname}/../..`,
      stdio: ['ignore', 'pipe', 'inherit'],
      env,
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (piece: string) => (output += piece))
    const until = async (word: string) => {
      while (!output.includes(word)) await once(child.stdout, 'data')
    }
    await until('\n')
    return { child, port: Number(output), output: () => output, until }
  }

  it.each([
    'SIGTERM',
    'SIGINT',
  ] as const)('à %s, finit ce qui est en cours, ferme le reste, puis sort proprement', async (signal) => {
    const { child, port, output, until } = await launch()
    const during = fetch(`http://127.0.0.1:${port}/lente`).then((response) => response.text())
    await until('demandée')
    child.kill(signal)
    expect(await during).toBe('enfin')
    const [code] = await once(child, 'exit')
    expect([code, output()]).toEqual([0, `${port}\ndemandée\narrêt\nbase fermée\n`])
  })

  it('au second signal, sort aussitôt', async () => {
    const { child, port, until } = await launch({ ...process.env, OBSTINE: '1' })
    const lost = fetch(`http://127.0.0.1:${port}/lente`).catch(() => 'coupée')
    await until('demandée')
    child.kill('SIGTERM')
    await until('arrêt')
    child.kill('SIGTERM')
    expect((await once(child, 'exit'))[0]).toBe(1)
    expect(await lost).toBe('coupée')
  })

  it('sert une vraie page par le vrai chemin', async () => {
    const { app } = openSmall()
    app.get('/page', publicPage, (c) => c.html('<p>vu</p>'))
    app.post('/page', publicPage, async (c) => {
      const parsed = await parseForm(c, z.object({ nom: texte(20, { required: 'Manque.' }) }))
      return parsed.ok ? c.redirect('/page', 303) : calm(c, 400)
    })
    const server = await serve(app, { port: 0, host: '127.0.0.1' })
    const url = `http://127.0.0.1:${server.port}/page`
    const page = await fetch(url)
    expect([page.status, page.headers.get('content-type'), await page.text()]).toEqual([
      200,
      'text/html; charset=UTF-8',
      '<p>vu</p>',
    ])
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect((await fetch(url, { ...post('nom=Jeanne'), redirect: 'manual' })).status).toBe(303)
    expect((await fetch(url, post('nom='))).status).toBe(400)
    const big = `nom=${'x'.repeat(MAX_BODY)}`
    expect((await fetch(url, post(big))).status).toBe(413)
    const { answer } = await talk(server.port, [
      `POST /page HTTP/1.1\r\nHost: x\r\nOrigin: ${OURS}\r\nContent-Type: ${FORM}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`,
      `${big.length.toString(16)}\r\n${big}\r\n0\r\n\r\n`,
    ])
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    await server.close()
  })
})
