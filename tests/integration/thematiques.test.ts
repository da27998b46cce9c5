import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { signMandat } from '../../src/mandat/sign.ts'
import { thematiquesPage } from '../../views/mandat/thematiques.ts'
import { expectValidHtml } from '../support/html.ts'
import { newWorld, ok, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await newWorld()
})
afterAll(() => world.close())
const desactivees = async (structure: 'figeac' | 'saintDenis' = 'figeac') => {
  const [row] = await world.sql`select thematiques_desactivees as d from structure where id = ${world.structures[structure]}`
  return row!.d as string[]
}
const ADRESSE = '/structure/thematiques'
const set = async (thematiques: readonly string[], who: 'nadia' | 'thomas' = 'nadia') =>
  world.browser(await world.sessionOf(who)).post(ADRESSE, { thematiques })
const lines = async () => (await world.lines()).filter(({ action }) => action === 'structure_modifiee')
const TOUTES = ['papiers', 'famille', 'social', 'travail', 'logement', 'transports', 'argent', 'justice', 'etranger', 'loisirs']
beforeEach(async () => {
  await set(TOUTES.filter((one) => one !== 'justice'))
})

describe('ce que la structure propose', () => {
  it('se règle par la référente, avec sa ligne ; la même chose n’en écrit pas', async () => {
    const browser = world.browser(await world.sessionOf('nadia'))
    const page = await browser.get(ADRESSE)
    await expectValidHtml(page.html)
    expect(page.html.match(/name="thematiques"[^>]* checked/g)).toHaveLength(9)
    const before = (await lines()).length
    const other = await desactivees('saintDenis')
    expect((await set(['logement', 'justice'])).status).toBe(303)
    expect(await desactivees()).toEqual(TOUTES.filter((one) => !['logement', 'justice'].includes(one)))
    expect(await desactivees('saintDenis')).toEqual(other)
    expect((await set(['logement', 'justice'])).status).toBe(303)
    const written = (await lines()).slice(before)
    expect(written.map(({ acteur, structureId }) => [acteur, structureId])).toEqual([['aidant', world.structures.figeac]])
    expect(JSON.parse(written[0]!.payload!)).toEqual({ thematiques_desactivees: await desactivees() })
  })

  it('en garde une au moins, et ne se règle pas par une aidante', async () => {
    const before = await desactivees()
    const none = await set([])
    expect([none.status, none.html.includes('Gardez au moins une thématique')]).toEqual([422, true])
    await expectValidHtml(none.html)
    expect((await set(['tout'])).status).toBe(422)
    expect((await set(['logement'], 'thomas')).status).toBe(404)
    expect(await desactivees()).toEqual(before)
    await expect(world.sql`update structure set thematiques_desactivees = thematiques()`).rejects.toThrow(
      'structure_une_thematique_reste',
    )
  })

  it('un refus de la règle se lit sur la page', async () => {
    const page = thematiquesPage({ frame: { space: 'aidant' }, offertes: [], refusal: 'aucune_thematique_offerte' })
    await expectValidHtml(page)
    expect(page).toContain('une structure en propose au moins une')
  })

  it('en retirer une n’arrête aucun mandat, mais aucun nouveau ne la contient', async () => {
    const { id } = await world.signMandat({ persona: 'josiane', perimetre: ['logement'] })
    const pending = await world.draft({ persona: 'odette', perimetre: ['logement'] })
    await set(['papiers'])
    expect(await world.sql`select 1 from mandat where id = ${id} and ended_at is null`).toHaveLength(1)
    const browser = world.browser(await world.sessionOf('thomas'))
    expect((await browser.get('/mandats/nouveau')).html).not.toContain('value="logement"')
    const refused = await browser.post('/mandats/nouveau', { protegee: 'non', thematiques: ['logement'], duree: 'mois' })
    expect(refused.status).toBe(409)
    const code = await world.freshCode('thomas')
    const signing = { brouillonId: pending, code }
    expect(await signMandat(world.db, world.as('thomas'), signing, world.signer)).toMatchObject({
      refusal: 'thematique_desactivee',
    })
    await set(['papiers', 'logement'])
    ok(await signMandat(world.db, world.as('thomas'), { ...signing, code: await world.freshCode('thomas') }, world.signer))
  })

  it('la base ne le laisse changer ni sans ligne, ni par qui ne dirige pas, ni chez une autre', async () => {
    const change = (who: Parameters<World['db']['tx']>[0], structure: 'figeac' | 'saintDenis') =>
      world.db.tx(
        who,
        async (tx) =>
          (
            await tx.sql`update structure set thematiques_desactivees = '{argent}' where id = ${world.structures[structure]} returning 1`
          ).length,
      )
    await expect(change(world.asReferent('nadia'), 'figeac')).rejects.toThrow('a structure changes with its line')
    expect(await change(world.asReferent('nadia'), 'saintDenis')).toBe(0)
    expect(await change(world.as('nadia'), 'figeac')).toBe(0)
    // The word alone is not enough: Thomas directs nothing.
    expect(await change(world.asReferent('thomas'), 'figeac')).toBe(0)
  })
})
