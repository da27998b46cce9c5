import { randomUUID } from 'node:crypto'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Env } from '../../src/http/env.ts'
import { publicPage } from '../../src/http/rules.ts'
import { digest, type Matrix, openMatrix, seenIn } from '../support/matrix.ts'

const opened = async (options?: Parameters<typeof openMatrix>[0]) => {
  const matrix = await openMatrix(options)
  onTestFinished(() => matrix.close())
  return matrix
}

describe('chaque route, demandée par chacun, pour chaque chose', { timeout: 300_000 }, () => {
  it('donne ce que dit le tableau : rien d’autrui, et « introuvable » ne dit pas s’il existe', async () => {
    const matrix = await opened()
    expect(await matrix.run()).toEqual([])
  })

  it('tient encore quand les règles de la base sont seules à protéger', async () => {
    const matrix = await opened({ rlsOnly: true })
    expect(await matrix.run()).toEqual([])
  })

  it('n’accepte ni route, ni paramètre que le tableau ne connaît pas', async () => {
    const more = () => new Hono<Env>().get('/secrets/:secretId', publicPage, (c) => c.text('tout'))
    const matrix = await opened({ more })
    const wrong = await matrix.run(/^$/)
    expect(wrong).toEqual([
      'GET /secrets/:secretId : route inconnue de la table',
      'GET /secrets/:secretId : paramètre secretId inconnu de la table',
    ])
  })
})

describe('le jumeau sans sa règle est vu', () => {
  let alone: Matrix
  let filtered: Matrix
  beforeAll(async () => {
    alone = await openMatrix({ rlsOnly: true })
    filtered = await openMatrix()
  })
  afterAll(async () => {
    await alone.close()
    await filtered.close()
  })
  const without = async ({ world, run }: Matrix, tables: string, only: RegExp) => {
    const each = (verb: string) => tables.split(' ').map((table) => `alter table ${table} ${verb} row level security`)
    await world.sql.unsafe(each('disable').join(';'))
    const wrong = await run(only)
    await world.sql.unsafe(each('enable').join(';'))
    return wrong
  }

  it.each([
    ['mandat', /^GET \/mandats\/:mandatId$/],
    ['demarche', /^GET \/demarches/],
    ['brouillon', /^GET .*\/choix$/],
    ['usager', /^GET \/mon-espace\/donnees$/],
    // A line alone names nobody: whose it is shows with her name, or not at all.
    ['journal usager', /^GET \/structure\/journal$/],
    ['invitation', /^GET \/structure\/(aidants|invitations\/:invitationId)$/],
  ])('sur %s, les règles de la base seules', async (table, only) => {
    const wrong = await without(alone, table, only)
    expect(wrong.join('\n')).toMatch(/lit «|et non 404/)
    expect(await alone.run(only)).toEqual([])
  })

  it.each([
    ['la réclamation lue par une collègue', 'demarche', /^GET \/demarches/, /samira · cinabre .*: 200, et non 404/],
    ['le brouillon d’une collègue', 'brouillon', /^GET .*\/choix$/, /thomas · de nadia, choix : 200, et non 404/],
  ])('nos filtres gardés : %s', async (_, table, only, seen) => {
    expect((await without(filtered, table, only)).join('\n')).toMatch(seen)
  })

  it('une règle oubliée ferme la porte à qui est chez soi, et cela se voit', async () => {
    await filtered.world.sql`drop policy structure_lit on mandat`
    expect((await filtered.run(/^GET \/mandats\/:mandatId$/)).join('\n')).toMatch(/thomas · de Josiane : 404, et non 200/)
  })
})

describe('ce qu’un formulaire désigne', () => {
  let matrix: Matrix
  beforeAll(async () => {
    matrix = await openMatrix()
  })
  afterAll(() => matrix.close())

  const mandat = (name: string) => matrix.things.find((thing) => thing.kind === 'mandat' && thing.name === name)!.id
  const noter = (caller: 'thomas' | 'fabrice', mandatId: string, envoi: string) =>
    matrix.ask({
      caller,
      method: 'POST',
      address: `/mandats/${mandatId}/demarches/nouvelle`,
      fields: { demarche: 'autre', titre: 'Une lettre', thematique: 'logement', resultat: 'deposee', envoi },
    })

  it('l’envoi d’une autre structure, ou d’un autre mandat, n’écrit ni ne montre rien', async () => {
    const envoi = randomUUID()
    expect((await noter('fabrice', mandat('de Marcel à Saint-Denis'), envoi)).status).toBe(303)
    // Her own form shown again says whose mandat it is, which leaves a trace: all else must stay as it was.
    const written = async () => ({ ...(await digest(matrix.world.sql)), acces: '' })
    const before = await written()
    for (const name of ['de Marcel à Figeac', 'de Josiane']) {
      const answer = await noter('thomas', mandat(name), envoi)
      expect(answer.status).toBe(409)
      expect(answer.body).not.toMatch(/Payet|Saint-Denis/)
      expect(answer.body).not.toContain(envoi)
    }
    expect(await written()).toEqual(before)
    const again = await noter('fabrice', mandat('de Marcel à Saint-Denis'), envoi)
    expect(again.status).toBe(303)
    expect(await written()).toEqual(before)
  })

  it('l’envoi d’une ouverture déjà faite n’ouvre pas un autre dossier', async () => {
    const envoi = randomUUID()
    const usager = (name: string) => matrix.things.find((thing) => thing.kind === 'usager' && thing.name === name)!.id
    const ouvrir = (caller: 'nadia' | 'jocelyne', name: string) =>
      matrix.ask({
        caller,
        method: 'POST',
        address: `/structure/personnes/${usager(name)}/ouvrir`,
        fields: { motif: 'controle', envoi },
      })
    expect((await ouvrir('nadia', 'Marcel')).status).toBe(303)
    const before = await digest(matrix.world.sql)
    await ouvrir('jocelyne', 'Marcel')
    await ouvrir('jocelyne', 'Voahangy')
    expect(await digest(matrix.world.sql)).toEqual(before)
    for (const name of ['Marcel', 'Voahangy']) {
      const address = `/structure/personnes/${usager(name)}`
      const answer = await matrix.ask({ caller: 'jocelyne', method: 'GET', address })
      expect(answer).toMatchObject({ status: 303, location: `${address}/ouvrir` })
    }
  })

  it('un « non » sur le brouillon d’une collègue n’efface rien, et ne dit pas s’il existe', async () => {
    const draft = matrix.things.find(({ name }) => name === 'de thomas, accord')!
    const before = await digest(matrix.world.sql)
    for (const caller of ['nadia', 'fabrice', 'samira'] as const) {
      const refuse = (id: string) =>
        matrix.ask({ caller, method: 'POST', address: `/mandats/brouillons/${id}/accord`, fields: { reponse: 'non' } })
      expect(seenIn(await refuse(draft.id))).toBe(seenIn(await refuse(randomUUID())))
    }
    expect(await digest(matrix.world.sql)).toEqual(before)
  })

  it('la structure d’une autre et celle qui n’existe pas se refusent pareil', async () => {
    const before = await digest(matrix.world.sql)
    const choose = (structure: string) =>
      matrix.ask({ caller: 'thomas', method: 'POST', address: '/structures', fields: { structure } })
    const foreign = await choose(matrix.world.structures.saintDenis)
    expect(seenIn(foreign)).toBe(seenIn(await choose(randomUUID())))
    expect(foreign.status).toBe(409)
    expect(foreign.headers.getSetCookie()).toEqual([])
    expect(await digest(matrix.world.sql)).toEqual(before)
  })

  it('une thématique que la personne n’a pas donnée n’arrête rien', async () => {
    const before = await digest(matrix.world.sql)
    for (const quoi of ['justice', 'Logement', '__proto__', '', 'tout\u0000', ['logement', 'argent']]) {
      const address = `/mon-espace/mandats/${mandat('de Josiane')}/arreter`
      const answer = await matrix.ask({ caller: 'josiane', method: 'POST', address, fields: { quoi } })
      expect({ quoi, status: answer.status }).toEqual({ quoi, status: 409 })
    }
    expect(await digest(matrix.world.sql)).toEqual(before)
  })
})
