import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openDossier } from '../../src/audit/open.ts'
import { openDb, type Who } from '../../src/db.ts'
import { findDemarche, listDemarches } from '../../src/demarche/queries.ts'
import { recordDemarche } from '../../src/demarche/record.ts'
import { RATES, takeToken } from '../../src/http/rates.ts'
import { closeSession, forgetSessions, openSession } from '../../src/http/session.ts'
import { LETTRES } from '../../src/lettres.ts'
import { announceBlockedCodes } from '../../src/mandat/announce-blocked.ts'
import { codeVerification } from '../../src/mandat/code.ts'
import { pauseMandat } from '../../src/mandat/pause.ts'
import { findMandatContenu } from '../../src/mandat/queries.ts'
import { recordStop } from '../../src/mandat/record-stop.ts'
import { resumeMandat } from '../../src/mandat/resume.ts'
import { stopMandat } from '../../src/mandat/stop.ts'
import { compteurDuContact, takeSms } from '../../src/notification/budget.ts'
import { deliverDue } from '../../src/notification/deliver.ts'
import { printPapier } from '../../src/papier/print.ts'
import { empreinteDuCodePrive, masque } from '../../src/usager/code-prive.ts'
import { codePriveForm } from '../../src/usager/forms.ts'
import { openByCode } from '../../src/usager/open-by-code.ts'
import { listDonnees } from '../../src/usager/queries.ts'
import { expectValidHtml } from '../support/html.ts'
import { statementsOf } from '../support/statements.ts'
import { type Browser, newWorld, ok, PUBLIC_URL, type Told, uneDemarche, type World } from '../support/world.ts'

const MINUTE = 60_000

let world: World
let told: Told
let code: string
let annee: string
beforeAll(async () => {
  world = await newWorld()
  told = await world.signMandat({ persona: 'josiane', perimetre: ['logement', 'argent'] })
  const [row] = await world.sql<{ birthdate: string }[]>`select birthdate from usager where id = ${told.usagerId}`
  annee = row!.birthdate.slice(0, 4)
  code = await print(told)
})
afterAll(() => world.close())
beforeEach(() => world.sql`delete from limite`)

/** Her sheet « Pour vous seulement », as an aidant prints it. */
const print = async ({ id }: Told, aidant: 'thomas' | 'fabrice' = 'thomas'): Promise<string> => {
  const printed = ok(await printPapier(world.db, world.as(aidant), { mandatId: id, papier: 'pour-vous' }, world.signer))
  if (printed.imprime.papier !== 'pour-vous') throw new Error('another paper')
  return printed.imprime.codePrive
}
/** As 0014 leaves it once the code sent at the accord has come back. */
const prove = (usagerId: string, contact: { telephone?: string; email?: string }, suivi = 'papier') =>
  world.sql.begin(async (tx) => {
    const { telephone = null, email = null } = contact
    await tx`set local session_replication_role = replica`
    await tx`
      update usager
      set telephone = ${telephone}, telephone_prouve_at = case when ${telephone !== null} then horloge() end,
        email = ${email}, email_prouve_at = case when ${email !== null} then horloge() end, suivi = ${suivi}
      where id = ${usagerId}`
  })
/** From the frozen moment onwards: time that went back would undo what was signed meanwhile. */
const goOn = async () => {
  const now = await world.now()
  await world.database.freeze(null)
  await world.database.travel(now)
}
/** This hour (UTC), so many days after the world's: a date written here would come, and be in its past. */
const days = async (after: number, hour: string) =>
  new Date(`${new Date((await world.now()).getTime() + after * 24 * 60 * MINUTE).toISOString().slice(0, 10)}T${hour}Z`)
const unknown = () => Array.from(randomBytes(12), (byte) => LETTRES[byte % LETTRES.length]).join('')
const typed = (fields: { code?: string; annee?: string } = {}) => ({ code, annee, ...fields })
const open = (fields: { code?: string; annee?: string } = {}, cookie?: string) =>
  world.post('/mon-espace/code', typed(fields), cookie)
const opened = async (fields = {}): Promise<Browser> => {
  const browser = world.browser()
  const page = await browser.post('/mon-espace/code', typed(fields))
  expect([page.status, page.location]).toEqual([303, `${PUBLIC_URL}/mon-espace`])
  return browser
}
const plain = (html: string) =>
  html
    .slice(html.indexOf('<main'), html.indexOf('</main>'))
    .replace(/<[^>]*>/g, ' ')
    .replace(/[\s\u00a0\u202f]+/g, ' ')
const read = async (browser: Browser, path: string): Promise<string> => {
  const page = await browser.get(path)
  expect([path, page.status]).toEqual([path, 200])
  await expectValidHtml(page.html)
  return plain(page.html)
}
const openings = async () =>
  (await world.sql`select at from acces where genre = 'espace_ouvert_par_code' and usager_id = ${told.usagerId}`).length
const sentCode = async () => {
  const [message] = await world.sql<{ corps: string; destinataire: string; due_at: Date; created_at: Date }[]>`
    select corps, destinataire, due_at, created_at from message where cle like 'connexion:%:preuve' order by created_at desc, id limit 1`
  return { ...message!, digits: /(\d{3}) (\d{3})/.exec(message!.corps)!.slice(1).join('') }
}

describe('la feuille et l’année de naissance', () => {
  it.each([
    ['comme il est imprimé', (one: string) => one],
    ['en minuscules', (one: string) => one.toLowerCase()],
    ['sans tirets', (one: string) => one.replaceAll('-', '')],
    ['avec des blancs et des tirets longs', (one: string) => ` ${one.replaceAll('-', ' – ')} `],
  ])('ouvrent son espace : code tapé %s', async (_, written) => {
    const browser = await opened({ code: written(code), annee: ` ${annee} ` })
    expect(await read(browser, '/mon-espace')).toContain('Le CCAS de Figeac peut faire vos démarches de logement')
  })

  it('la porte le propose, et la page se lit', async () => {
    const door = await world.browser().get('/mon-espace/connexion')
    expect(plain(door.html)).toContain('J’ai un papier avec un code')
    const page = await world.browser().get('/mon-espace/code')
    await expectValidHtml(page.html)
    expect(plain(page.html)).toContain('Votre code privé')
  })

  it('l’alphabet du formulaire est celui des codes', () => {
    for (const letter of LETTRES) expect(codePriveForm.safeParse({ code: letter.repeat(12), annee: '1950' }).success).toBe(true)
    for (const letter of '0124 5ACEILNOSUZ'.replace(' ', ''))
      expect([letter, codePriveForm.safeParse({ code: letter.repeat(12), annee: '1950' }).success]).toEqual([letter, false])
  })

  it('la base n’en garde que l’empreinte sous clé, et les compteurs rien qui le dise', async () => {
    await open({ annee: '1900' })
    for (const text of [code, code.replaceAll('-', '')]) expect(await world.tablesHolding(text)).toEqual([])
    expect(JSON.stringify(world.log)).not.toMatch(new RegExp(`${code}|${code.replaceAll('-', '')}`))
    const plainly = createHash('sha256')
      .update(`code_prive\n${code.replaceAll('-', '')}`)
      .digest()
    expect(await world.sql`select 1 from limite where cle = ${plainly}`).toEqual([])
    const [row] = await world.sql`select empreinte from code_prive where usager_id = ${told.usagerId} and replaced_at is null`
    expect(row!.empreinte).toEqual(empreinteDuCodePrive(world.config.secretsKey, code))
    expect(row!.empreinte).not.toEqual(empreinteDuCodePrive(randomBytes(32), code))
  })

  it('chaque ouverture lui est montrée, sans adresse, et la base l’écrit d’elle-même', async () => {
    const before = await openings()
    const browser = await opened()
    expect(await openings()).toBe(before + 1)
    expect(await read(browser, '/mon-espace/acces')).toMatch(
      /Le code de votre feuille Votre code a servi, le \d{1,2}(er)? \S+ 20\d\d à \d{1,2} h \d\d/,
    )
    const [held] = await world.sql<{ id: string }[]>`
      select id from code_prive where usager_id = ${told.usagerId} and replaced_at is null`
    const holder = { usagerId: told.usagerId, niveau: 'code_prive', codeId: held!.id } as const
    await world.db.tx({ kind: 'portier' }, (tx) => openSession(tx, holder))
    expect(await openings()).toBe(before + 2)
    const columns = await world.sql<
      { name: string }[]
    >`select column_name as name from information_schema.columns where table_name = 'acces'`
    expect(columns.map(({ name }) => name).filter((name) => /ip|adresse|addr/.test(name))).toEqual([])
  })

  it('une session ouverte ailleurs n’est jamais reprise, et celle du navigateur se ferme', async () => {
    const fixed = randomBytes(32).toString('base64url')
    const answer = await open({}, `session=${fixed}`)
    const [, given] = /session=([\w-]+)/.exec(answer.headers.get('set-cookie')!)!
    expect(given).not.toBe(fixed)
    expect((await world.get('/mon-espace', `session=${fixed}`)).status).toBe(303)
    const former = await world.sessionOf('josiane')
    expect((await open({}, former)).status).toBe(303)
    expect((await world.get('/mon-espace', former)).headers.get('location')).toMatch(/^\/mon-espace\/connexion/)
  })

  it('une aidante était connectée sur ce poste : elle ne l’est plus, et sa trace le dit', async () => {
    const left = async () =>
      (await world.sql`select 1 from acces where genre = 'deconnexion' and aidant_id = ${world.aidants.samira}`).length
    const before = await left()
    const cookie = await world.sessionOf('samira')
    expect((await open({}, cookie)).status).toBe(303)
    expect((await world.get('/personnes', cookie)).status).toBe(303)
    expect(await left()).toBe(before + 1)
  })

  it('trente minutes sans rien faire ferment l’espace', async () => {
    const browser = await opened()
    await world.database.travel({ ms: 29 * MINUTE })
    expect((await browser.get('/mon-espace')).status).toBe(200)
    await world.database.travel({ ms: 31 * MINUTE })
    expect((await browser.get('/mon-espace')).location).toMatch(/connexion/)
  })
})

describe('inconnu, une autre année, remplacé, essayé trop souvent', () => {
  const wrong = () => String(Number(annee) + 1)
  const seen = async (answer: Response) => {
    const headers = Object.fromEntries([...answer.headers].filter(([name]) => name !== 'x-request-id'))
    return { status: answer.status, headers, body: await answer.text() }
  }
  const lock = async () => {
    for (let tries = 0; tries < RATES.code_prive.count; tries++) await open({ annee: wrong() })
  }
  let replaced: string
  beforeAll(async () => {
    replaced = code
    code = await print(told)
  })

  it('même réponse, mêmes octets, aucune session, aucune ligne', async () => {
    const before = await openings()
    const answers = [
      await seen(await open({ code: unknown() })),
      await seen(await open({ annee: wrong() })),
      await seen(await open({ code: replaced })),
    ]
    await lock()
    answers.push(await seen(await open()))
    expect(answers[0]!.status).toBe(409)
    expect(answers[0]!.headers).not.toHaveProperty('set-cookie')
    for (const words of ['Le code et l’année ne vont pas ensemble', 'sur le mandat, ne sert qu’à vérifier'])
      expect(answers[0]!.body).toContain(words)
    await expectValidHtml(answers[0]!.body)
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(await openings()).toBe(before)
  })

  it('mêmes requêtes à la base', async () => {
    const queries = async (given: { code: string; annee: string }) => {
      const opened: boolean[] = []
      const statements = await statementsOf(world.db, async (db) =>
        opened.push((await openByCode(db, { ...given, previousSession: undefined }, world.config.secretsKey)).ok),
      )
      expect(opened).toEqual([false])
      return statements
    }
    const first = await queries({ code: unknown(), annee })
    expect(first).toHaveLength(2)
    expect(await queries({ code, annee: wrong() })).toEqual(first)
    expect(await queries({ code: replaced, annee })).toEqual(first)
    await lock()
    expect(await queries({ code, annee })).toEqual(first)
    // The one that kills a code, and the right year once it is dead.
    await world.sql`delete from limite`
    await world.sql`update code_prive_essai set faux = 14 where bloque_at is null`
    expect(await queries({ code, annee: wrong() })).toEqual(first)
    expect(await queries({ code, annee })).toEqual(first)
    code = await print(told)
  })

  it('mêmes écritures : une, quoi qu’il soit faux', async () => {
    const written = async (given: Partial<{ code: string; annee: string }>) => {
      await world.sql`delete from limite`
      await world.sql`delete from code_prive_essai`
      await open(given)
      // Beside the two that every try leaves, by address and by code.
      const [row] = await world.sql`
        select (select count(*) from limite)::int - 2 + (select count(*) from code_prive_essai)::int as count`
      return row!.count as number
    }
    for (const given of [{ code: unknown() }, { annee: wrong() }, { code: replaced }]) expect(await written(given)).toBe(1)
    expect(await written({})).toBe(0)
  })

  it('quinze années fausses en tout, jour après jour : le code est mort, comme s’il n’avait jamais été, et cela se dit', async () => {
    code = await print(told)
    await prove(told.usagerId, { telephone: '+33699887766' }, 'sms')
    await announceBlockedCodes(world.db, () => {})
    await world.sql`delete from message`
    const held = await opened()
    const counted = async () =>
      (
        await world.sql`select e.faux from code_prive_essai e join code_prive c on c.id = e.code_prive_id where c.replaced_at is null and c.usager_id = ${told.usagerId}`
      )[0]!
    const answers: string[] = []
    for (let day = 0; day < 3; day++) {
      await world.sql`delete from limite`
      for (let tries = 0; tries < 5; tries++) answers.push(JSON.stringify(await seen(await open({ annee: wrong() }))))
      // Beyond the day's five nothing is learnt, so nothing is counted either.
      answers.push(JSON.stringify(await seen(await open({ annee: wrong() }))))
      if (day === 1) expect((await counted()).faux).toBe(10)
    }
    await world.sql`delete from limite`
    answers.push(JSON.stringify(await seen(await open())), JSON.stringify(await seen(await open({ code: unknown() }))))
    expect(new Set(answers).size).toBe(1)
    expect((await held.get('/mon-espace')).location).toMatch(/connexion/)

    expect(await announceBlockedCodes(world.db, () => {})).toBe(1)
    expect(await announceBlockedCodes(world.db, () => {})).toBe(0)
    const said = await world.messages()
    expect(said.map(({ destinataire }) => destinataire).sort()).toEqual([
      '+33699887766',
      'nadia@figeac.demo',
      'thomas@figeac.demo',
    ])
    for (const { corps } of said) expect(corps).not.toMatch(new RegExp(`${annee}|${code}|Josiane|BOUSQUET|logement`, 'i'))
    expect(said.find(({ destinataire }) => destinataire === 'nadia@figeac.demo')!.chemin).toBe(`/mandats/${told.id}`)
    const her = world.browser(await world.sessionOf('josiane'))
    expect(await read(her, '/mon-espace/acces')).toContain('essayé quinze fois avec une autre année de naissance')

    code = await print(told)
    expect((await open()).status).toBe(303)
    await prove(told.usagerId, {})
  })

  it('qui suit sur papier l’apprend de la structure : la nouvelle est à remettre', async () => {
    code = await print(told)
    await world.sql`insert into code_prive_essai select id, 14 from code_prive where usager_id = ${told.usagerId} and replaced_at is null`
    await open({ annee: wrong() })
    const due = await world.browser(await world.sessionOf('ines')).get('/a-remettre')
    expect(plain(due.html)).toContain('Le code de sa feuille ne sert plus')
    code = await print(told)
  })

  it('essayée quinze fois à la fois, l’année fausse ne passe ni ne casse rien', async () => {
    code = await print(told)
    const empreinte = empreinteDuCodePrive(world.config.secretsKey, code)
    const tries = Array.from({ length: 20 }, () =>
      world.db.tx({ kind: 'portier' }, (tx) => tx.sql`select usager_id from ouvre_par_code(${empreinte}, ${wrong()}, true)`),
    )
    expect((await Promise.all(tries)).flat()).toEqual([])
    expect((await open()).status).toBe(409)
    code = await print(told)
  })

  it('cinq essais d’un code ferment ce code seul, un jour ; ouvrir ne compte pas', async () => {
    await world.database.freeze(await days(1, '10:00:00'))
    for (let tries = 0; tries < 2 * RATES.code_prive.count; tries++) expect((await open()).status).toBe(303)
    await lock()
    expect((await open()).status).toBe(409)
    await world.database.freeze(await days(0, '23:59:00'))
    expect((await open()).status).toBe(409)
    await world.database.freeze(await days(1, '00:00:01'))
    expect((await open()).status).toBe(303)
    await goOn()
  })

  it('une adresse qui essaie des codes est arrêtée calmement', async () => {
    const statuses: number[] = []
    for (let i = 0; i <= RATES.code_prive_adresse.count; i++) statuses.push((await open({ code: unknown() })).status)
    expect(new Set(statuses.slice(0, -1))).toEqual(new Set([409]))
    const last = await open({ code: unknown() })
    expect([statuses.at(-1), last.status]).toEqual([429, 429])
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(plain(await last.text())).toContain('Trop d’essais en peu de temps')
  })

  it.each([
    [{ code: '' }, 'Tapez le code écrit'],
    [{ code: 'ABCD' }, '12 lettres et chiffres'],
    [{ code: '0000-0000-0000' }, '12 lettres et chiffres'],
    [{ annee: '' }, 'Tapez l’année'],
    [{ annee: '50' }, 'quatre chiffres'],
  ])('mal tapé, se retape : %j', async (fields, sentence) => {
    const answer = await open(fields)
    expect(answer.status).toBe(422)
    const html = await answer.text()
    await expectValidHtml(html)
    expect(plain(html)).toContain(sentence)
  })
})

describe('chaque code n’ouvre que ce qui est à lui', () => {
  it('celui d’une autre personne ouvre le sien, et jamais avec une autre année', async () => {
    const other = await world.signMandat({ persona: 'marcel', perimetre: ['transports'] })
    const theirs = await print(other)
    const [row] = await world.sql<{ birthdate: string }[]>`select birthdate from usager where id = ${other.usagerId}`
    const year = row!.birthdate.slice(0, 4)
    expect(year).not.toBe(annee)
    expect((await open({ code: theirs })).status).toBe(409)
    expect((await open({ annee: year })).status).toBe(409)
    const browser = await opened({ code: theirs, annee: year })
    expect((await browser.get(`/mon-espace/mandats/${told.id}`)).status).toBe(404)
    expect((await browser.get(`/mon-espace/mandats/${other.id}`)).status).toBe(200)
  })

  it('le code de vérification n’ouvre rien ici, ni le code privé au guichet', async () => {
    const verification = codeVerification(world.config.secretsKey, told.id)
    expect((await world.post('/verifier', { code: verification, annee })).status).toBe(200)
    expect((await open({ code: verification })).status).toBe(409)
    expect((await world.post('/verifier', { code, annee })).status).toBe(409)
  })

  it('les mêmes lettres ailleurs ne sont pas le même code : une empreinte ne passe pas d’une table à l’autre', async () => {
    const verification = codeVerification(world.config.secretsKey, told.id)
    const [row] = await world.sql`select empreinte from code_verification where mandat_id = ${told.id}`
    expect(row!.empreinte).not.toEqual(empreinteDuCodePrive(world.config.secretsKey, verification))
    const [other] = await world.sql`select usager_id from code_prive where usager_id <> ${told.usagerId} and replaced_at is null`
    // Another person's private code happens to be those letters: each door opens its own.
    await world.sql`update code_prive set replaced_at = horloge() where usager_id = ${other!.usager_id} and replaced_at is null`
    await world.sql`
      insert into code_prive (usager_id, empreinte)
      values (${other!.usager_id}, ${empreinteDuCodePrive(world.config.secretsKey, verification)})`
    expect((await open({ code: verification })).status).toBe(409)
    expect((await world.post('/verifier', { code: verification, annee })).status).toBe(200)
  })

  it('nul autre que la porte ne cherche par un code', async () => {
    const empreinte = empreinteDuCodePrive(world.config.secretsKey, code)
    for (const who of [
      world.as('thomas'),
      world.asReferent('nadia'),
      { kind: 'verifier' } as const,
      await world.asUsager('marcel'),
    ]) {
      const [row] = await world.db.tx(who, (tx) => tx.sql`select usager_id from ouvre_par_code(${empreinte}, ${annee}, true)`)
      expect(row).toBeUndefined()
      const read = world.db.tx(who, (tx) => tx.sql`select empreinte from code_prive`)
      await expect(read).rejects.toThrow(/permission denied/)
    }
  })
})

describe('dans un espace ouvert avec le papier', () => {
  const SENSIBLE = { code: 'surendettement', titre: 'Préparer un dossier de surendettement', thematique: 'argent' as const }
  let demarches: { ordinaire: string; sensible: string; plainte: string }
  beforeAll(async () => {
    const note = async (more: Parameters<typeof uneDemarche>[2], thematique: 'logement' | 'argent' = 'logement') =>
      ok(await recordDemarche(world.db, world.as('thomas'), uneDemarche(told.id, thematique, more))).id
    const [found] = await world.sql<{ id: string }[]>`select id from demarche where mandat_id = ${told.id} limit 1`
    expect(found).toBeUndefined()
    demarches = {
      ordinaire: await note({ titre: 'Lettre au bailleur' }),
      sensible: await note({ ...SENSIBLE, note: 'Trois crédits' }, 'argent'),
      plainte: await note({ titre: 'Lettre au Défenseur des droits', nature: 'reclamation' }),
    }
    const [row] = await world.sql`select sensible from demarche where id = ${demarches.sensible}`
    expect(row!.sensible).toBe(true)
  })
  const HIDDEN = /dossier de surendettement|Trois crédits|Défenseur|DELPECH|Delpech|@|\+336|06 12/

  it('le confidentiel est caché, l’identité et les contacts aussi, et la page dit comment tout voir', async () => {
    await prove(told.usagerId, { telephone: '+33612345678', email: 'josiane@example.org' })
    const browser = await opened()
    for (const path of ['/mon-espace', `/mon-espace/mandats/${told.id}`, '/mon-espace/acces', '/mon-espace/tout-voir']) {
      const page = await browser.get(path)
      expect([path, page.status]).toEqual([path, 200])
      await expectValidHtml(page.html)
      expect(page.html.replaceAll(/[\u00a0\u202f]/g, ' ')).not.toMatch(HIDDEN)
      if (path !== '/mon-espace/tout-voir')
        expect(plain(page.html)).toContain('Pour tout voir, connectez-vous avec FranceConnect')
    }
    const mandat = await read(browser, `/mon-espace/mandats/${told.id}`)
    expect(mandat).toContain('Lettre au bailleur')
    expect(mandat.match(/Démarche confidentielle/g)).toHaveLength(2)
    expect(mandat).not.toContain('Le texte exact')
    expect((await browser.get('/mon-espace')).html).toContain('Josiane D.')
    // With FranceConnect, all of it.
    const whole = await (await world.get(`/mon-espace/mandats/${told.id}`, await world.sessionOf('josiane'))).text()
    for (const words of ['dossier de surendettement', 'Défenseur', 'Le texte exact']) expect(whole).toContain(words)
    expect(whole).not.toContain('Démarche confidentielle')
  })

  it.each(['/mon-espace/donnees', '/mon-espace/code-papier'])('%s attend FranceConnect', async (path) => {
    const page = await (await opened()).get(path)
    expect([page.status, page.location]).toEqual([303, `${PUBLIC_URL}/mon-espace/tout-voir`])
  })

  it('toute route de son espace qui n’a pas dit le contraire lui est fermée', async () => {
    const cookie = [...(await opened()).cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    for (const papier of ['mandat', 'releve', 'arret']) {
      const answer = await world.post(`/mon-espace/mandats/${told.id}/papiers/${papier}`, {}, cookie)
      expect([answer.status, answer.headers.get('location')]).toEqual([303, '/mon-espace/tout-voir'])
    }
    const resume = await world.post(`/mon-espace/mandats/${told.id}/reprise`, { quoi: 'tout' }, cookie)
    expect(resume.headers.get('location')).toBe('/mon-espace/tout-voir')
  })

  it('les règles de la base suffisent : nos filtres ôtés, rien de confidentiel ne sort, et rien ne s’écrit', async () => {
    const alone = openDb({ url: world.database.url, connections: 1, rlsOnly: true })
    const who = (niveau: 'identite' | 'code_prive' | 'contact_prouve') =>
      ({ kind: 'usager', usagerIds: [told.usagerId], niveau, imprimePar: told.structureId }) as Who & { kind: 'usager' }
    const all = async (niveau: 'identite' | 'code_prive' | 'contact_prouve') =>
      alone.tx(who(niveau), async (tx) => ({
        liste: (await listDemarches(tx, { mandatId: told.id })).demarches,
        une: await findDemarche(tx, demarches.sensible),
        contenu: await findMandatContenu(tx, told.id),
        mots: await tx.sql`select titre from demarche_contenu`,
        journal: await tx.sql`select payload from journal_contenu`,
        donnees: await listDonnees(tx),
      }))
    const whole = await all('identite')
    expect(JSON.stringify(whole)).toMatch(/dossier de surendettement.*Défenseur|Défenseur.*dossier de surendettement/)
    for (const niveau of ['code_prive', 'contact_prouve'] as const) {
      const seen = await all(niveau)
      expect(JSON.stringify({ ...seen, donnees: null })).not.toMatch(HIDDEN)
      expect(seen.contenu).toBeUndefined()
      expect(seen.mots).toHaveLength(1)
      expect(seen.journal).toEqual([])
      expect(seen.liste.map(({ titre, thematique }) => `${titre} ${thematique}`).sort()).toEqual([
        'Lettre au bailleur logement',
        'null null',
        'null null',
      ])
      expect(seen.une).toMatchObject({ titre: null, thematique: null, note: null })
    }
    expect((await all('code_prive')).donnees).toEqual([])
    // A word of no meaning is no more than the paper.
    expect((await all('autre' as 'identite')).mots).toHaveLength(1)

    const refused = { code: '42501' }
    await expect(stopMandat(alone, who('code_prive'), { mandatId: told.id })).rejects.toMatchObject(refused)
    await expect(pauseMandat(alone, who('code_prive'), { mandatId: told.id })).rejects.toMatchObject(refused)
    const paused = await world.signMandat({ persona: 'josiane', perimetre: ['loisirs'] })
    ok(await pauseMandat(world.db, who('contact_prouve'), { mandatId: paused.id }))
    await expect(resumeMandat(alone, who('contact_prouve'), { mandatId: paused.id })).rejects.toMatchObject(refused)
    for (const niveau of ['code_prive', 'contact_prouve'] as const)
      await expect(
        alone.tx(who(niveau), (tx) => tx.sql`select changer_code_prive(${told.usagerId}, null)`),
      ).rejects.toMatchObject(refused)
    await alone.close()
  })
})

describe('le jumeau sans sa règle se verrait', () => {
  /** Without what this policy adds to the others, for the time of `look`. */
  const without = async <T>(table: string, look: () => Promise<T>): Promise<T> => {
    const [policy] = await world.sql<{ qual: string | null; check: string | null }[]>`
      select qual, with_check as "check" from pg_policies where tablename = ${table} and policyname = 'a_son_niveau'`
    const say = (qual: string, check: string) =>
      world.sql.unsafe(`alter policy a_son_niveau on ${table} ${policy!.qual ? `using (${qual})` : `with check (${check})`}`)
    await say('true', 'true')
    try {
      return await look()
    } finally {
      await say(policy!.qual!, policy!.check!)
    }
  }
  const byCode = () =>
    ({ kind: 'usager', usagerIds: [told.usagerId], niveau: 'code_prive', imprimePar: told.structureId }) as const

  it.each(['demarche_contenu', 'journal_contenu', 'mandat_contenu', 'usager'])('lire %s', async (table) => {
    const rows = () => world.db.tx(byCode(), (tx) => tx.sql`select 1 from ${tx.sql(table)}`)
    const held = (await rows()).length
    expect((await without(table, rows)).length).toBeGreaterThan(held)
    expect(await rows()).toHaveLength(held)
  })

  it('écrire au journal, et donc arrêter', async () => {
    const { id } = await world.signMandat({ persona: 'josiane', perimetre: ['papiers'] })
    const stop = () => stopMandat(world.db, byCode(), { mandatId: id })
    await expect(stop()).rejects.toMatchObject({ code: '42501' })
    // Whom to tell is not readable either: the stop does not get to its end, but the line is written.
    const written = await without('journal', () =>
      stop().then(
        () => 'stopped',
        (error: Error) => error.message,
      ),
    )
    expect(written).not.toMatch(/policy/)
    await expect(stop()).rejects.toMatchObject({ code: '42501' })
  })
})

describe('une feuille ne montre que la structure qui l’a imprimée', () => {
  let here: Told
  let there: Told
  let year: string
  beforeAll(async () => {
    here = await world.signMandat({ persona: 'moussa', perimetre: ['logement', 'famille'] })
    there = await world.signMandat({ persona: 'moussa', aidant: 'fabrice', perimetre: ['social', 'travail'] })
    for (const [aidant, { id }, thematique] of [
      ['thomas', here, 'logement'],
      ['fabrice', there, 'social'],
    ] as const)
      ok(await recordDemarche(world.db, world.as(aidant), uneDemarche(id, thematique, { titre: `Chez ${aidant}` })))
    const her = await world.asUsager('moussa')
    for (const { id } of [here, there]) ok(await pauseMandat(world.db, her, { mandatId: id }))
    for (const { id } of [here, there]) ok(await resumeMandat(world.db, her, { mandatId: id }))
    for (const [aidant, { id }, thematique] of [
      ['thomas', here, 'famille'],
      ['fabrice', there, 'travail'],
    ] as const)
      ok(await recordStop(world.db, world.as(aidant), { mandatId: id, maniere: 'visite', recuLe: await world.now(), thematique }))
    for (const aidant of ['thomas', 'fabrice'] as const)
      expect((await world.get(`/personnes/${here.usagerId}`, await world.sessionOf(aidant))).status).toBe(200)
    for (const [direction, structure] of [
      ['nadia', 'figeac'],
      ['jocelyne', 'saintDenis'],
    ] as const) {
      const opening = { usagerId: here.usagerId, motif: 'controle', precision: null, envoi: randomUUID() } as const
      ok(await openDossier(world.db, world.asReferent(direction, structure), opening))
    }
    const [row] = await world.sql<{ birthdate: string }[]>`select birthdate from usager where id = ${here.usagerId}`
    year = row!.birthdate.slice(0, 4)
  })
  const seenWith = async (code: string) => {
    const browser = await opened({ code, annee: year })
    const [mine, theirs] = await Promise.all([here, there].map(({ id }) => browser.get(`/mon-espace/mandats/${id}`)))
    return { browser, statuses: [mine!.status, theirs!.status] }
  }

  it('ni les mandats, ni les actes, ni les noms, ni les consultations d’ailleurs', async () => {
    const { browser, statuses } = await seenWith(await print(here))
    expect(statuses).toEqual([200, 404])
    for (const path of ['/mon-espace', '/mon-espace/acces', '/mon-espace/tout-voir', '/mon-espace/confirmer'])
      expect([path, await read(browser, path)]).toEqual([path, expect.not.stringMatching(/Saint-Denis|Fabrice|Chez fabrice/)])
    expect(await read(browser, '/mon-espace')).toContain('Chez thomas')
  })

  it('celle d’une autre structure ne la remplace pas : chacune ouvre sa part, et la sienne propre ouvre tout', async () => {
    const [one, other] = [await print(here), await print(there, 'fabrice')]
    const first = await seenWith(one)
    expect(first.statuses).toEqual([200, 404])
    expect((await seenWith(other)).statuses).toEqual([404, 200])
    // Printed again by one, the other's space stays open.
    const again = await print(there, 'fabrice')
    expect((await first.browser.get('/mon-espace')).status).toBe(200)
    expect((await open({ code: other, annee: year })).status).toBe(409)
    const own = world.browser(await world.sessionOf('moussa'))
    expect((await read(own, '/mon-espace/code-papier')).match(/sur votre feuille/g)).toHaveLength(2)
    const page = await own.post('/mon-espace/code-papier', { geste: 'remplacer' })
    const [hers] = /[36789BDFGHJKMPQRTVWXY]{4}(-[36789BDFGHJKMPQRTVWXY]{4}){2}/.exec(page.html)!
    expect((await seenWith(hers)).statuses).toEqual([200, 200])
    for (const former of [one, again]) expect((await open({ code: former, annee: year })).status).toBe(409)
    expect((await first.browser.get('/mon-espace')).location).toMatch(/connexion/)
    // Printed since, hers still opens.
    await print(here)
    expect((await seenWith(hers)).statuses).toEqual([200, 200])
  })

  it('imprimée, elle lui est dite au contact qu’elle a prouvé, sans un mot de ses affaires', async () => {
    const told = async (contact: Parameters<typeof prove>[1], suivi = 'papier') => {
      await prove(here.usagerId, contact, suivi)
      await world.sql`delete from message`
      await print(here)
      return world.messages()
    }
    const [mail, ...more] = await told({ email: 'moussa@example.org' }, 'email')
    expect(more).toEqual([])
    expect(mail).toMatchObject({
      canal: 'email',
      destinataire: 'moussa@example.org',
      cle: expect.stringMatching(/^feuille:\d+$/),
    })
    expect(mail!.corps).toContain('imprimée par le CCAS de Figeac')
    const [sms] = await told({ telephone: '+33611223344' })
    expect(sms).toMatchObject({ canal: 'sms', destinataire: '+33611223344' })
    expect(sms!.corps.length).toBeLessThanOrEqual(160)
    expect(sms!.corps).toContain('le CCAS de Figeac. Vous ne l')
    for (const { corps } of [mail!, sms!]) expect(corps).not.toMatch(/Moussa|logement|Logement|https?:/)
    // What was never proven may be anyone's.
    await world.sql.begin(async (tx) => {
      await tx`set local session_replication_role = replica`
      await tx`update usager set email = 'autre@example.org', email_prouve_at = null, telephone = null, telephone_prouve_at = null where id = ${here.usagerId}`
    })
    await world.sql`delete from message`
    await print(here)
    expect(await world.messages()).toEqual([])
  })

  const TABLES = [
    'mandat',
    'autorisation',
    'suspension',
    'arret_recu',
    'demarche',
    'dossier',
    'ouverture',
    'journal',
    'acces',
    'structure',
    'habilitation',
    'aidant',
  ]
  const rows = (table: string, who: Record<string, unknown>) =>
    world.db.tx(
      { kind: 'usager', usagerIds: [here.usagerId], ...who } as unknown as Who,
      async (tx) => (await tx.sql`select 1 from ${tx.sql(table)}`).length,
    )
  it.each(TABLES)('par la base seule, et sans sa règle cela se verrait : %s', async (table) => {
    const all = await rows(table, { niveau: 'identite' })
    const byHers = { niveau: 'code_prive', imprimePar: null }
    expect(await rows(table, byHers)).toBe(all)
    for (const niveau of ['code_prive', 'contact_prouve']) {
      const [mine, theirs] = [here, there].map(({ structureId }) => ({ niveau, imprimePar: structureId }))
      const seen = [await rows(table, mine!), await rows(table, theirs!)]
      for (const count of seen) {
        expect(count).toBeGreaterThan(0)
        expect(count).toBeLessThan(all)
      }
    }
    const mine = { niveau: 'code_prive', imprimePar: here.structureId }
    const [policy] = await world.sql<{ qual: string }[]>`
      select qual from pg_policies where tablename = ${table} and policyname = 'de_ce_code'`
    await world.sql.unsafe(`alter policy de_ce_code on ${table} using (true)`)
    const open = await rows(table, mine)
    await world.sql.unsafe(`alter policy de_ce_code on ${table} using (${policy!.qual})`)
    expect(open).toBeGreaterThan(await rows(table, mine))
  })

  it('ce qui n’est pas dit n’ouvre rien : ni niveau, ni structure', async () => {
    const seen = await world.db.tx(await world.asUsager('moussa'), async (tx) => {
      const count = async () => [
        (await tx.sql`select 1 from mandat`).length,
        (await tx.sql`select 1 from journal_contenu`).length,
        (await tx.sql`select 1 from usager`).length,
      ]
      const whole = await count()
      await tx.sql`select set_config('app.niveau', '', true)`
      return { whole, unsaid: await count() }
    })
    expect(seen).toEqual({ whole: [2, expect.any(Number), 1], unsaid: [0, 0, 0] })
  })

  it('une session ouverte avec une feuille est celle d’un code, et d’un code à elle', async () => {
    const [other] = await world.sql<{ id: string }[]>`
      select id from code_prive where usager_id = ${told.usagerId} and replaced_at is null`
    const forged = (codeId: string | null) =>
      world.db.tx({ kind: 'portier' }, (tx) =>
        openSession(tx, { usagerId: here.usagerId, niveau: 'code_prive', codeId: codeId as string }),
      )
    await expect(forged(null)).rejects.toMatchObject({ constraint_name: 'session_de_ce_code' })
    await expect(forged(other!.id)).rejects.toMatchObject({ code: '23503' })
  })

  it('imprimée de nouveau pendant que le code reçu revient, elle ferme aussi la session qui prend la suite', async () => {
    const code = await print(here)
    const browser = await opened({ code, annee: year })
    const [row] = await world.sql<{ id: string; codeId: string }[]>`
      select id, code_prive_id as "codeId" from session where usager_id = ${here.usagerId} and ended_at is null and niveau = 'code_prive'
      order by created_at desc limit 1`
    let printing: Promise<string> | undefined
    const token = await world.db.tx({ kind: 'portier' }, async (tx) => {
      await closeSession(tx, row!.id)
      const next = await openSession(tx, { usagerId: here.usagerId, niveau: 'contact_prouve', codeId: row!.codeId })
      printing = print(here)
      await sleep(300)
      return next
    })
    await printing
    for (const cookie of [`session=${token}`, `session=${browser.cookies.get('session')}`])
      expect((await world.get('/mon-espace', cookie)).status).toBe(303)
  })
})

describe('arrêter ou mettre en pause, avec un code envoyé à son contact prouvé', () => {
  let mandat: Told
  beforeAll(async () => {
    mandat = await world.signMandat({ persona: 'josiane', perimetre: ['travail', 'transports'] })
  })
  const arreter = () => `/mon-espace/mandats/${mandat.id}/arreter`
  const confirmer = (suite = arreter()) => `/mon-espace/confirmer?suite=${encodeURIComponent(suite)}`
  const etat = async () => (await world.sql`select etat from mandat_etat where id = ${mandat.id}`)[0]!.etat as string
  const ask = async (browser: Browser) => {
    const page = await browser.post(confirmer(), {})
    expect(page.location).toBe(`${PUBLIC_URL}/mon-espace/confirmer/code?suite=${encodeURIComponent(arreter())}`)
    return { code: await sentCode(), form: page.location! }
  }

  it('sans contact prouvé : FranceConnect, le téléphone ou le papier, et rien ne part', async () => {
    await prove(told.usagerId, {})
    await world.sql`delete from message`
    const browser = await opened()
    // No large button that a refusal would end: the other ways.
    for (const path of ['/mon-espace', `/mon-espace/mandats/${mandat.id}`]) {
      const { html } = await browser.get(path)
      expect(html).toContain('<a href="/mon-espace/confirmer" class="button primary">')
      expect(html).not.toMatch(/\/(arreter|pause|reprise)"/)
    }
    expect((await browser.get(arreter())).location).toBe(`${PUBLIC_URL}${confirmer()}`)
    for (const page of [await browser.get(confirmer()), await browser.post(confirmer(), {})]) {
      await expectValidHtml(page.html)
      expect(plain(page.html)).toMatch(
        /S’identifier avec France ?Connect.*Le CCAS de Figeac : 05.*, 5 rue de Colomb, 46100 Figeac.*coupez le bas de votre feuille/,
      )
    }
    // Of an act that she does not agree with: how to say so, which no slip does.
    const dire = await browser.get(confirmer('/mon-espace/demarches/1'))
    await expectValidHtml(dire.html)
    expect(plain(dire.html)).toMatch(
      /Dire que vous n’êtes pas d’accord, ou arrêter,.*écrivez au responsable.*Pour arrêter, coupez/,
    )
    expect(await world.messages()).toEqual([])
    // A number written but never proven is no better.
    await world.sql.begin(async (tx) => {
      await tx`set local session_replication_role = replica`
      await tx`update usager set telephone = '+33699999999' where id = ${told.usagerId}`
    })
    expect((await browser.post(confirmer(), {})).status).toBe(409)
    expect(await world.messages()).toEqual([])
  })

  it('le code part à l’heure où elle le demande, au contact masqué ; tapé, elle arrête ; la session a changé', async () => {
    await prove(told.usagerId, { telephone: '+33612345678' })
    await world.database.freeze(await days(1, '22:30:00'))
    const browser = await opened()
    expect((await browser.get('/mon-espace')).html).toContain(`href="${arreter()}"`)
    const former = browser.cookies.get('session')!
    for (const path of [arreter(), `/mon-espace/mandats/${mandat.id}/pause`]) {
      const page = await browser.get(path)
      expect(page.location).toBe(`${PUBLIC_URL}/mon-espace/confirmer?suite=${encodeURIComponent(path)}`)
    }
    expect((await browser.post(arreter(), { quoi: 'tout' })).location).toContain('/mon-espace/confirmer')
    expect(await etat()).toBe('actif')
    expect(await read(browser, confirmer())).toContain('tapez le code que nous envoyons au 06 •• •• •• 78')

    const { code: sent, form } = await ask(browser)
    expect([sent.destinataire, sent.due_at]).toEqual(['+33612345678', sent.created_at])
    const left: string[] = []
    await deliverDue(
      world.db,
      async ({ destinataire }) => void left.push(destinataire),
      () => {},
      world.config,
    )
    expect(left).toContain('+33612345678')
    expect(sent.corps).not.toMatch(/Josiane|Figeac|http/)
    expect(sent.corps.length).toBeLessThanOrEqual(160)
    expect(await world.tablesHolding(sent.digits)).toEqual([])
    expect(await read(browser, form)).toContain('06 •• •• •• 78')
    const proven = await browser.post(form, { code: ` ${sent.digits.slice(0, 3)} ${sent.digits.slice(3)}` })
    expect(proven.location).toBe(`${PUBLIC_URL}${arreter()}`)
    expect(browser.cookies.get('session')).not.toBe(former)
    expect((await world.get('/mon-espace', `session=${former}`)).status).toBe(303)

    expect(await read(browser, arreter())).toContain('Arrêter tout ce mandat')
    expect((await browser.post(`/mon-espace/mandats/${mandat.id}/pause`, { quoi: 'transports' })).status).toBe(303)
    expect((await browser.get(`/mon-espace/mandats/${mandat.id}/reprise`)).location).toBe(`${PUBLIC_URL}/mon-espace/tout-voir`)
    expect((await browser.post(arreter(), { quoi: 'tout' })).location).toBe(`${PUBLIC_URL}/mon-espace/mandats/${mandat.id}/arret`)
    expect(await read(browser, `/mon-espace/mandats/${mandat.id}/arret`)).toContain('n’a plus le droit de faire vos démarches')
    expect(await etat()).toBe('termine')
    // What was read stays as it was: the sensitive is still hidden, her data still closed.
    expect(await read(browser, `/mon-espace/mandats/${told.id}`)).toContain('Démarche confidentielle')
    expect((await browser.get('/mon-espace/donnees')).status).toBe(303)
    // Nobody stops with it half an hour later, though the space is still open.
    await world.database.travel({ ms: 20 * MINUTE })
    expect((await browser.get('/mon-espace')).status).toBe(200)
    await world.database.travel({ ms: 11 * MINUTE })
    expect((await browser.get('/mon-espace')).status).toBe(200)
    expect((await browser.get(`/mon-espace/mandats/${told.id}/arreter`)).location).toContain('/mon-espace/confirmer')
    await goOn()
  })

  it('une réponse pour tout ce qui ne va pas : faux, trois fois, trop vieux, déjà servi, remplacé, d’une autre session', async () => {
    mandat = await world.signMandat({ persona: 'josiane', perimetre: ['travail', 'transports'] })
    await prove(told.usagerId, { telephone: '+33612345678' })
    const wrongOf = (digits: string) => (digits === '000000' ? '111111' : '000000')
    const bodies: Record<string, string> = {}
    const refused = async (why: string, browser: Browser, form: string, digits: string) => {
      const page = await browser.post(form, { code: digits })
      expect([why, page.status]).toEqual([why, 409])
      bodies[why] = page.html
    }
    const one = await opened()
    const first = await ask(one)
    for (const why of ['faux', 'deux fois', 'trois fois']) await refused(why, one, first.form, wrongOf(first.code.digits))
    await refused('juste, après trois faux', one, first.form, first.code.digits)

    const second = await ask(one)
    await refused('celui d’avant', one, second.form, first.code.digits === second.code.digits ? '000001' : first.code.digits)
    const other = await opened()
    await refused('jamais demandé, ou d’une autre session', other, second.form, second.code.digits)
    await world.database.travel({ ms: 10 * MINUTE + 1000 })
    await refused('trop vieux', one, second.form, second.code.digits)

    const third = await ask(one)
    const token = one.cookies.get('session')!
    expect((await one.post(third.form, { code: third.code.digits })).status).toBe(303)
    const [row] = await world.sql`select used_at from code_preuve order by created_at desc limit 1`
    expect(row!.used_at).not.toBeNull()
    // Replayed with the session it served: that one is over.
    expect((await world.post(third.form, { code: third.code.digits }, `session=${token}`)).headers.get('location')).toMatch(
      /connexion/,
    )
    expect(new Set(Object.values(bodies)).size).toBe(1)
    expect(plain(bodies.faux!)).toContain('Ce n’est pas le bon code, ou il ne sert plus')
    await expectValidHtml(bodies.faux!)
  })

  it('trois codes par heure, dans quelque session que ce soit', async () => {
    await prove(told.usagerId, { email: 'josiane@example.org' }, 'email')
    await world.database.freeze(await world.now())
    await world.sql`delete from message`
    for (let i = 0; i < RATES.code_preuve.count; i++) await ask(await opened())
    const page = await (await opened()).post(confirmer(), {})
    expect(page.status).toBe(409)
    expect(plain(page.html)).toContain('Plusieurs codes sont déjà partis')
    expect(plain(page.html)).toContain('j••••@example.org')
    expect(await world.messages()).toHaveLength(RATES.code_preuve.count)
    await goOn()
  })

  it('plus un SMS à ce numéro aujourd’hui : rien n’est perdu, la page dit comment arrêter sans lui, et demain il part', async () => {
    await prove(told.usagerId, { telephone: '+33612345678' })
    const now = await world.now()
    await world.sql`delete from message`
    await world.db.tx({ kind: 'portier' }, async (tx) => {
      const number = compteurDuContact(world.config.secretsKey, '+33612345678')
      for (let n = 0; n < RATES.sms_numero.count; n++) await takeToken(tx, 'sms_numero', number)
    })
    const browser = await opened()
    const page = await browser.post(confirmer(), {})
    await expectValidHtml(page.html)
    expect(page.status).toBe(409)
    expect(plain(page.html)).toMatch(
      /Plus aucun SMS ne peut partir.*demain.*Arrêter maintenant.*S’identifier avec France ?Connect.*Le CCAS de Figeac : 05/,
    )
    expect(await world.messages()).toEqual([])
    expect(world.log.findLast(({ event }) => event === 'sms_refuse')).toMatchObject({ level: 'warn', reason: 'sms_numero' })
    await world.database.freeze(new Date(now.getTime() + 24 * 60 * MINUTE))
    await ask(await opened())
    expect(await world.messages()).toHaveLength(1)
    await goOn()
  })

  it('ni les nouvelles d’elle, ni ce que d’autres font partir, ne prennent le SMS qui arrête', async () => {
    const number = '+33612345678'
    await prove(told.usagerId, { telephone: number })
    await world.database.freeze(await world.now())
    const limits = { ...world.config, smsParJour: 30 }
    const taken = (...asked: [to: string, pour: Parameters<typeof takeSms>[3]]) =>
      world.db.tx({ kind: 'portier' }, (tx) => takeSms(tx, limits, ...asked))
    // Paused again and again by an aidant, she is told each time.
    for (let n = 0; n < 10; n++) expect(await taken(number, 'nouvelle')).toBeUndefined()
    expect(await taken(number, 'nouvelle')).toBe('sms_numero')
    // Of the thirty of the day, others take all that they may.
    const refused = []
    for (let n = 0; n < 20; n++) refused.push(await taken(`+336000000${n}`, n % 2 ? world.as('thomas') : 'nouvelle'))
    expect(refused).toEqual([...Array(17).fill(undefined), ...Array(3).fill('sms_total')])
    await ask(await opened())
    expect([await taken(number, 'arret'), await taken(number, 'arret')]).toEqual([undefined, 'sms_numero'])
    expect([await taken('+33600000099', 'arret'), await taken('+33600000098', 'arret')]).toEqual([undefined, 'sms_total'])
    await goOn()
  })

  it('une personne ne fait pas partir plus de douze codes dans le jour, quels que soient les numéros et celle de ses identités', async () => {
    await world.database.freeze(await world.now())
    const hers = [told.usagerId, randomUUID()]
    const spent = []
    for (let n = 0; n < 13; n++) {
      const by = { kind: 'usager', usagerIds: n % 2 ? hers : hers.toReversed(), niveau: 'identite' } as const
      spent.push(await world.db.tx({ kind: 'portier' }, (tx) => takeSms(tx, world.config, `+336000001${n}`, by)))
    }
    expect(spent).toEqual([...Array(12).fill(undefined), 'sms_personne'])
    await goOn()
  })

  it('le contact prouvé à l’accord sert de lui-même', async () => {
    const theirs = await world.signMandat({ persona: 'fatma', suivi: 'sms', contact: '+33698765432' })
    const [row] = await world.sql<{ birthdate: string }[]>`select birthdate from usager where id = ${theirs.usagerId}`
    const browser = await opened({ code: await print(theirs), annee: row!.birthdate.slice(0, 4) })
    expect(await read(browser, `/mon-espace/confirmer`)).toContain('06 •• •• •• 32')
  })

  it('les codes envoyés s’oublient avec leur session', async () => {
    expect((await world.sql`select 1 from code_preuve`).length).toBeGreaterThan(0)
    await world.database.travel({ ms: 25 * 60 * MINUTE })
    await world.db.tx({ kind: 'worker' }, forgetSessions)
    expect(await world.sql`select 1 from code_preuve`).toEqual([])
  })

  it('ne mène jamais ailleurs que dans son espace', async () => {
    await prove(told.usagerId, { telephone: '+33612345678' })
    const browser = await opened()
    const there = (await browser.post(confirmer('https://ailleurs.example/'), {})).location!
    expect(there).toBe(`${PUBLIC_URL}/mon-espace/confirmer/code?suite=%2Fmon-espace`)
    const { digits } = await sentCode()
    const evil = `/mon-espace/confirmer/code?suite=${encodeURIComponent('//ailleurs.example/mon-espace/')}`
    expect((await browser.post(evil, { code: digits })).location).toBe(`${PUBLIC_URL}/mon-espace`)
  })

  it.each([
    [{ canal: 'sms', contact: '+33612345678' }, '06 •• •• •• 78'],
    [{ canal: 'sms', contact: '0712345699' }, '07 •• •• •• 99'],
    [{ canal: 'sms', contact: '+262692123456' }, '06 •• •• •• 56'],
    [{ canal: 'sms', contact: '+4915112345678' }, '•• •• •• •• 78'],
    [{ canal: 'email', contact: 'josiane.delpech@example.org' }, 'j••••@example.org'],
  ] as const)('masque : %j', (contact, shown) => {
    expect(masque(contact).replaceAll('\u00a0', ' ')).toBe(shown)
  })
})

describe('« Mon code papier », avec FranceConnect', () => {
  const PAGE = '/mon-espace/code-papier'
  const usages = async () =>
    (
      await world.sql<{ genre: string }[]>`
        select genre from acces where usager_id = ${told.usagerId} and genre like 'code_prive%' order by id`
    ).map(({ genre }) => genre)

  it('ne promet d’arrêter avec lui qu’à qui peut recevoir un code', async () => {
    const browser = world.browser(await world.sessionOf('josiane'))
    await prove(told.usagerId, {})
    expect(await read(browser, PAGE)).toMatch(/pour lire seulement\. Pour arrêter avec lui, il faut aussi un numéro/)
    await prove(told.usagerId, { telephone: '+33612345678' })
    expect(await read(browser, PAGE)).toContain('pour lire, et pour arrêter ou mettre en pause avec un code reçu')
    expect(await read(browser, PAGE)).not.toContain('seulement. Pour arrêter')
  })

  it('dit quand il a été donné, par qui, et sa dernière ouverture', async () => {
    code = await print(told)
    const browser = world.browser(await world.sessionOf('josiane'))
    expect(await read(browser, PAGE)).toMatch(
      /Donné le \d.* à .*Par Le CCAS de Figeac, sur votre feuille.*A servi en dernier Pas encore/,
    )
    await opened()
    expect(await read(browser, PAGE)).toMatch(/A servi en dernier \d{1,2}(er)? \S+ 20\d\d à/)
  })

  it('se remplace d’un geste : le nouveau est montré une fois, l’ancien et ce qu’il avait ouvert se ferment', async () => {
    const held = await opened()
    const browser = world.browser(await world.sessionOf('josiane'))
    const former = code
    const page = await browser.post(PAGE, { geste: 'remplacer' })
    expect(page.status).toBe(200)
    expect(page.headers.get('cache-control')).toContain('no-store')
    await expectValidHtml(page.html)
    const [shown] = /[36789BDFGHJKMPQRTVWXY]{4}(-[36789BDFGHJKMPQRTVWXY]{4}){2}/.exec(page.html)!
    // Asked for in larger letters, it would be another page, without the code.
    expect(page.html).not.toContain('ecriture=')
    expect(await read(browser, PAGE)).not.toContain(shown)
    expect(await read(browser, PAGE)).toContain('Vous, dans cet espace')
    expect(await world.tablesHolding(shown!)).toEqual([])
    expect((await held.get('/mon-espace')).location).toMatch(/connexion/)
    expect((await browser.get('/mon-espace')).status).toBe(200)
    expect((await open({ code: former })).status).toBe(409)
    code = shown!
    await opened()
    expect((await usages()).at(-1)).toBe('code_prive_remplace')
    expect(await read(browser, '/mon-espace/acces')).toContain('Vous avez pris un nouveau code, le')
  })

  it('s’annule d’un geste, et se reprend ; chaque fois dit', async () => {
    const browser = world.browser(await world.sessionOf('josiane'))
    const before = await usages()
    expect((await browser.post(PAGE, { geste: 'annuler' })).location).toBe(`${PUBLIC_URL}${PAGE}`)
    expect(await read(browser, PAGE)).toContain('Vous n’avez pas de code en ce moment')
    expect((await open()).status).toBe(409)
    // Pressed twice: nothing to cancel, nothing to say.
    await browser.post(PAGE, { geste: 'annuler' })
    const neither = await browser.post(PAGE, { geste: 'nimporte' })
    expect(neither.status).toBe(422)
    expect(plain(neither.html)).toContain('Une réponse est à revoir')
    await expectValidHtml(neither.html)
    expect(await usages()).toEqual([...before, 'code_prive_annule'])
    expect((await browser.post(PAGE, { geste: 'remplacer' })).status).toBe(200)
    code = await print(told)
    await opened()
  })

  it('une feuille imprimée de nouveau ferme ce que l’ancienne avait ouvert', async () => {
    const held = await opened()
    code = await print(told)
    expect((await held.get('/mon-espace')).location).toMatch(/connexion/)
  })

  it('nul ne change le code d’une autre', async () => {
    const marcel = await world.asUsager('marcel')
    for (const who of [marcel, world.as('thomas'), { kind: 'portier' } as const])
      await expect(world.db.tx(who, (tx) => tx.sql`select changer_code_prive(${told.usagerId}, null)`)).rejects.toMatchObject({
        code: '42501',
      })
    await opened()
  })
})
