import { randomBytes } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openSignature, redeemSignature } from '../../src/aidant/sign-in.ts'
import { AIDANTS, type AidantKey, codeOf } from '../../src/demo/people.ts'
import { hashToken, rotateSession } from '../../src/http/session.ts'
import { findBrouillon } from '../../src/mandat/brouillon-queries.ts'
import { vueDe } from '../../src/mandat/confirmation.ts'
import { BEGUN_IN } from '../../views/public/kept.ts'
import { type Authenticator, type Lie, newAuthenticator, optionsOf } from '../support/authenticator.ts'
import { expectValidHtml } from '../support/html.ts'
import { statementsOf } from '../support/statements.ts'
import { type Browser, newWorld, type Page, PUBLIC_URL, type World } from '../support/world.ts'

const MINUTE = 60_000
const MOYENS = '/mes-moyens-de-connexion'

let world: World
let day = 0
let now: Date
beforeAll(async () => {
  world = await newWorld()
})
afterAll(() => world.close())
/** Each test has its day, and everyone her application alone. */
beforeEach(async () => {
  now = new Date(Date.UTC(2026, 2, 2 + day++, 9, 2, 5))
  await world.database.freeze(now)
  await world.sql`delete from facteur`
  await world.sql`delete from code_secours`
  await world.sql`delete from message`
  await world.sql`delete from session`
  for (const aidant of Object.keys(AIDANTS)) await world.freshCode(aidant as AidantKey)
})
const later = async (ms: number) => {
  now = new Date(now.getTime() + ms)
  await world.database.freeze(now)
}

const enter = async (aidant: AidantKey) => world.browser(await world.sessionOf(aidant))
/** The next code of her application: time goes on for it. */
const code = async (aidant: AidantKey) => {
  await later(30_000)
  return codeOf(aidant, now)
}
const wrong = (right: string) => (right === '000000' ? '111111' : '000000')
const factors = (aidant: AidantKey) => world.sql<{ id: string; genre: string; nom: string | null; dernier_pas: string }[]>`
  select id, genre, nom, dernier_pas from facteur where aidant_id = ${world.aidants[aidant]} and removed_at is null order by created_at, genre desc`
const lines = async () => (await world.lines()).filter(({ action }) => action === 'structure_modifiee')
const mails = async (like: string) => world.sql<{ destinataire: string; corps: string }[]>`
  select destinataire, corps from message where cle like ${like} order by created_at`

/** Asks to add one, her code given: the page that pairs it. */
async function ask(browser: Browser, aidant: AidantKey, genre: 'totp' | 'cle_acces', nom = 'Ordinateur'): Promise<Page> {
  const asked = await browser.post(`${MOYENS}/ajouter`, { genre, nom, code: await code(aidant) })
  expect(asked.status).toBe(303)
  return browser.get(asked.location!)
}
async function addCle(browser: Browser, aidant: AidantKey, origin = PUBLIC_URL): Promise<Authenticator> {
  const page = await ask(browser, aidant, 'cle_acces')
  const cle = newAuthenticator(origin)
  expect((await browser.post(page.url, { signature: cle.create(optionsOf(page.html)) })).status).toBe(200)
  return cle
}
const secoursDe = (html: string) => [...html.matchAll(/class="code">(\d{4} \d{4} \d{4})</g)].map(([, one]) => one!)

describe('ajouter un moyen de connexion', () => {
  it('demande un second facteur, sans rien perdre ; puis l’application compte une fois son premier code juste', async () => {
    const thomas = await enter('thomas')
    const before = (await lines()).length
    const asked = await thomas.post(`${MOYENS}/ajouter`, { genre: 'totp', nom: 'Téléphone « neuf »' })
    expect(asked.status).toBe(403)
    expect(asked.html).toContain('name="nom" value="Téléphone « neuf »"')
    await expectValidHtml(asked.html)
    const refused = await thomas.post(`${MOYENS}/ajouter`, { genre: 'totp', nom: 'Téléphone', code: wrong(await code('thomas')) })
    expect(refused.status).toBe(409)
    await expectValidHtml(refused.html)

    const page = await ask(thomas, 'thomas', 'totp', 'Téléphone')
    await expectValidHtml(page.html)
    const { secret } = new TOTP({ secret: Secret.fromBase32(/secret=([A-Z2-7]+)/.exec(page.html)![1]!) })
    expect(await world.tablesHolding(secret.base32)).toEqual([])
    const first = new TOTP({ secret }).generate({ timestamp: now.getTime() })
    expect((await thomas.post(page.url, { code: wrong(first) })).status).toBe(409)
    expect(await factors('thomas')).toHaveLength(1)
    const paired = await thomas.post(page.url, { code: first })
    expect(secoursDe(paired.html)).toHaveLength(10)
    await expectValidHtml(paired.html)
    expect(await factors('thomas')).toMatchObject([
      { genre: 'totp', nom: null },
      { genre: 'totp', nom: 'Téléphone' },
    ])

    // Once; her line; her message; and what it gave does not serve again.
    expect((await thomas.post(page.url, { code: first })).status).toBe(404)
    const written = (await lines()).slice(before)
    expect(written.map(({ payload }) => JSON.parse(payload!))).toEqual([{ equipe: 'facteur_ajoute' }])
    expect(written[0]).toMatchObject({ acteurId: world.aidants.thomas, cibleAidantId: world.aidants.thomas })
    expect((await mails('facteur:%')).map(({ destinataire }) => destinataire)).toEqual([AIDANTS.thomas.email])
    expect((await (await enter('nadia')).get('/structure/journal')).html).toMatch(
      /Moyen de connexion ajouté[\s\S]*Thomas Lacombe/,
    )
    const shown = await thomas.get(MOYENS)
    expect(shown.html).toMatch(/Téléphone[\s\S]*Il vous en reste 10/)
    await expectValidHtml(shown.html)
  })

  it('envoyé après la fermeture de la session, garde le nom choisi, et jamais le code ni la signature', async () => {
    const thomas = await enter('thomas')
    await later(31 * MINUTE)
    const kept = await thomas.post(`${MOYENS}/ajouter`, {
      genre: 'totp',
      nom: 'Neuf',
      code: '123456',
      signature: '{"id":"abcd"}',
    })
    expect([kept.status, kept.html.includes('value="Neuf"'), /123456|abcd/.test(kept.html)]).toEqual([403, true, false])
  })

  it('dans la session qui l’a demandé, pendant quinze minutes', async () => {
    const [here, elsewhere] = [await enter('thomas'), await enter('thomas')]
    const page = await ask(here, 'thomas', 'cle_acces')
    expect((await elsewhere.get(page.url)).status).toBe(404)
    expect((await (await enter('nadia')).get(page.url)).status).toBe(404)
    await later(15 * MINUTE)
    expect((await here.get(page.url)).status).toBe(404)
    const signature = newAuthenticator(PUBLIC_URL).create(optionsOf(page.html))
    expect((await here.post(page.url, { signature })).status).toBe(404)
    expect(await factors('thomas')).toHaveLength(1)
  })

  it.each<[string, Lie, string?]>([
    ['une autre origine', { origin: 'https://ailleurs.example' }],
    ['un autre site', { rpId: 'ailleurs.example' }],
    ['un autre défi', { challenge: randomBytes(32).toString('base64url') }],
    ['sans vérifier la personne', { verified: false }],
  ])('une clé d’accès créée pour %s n’est pas ajoutée', async (_, lie) => {
    const thomas = await enter('thomas')
    const page = await ask(thomas, 'thomas', 'cle_acces')
    const options = optionsOf(page.html)
    expect(options).toMatchObject({
      attestation: 'none',
      rp: { id: 'localhost' },
      authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
    })
    const cle = newAuthenticator(PUBLIC_URL)
    const refused = await thomas.post(page.url, { signature: cle.create(options, lie) })
    expect(refused.status).toBe(409)
    await expectValidHtml(refused.html)
    expect((await thomas.post(page.url, { signature: 'pas du JSON' })).status).toBe(422)
    expect((await thomas.post(page.url, { signature: cle.create(options, { id: randomBytes(8) }) })).status).toBe(404)
    expect(await factors('thomas')).toHaveLength(1)
    expect((await thomas.post(page.url, { signature: cle.create(options) })).status).toBe(200)
    expect(await factors('thomas')).toHaveLength(2)
  })

  it('la clé d’une autre ne s’ajoute pas, et les siennes sont dites au navigateur', async () => {
    const [thomas, nadia] = [await enter('thomas'), await enter('nadia')]
    const cle = await addCle(thomas, 'thomas')
    const page = await ask(nadia, 'nadia', 'cle_acces')
    expect((await nadia.post(page.url, { signature: cle.create(optionsOf(page.html)) })).status).toBe(404)
    expect(await factors('nadia')).toHaveLength(1)
    const again = optionsOf((await ask(thomas, 'thomas', 'cle_acces')).html) as unknown as { excludeCredentials: unknown[] }
    expect(again.excludeCredentials).toHaveLength(1)
  })
})

describe('se connecter avec une clé d’accès', () => {
  const door = async (browser = world.browser()) => ({
    browser,
    options: optionsOf((await browser.post('/connexion/cle', {})).html),
  })

  it('demandée d’un signet ou d’un rechargement : l’adresse mène à la page de connexion, où est son bouton', async () => {
    const browser = world.browser()
    const towards = async (path: string) => (await browser.get(path)).location
    expect(await towards('/connexion/cle')).toBe(`${PUBLIC_URL}/connexion`)
    expect(await towards('/connexion/cle?suite=%2Fa-remettre')).toBe(`${PUBLIC_URL}/connexion?suite=%2Fa-remettre`)
  })

  it('suffit, ouvre une session, une trace, et dit quand elle a servi', async () => {
    const cle = await addCle(await enter('thomas'), 'thomas')
    const { browser, options } = await door()
    await later(MINUTE)
    const opened = await browser.post('/connexion/cle?suite=%2Fa-remettre', { signature: cle.sign(options) })
    expect([opened.status, opened.location]).toEqual([303, `${PUBLIC_URL}/a-remettre`])
    expect((await browser.get('/personnes')).status).toBe(200)
    const [acces] = await world.sql`select genre, aidant_id from acces order by id desc limit 1`
    expect({ ...acces }).toEqual({ genre: 'connexion', aidant_id: world.aidants.thomas })
    const [used] = await world.sql`select used_at from facteur where genre = 'cle_acces'`
    expect(used!.used_at).toEqual(now)
  })

  it.each<[string, Lie]>([
    ['une autre origine', { origin: 'https://ailleurs.example' }],
    ['un autre site', { rpId: 'ailleurs.example' }],
    ['un autre défi', { challenge: randomBytes(32).toString('base64url') }],
    ['une clé inconnue', { id: randomBytes(32) }],
    ['un compteur revenu en arrière', { counter: 1 }],
    ['une personne non vérifiée', { verified: false }],
  ])('refusée pour %s, toujours de la même façon', async (_, lie) => {
    const cle = await addCle(await enter('thomas'), 'thomas')
    const good = await door()
    expect((await good.browser.post('/connexion/cle', { signature: cle.sign(good.options) })).status).toBe(303)
    const { browser, options } = await door()
    const refused = await browser.post('/connexion/cle', { signature: cle.sign(options, lie) })
    await expectValidHtml(refused.html)
    const unreadable = await browser.post('/connexion/cle', { signature: '{}' })
    const same = ({ status, html }: Page) => [status, html.replace(/data-options="[^"]*"/, '')]
    expect(same(refused)).toEqual(same(unreadable))
    expect([refused.status, browser.cookies.has('session')]).toEqual([409, false])
  })

  it('un défi sert une fois, dans le navigateur qui l’a demandé, pendant cinq minutes', async () => {
    const cle = await addCle(await enter('thomas'), 'thomas')
    const { browser, options } = await door()
    // As a passkey kept by a cloud does: no counter says that this has served.
    const signature = cle.sign(options, { counter: 0 })
    const thief = world.browser()
    await thief.post('/connexion/cle', {})
    expect((await thief.post('/connexion/cle', { signature })).status).toBe(409)
    const cookie = `navigateur=${browser.cookies.get('navigateur')}`
    const answers = await Promise.all(Array.from({ length: 8 }, () => world.post('/connexion/cle', { signature }, cookie)))
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 409, 409, 409, 409, 409, 409, 409])

    const late = await door()
    await later(5 * MINUTE)
    expect((await late.browser.post('/connexion/cle', { signature: cle.sign(late.options) })).status).toBe(409)
  })

  it('ni après avoir été retirée, ni à une aidante suspendue', async () => {
    const thomas = await enter('thomas')
    const cle = await addCle(thomas, 'thomas')
    await world.sql`update aidant set suspended_at = horloge() where id = ${world.aidants.thomas}`
    const first = await door()
    expect((await first.browser.post('/connexion/cle', { signature: cle.sign(first.options) })).status).toBe(409)
    await world.sql`update aidant set suspended_at = null`
    const [, added] = await factors('thomas')
    expect((await thomas.post(`${MOYENS}/${added!.id}/retirer`, { code: await code('thomas') })).status).toBe(303)
    expect((await lines()).at(-1)).toMatchObject({
      acteurId: world.aidants.thomas,
      cibleAidantId: world.aidants.thomas,
      payload: '{"equipe":"facteur_retire"}',
    })
    expect((await mails('facteur:%')).at(-1)!.corps).toContain('retiré de votre compte : Ordinateur.')
    const { browser, options } = await door()
    expect((await browser.post('/connexion/cle', { signature: cle.sign(options) })).status).toBe(409)
  })

  it('mêmes requêtes à la base pour une clé inconnue et pour une mauvaise signature', async () => {
    const cle = await addCle(await enter('thomas'), 'thomas')
    const door = { secretsKey: world.config.secretsKey, publicUrl: PUBLIC_URL }
    const signing = async (lie: Lie) => {
      const { navigateur, defi } = await openSignature(world.db, undefined)
      const signature = JSON.parse(cle.sign({ challenge: defi.toString('base64url'), rpId: 'localhost' }, lie))
      return statementsOf(world.db, (db) => redeemSignature(db, { navigateur, signature }, door))
    }
    const unknown = await signing({ id: randomBytes(32) })
    expect(unknown.length).toBeGreaterThan(2)
    expect(await signing({ rpId: 'ailleurs.example' })).toEqual(unknown)
  })
})

describe('confirmer avec une clé d’accès', () => {
  const prepared = async () => {
    const thomas = await enter('thomas')
    const cle = await addCle(thomas, 'thomas')
    const brouillonId = await world.draft()
    const address = `/mandats/brouillons/${brouillonId}/acceptation`
    const vue = /name="vue" value="([^"]+)"/.exec((await thomas.get(address)).html)![1]!
    const said = { par: 'cle', vue }
    const asked = await thomas.post(address, said)
    expect(asked.status).toBe(403)
    await expectValidHtml(asked.html)
    return { thomas, cle, brouillonId, address, said, options: optionsOf(asked.html) }
  }

  it('signe un mandat', async () => {
    const { thomas, cle, brouillonId, address, said, options } = await prepared()
    const signed = await thomas.post(address, { ...said, signature: cle.sign(options) })
    expect(signed.location).toBe(`${PUBLIC_URL}/mandats/${brouillonId}?signe=1`)
  })

  it.each<[string, Lie]>([
    ['d’une autre origine', { origin: 'https://ailleurs.example' }],
    ['d’un autre site', { rpId: 'ailleurs.example' }],
    ['d’un autre défi', { challenge: randomBytes(32).toString('base64url') }],
    ['d’une clé inconnue', { id: randomBytes(32) }],
    ['sans vérifier la personne', { verified: false }],
  ])('ne signe rien %s, et brûle le défi', async (_, lie) => {
    const { thomas, cle, brouillonId, address, said, options } = await prepared()
    expect((await thomas.post(address, { ...said, signature: cle.sign(options, lie) })).status).toBe(409)
    expect((await thomas.post(address, { ...said, signature: cle.sign(options) })).status).toBe(409)
    expect(await world.sql`select 1 from mandat where id = ${brouillonId}`).toHaveLength(0)
  })

  it('vaut pour cette adresse, ces mots, cette session et ce brouillon tel qu’il était', async () => {
    const { thomas, cle, brouillonId, address, said, options } = await prepared()
    // What is signed is not what is sent: each try burns nothing of another's.
    expect((await thomas.post(address, { ...said, mesureFinie: 'oui', signature: cle.sign(options) })).status).toBe(409)
    const elsewhere = await enter('thomas')
    expect((await elsewhere.post(address, { ...said, signature: cle.sign(options) })).status).toBe(409)
    const other = await world.draft({ persona: 'josiane' })
    const otherAddress = `/mandats/brouillons/${other}/acceptation`
    expect((await thomas.post(otherAddress, { ...said, signature: cle.sign(options) })).status).toBe(409)

    await world.sql`update brouillon set suivi = 'sms', contact = '+33612345678', contact_prouve_at = horloge() where id = ${brouillonId}`
    await world.sql`delete from limite`
    const changed = await thomas.post(address, { ...said, signature: cle.sign(options) })
    expect([changed.status, changed.html.includes('Ce qui est à signer a changé')]).toEqual([409, true])
    const brouillon = await world.db.tx(world.as('thomas'), (tx) => findBrouillon(tx, brouillonId))
    const now = { par: 'cle', vue: vueDe(brouillon!) }
    const again = optionsOf((await thomas.post(address, now)).html)
    expect((await thomas.post(address, { ...now, signature: cle.sign(again) })).status).toBe(303)
  })

  it('deux envois au même instant : un seul compte', async () => {
    const thomas = await enter('thomas')
    const cle = await addCle(thomas, 'thomas')
    for (let round = 0; round < 5; round++) {
      await world.sql`delete from limite`
      const options = optionsOf((await thomas.post(`${MOYENS}/codes`, {})).html)
      const signature = cle.sign(options, { counter: 0 })
      const cookie = `session=${thomas.cookies.get('session')}`
      const answers = await Promise.all([1, 2].map(() => world.post(`${MOYENS}/codes`, { signature }, cookie)))
      const [counted, other] = answers.toSorted((a, b) => a.status - b.status)
      // The other is refused where it stands: at the challenge, or already at the door when the one that counted had changed the token.
      expect([counted!.status, [303, 409].includes(other!.status), other!.headers.has('set-cookie')]).toEqual([200, true, false])
      if (other!.status === 303) expect(other!.headers.get('location')).toMatch(/^\/connexion\?suite=/)
      expect(await world.sql`select 1 from code_secours`).toHaveLength(10)
      thomas.cookies.set('session', /session=([\w-]+)/.exec(counted!.headers.get('set-cookie')!)![1]!)
    }
  })

  it('trois refus, et même la bonne attend', async () => {
    const thomas = await enter('thomas')
    const cle = await addCle(thomas, 'thomas')
    for (let i = 0; i < 3; i++) {
      const options = optionsOf((await thomas.post(`${MOYENS}/codes`, {})).html)
      expect((await thomas.post(`${MOYENS}/codes`, { signature: cle.sign(options, { verified: false }) })).status).toBe(409)
    }
    const options = optionsOf((await thomas.post(`${MOYENS}/codes`, {})).html)
    expect((await thomas.post(`${MOYENS}/codes`, { signature: cle.sign(options) })).status).toBe(429)
  })
})

describe('les codes de secours', () => {
  const draw = async (aidant: AidantKey) => {
    const page = await (await enter(aidant)).post(`${MOYENS}/codes`, { code: await code(aidant) })
    await expectValidHtml(page.html)
    return secoursDe(page.html)
  }
  const signInWith = (browser: Browser, secours: string, aidant: AidantKey = 'thomas') =>
    browser.post('/connexion', { email: AIDANTS[aidant].email, code: secours })
  const received = async () => /: (\d{3} \d{3})\n/.exec((await mails('connexion:%')).at(-1)!.corps)![1]!.replace(' ', '')

  it('remplace l’application une fois à la connexion, le dit par e-mail, et mène là où associer un nouveau moyen', async () => {
    const [first = '', second = ''] = await draw('thomas')
    const digits = first.replaceAll(' ', '')
    for (const clear of [digits, Buffer.from(digits)]) expect(await world.tablesHolding(clear)).toEqual([])
    const browser = world.browser()
    const right = await signInWith(browser, first)
    expect(right.status).toBe(303)
    const [told] = await mails('secours:%')
    expect(told).toMatchObject({ destinataire: AIDANTS.thomas.email })
    expect(told!.corps).toContain('il vous en reste 9')
    const opened = await browser.post('/connexion/code', { code: await received() })
    expect(opened.location).toBe(`${PUBLIC_URL}${MOYENS}?fait=secours`)
    const page = await browser.get(opened.location!)
    expect(page.html).toContain('Un code de secours vient de servir')
    await expectValidHtml(page.html)

    const before = (await mails('connexion:%')).length
    expect((await signInWith(world.browser(), first)).status).toBe(303)
    expect((await signInWith(world.browser(), second, 'nadia')).status).toBe(303)
    expect(await mails('connexion:%')).toHaveLength(before)

    // With another, she pairs a new application and takes away the one she lost.
    const asked = await browser.post(`${MOYENS}/ajouter`, { genre: 'cle_acces', nom: 'Neuve', code: second })
    const creation = await browser.get(asked.location!)
    const cle = newAuthenticator(PUBLIC_URL)
    await browser.post(creation.url, { signature: cle.create(optionsOf(creation.html)) })
    const [lost] = await factors('thomas')
    const removal = optionsOf((await browser.post(`${MOYENS}/${lost!.id}/retirer`, {})).html)
    expect((await browser.post(`${MOYENS}/${lost!.id}/retirer`, { signature: cle.sign(removal) })).status).toBe(303)
    expect(await factors('thomas')).toMatchObject([{ nom: 'Neuve' }])
  })

  it('deux fois au même instant : un seul message part', async () => {
    const codes = await draw('thomas')
    for (const one of codes.slice(0, 5)) {
      await world.sql`delete from limite`
      const before = (await mails('connexion:%')).length
      await Promise.all([1, 2, 3].map(() => signInWith(world.browser(), one)))
      expect(await mails('connexion:%')).toHaveLength(before + 1)
    }
  })

  it('ne signe jamais un mandat, n’ouvre aucun dossier et ne réinitialise personne', async () => {
    const [one = ''] = await draw('nadia')
    const nadia = await enter('nadia')
    await later(6 * MINUTE)
    const told = await world.signMandat({ persona: 'josiane' })
    const brouillonId = await world.draft({ aidant: 'nadia' })
    const acceptation = `/mandats/brouillons/${brouillonId}/acceptation`
    const brouillon = await world.db.tx(world.as('nadia'), (tx) => findBrouillon(tx, brouillonId))
    const tries: [string, Record<string, string>][] = [
      [acceptation, {}],
      [acceptation, { par: 'cle', vue: vueDe(brouillon!) }],
      [`/structure/personnes/${told.usagerId}/ouvrir`, { motif: 'controle', envoi: crypto.randomUUID() }],
      [`/structure/aidants/${world.aidants.ines}/facteur`, {}],
    ]
    for (const [address, fields] of tries) {
      const refused = await nadia.post(address, { ...fields, code: one })
      expect([address, refused.status]).toEqual([address, 422])
      await expectValidHtml(refused.html)
    }
    expect(await world.sql`select 1 from code_secours where aidant_id = ${world.aidants.nadia}`).toHaveLength(10)
  })

  it('la session qu’il ouvre n’ouvre pas de dossier sans second facteur', async () => {
    const [one = ''] = await draw('nadia')
    const told = await world.signMandat({ persona: 'josiane' })
    const browser = world.browser()
    await signInWith(browser, one, 'nadia')
    await browser.post('/connexion/code', { code: await received() })
    const asked = await browser.post(`/structure/personnes/${told.usagerId}/ouvrir`, {
      motif: 'controle',
      envoi: crypto.randomUUID(),
    })
    expect(asked.status).toBe(403)
  })

  it('dix nouveaux remplacent les anciens', async () => {
    const [old = ''] = await draw('thomas')
    const fresh = await draw('thomas')
    expect(fresh).not.toContain(old)
    await signInWith(world.browser(), old)
    expect(await mails('connexion:%')).toHaveLength(0)
    await signInWith(world.browser(), fresh[0]!)
    expect(await mails('connexion:%')).toHaveLength(1)
  })
})

describe('retirer un moyen de connexion', () => {
  it('jamais le dernier, même à deux au même instant', async () => {
    for (let round = 0; round < 6; round++) {
      await world.sql`delete from facteur where aidant_id = ${world.aidants.thomas}`
      await world.sql`delete from limite`
      await world.freshCode('thomas')
      const [one, two] = [await enter('thomas'), await enter('thomas')]
      const cle = await addCle(one, 'thomas').catch(() => undefined)
      if (!cle) throw new Error('no passkey')
      const [totp, passkey] = await factors('thomas')
      const address = `${MOYENS}/${totp!.id}/retirer`
      const options = optionsOf((await one.post(address, {})).html)
      const given = await code('thomas')
      const answers = await Promise.all([
        one.post(address, { signature: cle.sign(options) }),
        two.post(`${MOYENS}/${passkey!.id}/retirer`, { code: given }),
      ])
      expect(answers.map(({ status }) => status).sort()).toEqual([303, 409])
      expect(await factors('thomas')).toHaveLength(1)
      await world.sql`delete from code_secours`
    }
    const thomas = await enter('thomas')
    const [last] = await factors('thomas')
    const page = await thomas.get(MOYENS)
    expect(page.html).not.toContain(`${last!.id}/retirer`)
  })

  it('ni celui d’une autre', async () => {
    const thomas = await enter('thomas')
    await addCle(thomas, 'thomas')
    const [hers] = await factors('nadia')
    const refused = await thomas.post(`${MOYENS}/${hers!.id}/retirer`, { code: await code('thomas') })
    expect([refused.status, await factors('nadia')]).toMatchObject([409, [{ id: hers!.id }]])
  })
})

describe('ouvrir un dossier', () => {
  it('demande un second facteur quand le dernier a plus de cinq minutes, sans perdre la raison', async () => {
    const told = await world.signMandat({ persona: 'josiane' })
    const nadia = await enter('nadia')
    const address = `/structure/personnes/${told.usagerId}/ouvrir`
    const reason = () => ({ motif: 'autre', precision: 'Elle l’a demandé', envoi: crypto.randomUUID() })
    await later(5 * MINUTE - 1000)
    expect((await nadia.post(address, reason())).status).toBe(303)
    await later(1000)
    const before = (await world.lines()).length
    const asked = await nadia.post(address, reason())
    expect([asked.status, (await world.lines()).length]).toEqual([403, before])
    expect(asked.html).toContain('name="precision" value="Elle l’a demandé"')
    expect((await nadia.post(address, { ...reason(), code: await code('nadia') })).status).toBe(303)
    // For five minutes more.
    await later(4 * MINUTE)
    expect((await nadia.post(address, reason())).status).toBe(303)
  })

  it('après un second facteur, la session continue sous un autre jeton, et l’ancien est mort ; pas après un refusé', async () => {
    const told = await world.signMandat({ persona: 'josiane' })
    const nadia = await enter('nadia')
    const address = `/structure/personnes/${told.usagerId}/ouvrir`
    const reason = () => ({ motif: 'autre', precision: 'Elle l’a demandé', envoi: crypto.randomUUID() })
    await later(5 * MINUTE)
    const before = nadia.cookies.get('session')!
    await nadia.post(address, { ...reason(), code: '000000' })
    expect(nadia.cookies.get('session')).toBe(before)
    expect((await nadia.post(address, { ...reason(), code: await code('nadia') })).status).toBe(303)
    expect(nadia.cookies.get('session')).not.toBe(before)
    expect((await nadia.get('/structure/journal')).status).toBe(200)
    const stale = await world.get('/structure/journal', `session=${before}`)
    expect([stale.status, stale.headers.get('location')]).toEqual([303, '/connexion?suite=%2Fstructure%2Fjournal'])
  })

  it('une session ne grandit pas à chaque second facteur : elle oublie ses plus vieux jetons', async () => {
    const nadia = await enter('nadia')
    const hash = hashToken(nadia.cookies.get('session')!)
    const [session] = await world.sql<{ id: string }[]>`select id from session where jeton = ${hash}`
    const tokens: string[] = []
    for (let n = 0; n < 30; n++)
      tokens.push(await world.db.tx({ kind: 'portier' }, (tx) => rotateSession(tx, session!.id, { confirme: true })))
    const [kept] = await world.sql<
      { jetonsAvant: Buffer[] }[]
    >`select jetons_avant as "jetonsAvant" from session where id = ${session!.id}`
    expect(kept!.jetonsAvant).toEqual(tokens.slice(9, 29).toReversed().map(hashToken))
  })

  it('ce qui était écrit quand il s’est refermé part encore, la session continuée sous un autre jeton', async () => {
    const told = await world.signMandat({ persona: 'josiane' })
    const nadia = await enter('nadia')
    const open = `/structure/personnes/${told.usagerId}/ouvrir`
    const reason = () => ({ motif: 'autre', precision: 'Elle l’a demandé', envoi: crypto.randomUUID() })
    const act = {
      envoi: crypto.randomUUID(),
      demarche: 'autre',
      titre: 'Un courrier',
      thematique: 'logement',
      resultat: 'deposee',
    }
    await later(16 * MINUTE)
    const kept = await nadia.post(`/mandats/${told.id}/demarches/nouvelle`, act)
    expect(kept.html).toContain('Il reste une étape avant d’envoyer')
    const begunIn = new RegExp(`name="${BEGUN_IN}" value="([^"]+)"`).exec(kept.html)![1]!
    expect((await nadia.post(open, { ...reason(), code: await code('nadia') })).status).toBe(303)
    expect((await nadia.post(`/mandats/${told.id}/demarches/nouvelle`, { ...act, [BEGUN_IN]: begunIn })).status).toBe(303)
    const thomas = await enter('thomas')
    expect((await thomas.post(`/mandats/${told.id}/demarches/nouvelle`, { ...act, [BEGUN_IN]: begunIn })).status).toBe(409)
  })
})

describe('la réinitialisation par la référente', () => {
  it('retire tout : application, clés, codes, sessions, et ce qui s’associait', async () => {
    const thomas = await enter('thomas')
    const cle = await addCle(thomas, 'thomas')
    const pending = await ask(thomas, 'thomas', 'cle_acces')
    const nadia = await enter('nadia')
    const reset = await nadia.post(`/structure/aidants/${world.aidants.thomas}/facteur`, { code: await code('nadia') })
    expect(reset.status).toBe(303)
    expect(await factors('thomas')).toHaveLength(0)
    expect(await world.sql`select 1 from code_secours where aidant_id = ${world.aidants.thomas}`).toHaveLength(0)
    expect((await mails('invitation:%')).map(({ destinataire }) => destinataire)).toEqual([AIDANTS.thomas.email])
    const late = newAuthenticator(PUBLIC_URL).create(optionsOf(pending.html))
    expect((await thomas.post(pending.url, { signature: late })).location).toBe(
      `${PUBLIC_URL}/connexion?suite=${encodeURIComponent(new URL(pending.url).pathname)}`,
    )
    const browser = world.browser()
    const options = optionsOf((await browser.post('/connexion/cle', {})).html)
    expect((await browser.post('/connexion/cle', { signature: cle.sign(options) })).status).toBe(409)
    expect(await factors('thomas')).toHaveLength(0)
  })

  it('au même instant qu’un ajout, ne laisse rien', async () => {
    for (let round = 0; round < 8; round++) {
      await world.sql`delete from facteur where aidant_id = ${world.aidants.thomas}`
      await world.sql`delete from limite`
      await world.freshCode('thomas')
      const [thomas, nadia] = [await enter('thomas'), await enter('nadia')]
      const page = await ask(thomas, 'thomas', 'cle_acces')
      const signature = newAuthenticator(PUBLIC_URL).create(optionsOf(page.html))
      const given = await code('nadia')
      await Promise.all([
        thomas.post(page.url, { signature }),
        nadia.post(`/structure/aidants/${world.aidants.thomas}/facteur`, { code: given }),
      ])
      expect(await factors('thomas')).toHaveLength(0)
      expect(await world.sql`select 1 from code_secours where aidant_id = ${world.aidants.thomas}`).toHaveLength(0)
    }
  })
})
