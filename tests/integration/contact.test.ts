import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AIDANTS, STRUCTURES } from '../../src/demo/people.ts'
import { RATES, takeToken } from '../../src/http/rates.ts'
import { append } from '../../src/journal/append.ts'
import { askContact } from '../../src/mandat/ask-contact.ts'
import { changeContact } from '../../src/mandat/change-contact.ts'
import { forgetChangements } from '../../src/mandat/forget.ts'
import { takeCode } from '../../src/mandat/send-code.ts'
import { stopMandat } from '../../src/mandat/stop.ts'
import { compteurDuContact } from '../../src/notification/budget.ts'
import { deliverDue } from '../../src/notification/deliver.ts'
import { printPapier } from '../../src/papier/print.ts'
import { openTree } from '../support/arbre.ts'
import { expectValidHtml } from '../support/html.ts'
import { type Browser, newWorld, ok, type Page, PUBLIC_URL, type Telling, type Told, type World } from '../support/world.ts'

/** How she is told changes outside of any mandat: by herself, or by an aidant who is with her. */
const MINUTE = 60_000
const ANCIEN = '+33612345678'
const NOUVEAU = '+33698765432'
const MIENS = '/mon-espace/contacts'
const CODE = `${MIENS}/code`

let world: World
let told: Told
beforeAll(async () => {
  world = await newWorld()
})
afterAll(() => world.close())
beforeEach(async () => {
  await world.database.freeze(null)
  for (const table of ['changement_contact', 'limite', 'message']) await world.sql.unsafe(`delete from ${table}`)
  told = await world.signMandat({ persona: 'josiane', suivi: 'sms', contact: ANCIEN })
  await world.sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`
    await tx`update usager set email = null, email_prouve_at = null where id = ${told.usagerId}`
  })
  for (const table of ['limite', 'message']) await world.sql.unsafe(`delete from ${table}`)
})

const plain = (html: string) =>
  html
    .slice(html.indexOf('<main'), html.indexOf('</main>'))
    .replace(/<[^>]*>/g, ' ')
    .replace(/[\s\u00a0\u202f]+/g, ' ')
const words = async (page: Page) => {
  await expectValidHtml(page.html)
  return plain(page.html)
}
const josiane = async () => world.browser(await world.sessionOf('josiane'))
const thomas = async (aidant: keyof typeof AIDANTS = 'thomas') => world.browser(await world.sessionOf(aidant))
const hers = () => `/personnes/${told.usagerId}/contact`
const contact = async (usagerId = told.usagerId) => {
  const [row] = await world.sql`
    select suivi, email, telephone, email_prouve_at is not null or telephone_prouve_at is not null as prouve, contact_lecteur as lecteur
    from usager where id = ${usagerId}`
  return row!
}
const AVANT = { suivi: 'sms', email: null, telephone: ANCIEN, prouve: true, lecteur: null }
const APRES = { ...AVANT, telephone: NOUVEAU }
const sent = async (to = NOUVEAU) => {
  const found = (await world.messages()).filter(
    ({ cle, destinataire }) => cle.startsWith('connexion:contact:') && destinataire === to,
  )
  const [, first, second] = /(\d{3}) (\d{3})/.exec(found.at(-1)!.corps)!
  return `${first}${second}`
}
const wrongOf = (code: string) => (code === '000000' ? '111111' : '000000')
const lines = async () =>
  (await world.lines()).filter(({ action, usagerId }) => action === 'contact_modifie' && usagerId === told.usagerId)
const toldOff = async () => (await world.messages()).filter(({ cle }) => cle.startsWith('contact:'))
/** Those it names, or whose telephone it tells: whoever she fled would learn where she goes. */
const structuresIn = async (corps: string) =>
  (await world.sql<{ nom: string; telephone: string }[]>`select nom, telephone from structure`).filter(
    ({ nom, telephone }) => corps.includes(telephone) || corps.includes(nom),
  )
const bySms = (browser: Browser, mobile = NOUVEAU, where = MIENS) => browser.post(where, { suivi: 'sms', mobile })
const asked = async (mobile = NOUVEAU) => {
  const browser = await josiane()
  const page = await bySms(browser, mobile)
  expect([page.status, page.location]).toEqual([303, PUBLIC_URL + CODE])
  return { browser, code: await sent(mobile) }
}
const type = (browser: Browser, recu: string, more: Record<string, string> = {}, where = CODE) =>
  browser.post(where, { geste: 'prouver', recu, ...more })
/** As the aidant's pages ask it: the code that she reads out, then the fresh factor. */
const confirm = async (browser: Browser, fields: Record<string, string>, where: string, code?: string) =>
  browser.post(where, { ...fields, code: code ?? (await world.freshCode('thomas')) })

describe('elle, dans son espace', () => {
  it('change de numéro : rien avant le code, puis l’ancien le sait, et le journal ne dit pas lequel', async () => {
    const before = (await lines()).length
    const browser = await josiane()
    expect(await words(await browser.get(MIENS))).toContain('Par SMS, au 06 12 34 56 78')
    expect((await bySms(browser, '06 98 76 54 32')).location).toBe(PUBLIC_URL + CODE)
    const form = await browser.get(CODE)
    const code = await sent()
    expect(await words(form)).toContain('au 06 98 76 54 32')
    expect(form.html).not.toContain(code)
    expect(await world.tablesHolding(code)).toEqual([])
    expect([await contact(), (await lines()).length, await toldOff()]).toEqual([AVANT, before, []])

    expect((await type(browser, code)).location).toBe(`${PUBLIC_URL + MIENS}?fait=1`)
    expect(await contact()).toEqual(APRES)
    const line = (await lines()).at(-1)!
    expect(line).toMatchObject({
      acteur: 'usager',
      acteurId: told.usagerId,
      structureId: null,
      payload: '{"champs":["telephone"]}',
    })
    const [message, ...others] = await toldOff()
    expect([message!.canal, message!.destinataire, others]).toEqual(['sms', ANCIEN, []])
    expect(message!.corps).toMatch(/nous ne vous prevenons plus a ce numero/)
    expect(message!.corps).not.toMatch(/98|Josiane|http/)
    expect(await structuresIn(message!.corps)).toEqual([])
    // What served is gone, with its message.
    expect(await world.sql`select 1 from changement_contact`).toEqual([])
    expect((await world.messages()).filter(({ cle }) => cle.startsWith('connexion:'))).toEqual([])
    const after = await words(await browser.get(`${MIENS}?fait=1`))
    expect(after).toContain('C’est changé')
    expect(after).toContain('Par SMS, au 06 98 76 54 32')
    expect(after).toMatch(/Votre numéro de mobile.*Par vous, dans cet espace/s)
  })

  it('ce qui attendait le matin part là où on la prévient maintenant ; le dernier mot à l’ancien, non', async () => {
    const pause = await (await josiane()).post(`/mon-espace/mandats/${told.id}/pause`, { quoi: 'tout' })
    expect(pause.status).toBe(303)
    const waiting = async () => (await world.messages()).filter(({ cle }) => !cle.includes(':aidant:'))
    expect((await waiting()).map(({ destinataire }) => destinataire)).toEqual([ANCIEN])
    const { browser, code } = await asked()
    await type(browser, code)
    expect((await waiting()).map(({ cle, destinataire }) => [cle.split(':')[0], destinataire]).sort()).toEqual([
      ['contact', ANCIEN],
      ['pause', NOUVEAU],
    ])
  })

  it('choisit le papier seul : tout ce qui était gardé s’efface, et chacun le sait', async () => {
    await world.signMandat({ persona: 'josiane', suivi: 'email', contact: 'josiane@example.org' })
    await world.sql`delete from message`
    expect(await contact()).toMatchObject({ email: 'josiane@example.org', telephone: ANCIEN })
    const browser = await josiane()
    expect((await browser.post(MIENS, { suivi: 'papier' })).location).toBe(`${PUBLIC_URL + MIENS}?fait=1`)
    expect(await contact()).toEqual({ suivi: 'papier', email: null, telephone: null, prouve: false, lecteur: null })
    expect((await lines()).at(-1)!.payload).toBe('{"champs":["email","telephone","suivi"]}')
    expect((await toldOff()).map(({ destinataire }) => destinataire).sort()).toEqual([ANCIEN, 'josiane@example.org'])
    // Pressed again, nothing more.
    const before = [(await lines()).length, (await toldOff()).length]
    await browser.post(MIENS, { suivi: 'papier' })
    expect([(await lines()).length, (await toldOff()).length]).toEqual(before)
  })

  it('passe à une adresse : il n’en reste qu’une', async () => {
    const browser = await josiane()
    await browser.post(MIENS, { suivi: 'email', email: 'josiane@example.org' })
    expect(await words(await browser.get(CODE))).toContain('à josiane@example.org')
    expect((await type(browser, await sent('josiane@example.org'))).status).toBe(303)
    expect(await contact()).toEqual({ ...AVANT, suivi: 'email', email: 'josiane@example.org', telephone: null })
  })

  it('le même numéro, prouvé à nouveau, n’est ni une ligne ni une nouvelle', async () => {
    const before = (await lines()).length
    const { browser, code } = await asked(ANCIEN)
    expect((await type(browser, code)).status).toBe(303)
    expect([await contact(), (await lines()).length, await toldOff()]).toEqual([AVANT, before, []])
  })

  it('dit ce qui manque, et garde ce qui était tapé', async () => {
    const browser = await josiane()
    const page = await browser.post(MIENS, { suivi: 'sms', mobile: '05 65' })
    expect(page.status).toBe(422)
    expect(await words(page)).toContain('Tapez un numéro de mobile français')
    expect(page.html).toContain('value="05 65"')
    expect((await browser.get(CODE)).location).toBe(PUBLIC_URL + MIENS)
    await bySms(browser)
    expect((await type(browser, '12')).status).toBe(422)
  })

  it('une réponse pour tout ce qui ne va pas, et rien ne change : faux, trois fois, trop vieux, celui d’avant', async () => {
    const bodies: Record<string, string> = {}
    const refused = async (why: string, browser: Browser, code: string) => {
      const page = await type(browser, code)
      expect([why, page.status]).toEqual([why, 409])
      bodies[why] = plain(page.html)
    }
    const { browser, code } = await asked()
    for (const why of ['faux', 'deux fois', 'trois fois']) await refused(why, browser, wrongOf(code))
    await refused('juste, après trois faux', browser, code)
    expect((await browser.post(CODE, { geste: 'renvoyer' })).location).toBe(PUBLIC_URL + CODE)
    const second = await sent()
    if (second !== code) await refused('celui d’avant', browser, code)
    await world.database.travel({ ms: 10 * MINUTE + 1000 })
    await refused('trop vieux', await josiane(), second)
    expect(new Set(Object.values(bodies)).size).toBe(1)
    expect(bodies.faux).toContain('Ce n’est pas le bon code, ou il ne sert plus')
    expect(await contact()).toEqual(AVANT)
  })

  it('un code rejoué ne change plus rien, et la page dit où elle est prévenue', async () => {
    const { browser, code } = await asked()
    await type(browser, code)
    const before = [(await lines()).length, (await toldOff()).length]
    const again = await type(browser, code)
    expect(again.status).toBe(409)
    expect(await words(again)).toContain('Par SMS, au 06 98 76 54 32')
    expect([(await lines()).length, (await toldOff()).length]).toEqual(before)
  })

  it('ce code ne sert à rien d’autre, et aucun autre ne sert ici', async () => {
    const { browser, code } = await asked()
    const paper = await papier()
    await paper.post('/mon-espace/confirmer', {})
    const stop = await proof()
    if (stop === code) return
    expect((await paper.post('/mon-espace/confirmer/code', { code })).status).toBe(409)
    expect((await type(browser, stop)).status).toBe(409)
    // The same person's draft, to the same number.
    const brouillon = await world.draft({ persona: 'josiane', upTo: 'identite' })
    const aidant = await thomas()
    const accord = await aidant.get(`/mandats/brouillons/${brouillon}/accord`)
    const hidden = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(accord.html)![1]!
    await aidant.post(accord.url, {
      reponse: 'oui',
      redit: 'oui',
      lues: hidden('lues'),
      dernierJour: hidden('dernierJour'),
      thematiques: hidden('lues').split(' '),
      suivi: 'sms',
      mobile: NOUVEAU,
    })
    const ofDraft = await sent()
    if (ofDraft !== code)
      expect((await aidant.post(`/mandats/brouillons/${brouillon}/contact`, { geste: 'prouver', code })).status).toBe(409)
    expect(await contact()).toEqual(AVANT)
    await world.sql`delete from brouillon`
  })

  it('sept demandes en une heure, quels que soient les numéros : la page fait attendre, sans rien perdre', async () => {
    const browser = await josiane()
    for (let n = 0; n < RATES.code_contact_personne.count; n++) await bySms(browser, `+3369876540${n}`)
    const page = await bySms(browser, '+33698765499')
    expect([page.status, Number(page.headers.get('retry-after')) > 0]).toEqual([429, true])
    expect(page.html).toContain('+33698765499')
    expect((await world.messages()).some(({ destinataire }) => destinataire === '+33698765499')).toBe(false)
  })

  it('pas deux fois autant à qui a deux identités, dans quelque ordre qu’elle y soit entrée', async () => {
    const hers = [told.usagerId, randomUUID()]
    const asking = (n: number) =>
      takeCode(
        world.db,
        { kind: 'usager', usagerIds: n % 2 ? hers : hers.toReversed(), niveau: 'identite' },
        { suivi: 'email', contact: `essai${n}@exemple.fr` },
        { ...world.config, log: () => {} },
      )
    for (let n = 0; n < RATES.code_contact_personne.count; n++) expect(await asking(n)).toEqual({ ok: true })
    expect(await asking(RATES.code_contact_personne.count)).toMatchObject({ refusal: 'trop_de_codes' })
  })

  it('ce que des aidants demandent pour son numéro ne prend pas sa place', async () => {
    const { usagerId } = await world.signMandat({ persona: 'odette', aidant: 'fabrice', suivi: 'sms', contact: '+33612345670' })
    const elsewhere = `/personnes/${usagerId}/contact`
    const fabrice = await thomas('fabrice')
    for (let n = 0; n <= RATES.sms_numero.count; n++) {
      await world.sql`delete from limite where fin - debut < interval '2 hours'`
      await bySms(fabrice, NOUVEAU, elsewhere)
    }
    expect((await bySms(fabrice, NOUVEAU, elsewhere)).status).toBe(409)
    const { browser, code } = await asked()
    expect((await type(browser, code)).status).toBe(303)
  })

  it('un autre, dans son propre espace, ne remplit pas la journée de son numéro : le code qui arrête part encore', async () => {
    await world.signMandat({ persona: 'odette', aidant: 'fabrice', suivi: 'sms', contact: '+33612345670' })
    const [odette, fabrice] = [world.browser(await world.sessionOf('odette')), await thomas('fabrice')]
    const elsewhere = `/personnes/${await world.usagerIdOf('odette')}/contact`
    for (let n = 0; n <= RATES.sms_numero.count; n++) {
      await world.sql`delete from limite where fin < horloge() + interval '2 hours'`
      await bySms(odette, ANCIEN)
      await bySms(fabrice, ANCIEN, elsewhere)
    }
    const browser = await papier()
    const gone = await browser.post('/mon-espace/confirmer', {})
    expect([gone.status, gone.headers.get('location')]).toEqual([303, expect.stringContaining('/mon-espace/confirmer/code')])
    expect(await proof()).toMatch(/^\d{6}$/)
  })

  it('le dernier mot à l’ancien numéro part, même quand sa journée est pleine', async () => {
    const { browser, code } = await asked()
    await type(browser, code)
    await world.db.tx({ kind: 'portier' }, async (tx) => {
      const key = compteurDuContact(world.config.secretsKey, ANCIEN)
      for (let n = 0; n < RATES.sms_numero.count; n++) await takeToken(tx, 'sms_numero', key)
    })
    await world.sql`update message set due_at = horloge(), at_once = true, fuseau = null`
    const left: string[] = []
    await deliverDue(
      world.db,
      async ({ destinataire }) => void left.push(destinataire),
      () => {},
      world.config,
    )
    expect(left).toEqual([ANCIEN])
  })

  it('plus un SMS aujourd’hui : la page le dit, et le papier reste', async () => {
    const browser = await josiane()
    for (let n = 0; n < RATES.sms_numero.count; n++) {
      await world.sql`delete from limite where fin - debut < interval '2 hours'`
      await bySms(browser)
    }
    await world.sql`delete from limite where fin - debut < interval '2 hours'`
    const page = await bySms(browser)
    expect(page.status).toBe(409)
    expect(await words(page)).toContain('Plus aucun SMS ne peut partir aujourd’hui')
    expect((await browser.post(MIENS, { suivi: 'papier' })).status).toBe(303)
  })
})

/** Her space opened with her sheet. */
const papier = async () => {
  const printed = ok(await printPapier(world.db, world.as('thomas'), { mandatId: told.id, papier: 'pour-vous' }, world.signer))
  const code = printed.imprime.papier === 'pour-vous' ? printed.imprime.codePrive : ''
  const [row] = await world.sql<{ birthdate: string }[]>`select birthdate from usager where id = ${told.usagerId}`
  const browser = world.browser()
  expect((await browser.post('/mon-espace/code', { code, annee: row!.birthdate.slice(0, 4) })).status).toBe(303)
  return browser
}
const proof = async () => {
  const [message] = await world.sql<
    { corps: string }[]
  >`select corps from message where cle like 'connexion:%:preuve' order by created_at desc limit 1`
  return /(\d{3}) (\d{3})/.exec(message!.corps)!.slice(1).join('')
}

describe('sa feuille', () => {
  it('ne change aucun contact, avec ou sans code reçu ; la base non plus', async () => {
    const browser = await papier()
    const closed = `${PUBLIC_URL}/mon-espace/tout-voir`
    const nothing = async () => {
      for (const path of [MIENS, CODE]) {
        expect((await browser.get(path)).location).toBe(closed)
        expect((await browser.post(path, { suivi: 'papier', geste: 'prouver', recu: '123456' })).location).toBe(closed)
      }
    }
    await nothing()
    await browser.post('/mon-espace/confirmer', {})
    expect((await browser.post('/mon-espace/confirmer/code', { code: await proof() })).status).toBe(303)
    await nothing()
    const { code } = await asked()
    for (const niveau of ['code_prive', 'contact_prouve'] as const) {
      const who = { kind: 'usager', usagerIds: [told.usagerId], niveau, imprimePar: null } as const
      await expect(world.db.tx(who, (tx) => tx.sql`select changer_contact(${told.usagerId}, null, null)`)).rejects.toMatchObject({
        code: '42501',
      })
      expect(await changeContact(world.db, who, told.usagerId, { code, lecteur: null }, world.config)).toMatchObject({
        ok: false,
      })
    }
    expect(await contact()).toEqual(AVANT)
  })

  it('un code d’arrêt envoyé à l’ancien contact ne sert plus', async () => {
    const waiting = await papier()
    await waiting.post('/mon-espace/confirmer', {})
    const stop = await proof()
    const { browser, code } = await asked()
    await type(browser, code)
    expect((await waiting.post('/mon-espace/confirmer/code', { code: stop })).status).toBe(409)
    const codes = async () => (await world.messages()).filter(({ cle }) => cle.endsWith(':preuve'))
    expect(await codes()).toEqual([])
    // The next one goes to the new contact.
    await waiting.post('/mon-espace/confirmer', {})
    expect((await codes()).map(({ destinataire }) => destinataire)).toEqual([NOUVEAU])
  })

  it('… ni celui qui partait à cet instant', async () => {
    const browser = await papier()
    const sending = await world.db.tx(await world.asUsager('josiane'), async (tx) => {
      await tx.sql`select changer_contact(${told.usagerId}, null, null)`
      await append(tx, { action: 'contact_modifie', usagerId: told.usagerId, contenu: { champs: ['telephone', 'suivi'] } })
      const page = browser.post('/mon-espace/confirmer', {})
      await sleep(300)
      return { page }
    })
    expect((await sending.page).status).toBe(409)
    expect((await world.messages()).filter(({ cle }) => cle.endsWith(':preuve'))).toEqual([])
  })

  it('ce que le code de l’ancien contact avait ouvert redemande un code', async () => {
    const open = await papier()
    await open.post('/mon-espace/confirmer', {})
    await open.post('/mon-espace/confirmer/code', { code: await proof() })
    expect((await open.get(`/mon-espace/mandats/${told.id}/arreter`)).status).toBe(200)
    await (await josiane()).post(MIENS, { suivi: 'papier' })
    expect((await open.get(`/mon-espace/mandats/${told.id}/arreter`)).location).toContain('/mon-espace/confirmer')
    expect((await open.get('/mon-espace')).status).toBe(200)
  })
})

describe('de qui est ce contact', () => {
  it('l’e-mail d’un professionnel de sa structure est refusé, comme qu’il soit écrit', async () => {
    const browser = await josiane()
    for (const email of [AIDANTS.thomas.email, AIDANTS.nadia.email.replace('@', '+x@').toUpperCase()]) {
      const page = await browser.post(MIENS, { suivi: 'email', email })
      expect(page.status).toBe(409)
      expect(await words(page)).toContain('celle d’un professionnel de la structure')
    }
    expect(await world.messages()).toEqual([])
    // Of a structure that does not know her, nobody knows.
    expect((await browser.post(MIENS, { suivi: 'email', email: AIDANTS.fabrice.email })).status).toBe(303)
  })

  it.each([
    ['le numéro de la structure', '+33654321098'],
    ['celui d’une autre personne du même aidant', '+33677777701'],
    ['celui de trois autres personnes, ailleurs', '+33677777702'],
  ])('%s : la question, une fois le code juste, et le papier en plus', async (_, mobile) => {
    await world.sql`update structure set telephone = '06.54.32.10.98' where id = ${world.structures.figeac}`
    await world.signMandat({ persona: 'odette', suivi: 'sms', contact: '+33677777701' })
    for (const persona of ['voahangy', 'nassimah', 'conceicao'])
      await world.signMandat({ persona, aidant: 'fabrice', suivi: 'sms', contact: '+33677777702' })
    const { browser, code } = await asked(mobile)
    // Whose it is too, she learns only once she has shown that it is hers.
    expect((await browser.get(CODE)).html).not.toContain('Qui d’autre lit')
    expect((await type(browser, wrongOf(code))).html).not.toContain('Qui d’autre lit')
    const question = await type(browser, code)
    expect(question.status).toBe(409)
    expect(await words(question)).toContain('Qui d’autre lit ce téléphone')
    expect(await contact()).toEqual(AVANT)
    expect((await type(browser, code, { lecteur: 'famille' })).status).toBe(303)
    expect(await contact()).toEqual({ ...AVANT, telephone: mobile, lecteur: 'famille' })
    await world.sql`update structure set telephone = ${STRUCTURES.figeac.telephone} where id = ${world.structures.figeac}`
  })
})

describe('un nouveau mandat, qui dit une autre façon', () => {
  it('l’ancien contact l’apprend, de quelque structure qu’il vienne ; le même, rien à dire', async () => {
    const [one, other] = ['+33612345601', '+33612345602']
    const sign = async (suivi: 'sms' | 'email' | 'papier', contact: string | undefined, more: Telling = {}) => {
      await world.sql`delete from message`
      await world.signMandat({ persona: 'marcel', suivi, ...(contact && { contact }), ...more })
      return (await toldOff()).map(({ canal, destinataire }) => [canal, destinataire])
    }
    expect(await sign('sms', one)).toEqual([])
    expect(await sign('sms', one)).toEqual([])
    // In another structure, with an aidant who gives a telephone of his own.
    expect(await sign('sms', other, { aidant: 'fabrice' })).toEqual([['sms', one]])
    const [message] = await toldOff()
    expect(message!.corps).toContain('nous ne vous prevenons plus a ce numero')
    expect(message!.corps).not.toContain(other.slice(-9))
    expect(await structuresIn(message!.corps)).toEqual([])
    expect(await sign('email', 'marcel@exemple.fr')).toEqual([['sms', other]])
    expect(await sign('papier', undefined)).toEqual([['email', 'marcel@exemple.fr']])
    expect(await sign('sms', one)).toEqual([])
  })
})

describe('l’aidant, avec elle', () => {
  it('change de numéro avec le code qu’elle lit et son second facteur ; elle voit qui et quand', async () => {
    const before = (await lines()).length
    const browser = await thomas()
    expect(await words(await browser.get(`/personnes/${told.usagerId}`))).toContain('Changer avec elle')
    expect(await words(await browser.get(hers()))).toContain('Comment prévenir')
    expect((await bySms(browser, NOUVEAU, hers())).location).toBe(`${PUBLIC_URL + hers()}/code`)
    await words(await browser.get(`${hers()}/code`))
    const recu = await sent()
    const fields = { geste: 'prouver', recu }
    const ask = await browser.post(`${hers()}/code`, fields)
    expect(ask.status).toBe(403)
    expect(await words(ask)).toContain('Vous allez changer comment une personne est prévenue')
    expect(ask.html).toContain(`name="recu" value="${recu}"`)
    expect([await contact(), (await lines()).length]).toEqual([AVANT, before])

    const code = await world.freshCode('thomas')
    expect((await confirm(browser, fields, `${hers()}/code`, wrongOf(code))).status).toBe(409)
    expect(await contact()).toEqual(AVANT)
    expect((await confirm(browser, fields, `${hers()}/code`, code)).location).toBe(`${PUBLIC_URL + hers()}?fait=1`)
    expect(await contact()).toEqual(APRES)
    expect((await lines()).at(-1)).toMatchObject({
      acteur: 'aidant',
      acteurId: world.aidants.thomas,
      structureId: world.structures.figeac,
      payload: '{"champs":["telephone"]}',
    })
    expect((await toldOff()).map(({ destinataire }) => destinataire)).toEqual([ANCIEN])
    const seen = await words(await (await josiane()).get(MIENS))
    expect(seen).toContain(`Par ${AIDANTS.thomas.prenom} ${AIDANTS.thomas.nom}, du CCAS de Figeac`)

    // The factor served once: the next change asks for another.
    await world.sql`delete from limite`
    const paper = await browser.post(hers(), { suivi: 'papier', code })
    expect(paper.status).toBe(409)
    expect(await contact()).toEqual(APRES)
    expect((await browser.post(hers(), { suivi: 'papier' })).status).toBe(403)
    expect((await confirm(browser, { suivi: 'papier' }, hers())).status).toBe(303)
    expect(await contact()).toMatchObject({ suivi: 'papier', telephone: null })
  })

  it('son second facteur seul ne suffit pas, et n’est pas dépensé par un code faux', async () => {
    const browser = await thomas()
    await bySms(browser, NOUVEAU, hers())
    const recu = await sent()
    const code = await world.freshCode('thomas')
    const page = await confirm(browser, { geste: 'prouver', recu: wrongOf(recu) }, `${hers()}/code`, code)
    expect(page.status).toBe(409)
    expect(await words(page)).toContain('Ce n’est pas le bon code')
    expect(await contact()).toEqual(AVANT)
    expect((await confirm(browser, { geste: 'prouver', recu }, `${hers()}/code`, code)).status).toBe(303)
  })

  it('ni le sien, ni celui d’un collègue ; un contact connu d’autres demande qui le lit', async () => {
    const browser = await thomas()
    const own = await browser.post(hers(), { suivi: 'email', email: AIDANTS.thomas.email })
    expect([own.status, plain(own.html)]).toEqual([409, expect.stringContaining('Cette adresse est la vôtre')])
    const colleague = await browser.post(hers(), { suivi: 'email', email: AIDANTS.nadia.email })
    expect([colleague.status, plain(colleague.html)]).toEqual([
      409,
      expect.stringContaining('d’un professionnel de la structure'),
    ])
    await world.signMandat({ persona: 'odette', suivi: 'sms', contact: '+33677777701' })
    await bySms(browser, '+33677777701', hers())
    expect((await browser.get(`${hers()}/code`)).html).toContain('Qui d’autre lit ce téléphone')
    const fields = { geste: 'prouver', recu: await sent('+33677777701') }
    expect((await confirm(browser, fields, `${hers()}/code`)).status).toBe(409)
    expect((await confirm(browser, { ...fields, lecteur: 'proche' }, `${hers()}/code`)).status).toBe(303)
    expect(await contact()).toMatchObject({ telephone: '+33677777701', lecteur: 'proche' })
  })

  it('seulement d’une personne qu’il accompagne, avec un mandat en cours', async () => {
    const status = async (aidant: keyof typeof AIDANTS) => {
      const browser = await thomas(aidant)
      return Promise.all(
        [await browser.get(hers()), await bySms(browser, NOUVEAU, hers()), await browser.get(`${hers()}/code`)].map(
          ({ status, location }) => location?.slice(PUBLIC_URL.length) ?? status,
        ),
      )
    }
    const dossier = `/personnes/${told.usagerId}`
    expect(await status('fabrice')).toEqual([404, 404, 404])
    expect(await status('nadia')).toEqual([dossier, dossier, dossier])
    for (const { id } of await world.sql<
      { id: string }[]
    >`select id from mandat where usager_id = ${told.usagerId} and ended_at is null`)
      ok(await stopMandat(world.db, await world.asUsager('josiane'), { mandatId: id }))
    expect(await status('thomas')).toEqual([dossier, dossier, dossier])
    expect((await world.messages()).filter(({ cle }) => cle.startsWith('connexion:contact:'))).toEqual([])
    // She herself still changes it, when nobody may act for her any more.
    const { browser, code } = await asked()
    expect((await type(browser, code)).status).toBe(303)
  })

  it('ce qui attendait meurt avec le mandat', async () => {
    const browser = await thomas()
    await bySms(browser, NOUVEAU, hers())
    const fields = { geste: 'prouver', recu: await sent() }
    for (const { id } of await world.sql<
      { id: string }[]
    >`select id from mandat where usager_id = ${told.usagerId} and ended_at is null`)
      ok(await stopMandat(world.db, await world.asUsager('josiane'), { mandatId: id }))
    expect((await confirm(browser, fields, `${hers()}/code`)).location).toBe(`${PUBLIC_URL}/personnes/${told.usagerId}`)
    expect(await contact()).toEqual(AVANT)
  })
})

describe('en même temps', () => {
  it('le même code envoyé quatre fois : un changement, une ligne, un mot à l’ancien', async () => {
    const before = (await lines()).length
    const { code } = await asked()
    const browsers = await Promise.all(Array.from({ length: 4 }, josiane))
    const answers = await Promise.all(browsers.map((browser) => type(browser, code)))
    expect(answers.filter(({ location }) => location?.endsWith('?fait=1'))).toHaveLength(1)
    expect([(await lines()).length - before, (await toldOff()).length]).toEqual([1, 1])
  })

  it('des codes faux ensemble : trois essais en tout', async () => {
    const { browser, code } = await asked()
    const answers = await Promise.all(Array.from({ length: 4 }, () => type(browser, wrongOf(code))))
    expect(answers.map(({ status }) => status)).toEqual([409, 409, 409, 409])
    const [row] = await world.sql`select essais from changement_contact`
    expect(row!.essais).toBe(3)
    expect((await type(browser, code)).status).toBe(409)
  })

  it('elle et son aidant, chacun avec un code juste : l’un des deux, jamais un mélange', async () => {
    const before = (await lines()).length
    const { browser, code } = await asked()
    const aidant = await thomas()
    await aidant.post(hers(), { suivi: 'email', email: 'josiane@example.org' })
    const recu = await sent('josiane@example.org')
    const factor = await world.freshCode('thomas')
    const answers = await Promise.all([
      type(browser, code),
      confirm(aidant, { geste: 'prouver', recu }, `${hers()}/code`, factor),
    ])
    expect(answers.map(({ location }) => location?.endsWith('?fait=1') ?? false).filter(Boolean)).toHaveLength(1)
    expect((await lines()).length - before).toBe(1)
    expect([APRES, { ...AVANT, suivi: 'email', email: 'josiane@example.org', telephone: null }]).toContainEqual(await contact())
    expect(await world.sql`select 1 from changement_contact`).toEqual([])
  })
})

describe('la base, sans l’application', () => {
  it('ne change rien sans un contact qui attend, le sien, à temps, et dit partagé par qui', async () => {
    await asked()
    const [row] = await world.sql<{ id: string }[]>`select id from changement_contact`
    const her = await world.asUsager('josiane')
    const change = (who: Parameters<World['db']['tx']>[0], id: string | null = row!.id, lecteur: string | null = null) =>
      world.db.tx(who, (tx) => tx.sql`select * from changer_contact(${told.usagerId}, ${id}, ${lecteur})`)
    // What she waits for is not her aidant's.
    expect(await change(world.as('thomas'))).toEqual([])
    expect(await change(her, told.id)).toEqual([])
    await world.sql`update changement_contact set partage = true`
    expect(await change(her)).toEqual([])
    await world.sql`update changement_contact set partage = false, essais = 3`
    expect(await change(her)).toEqual([])
    await world.sql`update changement_contact set essais = 0, created_at = horloge() - interval '10 minutes'`
    expect(await change(her)).toEqual([])
    const marcel = { kind: 'usager', usagerIds: [told.id], niveau: 'identite' } as const
    for (const who of [
      world.as('fabrice'),
      world.as('nadia'),
      world.asReferent('nadia'),
      { kind: 'portier' } as const,
      { kind: 'worker' } as const,
      marcel,
    ])
      await expect(change(who, null)).rejects.toMatchObject({ code: '42501' })
    // And not without its line.
    await expect(change(her, null)).rejects.toMatchObject({ constraint_name: 'contact_journalise' })
    expect(await contact()).toEqual(AVANT)
  })

  it('aucun aidant ne donne un contact à qui est prévenue sur papier : personne ne l’apprendrait', async () => {
    await (await josiane()).post(MIENS, { suivi: 'papier' })
    const browser = await thomas()
    expect(await words(await browser.get(`/personnes/${told.usagerId}`))).toContain('Sur papier, à chaque visite. Un numéro')
    expect((await browser.get(hers())).location).toBe(`${PUBLIC_URL}/personnes/${told.usagerId}`)
    expect((await bySms(browser, NOUVEAU, hers())).location).toBe(`${PUBLIC_URL}/personnes/${told.usagerId}`)
    expect(await world.sql`select 1 from changement_contact`).toEqual([])
    await expect(
      world.db.tx(world.as('thomas'), (tx) => tx.sql`select changer_contact(${told.usagerId}, null, null)`),
    ).rejects.toMatchObject({ code: '42501' })
  })

  it('ni pendant que tout est en pause : elle a dit d’attendre', async () => {
    await (await josiane()).post(`/mon-espace/mandats/${told.id}/pause`, { quoi: 'tout' })
    const others = await world.sql`
      update autorisation set expires_at = expires_at where usager_id = ${told.usagerId} and mandat_id <> ${told.id} and revoked_at is null returning id`
    expect(others).toEqual([])
    await expect(
      world.db.tx(world.as('thomas'), (tx) => tx.sql`select changer_contact(${told.usagerId}, null, null)`),
    ).rejects.toMatchObject({ code: '42501' })
    await (await josiane()).post(`/mon-espace/mandats/${told.id}/reprise`, { quoi: 'tout' })
  })

  it('un aidant suspendu n’y change rien', async () => {
    await world.sql`update aidant set suspended_at = horloge() where id = ${world.aidants.thomas}`
    await expect(
      world.db.tx(world.as('thomas'), (tx) => tx.sql`select changer_contact(${told.usagerId}, null, null)`),
    ).rejects.toMatchObject({ code: '42501' })
    await world.sql`update aidant set suspended_at = null where id = ${world.aidants.thomas}`
  })

  it('personne ne lit ni n’écrit ce qu’un autre attend', async () => {
    await asked()
    await bySms(await thomas(), '+33698765433', hers())
    const seen = async (who: Parameters<World['db']['tx']>[0]) =>
      (await world.db.tx(who, (tx) => tx.sql<{ contact: string }[]>`select contact from changement_contact`)).map(
        (one) => one.contact,
      )
    expect(await seen(await world.asUsager('josiane'))).toEqual([NOUVEAU])
    expect(await seen(world.as('thomas'))).toEqual(['+33698765433'])
    for (const who of [
      world.as('samira', 'figeac'),
      world.as('fabrice'),
      world.asReferent('nadia'),
      { kind: 'portier' } as const,
    ])
      expect(await seen(who)).toEqual([])
    const forge = (who: Parameters<World['db']['tx']>[0], aidantId: string | null, structureId: string | null) =>
      world.db.tx(
        who,
        (tx) => tx.sql`
          insert into changement_contact (id, usager_id, aidant_id, structure_id, suivi, contact, partage, code, message_cle)
          values (gen_random_uuid(), ${told.usagerId}, ${aidantId}, ${structureId}, 'sms', ${NOUVEAU}, false, ${Buffer.alloc(32)}, 'connexion:contact:x')`,
      )
    await world.sql`delete from changement_contact`
    await expect(forge(world.as('thomas'), null, null)).rejects.toMatchObject({ code: '42501' })
    await expect(forge(world.as('fabrice'), world.aidants.fabrice, world.structures.saintDenis)).rejects.toMatchObject({
      code: '42501',
    })
    await expect(
      forge({ kind: 'usager', usagerIds: [told.usagerId], niveau: 'code_prive', imprimePar: null }, null, null),
    ).rejects.toMatchObject({ code: '42501' })
  })

  it('ce qu’un aidant attend dans une structure ne vaut pas dans l’autre', async () => {
    const { usagerId } = await world.signMandat({ persona: 'marcel', suivi: 'sms', contact: '+33612345671' })
    await world.signMandat({ persona: 'marcel', aidant: 'fabrice', suivi: 'sms', contact: '+33612345671' })
    const door = { ...world.config, log: () => {} }
    for (const structure of ['figeac', 'saintDenis'] as const)
      ok(await askContact(world.db, world.as('samira', structure), usagerId, { suivi: 'sms', contact: NOUVEAU }, door))
    const [there] = await world.sql<{ id: string }[]>`
      select id from changement_contact where structure_id = ${world.structures.saintDenis}`
    expect(await world.sql`select 1 from changement_contact`).toHaveLength(2)
    const here = world.as('samira', 'figeac')
    expect(await world.db.tx(here, (tx) => tx.sql`select * from changer_contact(${usagerId}, ${there!.id}, null)`)).toEqual([])
  })

  it('un contact qui n’est jamais prouvé s’efface avec son message', async () => {
    await asked()
    await world.database.travel({ ms: 29 * MINUTE })
    await world.db.tx({ kind: 'worker' }, forgetChangements)
    expect(await world.sql`select 1 from changement_contact`).toHaveLength(1)
    await world.database.travel({ ms: 31 * MINUTE })
    await world.db.tx({ kind: 'worker' }, forgetChangements)
    expect(await world.tablesHolding(NOUVEAU)).toEqual([])
  })
})

it('la vérification du journal n’y voit aucune faute', async () => {
  const { browser, code } = await asked()
  await type(browser, code)
  await browser.post(MIENS, { suivi: 'papier' })
  const tree = openTree(world.database)
  await tree.settle()
  for (const as of ['admin', 'auditor'] as const) expect((await tree.verify([], as)).fault).toBeUndefined()
  await tree.close()
})
