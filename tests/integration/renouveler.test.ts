import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { constraintOf } from '../../src/db.ts'
import { keepIdentity, openIdentification } from '../../src/mandat/identify.ts'
import { THEMATIQUES, type Thematique } from '../../src/mandat/mandat.ts'
import { renewMandat } from '../../src/mandat/renew.ts'
import { setThematiques } from '../../src/mandat/set-thematiques.ts'
import { chooseAgain } from '../../src/mandat/start.ts'
import { stopMandat } from '../../src/mandat/stop.ts'
import { expectValidHtml } from '../support/html.ts'
import { newWorld, ok, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await newWorld()
})
afterAll(() => world.close())
beforeEach(() => world.sql`delete from brouillon`)

const renew = (mandatId: string, duree = 'mois') =>
  renewMandat(world.db, world.as('thomas'), mandatId, { thematiques: ['logement'], duree })
const identify = async (brouillonId: string, persona: string) => {
  const { nonce } = ok(await openIdentification(world.db, world.as('thomas'), { brouillonId, navigateur: undefined }))
  return keepIdentity(world.db, world.as('thomas'), brouillonId, await world.identified(persona, nonce))
}

it('elle seule renouvelle son mandat : d’une autre, rien n’est gardé, et la base le refuse aussi', async () => {
  const { id } = await world.signMandat({ persona: 'odette' })
  const { id: draft } = ok(await renew(id))
  expect(await identify(draft, 'josiane')).toEqual({ ok: false, refusal: 'autre_personne' })
  expect(await world.tablesHolding('DELPECH')).toEqual([])
  const [row] = await world.sql`select identite, id_token, perimetre from brouillon where id = ${draft}`
  expect(row).toEqual({ identite: null, id_token: null, perimetre: ['logement'] })
  const other = await world.draft({ persona: 'josiane', upTo: 'identite' })
  await expect(
    world.sql`
      update brouillon b
      set identite = o.identite, id_token = o.id_token, jwks_id = o.jwks_id, auth_time = o.auth_time, identified_at = o.identified_at
      from brouillon o
      where b.id = ${draft} and o.id = ${other}`,
  ).rejects.toThrow('renewal')
  await expect(world.sql`update brouillon set usager_id = null where id = ${draft}`).rejects.toThrow('renewal')
  expect(await identify(draft, 'odette')).toEqual({ ok: true })
})

it('jamais plus long, ni plus large : ni au départ, ni en changeant les choix', async () => {
  const { id } = await world.signMandat({ perimetre: ['logement', 'social'], duree: 'trimestre' })
  expect(await renew(id, 'semestre')).toEqual({ ok: false, refusal: 'renouvellement_plus_long' })
  const { id: draft } = ok(await renew(id, 'trimestre'))
  const choose = (thematiques: string[], duree: string) =>
    chooseAgain(world.db, world.as('thomas'), draft, { thematiques, duree })
  expect(await choose(['logement', 'argent'], 'mois')).toEqual({ ok: false, refusal: 'renouvellement_elargi' })
  expect(await choose(['logement'], 'an')).toEqual({ ok: false, refusal: 'renouvellement_plus_long' })
  expect(await choose(['logement'], 'mois')).toEqual({ ok: true, id: draft })
})

it('la base aussi refuse un renouvellement plus long ou plus large que ce qui reste, et un brouillon qui s’élargit', async () => {
  const { id, usagerId, structureId, aidantId } = await world.signMandat({
    perimetre: ['logement', 'social'],
    duree: 'trimestre',
  })
  const open = (perimetre: string[], duree: string) =>
    world.sql`
      insert into brouillon (structure_id, aidant_id, usager_id, perimetre, duree)
      values (${structureId}, ${aidantId}, ${usagerId}, ${perimetre}, ${duree})
      returning id`.then(
      ([row]) => row!.id as string,
      (error) => constraintOf(error),
    )
  expect(await open(['logement'], 'semestre')).toBe('renouvelle_sans_elargir')
  expect(await open(['logement', 'argent'], 'mois')).toBe('renouvelle_sans_elargir')
  ok(await stopMandat(world.db, await world.asUsager('odette'), { mandatId: id, thematique: 'social' }))
  expect(await open(['social'], 'mois')).toBe('renouvelle_sans_elargir')
  const draft = await open(['logement'], 'mois')
  for (const set of [{ duree: 'trimestre' }, { perimetre: ['logement', 'social'] }])
    await expect(world.sql`update brouillon set ${world.sql(set as never)} where id = ${draft!}`).rejects.toMatchObject({
      constraint_name: 'renouvelle_sans_elargir',
    })
  await expect(world.sql`update brouillon set duree = 'jour' where id = ${draft!}`).resolves.toBeDefined()
  ok(await stopMandat(world.db, await world.asUsager('odette'), { mandatId: id }))
  expect(await open(['logement'], 'mois')).toBe('renouvelle_sans_elargir')
})

it('dit ce qui n’est pas repris, quand la structure ne le propose plus', async () => {
  const { id } = await world.signMandat({ perimetre: ['logement', 'transports'] })
  const offer = async (offertes: readonly Thematique[]) =>
    ok(await setThematiques(world.db, { ...world.as('nadia'), kind: 'referent' }, offertes))
  const read = async () => (await world.get(`/mandats/${id}/renouveler`, await world.sessionOf('thomas'))).text()
  expect(await read()).not.toContain('Pas repris')
  await offer(THEMATIQUES.filter((one) => one !== 'transports'))
  const page = await read()
  await offer(THEMATIQUES)
  await expectValidHtml(page)
  expect(page).toContain('Pas repris : transports')
  expect(page).not.toContain('value="transports"')
})

it('par l’écran : les durées plus longues ne sont pas proposées, et le refus est dit', async () => {
  const { id } = await world.signMandat({ duree: 'trimestre' })
  const cookie = await world.sessionOf('thomas')
  const path = `/mandats/${id}/renouveler`
  const page = await (await world.get(path, cookie)).text()
  await expectValidHtml(page)
  for (const [duree, offered] of [
    ['jour', true],
    ['mois', true],
    ['trimestre', true],
    ['semestre', false],
    ['an', false],
  ] as const)
    expect(page.includes(`value="${duree}"`)).toBe(offered)
  expect(page).toContain('Un renouvellement n’est jamais plus long que le mandat d’avant')
  expect(page).toContain('Un renouvellement n’ajoute rien')
  const longer = await world.post(path, { protegee: 'non', thematiques: 'logement', duree: 'an' }, cookie)
  expect([longer.status, (await longer.text()).includes('Un renouvellement n’est jamais plus long')]).toEqual([409, true])
  const { id: draft } = ok(await renew(id))
  const choix = await (await world.get(`/mandats/brouillons/${draft}/choix`, cookie)).text()
  await expectValidHtml(choix)
  expect([choix.includes('value="argent"'), choix.includes('value="an"')]).toEqual([false, false])
})
