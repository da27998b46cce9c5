import { sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AIDANTS, type AidantKey, codeOf } from '../../src/demo/people.ts'
import { androidKey } from '../support/attestation.ts'
import { type Authenticator, type Cbor, type Lie, newAuthenticator, optionsOf } from '../support/authenticator.ts'
import { type Browser, newWorld, type Page, PUBLIC_URL, type World } from '../support/world.ts'

/*
 * An authenticator of the attacker's own, which signs whatever it likes, and what is sent while something else is under way. What only asks for
 * the ordinary lies (origin, challenge, counter…) is in integration/moyens.test.ts.
 */

const MOYENS = '/mes-moyens-de-connexion'
let world: World
let day = 0
let now: Date
beforeAll(async () => {
  world = await newWorld()
})
afterAll(() => world.close())
beforeEach(async () => {
  now = new Date(Date.UTC(2026, 2, 2 + day++, 9, 2, 5))
  await world.database.freeze(now)
  for (const table of ['defi', 'facteur', 'code_secours', 'message', 'session', 'limite'])
    await world.sql`delete from ${world.sql(table)}`
  for (const aidant of Object.keys(AIDANTS)) await world.freshCode(aidant as AidantKey)
})

const enter = async (aidant: AidantKey) => world.browser(await world.sessionOf(aidant))
/** The next code of her application: time goes on for it. */
const code = async (aidant: AidantKey) => {
  now = new Date(now.getTime() + 30_000)
  await world.database.freeze(now)
  return codeOf(aidant, now)
}
async function ask(browser: Browser, aidant: AidantKey): Promise<Page> {
  const asked = await browser.post(`${MOYENS}/ajouter`, { genre: 'cle_acces', nom: 'Ordinateur', code: await code(aidant) })
  return browser.get(asked.location!)
}
async function paired(browser: Browser, aidant: AidantKey): Promise<Authenticator> {
  const page = await ask(browser, aidant)
  const cle = newAuthenticator(PUBLIC_URL)
  expect((await browser.post(page.url, { signature: cle.create(optionsOf(page.html)) })).status).toBe(200)
  return cle
}
const door = async (browser = world.browser()) => ({
  browser,
  options: optionsOf((await browser.post('/connexion/cle', {})).html),
})

const AILLEURS = 'https://ailleurs.example'
const DEEP = Buffer.alloc(2000, 0x81)
const cose = (...members: [number, Cbor][]) => new Map<number, Cbor>(members)

describe('se connecter : ce que signe un authentificateur qui ment', () => {
  it.each<[string, Lie, entre: boolean]>([
    ['rien de faux', {}, true],
    ['une clé de plusieurs appareils, sauvegardée', { flags: 0x1d }, true],
    ['le plus grand compteur', { counter: 0xffffffff }, true],
    ['ce qui se signe pour créer une clé', { client: { type: 'webauthn.create' } }, false],
    ['rien de dit', { client: { type: undefined } }, false],
    ['dans le cadre d’un autre site', { client: { crossOrigin: true } }, false],
    ['dans un cadre, et de qui', { client: { crossOrigin: true, topOrigin: AILLEURS } }, false],
    ['de qui, sans cadre', { client: { topOrigin: AILLEURS } }, false],
    ['notre origine parmi d’autres', { client: { origin: [PUBLIC_URL, AILLEURS] } }, false],
    ['notre origine et un rien', { origin: `${PUBLIC_URL}/` }, false],
    ['reconnue, mais absente', { flags: 0x04 }, false],
    ['présente, mais pas reconnue', { flags: 0x01 }, false],
    ['sauvegardée sans pouvoir l’être', { flags: 0x15 }, false],
    ['une clé annoncée, absente', { flags: 0x45 }, false],
    ['des extensions annoncées, absentes', { flags: 0x85 }, false],
    ['des extensions sans fond', { flags: 0x85, rest: DEEP }, false],
    ['un octet de trop', { rest: Buffer.alloc(1) }, false],
  ])('%s : %s', async (_, lie, entre) => {
    const cle = await paired(await enter('thomas'), 'thomas')
    const { browser, options } = await door()
    const answer = await browser.post('/connexion/cle', { signature: cle.sign(options, lie) })
    expect([answer.status, browser.cookies.has('session')]).toEqual([entre ? 303 : 409, entre])
  })

  it('une aidante que plus aucune structure n’habilite n’entre ni par sa clé, ni par le code reçu avant', async () => {
    const cle = await paired(await enter('thomas'), 'thomas')
    const byCode = world.browser()
    const received = await codeReceived(byCode, 'thomas')
    await world.sql`update habilitation set ended_at = horloge() where aidant_id = ${world.aidants.thomas}`
    const byCle = await door()
    const answers = [
      await byCle.browser.post('/connexion/cle', { signature: cle.sign(byCle.options) }),
      await byCode.post('/connexion/code', { code: received }),
    ]
    await world.sql`update habilitation set ended_at = null where aidant_id = ${world.aidants.thomas}`
    expect(answers.map(({ status }) => status)).toEqual([409, 409])
  })
})

describe('un défi ne sert qu’à ce pour quoi il fut tiré', () => {
  it('ni celui de la porte pour confirmer, ni l’inverse, ni celui d’un ajout, ni la clé d’une autre', async () => {
    const [thomas, nadia] = [await enter('thomas'), await enter('nadia')]
    const [cle, hers] = [await paired(thomas, 'thomas'), await paired(nadia, 'nadia')]
    const confirming = async () => optionsOf((await thomas.post(`${MOYENS}/codes`, {})).html)
    const confirm = async (signature: string) => {
      await world.sql`delete from limite`
      return (await thomas.post(`${MOYENS}/codes`, { signature })).status
    }
    expect(await confirm(cle.sign((await door(thomas)).options))).toBe(409)
    const stranger = await door()
    const taken = { signature: cle.sign(await confirming()) }
    expect((await stranger.browser.post('/connexion/cle', taken)).status).toBe(409)
    const addition = { ...optionsOf((await ask(thomas, 'thomas')).html), rpId: 'localhost' }
    expect(await confirm(cle.sign(addition))).toBe(409)
    await door(thomas)
    expect((await thomas.post('/connexion/cle', { signature: cle.sign(addition) })).status).toBe(409)
    expect(await confirm(hers.sign(await confirming()))).toBe(409)
    expect(await confirm(cle.sign(await confirming()))).toBe(200)
  })

  it('un navigateur qui se donne le nom d’une session et de ce qu’elle confirme n’y change rien', async () => {
    const thomas = await enter('thomas')
    await paired(thomas, 'thomas')
    const [session] = await world.sql<{ id: string }[]>`select id from session where ended_at is null`
    const named = JSON.stringify([session!.id, JSON.stringify([`${MOYENS}/codes`, []])])
    expect((await world.post('/connexion/cle', {}, `navigateur=${encodeURIComponent(named)}`)).status).toBe(200)
    expect((await thomas.post(`${MOYENS}/codes`, {})).status).toBe(403)
  })
})

/** Self attestation (WebAuthn level 3, §8.2), which a browser leaves as it is when none was asked for. */
const ownWord: NonNullable<Lie['attestation']> = ({ authData, clientHash, keys }) => {
  const sig = sign('sha256', Buffer.concat([authData, clientHash]), keys.privateKey)
  return [
    'packed',
    new Map<string, Cbor>([
      ['alg', -7],
      ['sig', sig],
    ]),
  ]
}

describe('ajouter une clé d’accès : ce qu’elle dit d’elle-même', () => {
  it.each<[string, Lie, ajoutee: boolean]>([
    ['rien de faux', {}, true],
    ['attestée par elle-même, sans certificat', { attestation: ownWord }, true],
    ['ce qui se signe pour entrer', { client: { type: 'webauthn.get' } }, false],
    ['dans le cadre d’un autre site', { client: { crossOrigin: true } }, false],
    ['de qui, sans cadre', { client: { topOrigin: AILLEURS } }, false],
    ['reconnue, mais absente', { flags: 0x44 }, false],
    ['sauvegardée sans pouvoir l’être', { flags: 0x55 }, false],
    ['sans clé', { flags: 0x05 }, false],
    ['une clé d’aucun algorithme', { key: cose([1, 2], [3, 0], [-1, 1]) }, false],
    ['un secret partagé (HS256)', { key: cose([1, 4], [3, 5], [-1, Buffer.alloc(32, 7)]) }, false],
    ['PS256', { key: cose([1, 3], [3, -37], [-1, Buffer.alloc(256, 7)], [-2, Buffer.from([1, 0, 1])]) }, false],
    ['une clé sans fond', { key: DEEP }, false],
    ['une attestation inconnue', { attestation: () => ['inconnue', new Map()] }, false],
    ['aucune attestation, mais quelque chose', { attestation: () => ['none', new Map([['x', 1]])] }, false],
    ['une attestation de puce', { attestation: () => ['tpm', new Map()] }, false],
    ['des certificats', { attestation: () => ['packed', new Map<string, Cbor>([['x5c', [Buffer.alloc(9)]]])] }, false],
  ])('%s : %s', async (_, lie, ajoutee) => {
    const thomas = await enter('thomas')
    const page = await ask(thomas, 'thomas')
    const answer = await thomas.post(page.url, { signature: newAuthenticator(PUBLIC_URL).create(optionsOf(page.html), lie) })
    expect(answer.status).toBe(ajoutee ? 200 : 409)
  })

  it('le service n’appelle jamais l’adresse qu’un certificat lui donne', async () => {
    const asked: string[] = []
    const inside = createServer(({ url }, answer) => {
      asked.push(url!)
      answer.end()
    })
    await new Promise<void>((listening) => inside.listen(0, '127.0.0.1', listening))
    try {
      const thomas = await enter('thomas')
      const page = await ask(thomas, 'thomas')
      const attestation = androidKey(`http://127.0.0.1:${(inside.address() as AddressInfo).port}/interne`)
      const signature = newAuthenticator(PUBLIC_URL).create(optionsOf(page.html), { attestation })
      expect([(await thomas.post(page.url, { signature })).status, asked]).toEqual([409, []])
    } finally {
      inside.close()
    }
  })
})

async function codeReceived(browser: Browser, aidant: AidantKey): Promise<string> {
  await browser.post('/connexion', { email: AIDANTS[aidant].email, code: await code(aidant) })
  const [mail] = await world.sql<{ corps: string }[]>`select corps from message where cle like 'connexion:%'`
  return /: (\d{3} \d{3})\n/.exec(mail!.corps)![1]!
}

describe('ce qui ouvre une session au même instant ne survit pas à ce qui les ferme toutes', () => {
  const LOCK = 4242
  beforeAll(() =>
    world.sql.unsafe(`
      create function attend() returns trigger language plpgsql as 'begin perform pg_advisory_xact_lock_shared(${LOCK}); return new; end';
      create trigger zz_attend after insert on session for each row execute function attend()`),
  )
  /** `act`, while what `opening` opens is written and not yet committed: until `act` waits for it, or is done. */
  const meanwhile = async (opening: () => Promise<Page>, act: () => Promise<Page>) => {
    const both = await world.sql.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock(${LOCK})`
      const until = async (holds: () => boolean, waiting: number) => {
        for (let i = 0; i < 60 && !holds(); i++) {
          const [row] = await tx`select count(*)::int as n from pg_locks where not granted`
          if (row!.n >= waiting) return
          await new Promise((done) => setTimeout(done, 5))
        }
      }
      const opened = opening()
      await until(() => false, 1)
      let done = false
      const acted = act().finally(() => {
        done = true
      })
      await until(() => done, 2)
      return { opened, acted }
    })
    return Promise.all([both.opened, both.acted])
  }

  // Of two structures, so that nothing of hers in one holds back what is done in the other.
  const openings: Record<string, (thief: Browser) => Promise<() => Promise<Page>>> = {
    'un code reçu': async (thief) => {
      const received = await codeReceived(thief, 'samira')
      return () => thief.post('/connexion/code', { code: received })
    },
    'une clé d’accès': async (thief) => {
      const cle = await paired(await enter('samira'), 'samira')
      const { options } = await door(thief)
      return () => thief.post('/connexion/cle', { signature: cle.sign(options) })
    },
    'un changement de structure': async (thief) => {
      thief.cookies.set('session', (await world.sessionOf('samira')).slice('session='.length))
      return () => thief.post('/structures', { structure: world.structures.saintDenis })
    },
  }
  const alive = async () =>
    (await world.sql`select id from session where aidant_id = ${world.aidants.samira} and ended_at is null`).length

  it.each(Object.entries(openings))('%s, et la réinitialisation', async (_, opening) => {
    const thief = world.browser()
    const open = await opening(thief)
    const nadia = await enter('nadia')
    const given = { code: await code('nadia') }
    const [, reset] = await meanwhile(open, () => nadia.post(`/structure/aidants/${world.aidants.samira}/facteur`, given))
    expect([reset.status, await alive()]).toEqual([303, 0])
  })

  it('un changement de structure, et « fermer toutes les autres »', async () => {
    const thief = world.browser()
    const open = await openings['un changement de structure']!(thief)
    const samira = await enter('samira')
    const [, closed] = await meanwhile(open, () => samira.post('/mes-connexions/autres/fermer', {}))
    expect([closed.status, await alive()]).toEqual([303, 1])
    expect((await samira.get('/mes-connexions')).status).toBe(200)
  })
})
