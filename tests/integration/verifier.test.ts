import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { RATES } from '../../src/http/rates.ts'
import { LETTRES } from '../../src/lettres.ts'
import { codeVerification, empreinteDuCode } from '../../src/mandat/code.ts'
import { stopMandat } from '../../src/mandat/stop.ts'
import { checkCode } from '../../src/verification/check-code.ts'
import { giveCodes } from '../../src/verification/give-codes.ts'
import { statementsOf } from '../support/statements.ts'
import { newWorld, type Told, type World } from '../support/world.ts'

let world: World
let told: Told
let code: string
/** Odette's, in the personas of the simulator. */
let annee: string

beforeAll(async () => {
  world = await newWorld()
  told = await world.signMandat({ perimetre: ['logement', 'social', 'argent'], accordees: ['logement', 'social'] })
  code = codeVerification(world.config.secretsKey, told.id)
  const [row] = await world.sql<{ birthdate: string }[]>`select birthdate from usager where id = ${told.usagerId}`
  annee = row!.birthdate.slice(0, 4)
})
afterAll(() => world.close())
beforeEach(() => world.sql`delete from limite`)

const verifier = (fields: Record<string, string>) => world.post('/verifier', fields)
const plain = async (answer: Response) => (await answer.text()).replace(/[\u00a0\u202f]/g, ' ')

describe('le code imprimé', () => {
  it('n’est connu de la base que par son empreinte', async () => {
    expect(await world.sql`select mandat_id::text, empreinte from code_verification`).toEqual([
      { mandat_id: told.id, empreinte: empreinteDuCode(code) },
    ])
    for (const text of [code, code.replaceAll('-', '')]) expect(await world.tablesHolding(text)).toEqual([])
  })

  it('avec l’année de naissance, dit ce que dit le papier et son statut, sans rien mettre dans l’adresse', async () => {
    const answer = await verifier({ code, annee })
    expect([answer.status, answer.headers.get('location')]).toEqual([200, null])
    const page = await plain(answer)
    for (const words of ['Odette', 'CCAS de Figeac', annee, 'Logement', 'Social - Santé', 'le mandat est en cours'])
      expect(page).toContain(words)
    expect(page).toContain('Demandez une pièce d’identité à qui présente ce papier.')
    expect(page).toContain('Vous n’êtes pas obligé d’accepter.')
    // What she did not grant, how she is reached, who the aidant is: not on it, and the code not again.
    for (const words of ['Argent', 'Thomas', '@', told.id, told.usagerId, code]) expect(page).not.toContain(words)
  })

  it.each([
    ['/Verifier', '/verifier'],
    ['/v%C3%A9rifier/', '/verifier'],
    ['/Mon-Espace/', '/mon-espace'],
    ['/V', '/v'],
    ['/journal/', '/journal'],
  ])('l’adresse d’un papier, tapée %s, mène à %s ; aucune autre', async (typed, address) => {
    const answer = await world.get(typed)
    expect([answer.status, answer.headers.get('location')]).toEqual([302, address])
    expect((await world.get(`${typed}x`)).status).toBe(404)
  })

  it.each([
    ['en minuscules', (one: string) => one.toLowerCase()],
    ['sans tirets', (one: string) => one.replaceAll('-', '')],
    ['avec des blancs et des tirets longs', (one: string) => ` ${one.replaceAll('-', ' – ')} `],
  ])('se tape %s', async (_, written) => {
    expect((await verifier({ code: written(code), annee: ` ${annee} ` })).status).toBe(200)
  })

  it.each([
    [{ annee: '1950' }, 'Tapez le code imprimé'],
    [{ code: '', annee: '1950' }, 'Tapez le code imprimé'],
    [{ code: 'ABCD', annee: '1950' }, '12 lettres et chiffres'],
    [{ code: '0000-0000-0000', annee: '1950' }, '12 lettres et chiffres'],
    [{ code: '3333-3333-3333' }, 'Tapez l’année'],
    [{ code: '3333-3333-3333', annee: '50' }, 'quatre chiffres'],
    [{ code: '3333-3333-3333', annee: '12/03/1950' }, 'quatre chiffres'],
  ])('mal tapé, se retape : %j', async (fields, sentence) => {
    const answer = await verifier(fields as Record<string, string>)
    expect(answer.status).toBe(422)
    expect(await plain(answer)).toContain(sentence)
  })

  it('vient aussi aux mandats signés avant qu’il existe, quand le service démarre', async () => {
    const [before] = await world.sql`delete from code_verification where mandat_id = ${told.id} returning empreinte`
    expect((await verifier({ code, annee })).status).not.toBe(200)
    await giveCodes(world.db, world.config.secretsKey)
    await giveCodes(world.db, world.config.secretsKey)
    expect(await world.sql`select empreinte from code_verification where mandat_id = ${told.id}`).toEqual([before])
    expect((await verifier({ code, annee })).status).toBe(200)
  })

  it('dit chaque thématique arrêtée, puis le mandat', async () => {
    const other = await world.signMandat({ persona: 'josiane', perimetre: ['logement', 'social'] })
    const [row] = await world.sql<{ birthdate: string }[]>`select birthdate from usager where id = ${other.usagerId}`
    const fields = { code: codeVerification(world.config.secretsKey, other.id), annee: row!.birthdate.slice(0, 4) }
    const by = await world.asUsager('josiane')
    await stopMandat(world.db, by, { mandatId: other.id, thematique: 'social' })
    const half = await plain(await verifier(fields))
    expect(half).toContain('le mandat est en cours')
    expect(half).toContain('Arrêté')
    await stopMandat(world.db, by, { mandatId: other.id })
    const over = await plain(await verifier(fields))
    expect(over).toContain('le mandat est arrêté')
    // Not to be taken: nothing says how one would.
    expect(over).not.toMatch(/pièce d’identité|pas obligé/)
  })

  it('dit qu’il est arrivé à sa fin', async () => {
    const before = await world.now()
    await world.database.travel(told.expiresAt)
    expect(await plain(await verifier({ code, annee }))).toContain('arrivé à sa fin')
    await world.database.travel(before)
  })
})

describe('inconnu, une autre année, essayé trop souvent', () => {
  // Tries are counted by the hour and its quarters: none ends between two of them.
  beforeAll(async () => world.database.freeze(await world.now()))
  afterAll(() => world.database.freeze(null))
  const unknown = () => Array.from(randomBytes(12), (byte) => LETTRES[byte % LETTRES.length]).join('')
  const wrong = () => String(Number(annee) + 1)
  /** What the answer is, but for what differs from one request to any other. */
  const seen = async (answer: Response) => {
    const headers = Object.fromEntries([...answer.headers].filter(([name]) => name !== 'x-request-id'))
    return { status: answer.status, headers, body: await answer.text() }
  }
  const lock = async () => {
    for (let tries = 0; tries < RATES.verifier_code.count; tries++) await verifier({ code, annee: wrong() })
  }

  it('même réponse, mêmes octets', async () => {
    const answers = [await seen(await verifier({ code: unknown(), annee })), await seen(await verifier({ code, annee: wrong() }))]
    await lock()
    answers.push(await seen(await verifier({ code, annee })))
    expect(answers[0]!.status).toBe(409)
    expect(answers[0]!.body).toContain('Aucun mandat n’a ce code avec cette année de naissance')
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
  })

  it('mêmes requêtes à la base', async () => {
    const queries = async (typed: { code: string; annee: string }) => {
      const checked: boolean[] = []
      const statements = await statementsOf(world.db, async (db) => checked.push((await checkCode(db, typed)).ok))
      expect(checked).toEqual([false])
      return statements
    }
    const first = await queries({ code: unknown(), annee })
    expect(first).toHaveLength(2)
    expect(await queries({ code: code.replaceAll('-', ''), annee: wrong() })).toEqual(first)
    await lock()
    expect(await queries({ code: code.replaceAll('-', ''), annee })).toEqual(first)
  })

  it('cinq essais d’un code ferment ce code seul, une heure', async () => {
    await lock()
    expect((await verifier({ code, annee })).status).toBe(409)
    const before = await world.now()
    await world.database.travel({ ms: RATES.verifier_code.seconds * 1000 })
    expect((await verifier({ code, annee })).status).toBe(200)
    await world.database.travel(before)
  })

  it('un code juste ne se ferme pas à force de servir', async () => {
    for (let tries = 0; tries < 2 * RATES.verifier_code.count; tries++) expect((await verifier({ code, annee })).status).toBe(200)
  })

  it('qui tape comme une machine attend', async () => {
    let calls = 0
    while ((await verifier({ code: unknown(), annee })).status === 409 && calls < 100) calls++
    expect(calls).toBe(RATES.verifier_adresse.count)
    const late = await verifier({ code, annee })
    expect([late.status, Number(late.headers.get('retry-after')) > 0]).toEqual([429, true])
  })
})

describe('la base, sans l’application', () => {
  let app: postgres.Sql
  beforeAll(() => {
    app = postgres(world.database.url, { max: 1, onnotice: () => {} })
  })
  afterAll(() => app.end())
  const as = <T>(context: Record<string, string>, work: (tx: postgres.TransactionSql) => Promise<T>) =>
    app.begin(async (tx) => {
      for (const [key, value] of Object.entries(context)) await tx`select set_config(${key}, ${value}, true)`
      return work(tx)
    })
  const aidant = () => ({ 'app.who': 'aidant', 'app.aidant_id': told.aidantId, 'app.structure_id': told.structureId })

  it('personne ne lit les empreintes', async () => {
    for (const context of [aidant(), { 'app.who': 'verifier' }, { 'app.who': 'usager', 'app.usager_ids': `{${told.usagerId}}` }])
      await expect(as(context, (tx) => tx`select 1 from code_verification`)).rejects.toMatchObject({ code: '42501' })
  })

  it('la fonction ne répond qu’à la vérification, au code entier et à l’année', async () => {
    const ask = (context: Record<string, string>, empreinte: Buffer, year: string) =>
      as(context, (tx) => tx`select thematique from verifie(${empreinte}, ${year})`)
    const digest = empreinteDuCode(code)
    expect(await ask({ 'app.who': 'verifier' }, digest, annee)).toHaveLength(2)
    for (const year of ['', String(Number(annee) + 1), annee.slice(0, 3), '%'])
      expect(await ask({ 'app.who': 'verifier' }, digest, year)).toHaveLength(0)
    expect(await ask({ 'app.who': 'verifier' }, digest.subarray(0, 31), annee)).toHaveLength(0)
    for (const who of ['aidant', 'portier', 'usager', 'worker', ''])
      expect(await ask({ 'app.who': who }, digest, annee)).toHaveLength(0)
  })

  it('un aidant ne donne de code qu’à ce qu’il signe, et n’en change aucun', async () => {
    const other = await world.signMandat({ aidant: 'fabrice', persona: 'marcel' })
    await world.sql`delete from code_verification where mandat_id = ${other.id}`
    const give = (context: Record<string, string>) =>
      as(context, (tx) => tx`insert into code_verification (mandat_id, empreinte) values (${other.id}, ${randomBytes(32)})`)
    await expect(give(aidant())).rejects.toMatchObject({ code: '42501' })
    await expect(give({ 'app.who': 'verifier' })).rejects.toMatchObject({ code: '42501' })
    await expect(as(aidant(), (tx) => tx`update code_verification set empreinte = ${randomBytes(32)}`)).rejects.toMatchObject({
      code: '42501',
    })
    await expect(as(aidant(), (tx) => tx`delete from code_verification`)).rejects.toMatchObject({ code: '42501' })
    await expect(world.sql`update code_verification set empreinte = ${randomBytes(32)}`).rejects.toMatchObject({ code: '42501' })
  })
})

describe('la page du QR', () => {
  it('est la même pour tous, se garde, et n’efface rien du navigateur d’un tiers', async () => {
    const answer = await world.get('/v')
    expect([answer.status, answer.headers.get('cache-control'), answer.headers.get('set-cookie')]).toEqual([
      200,
      'no-cache',
      null,
    ])
    expect(answer.headers.get('content-security-policy')).toMatch(/script-src 'self'.*connect-src 'self'/)
    const worker = await world.get('/v-sw.js')
    expect(worker.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    expect(worker.headers.get('content-security-policy')).toContain("connect-src 'self'")
    for (const path of ['/v', '/v-sw.js', '/verifier', '/.well-known/jwks.json', '/statuts/0'])
      expect((await world.get(path)).headers.get('clear-site-data'), path).toBeNull()
  })

  it('un autre site ne peut pas faire oublier /v à ce navigateur', async () => {
    for (const path of ['/deconnexion', '/mon-espace/deconnexion']) {
      const answer = await world.post(path, {}, undefined, { origin: 'https://autre.test', 'sec-fetch-site': 'cross-site' })
      expect([answer.status, answer.headers.get('clear-site-data')]).toEqual([403, null])
    }
  })

  it('la déconnexion, elle, efface tout ce que ce navigateur gardait', async () => {
    const answer = await world.post('/mon-espace/deconnexion', {}, await world.sessionOf('odette'))
    expect(answer.headers.get('clear-site-data')).toBe('"cache", "storage"')
  })
})
