import { Secret, TOTP } from 'otpauth'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { addAidant } from '../../src/aidant/add.ts'
import type { Geste } from '../../src/aidant/equipe.ts'
import { listMembres } from '../../src/aidant/equipe-queries.ts'
import { forgetInvitations } from '../../src/aidant/forget.ts'
import { inviteAidant } from '../../src/aidant/invite.ts'
import { setMembre } from '../../src/aidant/set-membre.ts'
import { watchInactivity } from '../../src/aidant/watch-inactivity.ts'
import { createApp } from '../../src/app.ts'
import { type Db, openDb } from '../../src/db.ts'
import { recordDemarche } from '../../src/demarche/record.ts'
import { AIDANTS, type AidantKey, codeOf, totpSecretOf } from '../../src/demo/people.ts'
import { signMandat } from '../../src/mandat/sign.ts'
import { forgetMessages } from '../../src/notification/forget.ts'
import { expectValidHtml } from '../support/html.ts'
import { watched } from '../support/statements.ts'
import { type Browser, newWorld, ok, PUBLIC_URL, uneDemarche, type World } from '../support/world.ts'

const DAY = 24 * 3600_000
const EQUIPE = '/structure/aidants'

let world: World
let day = 0
beforeAll(async () => {
  world = await newWorld({ simulator: true })
})
afterAll(() => world.close())
/** Each test finds the team as it was, on a day of its own: what another did later is still to come. */
beforeEach(async () => {
  await world.database.freeze(new Date(Date.UTC(2027, 0, 4 + 500 * day++, 9, 2, 5)))
  const { sql } = world
  await sql`delete from message`
  await sql`delete from invitation`
  await sql`delete from limite`
  await sql`update habilitation set ended_at = null, alerte_at = null, ouverte_at = horloge(),
    referent = aidant_id in (${world.aidants.nadia}, ${world.aidants.jocelyne})`
  await sql`update aidant set suspended_at = null`
})

const as = async (who: AidantKey, structure?: 'figeac' | 'saintDenis') => world.browser(await world.sessionOf(who, structure))
const fiche = (who: AidantKey) => `${EQUIPE}/${world.aidants[who]}`
const geste = (browser: Browser, who: AidantKey, what: Geste) => browser.post(fiche(who), { geste: what })
const invite = (browser: Browser, email: string, nom = 'Vidal') =>
  browser.post('/structure/inviter', { email, prenom: 'Claire', nom })
/** The path of the link in the last message to this address. */
const lienPour = async (email: string) => {
  const [message] = await world.sql<{ corps: string }[]>`
    select corps from message where destinataire = ${email} and cle like 'invitation:%' order by created_at desc, ctid desc limit 1`
  return new URL(/http\S+\/invitation\/\S+/.exec(message!.corps)![0]).pathname
}
const lignes = async () =>
  (await world.lines()).map(({ action, acteur, acteurId, structureId, cibleAidantId, payload }) => ({
    action,
    acteur,
    acteurId,
    structureId,
    cibleAidantId,
    contenu: JSON.parse(payload!) as unknown,
  }))
const derniere = async () => (await lignes()).at(-1)
const combien = async () => (await lignes()).length
const habilitation = async (who: AidantKey, structure: 'figeac' | 'saintDenis' = 'figeac') => {
  const [row] = await world.sql<{ referent: boolean; ended: boolean }[]>`
    select referent, ended_at is not null as ended from habilitation
    where aidant_id = ${world.aidants[who]} and structure_id = ${world.structures[structure]}`
  return row!
}
/** What is typed back from the page that shows a key. */
const cleDe = (html: string) => ({
  sel: /name="sel" value="([^"]+)"/.exec(html)![1]!,
  secret: Secret.fromBase32(/<strong class="code">([^<]+)</.exec(html)![1]!.replaceAll(' ', '')),
})
const codeFor = async (html: string, later = 0) => {
  const { sel, secret } = cleDe(html)
  return { geste: 'accepter', sel, code: new TOTP({ secret }).generate({ timestamp: (await world.now()).getTime() + later }) }
}
const alone = (html: string) => expectValidHtml(html)

describe('la page de l’équipe', () => {
  it('dit de chacun son rôle, son accès et sa dernière activité dans cette structure', async () => {
    const nadia = await as('nadia')
    await geste(nadia, 'ines', 'suspendre')
    await world.sql`delete from acces where aidant_id = ${world.aidants.samira}`
    await world.sql`delete from session where aidant_id = ${world.aidants.samira}`
    await as('samira', 'saintDenis')
    await as('thomas')
    const { html } = await nadia.get(EQUIPE)
    await alone(html)
    const rows = [...html.matchAll(/<tr><th scope="row">[\s\S]*?<\/tr>/g)].map(([row]) =>
      row
        .replace(/<[^>]+>/g, ' ')
        .replace(/[\s\u00a0]+/g, ' ')
        .trim(),
    )
    const today = `Le ${new Intl.DateTimeFormat('fr-FR', { dateStyle: 'long', timeZone: 'Europe/Paris' }).format(await world.now())}`
    expect(rows).toEqual([
      expect.stringMatching(`^Nadia Belkacem nadia@figeac.demo Référent Actif ${today}$`),
      expect.stringMatching(`^Thomas Lacombe thomas@figeac.demo Aidant Actif ${today}$`),
      // What she does for the other structure is not told here.
      'Samira Roux samira@deux.demo Aidant Actif Aucune',
      expect.stringMatching(/^Inès Delmas ines@figeac.demo Aidant Suspendu depuis le .* Aucune$/),
    ])
    expect(html).toContain('3 personnes peuvent agir')
    expect(html).not.toMatch(/Hoarau|Payet/)
  })

  it('n’est qu’à qui dirige, dans sa structure, et à l’instant où elle la dirige', async () => {
    const thomas = await as('thomas')
    const [jocelyne, nadia] = [await as('jocelyne'), await as('nadia')]
    const paths = [EQUIPE, '/structure/inviter', fiche('ines'), `${fiche('ines')}/facteur`]
    for (const path of paths) expect((await thomas.get(path)).status).toBe(404)
    expect((await invite(thomas, 'x@exemple.fr')).status).toBe(404)
    expect((await geste(thomas, 'ines', 'suspendre')).status).toBe(404)
    expect((await jocelyne.get(fiche('ines'))).status).toBe(404)
    expect((await geste(jocelyne, 'ines', 'suspendre')).status).toBe(404)
    expect((await jocelyne.post(`${fiche('ines')}/facteur`, { code: await world.freshCode('jocelyne') })).status).toBe(404)
    expect((await habilitation('ines')).ended).toBe(false)
    expect((await nadia.get(fiche('ines'))).status).toBe(200)
    // Withdrawn a moment ago, her open page does nothing more.
    ok(await setMembre(world.db, world.asReferent('nadia'), { aidantId: world.aidants.thomas, geste: 'designer' }))
    ok(await setMembre(world.db, world.asReferent('thomas'), { aidantId: world.aidants.nadia, geste: 'retirer' }))
    expect((await geste(nadia, 'ines', 'suspendre')).status).toBe(404)
    // Nor does the use case, whatever the session said, nor the database without row filters of ours.
    const word = { aidantId: world.aidants.ines, geste: 'suspendre' } as const
    expect(await setMembre(world.db, world.asReferent('nadia'), word)).toEqual({ ok: false, refusal: 'introuvable' })
    const rls = openDb({ url: world.database.url, connections: 1, rlsOnly: true })
    try {
      expect(await rls.tx(world.asReferent('nadia'), (tx) => listMembres(tx))).toEqual([])
      const seen = await rls.tx(world.asReferent('thomas'), (tx) => listMembres(tx))
      expect(seen.map(({ id }) => id)).not.toContain(world.aidants.fabrice)
      expect(seen.map(({ id }) => id)).toContain(world.aidants.ines)
    } finally {
      await rls.close()
    }
  })
})

describe('inviter', () => {
  it('part à l’adresse, sert une fois : second facteur, session, conditions à accepter, ligne au nom de qui invite', async () => {
    const nadia = await as('nadia')
    const email = 'claire.vidal@figeac.demo'
    const sent = await invite(nadia, `  ${email.toUpperCase()} `)
    expect([sent.status, sent.location]).toEqual([303, `${PUBLIC_URL}${EQUIPE}?fait=invitation`])
    const page = await nadia.follow(sent)
    await alone(page.html)
    expect(page.html).toMatch(/L’invitation est partie[\s\S]*Invitations envoyées[\s\S]*Claire Vidal/)
    const lien = await lienPour(email)
    const before = await combien()

    // A scanner looks at it, as often as it likes; the HEAD of a route open to all is its GET without a body.
    const untouched = await world.digest()
    const scanned = await world.get(lien)
    await world.app.request(lien, { method: 'HEAD' })
    await alone(await scanned.text())
    expect(await world.digest()).toEqual(untouched)

    const claire = world.browser()
    const shown = await claire.post(lien, {})
    await alone(shown.html)
    expect(shown.html).toMatch(/CCAS de Figeac[\s\S]*Claire Vidal[\s\S]*claire\.vidal@figeac\.demo/)
    expect(shown.html).toContain('otpauth://totp/')
    expect(shown.html).toContain('class="qr"')
    const wrong = await claire.post(lien, { ...(await codeFor(shown.html)), code: '000000' })
    expect([wrong.status, cleDe(wrong.html)]).toEqual([409, cleDe(shown.html)])
    await alone(wrong.html)
    const short = await claire.post(lien, { ...(await codeFor(shown.html)), code: '12' })
    expect([short.status, cleDe(short.html)]).toEqual([422, cleDe(shown.html)])
    await alone(short.html)
    expect((await claire.post(lien, { geste: 'accepter', code: '123456' })).status).toBe(422)
    expect(await combien()).toBe(before)
    // The key shown is nowhere in the database before it is paired, nor in clear after.
    const { secret } = cleDe(shown.html)
    expect(await world.tablesHolding(secret.base32)).toEqual([])

    const joined = await claire.post(lien, await codeFor(shown.html))
    expect(joined.status).toBe(200)
    await alone(joined.html)
    const secours = [...joined.html.matchAll(/class="code">(\d{4} \d{4} \d{4})</g)].map(([, code]) => code!.replaceAll(' ', ''))
    expect(new Set(secours).size).toBe(10)
    for (const one of secours) expect(await world.tablesHolding(one)).toEqual([])
    const cgu = await claire.follow(await claire.get('/personnes'))
    expect(cgu.html).toContain('Conditions d’utilisation')
    await claire.post(cgu.url, { accepte: 'oui' })
    expect((await claire.get('/personnes')).status).toBe(200)
    const [claireRow] = await world.sql<{ id: string }[]>`select id from aidant where email = ${email}`
    expect(await derniere()).toEqual({
      action: 'aidant_ajoute',
      acteur: 'aidant',
      acteurId: world.aidants.nadia,
      structureId: world.structures.figeac,
      cibleAidantId: claireRow!.id,
      contenu: { referent: false },
    })
    expect(await combien()).toBe(before + 1)
    expect((await nadia.get(EQUIPE)).html).not.toContain('Invitations envoyées')
    expect((await nadia.get('/structure/journal?action=aidant_ajoute')).html).toMatch(
      /Aidant ajouté : Claire Vidal[\s\S]*?Nadia Belkacem/,
    )

    // The code paired does not open a second door, and the link is spent.
    const again = await world.browser().post(lien, await codeFor(shown.html))
    expect([again.status, again.html.includes('Ce lien ne mène plus nulle part')]).toEqual([409, true])
    await alone(again.html)
    const { code } = await codeFor(shown.html)
    await world.browser().post('/connexion', { email, code })
    expect(await world.sql`select 1 from message where cle like 'connexion:%'`).toHaveLength(0)
    await world.browser().post('/connexion', { email, code: (await codeFor(shown.html, 30_000)).code })
    expect(await world.sql`select 1 from message where cle like 'connexion:%'`).toHaveLength(1)
  })

  it('une adresse connue ailleurs ou de personne : même page, mêmes octets, mêmes requêtes, même message', async () => {
    const trace: Record<string, { statements: string[]; pages: [number, string][]; message: string }> = {}
    const cookie = await world.sessionOf('nadia')
    for (const email of [AIDANTS.fabrice.email, 'inconnue@nulle-part.demo']) {
      await world.sql`delete from message`
      await world.sql`delete from invitation`
      const statements: string[] = []
      const app = createApp({
        db: watched(world.db, statements),
        config: world.config,
        oidc: { franceconnect: world.provider },
        log: () => {},
      })
      const ask = async (method: 'GET' | 'POST', path: string, body?: string) => {
        const headers = {
          cookie,
          origin: PUBLIC_URL,
          'sec-fetch-site': 'same-origin',
          'content-type': 'application/x-www-form-urlencoded',
        }
        const answer = await app.request(path, { method, headers, ...(body !== undefined && { body }) })
        const text = `${answer.headers.get('location')}\n${await answer.text()}`
        return [answer.status, text.replaceAll(email, 'ADRESSE').replace(/[0-9a-f-]{36}/g, 'ID')] as [number, string]
      }
      const body = new URLSearchParams({ email, prenom: 'Claire', nom: 'Vidal' }).toString()
      statements.length = 0
      const pages = [await ask('POST', '/structure/inviter', body)]
      const asked = [...statements]
      const [row] = await world.sql<{ id: string }[]>`select id from invitation`
      pages.push(await ask('POST', '/structure/inviter', body), await ask('GET', EQUIPE))
      pages.push(await ask('GET', `/structure/invitations/${row!.id}`))
      pages.push(await ask('POST', `/structure/invitations/${row!.id}`, 'geste=renvoyer'))
      const messages = await world.sql<{ sujet: string; corps: string; destinataire: string }[]>`
        select sujet, corps, destinataire from message order by created_at`
      expect(messages.map(({ destinataire }) => destinataire)).toEqual([email, email])
      const message = messages.map(({ sujet, corps }) => `${sujet}\n${corps.replace(/invitation\/\S+/, 'LIEN')}`).join()
      trace[email] = { statements: asked, pages, message }
    }
    const [known, unknown] = Object.values(trace)
    expect(known).toEqual(unknown)
    expect(known!.pages.map(([status]) => status)).toEqual([303, 409, 200, 200, 303])
    expect(known!.statements.length).toBeGreaterThan(3)
  })

  it('qui a déjà un compte rejoint aussi cette structure, et garde son second facteur', async () => {
    await invite(await as('nadia'), AIDANTS.fabrice.email)
    const lien = await lienPour(AIDANTS.fabrice.email)
    const browser = world.browser()
    const shown = await browser.post(lien, {})
    await alone(shown.html)
    expect(shown.html).not.toContain('otpauth')
    const facteurs = () => world.sql`select id, secret from facteur where aidant_id = ${world.aidants.fabrice} order by id`
    const before = await facteurs()
    // A key of her own making pairs nothing.
    const joined = await browser.post(lien, { geste: 'accepter', sel: 'a', code: '123456' })
    expect([joined.status, joined.headers.getSetCookie()]).toEqual([200, []])
    await alone(joined.html)
    expect(await facteurs()).toEqual(before)
    expect(await habilitation('fabrice')).toEqual({ referent: false, ended: false })
    expect((await derniere())!.cibleAidantId).toBe(world.aidants.fabrice)
    const [row] = await world.sql`select prenom from aidant where id = ${world.aidants.fabrice}`
    expect(row!.prenom).toBe('Fabrice')
    await world.sql`delete from session where aidant_id = ${world.aidants.fabrice}`
    await world.sql`delete from acces where aidant_id = ${world.aidants.fabrice} and structure_id = ${world.structures.figeac}`
    await world.sql`delete from invitation`
    await world.sql`delete from habilitation where aidant_id = ${world.aidants.fabrice} and structure_id = ${world.structures.figeac}`
  })

  it('n’invite ni qui est déjà là, ni deux fois', async () => {
    const nadia = await as('nadia')
    for (const who of ['thomas', 'nadia'] as const) {
      const refused = await invite(nadia, AIDANTS[who].email)
      expect([refused.status, refused.html.includes('d’une personne de votre équipe')]).toEqual([409, true])
      await alone(refused.html)
    }
    await invite(nadia, 'claire@exemple.fr')
    const twice = await invite(nadia, 'Claire@exemple.fr')
    expect([twice.status, twice.html.includes('déjà invitée')]).toEqual([409, true])
    const empty = await nadia.post('/structure/inviter', {})
    expect(empty.status).toBe(422)
    await alone(empty.html)
    expect(await world.sql`select 1 from message`).toHaveLength(1)
  })

  it('s’arrête à vingt par heure', async () => {
    const nadia = await as('nadia')
    for (let n = 0; n < 20; n++) expect((await invite(nadia, `n${n}@exemple.fr`)).status).toBe(303)
    expect((await invite(nadia, 'n20@exemple.fr')).status).toBe(429)
    expect((await invite(await as('jocelyne'), 'n20@exemple.fr')).status).toBe(303)
  })
})

describe('le lien d’une invitation', () => {
  it('n’ouvre rien là où ProConnect seul laisse entrer', async () => {
    await invite(await as('nadia'), 'ailleurs@exemple.fr')
    const lien = await lienPour('ailleurs@exemple.fr')
    const oidc = { franceconnect: world.provider }
    const app = createApp({ db: world.db, config: { ...world.config, connexionLocale: false }, oidc, log: () => {} })
    const post = (body: Record<string, string>) =>
      app.request(lien, {
        method: 'POST',
        headers: { origin: PUBLIC_URL, 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(body),
      })
    const joined = await post(await codeFor(await (await post({})).text()))
    const html = await joined.text()
    await expectValidHtml(html)
    expect([joined.status, joined.headers.get('set-cookie'), html.includes('avec ProConnect')]).toEqual([200, null, true])
    const [row] = await world.sql`
      select count(*)::int as n from session s join aidant a on a.id = s.aidant_id where a.email = 'ailleurs@exemple.fr'`
    expect(row!.n).toBe(0)
    expect(await derniere()).toMatchObject({ action: 'aidant_ajoute' })
  })

  const refused = async (lien: string) => {
    for (const fields of [{}, { geste: 'accepter', sel: 'abc', code: '123456' }]) {
      const answer = await world.browser().post(lien, fields)
      expect([answer.status, answer.html.includes('Ce lien ne mène plus nulle part')]).toEqual([409, true])
    }
  }
  const opens = async (lien: string) => expect((await world.browser().post(lien, {})).status).toBe(200)
  const email = 'claire@exemple.fr'
  const page = async () => {
    const [row] = await world.sql<{ id: string }[]>`select id from invitation`
    return `/structure/invitations/${row!.id}`
  }

  it('sert sept jours, pas un instant de plus', async () => {
    await invite(await as('nadia'), email)
    const lien = await lienPour(email)
    await world.database.travel({ ms: 7 * DAY - 1000 })
    await opens(lien)
    await world.database.travel({ ms: 1000 })
    await refused(lien)
    const { html } = await (await as('nadia')).get(EQUIPE)
    expect(html).toContain('N’est plus valable : à renvoyer')
  })

  it('ferme la session que ce navigateur avait, et donne un autre jeton', async () => {
    await invite(await as('nadia'), 'neuve@figeac.demo')
    const lien = await lienPour('neuve@figeac.demo')
    // A colleague left hers open on this computer.
    const browser = await as('thomas')
    const former = browser.cookies.get('session')!
    const { html } = await browser.post(lien, {})
    expect((await browser.post(lien, await codeFor(html))).status).toBe(200)
    expect(browser.cookies.get('session')).not.toBe(former)
    // Hers leaves its trace, as her coming did.
    const [left] =
      await world.sql`select a.email from acces c join aidant a on a.id = c.aidant_id where c.genre = 'deconnexion' order by c.id desc limit 1`
    expect(left).toEqual({ email: 'thomas@figeac.demo' })
    expect((await world.get('/personnes', `session=${former}`)).headers.get('location')).toContain('/connexion')
  })

  it('renvoyé, l’ancien ne mène plus nulle part ; annulé, aucun', async () => {
    const nadia = await as('nadia')
    await invite(nadia, email)
    const first = await lienPour(email)
    await world.database.travel({ ms: 8 * DAY })
    const again = await as('nadia')
    await alone((await again.get(await page())).html)
    expect((await again.post(await page(), { geste: 'rien' })).status).toBe(422)
    expect((await again.post(await page(), { geste: 'renvoyer' })).status).toBe(303)
    const second = await lienPour(email)
    expect(second).not.toBe(first)
    await refused(first)
    await opens(second)
    const address = await page()
    expect((await again.post(address, { geste: 'annuler' })).status).toBe(303)
    await refused(second)
    expect((await again.get(address)).status).toBe(404)
    expect((await again.post(address, { geste: 'renvoyer' })).status).toBe(404)
    expect((await again.get(EQUIPE)).html).not.toContain(email)
    // Free again.
    expect((await invite(again, email)).status).toBe(303)
  })

  it('n’est ni celui d’une autre structure, ni inventé, ni de qui ne dirige plus', async () => {
    await invite(await as('nadia'), email)
    const jocelyne = await as('jocelyne')
    expect((await jocelyne.get(await page())).status).toBe(404)
    for (const what of ['renvoyer', 'annuler']) expect((await jocelyne.post(await page(), { geste: what })).status).toBe(404)
    expect((await jocelyne.get(EQUIPE)).html).not.toContain(email)
    await refused('/invitation/inconnu')
    const lien = await lienPour(email)
    await opens(lien)
    await world.sql`update habilitation set referent = false where aidant_id = ${world.aidants.nadia}`
    await refused(lien)
    await world.sql`update habilitation set referent = true where aidant_id = ${world.aidants.nadia}`
    await world.sql`update structure set suspended_at = horloge() where id = ${world.structures.figeac}`
    await refused(lien)
    await world.sql`update structure set suspended_at = null`
    await opens(lien)
  })

  it('deux fois au même instant : une habilitation, un facteur, une ligne', async () => {
    for (let round = 0; round < 5; round++) {
      const who = `double${round}@exemple.fr`
      await invite(await as('nadia'), who)
      const lien = await lienPour(who)
      const browsers = [world.browser(), world.browser()]
      const forms = await Promise.all(browsers.map(async (one) => codeFor((await one.post(lien, {})).html)))
      const before = await combien()
      const answers = await Promise.all(browsers.map((one, n) => one.post(lien, forms[n]!)))
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
      expect(await world.sql`select 1 from facteur f join aidant a on a.id = f.aidant_id where a.email = ${who}`).toHaveLength(1)
      expect(await combien()).toBe(before + 1)
    }
  })

  it('deux structures invitent la même inconnue : le second lien n’ajoute pas de second facteur', async () => {
    const who = 'deux@exemple.fr'
    await invite(await as('nadia'), who)
    const [here] = [await lienPour(who)]
    await invite(await as('jocelyne'), who)
    const there = await lienPour(who)
    const [first, second] = [world.browser(), world.browser()]
    const forms = [await codeFor((await first.post(here, {})).html), await codeFor((await second.post(there, {})).html)]
    expect((await first.post(here, forms[0]!)).html).toContain('Vos codes de secours')
    // Shown a key when she was nobody, she is somebody now.
    expect((await second.post(there, forms[1]!)).status).toBe(200)
    expect(await world.sql`select 1 from facteur f join aidant a on a.id = f.aidant_id where a.email = ${who}`).toHaveLength(1)
    expect(
      await world.sql`select 1 from habilitation h join aidant a on a.id = h.aidant_id where a.email = ${who} and ended_at is null`,
    ).toHaveLength(2)
  })

  it('la base le tient seule : rien sans lien ouvert, ni sans sa ligne, ni au nom d’une autre', async () => {
    await invite(await as('nadia'), email)
    const jeton = (await world.sql<{ jeton: Buffer }[]>`select jeton from invitation`)[0]!.jeton
    const accept = (db: Db, who: Parameters<Db['tx']>[0], secret: Buffer | null = Buffer.from('x')) =>
      db.tx(who, (tx) => tx.sql`select accepter_invitation(${jeton}, ${secret}, 1)`)
    await expect(accept(world.db, { kind: 'portier' })).rejects.toThrow('an aidant joins with her line')
    await expect(accept(world.db, world.asReferent('nadia'))).rejects.toThrow('not open')
    await expect(accept(world.db, { kind: 'portier' }, null)).rejects.toThrow('a factor is set with an account')
    // A factor never comes to an account that has one.
    await world.sql`update invitation set email = ${AIDANTS.fabrice.email}`
    await expect(accept(world.db, { kind: 'portier' })).rejects.toThrow('a factor is set with an account')
    await world.sql`update invitation set email = ${email}`
    await world.sql`update invitation set cancelled_at = horloge()`
    await expect(accept(world.db, { kind: 'portier' })).rejects.toThrow('not open')
    await expect(world.sql`update invitation set cancelled_at = null`).rejects.toThrow('is over')
    // In a référent's name, only while her invitation is taken up.
    const write = (tx: Parameters<Parameters<Db['tx']>[1]>[0]) => tx.sql`
      insert into journal (action, acteur, acteur_id, structure_id, cible_aidant_id, commitment)
      values ('aidant_ajoute', 'aidant', ${world.aidants.nadia}, ${world.structures.figeac}, ${world.aidants.fabrice}, ${Buffer.alloc(32)})`
    await expect(world.db.tx({ kind: 'portier' }, write)).rejects.toThrow('row-level security')
    for (const change of [
      `update habilitation set referent = true`,
      `insert into aidant (email, prenom, nom) values ('a@b.fr', 'A', 'B')`,
      `update invitation set used_at = horloge()`,
      `insert into facteur (aidant_id, genre, secret) values ('${world.aidants.thomas}', 'totp', 'x')`,
    ])
      for (const who of [{ kind: 'portier' }, world.asReferent('nadia')] as const)
        await expect(world.db.tx(who, (tx) => tx.sql(texte(change)))).rejects.toThrow('permission denied')
  })

  it('s’oublie : le message dans l’heure, l’invitation un mois après sa fin', async () => {
    await invite(await as('nadia'), email)
    await world.sql`update message set sent_at = horloge()`
    const forget = async () => {
      await world.db.tx({ kind: 'worker' }, forgetMessages)
      await world.db.tx({ kind: 'worker' }, forgetInvitations)
    }
    await world.database.travel({ ms: 2 * 3600_000 })
    await forget()
    expect(await world.sql`select 1 from message`).toHaveLength(0)
    expect(await world.tablesHolding(email)).toEqual(['invitation'])
    await world.database.travel({ ms: 37 * DAY })
    await forget()
    expect(await world.tablesHolding(email)).toEqual([])
  })
})

describe('suspendre, rétablir, nommer', () => {
  it('demande encore une fois, en disant ce qui suit, avant de changer quoi que ce soit', async () => {
    const nadia = await as('nadia')
    const before = await combien()
    const hers = `${EQUIPE}/${world.aidants.thomas}`
    const { html } = await nadia.get(hers)
    expect(html).not.toMatch(/<button[^>]*>(<svg[\s\S]*?<\/svg>)?<span>(Suspendre|Nommer)/)
    for (const [geste, effet] of [
      ['suspendre', 'Tout s’arrête aussitôt dans cette structure'],
      ['designer', 'gérera l’équipe comme vous'],
    ]) {
      expect(html).toContain(`href="${hers}?geste=${geste}"`)
      const asked = await nadia.get(`${hers}?geste=${geste}`)
      expect(asked.html).toContain('Thomas Lacombe ?')
      expect(asked.html).toContain(effet)
      expect(asked.html).toContain(`name="geste" value="${geste}"`)
      await alone(asked.html)
    }
    // Not what may be done to him: his page, as it is.
    expect((await nadia.get(`${hers}?geste=retablir`)).html).toBe(html)
    expect(await combien()).toEqual(before)
  })

  it('chaque geste a sa ligne, se voit au journal, et ne se fait pas deux fois', async () => {
    const nadia = await as('nadia')
    const cas: [Geste, string, unknown, { referent: boolean; ended: boolean }, string][] = [
      ['designer', 'structure_modifiee', { equipe: 'referent_designe' }, { referent: true, ended: false }, 'Référent nommé'],
      ['retirer', 'structure_modifiee', { equipe: 'referent_retire' }, { referent: false, ended: false }, 'N’est plus référent'],
      ['designer', 'structure_modifiee', { equipe: 'referent_designe' }, { referent: true, ended: false }, 'Référent nommé'],
      ['suspendre', 'aidant_suspendu', { cause: 'referent' }, { referent: false, ended: true }, 'Aidant suspendu'],
      // Back, she is an aidant: nothing wider than what is said.
      ['retablir', 'aidant_retabli', {}, { referent: false, ended: false }, 'Aidant rétabli'],
    ]
    for (const [what, action, contenu, after, words] of cas) {
      const before = await combien()
      const done = await geste(nadia, 'thomas', what)
      expect([what, done.status]).toEqual([what, 303])
      const page = await nadia.follow(done)
      expect(page.html).toContain('class="alert success"')
      await alone(page.html)
      expect(await habilitation('thomas')).toEqual(after)
      expect(await derniere()).toEqual({
        action,
        acteur: 'aidant',
        acteurId: world.aidants.nadia,
        structureId: world.structures.figeac,
        cibleAidantId: world.aidants.thomas,
        contenu,
      })
      const again = await geste(nadia, 'thomas', what)
      expect([again.status, await combien()]).toEqual([409, before + 1])
      await alone(again.html)
      expect((await nadia.get('/structure/journal')).html).toContain(`${words} : Thomas Lacombe`)
    }
    expect((await nadia.post(fiche('thomas'), { geste: 'effacer' })).status).toBe(422)
  })

  it('seulement dans cette structure : l’autre n’en voit rien', async () => {
    await geste(await as('nadia'), 'samira', 'suspendre')
    expect(await habilitation('samira', 'saintDenis')).toEqual({ referent: false, ended: false })
    expect((await (await as('samira', 'saintDenis')).get('/personnes')).status).toBe(200)
    const { html } = await (await as('jocelyne')).get(fiche('samira'))
    expect(html).toMatch(/Accès<\/dt><dd>Actif/)
  })

  it('suspendue, plus rien ne répond : sessions, formulaires ouverts, aller-retour FranceConnect, mandat à moitié fait, signature', async () => {
    const told = await world.signMandat({ aidant: 'ines', persona: 'josiane', suivi: 'papier' })
    const ines = await as('ines')
    const begun = await ines.post('/mandats/nouveau', { protegee: 'non', thematiques: ['logement'], duree: 'mois' })
    const there = await ines.post(begun.location!, {})
    const back = await ines.atFranceConnect(there, 'odette')
    const brouillonId = await world.draft({ aidant: 'ines', persona: 'marcel' })
    const nadia = await as('nadia')
    expect((await geste(nadia, 'ines', 'suspendre')).status).toBe(303)

    const returned = await ines.get(back.location!)
    expect([returned.status, returned.html.includes('Odette')]).toEqual([409, false])
    for (const path of ['/personnes', `/mandats/${told.id}`, `/mandats/brouillons/${brouillonId}/acceptation`, '/structures'])
      expect([path, (await ines.get(path)).location]).toEqual([path, expect.stringContaining('/connexion')])
    const note = { demarche: 'autre', titre: 'Une lettre', thematique: 'logement', resultat: 'deposee' }
    expect((await ines.post(`/mandats/${told.id}/demarches/nouvelle`, note)).location).toContain('/connexion')
    expect(await world.sql`select 1 from brouillon where aidant_id = ${world.aidants.ines}`).toHaveLength(0)
    // By the use cases too, whatever a session still says.
    const code = await world.freshCode('ines')
    expect(await signMandat(world.db, world.as('ines'), { brouillonId, code }, world.signer)).toMatchObject({ ok: false })
    expect(await recordDemarche(world.db, world.as('ines'), uneDemarche(told.id))).toMatchObject({ ok: false })
    await world.browser().post('/connexion', { email: AIDANTS.ines.email, code })
    expect(await world.sql`select 1 from message where destinataire = ${AIDANTS.ines.email} and cle like 'connexion:%'`).toEqual(
      [],
    )

    expect((await geste(nadia, 'ines', 'retablir')).status).toBe(303)
    // Her sessions of before stay closed.
    expect((await ines.get('/personnes')).status).toBe(303)
    expect((await (await as('ines')).get('/personnes')).status).toBe(200)
  })

  it('un acte en cours et une suspension : l’un puis l’autre, jamais l’un dans l’autre', async () => {
    const told = await world.signMandat({ aidant: 'ines', persona: 'josiane' })
    let release = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    let begin = () => {}
    const begun = new Promise<void>((resolve) => (begin = resolve))
    const acting = world.db.tx(world.as('ines'), async (tx) => {
      await tx.sql`select aidant_actif(${world.aidants.ines}, ${world.structures.figeac})`
      begin()
      await held
      return 'fini'
    })
    await begun
    let suspended = false
    const suspending = setMembre(world.db, world.asReferent('nadia'), { aidantId: world.aidants.ines, geste: 'suspendre' }).then(
      (done) => {
        suspended = true
        return done
      },
    )
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(suspended).toBe(false)
    release()
    expect(await acting).toBe('fini')
    ok(await suspending)
    expect(await recordDemarche(world.db, world.as('ines'), uneDemarche(told.id))).toMatchObject({ ok: false })
  })

  it('la dernière qui dirige ne se suspend ni ne se retire, même en fermant l’œil', async () => {
    const nadia = await as('nadia')
    for (const what of ['suspendre', 'retirer'] as const) {
      const refused = await geste(nadia, 'nadia', what)
      expect([refused.status, refused.html.includes('Une structure garde au moins un référent')]).toEqual([409, true])
      await alone(refused.html)
      const line = `insert into journal (action, acteur, acteur_id, structure_id, cible_aidant_id, commitment) values
        ('${what === 'suspendre' ? 'aidant_suspendu' : 'structure_modifiee'}', 'aidant', '${world.aidants.nadia}', '${world.structures.figeac}', '${world.aidants.nadia}', decode(repeat('00', 32), 'hex'))`
      const bypass = world.db.tx(world.asReferent('nadia'), async (tx) => {
        await tx.sql(texte(line))
        await tx.sql`select changer_habilitation(${world.aidants.nadia}, ${world.structures.figeac}, ${what})`
      })
      await expect(bypass).rejects.toThrow('a structure keeps a référent')
    }
    const change = (who: Parameters<Db['tx']>[0], cible: AidantKey, structure: 'figeac' | 'saintDenis' = 'figeac') =>
      world.db.tx(
        who,
        (tx) => tx.sql`select changer_habilitation(${world.aidants[cible]}, ${world.structures[structure]}, 'suspendre')`,
      )
    await expect(change(world.asReferent('nadia'), 'thomas')).rejects.toThrow('with its line')
    await expect(change(world.asReferent('thomas'), 'ines')).rejects.toThrow('only a référent')
    await expect(change(world.asReferent('nadia'), 'fabrice', 'saintDenis')).rejects.toThrow('only a référent')
    await expect(change(world.as('nadia'), 'thomas')).rejects.toThrow('only a référent')
    await expect(change({ kind: 'portier' }, 'thomas')).rejects.toThrow('only a référent')

    // With another, she may leave.
    expect((await geste(nadia, 'thomas', 'designer')).status).toBe(303)
    const soi = await nadia.get(`${fiche('nadia')}?geste=retirer`)
    expect(soi.html).toContain('Vous pourrez toujours aider, sans diriger la structure.')
    expect((await geste(nadia, 'nadia', 'retirer')).location).toBe(`${PUBLIC_URL}/`)
    expect((await nadia.get(EQUIPE)).status).toBe(404)
  })

  it('deux référentes se suspendent l’une l’autre : il en reste une, dix fois sur dix', async () => {
    for (let round = 0; round < 10; round++) {
      await world.sql`update habilitation set ended_at = null, referent = true
        where structure_id = ${world.structures.figeac} and aidant_id in (${world.aidants.nadia}, ${world.aidants.thomas})`
      const what = round % 2 ? 'suspendre' : 'retirer'
      const done = await Promise.all([
        setMembre(world.db, world.asReferent('nadia'), { aidantId: world.aidants.thomas, geste: what }),
        setMembre(world.db, world.asReferent('thomas'), { aidantId: world.aidants.nadia, geste: what }),
      ])
      expect(done.filter((one) => one.ok)).toHaveLength(1)
      const left = await world.sql`
        select 1 from habilitation where structure_id = ${world.structures.figeac} and referent and ended_at is null`
      expect(left).toHaveLength(1)
    }
  })

  it('chacune se retire au même instant : il en reste une', async () => {
    for (let round = 0; round < 10; round++) {
      await world.sql`update habilitation set ended_at = null, referent = true
        where structure_id = ${world.structures.figeac} and aidant_id in (${world.aidants.nadia}, ${world.aidants.thomas})`
      const done = await Promise.all(
        (['nadia', 'thomas'] as const).map((who) =>
          setMembre(world.db, world.asReferent(who), { aidantId: world.aidants[who], geste: 'retirer' }),
        ),
      )
      expect(done.map((one) => one.ok).sort()).toEqual([false, true])
    }
  })
})

describe('réinitialiser un second facteur', () => {
  it('avec le code frais de la référente : sessions fermées, lien pour elle, mot aux autres, ligne', async () => {
    await world.sql`update habilitation set referent = true where aidant_id = ${world.aidants.ines}`
    const nadia = await as('nadia')
    const samira = [await as('samira'), await as('samira', 'saintDenis')]
    const pending = world.browser()
    await pending.post('/connexion', { email: AIDANTS.samira.email, code: await world.freshCode('samira') })
    const address = `${fiche('samira')}/facteur`
    await alone((await nadia.get(address)).html)
    const before = await combien()
    const code = await world.freshCode('nadia')
    const wrong = await nadia.post(address, { code: code === '000000' ? '111111' : '000000' })
    expect([wrong.status, await combien()]).toEqual([409, before])
    await alone(wrong.html)
    const asked = await nadia.post(address, {})
    expect([asked.status, await combien()]).toEqual([403, before])
    await alone(asked.html)

    const done = await nadia.post(address, { code })
    expect(done.location).toBe(`${PUBLIC_URL}${fiche('samira')}?fait=facteur`)
    const shown = await nadia.follow(done)
    await alone(shown.html)
    expect(shown.html).toContain('second facteur à associer')
    expect(await derniere()).toMatchObject({
      action: 'structure_modifiee',
      acteurId: world.aidants.nadia,
      cibleAidantId: world.aidants.samira,
      contenu: { equipe: 'facteur_reinitialise' },
    })
    for (const one of samira) expect((await one.get('/personnes')).location).toContain('/connexion')
    const told = await world.sql<{ destinataire: string; sujet: string }[]>`
      select destinataire, sujet from message where cle not like 'connexion:%' order by destinataire`
    expect(told.map(({ destinataire }) => destinataire)).toEqual([AIDANTS.ines.email, AIDANTS.samira.email])
    // The code is spent, and the former authenticator opens nothing, nor what it had begun.
    expect((await nadia.post(address, { code })).status).toBe(409)
    const received = await world.sql<{ corps: string }[]>`select corps from message where cle like 'connexion:%'`
    const typed = /: (\d{3} \d{3})\n/.exec(received[0]!.corps)![1]!.replace(' ', '')
    expect((await pending.post('/connexion/code', { code: typed })).status).toBe(409)
    await world.database.travel({ ms: 60_000 })
    await world.sql`delete from message where cle like 'connexion:%'`
    await world.browser().post('/connexion', { email: AIDANTS.samira.email, code: codeOf('samira', await world.now()) })
    expect(await world.sql`select 1 from message where cle like 'connexion:%'`).toEqual([])

    // The link pairs another, once, and opens her session; all who direct her structures hear of it.
    const lien = await lienPour(AIDANTS.samira.email)
    await world.sql`delete from message`
    const browser = world.browser()
    const form = await codeFor((await browser.post(lien, {})).html)
    expect((await browser.post(lien, form)).html).toContain('Vos codes de secours')
    expect((await browser.get('/personnes')).status).toBe(200)
    expect((await browser.post(lien, form)).status).toBe(409)
    const heard = await world.sql<{ destinataire: string }[]>`select destinataire from message order by destinataire`
    expect(heard.map(({ destinataire }) => destinataire)).toEqual(
      (['ines', 'jocelyne', 'nadia', 'samira'] as const).map((who) => AIDANTS[who].email),
    )
    expect(await world.sql`select 1 from facteur where aidant_id = ${world.aidants.samira} and removed_at is null`).toHaveLength(
      1,
    )
    await world.sql`delete from facteur where aidant_id = ${world.aidants.samira}`
    await world.freshCode('samira')
  })

  it('refait, le lien d’avant ne sert plus ; sur soi-même ou suspendue, introuvable ; trois codes faux, même le bon attend', async () => {
    const nadia = await as('nadia')
    const reset = async (who: AidantKey) => nadia.post(`${fiche(who)}/facteur`, { code: await world.freshCode('nadia') })
    expect((await reset('thomas')).status).toBe(303)
    const first = await lienPour(AIDANTS.thomas.email)
    await world.sql`delete from message`
    expect((await reset('thomas')).status).toBe(303)
    expect((await world.browser().post(first, {})).status).toBe(409)
    expect((await world.browser().post(await lienPour(AIDANTS.thomas.email), {})).status).toBe(200)
    expect((await reset('nadia')).status).toBe(404)
    await world.sql`update habilitation set ended_at = horloge() where aidant_id = ${world.aidants.ines}`
    expect((await reset('ines')).status).toBe(404)
    await world.sql`update habilitation set ended_at = null where aidant_id = ${world.aidants.ines}`
    const code = await world.freshCode('nadia')
    const wrong = code === '000000' ? '111111' : '000000'
    await world.sql`delete from limite`
    for (let n = 0; n < 3; n++) expect((await nadia.post(`${fiche('ines')}/facteur`, { code: wrong })).status).toBe(409)
    expect((await nadia.post(`${fiche('ines')}/facteur`, { code })).status).toBe(429)
    await world.freshCode('thomas')
  })

  it('la base le tient seule', async () => {
    const take = (who: Parameters<Db['tx']>[0], cible: AidantKey) =>
      world.db.tx(who, (tx) => tx.sql`select retirer_facteur(${world.aidants[cible]})`)
    await expect(take(world.asReferent('nadia'), 'thomas')).rejects.toThrow('with its line')
    for (const [who, cible] of [
      [world.asReferent('nadia'), 'fabrice'],
      [world.asReferent('nadia'), 'nadia'],
      [world.asReferent('thomas'), 'ines'],
      [world.as('nadia'), 'thomas'],
      [{ kind: 'portier' }, 'thomas'],
    ] as const)
      await expect(take(who, cible)).rejects.toThrow('only a référent')
  })
})

describe('l’inactivité', () => {
  const log = () => {
    throw new Error('a job failed')
  }
  const watch = () => watchInactivity(world.db, log)
  const messages = async () =>
    (
      await world.sql<{ destinataire: string; sujet: string }[]>`select destinataire, sujet from message order by destinataire`
    ).map(({ destinataire, sujet }) => `${destinataire} : ${sujet}`)
  const clean = async () => {
    await world.sql`delete from session`
    await world.sql`delete from message`
  }
  /** Everyone was there today, but these. */
  const presents = async (...absents: AidantKey[]) => {
    await clean()
    await world.sql`
      insert into acces (genre, aidant_id, structure_id)
      select 'connexion', aidant_id, structure_id from habilitation
      where not (aidant_id = any (${absents.map((who) => world.aidants[who])}::uuid[]))`
  }
  const AVERTIE = 'Votre accès à Trait d’union ne sert plus'
  const SUSPENDUE = 'Votre accès à Trait d’union est suspendu'

  it('à 90 jours un mot, une fois ; à 180 la suspension, une fois, avec sa ligne ; la référente rétablit', async () => {
    await presents()
    await world.database.travel({ ms: 90 * DAY - 1000 })
    await presents('thomas')
    expect(await watch()).toBe(0)
    await world.database.travel({ ms: 1000 })
    expect(await watch()).toBe(1)
    expect(await messages()).toEqual([`${AIDANTS.thomas.email} : ${AVERTIE}`])
    const warned = await (await as('nadia')).get(fiche('thomas'))
    expect(warned.html).toContain('(rien depuis 90 jours)')
    const first = async (who: 'nadia' | 'ines', search = '') =>
      (await (await world.get(`/personnes${search}`, await world.sessionOf(who))).text()).match(
        /href="\/structure\/aidants">\d[^<]*/,
      )?.[0]
    expect(await first('nadia')).toMatch(/aidants? n’/)
    expect([await first('nadia', '?q=x'), await first('ines')]).toEqual([undefined, undefined])
    for (let n = 0; n < 3; n++) expect(await watch()).toBe(0)
    await world.database.travel({ ms: 60 * DAY })
    await presents('thomas')
    expect([await watch(), await messages()]).toEqual([0, []])
    await world.database.travel({ ms: 30 * DAY - 1000 })
    expect(await watch()).toBe(0)
    const before = await combien()
    await world.database.travel({ ms: 1000 })
    expect((await Promise.all([watch(), watch()])).reduce((a, b) => a + b)).toBe(1)
    expect(await watch()).toBe(0)
    expect(await messages()).toEqual([`${AIDANTS.thomas.email} : ${SUSPENDUE}`])
    expect(await combien()).toBe(before + 1)
    expect(await derniere()).toEqual({
      action: 'aidant_suspendu',
      acteur: 'systeme',
      acteurId: null,
      structureId: world.structures.figeac,
      cibleAidantId: world.aidants.thomas,
      contenu: { cause: 'inactivite' },
    })
    const nadia = await as('nadia')
    expect((await nadia.get('/structure/journal')).html).toMatch(/Aidant suspendu : Thomas Lacombe[\s\S]*?Le service/)
    expect((await geste(nadia, 'thomas', 'retablir')).status).toBe(303)
    // Back today: counted from today.
    await clean()
    expect(await watch()).toBe(0)
    await world.database.travel({ ms: 91 * DAY })
    await presents('thomas')
    expect([await watch(), await messages()]).toEqual([1, [`${AIDANTS.thomas.email} : ${AVERTIE}`]])
  })

  it('personne n’est suspendu sans avoir été averti un mois avant, même quand le service s’était tu', async () => {
    await presents()
    await world.database.travel({ ms: 200 * DAY })
    await presents('thomas')
    expect([await watch(), await messages()]).toEqual([1, [`${AIDANTS.thomas.email} : ${AVERTIE}`]])
    await world.database.travel({ ms: 30 * DAY - 1000 })
    await presents('thomas')
    expect([await watch(), (await habilitation('thomas')).ended]).toEqual([0, false])
    await world.database.travel({ ms: 1000 })
    expect([await watch(), (await habilitation('thomas')).ended]).toEqual([1, true])
  })

  it('dans chaque structure à part, et d’une seule activité, quelle qu’elle soit', async () => {
    await presents()
    await world.database.travel({ ms: 100 * DAY })
    await presents('samira', 'thomas')
    // She works for the other structure; he has written a line here.
    await world.sql`insert into acces (genre, aidant_id, structure_id) values ('connexion', ${world.aidants.samira}, ${world.structures.saintDenis})`
    await world.signMandat({ aidant: 'thomas', persona: 'camille' })
    await world.sql`delete from message`
    expect([await watch(), await messages()]).toEqual([1, [`${AIDANTS.samira.email} : ${AVERTIE}`]])
    await world.database.travel({ ms: 85 * DAY })
    await presents('samira')
    await world.sql`insert into acces (genre, aidant_id, structure_id) values ('connexion', ${world.aidants.samira}, ${world.structures.saintDenis})`
    expect(await watch()).toBe(1)
    expect([await habilitation('samira'), await habilitation('samira', 'saintDenis')]).toEqual([
      { referent: false, ended: true },
      { referent: false, ended: false },
    ])
  })

  it('la dernière qui dirige est avertie et reste ; de deux absentes, une seule reste', async () => {
    await presents()
    await world.database.travel({ ms: 200 * DAY })
    await presents('nadia')
    expect([await watch(), await messages()]).toEqual([1, [`${AIDANTS.nadia.email} : ${AVERTIE}`]])
    expect(await habilitation('nadia')).toEqual({ referent: true, ended: false })
    await world.sql`update habilitation set referent = true where aidant_id = ${world.aidants.ines}`
    await world.database.travel({ ms: 200 * DAY })
    await presents('nadia', 'ines')
    await watch()
    const left =
      await world.sql`select 1 from habilitation where structure_id = ${world.structures.figeac} and referent and ended_at is null`
    expect(left).toHaveLength(1)
  })

  it('vaut aussi pour qui n’est jamais venue (48), et pas pour une structure fermée', async () => {
    const operator = openDb({ url: world.database.operatorUrl, connections: 1 })
    const factor = { totpSecret: totpSecretOf('thomas'), secretsKey: world.config.secretsKey }
    await operator.tx({ kind: 'operator' }, (tx) =>
      addAidant(
        tx,
        { email: 'jamais@exemple.fr', prenom: 'Jamais', nom: 'Venue' },
        { structureId: world.structures.saintDenis, referent: false },
        factor,
      ),
    )
    await operator.close()
    await world.database.travel({ ms: 90 * DAY })
    await presents()
    await world.sql`delete from acces where aidant_id = (select id from aidant where email = 'jamais@exemple.fr')`
    await world.sql`update structure set suspended_at = horloge()`
    expect(await watch()).toBe(0)
    await world.sql`update structure set suspended_at = null`
    expect([await watch(), await messages()]).toEqual([1, [`jamais@exemple.fr : ${AVERTIE}`]])
  })

  it('il n’y a que le service qui avertisse', async () => {
    const tell = (who: Parameters<Db['tx']>[0]) =>
      world.db.tx(
        who,
        async (tx) =>
          (
            await tx.sql<
              { first: boolean }[]
            >`select alerter_inactivite(${world.aidants.thomas}, ${world.structures.figeac}) as first`
          )[0]!.first,
      )
    expect(await tell(world.asReferent('nadia'))).toBe(false)
    const seen = (who: Parameters<Db['tx']>[0]) =>
      world.db.tx(
        who,
        async (tx) =>
          (
            await tx.sql<
              { at: Date | null }[]
            >`select derniere_activite(${world.aidants.thomas}, ${world.structures.figeac}) as at`
          )[0]!.at,
      )
    await as('thomas')
    expect(await seen(world.asReferent('nadia'))).not.toBeNull()
    for (const who of [world.asReferent('jocelyne'), world.asReferent('thomas'), world.as('nadia'), { kind: 'portier' }] as const)
      expect(await seen(who)).toBeNull()
  })
})

it('une invitation sans suite ne dit rien de qui la reçoit, même à la base : aucune requête ne lit hors de la structure', async () => {
  // The twin it must catch: looked for among all, the known one would be told.
  const everyone = await world.sql`select 1 from aidant where email = ${AIDANTS.fabrice.email}`
  expect(everyone).toHaveLength(1)
  const seen = await world.db.tx(
    world.asReferent('nadia'),
    (tx) => tx.sql`select 1 from aidant where email = ${AIDANTS.fabrice.email}`,
  )
  expect(seen).toHaveLength(0)
  ok(await inviteAidant(world.db, world.asReferent('nadia'), { email: AIDANTS.fabrice.email, prenom: 'F', nom: 'P' }, PUBLIC_URL))
})

/** Statements that the application has no template for. */
const texte = (sql: string) => Object.assign([sql], { raw: [sql] }) as unknown as TemplateStringsArray
