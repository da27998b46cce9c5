import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openDb } from '../../src/db.ts'
import { AIDANTS, STRUCTURES } from '../../src/demo/people.ts'
import { forgetRates, RATES, type Rate, takeToken } from '../../src/http/rates.ts'
import { keepPaper } from '../../src/mandat/keep-paper.ts'
import { proveContact } from '../../src/mandat/prove-contact.ts'
import { sendCode } from '../../src/mandat/send-code.ts'
import { compteurDuContact, type SmsDoor } from '../../src/notification/budget.ts'
import { deliverDue } from '../../src/notification/deliver.ts'
import { forgetMessages } from '../../src/notification/forget.ts'
import { retryMessages } from '../../src/notification/retry.ts'
import { expectValidHtml } from '../support/html.ts'
import { newWorld, type Page, PUBLIC_URL, type World } from '../support/world.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const MOBILE = '+33698765432'

let world: World
beforeAll(async () => {
  world = await newWorld()
})
afterAll(() => world.close())
beforeEach(async () => {
  await world.database.freeze(null)
  for (const table of ['brouillon', 'limite', 'message']) await world.sql.unsafe(`delete from ${table}`)
})

const stepOf = (id: string, step: string) => `/mandats/brouillons/${id}/${step}`
const hiddenIn = (page: Page, name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page.html)?.[1] ?? ''
const signedIn = async (aidant: keyof typeof AIDANTS = 'thomas') => world.browser(await world.sessionOf(aidant))
/** She says yes, to be told there. */
const agreed = async (persona: string, way: Record<string, string>) => {
  const id = await world.draft({ persona, upTo: 'identite' })
  const browser = await signedIn()
  const accord = await browser.get(stepOf(id, 'accord'))
  const lues = hiddenIn(accord, 'lues')
  const answer = await browser.post(accord.url, {
    reponse: 'oui',
    redit: 'oui',
    lues,
    dernierJour: hiddenIn(accord, 'dernierJour'),
    thematiques: lues.split(' '),
    ...way,
  })
  return { id, browser, answer }
}
const bySms = (persona: string, mobile = MOBILE) => agreed(persona, { suivi: 'sms', mobile })
const sent = async () => {
  const [last] = (await world.messages()).filter(({ cle }) => cle.startsWith('connexion:contact:')).reverse()
  return last && { ...last, code: /(\d{3}) (\d{3})/.exec(last.corps)!.slice(1).join('') }
}
const door = (more: Partial<SmsDoor> = {}): SmsDoor => ({ ...world.config, log: () => {}, ...more })
const wrongOf = (code: string) => (code === '000000' ? '111111' : '000000')
const prove = (code: string, id: string) =>
  proveContact(world.db, world.as('thomas'), id, { code, lecteur: null }, world.config.secretsKey)
const proven = async (id: string) => {
  const [row] = await world.sql`select contact_prouve_at is not null as proven from brouillon where id = ${id}`
  return row!.proven as boolean
}
const neverSigns = async (id: string) => {
  const browser = await signedIn()
  const page = await browser.post(stepOf(id, 'acceptation'), { code: await world.freshCode('thomas') })
  expect(page.status).toBe(409)
  expect(page.html).toContain('pas encore vérifié')
  expect(await world.sql`select 1 from mandat where id = ${id}`).toHaveLength(0)
}

describe('le contact qu’elle donne', () => {
  it('est prouvé par le code reçu, entre son accord et l’acceptation, puis gardé avec sa preuve', async () => {
    const { id, browser, answer } = await bySms('josiane')
    expect(answer.location).toBe(PUBLIC_URL + stepOf(id, 'contact'))
    const page = await browser.get(answer.location!)
    await expectValidHtml(page.html)
    expect(page.html).toContain('06 98 76 54 32')
    // Nothing of the code nor of its message is in the page.
    const code = (await sent())!
    expect(code).toMatchObject({ canal: 'sms', destinataire: MOBILE, sujet: null })
    expect(code.corps.length).toBeLessThanOrEqual(160)
    expect(page.html).not.toContain(code.code)
    expect((await browser.get(stepOf(id, 'acceptation'))).location).toBe(PUBLIC_URL + stepOf(id, 'contact'))
    await neverSigns(id)

    const done = await browser.post(stepOf(id, 'contact'), { geste: 'prouver', code: code.code })
    expect(done.location).toBe(PUBLIC_URL + stepOf(id, 'acceptation'))
    expect(await world.tablesHolding(code.cle)).toEqual([])
    const signed = await browser.post(stepOf(id, 'acceptation'), { code: await world.freshCode('thomas') })
    expect(signed.status).toBe(303)
    const [usager] =
      await world.sql`select telephone, telephone_prouve_at is not null as proven, suivi from usager where telephone = ${MOBILE}`
    expect(usager).toEqual({ telephone: MOBILE, proven: true, suivi: 'sms' })
  })

  it('prouvé une fois, ne l’est plus à demander ; un autre, si', async () => {
    await world.signMandat({ persona: 'marcel', suivi: 'sms', contact: '+33611112222' })
    const again = await bySms('marcel', '06 11 11 22 22')
    expect(again.answer.location).toContain('/acceptation')
    expect(await sent()).toBeUndefined()
    // Nor to be typed again.
    const page = await again.browser.get(`${stepOf(again.id, 'accord')}?relire=oui`)
    expect(page.html).toContain('value="06 11 11 22 22"')
    await world.sql`update usager set telephone_prouve_at = null where telephone = '+33611112222'`
    expect((await again.browser.get(`${stepOf(again.id, 'accord')}?relire=oui`)).html).not.toContain('06 11 11')
    await world.sql`update usager set telephone_prouve_at = horloge() where telephone = '+33611112222'`
    const other = await bySms('marcel', '06 11 11 22 23')
    expect(other.answer.location).toContain('/contact')
    expect(await sent()).toBeDefined()
  })

  it('part la nuit aussi : elle attend devant l’écran', async () => {
    await world.database.freeze(new Date('2026-03-02T21:30:00Z'))
    await bySms('josiane', '06 55 55 55 51')
    const out: string[] = []
    await deliverDue(
      world.db,
      async ({ destinataire }) => void out.push(destinataire),
      () => {},
      world.config,
    )
    expect(out).toContain('+33655555551')
  })

  it('refusé puis repris, la nuit encore ; abandonné, il ne repart pas, et une heure après il n’en reste rien', async () => {
    await world.database.freeze(new Date('2026-03-02T21:30:00Z'))
    await world.sql`delete from message`
    await bySms('josiane', '06 55 55 55 53')
    const fail = async () => {
      throw new Error('panne')
    }
    expect(await deliverDue(world.db, fail, () => {}, world.config)).toBe(1)
    await world.database.travel({ ms: 60_000 })
    expect(await deliverDue(world.db, fail, () => {}, world.config)).toBe(1)
    await world.sql`update message set failed_at = horloge()`
    const operator = openDb({ url: world.database.operatorUrl, connections: 1 })
    expect(await operator.tx({ kind: 'operator' }, (tx) => retryMessages(tx, undefined))).toBe(0)
    await operator.close()
    await world.database.travel({ ms: 61 * 60_000 })
    await world.db.tx({ kind: 'worker' }, forgetMessages)
    expect(await sent()).toBeUndefined()
  })

  it('effacer un code n’efface que son message', async () => {
    await bySms('josiane', '06 55 55 55 54')
    await world.sql`insert into message (cle, canal, destinataire, sujet, corps) values ('arret:autre', 'email', 'a@example.org', 'S', 'C')`
    await expect(world.sql`update code_contact set message_cle = 'arret:autre'`).rejects.toMatchObject({
      constraint_name: 'code_contact_sa_cle',
    })
    await world.sql`alter table code_contact drop constraint code_contact_sa_cle`
    await world.sql`update code_contact set message_cle = 'arret:autre'`
    await world.sql`delete from code_contact`
    expect(await world.sql`select 1 from message where cle = 'arret:autre'`).toHaveLength(1)
    await world.sql`
      alter table code_contact add constraint code_contact_sa_cle check (starts_with(message_cle, 'connexion:contact:'))`
  })

  it('par e-mail aussi, jamais celui d’un professionnel de la structure', async () => {
    const { answer } = await agreed('odette', { suivi: 'email', email: 'odette@example.org' })
    expect(answer.location).toContain('/contact')
    expect(await sent()).toMatchObject({ canal: 'email', destinataire: 'odette@example.org', sujet: 'Votre code' })
    for (const email of [AIDANTS.nadia.email, AIDANTS.thomas.email.toUpperCase()]) {
      const refused = await agreed('odette', { suivi: 'email', email })
      expect(refused.answer.status).toBe(409)
    }
  })

  it('l’adresse de l’aidant avec un « + », dès la première personne : la même boîte, le même refus', async () => {
    for (const [email, whose] of [
      ['thomas+odette@figeac.demo', 'Cette adresse est la vôtre'],
      ['Thomas+A+B@FIGEAC.demo', 'Cette adresse est la vôtre'],
      ['nadia+x@figeac.demo', 'professionnel'],
    ] as const) {
      const { answer } = await agreed('odette', { suivi: 'email', email })
      expect([email, answer.status]).toEqual([email, 409])
      expect(answer.html).toContain(whose)
    }
    // No more than that is taken for the same: another's address is not refused because it looks like his.
    for (const email of ['thomas@ailleurs.demo', 'thom.as@figeac.demo', 'thomas-odette@figeac.demo']) {
      const { answer } = await agreed('odette', { suivi: 'email', email })
      expect([email, answer.status]).toEqual([email, 303])
    }
  })

  it('faute de code, le papier : sa parole suffit, et rien de son numéro ne reste', async () => {
    const { id, browser } = await bySms('odette', '06 55 55 55 52')
    const kept = await browser.post(stepOf(id, 'contact'), { geste: 'papier' })
    expect(kept.location).toContain('/acceptation')
    expect(await world.tablesHolding('655555552')).toEqual([])
    const signed = await browser.post(stepOf(id, 'acceptation'), { code: await world.freshCode('thomas') })
    expect(signed.status).toBe(303)
    const [contenu] = await world.sql`select accord from mandat_contenu where mandat_id = ${id}`
    expect(contenu!.accord).toMatchObject({ suivi: 'papier' })
  })

  it('son non efface aussi le code et le message, même pas encore parti', async () => {
    const { id, browser } = await bySms('voahangy', '06 55 55 55 53')
    expect(await world.tablesHolding('655555553')).toEqual(['brouillon', 'message'])
    await browser.post(stepOf(id, 'accord'), { reponse: 'non' })
    for (const trace of ['655555553', id]) expect(await world.tablesHolding(trace)).toEqual([])
  })

  it('après son non, le compteur ne dit pas son numéro à qui les essaie tous, et s’efface avec sa fenêtre', async () => {
    const now = new Date('2026-03-04T10:01:00Z')
    await world.database.freeze(now)
    const { id, browser } = await bySms('voahangy', '06 55 55 55 61')
    await browser.post(stepOf(id, 'accord'), { reponse: 'non' })
    const plain = createHash('sha256').update('code_contact\n+33655555561').digest()
    const counters = async () =>
      (await world.sql<{ cle: Buffer }[]>`select cle from limite`).map(({ cle }) => cle.toString('hex'))
    const before = await counters()
    expect(before).not.toContain(plain.toString('hex'))
    await world.database.freeze(new Date(now.getTime() + 15 * MINUTE))
    await world.db.tx({ kind: 'worker' }, forgetRates)
    // The aidant's and the structure's last an hour; hers, a quarter of one.
    expect((await counters()).length).toBe(before.length - 1)
  })
})

describe('le code', () => {
  it('sert une fois, et seulement pour ce mandat et ce numéro', async () => {
    const first = await bySms('josiane', '06 55 55 55 54')
    const code = (await sent())!.code
    const second = await bySms('odette', '06 55 55 55 55')
    expect(await prove(code, second.id)).toEqual({ ok: false, refusal: 'code_contact_faux' })
    expect(await prove(code, first.id)).toEqual({ ok: true })
    await world.sql`update brouillon set contact_prouve_at = null where id = ${first.id}`
    expect(await prove(code, first.id)).toEqual({ ok: false, refusal: 'code_contact_perime' })
    expect(await proven(second.id)).toBe(false)
  })

  it.each([
    [10 * MINUTE, true],
    [10 * MINUTE + SECOND, false],
  ])('%i ms après son envoi : accepté %s', async (ms, accepted) => {
    const now = new Date()
    await world.database.freeze(now)
    const { id } = await bySms('josiane', '06 55 55 55 56')
    const code = (await sent())!.code
    await world.database.freeze(new Date(now.getTime() + ms))
    expect(await prove(code, id)).toMatchObject({ ok: accepted })
    expect(await proven(id)).toBe(accepted)
  })

  it('trois essais faux : même le bon ne sert plus, il en faut un autre', async () => {
    const { id, browser } = await bySms('josiane', '06 55 55 55 57')
    const { code } = (await sent())!
    for (let i = 0; i < 3; i++) {
      const page = await browser.post(stepOf(id, 'contact'), { geste: 'prouver', code: wrongOf(code) })
      expect([page.status, page.html.includes('pas celui qui a été envoyé')]).toEqual([409, true])
      await expectValidHtml(page.html)
    }
    const late = await browser.post(stepOf(id, 'contact'), { geste: 'prouver', code })
    expect([late.status, late.html.includes('ne sert plus')]).toEqual([409, true])
    const again = await browser.post(stepOf(id, 'contact'), { geste: 'renvoyer' })
    expect(again.status).toBe(303)
    const next = (await sent())!
    expect((await world.messages()).filter(({ cle }) => cle.startsWith('connexion:contact:'))).toHaveLength(1)
    expect((await browser.post(stepOf(id, 'contact'), { geste: 'prouver', code: next.code })).status).toBe(303)
  })

  it('un quatrième en un quart d’heure au même numéro ne part pas, même pour un autre mandat', async () => {
    await world.database.freeze(new Date())
    const { id } = await bySms('josiane', '06 55 55 55 58')
    const send = (brouillonId: string) => sendCode(world.db, world.as('thomas'), brouillonId, door())
    for (let i = 0; i < 2; i++) expect(await send(id)).toEqual({ ok: true })
    const taken = async () => Number((await world.sql`select sum(compte) as n from limite`)[0]!.n)
    const before = await taken()
    expect(await send(id)).toEqual({ ok: false, refusal: 'trop_de_codes' })
    // What its aidant and its structure may still send to others is as it was.
    expect(await taken()).toBe(before + 1)
    const other = await bySms('odette', '06 55 55 55 58')
    expect(other.answer.location).toContain('/contact?envoye=non')
    const page = await other.browser.get(other.answer.location!)
    expect(page.html).toContain('Trop de codes')
    await expectValidHtml(page.html)
  })

  it('n’est pas à essayer, ni à envoyer, par une collègue', async () => {
    const { id } = await bySms('josiane', '06 55 55 55 59')
    const { code } = (await sent())!
    const samira = world.as('samira')
    const key = world.config.secretsKey
    expect(await proveContact(world.db, samira, id, { code, lecteur: null }, key)).toEqual({ ok: false, refusal: 'introuvable' })
    expect(await sendCode(world.db, samira, id, door())).toEqual({ ok: false, refusal: 'introuvable' })
    expect(await keepPaper(world.db, samira, id)).toEqual({ ok: false, refusal: 'introuvable' })
    expect(await prove(code, id)).toEqual({ ok: true })
  })
})

describe('le budget de SMS du jour', () => {
  const spend = (rate: Rate, key: string) =>
    world.db.tx({ kind: 'portier' }, async (tx) => {
      for (let n = 0; n < RATES[rate].count; n++) await takeToken(tx, rate, key)
    })
  const codes = async () => (await world.messages()).filter(({ cle }) => cle.startsWith('connexion:contact:')).length

  it.each<[Rate, () => string]>([
    ['sms_numero', () => compteurDuContact(world.config.secretsKey, '+33655555571')],
    ['sms_numero_aidants', () => compteurDuContact(world.config.secretsKey, '+33655555571')],
    ['sms_aidant', () => world.aidants.thomas],
    ['sms_structure', () => world.structures.figeac],
    ['sms_total', () => ''],
  ])('épuisé (%s) : l’accord reste, la page dit comment continuer, l’exploitant le voit, et le lendemain un code part', async (rate, key) => {
    await world.database.freeze(new Date('2026-03-04T10:01:00Z'))
    await spend(rate, key())
    const { id, browser, answer } = await bySms('josiane', '06 55 55 55 71')
    expect(answer.location).toContain('/contact?envoye=sms')
    const page = await browser.get(answer.location!)
    await expectValidHtml(page.html)
    for (const word of ['Plus aucun SMS ne peut partir', 'Prévenir sur papier', `${stepOf(id, 'accord')}?relire=oui`])
      expect(page.html).toContain(word)
    expect(page.html).not.toMatch(/Un code de six chiffres part|Envoyer un autre code/)
    expect(await codes()).toBe(0)
    expect(world.log.findLast(({ event }) => event === 'sms_refuse')).toMatchObject({ level: 'warn', reason: rate })
    const again = await browser.post(stepOf(id, 'contact'), { geste: 'renvoyer' })
    expect([again.status, again.html.includes('Plus aucun SMS')]).toEqual([409, true])
    expect((await browser.get(stepOf(id, 'accord'))).html).toContain('C’est dit')

    // Not for an e-mail, nor in paper.
    const mail = await agreed('odette', { suivi: 'email', email: 'odette@exemple.fr' })
    expect(mail.answer.location).not.toContain('envoye')
    expect((await browser.post(stepOf(id, 'contact'), { geste: 'papier' })).status).toBe(303)

    await world.database.freeze(new Date('2026-03-05T00:00:00Z'))
    expect((await bySms('josiane', '06 55 55 55 71')).answer.location).not.toContain('envoye')
    expect(await codes()).toBe(2)
  })

  it('au dernier, deux demandes au même instant : une seule passe, et l’autre n’a rien pris', async () => {
    await world.database.freeze(new Date('2026-03-06T10:01:00Z'))
    // Of two structures: the total is all they share.
    const drafts = [
      { by: world.as('thomas'), id: await world.draft({ persona: 'josiane', suivi: 'sms', contact: '+33655555572' }) },
      {
        by: world.as('fabrice'),
        id: await world.draft({ aidant: 'fabrice', persona: 'odette', suivi: 'sms', contact: '+33655555573' }),
      },
    ]
    const keys = drafts.map(({ by }) => createHash('sha256').update(`sms_aidant\n${by.aidantId}`).digest())
    for (let round = 0; round < 5; round++) {
      for (const table of ['limite', 'message']) await world.sql.unsafe(`delete from ${table}`)
      const lines: unknown[] = []
      const last = door({ smsParJour: 1, log: (_, line) => lines.push(line) })
      const sendings = await Promise.all(drafts.map(({ by, id }) => sendCode(world.db, by, id, last)))
      expect(sendings.map(({ ok }) => ok).sort()).toEqual([false, true])
      expect(sendings).toContainEqual({ ok: false, refusal: 'plus_de_sms' })
      expect(lines).toEqual([{ event: 'sms_refuse', reason: 'sms_total' }])
      expect(await codes()).toBe(1)
      const [taken] = await world.sql`select sum(compte)::int as sum from limite where cle in ${world.sql(keys)}`
      expect(taken).toEqual({ sum: 1 })
    }
  })
})

describe('un contact que d’autres lisent', () => {
  it('celui de la structure, ou déjà de trois autres personnes de toutes structures : accepté avec la question, et le papier en plus', async () => {
    const shared = '+33677777777'
    for (const [persona, aidant] of [
      ['conceicao', 'ines'],
      ['voahangy', 'fabrice'],
    ] as const)
      await world.signMandat({ persona, aidant, suivi: 'sms', contact: shared })
    const two = await bySms('francoise', shared)
    expect((await two.browser.get(two.answer.location!)).html).not.toContain('Qui d’autre lit')
    await world.signMandat({ persona: 'nassimah', aidant: 'fabrice', suivi: 'sms', contact: shared })
    await world.sql`delete from limite`

    const { id, browser, answer } = await bySms('francoise', shared)
    const page = await browser.get(answer.location!)
    expect(page.html).toContain('Qui d’autre lit ce téléphone')
    await expectValidHtml(page.html)
    const { code } = (await sent())!
    const silent = await browser.post(stepOf(id, 'contact'), { geste: 'prouver', code })
    expect(silent.status).toBe(422)
    expect(await proven(id)).toBe(false)
    const odd = await browser.post(stepOf(id, 'contact'), { geste: 'prouver', code, lecteur: 'tout le monde' })
    expect(odd.status).toBe(422)
    const done = await browser.post(stepOf(id, 'contact'), { geste: 'prouver', code, lecteur: 'famille' })
    expect(done.location).toContain('/acceptation')
    expect((await browser.get(done.location!)).html).toContain('et aussi sur papier')
    await browser.post(stepOf(id, 'acceptation'), { code: await world.freshCode('thomas') })
    const [usager] = await world.sql`select contact_lecteur from usager where id = ${(await world.usagerIdOf('francoise'))!}`
    expect(usager).toEqual({ contact_lecteur: 'famille' })
  })

  it('un même mobile chez un même aidant, pour une seconde personne : la question, dès celle-ci', async () => {
    await world.signMandat({ persona: 'jean-daniel', suivi: 'sms', contact: '+33688888888' })
    await world.sql`delete from limite`
    const { browser, answer } = await bySms('ibrahim', '06 88 88 88 88')
    expect((await browser.get(answer.location!)).html).toContain('Qui d’autre lit ce téléphone')
    // Her own, and a colleague's person's, ask nothing.
    const hers = await bySms('jean-daniel', '06 88 88 88 88')
    expect(hers.answer.location).toContain('/acceptation')
    await world.signMandat({ persona: 'camille', aidant: 'samira', structure: 'figeac', suivi: 'sms', contact: '+33688888889' })
    const other = await bySms('ibrahim', '06 88 88 88 89')
    expect((await other.browser.get(other.answer.location!)).html).not.toContain('Qui d’autre lit')
  })

  it('une même boîte, comme qu’elle soit écrite, compte pour une seule', async () => {
    await world.signMandat({ persona: 'jean-daniel', suivi: 'email', contact: 'Pauline@example.org' })
    await world.sql`delete from limite`
    const { browser, answer } = await agreed('ibrahim', { suivi: 'email', email: 'pauline+ibrahim@example.org' })
    expect((await browser.get(answer.location!)).html).toContain('Qui d’autre lit')
    // In whichever structures, of three other persons.
    for (const [persona, contact] of [
      ['voahangy', 'jo+1@example.org'],
      ['nassimah', 'JO@example.org'],
      ['conceicao', 'jo+3@example.org'],
    ] as const)
      await world.signMandat({ persona, aidant: 'fabrice', suivi: 'email', contact })
    const shared = (contact: string) =>
      world.db.tx(
        world.as('thomas'),
        async (tx) => (await tx.sql`select contact_partage(${contact}, 'x') as shared`)[0]!.shared as boolean,
      )
    expect(await Promise.all(['jo+4@example.org', 'jo@example.net', 'j.o@example.org'].map(shared))).toEqual([true, false, false])
  })

  it('le numéro de la structure est reconnu, comme qu’il soit écrit', async () => {
    await world.sql`update structure set telephone = '06.54.32.10.98' where id = ${world.structures.figeac}`
    const { browser, answer } = await bySms('laetitia', '06 54 32 10 98')
    expect((await browser.get(answer.location!)).html).toContain('Qui d’autre lit ce téléphone')
    await world.sql`update structure set telephone = ${STRUCTURES.figeac.telephone} where id = ${world.structures.figeac}`
  })

  it('la base ne dit que oui ou non, et seulement à un aidant', async () => {
    const ask = (who: Parameters<World['db']['tx']>[0]) =>
      world.db.tx(
        who,
        async (tx) => (await tx.sql<{ shared: boolean }[]>`select contact_partage('+33677777777', 'x') as shared`)[0]!.shared,
      )
    expect(await ask(world.as('thomas'))).toBe(true)
    expect(await ask({ kind: 'portier' })).toBe(false)
  })
})

describe('la base, sans l’application', () => {
  it('la preuve d’un numéro ne vaut pas pour le suivant', async () => {
    await world.signMandat({ persona: 'teiki', suivi: 'sms', contact: '+33612121212' })
    const id = await world.usagerIdOf('teiki')
    await world.sql.begin(async (tx) => {
      await tx`alter table usager disable trigger contact_journalise`
      await tx`update usager set telephone = '+33613131313' where id = ${id!}`
      await tx`alter table usager enable trigger contact_journalise`
    })
    const [usager] = await world.sql`select telephone_prouve_at from usager where id = ${id!}`
    expect(usager!.telephone_prouve_at).toBeNull()
    await expect(world.sql`update usager set email = null, email_prouve_at = horloge() where id = ${id!}`).rejects.toThrow(
      'usager_preuve_d_un_contact',
    )
  })

  it('le code n’y est que haché, et n’y reste pas sans son brouillon', async () => {
    const { id } = await bySms('josiane', '06 55 55 55 60')
    const { code } = (await sent())!
    const [row] = await world.sql<{ t: string }[]>`select c::text as t from code_contact c where brouillon_id = ${id}`
    expect(row!.t).not.toContain(code)
    await world.sql`delete from brouillon where id = ${id}`
    expect(await world.sql`select 1 from code_contact`).toHaveLength(0)
    expect(await sent()).toBeUndefined()
  })
})
