import { afterAll, beforeAll, expect, it } from 'vitest'
import { forgetPapiersRemis } from '../../src/mandat/forget.ts'
import { takeBack } from '../../src/mandat/hand-over.ts'
import { listPapiersDus, listPapiersRemis } from '../../src/mandat/papier-du-queries.ts'
import { pauseMandat } from '../../src/mandat/pause.ts'
import { recordStop } from '../../src/mandat/record-stop.ts'
import { resumeMandat } from '../../src/mandat/resume.ts'
import { stopMandat } from '../../src/mandat/stop.ts'
import { terminateMandat } from '../../src/mandat/terminate.ts'
import { jourEtHeure } from '../../views/kit/words.ts'
import { expectValidHtml } from '../support/html.ts'
import { newWorld, ok, PUBLIC_URL, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await newWorld()
})
afterAll(() => world.close())

const ADRESSE = '/a-remettre'
const dus = (mandatId: string) =>
  world.sql<
    { quoi: string }[]
  >`select quoi from papier_du where mandat_id = ${mandatId} and remis_at is null order by created_at, quoi`.then((rows) =>
    rows.map(({ quoi }) => quoi),
  )

const aRemettre = async (browser: ReturnType<World['browser']>) =>
  (await browser.get(ADRESSE)).html.split('Remis aujourd’hui')[0]!

it('qui est prévenue sur papier, ou par un téléphone que d’autres lisent, est dans la liste à chaque nouvelle ; les autres jamais', async () => {
  const paper = await world.signMandat({ persona: 'odette', perimetre: ['logement', 'social'] })
  const sms = await world.signMandat({ persona: 'marcel', suivi: 'sms', contact: '+33611223344' })
  const her = await world.asUsager('odette')
  ok(await pauseMandat(world.db, her, { mandatId: paper.id }))
  ok(await resumeMandat(world.db, her, { mandatId: paper.id }))
  ok(await stopMandat(world.db, her, { mandatId: paper.id, thematique: 'social' }))
  ok(await stopMandat(world.db, her, { mandatId: paper.id }))
  expect((await dus(paper.id)).sort()).toEqual(['arret', 'pause', 'reprise', 'signe'])
  expect(await dus(sms.id)).toEqual([])
  await world.sql`update usager set contact_lecteur = 'famille' where id = ${sms.usagerId}`
  ok(await stopMandat(world.db, await world.asUsager('marcel'), { mandatId: sms.id }))
  expect(await dus(sms.id)).toEqual(['arret'])
})

it('la page des aidants de la structure, et d’elle seule ; « Remis » une fois, avec qui et quand', async () => {
  const { id } = await world.signMandat({ persona: 'josiane' })
  const browser = world.browser(await world.sessionOf('ines'))
  const page = await browser.get(ADRESSE)
  await expectValidHtml(page.html)
  expect(page.html).toContain('DELPECH')
  expect(page.html).not.toMatch(/[Ll]ogement/)
  expect((await browser.get('/personnes')).html).toContain(`href="${ADRESSE}"`)
  const [du] = await world.sql<{ id: string }[]>`select id from papier_du where mandat_id = ${id}`
  const elsewhere = world.browser(await world.sessionOf('fabrice'))
  expect((await elsewhere.get(ADRESSE)).html).not.toContain('DELPECH')
  expect((await elsewhere.post(ADRESSE, { papier: du!.id })).status).toBe(404)
  expect(await dus(id)).toEqual(['signe'])

  expect((await browser.post(ADRESSE, { papier: du!.id })).location).toBe(`${PUBLIC_URL}${ADRESSE}?remis=1`)
  const done = await browser.get(`${ADRESSE}?remis=1`)
  await expectValidHtml(done.html)
  expect(await aRemettre(browser)).not.toContain('DELPECH')
  const [row] = await world.sql`select remis_at is not null as remis, remis_par from papier_du where id = ${du!.id}`
  expect(row).toEqual({ remis: true, remis_par: world.aidants.ines })
  expect((await browser.post(ADRESSE, { papier: du!.id })).status).toBe(404)
  await expect(world.sql`update papier_du set remis_at = null where id = ${du!.id}`).rejects.toThrow('handed over once')

  await world.db.tx({ kind: 'worker' }, forgetPapiersRemis)
  expect(await world.sql`select 1 from papier_du where id = ${du!.id}`).toHaveLength(1)
  await world.database.freeze(new Date(Date.now() + 31 * 86_400_000))
  await world.db.tx({ kind: 'worker' }, forgetPapiersRemis)
  expect(await world.sql`select 1 from papier_du where id = ${du!.id}`).toHaveLength(0)
  await world.database.freeze(null)
})

it('« Remis » par erreur s’annule le jour même : le papier est de nouveau dû, et ce qui a été dit reste écrit', async () => {
  const { id } = await world.signMandat({ persona: 'marcel' })
  const thomas = world.browser(await world.sessionOf('thomas'))
  const ines = world.browser(await world.sessionOf('ines'))
  const [du] = await world.sql<{ id: string }[]>`select id from papier_du where mandat_id = ${id}`
  expect((await ines.post(`${ADRESSE}/annuler`, { papier: du!.id })).status).toBe(404)
  expect((await thomas.post(ADRESSE, { papier: du!.id })).status).toBe(303)
  const page = await ines.get(`${ADRESSE}?remis=1`)
  await expectValidHtml(page.html)
  expect(page.html).toMatch(/Remis aujourd’hui[\s\S]*par Thomas/)
  expect((await world.browser(await world.sessionOf('fabrice')).post(`${ADRESSE}/annuler`, { papier: du!.id })).status).toBe(404)

  expect((await ines.post(`${ADRESSE}/annuler`, { papier: du!.id })).location).toBe(`${PUBLIC_URL}${ADRESSE}?annule=1`)
  expect(await dus(id)).toEqual(['signe'])
  const rows = await world.sql`
    select remis_par, annule_par, created_at from papier_du where mandat_id = ${id} order by remis_at nulls last`
  expect(rows).toEqual([
    { remis_par: world.aidants.thomas, annule_par: world.aidants.ines, created_at: rows[0]!.created_at },
    { remis_par: null, annule_par: null, created_at: rows[0]!.created_at },
  ])
  expect((await ines.get(`${ADRESSE}?annule=1`)).html).not.toContain('Remis aujourd’hui')
  expect((await ines.post(`${ADRESSE}/annuler`, { papier: du!.id })).status).toBe(404)

  // The next day it is too late, for the page and for the database.
  const [again] = await world.sql<{ id: string }[]>`select id from papier_du where mandat_id = ${id} and remis_at is null`
  await thomas.post(ADRESSE, { papier: again!.id })
  await world.database.freeze(new Date(Date.now() + 86_400_000))
  expect(await world.db.tx(world.as('ines'), (tx) => listPapiersRemis(tx, 'Europe/Paris'))).toEqual([])
  expect(await takeBack(world.db, world.as('ines'), again!.id, 'Europe/Paris')).toEqual({ ok: false, refusal: 'introuvable' })
  await expect(
    world.sql`update papier_du set annule_at = now(), annule_par = ${world.aidants.ines} where id = ${again!.id}`,
  ).rejects.toThrow('handed over once')
  await world.database.freeze(null)
})

it('ce qui n’est plus vrai n’est plus à remettre : papiers d’un mandat fini ou remplacé, pause finie, reprise suivie d’une pause', async () => {
  const { id } = await world.signMandat({ persona: 'laetitia', perimetre: ['logement', 'social'] })
  const her = await world.asUsager('laetitia')
  const aidant = world.as('ines')
  const listed = (mandatId = id) =>
    world.db.tx(aidant, async (tx) => (await listPapiersDus(tx)).filter((du) => du.mandatId === mandatId).map(({ quoi }) => quoi))
  ok(await pauseMandat(world.db, her, { mandatId: id }))
  expect(await listed()).toEqual(['signe', 'pause'])
  ok(await resumeMandat(world.db, her, { mandatId: id, thematique: 'social' }))
  expect(await listed()).toEqual(['signe', 'pause', 'reprise'])
  ok(await resumeMandat(world.db, her, { mandatId: id }))
  expect(await listed()).toEqual(['signe', 'reprise'])
  ok(await pauseMandat(world.db, her, { mandatId: id }))
  expect(await listed()).toEqual(['signe', 'pause'])

  const { id: next } = await world.signMandat({ persona: 'laetitia', perimetre: ['logement', 'social'] })
  expect([await listed(), await listed(next)]).toEqual([[], ['signe']])
  ok(await stopMandat(world.db, her, { mandatId: next, thematique: 'social' }))
  expect(await listed(next)).toEqual(['signe', 'arret'])
  ok(await stopMandat(world.db, her, { mandatId: next }))
  expect(await listed(next)).toEqual(['arret'])

  const { id: brief, expiresAt } = await world.signMandat({ persona: 'laetitia', perimetre: ['papiers'], duree: 'jour' })
  await world.database.freeze(new Date(expiresAt.getTime() + 1000))
  expect(await listed(brief)).toEqual([])
  await world.database.freeze(null)
})

it('d’un arrêt demandé par lettre, la liste dit quand la lettre était arrivée et depuis quand il vaut', async () => {
  const { id, signedAt } = await world.signMandat({ persona: 'camille' })
  await world.database.freeze(new Date(Date.now() + 2 * 86_400_000))
  ok(await recordStop(world.db, world.as('ines'), { mandatId: id, maniere: 'courrier', recuLe: signedAt }))
  const page = (await world.browser(await world.sessionOf('ines')).get(ADRESSE)).html
  const [recu, effectif] = [signedAt, await world.now()].map((at) => jourEtHeure(at, 'Europe/Paris').replaceAll('\u00a0', ' '))
  expect(page).toContain(`demande reçue le ${recu}, arrêt effectif le ${effectif}`)
  await world.database.freeze(null)
})

it('le jumeau sans ses déclencheurs n’a rien à remettre', async () => {
  for (const table of ['mandat', 'autorisation', 'suspension'])
    await world.sql.unsafe(`alter table ${table} disable trigger papier_du`)
  const { id } = await world.signMandat({ persona: 'nassimah' })
  ok(await stopMandat(world.db, await world.asUsager('nassimah'), { mandatId: id }))
  expect(await dus(id)).toEqual([])
  for (const table of ['mandat', 'autorisation', 'suspension'])
    await world.sql.unsafe(`alter table ${table} enable trigger papier_du`)
})

it('d’un décès, personne n’écrit à la personne : plus rien n’est à lui remettre', async () => {
  const { id } = await world.signMandat({ persona: 'toussaint' })
  const browser = world.browser(await world.sessionOf('ines'))
  const named = async () => (await browser.get(ADRESSE)).html.includes(id)
  expect(await named()).toBe(true)
  ok(await terminateMandat(world.db, world.as('ines'), { mandatId: id, how: 'deces' }))
  expect(await named()).toBe(false)
})

it('arrêté en partie puis remplacé par un nouveau mandat, le papier le dit ; jamais « C’est arrêté »', async () => {
  const { id } = await world.signMandat({ persona: 'lucienne', perimetre: ['logement', 'social'] })
  ok(await stopMandat(world.db, await world.asUsager('lucienne'), { mandatId: id, thematique: 'social' }))
  const nouvelle = async () =>
    new RegExp(`href="/mandats/${id}">([^<]*)<`).exec(await aRemettre(world.browser(await world.sessionOf('ines'))))?.[1]
  await world.sql`delete from papier_du where mandat_id = ${id} and quoi = 'signe'`
  expect(await nouvelle()).toBe('Une partie est arrêtée')
  await world.signMandat({ persona: 'lucienne', perimetre: ['logement'] })
  expect(await nouvelle()).toBe('Une partie est arrêtée, une autre est dans un nouveau mandat')
})
