import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ANSWER_MS } from '../../src/aidant/routes.ts'
import { drawSecours } from '../../src/aidant/secours.ts'
import { requestCode } from '../../src/aidant/sign-in.ts'
import { createApp } from '../../src/app.ts'
import { AIDANTS, type AidantKey, codeOf } from '../../src/demo/people.ts'
import { RATES } from '../../src/http/rates.ts'
import { rulesOf } from '../../src/http/rules.ts'
import { signMandat } from '../../src/mandat/sign.ts'
import { expectValidHtml } from '../support/html.ts'
import { statementsOf } from '../support/statements.ts'
import { type Browser, newWorld, ok, type Page, PUBLIC_URL, type World } from '../support/world.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

let world: World
let now: Date
let day = 0
beforeAll(async () => {
  world = await newWorld()
})
afterAll(() => world.close())
/** Each test has its day: codes, windows of the rates and sessions of another are far away. */
beforeEach(async () => {
  now = new Date(Date.UTC(2026, 2, 2 + day++, 9, 2, 5))
  await world.database.freeze(now)
})
const later = async (ms: number) => {
  now = new Date(now.getTime() + ms)
  await world.database.freeze(now)
}

const ask = (browser: Browser, email: string, code: string, suite?: string) =>
  browser.post(suite === undefined ? '/connexion' : `/connexion?suite=${encodeURIComponent(suite)}`, { email, code })
const askAs = (browser: Browser, aidant: AidantKey, suite?: string) =>
  ask(browser, AIDANTS[aidant].email, codeOf(aidant, now), suite)
/** What the last message to her says. */
const received = async (aidant: AidantKey) => {
  const [message] = await world.sql<{ corps: string }[]>`
    select corps from message where destinataire = ${AIDANTS[aidant].email} and cle like 'connexion:%' order by created_at desc limit 1`
  const code = /: (\d{3} \d{3})\n/.exec(message?.corps ?? '')?.[1]?.replace(' ', '')
  const lien = /(http\S+\/connexion\/lien\/\S+)/.exec(message?.corps ?? '')?.[1]
  return { code: code!, lien: lien! }
}
const signIn = async (aidant: AidantKey, browser = world.browser(), suite?: string) => {
  expect((await askAs(browser, aidant, suite)).status).toBe(303)
  const { code } = await received(aidant)
  const page = await browser.post('/connexion/code', { code })
  return { browser, page }
}
const door = () => ({ secretsKey: world.config.secretsKey, publicUrl: PUBLIC_URL })
const mails = async () => (await world.sql`select 1 from message where cle like 'connexion:%'`).length
const refused = (page: Page) => expect([page.status, page.headers.getSetCookie()]).toEqual([409, []])
const isOpen = async (browser: Browser) => (await browser.get('/personnes')).status === 200

describe('première étape : une seule réponse, quoi qu’il soit faux', () => {
  /** All that may be seen from outside, the browser's token apart. */
  const seen = (page: Page) => ({
    status: page.status,
    location: page.location,
    html: page.html,
    cookies: page.headers.getSetCookie().map((cookie) => cookie.replace(/=[\w-]{43};/, '=(43 lettres);')),
    headers: [...page.headers].filter(([name]) => name !== 'set-cookie' && name !== 'x-request-id'),
  })

  it('adresse inconnue, code faux, déjà servi, d’une autre, aidante suspendue ou partie : même réponse, et aucun message', async () => {
    const wrong = codeOf('thomas', now) === '000000' ? '111111' : '000000'
    const right = await askAs(world.browser(), 'thomas')
    expect(right.location).toBe(`${PUBLIC_URL}/connexion/code`)
    const before = await mails()
    const answers: Record<string, Page> = {
      inconnue: await ask(world.browser(), 'personne@nulle-part.fr', codeOf('thomas', now)),
      fausse: await ask(world.browser(), AIDANTS.ines.email, wrong),
      rejouée: await askAs(world.browser(), 'thomas'),
      'd’une autre': await ask(world.browser(), AIDANTS.ines.email, codeOf('nadia', now)),
    }
    await world.sql`update aidant set suspended_at = horloge() where id = ${world.aidants.fabrice}`
    await world.sql`update habilitation set ended_at = horloge() where aidant_id = ${world.aidants.jocelyne}`
    answers.suspendue = await askAs(world.browser(), 'fabrice')
    answers.partie = await askAs(world.browser(), 'jocelyne')
    await world.sql`update aidant set suspended_at = null`
    await world.sql`update habilitation set ended_at = null`

    for (const [why, answer] of Object.entries(answers)) expect({ why, ...seen(answer) }).toEqual({ why, ...seen(right) })
    expect(await mails()).toBe(before)
  })

  it('l’étape suivante répond de même à qui n’a rien reçu et à qui se trompe', async () => {
    const known = world.browser()
    const unknown = world.browser()
    await askAs(known, 'ines')
    await ask(unknown, 'personne@nulle-part.fr', '123456')
    const { code } = await received('ines')
    const wrong = code === '000000' ? '111111' : '000000'
    expect(seen(await unknown.post('/connexion/code', { code: wrong }))).toEqual(
      seen(await known.post('/connexion/code', { code: wrong })),
    )
    expect(seen(await unknown.get('/connexion/code'))).toEqual(seen(await known.get('/connexion/code')))
  })

  it('code bon, faux, adresse inconnue : mêmes requêtes à la base ; code de secours de même', async () => {
    const asking = (email: string, code: string) =>
      statementsOf(world.db, (db) => requestCode(db, { email, code, suite: undefined, reseau: '198.51.100.7' }, door()))
    const [secours] = await world.db.tx({ kind: 'portier' }, (tx) => drawSecours(tx, world.aidants.thomas!, door().secretsKey))
    for (const right of [codeOf('thomas', now), secours!]) {
      const before = await mails()
      const statements = await asking(AIDANTS.thomas.email, right)
      expect(await mails()).toBe(before + 1)
      const wrong = right.replace(/./g, (digit) => String((Number(digit) + 1) % 10))
      expect(await asking(AIDANTS.thomas.email, wrong)).toEqual(statements)
      expect(await asking('personne@nulle-part.fr', right)).toEqual(statements)
      expect(await mails()).toBe(before + 1)
    }
  })

  it('ne répond pas plus tôt à l’un qu’à l’autre : jamais avant son heure', async () => {
    const asked: [email: string, code: string][] = [
      [AIDANTS.thomas.email, '000000'],
      ['personne@nulle-part.fr', '000000'],
      [AIDANTS.thomas.email, codeOf('thomas', now)],
    ]
    for (const [email, code] of asked) {
      const begun = performance.now()
      expect((await ask(world.browser(), email, code)).status).toBe(303)
      // A timer counts whole milliseconds.
      expect(performance.now() - begun).toBeGreaterThan(ANSWER_MS - 1)
    }
  })

  it('ne tient compte ni de la casse ni des espaces de l’adresse', async () => {
    const before = await mails()
    expect((await ask(world.browser(), '  NADIA@Figeac.Demo ', codeOf('nadia', now))).status).toBe(303)
    expect(await mails()).toBe(before + 1)
    const { code } = await received('nadia')
    expect(code).toMatch(/^\d{6}$/)
  })

  it('redemande ce qui est mal écrit, avec l’adresse et jamais le code', async () => {
    const page = await ask(world.browser(), 'nadia@figeac', '12345')
    expect(page.status).toBe(422)
    expect(page.html).toContain('nadia@figeac')
    expect(page.html).not.toContain('12345')
    await expectValidHtml(page.html)
  })

  it('ne garde aucun code ni jeton en clair', async () => {
    const browser = world.browser()
    await askAs(browser, 'nadia')
    const { code, lien } = await received('nadia')
    const jeton = lien.split('/').at(-1)!
    expect(await world.tablesHolding(jeton)).toEqual(['message'])
    expect(await world.tablesHolding(browser.cookies.get('navigateur')!)).toEqual([])
    await browser.post('/connexion/code', { code })
    expect(await world.tablesHolding(browser.cookies.get('session')!)).toEqual([])
  })
})

describe('le code de l’application sert une fois', () => {
  it('pas deux fois à la connexion, ni celui d’avant un code déjà accepté', async () => {
    await askAs(world.browser(), 'thomas')
    const before = await mails()
    await askAs(world.browser(), 'thomas')
    await ask(world.browser(), AIDANTS.thomas.email, codeOf('thomas', new Date(now.getTime() - 30 * SECOND)))
    expect(await mails()).toBe(before)
  })

  it('pas deux fois envoyé au même instant', async () => {
    for (let round = 0; round < 10; round++) {
      await later(MINUTE)
      await world.sql`delete from limite`
      const before = await mails()
      await Promise.all([1, 2, 3].map(() => askAs(world.browser(), 'ines')))
      expect(await mails()).toBe(before + 1)
    }
  })

  it('celui de la connexion ne signe pas, le suivant signe', async () => {
    await signIn('thomas')
    const brouillonId = await world.draft({ aidant: 'thomas' })
    const by = world.as('thomas')
    const sign = (code: string) => signMandat(world.db, by, { brouillonId, code }, world.signer)
    expect(await sign(codeOf('thomas', now))).toEqual({ ok: false, refusal: 'second_facteur_refuse' })
    await later(30 * SECOND)
    ok(await sign(codeOf('thomas', now)))
  })

  it('un pas d’avance ou de retard passe, deux non', async () => {
    const count = async (shift: number) => {
      const before = await mails()
      await ask(world.browser(), AIDANTS.ines.email, codeOf('ines', new Date(now.getTime() + shift * 30 * SECOND)))
      return (await mails()) - before
    }
    expect(await count(-2)).toBe(0)
    expect(await count(2)).toBe(0)
    expect(await count(-1)).toBe(1)
    expect(await count(1)).toBe(1)
  })
})

describe('après trois échecs', () => {
  it('même le bon code attend, pour cette adresse seulement, puis passe', async () => {
    const browser = world.browser()
    for (let i = 0; i < 3; i++) expect((await ask(browser, AIDANTS.ines.email, codeOf('nadia', now))).status).toBe(303)
    const before = await mails()
    const waiting = await askAs(browser, 'ines')
    expect(waiting.status).toBe(429)
    expect(Number(waiting.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await mails()).toBe(before)
    // Nine o'clock in the frozen hour of the test is ten in Paris: the quarter ends at a quarter past.
    const text = waiting.html.replaceAll('\u00a0', ' ')
    expect(text).toMatch(/Attendez 13 minutes, et essayez de nouveau à partir de <time[^>]*>10 h 15<\/time> \(heure de Paris\)/)
    expect(text).toContain(`value="${AIDANTS.ines.email}"`)
    await expectValidHtml(waiting.html)
    expect((await askAs(world.browser(), 'thomas')).status).toBe(303)
    expect(await mails()).toBe(before + 1)

    await later(Number(waiting.headers.get('retry-after')) * SECOND)
    expect((await askAs(browser, 'ines')).status).toBe(303)
    expect(await mails()).toBe(before + 2)
  })

  /** A try from this network, with this cookie. */
  const tryFrom = async (remoteAddress: string, email: string, code: string, connu?: string) => {
    const headers = {
      origin: PUBLIC_URL,
      'content-type': 'application/x-www-form-urlencoded',
      cookie: connu ? `connu=${connu}` : '',
    }
    const body = new URLSearchParams({ email, code }).toString()
    const answer = await world.app.request(
      '/connexion',
      { method: 'POST', headers, body },
      { incoming: { socket: { remoteAddress } } },
    )
    return answer.status
  }
  const wrongOf = (aidant: AidantKey) => (codeOf(aidant, now) === '000000' ? '111111' : '000000')
  const told = () => world.sql<{ corps: string }[]>`
    select corps from message where starts_with(cle, 'essais:') and created_at >= date_trunc('day', ${now}::timestamptz, 'UTC')`

  /** What is sent to the database once an address is closed: nobody learns from it whether she exists. */
  const closed: string[][] = []

  it('un inconnu ne ferme que son réseau : ailleurs, elle entre', async () => {
    const { email } = AIDANTS.ines
    for (let i = 0; i < 3; i++) expect(await tryFrom(`2001:db8:1:2::${i}`, email, wrongOf('ines'))).toBe(303)
    expect(await tryFrom('2001:db8:1:2:ffff::9', email, codeOf('ines', now))).toBe(429)
    const before = await mails()
    expect(await tryFrom('2001:db8:1:3::1', email, codeOf('ines', now))).toBe(303)
    expect(await mails()).toBe(before + 1)
  })

  it.each([
    ['la sienne', AIDANTS.ines.email, 1],
    ['inconnue', 'personne@nulle-part.fr', 0],
  ])('trente échecs de dix réseaux ferment l’adresse (%s) jusqu’au lendemain, et elle l’apprend une fois', async (_, email, mailed) => {
    for (let i = 0; i < RATES.connexion_compte.count; i++)
      expect(await tryFrom(`203.0.113.${Math.floor(i / 3)}`, email, wrongOf('ines'))).toBe(303)
    const before = await mails()
    for (const last of [100, 101]) expect(await tryFrom(`203.0.113.${last}`, email, codeOf('ines', now))).toBe(429)
    const asked = { email, code: codeOf('ines', now), suite: undefined, reseau: '203.0.113.102' }
    closed.push(await statementsOf(world.db, (db) => requestCode(db, asked, door())))
    expect(closed.at(-1)).toEqual(closed[0])
    expect(await mails()).toBe(before)
    expect(await told()).toHaveLength(mailed)
    expect((await told()).every(({ corps }) => corps.startsWith('Bonjour Inès,'))).toBe(true)
    await later(DAY - (now.getTime() % DAY))
    expect(await tryFrom('203.0.113.100', email, codeOf('ines', now))).toBe(303)
  })

  it('un navigateur où elle est déjà entrée n’est fermé que par ses propres échecs ; son témoin ne vaut que pour elle', async () => {
    const { email } = AIDANTS.thomas
    const { browser } = await signIn('thomas')
    const hers = browser.cookies.get('connu')!
    const other = (await signIn('nadia')).browser.cookies.get('connu')!
    expect(hers.includes('thomas')).toBe(false)
    await later(MINUTE)
    for (let i = 0; i < RATES.connexion_compte.count; i++)
      await tryFrom(`203.0.113.${Math.floor(i / 3)}`, email, wrongOf('thomas'))
    const forged = `${hers.split('.')[0]}.${other.split('.')[1]}`
    for (const connu of [undefined, other, forged, 'rien', `${hers}x`])
      expect([connu, await tryFrom('203.0.113.200', email, codeOf('thomas', now), connu)]).toEqual([connu, 429])
    expect(await tryFrom('203.0.113.0', email, codeOf('thomas', now), hers)).toBe(303)
    for (let i = 0; i < 3; i++) expect(await tryFrom(`203.0.113.${i}`, email, wrongOf('thomas'), hers)).toBe(303)
    await later(MINUTE)
    expect(await tryFrom('203.0.113.201', email, codeOf('thomas', now), hers)).toBe(429)
  })

  it('chaque connexion ne laisse pas un témoin de plus à qui les amasserait', async () => {
    const { browser } = await signIn('thomas')
    const first = browser.cookies.get('connu')!
    await later(MINUTE)
    await signIn('thomas', browser)
    expect(browser.cookies.get('connu')).toBe(first)
    await later(MINUTE)
    await signIn('nadia', browser)
    expect(browser.cookies.get('connu')).not.toBe(first)
    browser.cookies.set('connu', `${first}x`)
    await later(MINUTE)
    await signIn('thomas', browser)
    expect(browser.cookies.get('connu')).not.toContain(first)
  })

  it('une adresse inconnue attend pareil', async () => {
    const tries = []
    for (let i = 0; i < 4; i++) tries.push((await ask(world.browser(), 'personne@nulle-part.fr', '123456')).status)
    expect(tries).toEqual([303, 303, 303, 429])
  })

  it('se connecter souvent n’est pas échouer', async () => {
    for (let i = 0; i < 6; i++) {
      expect((await askAs(world.browser(), 'nadia')).status).toBe(303)
      await later(30 * SECOND)
    }
  })

  it('trois codes reçus faux : ni le bon code ni le lien n’ouvrent plus', async () => {
    const browser = world.browser()
    await askAs(browser, 'nadia')
    const { code, lien } = await received('nadia')
    const wrong = code === '000000' ? '111111' : '000000'
    for (let i = 0; i < 3; i++) refused(await browser.post('/connexion/code', { code: wrong }))
    refused(await browser.post('/connexion/code', { code }))
    refused(await browser.post(lien, {}))
  })
})

describe('le lien et le code reçus', () => {
  it('le lien survit aux visites d’un robot et ouvre une fois par son bouton', async () => {
    const browser = world.browser()
    await askAs(browser, 'thomas')
    const { code, lien } = await received('thomas')
    const before = await world.digest()
    for (let i = 0; i < 3; i++) {
      const scanned = await world.browser().get(lien)
      expect(scanned.status).toBe(200)
      expect(scanned.html).toContain('Ouvrir ma session')
      await expectValidHtml(scanned.html)
    }
    expect(await world.digest()).toEqual(before)

    expect((await browser.post(lien, {})).location).toBe(`${PUBLIC_URL}/personnes`)
    expect(await isOpen(browser)).toBe(true)
    refused(await browser.post(lien, {}))
    refused(await browser.post('/connexion/code', { code }))
  })

  it('n’ouvre que dans le navigateur qui l’a demandé, et celui d’un autre ne l’use pas', async () => {
    const browser = world.browser()
    await askAs(browser, 'thomas')
    const { code, lien } = await received('thomas')
    const thief = world.browser()
    for (let i = 0; i < 6; i++) {
      refused(await thief.post(lien, {}))
      refused(await thief.post('/connexion/code', { code }))
    }
    // With a sign-in of the thief's own under way.
    await ask(thief, 'personne@nulle-part.fr', '123456')
    refused(await thief.post('/connexion/code', { code }))
    refused(await thief.post(lien, {}))
    expect((await browser.post('/connexion/code', { code })).status).toBe(303)
  })

  it.each([
    ['lien', 15 * MINUTE - SECOND, true],
    ['lien', 15 * MINUTE + SECOND, false],
    ['code', 10 * MINUTE - SECOND, true],
    ['code', 10 * MINUTE + SECOND, false],
  ] as const)('%s, %i ms après : %s', async (how, ms, opens) => {
    const browser = world.browser()
    await askAs(browser, 'thomas')
    const { code, lien } = await received('thomas')
    await later(ms)
    const page = how === 'lien' ? await browser.post(lien, {}) : await browser.post('/connexion/code', { code })
    if (opens) expect(page.location).toBe(`${PUBLIC_URL}/personnes`)
    else refused(page)
    expect(await isOpen(browser)).toBe(opens)
  })

  it('ferme la session qu’une collègue avait laissée sur ce poste, et sa trace le dit ; la sienne reprise n’en laisse pas', async () => {
    const left = async () =>
      (await world.sql<{ aidant_id: string }[]>`select aidant_id from acces where genre = 'deconnexion' order by id`).map(
        ({ aidant_id }) => aidant_id,
      )
    const before = await left()
    const browser = world.browser()
    for (const aidant of ['thomas', 'nadia', 'nadia'] as const) {
      // A code of her authenticator serves once.
      await later(31 * SECOND)
      await askAs(browser, aidant)
      expect((await browser.post('/connexion/code', { code: (await received(aidant)).code })).status).toBe(303)
    }
    expect(await left()).toEqual([...before, world.aidants.thomas])
  })

  it('envoyé dix fois au même instant n’ouvre qu’une session', async () => {
    const browser = world.browser()
    await askAs(browser, 'nadia')
    const { code } = await received('nadia')
    const cookie = `navigateur=${browser.cookies.get('navigateur')}`
    const answers = await Promise.all(Array.from({ length: 10 }, () => world.post('/connexion/code', { code }, cookie)))
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(9)
    const sessions = await world.sql`select 1 from session where aidant_id = ${world.aidants.nadia} and created_at = ${now}`
    expect(sessions).toHaveLength(1)
  })

  it('n’ouvre pas à une aidante suspendue entre-temps', async () => {
    const browser = world.browser()
    await askAs(browser, 'ines')
    const { code } = await received('ines')
    await world.sql`update aidant set suspended_at = horloge() where id = ${world.aidants.ines}`
    refused(await browser.post('/connexion/code', { code }))
    await world.sql`update aidant set suspended_at = null`
  })
})

describe('la page demandée avant la connexion', () => {
  it('est celle où l’on arrive', async () => {
    const browser = world.browser()
    const sent = await browser.get('/mandats/nouveau?depuis=accueil')
    expect(sent.location).toBe(`${PUBLIC_URL}/connexion?suite=${encodeURIComponent('/mandats/nouveau?depuis=accueil')}`)
    const page = await browser.get(sent.location!)
    const action = /action="(\/connexion\?[^"]*)"/.exec(page.html)?.[1]
    expect(action).toBe(`/connexion?suite=${encodeURIComponent('/mandats/nouveau?depuis=accueil')}`)
    const { page: opened } = await signIn('thomas', browser, '/mandats/nouveau?depuis=accueil')
    expect(opened.location).toBe(`${PUBLIC_URL}/mandats/nouveau?depuis=accueil`)
  })

  it.each([
    'https://ailleurs.example/',
    '//ailleurs.example/',
    '/\\ailleurs.example',
    '\\\\ailleurs.example',
    '/\t/ailleurs.example',
    '/.//ailleurs.example',
    'javascript:alert(1)',
    '/personnes\r\nset-cookie: a=b',
    'ailleurs',
    `/${'a'.repeat(600)}`,
  ])('une adresse d’ailleurs n’est jamais suivie : %s', async (suite) => {
    const { page } = await signIn('thomas', world.browser(), suite)
    expect(page.location).toBe(`${PUBLIC_URL}/personnes`)
  })

  it('même écrite dans la base', async () => {
    const browser = world.browser()
    await askAs(browser, 'thomas')
    await world.sql`update code_connexion set suite = '//ailleurs.example/' where used_at is null`
    const { code } = await received('thomas')
    expect((await browser.post('/connexion/code', { code })).location).toBe(`${PUBLIC_URL}/personnes`)
  })
})

describe('la session', () => {
  it('n’adopte jamais un jeton posé avant la connexion', async () => {
    const planted = 'A'.repeat(43)
    const { browser } = await signIn('thomas', world.browser(`session=${planted}; navigateur=${'B'.repeat(43)}`))
    expect(browser.cookies.get('session')).not.toBe(planted)
    expect((await world.get('/personnes', `session=${planted}`)).status).toBe(303)
  })

  it('se connecter à nouveau ferme la précédente de ce navigateur', async () => {
    const { browser } = await signIn('thomas')
    const first = `session=${browser.cookies.get('session')}`
    await later(MINUTE)
    await signIn('thomas', browser)
    expect((await world.get('/personnes', first)).status).toBe(303)
    expect(await isOpen(browser)).toBe(true)
  })

  it('se connecter à nouveau garde le témoin du navigateur : l’aller-retour commencé y revient encore', async () => {
    const { browser } = await signIn('thomas')
    const before = browser.cookies.get('navigateur')
    await later(MINUTE)
    await signIn('thomas', browser)
    expect(browser.cookies.get('navigateur')).toBe(before)
  })

  it('se fermer la ferme sur le serveur, et le navigateur ne garde rien', async () => {
    const { browser } = await signIn('thomas')
    const cookie = `session=${browser.cookies.get('session')}`
    const out = await browser.post('/deconnexion', {})
    expect(out.location).toBe(`${PUBLIC_URL}/`)
    expect(out.headers.get('clear-site-data')).toContain('"cache"')
    expect(browser.cookies.has('session')).toBe(false)
    const [left] = await world.sql`select genre, aidant_id, structure_id from acces order by id desc limit 1`
    expect({ ...left }).toEqual({ genre: 'deconnexion', aidant_id: world.aidants.thomas, structure_id: world.structures.figeac })
    expect((await world.get('/personnes', cookie)).status).toBe(303)
  })

  it.each([
    ['30 min moins une seconde', 30 * MINUTE - SECOND, true],
    ['30 min plus une seconde', 30 * MINUTE + SECOND, false],
  ] as const)('sans rien faire pendant %s', async (_, ms, alive) => {
    const { browser } = await signIn('thomas')
    await later(ms)
    expect(await isOpen(browser)).toBe(alive)
  })

  it.each([
    ['10 h moins une seconde', 10 * HOUR - SECOND, true],
    ['10 h plus une seconde', 10 * HOUR + SECOND, false],
  ] as const)('utilisée sans cesse pendant %s', async (_, ms, alive) => {
    const { browser } = await signIn('thomas')
    const start = now.getTime()
    for (let at = start; at < start + ms; at += 29 * MINUTE) {
      await later(at - now.getTime())
      expect(await isOpen(browser)).toBe(true)
    }
    await later(start + ms - now.getTime())
    expect(await isOpen(browser)).toBe(alive)
  })

  it('d’une aidante suspendue est morte à la requête suivante, en lecture comme en écriture', async () => {
    const { browser } = await signIn('ines')
    expect(await isOpen(browser)).toBe(true)
    await world.sql`update aidant set suspended_at = horloge() where id = ${world.aidants.ines}`
    const before = await world.digest()
    expect((await browser.get('/personnes')).location).toContain('/connexion?suite=')
    const posted = await browser.post('/mandats/nouveau', { protegee: 'non', thematiques: 'logement', duree: 'mois' })
    expect(posted.location).toContain('/connexion?suite=')
    expect(await world.digest()).toEqual(before)
    await world.sql`update aidant set suspended_at = null`
  })

  it('sous https, ses témoins sont __Host-, Secure, HttpOnly et SameSite=Lax', async () => {
    const publicUrl = 'https://mandats.exemple.fr'
    const { db, provider, config } = world
    const app = createApp({ db, config: { ...config, publicUrl }, oidc: { franceconnect: provider }, log: () => {} })
    const post = (path: string, body: Record<string, string>, cookie = '') =>
      app.request(path, {
        method: 'POST',
        body: new URLSearchParams(body).toString(),
        headers: { origin: publicUrl, 'content-type': 'application/x-www-form-urlencoded', cookie },
      })
    const shape = (response: Response) => response.headers.getSetCookie().map((cookie) => cookie.replace(/=[\w.-]{43,};/, '=…;'))
    const asked = await post('/connexion', { email: AIDANTS.thomas.email, code: codeOf('thomas', now) })
    expect(shape(asked)).toEqual(['__Host-navigateur=…; Path=/; HttpOnly; Secure; SameSite=Lax'])
    const { code } = await received('thomas')
    const opened = await post('/connexion/code', { code }, asked.headers.getSetCookie()[0]!.split(';')[0])
    expect(shape(opened)).toEqual([
      '__Host-session=…; Path=/; HttpOnly; Secure; SameSite=Lax',
      '__Host-connu=…; Max-Age=15552000; Path=/; HttpOnly; Secure; SameSite=Lax',
    ])
  })

  it('écrit une ligne d’accès par connexion', async () => {
    await signIn('thomas')
    const lines = await world.sql`select genre, structure_id from acces where aidant_id = ${world.aidants.thomas} and at = ${now}`
    expect([...lines]).toEqual([{ genre: 'connexion', structure_id: world.structures.figeac }])
  })
})

describe('les conditions d’utilisation', () => {
  /** Every address an aidant or a référent has, with identifiers that exist nowhere. */
  const routes = () =>
    rulesOf(world.app)
      .filter(({ rule }) => rule === 'aidant' || rule === 'referent')
      .map(({ method, path, rule }) => ({ method, rule, path: path.replaceAll(/:\w+Id/g, world.aidants.nadia) }))

  it.each([null, 0])('version acceptée %s : chaque adresse y mène d’abord, et rien n’est fait', async (version) => {
    const cookie = await world.sessionOf('nadia')
    await world.sql`
      update aidant
      set cgu_version = ${version}, cgu_accepted_at = ${version === null ? null : now}
      where id = ${world.aidants.nadia}`
    const before = await world.digest()
    const all = routes()
    expect(all.length).toBeGreaterThan(15)
    for (const { method, path } of all) {
      const answer = method === 'GET' ? await world.get(path, cookie) : await world.post(path, {}, cookie)
      if (path === '/conditions-d-utilisation') expect(answer.status).toBe(method === 'GET' ? 200 : 422)
      else
        expect({ method, path, status: answer.status, location: answer.headers.get('location') }).toEqual({
          method,
          path,
          status: 303,
          location: `/conditions-d-utilisation?suite=${encodeURIComponent(path)}`,
        })
    }
    expect(await world.digest()).toEqual(before)

    const refused = await world.post('/conditions-d-utilisation', { accepte: 'non' }, cookie)
    expect(refused.status).toBe(422)
    await expectValidHtml(await refused.text())
    const accepted = await world.post('/conditions-d-utilisation?suite=/mandats/nouveau', { accepte: 'oui' }, cookie)
    expect([accepted.status, accepted.headers.get('location')]).toEqual([303, '/mandats/nouveau'])
    expect((await world.get('/mandats/nouveau', cookie)).status).toBe(200)
    const reread = await (await world.get('/conditions-d-utilisation', cookie)).text()
    expect(reread).toMatch(/Vous avez accepté ces conditions le <time/)
    expect(reread).not.toContain('name="accepte"')
    await expectValidHtml(reread)
  })

  it('sans session, chaque adresse mène à la connexion ; à une personne, aucune n’existe', async () => {
    await world.signMandat({ persona: 'josiane', aidant: 'thomas' })
    const hers = await world.sessionOf('josiane')
    for (const { method, path } of routes()) {
      const send = (cookie?: string) => (method === 'GET' ? world.get(path, cookie) : world.post(path, {}, cookie))
      const nobody = await send()
      expect([path, nobody.status, nobody.headers.get('location')]).toEqual([
        path,
        303,
        `/connexion?suite=${encodeURIComponent(path)}`,
      ])
      expect([path, (await send(hers)).status]).toEqual([path, 404])
    }
  })
})
