import { randomUUID } from 'node:crypto'
import { createServer as createHttpServer, type ServerResponse } from 'node:http'
import { createServer } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { forgetCodes } from '../../src/aidant/forget.ts'
import { openDb } from '../../src/db.ts'
import { openMetrics } from '../../src/http/metrics.ts'
import { writeExpired } from '../../src/mandat/expire.ts'
import { forgetBrouillons } from '../../src/mandat/forget.ts'
import { openIdentification } from '../../src/mandat/identify.ts'
import { pauseMandat } from '../../src/mandat/pause.ts'
import { findMandat } from '../../src/mandat/queries.ts'
import { remindEnds } from '../../src/mandat/remind.ts'
import { resumeMandat } from '../../src/mandat/resume.ts'
import { stopMandat } from '../../src/mandat/stop.ts'
import { type Deliver, deliverDue, type Outgoing, openDelivery } from '../../src/notification/deliver.ts'
import { forgetMessages } from '../../src/notification/forget.ts'
import { countMessages, listAbandonnes } from '../../src/notification/queries.ts'
import { queue } from '../../src/notification/queue.ts'
import { retryMessages } from '../../src/notification/retry.ts'
import { forgetConnexions } from '../../src/oidc/forget.ts'
import { startWorker } from '../../src/worker.ts'
import { addMandats } from '../bench/volume.ts'
import { newWorld, ok, type World } from '../support/world.ts'

const SECOND = 1000
const quiet = () => {}
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

let world: World
let day = 0
beforeAll(async () => {
  world = await newWorld()
})
afterAll(() => world.close())
beforeEach(async () => {
  await world.database.freeze(new Date(Date.UTC(2026, 2, 2 + 400 * day++, 9, 2, 5)))
  await world.sql`delete from brouillon`
  await world.sql`delete from message`
})
const later = (ms: number) => world.database.travel({ ms })

describe('la ligne de fin d’un mandat arrivé à sa date', () => {
  const lines = async (id: string) => (await world.lines(id)).filter(({ action }) => action === 'mandat_expire')

  it('s’écrit une fois, dès l’heure, jamais avant', async () => {
    const { id, expiresAt } = await world.signMandat({ duree: 'jour' })
    await world.database.freeze(new Date(expiresAt.getTime() - SECOND))
    expect(await writeExpired(world.db, quiet)).toBe(0)
    await world.database.freeze(expiresAt)
    expect(await writeExpired(world.db, quiet)).toBe(1)
    expect(await writeExpired(world.db, quiet)).toBe(0)
    const [line, ...more] = await lines(id)
    expect(more).toEqual([])
    expect(line).toMatchObject({ acteur: 'systeme', acteurId: null, mandatSeq: 2, at: expiresAt })
    expect(JSON.parse(line!.payload!)).toEqual({ expires_at: expiresAt.toISOString() })
  })

  it('celle qui ne s’écrit pas ne retient pas les autres, et s’écrit au tour suivant', async () => {
    const first = await world.signMandat({ persona: 'odette', duree: 'jour' })
    const second = await world.signMandat({ persona: 'josiane', duree: 'jour' })
    await later(5 * 24 * HOUR)
    await world.sql.unsafe(
      `alter table journal add constraint panne check (action <> 'mandat_expire' or mandat_id <> '${first.id}') not valid`,
    )
    const said: unknown[] = []
    expect(await writeExpired(world.db, (_, line) => said.push(line))).toBe(1)
    expect(said).toMatchObject([{ event: 'tache_echouee', reason: 'fins', constraint: 'panne' }])
    expect([(await lines(first.id)).length, (await lines(second.id)).length]).toEqual([0, 1])
    await world.sql`alter table journal drop constraint panne`
    expect(await writeExpired(world.db, quiet)).toBe(1)
  })

  it('le soir où plus de cent mandats se terminent, toutes au même tour', async () => {
    const { structureId, aidantId } = world.as('thomas')
    await addMandats(world.sql, structureId, aidantId, 101)
    await later(40 * 24 * HOUR)
    expect(await writeExpired(world.db, quiet)).toBe(101)
    expect(await writeExpired(world.db, quiet)).toBe(0)
  })

  it('une seule, même écrite par trois tâches à la fois, et pour cinq mandats comme pour un', async () => {
    const told = []
    for (const persona of ['odette', 'josiane', 'marcel', 'fatma', 'camille'])
      told.push(await world.signMandat({ persona, duree: 'jour' }))
    await later(5 * 24 * HOUR)
    await Promise.all([1, 2, 3].map(() => writeExpired(world.db, quiet)))
    for (const { id } of told) expect(await lines(id)).toHaveLength(1)
    expect(await writeExpired(world.db, quiet)).toBe(0)
  })

  it('pas pour un mandat arrêté avant, et l’état n’en dépend pas', async () => {
    const stopped = await world.signMandat({ persona: 'odette', duree: 'jour' })
    ok(await stopMandat(world.db, await world.asUsager('odette'), { mandatId: stopped.id }))
    const expired = await world.signMandat({ persona: 'josiane', duree: 'jour' })
    await later(5 * 24 * HOUR)
    const etatOf = async (id: string) => (await world.db.tx(world.as('thomas'), (tx) => findMandat(tx, id)))!.etat
    expect([await etatOf(stopped.id), await etatOf(expired.id)]).toEqual(['termine', 'expire'])
    await writeExpired(world.db, quiet)
    expect([await lines(stopped.id), (await lines(expired.id)).length]).toEqual([[], 1])
    expect([await etatOf(stopped.id), await etatOf(expired.id)]).toEqual(['termine', 'expire'])
  })
})

describe('le rappel de la fin prochaine', () => {
  const DAY = 24 * HOUR
  const told = async () =>
    (await world.messages())
      .filter(({ cle }) => cle.startsWith('rappel:'))
      .map(({ cle, canal, destinataire }) => ({ cle, canal, destinataire }))
  const freezeBefore = (expiresAt: Date, ms: number) => world.database.freeze(new Date(expiresAt.getTime() - ms))

  it('une structure dont le rappel ne s’écrit pas ne retient pas les autres', async () => {
    const told = [
      await world.signMandat({ persona: 'marcel', duree: 'trimestre', suivi: 'sms' }),
      await world.signMandat({ persona: 'teiki', aidant: 'fabrice', duree: 'trimestre', suivi: 'sms' }),
    ]
    const [first, second] = told[0]!.structureId < told[1]!.structureId ? told : told.reverse()
    await freezeBefore(first!.expiresAt, 10 * DAY)
    await world.sql.unsafe(`alter table message add constraint panne check (cle <> 'rappel:${first!.id}')`)
    const lines: unknown[] = []
    expect(await remindEnds(world.db, (_, line) => lines.push(line))).toBe(1)
    expect(lines).toMatchObject([{ event: 'tache_echouee', reason: 'rappels', constraint: 'panne' }])
    expect((await world.messages()).map(({ cle }) => cle)).toContain(`rappel:${second!.id}`)
    await world.sql`alter table message drop constraint panne`
    expect(await remindEnds(world.db, quiet)).toBe(1)
  })

  it('une fois par mandat, trente jours avant, à la personne et aux aidants concernés, ensemble', async () => {
    const a = await world.signMandat({ persona: 'odette', duree: 'trimestre', suivi: 'sms' })
    const b = await world.signMandat({ persona: 'josiane', aidant: 'ines', duree: 'trimestre', suivi: 'papier' })
    await world.sql`delete from message`
    await freezeBefore(a.expiresAt, 30 * DAY + SECOND)
    expect(await remindEnds(world.db, quiet)).toBe(0)
    await freezeBefore(a.expiresAt, 30 * DAY)
    const counts = await Promise.all([remindEnds(world.db, quiet), remindEnds(world.db, quiet), remindEnds(world.db, quiet)])
    expect(counts.reduce((sum, one) => sum + one)).toBe(2)
    const sent = await told()
    expect(sent.map(({ canal, destinataire }) => `${canal} ${destinataire}`).sort()).toEqual([
      'email ines@figeac.demo',
      'email nadia@figeac.demo',
      'email thomas@figeac.demo',
      'sms +33612345678',
    ])
    const [nadia] = (await world.messages()).filter(({ destinataire }) => destinataire === 'nadia@figeac.demo')
    expect(nadia!.corps).toContain('2 mandats se terminent')
    expect(nadia!.corps).not.toMatch(/odette|josiane|logement/i)
    // Even once its messages are forgotten.
    await world.sql`delete from message`
    await freezeBefore(b.expiresAt, DAY)
    expect(await remindEnds(world.db, quiet)).toBe(0)
    expect(await told()).toEqual([])
  })

  it.each([
    ['jour', 0],
    ['mois', 0],
    ['trimestre', 1],
    ['semestre', 1],
    ['an', 1],
  ] as const)('durée « %s » : %i rappel', async (duree, count) => {
    const { expiresAt } = await world.signMandat({ duree })
    await freezeBefore(expiresAt, SECOND)
    expect(await remindEnds(world.db, quiet)).toBe(count)
  })

  it('jamais d’un mandat fini, ni en pause, ni d’une structure suspendue, ni à un aidant parti ou suspendu', async () => {
    const stopped = await world.signMandat({ persona: 'odette', duree: 'trimestre' })
    const paused = await world.signMandat({ persona: 'josiane', duree: 'trimestre', aidant: 'ines', suivi: 'email' })
    const by = { kind: 'usager', usagerIds: [paused.usagerId], niveau: 'identite' } as const
    ok(await stopMandat(world.db, await world.asUsager('odette'), { mandatId: stopped.id }))
    ok(await pauseMandat(world.db, by, { mandatId: paused.id }))
    await freezeBefore(paused.expiresAt, 10 * DAY)
    expect(await remindEnds(world.db, quiet)).toBe(0)
    // Resumed in time, it is recalled then.
    ok(await resumeMandat(world.db, by, { mandatId: paused.id }))
    await world.sql`update structure set suspended_at = horloge() where id = ${world.structures.figeac}`
    expect(await remindEnds(world.db, quiet)).toBe(0)
    await world.sql`update structure set suspended_at = null where id = ${world.structures.figeac}`
    await world.sql`update aidant set suspended_at = horloge() where id = ${world.aidants.ines}`
    await world.sql`update habilitation set ended_at = horloge() where aidant_id = ${world.aidants.nadia}`
    expect(await remindEnds(world.db, quiet)).toBe(1)
    await world.sql`update aidant set suspended_at = null where id = ${world.aidants.ines}`
    await world.sql`update habilitation set ended_at = null where aidant_id = ${world.aidants.nadia}`
    expect((await told()).map(({ destinataire }) => destinataire)).toEqual([expect.not.stringMatching(/figeac/)])
    await freezeBefore(paused.expiresAt, -SECOND)
    expect(await remindEnds(world.db, quiet)).toBe(0)
  })
})

describe('un brouillon abandonné', () => {
  const stateOf = async (id: string) => {
    const [row] =
      await world.sql`select identite is not null as identity, granted is not null as granted, perimetre from brouillon where id = ${id}`
    return row
  }

  it('perd l’identité après trente minutes, et garde ses choix un jour', async () => {
    const id = await world.draft({ persona: 'voahangy', perimetre: ['famille'], suivi: 'email' })
    await later(30 * MINUTE - SECOND)
    await forgetBrouillons(world.db)
    expect(await stateOf(id)).toMatchObject({ identity: true, granted: true })
    await later(2 * SECOND)
    await forgetBrouillons(world.db)
    expect(await stateOf(id)).toEqual({ identity: false, granted: false, perimetre: ['famille'] })
    expect(await world.tablesHolding('RAKOTONDRAINIBE')).toEqual([])
    expect(await world.tablesHolding('voahangy.r@example.org')).toEqual([])
    // Its choices can be taken up again.
    ok(await openIdentification(world.db, world.as('thomas'), { brouillonId: id, navigateur: undefined }))
    await later(24 * HOUR - SECOND)
    await forgetBrouillons(world.db)
    expect(await stateOf(id)).toBeDefined()
    await later(2 * SECOND)
    await forgetBrouillons(world.db)
    expect(await stateOf(id)).toBeUndefined()
    expect(await world.sql`select 1 from connexion where brouillon_id = ${id}`).toHaveLength(0)
  })

  it('ne retient ni aller-retour ni code de connexion plus d’un jour', async () => {
    await world.post('/connexion', { email: 'personne@nulle-part.fr', code: '123456' })
    await world.post('/connexion/franceconnect', {})
    await later(24 * HOUR + SECOND)
    for (const forget of [forgetConnexions, forgetCodes]) await world.db.tx({ kind: 'worker' }, forget)
    for (const table of ['connexion', 'code_connexion'])
      expect(await world.sql`select 1 from ${world.sql(table)} where created_at < horloge() - interval '24 hours'`).toHaveLength(
        0,
      )
  })
})

describe('les messages', () => {
  const put = (cle: string, more: object = {}) =>
    world.db.tx({ kind: 'portier' }, (tx) =>
      queue(tx, { cle, canal: 'email', destinataire: 'a@example.org', sujet: 'S', corps: 'C', ...more }),
    )
  const stateOf = async (cle: string) => {
    const [row] = await world.sql<{ tries: number; due: number; sent: boolean; failed: boolean }[]>`
      select tries, extract(epoch from due_at - horloge())::int as due, sent_at is not null as sent, failed_at is not null as failed
      from message where cle = ${cle}`
    return { ...row! }
  }
  const silent = () => {}

  it('partent une fois chacun, même avec deux facteurs à la fois', async () => {
    for (let i = 0; i < 15; i++) await put(`deux:${i}`)
    const sent: string[] = []
    const slow: Deliver = async ({ id }) => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      sent.push(id)
    }
    const turns = await Promise.all([
      deliverDue(world.db, slow, silent, world.config),
      deliverDue(world.db, slow, silent, world.config),
    ])
    expect(turns[0]! + turns[1]!).toBe(15)
    expect(new Set(sent).size).toBe(15)
    expect(sent).toHaveLength(15)
    expect(await deliverDue(world.db, slow, silent, world.config)).toBe(0)
  })

  it('derrière des envois lents, ne partent pas deux fois', async () => {
    for (let i = 0; i < 5; i++) await put(`lent:${i}`)
    const sent: string[] = []
    const other = () => deliverDue(world.db, async ({ id }) => void sent.push(id), silent, world.config)
    // Each takes 25 s, and another worker passes after each.
    const slow: Deliver = async ({ id }) => {
      sent.push(id)
      await later(25 * SECOND)
      if (sent.length > 2) await other()
    }
    await deliverDue(world.db, slow, silent, world.config)
    expect(sent).toHaveLength(5)
    expect(new Set(sent).size).toBe(5)
  })

  it('refusés, repartent de plus en plus tard, puis s’arrêtent ; le refus ne dit rien du contenu', async () => {
    await put('refus', { destinataire: 'secrete@example.org', corps: 'CONTENU' })
    const lines: unknown[] = []
    const fail: Deliver = async () => {
      throw Object.assign(new Error('550 secrete@example.org CONTENU'), { code: 'EENVELOPE' })
    }
    const waits: number[] = []
    for (let i = 0; i < 8; i++) {
      expect(await deliverDue(world.db, fail, (level, line) => lines.push({ level, ...line }), world.config)).toBe(1)
      const { due, tries, failed } = await stateOf('refus')
      expect([tries, failed]).toEqual([i + 1, i === 7])
      waits.push(due)
      expect(await deliverDue(world.db, fail, silent, world.config)).toBe(0)
      await later((due + 1) * SECOND)
    }
    // Twice as long each time, a fifth more or less: those refused together do not come back together.
    for (const [i, base] of [30, 60, 120, 240, 480, 960, 1920, 3840].entries()) {
      expect(waits[i]).toBeGreaterThanOrEqual(Math.floor(base * 0.8))
      expect(waits[i]).toBeLessThanOrEqual(Math.ceil(base * 1.2))
    }
    expect(waits).not.toEqual([30, 60, 120, 240, 480, 960, 1920, 3840])
    expect(await deliverDue(world.db, fail, silent, world.config)).toBe(0)
    expect(JSON.stringify(lines)).not.toMatch(/secrete|CONTENU/)
  })

  it('refusés puis acceptés, sont partis', async () => {
    await put('ensuite')
    let tries = 0
    const flaky: Deliver = async () => {
      if (++tries === 1) throw new Error('plus tard')
    }
    await deliverDue(world.db, flaky, silent, world.config)
    await later(37 * SECOND)
    await deliverDue(world.db, flaky, silent, world.config)
    expect(await stateOf('ensuite')).toMatchObject({ sent: true, failed: false, tries: 2 })
  })

  it('perdus avec le facteur, repartent au bout du bail', async () => {
    await put('perdu')
    const dies: Deliver = () => new Promise(() => {})
    void deliverDue(world.db, dies, silent, world.config)
    await expect.poll(async () => (await stateOf('perdu')).tries).toBe(1)
    const sent: Outgoing[] = []
    const works: Deliver = async (message) => void sent.push(message)
    expect(await deliverDue(world.db, works, silent, world.config)).toBe(0)
    await later(61 * SECOND)
    expect(await deliverDue(world.db, works, silent, world.config)).toBe(1)
    expect(sent).toMatchObject([{ destinataire: 'a@example.org', sujet: 'S', corps: 'C' }])
  })

  describe('un SMS ne part qu’entre 8 et 20 h, à l’heure de la structure', () => {
    // Winter in Paris, UTC + 1; Saint-Denis, UTC + 4.
    it.each([
      ['Europe/Paris', '2031-01-15T06:59:59Z', '2031-01-15T07:00:00Z'],
      ['Europe/Paris', '2031-01-15T07:00:00Z', null],
      ['Europe/Paris', '2031-01-15T18:59:59Z', null],
      ['Europe/Paris', '2031-01-15T19:00:00Z', '2031-01-16T07:00:00Z'],
      ['Europe/Paris', '2031-01-15T23:30:00Z', '2031-01-16T07:00:00Z'],
      // The night when clocks change: eight in the morning is eight, an hour sooner for the rest of the world.
      ['Europe/Paris', '2031-03-29T20:00:00Z', '2031-03-30T06:00:00Z'],
      ['Indian/Reunion', '2031-01-15T16:00:00Z', '2031-01-16T04:00:00Z'],
      ['Indian/Reunion', '2031-01-15T04:00:00Z', null],
    ])('%s, à %s : %s', async (fuseau, at, due) => {
      await world.database.freeze(new Date(at))
      await put('sms', { canal: 'sms', destinataire: '+33612345678', corps: 'Bonjour', sujet: undefined, fuseau })
      await put('courriel')
      const sent: string[] = []
      const deliver: Deliver = async ({ canal }) => void sent.push(canal)
      await deliverDue(world.db, deliver, silent, world.config)
      expect(sent.sort()).toEqual(due ? ['email'] : ['email', 'sms'])
      if (!due) return
      await world.database.freeze(new Date(Date.parse(due) - 1))
      expect(await deliverDue(world.db, deliver, silent, world.config)).toBe(0)
      await world.database.freeze(new Date(due))
      expect(await deliverDue(world.db, deliver, silent, world.config)).toBe(1)
    })

    it('aussi quand le facteur s’était arrêté le soir, et au nouvel essai', async () => {
      await world.database.freeze(new Date('2031-01-15T18:30:00Z'))
      await put('soir', {
        canal: 'sms',
        destinataire: '+33612345678',
        corps: 'Bonjour',
        sujet: undefined,
        fuseau: 'Europe/Paris',
      })
      await world.database.freeze(new Date('2031-01-15T21:00:00Z'))
      expect(await deliverDue(world.db, async () => {}, silent, world.config)).toBe(0)
      await world.database.freeze(new Date('2031-01-16T18:59:50Z'))
      const fail: Deliver = async () => {
        throw new Error('panne')
      }
      expect(await deliverDue(world.db, fail, silent, world.config)).toBe(1)
      const [row] = await world.sql<{ due: Date }[]>`select due_at as due from message where cle = 'soir'`
      expect(row!.due).toEqual(new Date('2031-01-17T07:00:00Z'))
    })

    it('la base refuse un SMS sans fuseau, avec un lien, ou d’un autre alphabet que celui qui tient en un', async () => {
      const sms = { canal: 'sms', destinataire: '+33612345678', sujet: undefined, fuseau: 'Europe/Paris' }
      await expect(put('a', { ...sms, corps: 'x', fuseau: undefined })).rejects.toMatchObject({
        constraint_name: 'message_fuseau_du_sms',
      })
      for (const corps of ['voir https://exemple.fr', 'www.exemple.fr', 'Votre démarche', 'deux\nlignes', 'a|b'])
        await expect(put('b', { ...sms, corps })).rejects.toMatchObject({ constraint_name: 'message_sms_simple' })
      const chemin = `/mandats/${randomUUID()}`
      await expect(put('b', { ...sms, corps: 'x', chemin })).rejects.toMatchObject({
        constraint_name: 'message_chemin_d_un_courriel',
      })
      for (const other of ['/personnes?q=odette', `${chemin}/logement`])
        await expect(put('b', { chemin: other })).rejects.toMatchObject({ constraint_name: 'message_chemin_d_un_courriel' })
      await put('c', { ...sms, corps: `Trait d'union : "oui", 12 % ? (a) @ & _` })
    })
  })

  describe('par le service de SMS', () => {
    /** What it was asked, and what it does of the next request. */
    let heard: { path: string | undefined; method: string | undefined; type: string | undefined; body: unknown }[]
    let answer: (response: ServerResponse) => void
    const service = createHttpServer((request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (text) => (body += text))
      request.on('end', () => {
        const { url: path, method, headers } = request
        heard.push({ path, method, type: headers['content-type'], body: body && JSON.parse(body) })
        answer(response)
      })
    })
    let deliver: Deliver
    beforeAll(async () => {
      await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
      const smsUrl = `http://127.0.0.1:${(service.address() as { port: number }).port}/envoi`
      deliver = openDelivery({ mail: world.config.mail, smsUrl, publicUrl: 'https://mandats.example.org' })
    })
    afterAll(() => {
      service.closeAllConnections()
      service.close()
    })
    const sms = {
      canal: 'sms',
      destinataire: '+33611223344',
      corps: 'Un mandat est signe.',
      sujet: undefined,
      fuseau: 'Europe/Paris',
    }
    beforeEach(async () => {
      heard = []
      await put('sms', sms)
    })
    const accept = (response: ServerResponse) => void response.writeHead(202).end()
    const asked = async () => {
      const [row] = await world.sql<{ id: string }[]>`select id from message where cle = 'sms'`
      const body = { id: row!.id, to: sms.destinataire, text: sms.corps }
      return { path: '/envoi', method: 'POST', type: 'application/json', body }
    }

    it('un message est un POST : à qui, son texte, son numéro ; une fois accepté, il est parti', async () => {
      answer = accept
      expect(await deliverDue(world.db, deliver, silent, world.config)).toBe(1)
      expect(heard).toEqual([await asked()])
      expect(await stateOf('sms')).toMatchObject({ sent: true, tries: 1 })
      expect(await deliverDue(world.db, deliver, silent, world.config)).toBe(0)
    })

    it.each<[string, (response: ServerResponse) => void]>([
      ['qui répond 500', (response) => void response.writeHead(500).end()],
      ['qui renvoie ailleurs', (response) => void response.writeHead(302, { location: '/ailleurs' }).end()],
      ['qui renvoie ailleurs en gardant le message', (response) => void response.writeHead(307, { location: '/ailleurs' }).end()],
      ['qui coupe', (response) => void response.destroy()],
    ])('%s : le message attend, ne va nulle part ailleurs, et repart le même', async (_, refuse) => {
      answer = refuse
      const lines: unknown[] = []
      expect(await deliverDue(world.db, deliver, (_level, line) => lines.push(line), world.config)).toBe(1)
      expect(lines).toEqual([expect.objectContaining({ event: 'message_refuse' })])
      expect(JSON.stringify(lines)).not.toMatch(/611223344|mandat/)
      expect(await stateOf('sms')).toMatchObject({ sent: false, failed: false, tries: 1 })
      await later(37 * SECOND)
      answer = accept
      expect(await deliverDue(world.db, deliver, silent, world.config)).toBe(1)
      expect(heard).toEqual([await asked(), await asked()])
      expect(await stateOf('sms')).toMatchObject({ sent: true, tries: 2 })
    })

    it('qui se tait : on ne l’attend que dix secondes, bien moins que le bail, et le message repart', async () => {
      const patience = new AbortController()
      const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(patience.signal)
      onTestFinished(() => void timeout.mockRestore())
      answer = () => patience.abort(new DOMException('trop long', 'TimeoutError'))
      expect(await deliverDue(world.db, deliver, silent, world.config)).toBe(1)
      expect(timeout.mock.calls).toEqual([[10_000]])
      timeout.mockRestore()
      expect(await stateOf('sms')).toMatchObject({ sent: false, failed: false, tries: 1 })
      await later(37 * SECOND)
      answer = accept
      expect(await deliverDue(world.db, deliver, silent, world.config)).toBe(1)
      expect(heard).toEqual([await asked(), await asked()])
    })
  })

  it('des SMS que le jour ne peut plus porter attendent le lendemain matin, un code jamais, et rien n’est perdu', async () => {
    const limits = { ...world.config, smsParJour: 2 }
    const lines: unknown[] = []
    const left: string[] = []
    const leave = () =>
      deliverDue(
        world.db,
        async ({ cle }) => void left.push(cle),
        (level, line) => lines.push({ level, ...line }),
        limits,
      )
    const sms = (cle: string, more: object) =>
      world.db.tx({ kind: 'portier' }, (tx) =>
        queue(tx, { cle, canal: 'sms', destinataire: '+33612345678', corps: 'Bonjour', fuseau: 'Europe/Paris', ...more }),
      )
    for (const n of [1, 2, 3]) await sms(`arret:${n}`, {})
    // Refused by its gateway, one did not leave: it is counted no more.
    const down: Deliver = async () => {
      throw new Error('503')
    }
    expect(await deliverDue(world.db, down, quiet, limits)).toBe(3)
    await later(2 * MINUTE)
    await leave()
    expect(left).toHaveLength(2)
    expect(lines).toEqual([{ level: 'warn', event: 'sms_retenu', reason: 'sms_total' }])
    await world.sql`
      insert into message (cle, canal, destinataire, corps, at_once) values ('connexion:contact:1', 'sms', '+33612345678', 'Code', true)`
    await leave()
    expect(left).toContain('connexion:contact:1')
    const [held] = await world.sql<{ tries: number; wait: string }[]>`
      select tries, to_char(due_at at time zone 'Europe/Paris', 'YYYY-MM-DD HH24:MI') as wait from message where sent_at is null`
    const now = await world.now()
    const tomorrow = new Date(now.getTime() + 24 * HOUR).toISOString().slice(0, 10)
    expect(held).toEqual({ tries: 1, wait: `${tomorrow} 08:00` })
    await world.database.freeze(new Date(`${tomorrow}T08:00:00Z`))
    await leave()
    expect(left).toHaveLength(4)
  })

  it('plus de dix SMS au même numéro dans le jour : le onzième attend, celui d’une autre part', async () => {
    const left: string[] = []
    for (let n = 0; n < 12; n++)
      await world.sql`
        insert into message (cle, canal, destinataire, corps, fuseau)
        values (${`arret:${n}`}, 'sms', ${n === 11 ? '+33612345679' : '+33612345678'}, 'Bonjour', 'Europe/Paris')`
    for (let turn = 0; turn < 2; turn++)
      await deliverDue(world.db, async ({ destinataire }) => void left.push(destinataire), quiet, world.config)
    expect(left.filter((to) => to === '+33612345678')).toHaveLength(10)
    expect(left).toContain('+33612345679')
  })

  it('abandonnés, se voient sans dire à qui ni quoi, se comptent, et repartent quand l’opérateur le dit', async () => {
    const operator = openDb({ url: world.database.operatorUrl, connections: 1 })
    for (const cle of ['arret:1', 'rappel:2', 'connexion:3', 'attend']) await put(cle, { destinataire: 'secrete@example.org' })
    await world.sql`update message set failed_at = horloge(), tries = 8 where cle <> 'attend'`
    const listed = await operator.tx({ kind: 'operator' }, listAbandonnes)
    expect(listed.map(({ cle }) => cle).sort()).toEqual(['arret:1', 'connexion:3', 'rappel:2'])
    expect(JSON.stringify(listed)).not.toContain('secrete')
    await expect(operator.tx({ kind: 'operator' }, (tx) => tx.sql`select destinataire from message`)).rejects.toMatchObject({
      code: '42501',
    })
    const counts = () => world.db.tx({ kind: 'worker' }, countMessages)
    expect(await counts()).toEqual({ attente: 1, abandonnes: 3 })
    const one = listed.find(({ cle }) => cle === 'rappel:2')!
    expect(await operator.tx({ kind: 'operator' }, (tx) => retryMessages(tx, one.id))).toBe(1)
    // A sign-in code opens nothing any more: it stays.
    expect(await operator.tx({ kind: 'operator' }, (tx) => retryMessages(tx, undefined))).toBe(1)
    expect(await counts()).toEqual({ attente: 3, abandonnes: 1 })
    const sent: string[] = []
    expect(await deliverDue(world.db, async ({ id }) => void sent.push(id), silent, world.config)).toBe(3)
    expect(sent).toContain(one.id)
    await operator.close()
  })

  it('les jauges disent ce qui attend et ce qui est abandonné ; une base muette ne cache pas le reste', async () => {
    const metrics = openMetrics()
    metrics.gauges(async () => ({ messages_abandonnes: (await world.db.tx({ kind: 'worker' }, countMessages)).abandonnes }))
    metrics.gauges(async () => {
      throw new Error('base muette')
    })
    const text = await (await metrics.app.request('/metrics')).text()
    expect(text).toContain('# TYPE messages_abandonnes gauge\nmessages_abandonnes 0\n')
    expect(text).toContain('process_uptime_seconds')
  })

  it('un seul par fait : la même clé est refusée avec sa transaction', async () => {
    await put('unique')
    await expect(put('unique')).rejects.toMatchObject({ constraint_name: 'message_cle_unique' })
  })

  it('un fait annulé n’envoie rien', async () => {
    await expect(
      world.db.tx({ kind: 'portier' }, async (tx) => {
        await queue(tx, { cle: 'annule', canal: 'sms', destinataire: '+33612345678', corps: 'x', fuseau: 'Europe/Paris' })
        throw new Error('coupure')
      }),
    ).rejects.toThrow('coupure')
    expect(await world.sql`select 1 from message where cle = 'annule'`).toHaveLength(0)
  })

  it('ne restent pas : partis ou abandonnés, une heure pour un code de connexion, trente jours pour les autres', async () => {
    const forget = () => world.db.tx({ kind: 'worker' }, forgetMessages)
    const kept = async () => (await world.sql<{ cle: string }[]>`select cle from message order by cle`).map(({ cle }) => cle)
    for (const cle of ['connexion:code', 'connexion:attend', 'arret', 'refuse', 'attend']) await put(cle)
    await world.sql`update message set sent_at = horloge() where cle in ('connexion:code', 'arret')`
    await world.sql`update message set failed_at = horloge() where cle = 'refuse'`
    await later(59 * MINUTE)
    await forget()
    expect(await kept()).toHaveLength(5)
    await later(2 * MINUTE)
    await forget()
    expect(await kept()).toEqual(['arret', 'attend', 'connexion:attend', 'refuse'])
    await later(30 * 24 * HOUR - 2 * HOUR)
    await forget()
    expect(await kept()).toHaveLength(4)
    await later(2 * HOUR)
    await forget()
    expect(await kept()).toEqual(['attend', 'connexion:attend'])
  })

  it('par SMTP, disent à qui, de qui, et leur texte en français', async () => {
    const heard: string[] = []
    const server = createServer((socket) => {
      let data = false
      socket.write('220 essai\r\n')
      socket.setEncoding('utf8').on('data', (text: string) => {
        heard.push(text)
        if (data) data = !text.endsWith('\r\n.\r\n')
        else data = /^DATA/i.test(text)
        socket.write(data ? '354 oui\r\n' : /^QUIT/i.test(text) ? '221 fin\r\n' : '250 oui\r\n')
      })
      socket.on('error', () => {})
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const deliver = openDelivery({
      mail: { smtpUrl: `smtp://127.0.0.1:${port}`, from: 'Essai <essai@example.org>' },
      smsUrl: undefined,
      publicUrl: 'https://mandats.example.org',
    })
    const mail = {
      id: 'x',
      cle: 'essai',
      canal: 'email',
      destinataire: 'a@example.org',
      sujet: 'C’est arrêté',
      corps: 'Voici : « oui »',
    } as const
    await deliver({ ...mail, chemin: '/mandats/0' })
    server.close()
    const said = heard.join('')
    expect(said).toMatch(/MAIL FROM:<essai@example.org>/)
    expect(said).toMatch(/RCPT TO:<a@example.org>/)
    expect(said).toContain('From: Essai <essai@example.org>')
    // No line of it begins with « : » or « » », however narrow the screen that shows it.
    expect(said.replace(/=\r\n/g, '')).toContain(
      'Voici=C2=A0: =C2=AB=C2=A0oui=C2=A0=C2=BB\r\nhttps://mandats.example.org/mandats/0',
    )
    await expect(deliver({ ...mail, canal: 'sms', destinataire: '+33612345678', sujet: null, chemin: null })).rejects.toThrow()
  })
})

describe('à quel rythme', () => {
  afterEach(() => vi.useRealTimers())

  it('une fin s’écrit moins d’une minute après l’heure, un message part à la seconde, même après une panne', async () => {
    const closed = openDb({ url: world.database.url })
    await closed.close()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    // A base that is away: each turn of a job says its name, and the next one comes all the same.
    let tried: unknown[] = []
    const worker = startWorker(
      closed,
      async () => {},
      (_level, { reason }) => void tried.push(reason),
      world.config,
    )
    const during = async (ms: number) => {
      tried = []
      await vi.advanceTimersByTimeAsync(ms)
      return new Set(tried)
    }
    expect(await during(0)).toContain('termes')
    expect(await during(1_000)).toEqual(new Set(['messages']))
    for (let half = 0; half < 4; half++) expect(await during(30_000)).toContain('fins')
    await worker.stop()
  })
})
