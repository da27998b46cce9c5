import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openDb } from '../../src/db.ts'
import { closeSessions } from '../../src/http/session.ts'
import { listSessions } from '../../src/http/session-queries.ts'
import { newWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await newWorld({ connections: 4 })
  await world.signMandat({ persona: 'odette' })
  await world.signMandat({ persona: 'marcel' })
})
afterAll(() => world.close())
beforeEach(() => world.sql`update session set ended_at = horloge() where ended_at is null`)

const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0'
const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1'

const idOf = async (cookie: string) => {
  const [row] = await world.sql`
    select id from session where jeton = sha256(${cookie.slice('session='.length)}::text::bytea)`
  return row!.id as string
}
/** As after a minute of use: a request says again where it comes from. */
const quietSince = (minutes: number) =>
  world.sql`update session set last_seen_at = horloge() - make_interval(mins => ${minutes}) where ended_at is null`
const page = async (path: string, cookie: string, agent?: string) => {
  const answer = await world.get(path, cookie, agent ? { 'user-agent': agent } : {})
  return { status: answer.status, html: await answer.text() }
}
const open = async () => (await world.sql`select id from session where ended_at is null`).map(({ id }) => id as string).sort()

describe.each([
  { who: 'thomas', path: '/mes-connexions', ailleurs: '/personnes' },
  { who: 'odette', path: '/mon-espace/connexions', ailleurs: '/mon-espace' },
])('mes connexions ($who)', ({ who, path, ailleurs }) => {
  it('dit de quel appareil et de quel réseau chacune vient, et garde cela en mots et en empreinte', async () => {
    const [here, there] = [await world.sessionOf(who), await world.sessionOf(who)]
    await quietSince(2)
    await page(ailleurs, there, IPHONE)
    await world.sql`update session set reseau = sha256('ailleurs') where id = ${await idOf(there)}`
    await page(ailleurs, here, FIREFOX)
    const shown = await page(path, here, FIREFOX)
    expect(shown.status).toBe(200)
    expect(shown.html).toContain('Safari sur un iPhone')
    expect(shown.html).toContain('depuis un autre réseau')
    expect(shown.html).not.toContain('depuis le même réseau')
    expect(shown.html).not.toContain('Firefox') // « Cet appareil »
    expect(shown.html.includes('Grande écriture')).toBe(who === 'odette')
    expect((await page(path, there, IPHONE)).html).toContain('Firefox sur un ordinateur Windows')
    const [row] = await world.sql`select reseau from session where id = ${await idOf(here)}`
    const keyed = createHmac('sha256', world.config.secretsKey).update('reseau\ninconnue').digest()
    expect(row!.reseau).toEqual(keyed)
  })

  it('ferme celle qu’on désigne : morte à la demande suivante, l’autre reste', async () => {
    const [here, there] = [await world.sessionOf(who), await world.sessionOf(who)]
    const closed = await world.post(`${path}/${await idOf(there)}/fermer`, {}, here)
    expect([closed.status, closed.headers.get('location')]).toEqual([303, `${path}?fait=fermee`])
    expect((await page(`${path}?fait=fermee`, here)).html).toContain('C’est fermé')
    expect((await page(path, here)).html).not.toContain('C’est fermé')
    expect((await page(ailleurs, there)).status).toBe(303)
    expect((await page(ailleurs, here)).status).toBe(200)
  })

  it('ferme toutes les autres', async () => {
    const here = await world.sessionOf(who)
    for (let n = 0; n < 3; n++) await world.sessionOf(who)
    const other = await world.sessionOf(who === 'thomas' ? 'ines' : 'marcel')
    await world.post(`${path}/autres/fermer`, {}, here)
    expect(await open()).toEqual([await idOf(here), await idOf(other)].sort())
  })

  it('ne ferme ni ne montre celle d’une autre personne, et répond comme pour une inconnue', async () => {
    const here = await world.sessionOf(who)
    for (const stranger of ['ines', 'marcel']) {
      const theirs = await world.sessionOf(stranger)
      const id = await idOf(theirs)
      await quietSince(2)
      await page(stranger === 'ines' ? '/personnes' : '/mon-espace', theirs, IPHONE)
      expect((await page(path, here)).html).not.toContain('iPhone')
      const answers = [id, '11111111-1111-4111-8111-111111111111'].map((one) => world.post(`${path}/${one}/fermer`, {}, here))
      const [foreign, absent] = await Promise.all(answers)
      expect([foreign!.status, foreign!.headers.get('location')]).toEqual([absent!.status, absent!.headers.get('location')])
      expect(await open()).toContain(id)
    }
  })

  it('la sécurité par ligne seule ne laisse voir et fermer que les siennes', async () => {
    const rls = openDb({ url: world.database.url, connections: 1, rlsOnly: true })
    try {
      const here = await idOf(await world.sessionOf(who))
      const theirs = await Promise.all((['ines', 'marcel'] as const).map(async (one) => idOf(await world.sessionOf(one))))
      const by = who === 'thomas' ? world.as('thomas') : await world.asUsager('odette')
      const seen = await rls.tx(by, (tx) => listSessions(tx, here))
      expect(seen.map(({ id }) => id)).toEqual([here])
      for (const id of theirs) await rls.tx(by, (tx) => closeSessions(tx, { id }))
      expect(await open()).toEqual([here, ...theirs].sort())
    } finally {
      await rls.close()
    }
  })
})

it('la fermeture d’une session d’aidant laisse sa trace, aussi celle ouverte dans une autre structure', async () => {
  const [here] = [await world.sessionOf('samira', 'figeac'), await world.sessionOf('samira', 'saintDenis')]
  const before = await world.sql`select structure_id from acces where genre = 'deconnexion'`
  await world.post('/mes-connexions/autres/fermer', {}, here)
  const after = await world.sql`select structure_id from acces where genre = 'deconnexion' order by id`
  expect(after.slice(before.length).map(({ structure_id }) => structure_id)).toEqual([world.structures.saintDenis])
})

it('« rester » tient la session éveillée, et ne rouvre pas celle qui s’est fermée', async () => {
  const cookie = await world.sessionOf('thomas')
  const id = await idOf(cookie)
  await quietSince(29)
  expect((await world.get('/mes-connexions/rester', cookie)).status).toBe(204)
  const [row] = await world.sql`select last_seen_at > horloge() - interval '1 minute' as awake from session where id = ${id}`
  expect(row!.awake).toBe(true)
  await quietSince(31)
  expect((await world.get('/mes-connexions/rester', cookie)).status).toBe(303)
})
