import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createApp } from '../../src/app.ts'
import type { AIDANTS } from '../../src/demo/people.ts'
import { forgetBrouillons } from '../../src/mandat/forget.ts'
import { franceconnect } from '../../src/oidc/franceconnect.ts'
import { openProvider } from '../../src/oidc/provider.ts'
import { expectValidHtml } from '../support/html.ts'
import { readQr } from '../support/read-qr.ts'
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
  for (const table of ['brouillon', 'limite']) await world.sql.unsafe(`delete from ${table}`)
})

const stepOf = (id: string, step: string) => `/mandats/brouillons/${id}/${step}`
const signedIn = async (aidant: keyof typeof AIDANTS = 'thomas') => world.browser(await world.sessionOf(aidant))
/** The address in the QR, asked of the database's row as the page draws it. */
const offered = async (aidant: Browser, id: string) => {
  const shown = await aidant.post(stepOf(id, 'telephone'), { geste: 'ouvrir' })
  expect(shown.location).toBe(PUBLIC_URL + stepOf(id, 'telephone'))
  const page = await aidant.get(shown.location!)
  await expectValidHtml(page.html)
  expect(page.html).toContain('class="qr"')
  return readQr(page.html).slice(PUBLIC_URL.length)
}
const draftOf = async (aidant: Browser) => {
  const chosen = await aidant.post('/mandats/nouveau', { protegee: 'non', thematiques: ['logement'], duree: 'mois' })
  return /brouillons\/([0-9a-f-]{36})/.exec(chosen.location!)![1]!
}
/** On her telephone: until the page that shows the code. */
const identifies = async (phone: Browser, link: string, persona: string) => {
  await expectValidHtml((await phone.get(link)).html)
  return phone.follow(await phone.atFranceConnect(await phone.post(link, {}), persona))
}
const codeOn = (page: Page) => /class="digits">(\d{3}) (\d{3})</.exec(page.html)!.slice(1).join('')
const wrongOf = (code: string) => (code === '000000' ? '111111' : '000000')
const join = (aidant: Browser, id: string, code: string) => aidant.post(stepOf(id, 'telephone'), { geste: 'relier', code })
const identified = async (id: string) => {
  const [row] = await world.sql`select identite is not null as held from brouillon where id = ${id}`
  return row?.held as boolean | undefined
}
/** Everything but the tries counted. */
const everything = async () => {
  const { session: _, limite: __, telephone: ___, ...digest } = await world.digest()
  return digest
}
const waiting = async (persona = 'odette') => {
  const aidant = await signedIn()
  const id = await draftOf(aidant)
  const phone = world.browser()
  const shown = await identifies(phone, await offered(aidant, id), persona)
  return { aidant, id, phone, shown, code: codeOn(shown) }
}

describe('sur son téléphone', () => {
  it('elle s’identifie, lit un code, et le mandat se signe', async () => {
    const { aidant, id, phone, shown, code } = await waiting('josiane')
    expect([shown.status, shown.url]).toEqual([200, `${PUBLIC_URL}/telephone/code`])
    await expectValidHtml(shown.html)
    // Held aside: neither the draft nor the aidant has anything of her yet.
    expect(await world.tablesHolding('DELPECH')).toEqual(['telephone'])
    expect(await identified(id)).toBe(false)
    expect((await aidant.get(stepOf(id, 'telephone'))).html).not.toContain('DELPECH')
    expect((await aidant.get(stepOf(id, 'accord'))).location).toContain('/identification')

    const joined = await join(aidant, id, code)
    expect(joined.location).toBe(PUBLIC_URL + stepOf(id, 'accord'))
    expect(await world.tablesHolding('DELPECH')).toEqual(['brouillon'])
    const accord = await aidant.get(joined.location!)
    expect(accord.html).toContain('Josiane DELPECH')
    const [, lues] = /name="lues" value="([^"]*)"/.exec(accord.html)!
    const [, dernierJour] = /name="dernierJour" value="([^"]*)"/.exec(accord.html)!
    const yes = {
      reponse: 'oui',
      redit: 'oui',
      suivi: 'papier',
      lues: lues!,
      dernierJour: dernierJour!,
      thematiques: lues!.split(' '),
    }
    expect((await aidant.post(stepOf(id, 'accord'), yes)).status).toBe(303)
    const signed = await aidant.post(stepOf(id, 'acceptation'), { code: await world.freshCode('thomas') })
    expect(signed.location).toContain(`/mandats/${id}`)
    // On her telephone the code is over.
    const after = await phone.get('/telephone/code')
    expect([after.status, after.html.includes('pas de code')]).toEqual([404, true])
    await expectValidHtml(after.html)
  })

  it('rien de ce qui est préparé n’y est montré', async () => {
    const { id, phone, shown } = await waiting()
    const link = (await phone.get('/t/inconnu')).html
    for (const html of [shown.html, link]) expect(html).not.toMatch(/[Ll]ogement|Figeac|Thomas|BOYER|Odette|brouillons/)
    for (const html of [shown.html, link]) expect(html).not.toContain(id)
  })

  it('le lien sert une fois, dans un navigateur, dix minutes ; un lien ouvert ne commence rien', async () => {
    const aidant = await signedIn()
    const id = await draftOf(aidant)
    const link = await offered(aidant, id)
    const before = await everything()
    const phone = world.browser()
    await phone.get(link)
    expect(await everything()).toEqual(before)
    const first = await phone.post(link, {})
    expect(new URL(first.location!).pathname).toContain('/authorize')
    const second = await world.browser().post(link, {})
    expect([second.status, second.html.includes('Cette adresse ne sert plus')]).toEqual([409, true])
    await expectValidHtml(second.html)
    const unknown = await world.browser().post(`/t/${randomBytes(24).toString('base64url')}`, {})
    expect(unknown.html.replace(/[0-9A-Z-]{14}/g, '')).toBe(second.html.replace(/[0-9A-Z-]{14}/g, ''))

    const now = new Date()
    await world.database.freeze(now)
    const late = await offered(aidant, id)
    await world.database.freeze(new Date(now.getTime() + 10 * MINUTE + SECOND))
    expect((await world.browser().post(late, {})).status).toBe(409)
  })

  it('FranceConnect en panne : le lien n’est pas perdu', async () => {
    const aidant = await signedIn()
    const link = await offered(aidant, await draftOf(aidant))
    const down = openProvider({
      profile: franceconnect,
      ...world.config.franceconnect,
      issuer: 'http://127.0.0.1:9/api/v2',
      log: () => {},
    })
    const app = createApp({ db: world.db, config: world.config, oidc: { franceconnect: down }, log: () => {} })
    const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: PUBLIC_URL, 'sec-fetch-site': 'same-origin' }
    const page = await app.request(link, { method: 'POST', headers, body: '' })
    expect(page.status).toBe(503)
    await expectValidHtml(await page.text())
    const later = await world.browser().post(link, {})
    expect([later.status, new URL(later.location!).pathname.includes('/authorize')]).toEqual([303, true])
  })

  it('le retour dans un autre navigateur, ou le code demandé d’un autre : rien', async () => {
    const aidant = await signedIn()
    const id = await draftOf(aidant)
    const phone = world.browser()
    const back = await phone.atFranceConnect(await phone.post(await offered(aidant, id), {}), 'odette')
    const other = world.browser()
    other.cookies.set('navigateur', 'x'.repeat(43))
    const stolen = await other.get(back.location!)
    expect([stolen.status, stolen.html.includes('autre navigateur')]).toEqual([409, true])
    const callback = await phone.get(back.location!)
    // FranceConnect is closed on her telephone too, before anything is shown.
    expect(callback.location).toContain('/session/end')
    const shown = await phone.follow(callback)
    expect(codeOn(shown)).toMatch(/^\d{6}$/)
    for (const thief of [other, world.browser()]) expect((await thief.get('/telephone/code')).status).toBe(404)
    // Replayed, the return changes nothing and shows nothing.
    expect((await phone.get(back.location!)).status).toBe(409)
  })
})

describe('le code lu', () => {
  it('faux, ou d’un autre mandat : rien n’est relié, rien n’est écrit, et au troisième il est perdu', async () => {
    const hers = await waiting('odette')
    const other = await waiting('josiane')
    const before = await everything()
    for (const code of [wrongOf(hers.code), other.code === hers.code ? wrongOf(hers.code) : other.code]) {
      const page = await join(hers.aidant, hers.id, code)
      expect([page.status, page.html.includes('Rien n’est relié')]).toEqual([409, true])
      await expectValidHtml(page.html)
    }
    expect(await everything()).toEqual(before)
    expect((await join(hers.aidant, hers.id, wrongOf(hers.code))).status).toBe(409)
    const right = await join(hers.aidant, hers.id, hers.code)
    expect([right.status, right.html.includes('ne sert plus')]).toEqual([409, true])
    expect(await identified(hers.id)).toBe(false)
    expect(await everything()).toEqual(before)
    // The other one's is still good.
    expect((await join(other.aidant, other.id, other.code)).status).toBe(303)
  })

  it.each([
    [10 * MINUTE, true],
    [10 * MINUTE + SECOND, false],
  ])('%i ms après son identification : relié %s', async (ms, joined) => {
    const now = new Date()
    await world.database.freeze(now)
    const { id, phone, code } = await waiting()
    await world.database.freeze(new Date(now.getTime() + ms))
    expect((await phone.get('/telephone/code')).status).toBe(joined ? 200 : 404)
    const page = await join(await signedIn(), id, code)
    expect(page.status).toBe(joined ? 303 : 409)
    expect(await identified(id)).toBe(joined)
  })

  it('rejoué, ou tapé par une collègue : rien', async () => {
    const { aidant, id, code } = await waiting()
    const samira = await signedIn('samira')
    expect((await join(samira, id, code)).status).toBe(404)
    expect((await samira.get(stepOf(id, 'telephone'))).status).toBe(404)
    const answers = await Promise.all([1, 2, 3].map(() => join(aidant, id, code)))
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 409, 409])
    expect((await join(aidant, id, code)).status).toBe(409)
    expect(await identified(id)).toBe(true)
  })

  it('tapé avant qu’elle ait fini : rien', async () => {
    const aidant = await signedIn()
    const id = await draftOf(aidant)
    await offered(aidant, id)
    expect((await join(aidant, id, '123456')).status).toBe(409)
    expect(await identified(id)).toBe(false)
  })

  it('pour des choix changés depuis, ou après un autre carré : à refaire', async () => {
    const { aidant, id, code } = await waiting()
    await aidant.post(stepOf(id, 'choix'), { protegee: 'non', thematiques: 'famille', duree: 'an' })
    const changed = await join(aidant, id, code)
    expect([changed.status, changed.html.includes('à refaire')]).toEqual([409, true])
    expect(await identified(id)).toBe(false)
    // Begun again on the aidant's screen meanwhile: what waits was for other words.
    const here = await waiting()
    await here.aidant.post(stepOf(here.id, 'identification'), {})
    expect((await join(here.aidant, here.id, here.code)).html).toContain('à refaire')
    expect(await identified(here.id)).toBe(false)
    const again = await waiting()
    await offered(again.aidant, again.id)
    expect(await world.tablesHolding('Odette')).toEqual([])
    expect((await join(again.aidant, again.id, again.code)).status).toBe(409)
  })

  it('d’une mineure : aucun mandat, rien n’est gardé', async () => {
    const { aidant, id, code } = await waiting('leo')
    const page = await join(aidant, id, code)
    expect([page.status, page.html.includes('moins de 18 ans')]).toEqual([409, true])
    for (const trace of [id, '2014-09']) expect(await world.tablesHolding(trace)).toEqual([])
  })
})

describe('ce qui attend sur son téléphone', () => {
  it('n’est pas lisible par un aidant, même sans l’application', async () => {
    await waiting('josiane')
    const read = (who: Parameters<World['db']['tx']>[0]) =>
      world.db.tx(who, async (tx) => [...(await tx.sql`select id from telephone`)].length)
    expect(await read(world.as('thomas'))).toBe(0)
    expect(await read(world.asReferent('nadia'))).toBe(0)
    expect(await read({ kind: 'portier' })).toBe(1)
  })

  it('s’efface après trente minutes, et avec le brouillon', async () => {
    const now = new Date()
    await world.database.freeze(now)
    await waiting('voahangy')
    await world.database.freeze(new Date(now.getTime() + 30 * MINUTE))
    await forgetBrouillons(world.db)
    expect(await world.tablesHolding('RAKOTONDRAINIBE')).toEqual(['telephone'])
    await world.database.freeze(new Date(now.getTime() + 30 * MINUTE + SECOND))
    await forgetBrouillons(world.db)
    expect(await world.tablesHolding('RAKOTONDRAINIBE')).toEqual([])
    await world.database.freeze(null)
    const { aidant, id } = await waiting('voahangy')
    await aidant.post(stepOf(id, 'effacer'), {})
    expect(await world.tablesHolding('RAKOTONDRAINIBE')).toEqual([])
  })
})
