import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AIDANTS, codeOf, STRUCTURES } from '../../src/demo/people.ts'
import type { Thematique } from '../../src/mandat/mandat.ts'
import { stopMandat } from '../../src/mandat/stop.ts'
import { expectValidHtml } from '../support/html.ts'
import { type Browser, newWorld, type Page, PUBLIC_URL, type World } from '../support/world.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND

let world: World
beforeAll(async () => {
  world = await newWorld({ simulator: true })
})
afterAll(() => world.close())
beforeEach(async () => {
  await world.database.freeze(null)
  await world.sql`update horloge_reglage set decalage = '0'`
  await world.sql`delete from brouillon`
  await world.sql`delete from limite`
})

const signedIn = async (aidant: keyof typeof AIDANTS = 'thomas') => world.browser(await world.sessionOf(aidant))
const choose = (browser: Browser, thematiques: readonly Thematique[], duree = 'mois') =>
  browser.post('/mandats/nouveau', { protegee: 'non', thematiques, duree })
const draftIn = (page: Page) => /brouillons\/([0-9a-f-]{36})/.exec(page.location ?? page.url)![1]!
/** Chooses, then is sent to FranceConnect. */
const sent = async (browser: Browser, thematiques: readonly Thematique[] = ['logement']) => {
  const chosen = await choose(browser, thematiques)
  expect(chosen.status).toBe(303)
  return { id: draftIn(chosen), to: await browser.post(chosen.location!, {}) }
}
/** Until the page that is reread together. */
const identified = async (browser: Browser, persona: string, thematiques: readonly Thematique[] = ['logement']) => {
  const { id, to } = await sent(browser, thematiques)
  const accord = await browser.follow(await browser.atFranceConnect(to, persona))
  expect([accord.status, accord.url]).toEqual([200, `${PUBLIC_URL}/mandats/brouillons/${id}/accord`])
  return { id, accord }
}
/** The form of a page, as a browser would send it untouched. */
const lues = (page: Page) => /name="lues" value="([^"]*)"/.exec(page.html)?.[1] ?? ''
const dernierJourLu = (page: Page) => /name="dernierJour" value="([^"]*)"/.exec(page.html)?.[1] ?? ''
const yes = (page: Page, more: Record<string, string | string[]> = {}) => ({
  reponse: 'oui',
  redit: 'oui',
  suivi: 'papier',
  lues: lues(page),
  dernierJour: dernierJourLu(page),
  thematiques: lues(page).split(' '),
  ...more,
})
const wrongOf = (code: string) => (code === '000000' ? '111111' : '000000')
const redit = (page: Page) => / checked(?= |>)/.test(/<input[^>]*name="redit"[^>]*>/.exec(page.html)![0])
/** The thématiques that may be ticked there and whose card warns of article R. 721-2. */
const warned = (page: Page) =>
  page.html
    .split('<div class="choice">')
    .filter((card) =>
      /mais c’est (vous qui le signez|elle qui le signe) \(article R. 721-2 du code de la consommation\)/.test(
        card.replace(/\s/g, ' '),
      ),
    )
    .map((card) => /name="thematiques" value="(\w+)"/.exec(card)?.[1])
const everything = async () => {
  const { session: _, acces: __, limite: ___, ...digest } = await world.digest()
  return digest
}
/** Everything a refusal may leave: the draft's choices, and the round trip spent. */
const nothingSigned = async (id: string) => {
  expect(await world.sql`select 1 from mandat where id = ${id}`).toHaveLength(0)
  const [brouillon] = await world.sql`select perimetre, duree, identite, id_token, granted from brouillon where id = ${id}`
  expect(brouillon).toMatchObject({ identite: null, id_token: null, granted: null })
  return brouillon as { perimetre: string[]; duree: string }
}

describe('un mandat, du choix à la signature', () => {
  it('se fait sans JavaScript, FranceConnect fermé avant la relecture', async () => {
    const browser = await signedIn()
    const start = await browser.get('/mandats/nouveau')
    await expectValidHtml(start.html)
    expect(start.html).toContain(STRUCTURES.figeac.nom)
    expect(warned(start)).toEqual(['argent'])
    const chosen = await choose(browser, ['logement', 'argent'], 'trimestre')
    const id = draftIn(chosen)
    const identification = await browser.get(chosen.location!)
    await expectValidHtml(identification.html)
    expect(identification.html).toContain('Tapez vous-même votre mot de passe, sans que personne ne le voie')
    expect(identification.html).toContain('La personne se connecte elle-même.')
    expect(identification.html).toMatch(/<a href="https:\/\/franceconnect\.gouv\.fr[^"]*">Qu’est-ce que FranceConnect\s\?<\/a>/)
    expect(warned(await browser.get(`/mandats/brouillons/${id}/choix`))).toEqual(['argent'])

    const to = await browser.post(chosen.location!, {})
    const asked = new URL(to.location!)
    const [row] = await world.sql<{ conditions: string }[]>`select conditions from brouillon where id = ${id}`
    expect(asked.searchParams.get('prompt')).toBe('login')
    expect(asked.searchParams.get('nonce')).toMatch(/^[0-9a-f]{64}$/)
    expect(JSON.parse(row!.conditions)).toMatchObject({ id, perimetre: ['logement', 'argent'], duree: 'trimestre' })

    const back = await browser.atFranceConnect(to, 'josiane')
    const callback = await browser.get(back.location!)
    const logout = new URL(callback.location!)
    expect(logout.pathname).toBe('/api/v2/session/end')
    expect(logout.searchParams.get('post_logout_redirect_uri')).toBe(`${PUBLIC_URL}/connexion/franceconnect/deconnecte`)
    const accord = await browser.follow(callback)
    expect(accord.url).toBe(`${PUBLIC_URL}/mandats/brouillons/${id}/accord`)
    expect(accord.html).toContain('Josiane DELPECH')
    expect(warned(accord)).toEqual(['argent'])
    await expectValidHtml(accord.html)
    // Closed for good: coming back asks who she is again.
    const again = await browser.get(
      `${world.simulator.issuer}/authorize${asked.search.replace('prompt=login', 'prompt=consent')}`,
    )
    const account = await browser.get(again.location!)
    expect(account.html).toContain('Je choisis un compte')

    const agreed = await browser.post(accord.url, yes(accord, { suivi: 'sms', mobile: '06 12 34 56 78' }))
    expect(agreed.location).toBe(`${PUBLIC_URL}/mandats/brouillons/${id}/contact`)
    const [sms] = (await world.messages()).filter(({ cle }) => cle.startsWith('connexion:contact:')).reverse()
    const typed = /(\d{3}) (\d{3})/.exec(sms!.corps)!.slice(1).join('')
    const proven = await browser.post(agreed.location!, { geste: 'prouver', code: typed })
    expect(proven.location).toBe(`${PUBLIC_URL}/mandats/brouillons/${id}/acceptation`)
    const acceptation = await browser.get(proven.location!)
    await expectValidHtml(acceptation.html)
    expect(acceptation.html).toContain('Josiane DELPECH')
    const signed = await browser.post(proven.location!, { code: await world.freshCode('thomas') })
    expect(signed.location).toBe(`${PUBLIC_URL}/mandats/${id}?signe=1`)
    const mandat = await browser.get(signed.location!)
    expect(mandat.status).toBe(200)
    await expectValidHtml(mandat.html)
    expect(mandat.html).toContain('Logement')
    expect(mandat.html).toContain('Mandat signé')
    const [told] = await world.messages().then((all) => all.filter(({ cle }) => cle === `mandat-signe:${id}`))
    expect(told).toMatchObject({ canal: 'sms', destinataire: '+33612345678' })
    // Every page of the draft is gone with it; going back from the mandat leads to the mandat.
    for (const step of ['choix', 'identification'])
      expect((await browser.get(`/mandats/brouillons/${id}/${step}`)).status).toBe(404)
    for (const step of ['accord', 'acceptation'])
      expect((await browser.get(`/mandats/brouillons/${id}/${step}`)).location).toBe(`${PUBLIC_URL}/mandats/${id}`)
  })

  it.each([
    ['06 12 34 56 78', '+33612345678'],
    ['+33 7 12 34 56 78', '+33712345678'],
    ['0692 11 22 33', '+262692112233'],
    ['+262 693 11 22 33', '+262693112233'],
    ['0639.11.22.33', '+262639112233'],
    ['0690112233', '+590690112233'],
    ['0694-11-22-33', '+594694112233'],
    ['0696112233', '+596696112233'],
  ])('le mobile %s est celui que l’on appelle de partout : %s', async (typed, dialled) => {
    const id = await world.draft({ upTo: 'identite' })
    const browser = await signedIn()
    const accord = await browser.get(`/mandats/brouillons/${id}/accord`)
    expect((await browser.post(accord.url, yes(accord, { suivi: 'sms', mobile: typed }))).status).toBe(303)
    expect(await world.sql`select contact from brouillon where id = ${id}`).toEqual([{ contact: dialled }])
  })

  it('double clic sur Signer : un seul mandat, et la même page', async () => {
    const id = await world.draft({ suivi: 'email', persona: 'conceicao' })
    const cookie = await world.sessionOf('thomas')
    const code = await world.freshCode('thomas')
    const answers = await Promise.all([1, 2].map(() => world.post(`/mandats/brouillons/${id}/acceptation`, { code }, cookie)))
    expect(answers.map((answer) => [answer.status, answer.headers.get('location')])).toEqual([
      [303, `/mandats/${id}?signe=1`],
      [303, `/mandats/${id}?signe=1`],
    ])
    expect(await world.sql`select 1 from mandat where id = ${id}`).toHaveLength(1)
    const before = await everything()
    const back = await world.post(`/mandats/brouillons/${id}/acceptation`, { code }, cookie)
    expect(back.headers.get('location')).toBe(`/mandats/${id}?signe=1`)
    expect(await everything()).toEqual(before)
  })

  it('double clic sur Signer après deux codes faux : toujours le mandat, jamais « trop d’essais »', async () => {
    await world.database.freeze(new Date())
    const cookie = await world.sessionOf('thomas')
    // Several times: without the pause before waiting for the draft, one in eight answered 429.
    for (let round = 0; round < 5; round++) {
      await world.sql`delete from limite`
      const id = await world.draft({ persona: 'teiki' })
      const url = `/mandats/brouillons/${id}/acceptation`
      const code = await world.freshCode('thomas')
      for (let i = 0; i < 2; i++) expect((await world.post(url, { code: wrongOf(code) }, cookie)).status).toBe(409)
      const answers = await Promise.all([1, 2, 3].map(() => world.post(url, { code }, cookie)))
      expect(answers.map(({ status, headers }) => `${status} ${headers.get('location')}`)).toEqual(
        [1, 2, 3].map(() => `303 /mandats/${id}?signe=1`),
      )
      expect(await world.sql`select 1 from mandat where id = ${id}`).toHaveLength(1)
    }
  })

  it('cliquer encore sur Signer un mandat déjà signé ne compte pas pour un essai, et mène au mandat quand les essais sont épuisés', async () => {
    await world.database.freeze(new Date())
    const signed = await world.draft({ persona: 'teiki' })
    const cookie = await world.sessionOf('thomas')
    const code = await world.freshCode('thomas')
    const again = () => world.post(`/mandats/brouillons/${signed}/acceptation`, { code }, cookie)
    expect((await again()).status).toBe(303)
    const other = `/mandats/brouillons/${await world.draft({ persona: 'odette' })}/acceptation`
    for (let i = 0; i < 3; i++) expect((await world.post(other, { code: wrongOf(code) }, cookie)).status).toBe(409)
    expect((await again()).headers.get('location')).toBe(`/mandats/${signed}?signe=1`)
    expect((await world.post(other, { code: wrongOf(code) }, cookie)).status).toBe(429)
  })
})

describe('la page du mandat, juste après la signature', () => {
  it('le dit une fois, avec la suite ; ni sans le mot exact, ni plus tard, ni quand il est arrêté', async () => {
    await world.database.freeze(new Date())
    const { id } = await world.signMandat({ persona: 'teiki', suivi: 'papier' })
    const told = async (search: string) => {
      const page = await (await signedIn()).get(`/mandats/${id}${search}`)
      expect(page.status).toBe(200)
      await expectValidHtml(page.html)
      return page.html.includes('Mandat signé')
    }
    expect(await told('?signe=1')).toBe(true)
    for (const search of ['', '?signe=', '?signe=0', '?signe=11', '?signe=oui', '?signe=%3Cb%3E', '?Signe=1'])
      expect([search, await told(search)]).toEqual([search, false])
    await world.database.travel({ ms: 10 * MINUTE + SECOND })
    expect(await told('?signe=1')).toBe(false)
    await world.database.travel({ ms: -10 * MINUTE })
    expect(await told('?signe=1')).toBe(true)
    await stopMandat(world.db, await world.asUsager('teiki'), { mandatId: id, thematique: undefined })
    expect(await told('?signe=1')).toBe(false)
  })
})

describe('elle dit non', () => {
  it('tout est effacé, et la page le dit', async () => {
    const browser = await signedIn()
    const { id, accord } = await identified(browser, 'voahangy')
    expect(await world.tablesHolding('RAKOTONDRAINIBE')).toEqual(['brouillon'])
    // Whatever else the form holds, a no needs nothing.
    const refused = await browser.post(accord.url, { reponse: 'non' })
    expect(refused.status).toBe(200)
    expect(refused.html).toContain('Vous avez dit non, c’est votre droit')
    await expectValidHtml(refused.html)
    for (const trace of ['RAKOTONDRAINIBE', 'Voahangy', 'voahangy.r@example.org', id])
      expect(await world.tablesHolding(trace)).toEqual([])
    expect((await browser.get(accord.url)).status).toBe(404)
    expect((await browser.post(`/mandats/brouillons/${id}/acceptation`, { code: await world.freshCode('thomas') })).status).toBe(
      404,
    )
  })

  it('après la signature, la page dit que le mandat existe', async () => {
    const browser = await signedIn()
    const { id, accord } = await identified(browser, 'marie-expedite')
    await browser.post(accord.url, yes(accord))
    await browser.post(`/mandats/brouillons/${id}/acceptation`, { code: await world.freshCode('thomas') })
    const late = await browser.post(accord.url, { reponse: 'non' })
    expect(late.status).toBe(409)
    expect(late.html).toContain('déjà signé')
    expect(late.html).not.toContain('aucun mandat n’existe')
    await expectValidHtml(late.html)
    expect(await world.sql`select 1 from mandat where id = ${id} and ended_at is null`).toHaveLength(1)
  })

  it('quelqu’un est chargé de ses affaires, dit en reprenant les choix : le brouillon est effacé', async () => {
    const browser = await signedIn()
    const { id } = await identified(browser, 'voahangy')
    const page = await browser.post(`/mandats/brouillons/${id}/choix`, {
      protegee: 'oui',
      thematiques: 'logement',
      duree: 'mois',
    })
    expect(page.html).toContain('Rien n’a été gardé')
    await expectValidHtml(page.html)
    expect(await world.tablesHolding('RAKOTONDRAINIBE')).toEqual([])
  })
})

describe('ce qui ne va pas au bout garde les choix', () => {
  const calm = async (page: Page, sentence: RegExp, status = 409) => {
    expect(page.status).toBe(status)
    expect(page.html).toMatch(sentence)
    expect(page.html).not.toMatch(/access_denied|server_error|nonce|state|token|OIDC/)
    await expectValidHtml(page.html)
  }

  it.each([
    ['revenir', /n’est pas allée au bout/, 409],
    ['panne', /FranceConnect ne répond pas/, 503],
  ] as const)('%s chez FranceConnect : une page calme, puis on recommence', async (geste, sentence, status) => {
    const browser = await signedIn()
    const { id, to } = await sent(browser, ['famille', 'social'])
    await calm(await browser.follow(await browser.atFranceConnect(to, { geste })), sentence, status)
    expect(await nothingSigned(id)).toMatchObject({ perimetre: ['famille', 'social'], duree: 'mois' })
    const retry = await browser.post(`/mandats/brouillons/${id}/identification`, {})
    const accord = await browser.follow(await browser.atFranceConnect(retry, 'odette'))
    expect(accord.url).toBe(`${PUBLIC_URL}/mandats/brouillons/${id}/accord`)
  })

  it('une page d’erreur dont FranceConnect ne revient pas : le brouillon se reprend', async () => {
    const browser = await signedIn()
    const { id, to } = await sent(browser)
    const dead = await browser.atFranceConnect(to, 'lucienne')
    expect(dead.location).toBeNull()
    const resume = await browser.get('/mandats/nouveau')
    expect(resume.html).toContain(`/mandats/brouillons/${id}/identification`)
  })

  it('sans prénom : une phrase claire', async () => {
    const browser = await signedIn()
    const { id, to } = await sent(browser)
    const callback = await browser.get((await browser.atFranceConnect(to, 'sans-prenom')).location!)
    expect(callback.location).toContain('/session/end')
    await calm(await browser.follow(callback), /pas donné le prénom/)
    await nothingSigned(id)
    expect(await world.tablesHolding('SUBRAMANIAM')).toEqual([])
  })

  it.each([
    ['leo', /moins de 18 ans/],
  ])('%s : refus, rien n’est gardé, et la session de FranceConnect est fermée', async (persona, sentence) => {
    const browser = await signedIn()
    const { id, to } = await sent(browser)
    const back = await browser.atFranceConnect(to, persona)
    const callback = await browser.get(back.location!)
    expect(callback.location).toContain('/session/end')
    await calm(await browser.follow(callback), sentence)
    for (const trace of [id, '2014-09', 'Léo', 'leo.lacombe']) expect(await world.tablesHolding(trace)).toEqual([])
  })

  it('l’aidante elle-même : refus, rien n’est gardé', async () => {
    await world.sql`update aidant set prenom = 'Camille', nom = 'Lescure' where id = ${world.aidants.ines}`
    const browser = await signedIn('ines')
    const { id, to } = await sent(browser)
    await calm(await browser.follow(await browser.atFranceConnect(to, 'camille')), /on ne se donne pas mandat à soi-même/)
    for (const trace of [id, '1995-10-09']) expect(await world.tablesHolding(trace)).toEqual([])
    await world.sql`update aidant set prenom = ${AIDANTS.ines.prenom}, nom = ${AIDANTS.ines.nom} where id = ${world.aidants.ines}`
  })

  it('les choix changés pendant l’identification : elle est à refaire', async () => {
    const browser = await signedIn()
    const { id, to } = await sent(browser)
    const back = await browser.atFranceConnect(to, 'odette')
    const changed = await browser.post(`/mandats/brouillons/${id}/choix`, {
      protegee: 'non',
      thematiques: 'famille',
      duree: 'an',
    })
    expect(changed.location).toContain('/identification')
    await calm(await browser.follow(await browser.get(back.location!)), /à refaire/)
    expect(await nothingSigned(id)).toMatchObject({ perimetre: ['famille'], duree: 'an' })
  })

  it('FranceConnect qui ne répond pas du tout : les choix sont gardés', async () => {
    const alone = await newWorld()
    const browser = alone.browser(await alone.sessionOf('thomas'))
    const chosen = await browser.post('/mandats/nouveau', { protegee: 'non', thematiques: 'logement', duree: 'mois' })
    const down = await browser.post(chosen.location!, {})
    expect(down.status).toBe(503)
    expect(down.html).toContain('FranceConnect ne répond pas')
    await expectValidHtml(down.html)
    expect(await alone.sql`select 1 from brouillon`).toHaveLength(1)
    await alone.close()
  })

  it('la session de l’aidante fermée entre-temps : l’identité n’est pas gardée, FranceConnect est fermé', async () => {
    const browser = await signedIn()
    const { id, to } = await sent(browser)
    const back = await browser.atFranceConnect(to, 'voahangy')
    await world.sql`update session set ended_at = horloge() where ended_at is null`
    const callback = await browser.get(back.location!)
    expect(callback.location).toContain('/session/end')
    await calm(await browser.follow(callback), /session s’est fermée/)
    await nothingSigned(id)
    expect(await world.tablesHolding('RAKOTONDRAINIBE')).toEqual([])
  })

  it('une autre aidante connectée dans ce navigateur entre-temps : refus, rien n’est gardé', async () => {
    const browser = await signedIn()
    const { id, to } = await sent(browser)
    const back = await browser.atFranceConnect(to, 'voahangy')
    browser.cookies.set('session', (await world.sessionOf('ines')).split('=')[1]!)
    await calm(await browser.follow(await browser.get(back.location!)), /n’existe plus/)
    await nothingSigned(id)
    expect(await world.tablesHolding('RAKOTONDRAINIBE')).toEqual([])
  })
})

describe('le retour de FranceConnect', () => {
  it('dans un autre navigateur : refusé, rien n’est écrit, et il aboutit encore dans le bon', async () => {
    const browser = await signedIn()
    const { id, to } = await sent(browser)
    const back = await browser.atFranceConnect(to, 'voahangy')
    const before = await everything()
    const other = await signedIn('ines')
    other.cookies.set('navigateur', 'x'.repeat(43))
    for (const thief of [world.browser(), other]) {
      const refused = await thief.get(back.location!)
      expect(refused.status).toBe(409)
      expect(refused.html).toContain('autre navigateur')
      await expectValidHtml(refused.html)
    }
    expect(await everything()).toEqual(before)
    expect((await browser.follow(await browser.get(back.location!))).url).toContain(`${id}/accord`)
  })

  it('rejoué, même vingt fois à la fois : un seul aboutit, les autres ne changent rien', async () => {
    const browser = await signedIn()
    const { to } = await sent(browser)
    const back = await browser.atFranceConnect(to, 'odette')
    const path = back.location!.slice(PUBLIC_URL.length)
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.get(path, cookie)))
    expect(answers.map(({ status }) => status).sort()).toEqual([303, ...Array(19).fill(409)])
    const before = await everything()
    const replayed = await browser.get(back.location!)
    expect([replayed.status, /déjà été utilisée/.test(replayed.html)]).toEqual([409, true])
    expect(await everything()).toEqual(before)
  })

  it.each([
    [30 * MINUTE - SECOND, true],
    [30 * MINUTE + SECOND, false],
  ])('%i ms après le départ : abouti %s', async (ms, succeeds) => {
    // FranceConnect lives at the true time: we left before, and come back now.
    const now = new Date()
    await world.database.freeze(new Date(now.getTime() - ms))
    const browser = await signedIn()
    const { id, to } = await sent(browser)
    const back = await browser.atFranceConnect(to, 'odette')
    await world.database.freeze(now)
    browser.cookies.set('session', (await world.sessionOf('thomas')).split('=')[1]!)
    const before = await everything()
    const page = await browser.follow(await browser.get(back.location!))
    if (succeeds) expect(page.url).toContain(`${id}/accord`)
    else {
      expect([page.status, /trente minutes ont passé/.test(page.html)]).toEqual([409, true])
      expect(await everything()).toEqual(before)
    }
  })

  it('sans rien, avec un état inconnu, doublé, ou un code d’ailleurs : refusé, aucun mandat, aucune session', async () => {
    const browser = await signedIn()
    const { id, to } = await sent(browser)
    const back = new URL((await browser.atFranceConnect(to, 'voahangy')).location!)
    const path = '/connexion/franceconnect/retour'
    const before = await everything()
    for (const query of [
      '',
      '?state=',
      '?state=inconnu&code=x',
      `?code=${back.searchParams.get('code')}`,
      '?error=access_denied',
    ]) {
      const page = await browser.get(path + query)
      expect([query, page.status, page.headers.getSetCookie()]).toEqual([query, 409, []])
    }
    expect(await everything()).toEqual(before)
    // With the right state, the round trip is spent, and nothing else.
    const doubled = await browser.get(`${path}${back.search}&state=autre`)
    expect(doubled.status).toBe(409)
    await nothingSigned(id)
    expect(await world.tablesHolding('RAKOTONDRAINIBE')).toEqual([])
  })

  it('ne se fait pas en HEAD', async () => {
    const browser = await signedIn()
    const { to } = await sent(browser)
    const back = await browser.atFranceConnect(to, 'odette')
    const before = await everything()
    const head = await world.app.request(back.location!.slice(PUBLIC_URL.length), {
      method: 'HEAD',
      headers: { cookie: [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    })
    expect(head.status).toBe(405)
    expect(await everything()).toEqual(before)
  })

  it('survit au changement de session de l’aidante', async () => {
    const browser = await signedIn('samira')
    const { id, to } = await sent(browser)
    const back = await browser.atFranceConnect(to, 'odette')
    const again = await browser.post('/structures', { structure: world.structures.figeac })
    expect(again.status).toBe(303)
    expect((await browser.follow(await browser.get(back.location!))).url).toContain(`${id}/accord`)
  })

  it('la page d’après la déconnexion ne mène que chez nous, quel que soit ce qu’on lui donne', async () => {
    for (const state of [
      '',
      'x',
      '//ailleurs.example',
      'mandat.//ailleurs.example',
      'toString',
      '__proto__.x',
      'constructor',
      'mandat.123',
    ])
      expect(
        (await world.get(`/connexion/franceconnect/deconnecte?state=${encodeURIComponent(state)}`)).headers.get('location'),
      ).toBe('/mon-espace')
  })
})

describe('son espace', () => {
  const enter = async (browser: Browser, persona: string) =>
    browser.atFranceConnect(await browser.post('/connexion/franceconnect', {}), persona)

  it('s’ouvre à qui a donné mandat, dans une nouvelle session, l’ancienne étant fermée', async () => {
    await world.signMandat({ persona: 'josiane' })
    const browser = await signedIn()
    const first = `session=${browser.cookies.get('session')}`
    const back = await enter(browser, 'josiane')
    const page = await browser.follow(await browser.get(back.location!))
    expect([page.status, page.url]).toEqual([200, `${PUBLIC_URL}/mon-espace`])
    expect((await world.get('/personnes', first)).headers.get('location')).toContain('/connexion')
    expect((await browser.get('/personnes')).status).toBe(404)
  })

  it('à qui n’en a donné aucun : rien n’est gardé, et FranceConnect est fermé', async () => {
    const browser = world.browser()
    const back = await enter(browser, 'voahangy')
    const callback = await browser.get(back.location!)
    expect(callback.location).toContain('/session/end')
    const page = await browser.follow(callback)
    expect([page.status, page.html.includes('Aucun mandat à votre nom')]).toEqual([409, true])
    expect(browser.cookies.has('session')).toBe(false)
    expect(await world.tablesHolding('RAKOTONDRAINIBE')).toEqual([])
    await expectValidHtml(page.html)
  })
})

describe('relire, dire oui, accepter : rien n’est écrit', () => {
  it('sans identité, on y retourne', async () => {
    const browser = await signedIn()
    const { id } = await sent(browser)
    for (const step of ['accord', 'acceptation']) {
      const page = await browser.follow(await browser.get(`/mandats/brouillons/${id}/${step}`))
      expect(page.url).toBe(`${PUBLIC_URL}/mandats/brouillons/${id}/identification`)
    }
    const before = await everything()
    const accord = await browser.post(`/mandats/brouillons/${id}/accord`, {
      reponse: 'oui',
      redit: 'oui',
      suivi: 'papier',
      thematiques: 'logement',
      lues: 'logement',
      dernierJour: '2030-01-01',
    })
    expect(accord.location).toContain('/identification')
    const signing = await browser.post(`/mandats/brouillons/${id}/acceptation`, { code: await world.freshCode('thomas') })
    expect(signing.status).toBe(409)
    const { facteur: _, ...after } = await everything()
    const { facteur: __, ...unchanged } = before
    expect(after).toEqual(unchanged)
  })

  it('sans la case, sans thématique, avec une de plus, sans bouton, sans façon de la prévenir', async () => {
    const browser = await signedIn()
    const { id, accord } = await identified(browser, 'odette', ['logement', 'famille'])
    const before = await everything()
    const tries: [string, Record<string, string | string[]>, number][] = [
      ['sans la case', yes(accord, { redit: '' }), 422],
      ['sans thématique', yes(accord, { thematiques: [] }), 422],
      ['avec une de plus', yes(accord, { thematiques: ['logement', 'famille', 'argent'], lues: 'famille logement argent' }), 409],
      ['sans relire la phrase', yes(accord, { thematiques: ['logement'] }), 409],
      ['sans bouton', yes(accord, { reponse: '' }), 422],
      ['sans façon de la prévenir', yes(accord, { suivi: '' }), 422],
      ['par SMS sans numéro', yes(accord, { suivi: 'sms' }), 422],
      ['par un fixe', yes(accord, { suivi: 'sms', mobile: '05 65 50 05 40' }), 422],
      ['chez l’aidant', yes(accord, { suivi: 'email', email: 'THOMAS@figeac.demo' }), 409],
    ]
    for (const [why, fields, status] of tries) {
      const page = await browser.post(accord.url, fields)
      expect([why, page.status]).toEqual([why, status])
      await expectValidHtml(page.html)
    }
    expect(await everything()).toEqual(before)
    const [brouillon] = await world.sql`select granted, accord_at from brouillon where id = ${id}`
    expect(brouillon).toEqual({ granted: null, accord_at: null })
  })

  it('décocher, relire la phrase, dire oui : seul le reste est accordé', async () => {
    const browser = await signedIn()
    const { id, accord } = await identified(browser, 'odette', ['logement', 'famille'])
    const reread = await browser.post(accord.url, yes(accord, { thematiques: ['logement'] }))
    expect(lues(reread)).toBe('logement')
    expect(redit(reread)).toBe(false)
    expect((await browser.post(accord.url, yes(reread))).status).toBe(303)
    await browser.post(`/mandats/brouillons/${id}/acceptation`, { code: await world.freshCode('thomas') })
    const granted = await world.sql`select thematique from autorisation where mandat_id = ${id}`
    expect([...granted]).toEqual([{ thematique: 'logement' }])
  })

  it('tout décocher : rien n’est recoché pour elle, et plus aucune phrase', async () => {
    const browser = await signedIn()
    const { accord } = await identified(browser, 'odette', ['logement', 'famille'])
    expect(accord.html).toContain('Je donne mon accord : ')
    const empty = await browser.post(accord.url, yes(accord, { thematiques: [] }))
    expect([empty.status, lues(empty)]).toEqual([422, ''])
    expect(empty.html).not.toContain('Je donne mon accord : ')
    await expectValidHtml(empty.html)
  })

  it('une date qui n’est plus celle de la phrase : on relit ensemble', async () => {
    const browser = await signedIn()
    const { accord } = await identified(browser, 'odette')
    const page = await browser.post(accord.url, yes(accord, { dernierJour: '2030-01-01' }))
    expect([page.status, page.html.includes('relisez-la ensemble')]).toEqual([409, true])
    expect(redit(page)).toBe(false)
  })

  it('la case « a redit avec ses mots » ne reste cochée que pour la phrase qu’elle a redite', async () => {
    const browser = await signedIn()
    const { accord } = await identified(browser, 'odette', ['logement', 'famille'])
    const same = await browser.post(accord.url, yes(accord, { suivi: '' }))
    expect([same.status, redit(same)]).toEqual([422, true])
    const other = await browser.post(accord.url, yes(accord, { suivi: '', thematiques: ['logement'] }))
    expect([other.status, redit(other)]).toEqual([422, false])
    const later = await browser.post(accord.url, yes(accord, { suivi: '', dernierJour: '2030-01-01' }))
    expect([later.status, redit(later)]).toEqual([422, false])
    await expectValidHtml(later.html)
  })

  it('revenir en arrière après la signature mène au mandat, et un « oui, protégée » dit qu’il existe', async () => {
    const browser = await signedIn()
    const { id } = await world.signMandat({ persona: 'odette' })
    for (const step of ['accord', 'acceptation'])
      expect((await browser.get(`/mandats/brouillons/${id}/${step}`)).location).toBe(`${PUBLIC_URL}/mandats/${id}`)
    const late = await browser.post(`/mandats/brouillons/${id}/choix`, {
      protegee: 'oui',
      thematiques: ['logement'],
      duree: 'mois',
    })
    expect([late.status, late.html.includes('Ce mandat est déjà signé')]).toEqual([409, true])
    expect((await (await signedIn('fabrice')).get(`/mandats/brouillons/${id}/accord`)).status).toBe(404)
  })

  it('trois codes faux : même le bon attend, et rien n’est signé', async () => {
    await world.database.freeze(new Date())
    const id = await world.draft({ persona: 'teiki' })
    const browser = await signedIn()
    const code = await world.freshCode('thomas')
    const wrong = wrongOf(code)
    const url = `/mandats/brouillons/${id}/acceptation`
    for (let i = 0; i < 3; i++) {
      const page = await browser.post(url, { code: wrong })
      expect(page.status).toBe(409)
      await expectValidHtml(page.html)
    }
    const waiting = await browser.post(url, { code })
    expect([waiting.status, Number(waiting.headers.get('retry-after')) > 0]).toEqual([429, true])
    expect(await world.sql`select 1 from mandat where id = ${id}`).toHaveLength(0)
    expect((await browser.post(url, { code: 'abc' })).status).toBe(422)
  })

  it('le code qui a ouvert la session ne signe pas', async () => {
    const id = await world.draft({ persona: 'teiki' })
    await world.freshCode('thomas')
    const now = await world.now()
    await world.database.freeze(now)
    const browser = world.browser()
    const code = codeOf('thomas', now)
    await browser.post('/connexion', { email: AIDANTS.thomas.email, code })
    const [message] = await world.sql<
      { corps: string }[]
    >`select corps from message where cle like 'connexion:%' order by created_at desc limit 1`
    await browser.post('/connexion/code', { code: /: (\d{3} \d{3})\n/.exec(message!.corps)![1]! })
    const refused = await browser.post(`/mandats/brouillons/${id}/acceptation`, { code })
    expect([refused.status, /déjà servi/.test(refused.html)]).toEqual([409, true])
    expect(await world.sql`select 1 from mandat where id = ${id}`).toHaveLength(0)
  })

  it('une colonne de choix refusée garde ce qui est tapé', async () => {
    const browser = await signedIn()
    const page = await browser.post('/mandats/nouveau', { protegee: 'non', thematiques: ['logement', 'justice'], duree: 'an' })
    expect(page.status).toBe(409)
    expect(page.html).toMatch(/value="logement"[^>]*checked/)
    await expectValidHtml(page.html)
    const empty = await browser.post('/mandats/nouveau', {})
    expect(empty.status).toBe(422)
    await expectValidHtml(empty.html)
    expect(await world.sql`select 1 from brouillon`).toHaveLength(0)
  })
})
