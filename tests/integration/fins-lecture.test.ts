import { afterAll, beforeAll, expect, it } from 'vitest'
import { newWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await newWorld()
})
afterAll(() => world.close())

const PAGES = ['arreter', 'renoncer', 'deces', 'protection', 'renouveler'] as const
const vues = async (usagerId: string) =>
  (await world.sql`select 1 from acces where usager_id = ${usagerId} and genre = 'mandat_consulte'`).length

it.each(
  PAGES,
)('%s : la page qui montre le mandat s’écrit au journal des accès, et la direction ne la lit pas sans motif', async (page) => {
  const { id, usagerId } = await world.signMandat({ persona: 'odette' })
  const before = await vues(usagerId)
  expect((await world.get(`/mandats/${id}/${page}`, await world.sessionOf('ines'))).status).toBe(200)
  expect(await vues(usagerId)).toBe(before + 1)

  const nadia = await world.sessionOf('nadia')
  const closed = await world.get(`/mandats/${id}/${page}`, nadia)
  expect([closed.status, closed.headers.get('location')]).toEqual([303, `/structure/personnes/${usagerId}`])
  // What is badly filled in shows it too.
  const wrong = await world.post(`/mandats/${id}/${page}`, {}, nadia)
  expect([wrong.status, wrong.headers.get('location')]).toEqual([303, `/structure/personnes/${usagerId}`])
  expect(await vues(usagerId)).toBe(before + 1)
})

it('une fin se note pourtant sans motif : elle n’attend jamais', async () => {
  const { id } = await world.signMandat({ persona: 'marcel' })
  const ended = await world.post(`/mandats/${id}/renoncer`, { confirme: 'oui' }, await world.sessionOf('nadia'))
  expect(ended.headers.get('location')).toBe(`/mandats/${id}/arret?fait=1`)
  const [row] = await world.sql`select ended_how from mandat where id = ${id}`
  expect(row).toEqual({ ended_how: 'renonce' })
})

it('finie, la page renvoie au mandat, sans rien noter de plus', async () => {
  const { id, usagerId } = await world.signMandat({ persona: 'josiane' })
  const ines = await world.sessionOf('ines')
  await world.post(`/mandats/${id}/renoncer`, { confirme: 'oui' }, ines)
  const before = await vues(usagerId)
  expect((await world.get(`/mandats/${id}/deces`, ines)).headers.get('location')).toBe(`/mandats/${id}`)
  expect(await vues(usagerId)).toBe(before)
  // A letter that came before may still be noted.
  expect((await world.get(`/mandats/${id}/arreter`, ines)).status).toBe(200)
})
