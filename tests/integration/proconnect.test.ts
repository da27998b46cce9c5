import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createApp } from '../../src/app.ts'
import { AIDANTS } from '../../src/demo/people.ts'
import { PROCONNECT } from '../../src/demo/proconnect/flavour.ts'
import { franceconnect } from '../../src/oidc/franceconnect.ts'
import { proconnect, professionnelDe } from '../../src/oidc/proconnect.ts'
import { openProvider } from '../../src/oidc/provider.ts'
import { expectValidHtml } from '../support/html.ts'
import { type Browser, newWorld, type Page, PUBLIC_URL, type World } from '../support/world.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const RETOUR = `${PUBLIC_URL}/connexion/proconnect/retour`

let world: World
beforeAll(async () => {
  world = await newWorld({ simulator: true, connections: 8 })
})
afterAll(() => world.close())
beforeEach(async () => {
  await world.sql`delete from limite`
  await world.sql`update aidant set proconnect_sub = null, email = case id when ${world.aidants.thomas} then 'thomas@figeac.demo' else email end`
})
afterEach(() => world.database.freeze(null))

const leave = (browser: Browser, suite = '') => browser.post(`/connexion/proconnect${suite && `?suite=${suite}`}`, {})
/** Comes back from ProConnect as this agent; the return address is not asked for yet. */
const chosen = async (browser: Browser, agent: string, suite?: string) => browser.atProConnect(await leave(browser, suite), agent)
async function signedIn(agent = 'thomas-figeac', suite?: string): Promise<Browser> {
  const browser = world.browser()
  const back = await browser.get((await chosen(browser, agent, suite)).location!)
  expect([back.status, back.location]).toEqual([303, `${PUBLIC_URL}${suite ?? '/personnes'}`])
  return browser
}
const cookieOf = (browser: Browser) => [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
/** All that the database holds but round trips and counters. */
const everything = async () => {
  const { connexion: _, limite: __, ...rest } = await world.digest()
  return rest
}
const wordsOf = (page: Page) => page.html.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')

/** As if she had signed in two minutes before. */
const earlier = async () => {
  await world.sql`alter table session disable trigger authentification_avance`
  await world.sql`update session set proconnect_auth_at = proconnect_auth_at - interval '2 minutes' where proconnect_auth_at is not null`
  await world.sql`alter table session enable always trigger authentification_avance`
}
/** Opened by ProConnect too, elsewhere, and as old. */
const anotherSession = async () => {
  const other = await signedIn()
  await earlier()
  return other.cookies.get('session')!
}

describe('la connexion', () => {
  it('demande un second facteur, une identification fraîche, une preuve de clé, et rien d’elle que ce qui sert', async () => {
    const address = new URL((await leave(world.browser())).location!)
    expect(`${address.origin}${address.pathname}`).toBe(`${world.proconnect.issuer}/authorize`)
    const { state, nonce, claims, code_challenge, ...rest } = Object.fromEntries(address.searchParams)
    expect(rest).toEqual({
      client_id: 'trait-dunion-demo-pro',
      response_type: 'code',
      redirect_uri: RETOUR,
      scope: 'openid email siret',
      prompt: 'login',
      code_challenge_method: 'S256',
    })
    for (const random of [state, nonce, code_challenge]) expect(random!.length).toBeGreaterThan(31)
    expect(JSON.parse(claims!).id_token).toMatchObject({ amr: { essential: true }, acr: { essential: true } })
  })

  it('fait entrer une aidante déjà habilitée, à la page demandée, et lie son compte sans en créer', async () => {
    const [before] = await world.sql`select count(*)::int as aidants from aidant`
    const browser = await signedIn('thomas-figeac', '/mandats/nouveau')
    expect((await browser.get('/mandats/nouveau')).status).toBe(200)
    expect(await world.sql`select count(*)::int as aidants from aidant`).toEqual([before])
    const [acces] = await world.sql`select genre, aidant_id, structure_id from acces order by id desc limit 1`
    expect(acces).toEqual({ genre: 'connexion', aidant_id: world.aidants.thomas, structure_id: world.structures.figeac })
    const [tied] = await world.sql`select proconnect_sub as sub from aidant where id = ${world.aidants.thomas}`
    expect(tied!.sub).toMatch(/^[0-9a-f]{64}$/)
    // … which stands among her ways in, and among those of nobody else.
    const moyens = async (who: Browser) => (await who.get('/mes-moyens-de-connexion')).html
    expect(await moyens(browser)).toContain('Votre compte professionnel vous fait entrer ici')
    expect(await moyens(world.browser(await world.sessionOf('fabrice')))).not.toContain('Votre compte professionnel')
  })

  it('dit à l’aidante, à l’adresse connue ici, qu’un compte ouvre désormais le sien : la première fois seulement', async () => {
    await world.sql`delete from message`
    await signedIn()
    const told = await world.messages()
    expect(told.map(({ destinataire }) => destinataire)).toEqual([AIDANTS.thomas.email])
    expect(told[0]!.corps).toMatch(/par ProConnect, pour la première fois[\s\S]*Ce n’était pas vous/)
    await signedIn()
    expect(await world.messages()).toEqual(told)
  })

  it('une adresse qui devient la sienne en minuscules (« K », U+212A) n’est pas la sienne', () => {
    const said = (email: string) => professionnelDe({ sub: 'x', siret: '21460102300013', email })
    expect(said('Karine@figeac.demo')).toBeDefined()
    expect('\u212Aarine@figeac.demo'.toLowerCase()).toBe('karine@figeac.demo')
    expect(said('\u212Aarine@figeac.demo')).toBeUndefined()
  })

  it('ferme la session que ce navigateur avait', async () => {
    const browser = world.browser(await world.sessionOf('nadia'))
    const former = cookieOf(browser)
    await browser.get((await chosen(browser, 'thomas-figeac')).location!)
    expect((await world.get('/personnes', former)).headers.get('location')).toContain('/connexion')
  })

  const CLOSED: [string, string, () => Promise<unknown>][] = [
    ['une collègue que le service ne connaît pas', 'inconnue', async () => {}],
    ['un établissement où elle n’est pas habilitée', 'thomas-ailleurs', async () => {}],
    [
      'suspendue',
      'thomas-figeac',
      () => world.sql`update aidant set suspended_at = horloge() where id = ${world.aidants.thomas}`,
    ],
    [
      'plus habilitée',
      'thomas-figeac',
      () => world.sql`update habilitation set ended_at = horloge() where aidant_id = ${world.aidants.thomas}`,
    ],
    [
      'dont la structure est suspendue',
      'thomas-figeac',
      () => world.sql`update structure set suspended_at = horloge() where id = ${world.structures.figeac}`,
    ],
    [
      'dont l’adresse est liée à un autre compte',
      'thomas-figeac',
      () => world.sql`update aidant set proconnect_sub = 'un-autre-compte' where id = ${world.aidants.thomas}`,
    ],
    [
      'dont le compte est lié à une autre',
      'thomas-figeac',
      () => world.sql`update aidant set proconnect_sub = ${subOfThomas} where id = ${world.aidants.jocelyne}`,
    ],
  ]
  const subOfThomas = PROCONNECT.subOf('thomas-figeac', '')
  const seen = new Set<string>()
  it.each(CLOSED)('%s : la même page, rien d’écrit, et rien ne reste ouvert là-bas', async (_, agent, close) => {
    try {
      await close()
      const browser = world.browser()
      const back = await chosen(browser, agent)
      const before = await everything()
      const answer = await browser.get(back.location!)
      expect(answer.location).toContain(`${world.proconnect.issuer}/session/end?id_token_hint=`)
      const page = await browser.follow(answer)
      expect([page.status, browser.cookies.has('session')]).toEqual([409, false])
      await expectValidHtml(page.html)
      seen.add(wordsOf(page))
      expect(await everything()).toEqual(before)
    } finally {
      await world.sql`update aidant set suspended_at = null`
      await world.sql`update habilitation set ended_at = null`
      await world.sql`update structure set suspended_at = null`
    }
  })
  it('… mot pour mot la même', () => {
    expect(seen.size).toBe(1)
    expect([...seen][0]).toContain('Ce compte ProConnect n’ouvre rien ici')
  })

  it('un second facteur par e-mail ne suffit pas', async () => {
    const browser = world.browser()
    const page = await browser.follow(await browser.get((await chosen(browser, 'thomas-courriel')).location!))
    expect([page.status, browser.cookies.has('session')]).toEqual([409, false])
    expect(wordsOf(page)).toContain('il faut une application d’authentification')
  })

  it('le compte lié entre encore quand son adresse a changé, et personne ne le délie depuis le service', async () => {
    await signedIn()
    await world.sql`update aidant set email = 'thomas.lacombe@figeac.demo' where id = ${world.aidants.thomas}`
    await signedIn()
    await expect(
      world.db.tx(
        { kind: 'portier' },
        (tx) => tx.sql`update aidant set proconnect_sub = null where id = ${world.aidants.thomas}`,
      ),
    ).rejects.toMatchObject({ constraint_name: 'proconnect_lie' })
  })

  it('de deux structures, elle n’entre que dans celle que ProConnect dit, et n’en change pas', async () => {
    const browser = await signedIn('samira-saintDenis')
    expect(wordsOf(await browser.get('/personnes'))).toContain('France services Saint-Denis')
    const choice = await browser.get('/structures')
    expect(wordsOf(choice)).toContain('Vous êtes entré par ProConnect')
    expect(choice.html).not.toContain(world.structures.figeac)
    expect((await browser.post('/structures', { structure: world.structures.figeac })).status).toBe(409)
    expect(wordsOf(await browser.get('/personnes'))).toContain('France services Saint-Denis')
    expect(wordsOf(await (await signedIn('samira-figeac')).get('/personnes'))).toContain('CCAS de Figeac')
  })

  it('annulée, elle le dit et ne garde rien', async () => {
    const browser = world.browser()
    const back = await browser.atProConnect(await leave(browser), { geste: 'revenir' })
    const page = await browser.get(back.location!)
    expect([page.status, wordsOf(page).includes('Vous n’êtes pas allé au bout')]).toEqual([409, true])
    await expectValidHtml(page.html)
  })
})

describe('le retour', () => {
  it('rejoué vingt fois à la fois : une seule session', async () => {
    const browser = world.browser()
    const path = (await chosen(browser, 'thomas-figeac')).location!.slice(PUBLIC_URL.length)
    const sessions = async () => (await world.sql`select 1 from session where aidant_id = ${world.aidants.thomas}`).length
    const before = await sessions()
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.get(path, cookieOf(browser))))
    expect(answers.map(({ status }) => status).sort()).toEqual([303, ...Array(19).fill(409)])
    expect(await sessions()).toBe(before + 1)
  })

  it('dans un autre navigateur : rien, et il aboutit encore dans le bon', async () => {
    const browser = world.browser()
    const back = await chosen(browser, 'thomas-figeac')
    const before = await world.digest()
    const other = world.browser()
    other.cookies.set('navigateur', 'x'.repeat(43))
    for (const thief of [other, world.browser()]) expect((await thief.get(back.location!)).status).toBe(409)
    expect(await world.digest()).toEqual(before)
    expect((await browser.get(back.location!)).status).toBe(303)
  })

  it.each([
    [30 * MINUTE - SECOND, 303],
    [30 * MINUTE + SECOND, 409],
  ])('%i ms après le départ : %i', async (ms, status) => {
    const now = new Date()
    await world.database.freeze(new Date(now.getTime() - ms))
    const browser = world.browser()
    const back = await chosen(browser, 'thomas-figeac')
    await world.database.freeze(now)
    const before = await world.digest()
    expect((await browser.get(back.location!)).status).toBe(status)
    if (status === 409) expect(await world.digest()).toEqual(before)
  })

  it('à l’adresse de l’autre fournisseur : inconnu, et rien n’est dépensé', async () => {
    const browser = world.browser()
    const pro = await chosen(browser, 'thomas-figeac')
    const hers = await browser.atFranceConnect(await browser.post('/connexion/franceconnect', {}), 'odette')
    const before = await world.digest()
    const swapped = [
      pro.location!.replace('/proconnect/', '/franceconnect/'),
      hers.location!.replace('/franceconnect/', '/proconnect/'),
    ]
    for (const address of swapped) expect((await browser.get(address)).status).toBe(409)
    expect(await world.digest()).toEqual(before)
    expect((await browser.get(pro.location!)).status).toBe(303)
  })

  it('avec le code de l’autre sous son propre nom : refusé', async () => {
    const browser = world.browser()
    const pro = new URL((await chosen(browser, 'thomas-figeac')).location!)
    const hers = new URL((await browser.atFranceConnect(await browser.post('/connexion/franceconnect', {}), 'odette')).location!)
    pro.searchParams.set('code', hers.searchParams.get('code')!)
    const page = await browser.follow(await browser.get(pro.href))
    expect([page.status, browser.cookies.has('session')]).toEqual([409, false])
  })

  it('avec le code d’une autre demande : la preuve de clé ne va pas', async () => {
    const browser = world.browser()
    const first = new URL((await chosen(world.browser(), 'nadia-figeac')).location!)
    const second = new URL((await chosen(browser, 'thomas-figeac')).location!)
    second.searchParams.set('code', first.searchParams.get('code')!)
    const page = await browser.get(second.href)
    expect([page.status, browser.cookies.has('session')]).toEqual([409, false])
    expect(world.log.at(-2)).toMatchObject({ error: 'token:invalid_grant' })
  })
})

describe('signer', () => {
  const acceptation = (id: string) => `/mandats/brouillons/${id}/acceptation`
  const confirmation = (id: string) => `/mandats/brouillons/${id}/confirmation`
  const mandats = async (id: string) => (await world.sql`select 1 from mandat where id = ${id}`).length
  async function ready() {
    const browser = await signedIn()
    const id = await world.draft()
    await earlier()
    return { browser, id }
  }
  const confirmed = async (browser: Browser, id: string, agent = 'thomas-figeac') =>
    browser.atProConnect(await browser.post(confirmation(id), {}), agent)

  it('se confirme à ProConnect, sans code, et une seule fois', async () => {
    const { browser, id } = await ready()
    const page = await browser.get(acceptation(id))
    expect([page.html.includes('Signer avec ProConnect'), page.html.includes('name="code"')]).toEqual([true, false])
    await expectValidHtml(page.html)
    const sent = await browser.post(confirmation(id), {})
    expect(new URL(sent.location!).searchParams.get('prompt')).toBe('login')
    const back = await browser.atProConnect(sent, 'thomas-figeac')
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => world.get(back.location!.slice(PUBLIC_URL.length), cookieOf(browser))),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([303, ...Array(19).fill(409)])
    expect(answers.find(({ status }) => status === 303)!.headers.get('location')).toBe(`/mandats/${id}?signe=1`)
    expect(await mandats(id)).toBe(1)
    // Her session goes on under the token that the one success gave.
    expect((await browser.get('/personnes')).location).toMatch('/connexion')
    const [counted] = answers.filter(({ status }) => status === 303)
    expect((await world.get('/personnes', counted!.headers.get('set-cookie')!.split(';')[0])).status).toBe(200)
  })

  const REFUSED: [string, string, (browser: Browser, id: string) => Promise<unknown>, RegExp][] = [
    ['une autre aidante s’y identifie', 'nadia-figeac', async () => {}, /avec lequel vous êtes entré/],
    ['pour un autre établissement', 'thomas-ailleurs', async () => {}, /avec lequel vous êtes entré/],
    ['sans second facteur qui suffise', 'thomas-courriel', async () => {}, /clé d’accès ou une carte/],
    [
      'le brouillon a changé depuis',
      'thomas-figeac',
      (_, id) =>
        world.sql`update brouillon set granted = '{logement}', accord_at = accord_at + interval '1 second' where id = ${id}`,
      /a changé depuis/,
    ],
    [
      'la session s’est fermée',
      'thomas-figeac',
      () => world.sql`update session set ended_at = horloge() where proconnect_auth_at is not null`,
      /Votre session s’est fermée/,
    ],
    [
      'dans une autre session de la même',
      'thomas-figeac',
      async (browser) => browser.cookies.set('session', await anotherSession()),
      /Votre session s’est fermée/,
    ],
    [
      'cette identification a déjà compté',
      'thomas-figeac',
      () =>
        world.sql`update session set proconnect_auth_at = horloge() + interval '1 minute' where proconnect_auth_at is not null`,
      /vous identifier de nouveau/,
    ],
  ]
  it.each(REFUSED)('%s : rien n’est signé', async (_, agent, meanwhile, words) => {
    const { browser, id } = await ready()
    const back = await confirmed(browser, id, agent)
    await meanwhile(browser, id)
    const page = await browser.get(back.location!)
    expect([page.status, await mandats(id)]).toEqual([409, 0])
    expect(wordsOf(page)).toMatch(words)
    await expectValidHtml(page.html)
    expect((await browser.get(back.location!)).status).toBe(409)
    expect(await mandats(id)).toBe(0)
  })

  it('le retour d’une connexion ne signe rien, et une session d’ici garde son code', async () => {
    const { browser, id } = await ready()
    const login = await chosen(browser, 'thomas-figeac')
    expect((await browser.get(login.location!)).location).toBe(`${PUBLIC_URL}/personnes`)
    expect(await mandats(id)).toBe(0)
    const local = world.browser(await world.sessionOf('thomas'))
    expect((await local.get(acceptation(id))).html).toContain('name="code"')
    expect((await local.post(confirmation(id), {})).status).toBe(404)
  })

  it('une authentification ne recule pas dans la base', async () => {
    await signedIn()
    await expect(
      world.db.tx(
        { kind: 'portier' },
        (tx) =>
          tx.sql`update session set proconnect_auth_at = proconnect_auth_at - interval '1 second' where proconnect_auth_at is not null`,
      ),
    ).rejects.toMatchObject({ constraint_name: 'authentification_avance' })
  })
})

describe('confirmer un acte', () => {
  const PAPIER = { suivi: 'papier' }
  const contactDe = async (persona = 'josiane') =>
    `/personnes/${(await world.signMandat({ persona, suivi: 'sms', contact: '+33612345678' })).usagerId}/contact`
  const suivi = async (chemin: string) => {
    const [usager] = await world.sql`select suivi from usager where id = ${chemin.split('/')[2]!}`
    return usager!.suivi
  }
  /** Signed in by ProConnect, two minutes ago, and with nothing else. */
  async function ready(agent = 'thomas-figeac') {
    const browser = await signedIn(agent)
    await world.sql`delete from facteur`
    await earlier()
    return browser
  }
  const hiddenIn = (page: Page) =>
    Object.fromEntries(
      [...page.html.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [
        name!,
        value!.replaceAll('&amp;', '&'),
      ]),
    )
  /** Leaves for ProConnect from the page that asks for a factor; where it sends back is not asked for yet. */
  async function left(browser: Browser, chemin: string, fields: Record<string, string> = PAPIER, agent = 'thomas-figeac') {
    const asked = await browser.post(chemin, fields)
    expect([asked.status, asked.html.includes('name="code"')]).toEqual([403, false])
    await expectValidHtml(asked.html)
    return browser.atProConnect(await browser.post('/connexion/proconnect/confirmation', hiddenIn(asked)), agent)
  }
  const recognised = async (browser: Browser, chemin: string, fields?: Record<string, string>, agent?: string) => {
    const page = await browser.get((await left(browser, chemin, fields, agent)).location!)
    expect([page.status, wordsOf(page).includes('ProConnect vous a reconnu')]).toEqual([200, true])
    await expectValidHtml(page.html)
    return page
  }

  it('sans autre moyen de connexion : change un contact, d’un clic au retour, une fois', async () => {
    const chemin = await contactDe()
    const browser = await ready()
    const page = await recognised(browser, chemin)
    expect([page.html.includes(`action="${chemin}"`), await suivi(chemin)]).toEqual([true, 'sms'])
    expect((await browser.post(chemin, hiddenIn(page))).location).toBe(`${PUBLIC_URL + chemin}?fait=1`)
    expect(await suivi(chemin)).toBe('papier')
    await contactDe()
    expect((await browser.post(chemin, hiddenIn(page))).status).toBe(409)
    expect((await browser.get(page.url)).status).toBe(409)
    expect(await suivi(chemin)).toBe('sms')
  })

  it('emporte un journal, et ajoute un premier moyen de connexion', async () => {
    const nadia = await ready('nadia-figeac')
    const page = await recognised(nadia, '/structure/journal/export', { forme: 'csv' }, 'nadia-figeac')
    expect(wordsOf(page)).toContain('cette page ne changera pas')
    expect((await nadia.post('/structure/journal/export', hiddenIn(page))).status).toBe(200)
    await earlier()
    const ajout = '/mes-moyens-de-connexion/ajouter'
    const asked = await recognised(nadia, ajout, { genre: 'totp', nom: 'Téléphone « neuf & vert »' }, 'nadia-figeac')
    const pairing = await nadia.post(ajout, hiddenIn(asked))
    expect(wordsOf(await nadia.follow(pairing))).toContain('Téléphone « neuf &amp; vert »')
  })

  it('ce qui attend ne se lit pas dans la base, et s’efface en servant', async () => {
    const browser = await ready()
    const mot = 'Ordinateur-de-la-mairie'
    const back = await left(browser, '/mes-moyens-de-connexion/ajouter', { genre: 'totp', nom: mot })
    for (const clear of [mot, Buffer.from(mot)]) expect(await world.tablesHolding(clear)).toEqual([])
    const waiting = () => world.sql`select 1 from connexion where objet is not null`
    expect(await waiting()).toHaveLength(1)
    await browser.get(back.location!)
    expect(await waiting()).toEqual([])
  })

  it('ne sert ni à un autre acte, ni à une autre personne, ni à d’autres mots', async () => {
    const [hers, his] = [await contactDe('josiane'), await contactDe('marcel')]
    const browser = await ready()
    const { suivi: _, ...proof } = hiddenIn(await recognised(browser, hers))
    const others: [string, Record<string, string>][] = [
      [his, PAPIER],
      [hers, { ...PAPIER, email: 'autre@example.org' }],
      ['/mes-moyens-de-connexion/codes', {}],
      ['/mes-moyens-de-connexion/ajouter', { genre: 'totp', nom: 'Intrus' }],
    ]
    for (const [chemin, fields] of others) {
      expect((await browser.post(chemin, { ...fields, ...proof })).status).toBe(409)
      await world.sql`delete from limite`
    }
    expect([await suivi(hers), await suivi(his)]).toEqual(['sms', 'sms'])
    const id = await world.draft()
    expect((await browser.post(`/mandats/brouillons/${id}/acceptation`, { par: 'cle', vue: 'x', ...proof })).status).toBe(409)
    expect(await world.sql`select 1 from mandat where id = ${id}`).toEqual([])
    // It was not spent by them.
    expect((await browser.post(hers, { ...PAPIER, ...proof })).status).toBe(303)
  })

  it.each([
    [5 * MINUTE - SECOND, 303],
    [5 * MINUTE + SECOND, 409],
  ])('%i ms après ProConnect : %i', async (ms, status) => {
    const chemin = await contactDe()
    const browser = await ready()
    const page = await recognised(browser, chemin)
    await world.sql`update defi set created_at = horloge() - make_interval(secs => ${ms / SECOND})`
    expect((await browser.post(chemin, hiddenIn(page))).status).toBe(status)
  })

  const REFUSED: [string, string, (browser: Browser) => Promise<unknown>, RegExp, boolean][] = [
    ['une autre aidante s’y identifie', 'nadia-figeac', async () => {}, /avec lequel vous êtes entré/, true],
    ['sans second facteur qui suffise', 'thomas-courriel', async () => {}, /clé d’accès ou une carte/, true],
    [
      'cette identification a déjà compté',
      'thomas-figeac',
      () =>
        world.sql`update session set proconnect_auth_at = horloge() + interval '1 minute' where proconnect_auth_at is not null`,
      /vous identifier de nouveau/,
      true,
    ],
    [
      'dans une autre session de la même',
      'thomas-figeac',
      async (browser) => browser.cookies.set('session', await anotherSession()),
      /Votre session s’est fermée/,
      false,
    ],
    [
      'une collègue a pris la place sur ce poste',
      'thomas-figeac',
      async (browser) => browser.cookies.set('session', (await world.sessionOf('nadia')).slice('session='.length)),
      /Votre session s’est fermée/,
      false,
    ],
    [
      'elle n’agit plus pour cette structure',
      'thomas-figeac',
      () => world.sql`update habilitation set ended_at = horloge() where aidant_id = ${world.aidants.thomas}`,
      /Votre session s’est fermée/,
      false,
    ],
  ]
  it.each(REFUSED)('%s : rien n’est confirmé', async (_, agent, meanwhile, words, kept) => {
    const chemin = await contactDe()
    const browser = await ready()
    const back = await left(browser, chemin, PAPIER, agent)
    await meanwhile(browser)
    const page = await browser.get(back.location!)
    expect(page.status).toBe(409)
    expect(wordsOf(page)).toMatch(words)
    expect(wordsOf(page)).toMatch(/Rien n’est confirmé.*Rien n’a changé/)
    await expectValidHtml(page.html)
    // What she chose is shown to her alone.
    expect(page.html.includes(chemin)).toBe(kept)
    await browser.post(chemin, { ...PAPIER, proconnect: 'oui' })
    expect(await suivi(chemin)).toBe('sms')
    await world.sql`update habilitation set ended_at = null where aidant_id = ${world.aidants.thomas}`
  })

  it('une session d’ici ne part pas chez ProConnect, et dire qu’on en revient n’ouvre rien', async () => {
    const chemin = await contactDe()
    const local = world.browser(await world.sessionOf('thomas'))
    const asked = await local.post(chemin, PAPIER)
    expect([asked.html.includes('name="code"'), asked.html.includes('ProConnect')]).toEqual([true, false])
    const envoi = { confirme: 'contact', vers: chemin, fields: 'suivi=papier' }
    expect((await local.post('/connexion/proconnect/confirmation', envoi)).status).toBe(404)
    expect((await local.post(chemin, { ...PAPIER, proconnect: 'oui' })).status).toBe(409)
    const browser = await ready()
    for (const vers of ['https://ailleurs.example/', '//ailleurs.example/', ''])
      expect((await browser.post('/connexion/proconnect/confirmation', { ...envoi, vers })).status).toBe(404)
    expect(await suivi(chemin)).toBe('sms')
  })
})

describe('partir', () => {
  it('ferme aussi la session de ProConnect, et ramène ici', async () => {
    const browser = await signedIn()
    const out = await browser.post('/deconnexion', {})
    expect(out.location).toContain(`${world.proconnect.issuer}/session/end?id_token_hint=`)
    expect(out.headers.get('clear-site-data')).toBe('"cache", "storage"')
    const home = await browser.follow(out)
    expect([home.url, home.status]).toEqual([`${PUBLIC_URL}/`, 200])
    expect((await browser.get('/personnes')).location).toContain('/connexion')
  })

  it('même quand ProConnect ne répond pas', async () => {
    const browser = await signedIn()
    const dead = openProvider({
      profile: proconnect,
      ...world.config.proconnect!,
      issuer: 'http://127.0.0.1:9/api/v2',
      log: () => {},
    })
    const fc = openProvider({ profile: franceconnect, ...world.config.franceconnect, log: () => {} })
    const app = createApp({ db: world.db, config: world.config, oidc: { franceconnect: fc, proconnect: dead }, log: () => {} })
    const headers = {
      cookie: cookieOf(browser),
      origin: PUBLIC_URL,
      'sec-fetch-site': 'same-origin',
      'content-type': 'application/x-www-form-urlencoded',
    }
    const down = await app.request('/connexion/proconnect', { method: 'POST', headers, body: '' })
    expect([down.status, (await down.text()).includes('Identification indisponible')]).toEqual([503, true])
    const out = await app.request('/deconnexion', { method: 'POST', headers, body: '' })
    expect([out.status, out.headers.get('location')]).toEqual([303, '/'])
    expect((await browser.get('/personnes')).location).toContain('/connexion')
  })
})

describe('les façons offertes', () => {
  const page = async (changes: object) => {
    const { franceconnect: fc, proconnect: pc } = world.config
    const config = { ...world.config, ...changes }
    const oidc = {
      franceconnect: openProvider({ profile: franceconnect, ...fc, log: () => {} }),
      ...('proconnect' in changes ? {} : { proconnect: openProvider({ profile: proconnect, ...pc!, log: () => {} }) }),
    }
    const app = createApp({ db: world.db, config, oidc, log: () => {} })
    const headers = { origin: PUBLIC_URL, 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' }
    const body = `email=${AIDANTS.thomas.email}&code=000000`
    const html = await (await app.request('/connexion')).text()
    await expectValidHtml(html)
    const posted = async (path: string) => (await app.request(path, { method: 'POST', headers, body })).status
    return [
      html.includes('name="email"'),
      html.includes('ProConnect'),
      await posted('/connexion'),
      await posted('/connexion/proconnect'),
    ]
  }

  it('les deux, l’une, ou l’autre, et rien derrière celle qui n’est pas offerte', async () => {
    expect(await page({})).toEqual([true, true, 303, 303])
    expect(await page({ connexionLocale: false })).toEqual([false, true, 404, 303])
    expect(await page({ proconnect: undefined })).toEqual([true, false, 303, 404])
  })
})
