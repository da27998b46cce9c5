import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createApp } from '../../src/app.ts'
import { openDb } from '../../src/db.ts'
import type { Env } from '../../src/http/env.ts'
import { publicPage, requireAidant, rulesOf, WRITING_GETS } from '../../src/http/rules.ts'
import { digest, type Matrix, openMatrix } from '../support/matrix.ts'
import type { Caller } from '../support/matrix-table.ts'
import { ROOT } from '../support/processes.ts'
import { PUBLIC_URL } from '../support/world.ts'

let matrix: Matrix
beforeAll(async () => {
  const more = new Hono<Env>()
  more.get('/panne', publicPage, () => {
    throw new Error('<script>alert(1)</script>')
  })
  matrix = await openMatrix({ more: () => more })
})
afterAll(() => matrix.close())

const deps = () => {
  const { db, config, oidc } = matrix.world
  return { db, config, oidc, log: () => {} }
}

describe('le service ne démarre pas', () => {
  const starting = (more: Hono<Env>) => () => createApp(deps(), more)

  it.each<[string, Hono<Env>]>([
    ['une route sans règle', new Hono<Env>().get('/x', (c) => c.text('x'))],
    [
      'un envoi sans règle à côté d’une page qui en a une',
      new Hono<Env>().get('/x', publicPage, (c) => c.text('x')).post((c) => c.text('x')),
    ],
    [
      'une règle dite après ce qu’elle devait garder',
      new Hono<Env>().get(
        '/x',
        async (_, next) => next(),
        requireAidant,
        (c) => c.text('x'),
      ),
    ],
    ['une route qui prend toutes les méthodes', new Hono<Env>().all('/x', publicPage, (c) => c.text('x'))],
    ['un dossier entier sans règle', new Hono<Env>().use('/x/*', async (_, next) => next())],
    [
      'une route venue d’une autre application',
      new Hono<Env>().route(
        '/x',
        new Hono<Env>().get('/y', (c) => c.text('x')),
      ),
    ],
  ])('avec %s', (_, more) => {
    expect(starting(more)).toThrow(/routes without a rule/)
  })

  it('démarre quand chacune a la sienne', () => {
    expect(starting(new Hono<Env>().get('/x', requireAidant, (c) => c.text('x')))).not.toThrow()
  })
})

describe('ce qu’une route déclare la garde', () => {
  const guarded = (kind: 'dossier' | 'facteur') =>
    new Set(
      rulesOf(matrix.app)
        .filter(({ guards }) => guards.some((guard) => kind in guard))
        .map(({ method, path }) => `${method} ${path}`),
    )

  it('un dossier : qui dirige et ne l’accompagne pas n’y lit rien avant de l’ouvrir ; ailleurs, c’est une aidante comme une autre', async () => {
    const dossiers = guarded('dossier')
    const wrong: string[] = []
    // Jocelyne directs and has no dossier open; Fabrice, of the same structure, accompanies them all.
    const asked = async (caller: Caller, address: string) => (await matrix.ask({ caller, method: 'GET', address })).status
    for (const { key } of matrix.routes.filter(({ method, route }) => method === 'GET' && route.rule !== 'public'))
      for (const { caller, thing, address } of matrix.owners(key)) {
        if (caller !== 'jocelyne' || !thing) continue
        const status = await asked(caller, address)
        if (dossiers.has(key) && status === 200) wrong.push(`${key} : se lit sans raison`)
        const both = thing.of.includes('fabrice') && matrix.owners(key).some((one) => one.caller === 'fabrice')
        if (!dossiers.has(key) && both && status !== (await asked('fabrice', address)))
          wrong.push(`${key} : veut une raison sans le dire`)
      }
    for (const { key, route } of matrix.routes)
      if (typeof route.gives === 'function' && route.gives('jocelyne') === 403 && !dossiers.has(key))
        wrong.push(`${key} : veut une raison sans le dire`)
    expect(wrong).toEqual([])
    expect(dossiers.size).toBeGreaterThan(30)
  })

  it('un facteur : sans lui, rien ne se fait', async () => {
    const wrong: string[] = []
    const keys = [...guarded('facteur')]
    await matrix.world.sql`update session set confirme_at = null where ended_at is null`
    const before = await digest(matrix.world.sql)
    for (const key of keys) {
      // On its own page, a code is typed with the rest.
      if (key.endsWith('/acceptation')) continue
      const { caller, address } = matrix.owners(key).find((one) => one.caller === 'nadia')!
      const fields = { ...(await matrix.fieldsOf(key, caller)), code: '', geste: 'prouver', suivi: 'papier', recu: '123456' }
      const { status, body } = await matrix.ask({ caller, method: 'POST', address, fields })
      if (!(status === 403 && body.includes('Confirme'))) wrong.push(`${key} : ${status}`)
    }
    expect(wrong).toEqual([])
    expect(keys).toHaveLength(9)
    const after = await digest(matrix.world.sql)
    expect(Object.keys(after).filter((table) => after[table] !== before[table])).toEqual([])
  })

  it('docs/droits.md dit chaque route du routeur, une fois, et aucune autre', () => {
    const said = [...readFileSync(path.join(ROOT, 'docs/droits.md'), 'utf8').matchAll(/^\| (GET|POST) \| `([^`]+)` \|/gm)]
    const shown = (key: string) => key.replaceAll(/\{[^/]*\}/g, '')
    expect(said.map(([, method, where]) => `${method} ${where}`).sort()).toEqual(
      matrix.routes.map(({ key }) => shown(key)).sort(),
    )
  })
})

describe('ce qui vient d’un autre site', () => {
  const TABLE: [origin: string, site: string, accepted: boolean][] = [
    [PUBLIC_URL, 'same-origin', true],
    [PUBLIC_URL, '', true],
    ['', 'same-origin', true],
    ['', '', false],
    ['', 'none', false],
    ['', 'cross-site', false],
    [PUBLIC_URL, 'cross-site', false],
    [PUBLIC_URL, 'same-site', false],
    [PUBLIC_URL, 'none', false],
    [`${PUBLIC_URL}/`, 'same-origin', false],
    [`${PUBLIC_URL}.evil.example`, 'same-origin', false],
    ['http://localhost:3001', 'same-origin', false],
    ['https://localhost:3000', 'same-origin', false],
    ['http://127.0.0.1:3000', 'same-origin', false],
    ['https://evil.example', '', false],
    ['null', 'same-origin', false],
    ['null', '', false],
  ]

  it('est refusé par chaque route qui change quelque chose, et n’y change rien', async () => {
    const wrong: string[] = []
    const before = await digest(matrix.world.sql)
    for (const { key } of matrix.routes.filter(({ method }) => method === 'POST')) {
      const { caller, address } = matrix.owners(key).at(-1)!
      const fields = await matrix.fieldsOf(key, caller)
      for (const [origin, site, accepted] of TABLE.filter(([, , accepted]) => !accepted)) {
        const headers = { origin, 'sec-fetch-site': site }
        const { status } = await matrix.ask({ caller, method: 'POST', address, fields, headers })
        if (status !== 403) wrong.push(`${key} · ${origin} · ${site} · ${accepted} : ${status}`)
      }
      for (const type of ['text/plain', 'application/json', 'application/x-www-form-urlencoded; charset=utf-16', '']) {
        const body = new Blob([new URLSearchParams({ reponse: 'non', quoi: 'tout' }).toString()], { type })
        const { status } = await matrix.ask({ caller, method: 'POST', address, body })
        if (status !== 415) wrong.push(`${key} · ${type} : ${status}`)
      }
    }
    expect(wrong).toEqual([])
    expect(await digest(matrix.world.sql)).toEqual(before)
  })

  it('l’est aussi par les méthodes que personne n’attend, sur chaque adresse', async () => {
    const wrong: string[] = []
    const before = await digest(matrix.world.sql)
    for (const { key } of matrix.routes) {
      const { caller, address } = matrix.owners(key).at(-1)!
      for (const method of ['PUT', 'PATCH', 'DELETE', 'PROPFIND']) {
        const foreign = await matrix.ask({ caller, method, address, headers: { origin: 'https://evil.example' } })
        const ours = await matrix.ask({ caller, method, address })
        if (foreign.status !== 403 || ours.status !== 405) wrong.push(`${method} ${address} : ${foreign.status} ${ours.status}`)
      }
    }
    expect(wrong).toEqual([])
    expect(await digest(matrix.world.sql)).toEqual(before)
  })

  it('ce qui vient de chez nous passe', async () => {
    for (const [origin, site] of TABLE.filter(([, , accepted]) => accepted)) {
      const headers = { origin, 'sec-fetch-site': site }
      const answer = await matrix.ask({ caller: 'anonyme', method: 'POST', address: '/deconnexion', headers })
      expect(answer.status).toBe(303)
    }
  })
})

describe('chaque réponse, erreurs comprises', () => {
  const CACHED = /^\/(assets\/|statuts\/|\.well-known\/jwks\.json$|v$|v-sw\.js$|journal\/checkpoint$)/
  const faultOf = (address: string, headers: Headers): string | undefined => {
    const csp = headers.get('content-security-policy')?.split('; ') ?? []
    const { franceconnect, proconnect } = matrix.world.oidc
    const providers = `${franceconnect.origin()} ${proconnect.origin()}`
    const said = Object.fromEntries(csp.map((part) => [part.split(' ')[0], part.split(' ').slice(1).join(' ')]))
    const good =
      said['default-src'] === "'none'" &&
      said['base-uri'] === "'none'" &&
      said['frame-ancestors'] === "'none'" &&
      said['form-action'] === `'self' ${providers}` &&
      ['script-src', 'style-src', 'img-src', 'connect-src', 'font-src'].every((kind) => said[kind] === "'self'")
    if (!good) return `csp ${csp.join('; ')}`
    if (headers.get('x-content-type-options') !== 'nosniff') return 'nosniff'
    if (headers.get('referrer-policy') !== 'same-origin') return 'referrer-policy'
    if (headers.get('cross-origin-opener-policy') !== 'same-origin') return 'coop'
    if (headers.get('cross-origin-resource-policy') !== 'same-origin') return 'corp'
    if (!headers.get('permissions-policy')?.includes('geolocation=()')) return 'permissions-policy'
    if (!headers.get('x-request-id')) return 'référence'
    if (headers.has('server') || headers.has('x-powered-by') || headers.has('etag')) return 'bavardage'
    const kept = headers.get('cache-control')
    if (kept !== 'no-store' && !CACHED.test(address)) return `cache-control ${kept}`
    const type = headers.get('content-type')
    if (type?.startsWith('text/') && !/charset=utf-8/i.test(type)) return type
    for (const cookie of headers.getSetCookie()) if (!/; HttpOnly; SameSite=Lax$/.test(cookie)) return cookie
    return undefined
  }

  it('porte les protections : chaque route, chaque méthode, chacun', { timeout: 120_000 }, async () => {
    const wrong: string[] = []
    const statuses = new Set<number>()
    for (const { key } of matrix.routes)
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', key.split(' ')[0]!])
        for (const caller of ['anonyme', 'marcel', 'nadia'] as const) {
          const { address } = matrix.owners(key).at(-1)!
          const { status, headers } = await matrix.ask({ caller, method, address, alone: method === 'POST' })
          statuses.add(status)
          const fault = faultOf(address, headers)
          if (fault) wrong.push(`${method} ${address} · ${caller} · ${status} : ${fault}`)
        }
    expect(wrong).toEqual([])
    expect([...statuses].sort()).toEqual(expect.arrayContaining([200, 303, 404, 405, 409, 422]))
  })

  it('porte les protections : chaque erreur', async () => {
    const { app } = matrix
    const down = openDb({ url: 'postgres://personne@127.0.0.1:9/rien', connections: 1, waitMs: 1 })
    onTestFinished(() => down.close())
    const without = createApp({ ...deps(), db: down })
    const cookie = (await matrix.cookieOf('thomas'))!
    const form = { 'content-type': 'application/x-www-form-urlencoded', origin: PUBLIC_URL, cookie }
    const multipart = { ...form, 'content-type': 'multipart/form-data; boundary=x' }
    const post = (headers: Record<string, string>, body: string) => ({ method: 'POST', headers, body })
    const refused = async () => {
      for (let n = 0; n < 6; n++) {
        const answer = await app.request('/connexion', post(form, 'email=essai@exemple.fr&code=123456'))
        if (answer.status === 429) return answer
      }
      throw new Error('never throttled')
    }
    const answers: [number, string, Response][] = [
      [400, 'un envoi illisible', await app.request('/mandats/nouveau', post(multipart, 'rien'))],
      [403, 'un autre site', await app.request('/mandats/nouveau', post({ ...form, origin: 'null' }, ''))],
      [404, 'rien', await app.request('/rien')],
      [404, 'un chemin déguisé', await app.request('/%70ersonnes')],
      [405, 'une méthode', await app.request('/personnes', post(form, ''))],
      [413, 'un envoi énorme', await app.request('/mandats/nouveau', post(form, 'a'.repeat(65 * 1024)))],
      [413, 'trop de champs', await app.request('/mandats/nouveau', post(form, 'a=1&'.repeat(300)))],
      [414, 'une adresse énorme', await app.request(`/personnes?q=${'a'.repeat(3000)}`)],
      [415, 'un autre type', await app.request('/mandats/nouveau', post({ ...form, 'content-type': 'text/plain' }, ''))],
      [422, 'un formulaire vide', await app.request('/mandats/nouveau', post(form, ''))],
      [429, 'trop d’essais', await refused()],
      [500, 'une panne', await app.request('/panne')],
      [503, 'une base absente', await without.request('/personnes', { headers: { cookie } })],
    ]
    for (const [status, name, answer] of answers) {
      expect({ name, status: answer.status, fault: faultOf('/', answer.headers) }).toEqual({ name, status, fault: undefined })
      expect(await answer.text()).not.toMatch(/alert\(1\)|node_modules|\.ts:\d|postgres/i)
    }
    expect(answers.at(-1)![2].headers.get('retry-after')).toMatch(/^\d+$/)
    expect(matrix.log.filter(({ event }) => event === 'erreur').map(({ route }) => route)).toEqual(['/panne'])
  })
})

describe('les témoins', () => {
  it('sous https : __Host-, Secure, et aucun autre nom n’est lu', async () => {
    const { world } = matrix
    const publicUrl = 'https://mandats.exemple.fr'
    const app = createApp({ ...deps(), config: { ...world.config, publicUrl } })
    const post = (path: string, body = '', cookie = '') =>
      app.request(path, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/x-www-form-urlencoded', origin: publicUrl, cookie },
      })
    const session = (await matrix.cookieOf('samira'))!
    const answers = [
      await post('/connexion', `email=${randomBytes(4).toString('hex')}@exemple.fr&code=123456`),
      await post('/connexion/franceconnect'),
      await post('/structures', `structure=${world.structures.figeac}`, `__Host-${session}`),
      await post('/deconnexion', '', `__Host-${(await matrix.cookieOf('thomas'))!}`),
    ]
    const set = answers.flatMap(({ headers }) => headers.getSetCookie())
    expect(set).toHaveLength(4)
    for (const cookie of set)
      expect(cookie).toMatch(/^__Host-(session|navigateur)=[\w-]*;( Max-Age=0;)? Path=\/; HttpOnly; Secure; SameSite=Lax$/)
    for (const answer of answers) expect(answer.headers.get('strict-transport-security')).toBe('max-age=63072000')

    const asked = async (cookie: string) => (await app.request('/personnes', { headers: { cookie } })).status
    const thomas = (await matrix.cookieOf('thomas'))!
    expect(await asked(`__Host-${thomas}`)).toBe(200)
    expect(await asked(thomas)).toBe(303)
    expect((await matrix.app.request('/personnes', { headers: { cookie: `__Host-${thomas}` } })).status).toBe(303)
  })

  it.each([
    ['vide', 'session='],
    ['coupé', 'session=%'],
    ['mal codé', 'session=%E0%A4%A'],
    ['sans nom', '=; ;;; session'],
    ['répété', 'session=a; session=b'],
    ['énorme', `session=${'a'.repeat(12_000)}`],
    ['prototype', '__proto__=x; constructor=y; session=z'],
    ['SQL', "session=' or '1'='1"],
  ])('un témoin %s n’ouvre rien et ne casse rien', async (_, cookie) => {
    for (const path of ['/personnes', '/mon-espace', '/connexion/franceconnect/retour?state=x']) {
      const answer = await matrix.app.request(path, { headers: { cookie: `navigateur=${'b'.repeat(99)}; ${cookie}` } })
      expect([303, 409]).toContain(answer.status)
    }
  })
})

describe('ce qui se demande n’écrit pas', () => {
  /** Pages whose opening is written in the access log, shown to the person. */
  const LOOKED_AT = [
    '/personnes/:usagerId',
    '/personnes/:usagerId/contact',
    '/mandats/:mandatId',
    '/mandats/:mandatId/arret',
    '/mandats/:mandatId/arreter',
    '/mandats/:mandatId/pause',
    '/mandats/:mandatId/renoncer',
    '/mandats/:mandatId/deces',
    '/mandats/:mandatId/protection',
    '/mandats/:mandatId/renouveler',
    '/mandats/:mandatId/demarches/nouvelle',
    '/mandats/:mandatId/demarches/hors-mandat',
    '/demarches/:demarcheId',
    '/demarches/:demarcheId/contestation',
    '/demarches/:demarcheId/corriger',
    '/structure/contestations/:contestationId',
    '/demarches/:demarcheId/preuve.tlog-proof',
    '/structure/personnes/:usagerId',
  ]
  /** The facts of a démarche, as a proof gives them to the référent who has the dossier open; never a complaint's. */
  const readWithReason = (path: string, caller: string, name: string | undefined) =>
    path === '/structure/journal/:ligne/preuve.tlog-proof' && caller === 'nadia' && name !== 'de cinabre'

  it('GET : la consultation d’un dossier laisse sa trace, et rien d’autre ne bouge', { timeout: 120_000 }, async () => {
    const wrong: string[] = []
    const { sql } = matrix.world
    let before = await digest(sql)
    for (const { key, path } of matrix.routes.filter(({ method }) => method === 'GET')) {
      for (const { caller, thing, address } of matrix.owners(key)) {
        const { status } = await matrix.ask({ caller, method: 'GET', address })
        const after = await digest(sql)
        const changed = Object.keys(after).filter((table) => after[table] !== before[table])
        before = after
        const looked = LOOKED_AT.includes(path) || readWithReason(path, caller, thing?.name)
        const expected = looked && status === 200 ? 'acces' : ''
        if (changed.join() !== expected) wrong.push(`${address} · ${caller} · ${status} : ${changed.join()}, et non ${expected}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('HEAD : rien du tout, et il ne se fait pas passer pour une consultation', async () => {
    const wrong: string[] = []
    const before = await digest(matrix.world.sql)
    for (const { key, route } of matrix.routes.filter(({ method }) => method === 'GET')) {
      const { caller, address } = matrix.owners(key).at(-1)!
      const { status, body } = await matrix.ask({ caller, method: 'HEAD', address })
      if (body !== '' || (route.rule !== 'public' && status !== 405))
        wrong.push(`${address} · ${caller} : ${status} ${body.slice(0, 20)}`)
    }
    expect(wrong).toEqual([])
    expect(await digest(matrix.world.sql)).toEqual(before)
  })

  it('un retour demandé par HEAD, ou par un robot sans témoin, reste à faire', async () => {
    const { sql } = matrix.world
    const begun = await matrix.ask({ caller: 'anonyme', method: 'POST', address: '/connexion/franceconnect' })
    const state = new URL(begun.location!).searchParams.get('state')!
    const before = await digest(sql)
    for (const path of WRITING_GETS) {
      const answer = await matrix.ask({ caller: 'anonyme', method: 'HEAD', address: `${path}?state=${state}&code=x` })
      expect(answer.status).toBe(405)
    }
    const robot = await matrix.ask({ caller: 'anonyme', method: 'GET', address: `${WRITING_GETS[0]}?state=${state}&code=x` })
    expect(robot.status).toBe(409)
    expect(await digest(sql)).toEqual(before)
  })
})

describe('où l’on arrive ensuite', () => {
  const EVIL = [
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/%09/evil.example',
    '/.//evil.example',
    '/..//evil.example',
    '/x/../..//evil.example',
    'https://evil.example',
    'HTTPS:evil.example',
    'javascript:alert(1)',
    'data:text/html,x',
    '/\r\nSet-Cookie: session=x',
    '/\u0000',
    '/@evil.example',
    ' //evil.example',
    '/personnes\n//evil.example',
    `/${'a'.repeat(600)}`,
  ]

  it('jamais ailleurs, d’où que vienne l’adresse', async () => {
    const { world } = matrix
    const wrong: string[] = []
    const follow = (suite: string, location: string | null) => {
      if (!location || new URL(location, PUBLIC_URL).origin !== PUBLIC_URL || /^[/\\]{2}|[\r\n]/.test(location))
        wrong.push(`${JSON.stringify(suite)} : ${location}`)
    }
    for (const suite of EVIL) {
      const search = `?suite=${encodeURIComponent(suite)}`
      const chosen = { structure: world.structures.figeac }
      const asked = { method: 'POST', alone: true } as const
      follow(suite, (await matrix.ask({ ...asked, caller: 'samira', address: `/structures${search}`, fields: chosen })).location)
      const cgu = { ...asked, caller: 'thomas', fields: { accepte: 'oui' } } as const
      follow(suite, (await matrix.ask({ ...cgu, address: `/conditions-d-utilisation${search}` })).location)
      const out = `/connexion/franceconnect/deconnecte?state=${encodeURIComponent(suite)}`
      follow(suite, (await matrix.ask({ caller: 'anonyme', method: 'GET', address: out })).location)
      const shown = await matrix.ask({ caller: 'anonyme', method: 'GET', address: `/connexion${search}` })
      // The one address elsewhere of that page is written in it.
      const given = shown.body.replace('"https://www.proconnect.gouv.fr/"', '')
      if (/="(?:[a-z]+:|\s|[/\\]{2})/i.test(given)) wrong.push(`${suite} : la page le garde`)
    }
    expect(wrong).toEqual([])
  })

  it('le retour de déconnexion ne dit que des mots à nous', async () => {
    for (const state of [
      '__proto__',
      'constructor.x',
      'toString',
      '<script>.',
      `mineure.${'0'.repeat(36)}`,
      '.',
      '..'.repeat(500),
    ]) {
      const address = `/connexion/franceconnect/deconnecte?state=${encodeURIComponent(state)}`
      const answer = await matrix.ask({ caller: 'thomas', method: 'GET', address })
      expect([303, 409]).toContain(answer.status)
      expect(answer.body).not.toContain('<script>.')
    }
  })
})

describe('des textes hostiles, partout où l’on en garde', () => {
  const SHORT = '"><b>\'&lt;'
  const HOSTILE = `${SHORT}<img src=x onerror=alert(1)><script>alert(2)</script>`

  it('restent des textes sur chaque page', async () => {
    const { sql } = matrix.world
    const texts: [table: string, column: string, value: string][] = [
      ['usager', 'nom_naissance', HOSTILE],
      ['usager', 'nom_usage', HOSTILE],
      ['usager', 'email', HOSTILE],
      ['usager', 'telephone', HOSTILE],
      ['aidant', 'prenom', SHORT],
      ['aidant', 'nom', HOSTILE.slice(0, 50)],
      ['structure', 'nom', HOSTILE],
      ['structure', 'adresse', HOSTILE],
      ['structure', 'telephone', SHORT],
      ['brouillon', 'contact', HOSTILE],
      ['demarche_contenu', 'titre', HOSTILE],
      ['demarche_contenu', 'administration', HOSTILE.slice(0, 80)],
      ['demarche_contenu', 'reference', HOSTILE.slice(0, 40)],
      ['demarche_contenu', 'etape_quoi', HOSTILE],
      ['demarche_contenu', 'orientation', HOSTILE],
      ['demarche_contenu', 'note', HOSTILE],
      ['mandat_contenu', 'texte', HOSTILE],
    ]
    const names = {
      prenoms: [HOSTILE],
      nomNaissance: HOSTILE,
      nomUsage: HOSTILE,
      prenom: HOSTILE,
      nom: HOSTILE,
      adresse: HOSTILE,
    }
    for (const table of ['demarche_contenu', 'mandat_contenu', 'journal_contenu', 'usager'])
      await sql.unsafe(`alter table ${table} disable trigger user`)
    for (const [table, column, value] of texts) await sql`update ${sql(table)} set ${sql(column)} = ${value}`
    await sql`update usager set prenoms = ${[HOSTILE]}`
    await sql`update brouillon set identite = identite || ${sql.json(names)} where identite is not null`
    for (const column of ['identite', 'structure', 'aidant'])
      await sql`update mandat_contenu set ${sql(column)} = ${sql(column)} || ${sql.json(names)}`
    await sql`update journal_contenu set payload = ${JSON.stringify({ motif: 'autre', precision: HOSTILE })}`

    const wrong: string[] = []
    let shown = 0
    for (const { key } of matrix.routes.filter(({ method, path }) => method === 'GET' && path !== '/readyz'))
      for (const { caller, address } of matrix.owners(key))
        for (const search of ['', `?q=${encodeURIComponent(HOSTILE)}&du=${encodeURIComponent(HOSTILE)}`]) {
          const { body, status } = await matrix.ask({ caller, method: 'GET', address: address + search })
          if (body.includes('&lt;img src=x')) shown++
          if (/<img src=x|<script>alert|"><b>|'&lt;(?!img)/.test(body) || status >= 500)
            wrong.push(`${address}${search} · ${caller} · ${status}`)
        }
    expect(wrong).toEqual([])
    expect(shown).toBeGreaterThan(50)
  })
})
