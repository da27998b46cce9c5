import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Db, openDb, type Who } from '../../src/db.ts'
import { recordActeHorsMandat, recordDemarche } from '../../src/demarche/record.ts'
import { AIDANTS, STRUCTURES } from '../../src/demo/people.ts'
import type { LogLine } from '../../src/http/log.ts'
import { append } from '../../src/journal/append.ts'
import { announceOperatorEnds } from '../../src/mandat/announce-operator.ts'
import { closeStructure, findClosing } from '../../src/mandat/close-structure.ts'
import { listSignalees } from '../../src/mandat/fin-queries.ts'
import type { Jwks } from '../../src/mandat/jws.ts'
import type { Thematique } from '../../src/mandat/mandat.ts'
import { pauseMandat } from '../../src/mandat/pause.ts'
import { findMandat } from '../../src/mandat/queries.ts'
import { recordPause } from '../../src/mandat/record-pause.ts'
import { recordStop } from '../../src/mandat/record-stop.ts'
import { renewMandat } from '../../src/mandat/renew.ts'
import { resumeMandat } from '../../src/mandat/resume.ts'
import { statusAt } from '../../src/mandat/statut.ts'
import { stopMandat } from '../../src/mandat/stop.ts'
import { terminateMandat } from '../../src/mandat/terminate.ts'
import { jour, jourDeChamp, jourEtHeure } from '../../views/kit/words.ts'
import { expectValidHtml } from '../support/html.ts'
import { ROOT, start } from '../support/processes.ts'
import { newWorld, ok, uneDemarche, type World } from '../support/world.ts'

const quiet = () => {}
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

let world: World
let day = 0
beforeAll(async () => {
  world = await newWorld()
})
afterAll(() => world.close())
beforeEach(async () => {
  // Eleven in the morning in Paris, another day each time: nothing of one test is in force in the next.
  await world.database.freeze(new Date(Date.UTC(2026, 2, 2 + 400 * day++, 10, 0, 5)))
  await world.sql`delete from message`
  await world.sql`delete from brouillon`
  await world.forgetFins()
})
/** As a page says it, read with plain spaces. */
const simple = (words: string) => words.replaceAll('\u00a0', ' ')
const quand = (at: Date) => simple(jourEtHeure(at, 'Europe/Paris'))
const later = (ms: number) => world.database.travel({ ms })
const etatOf = async (id: string) => {
  const mandat = await world.db.tx(world.as('thomas'), (tx) => findMandat(tx, id))
  return [mandat!.etat, mandat!.enVigueur.join(' '), mandat!.enPause.join(' ')]
}
const actionsOf = async (id: string) => (await world.lines(id)).map(({ action }) => action)
const person = (usagerId: string) => ({ kind: 'usager', usagerIds: [usagerId], niveau: 'identite' }) as const
const told = async () =>
  (await world.messages())
    .map(({ cle, canal, destinataire }) => [cle.split(':')[0], canal, destinataire])
    .sort(([, , a], [, , b]) => (a! < b! ? -1 : 1))

describe('la pause', () => {
  it('par la personne, en entier puis levée : les lignes, l’état, les messages des deux côtés', async () => {
    const { id, usagerId } = await world.signMandat({ perimetre: ['logement', 'social'], suivi: 'sms' })
    await world.sql`delete from message`
    ok(await pauseMandat(world.db, person(usagerId), { mandatId: id }))
    expect(await etatOf(id)).toEqual(['suspendu', '', 'social logement'])
    expect(await told()).toEqual([
      ['pause', 'sms', '+33612345678'],
      ['pause', 'email', 'nadia@figeac.demo'],
      ['pause', 'email', 'thomas@figeac.demo'],
    ])
    const noted = await recordDemarche(world.db, world.as('ines'), uneDemarche(id))
    expect(noted).toMatchObject({ ok: false, refusal: 'hors_mandat' })
    await later(HOUR)
    ok(await resumeMandat(world.db, person(usagerId), { mandatId: id }))
    expect(await etatOf(id)).toEqual(['actif', 'social logement', ''])
    ok(await recordDemarche(world.db, world.as('ines'), uneDemarche(id)))
    expect(await actionsOf(id)).toEqual([
      'mandat_signe',
      'autorisation_suspendue',
      'autorisation_suspendue',
      'autorisation_retablie',
      'autorisation_retablie',
      'demarche_realisee',
    ])
    // Again: told again.
    ok(await pauseMandat(world.db, person(usagerId), { mandatId: id, thematique: 'logement' }))
    expect(await etatOf(id)).toEqual(['actif', 'social', 'logement'])
    expect((await told()).filter(([cle]) => cle === 'pause')).toHaveLength(6)
    const sms = (await world.messages()).filter(({ canal }) => canal === 'sms')
    for (const { corps, chemin } of sms)
      expect([corps, chemin]).toEqual([expect.not.stringMatching(/logement|social|http/i), null])
    const mails = (await world.messages()).filter(({ canal }) => canal === 'email')
    expect(mails).toHaveLength(6)
    for (const { corps, chemin } of mails) {
      expect(chemin).toBe(`/mandats/${id}`)
      expect(corps).toMatch(/mandat signé le .* avec Thomas .*connectez-vous\s:$/)
      expect(corps).not.toMatch(/logement|social|Odette/i)
    }
  })

  it('ne se fait ni deux fois, ni sur ce qui est fini, ni par une autre personne, ni par un aidant', async () => {
    const mandat = await world.signMandat({ perimetre: ['logement'] })
    const other = await world.signMandat({ persona: 'marcel' })
    const by = person(mandat.usagerId)
    const pause = (request: object = {}) => pauseMandat(world.db, by, { mandatId: mandat.id, ...request })
    expect(await resumeMandat(world.db, by, { mandatId: mandat.id })).toEqual({ ok: false, refusal: 'pas_en_pause' })
    expect(await pause({ thematique: 'argent' })).toEqual({ ok: false, refusal: 'thematique_absente' })
    expect(await pause({ mandatId: other.id })).toEqual({ ok: false, refusal: 'introuvable' })
    ok(await pause())
    const before = await world.digest()
    expect(await pause()).toEqual({ ok: false, refusal: 'deja_en_pause' })
    expect(await world.digest()).toEqual(before)
    await expect(
      world.db.tx(world.as('thomas'), async (tx) => {
        const line = await append(tx, { action: 'autorisation_retablie', mandat, contenu: {} })
        const lifted = await tx.sql`
          update suspension set until_at = horloge(), until_journal_id = ${line.id} where mandat_id = ${mandat.id} returning id`
        // Row-level security leaves nothing to an aidant.
        expect(lifted).toHaveLength(0)
        await tx.sql`
          insert into suspension (autorisation_id, mandat_id, structure_id, usager_id, from_at, journal_id)
          select id, mandat_id, structure_id, usager_id, horloge(), ${line.id} from autorisation where mandat_id = ${other.id}`
      }),
    ).rejects.toMatchObject({ constraint_name: 'suspension_par_qui' })
    ok(await stopMandat(world.db, by, { mandatId: mandat.id }))
    expect(await pause()).toEqual({ ok: false, refusal: 'deja_termine' })
    expect(await resumeMandat(world.db, by, { mandatId: mandat.id })).toEqual({ ok: false, refusal: 'deja_termine' })
    await world.database.freeze(other.expiresAt)
    expect(await pauseMandat(world.db, person(other.usagerId), { mandatId: other.id })).toEqual({
      ok: false,
      refusal: 'deja_expire',
    })
  })

  it('la base refuse une pause de ce qui est fini, ou d’avant une démarche déjà notée', async () => {
    const mandat = await world.signMandat()
    const by = person(mandat.usagerId)
    const forge = (from: Date) =>
      world.db.tx(by, async (tx) => {
        const line = await append(tx, { action: 'autorisation_suspendue', mandat, contenu: {} })
        await tx.sql`
          insert into suspension (autorisation_id, mandat_id, structure_id, usager_id, from_at, journal_id)
          select id, mandat_id, structure_id, usager_id, ${from}, ${line.id} from autorisation where mandat_id = ${mandat.id}`
      })
    await later(10_000)
    ok(await recordDemarche(world.db, world.as('ines'), uneDemarche(mandat.id)))
    await later(1000)
    const now = await world.now()
    await expect(forge(new Date(now.getTime() - 5000))).rejects.toMatchObject({ constraint_name: 'suspension_apres_actes' })
    ok(await stopMandat(world.db, by, { mandatId: mandat.id }))
    await expect(forge(now)).rejects.toMatchObject({ constraint_name: 'suspension_en_vigueur' })
  })

  it('se lit dans la liste des statuts : SUSPENDED, puis VALID, et INVALID une fois arrêté', async () => {
    const { id, usagerId } = await world.signMandat({ persona: 'josiane' })
    const [row] = await world.sql<{ bloc: number; sceau: string }[]>`
      select m.statut_bloc as bloc, c.sceau from mandat m join mandat_contenu c on c.mandat_id = m.id where m.id = ${id}`
    const claims = JSON.parse(Buffer.from(row!.sceau.split('.')[1]!, 'base64url').toString())
    const { idx, uri } = claims.status.status_list as { idx: number; uri: string }
    const statut = async () => {
      // The list is signed anew every five seconds of the machine's own clock: another application has nothing kept.
      const { statuts } = await world.db.tx({ kind: 'verifier' }, async (tx) => ({
        statuts: await tx.sql<{ bloc: number; thematique: string; etat: string }[]>`select * from statuts(0)`,
      }))
      return statuts.find(({ bloc }) => bloc === row!.bloc)?.etat ?? 'VALID'
    }
    expect(await statut()).toBe('VALID')
    ok(await pauseMandat(world.db, person(usagerId), { mandatId: id }))
    expect(await statut()).toBe('SUSPENDED')
    const list = await (await world.get(new URL(uri).pathname)).text()
    const jwks = (await (await world.get('/.well-known/jwks.json')).json()) as Jwks
    expect(await statusAt(list, idx + 4, jwks, { sub: uri, now: await world.now() })).toEqual({ ok: true, statut: 'SUSPENDED' })
    ok(await resumeMandat(world.db, person(usagerId), { mandatId: id }))
    expect(await statut()).toBe('VALID')
    ok(await pauseMandat(world.db, person(usagerId), { mandatId: id }))
    ok(await stopMandat(world.db, person(usagerId), { mandatId: id }))
    expect(await statut()).toBe('INVALID')
  })

  it('un nouvel accord la lève : l’ancien finit remplacé, le nouveau est en cours', async () => {
    const first = await world.signMandat({ perimetre: ['logement'] })
    ok(await pauseMandat(world.db, person(first.usagerId), { mandatId: first.id }))
    await later(HOUR)
    const second = await world.signMandat({ perimetre: ['logement'] })
    expect(await etatOf(first.id)).toEqual(['termine', '', ''])
    expect(await etatOf(second.id)).toEqual(['actif', 'logement', ''])
    ok(await recordDemarche(world.db, world.as('ines'), uneDemarche(second.id)))
  })

  it('se fait et se lève dans son espace, et se voit des deux côtés', async () => {
    const { id, usagerId } = await world.signMandat({ persona: 'odette', perimetre: ['logement', 'social'] })
    const hers = await world.sessionOf('odette')
    const aidant = await world.sessionOf('ines')
    const read = async (path: string, cookie: string) => {
      const answer = await world.get(path, cookie)
      expect(answer.status, path).toBe(200)
      const html = await answer.text()
      await expectValidHtml(html)
      return html
    }
    const base = `/mon-espace/mandats/${id}`
    expect(await read('/mon-espace', hers)).toContain(`href="${base}/pause"`)
    const before = await world.digest()
    expect(await read(`${base}/pause`, hers)).toContain('Tout mettre en pause')
    const { session: _, acces: __, ...after } = await world.digest()
    expect(before).toMatchObject(after)
    const answer = await world.post(`${base}/pause`, { quoi: 'tout' }, hers)
    expect([answer.status, answer.headers.get('location')]).toEqual([303, base])
    expect(await read(base, hers)).toContain('C’est en pause')
    expect(await read('/mon-espace', hers)).toContain('Remettre en route')
    expect((await world.post(`${base}/pause`, { quoi: 'tout' }, hers)).status).toBe(303)
    expect((await world.get(`${base}/pause`, hers)).status).toBe(303)
    expect(await read(`/personnes/${usagerId}`, aidant)).toContain('Mandats en pause')
    expect(await read(`/mandats/${id}`, aidant)).toContain('En pause')
    expect((await world.post(`${base}/reprise`, { quoi: 'social' }, hers)).status).toBe(303)
    expect(await read(base, hers)).toMatch(/En pause : vos démarches de logement/)
    expect(await read(`/personnes/${usagerId}`, aidant)).toContain('En pause : logement')
    expect((await world.post(`${base}/reprise`, { quoi: 'n’importe quoi' }, hers)).status).toBe(409)
    expect((await world.post(`${base}/pause`, { quoi: 'argent' }, hers)).status).toBe(409)
  })
})

describe('un arrêt demandé par lettre, enregistré par un aidant', () => {
  const record = (mandatId: string, more: object = {}, aidant: 'ines' | 'fabrice' | 'thomas' = 'ines') =>
    world.now().then((now) =>
      recordStop(world.db, world.as(aidant), {
        mandatId,
        maniere: 'courrier',
        recuLe: new Date(now.getTime() - HOUR),
        ...more,
      }),
    )

  it('finit à l’instant, dit quand et comment, et signale ce qui a été fait depuis', async () => {
    const { id, usagerId, signedAt } = await world.signMandat({ perimetre: ['logement', 'social'], suivi: 'email' })
    await later(DAY)
    const early = ok(await recordDemarche(world.db, world.as('ines'), uneDemarche(id)))
    await later(HOUR)
    const recuLe = await world.now()
    const since = ok(
      await recordDemarche(world.db, world.as('thomas'), uneDemarche(id, 'logement', { titre: 'Après la lettre' })),
    )
    await later(2 * HOUR)
    await world.sql`delete from message`
    ok(await record(id, { recuLe }))
    const at = await world.now()
    const rows = await world.sql`
      select a.thematique, a.revoked_at, a.revoked_how, r.maniere, r.recu_le, r.aidant_id
      from autorisation a join arret_recu r on r.autorisation_id = a.id where a.mandat_id = ${id} order by 1`
    expect(rows.map((row) => ({ ...row }))).toEqual(
      ['logement', 'social'].map((thematique) => ({
        thematique,
        revoked_at: at,
        revoked_how: 'revoque',
        maniere: 'courrier',
        recu_le: recuLe,
        aidant_id: world.aidants.ines,
      })),
    )
    const lines = await world.lines(id)
    expect(lines.slice(3).map(({ action, acteur }) => [action, acteur])).toEqual([
      ['autorisation_revoquee', 'aidant'],
      ['autorisation_revoquee', 'aidant'],
      ['mandat_termine', 'aidant'],
    ])
    expect(JSON.parse(lines.at(-1)!.payload!)).toEqual({
      how: 'revoque',
      at: at.toISOString(),
      maniere: 'courrier',
      recu_le: recuLe.toISOString(),
    })
    // One noted only now, done meanwhile, is flagged too; before it had come, not.
    const late = ok(
      await recordDemarche(
        world.db,
        world.as('thomas'),
        uneDemarche(id, 'social', { doneAt: new Date(recuLe.getTime() + HOUR) }),
      ),
    )
    const flagged = await world.db.tx(person(usagerId), (tx) => listSignalees(tx, { mandatId: id }))
    expect([...flagged].sort()).toEqual([since.id, late.id].sort())
    expect(flagged.has(early.id)).toBe(false)
    expect((await told()).map(([cle, canal]) => [cle, canal])).toEqual(Array(3).fill(['arret', 'email']))
    const all = await world.messages()
    const [nadia, hers] = [true, false].map((direction) =>
      all.find(
        ({ destinataire }) => direction === (destinataire === 'nadia@figeac.demo') && destinataire !== 'thomas@figeac.demo',
      ),
    )
    expect(hers!.corps).toMatch(/demande d’arrêt, reçue le .*Une démarche a été faite après la réception/s)
    expect(nadia!.corps).toContain('signalée')
    for (const { corps } of [hers!, nadia!]) expect(corps).toContain('relevé')
    expect(hers!.corps + nadia!.corps).not.toMatch(/logement|Après la lettre|Odette/i)
    expect(hers!.corps).not.toContain('Thomas')
    // Which mandat, by what names nobody: its page behind the sign-in, its date, its aidant.
    expect([hers!.chemin, nadia!.chemin]).toEqual([null, `/mandats/${id}/arret`])
    expect(nadia!.corps).toMatch(/mandat signé le .* avec Thomas .*connectez-vous\s:$/)
    expect(signedAt < recuLe).toBe(true)

    // Both dates wherever the end is said, not on this page alone.
    const [recu, effectif] = [recuLe, at].map(quand)
    const both = `demande reçue le ${recu}, arrêt effectif le ${effectif}`
    const hersToRead = await world.sessionOf('odette')
    const officeToRead = await world.sessionOf('thomas')
    for (const path of ['/mon-espace', `/mon-espace/mandats/${id}`])
      expect(await (await world.get(path, hersToRead)).text(), path).toContain(both)
    for (const path of [`/personnes/${usagerId}`, `/mandats/${id}`])
      expect(await (await world.get(path, officeToRead)).text(), path).toContain(both)
    expect(await (await world.get('/personnes', officeToRead)).text()).toContain(
      `demande d’arrêt reçue le ${simple(jour(recuLe, 'Europe/Paris'))}`,
    )
    expect(simple(hers!.corps)).toContain(`l’arrêt est effectif le ${effectif}`)
    // Said once: the hour of the stop is also that of its recording.
    expect(simple(nadia!.corps)).toContain(`Le ${effectif}, un collègue a enregistré`)
    expect(simple(nadia!.corps)).not.toContain('effectif depuis le')

    const page = await (await world.get(`/mon-espace/mandats/${id}/arret`, await world.sessionOf('odette'))).text()
    await expectValidHtml(page)
    expect(page).toMatch(/Faites après l’arrivée de votre demande[\s\S]*Après la lettre[\s\S]*ne savait peut-être pas encore/)
    // Her mandat says that it stops when her request comes (art. 2005 C. civ.): whoever acted since could not.
    expect(page).not.toContain('pouvait encore')
    expect(page).toContain('par courrier')
    expect(page).toContain(`action="/mon-espace/mandats/${id}/papiers/releve"`)
    const office = await (await world.get(`/mandats/${id}/arret`, await world.sessionOf('thomas'))).text()
    await expectValidHtml(office)
    expect(office).toMatch(/Faites depuis l’arrivée de sa demande[\s\S]*Thomas/)
    const director = await (await world.get(`/mandats/${id}/arret`, await world.sessionOf('nadia'))).text()
    expect(director).toContain('Faites depuis l’arrivée de sa demande')
    expect(director).not.toContain('Après la lettre')
    expect(director).not.toContain('Les demandes déjà envoyées')
  })

  it('les actes hors mandat faits depuis sont signalés aussi ; d’un thème que la demande n’arrête pas, non', async () => {
    const { id, usagerId, signedAt } = await world.signMandat({ perimetre: ['logement', 'social'] })
    await later(HOUR)
    const outside = async (thematique: Thematique) =>
      ok(await recordActeHorsMandat(world.db, world.as('thomas'), uneDemarche(id, thematique), 'Une urgence')).id
    const flagged = async () => [...(await world.db.tx(person(usagerId), (tx) => listSignalees(tx, { mandatId: id })))].sort()
    const never = await outside('argent')
    ok(await record(id, { thematique: 'logement', recuLe: signedAt }))
    const stopped = await outside('logement')
    expect(await flagged()).toEqual([stopped])
    ok(await record(id, { recuLe: signedAt }))
    expect(await flagged()).toEqual([never, stopped].sort())
    const office = await (await world.get(`/mandats/${id}/arret`, await world.sessionOf('thomas'))).text()
    expect(office).toMatch(/Faites depuis l’arrivée de sa demande[\s\S]*acte hors mandat/)
    await expectValidHtml(office)
  })

  it('par SMS aussi, en un seul : reçue tel jour, arrêtée tel autre, avec qui', async () => {
    const { id, signedAt } = await world.signMandat({ perimetre: ['logement', 'social'], suivi: 'sms' })
    await later(2 * DAY)
    await world.sql`delete from message`
    ok(await record(id, { thematique: 'logement', recuLe: signedAt }))
    const sms = (await world.messages()).find(({ canal }) => canal === 'sms')!
    const [recu, arret] = [signedAt, await world.now()].map((at) =>
      new Intl.DateTimeFormat('fr-FR', { timeZone: 'Europe/Paris', day: '2-digit', month: '2-digit' }).format(at),
    )
    expect(sms.corps).toContain(`demande recue le ${recu}, arret effectif le ${arret} a `)
    expect(sms.corps).toMatch(/mandat \(une partie\) avec le CCAS de Figeac\. Les demandes envoyees restent\.$/)
    expect(sms.corps.length).toBeLessThanOrEqual(160)
  })

  it('une thématique, puis l’autre : le mandat finit avec la dernière', async () => {
    const { id } = await world.signMandat({ perimetre: ['logement', 'social'] })
    await later(DAY)
    ok(await record(id, { thematique: 'logement', maniere: 'telephone' }))
    expect(await etatOf(id)).toEqual(['actif', 'social', ''])
    expect(await record(id, { thematique: 'logement' })).toEqual({ ok: false, refusal: 'deja_termine' })
    ok(await record(id, { thematique: 'social', maniere: 'visite' }))
    expect((await etatOf(id))[0]).toBe('termine')
    expect(await actionsOf(id)).toEqual(['mandat_signe', 'autorisation_revoquee', 'autorisation_revoquee', 'mandat_termine'])
  })

  it('refuse : à venir, avant la signature, pas deux fois, d’une autre structure, après la fin, par un aidant suspendu', async () => {
    const { id, signedAt, expiresAt } = await world.signMandat()
    await later(DAY)
    const now = await world.now()
    const before = await world.digest()
    expect(await record(id, { recuLe: new Date(now.getTime() + 1) })).toEqual({ ok: false, refusal: 'recu_futur' })
    expect(await record(id, { recuLe: new Date(signedAt.getTime() - 1) })).toEqual({ ok: false, refusal: 'recu_avant_signature' })
    expect(await record(id, { thematique: 'argent' })).toEqual({ ok: false, refusal: 'thematique_absente' })
    expect(await record(id, {}, 'fabrice')).toEqual({ ok: false, refusal: 'introuvable' })
    await world.sql`update aidant set suspended_at = horloge() where id = ${world.aidants.ines}`
    expect(await record(id)).toEqual({ ok: false, refusal: 'aidant_suspendu' })
    await world.sql`update aidant set suspended_at = null where id = ${world.aidants.ines}`
    expect(await world.digest()).toEqual(before)
    await world.database.freeze(expiresAt)
    expect(await record(id, { recuLe: expiresAt })).toEqual({ ok: false, refusal: 'deja_expire' })
    const other = await world.signMandat({ persona: 'marcel' })
    await later(DAY)
    ok(await record(other.id, { recuLe: other.signedAt }))
    expect(await record(other.id)).toEqual({ ok: false, refusal: 'deja_termine' })
  })

  it('la base ne croit pas l’aidant qui arrête « à la demande » sans dire comment elle est venue, ni la structure à la place de l’opérateur', async () => {
    const mandat = await world.signMandat()
    const end = (how: string, receipt = false) =>
      world.db.tx(world.as('thomas'), async (tx) => {
        const line = await append(tx, { action: 'autorisation_revoquee', mandat, contenu: {} })
        await tx.sql`update autorisation set revoked_at = horloge(), revoked_how = ${how}, revoked_journal_id = ${line.id} where mandat_id = ${mandat.id}`
        if (receipt)
          await tx.sql`
            insert into arret_recu (autorisation_id, mandat_id, structure_id, usager_id, aidant_id, maniere, recu_le, journal_id)
            select id, mandat_id, structure_id, usager_id, ${world.aidants.thomas}, 'courrier', signed_at - interval '1 second', ${line.id}
            from autorisation where mandat_id = ${mandat.id}`
        const last = await append(tx, { action: 'mandat_termine', mandat, contenu: {} })
        await tx.sql`update mandat set ended_at = horloge(), ended_how = ${how}, ended_journal_id = ${last.id} where id = ${mandat.id}`
      })
    await expect(end('revoque')).rejects.toMatchObject({ constraint_name: 'fin_par_qui' })
    await expect(end('structure_fermee')).rejects.toMatchObject({ constraint_name: 'fin_par_qui' })
    await expect(end('revoque', true)).rejects.toMatchObject({ constraint_name: 'arret_recu_de_sa_fin' })
    await expect(end('renonce')).resolves.toBeUndefined()
  })

  it('trouvée une fois le mandat fini à sa date : le mandat reste ce qu’il était, ce qui a été fait depuis est signalé', async () => {
    const { id, usagerId, expiresAt } = await world.signMandat({
      perimetre: ['logement', 'social'],
      duree: 'jour',
      suivi: 'email',
    })
    const recuLe = await world.now()
    await later(HOUR)
    const since = ok(await recordDemarche(world.db, world.as('ines'), uneDemarche(id)))
    await world.database.freeze(new Date(expiresAt.getTime() + DAY))
    await world.sql`delete from message`
    ok(await record(id, { recuLe }))
    expect((await etatOf(id))[0]).toBe('expire')
    expect((await actionsOf(id)).slice(2)).toEqual(['arret_recu', 'arret_recu'])
    expect(await told()).toEqual([])
    expect([...(await world.db.tx(person(usagerId), (tx) => listSignalees(tx, { mandatId: id })))]).toEqual([since.id])
    expect(await record(id, { recuLe })).toEqual({ ok: false, refusal: 'deja_expire' })
  })

  it('trouvée après qu’elle l’a redit elle-même : les deux sont écrits, et l’arrêt reste le sien', async () => {
    const { id, usagerId } = await world.signMandat({ perimetre: ['logement', 'social'] })
    const recuLe = await world.now()
    await later(HOUR)
    ok(await stopMandat(world.db, person(usagerId), { mandatId: id, thematique: 'logement' }))
    await later(HOUR)
    ok(await record(id, { recuLe }))
    const rows = await world.sql`
      select a.thematique, j.action, j.acteur, l.action as line
      from autorisation a
      join arret_recu r on r.autorisation_id = a.id
      join journal j on j.id = a.revoked_journal_id
      join journal l on l.id = r.journal_id
      where a.mandat_id = ${id} order by 1`
    expect(rows.map((row) => Object.values(row))).toEqual([
      ['logement', 'autorisation_revoquee', 'usager', 'arret_recu'],
      ['social', 'autorisation_revoquee', 'aidant', 'autorisation_revoquee'],
    ])
    expect((await etatOf(id))[0]).toBe('termine')
  })

  it('la base ne croit pas une demande « arrivée avant la fin » qui est venue après', async () => {
    const mandat = await world.signMandat()
    await later(HOUR)
    ok(await stopMandat(world.db, person(mandat.usagerId), { mandatId: mandat.id }))
    await later(HOUR)
    const forge = (recuLe: Date) =>
      world.db.tx(world.as('ines'), async (tx) => {
        const line = await append(tx, { action: 'arret_recu', mandat, contenu: {} })
        await tx.sql`
          insert into arret_recu (autorisation_id, mandat_id, structure_id, usager_id, aidant_id, maniere, recu_le, journal_id)
          select id, mandat_id, structure_id, usager_id, ${world.aidants.ines}, 'courrier', ${recuLe}, ${line.id}
          from autorisation where mandat_id = ${mandat.id}`
      })
    const now = await world.now()
    await expect(forge(new Date(now.getTime() - HOUR + 1))).rejects.toMatchObject({ constraint_name: 'arret_recu_de_sa_fin' })
    await expect(forge(new Date(now.getTime() - HOUR - 1))).resolves.toBeUndefined()
  })

  it('par l’écran : prérempli de maintenant, refusé sans manière, deux fois ne font qu’un', async () => {
    const { id } = await world.signMandat({ perimetre: ['logement', 'social'] })
    await later(DAY)
    const cookie = await world.sessionOf('ines')
    const path = `/mandats/${id}/arreter`
    const page = await (await world.get(path, cookie)).text()
    await expectValidHtml(page)
    const moment = /value="(20\d\d-\d\d-\d\dT\d\d:00)" auto/.exec(page)![1]!
    const refused = await world.post(path, { quoi: 'tout', recuLe: moment }, cookie)
    expect(refused.status).toBe(422)
    await expectValidHtml(await refused.text())
    const future = await world.post(path, { quoi: 'tout', maniere: 'email', recuLe: '2100-01-01T10:00' }, cookie)
    expect(future.status).toBe(409)
    expect(await future.text()).toContain('Cette date est à venir')
    const answers = await Promise.all(
      [1, 2].map(() => world.post(path, { quoi: 'tout', maniere: 'email', recuLe: moment }, cookie)),
    )
    expect(answers.map(({ status, headers }) => [status, headers.get('location')])).toEqual(
      [1, 2].map(() => [303, `/mandats/${id}/arret?fait=1`]),
    )
    expect((await actionsOf(id)).filter((action) => action === 'mandat_termine')).toHaveLength(1)
    const shown = async () => (await world.get(`/mandats/${id}/arret?fait=1`, cookie)).text()
    expect(await shown()).toContain('C’est enregistré')
    expect(await shown()).toContain(`href="/mandats/${id}/demarches/nouvelle"`)
    await later(11 * MINUTE)
    expect(await shown()).not.toContain('C’est enregistré')
    expect((await world.get(path, cookie)).status).toBe(200) // a letter found late
  })
})

describe('sans demande de la personne', () => {
  const end = (mandatId: string, how: 'renonce' | 'deces' | 'protection', aidant: 'ines' | 'fabrice' = 'ines') =>
    terminateMandat(world.db, world.as(aidant), { mandatId, how })

  it('la structure renonce : ce mandat seul, et la personne est prévenue', async () => {
    const first = await world.signMandat({ perimetre: ['logement'], suivi: 'sms' })
    const second = await world.signMandat({ perimetre: ['social'], suivi: 'sms' })
    await world.sql`delete from message`
    expect(await end(first.id, 'renonce', 'fabrice')).toEqual({ ok: false, refusal: 'introuvable' })
    ok(await end(first.id, 'renonce'))
    expect([(await etatOf(first.id))[0], (await etatOf(second.id))[0]]).toEqual(['termine', 'actif'])
    expect((await told()).map(([, canal]) => canal)).toEqual(['sms', 'email', 'email'])
    expect(await end(first.id, 'renonce')).toEqual({ ok: false, refusal: 'deja_termine' })
    await world.database.freeze(second.expiresAt)
    expect(await end(second.id, 'renonce')).toEqual({ ok: false, refusal: 'deja_expire' })
  })

  it.each([
    'deces',
    'protection',
  ] as const)('%s : tous ses mandats de la structure finissent, ceux d’une autre non', async (how) => {
    const here = [
      await world.signMandat({ persona: 'marcel', perimetre: ['logement'], suivi: 'email' }),
      await world.signMandat({ persona: 'marcel', perimetre: ['social', 'famille'], suivi: 'email' }),
    ]
    const elsewhere = await world.signMandat({ persona: 'marcel', aidant: 'fabrice', suivi: 'email' })
    const neighbour = await world.signMandat({ persona: 'josiane' })
    ok(await pauseMandat(world.db, person(here[0]!.usagerId), { mandatId: here[0]!.id }))
    await world.sql`delete from message`
    ok(await end(here[1]!.id, how))
    for (const { id } of here) {
      const [row] = await world.sql`select ended_how from mandat where id = ${id}`
      expect(row).toEqual({ ended_how: how })
    }
    for (const { id } of [elsewhere, neighbour]) {
      const [row] = await world.sql`select ended_how from mandat where id = ${id}`
      expect(row).toEqual({ ended_how: null })
    }
    expect((await actionsOf(here[1]!.id)).slice(1)).toEqual(['autorisation_revoquee', 'autorisation_revoquee', 'mandat_termine'])
    const recipients = (await told()).map(([, , destinataire]) => destinataire)
    // Of a death nobody writes to her; of a protection she is told, once for each mandat.
    expect(recipients.filter((to) => !to!.endsWith('@figeac.demo'))).toHaveLength(how === 'deces' ? 0 : 2)
    expect(recipients.filter((to) => to === 'nadia@figeac.demo')).toHaveLength(2)
  })

  it.each([
    'deces',
    'protection',
    'renonce',
  ] as const)('%s : le code de sa feuille et ses sessions, ce qui lui restait à lire', async (how) => {
    const { id, usagerId } = await world.signMandat({ persona: 'marcel', suivi: 'sms' })
    const elsewhere = await world.signMandat({ persona: 'marcel', aidant: 'fabrice', suivi: 'sms' })
    const other = await world.signMandat({ persona: 'josiane', suivi: 'sms', contact: '+33611110000' })
    await world.sql.begin(async (tx) => {
      await tx`set local session_replication_role = replica`
      await tx`insert into code_prive (usager_id, empreinte) values (${usagerId}, ${Buffer.alloc(32, day)})`
    })
    const cookies = [await world.sessionOf('marcel'), await world.sessionOf('josiane')]
    ok(await end(id, how))
    const closed = how !== 'renonce'
    expect(await world.sql`select 1 from code_prive where usager_id = ${usagerId} and replaced_at is null`).toHaveLength(
      closed ? 0 : 1,
    )
    const answers = await Promise.all(cookies.map((cookie) => world.get('/mon-espace', cookie)))
    expect(answers.map(({ status }) => status)).toEqual([closed ? 303 : 200, 200])
    const waiting = (await world.messages())
      .filter(({ canal }) => canal === 'sms')
      .map(({ cle }) => cle.split(':').slice(0, 2).join(':'))
    expect(waiting.sort()).toEqual(
      [
        `mandat-signe:${other.id}`,
        ...(how === 'deces' ? [] : [`mandat-signe:${id}`, `mandat-signe:${elsewhere.id}`, `arret:${id}`]),
      ].sort(),
    )
  })

  it('un décès noté ici refuse tout mandat suivant, ici seulement, et la base aussi', async () => {
    const { id, usagerId } = await world.signMandat({ persona: 'marcel', perimetre: ['logement'] })
    ok(await end(id, 'deces'))
    await later(DAY)
    const before = await world.digest()
    await expect(world.draft({ persona: 'marcel', upTo: 'identite' })).rejects.toThrow('deces_note')
    // Nothing is left of what was prepared, and another structure learns nothing of it.
    expect((await world.digest()).brouillon).toBe(before.brouillon)
    ok({ ok: true, ...(await world.signMandat({ persona: 'marcel', aidant: 'fabrice' })) })
    const forge = (aidant: 'thomas' | 'fabrice') =>
      world.sql`insert into mandat (id, structure_id, usager_id, aidant_id, duree, signed_at, expires_at, statut_bloc, journal_id)
        values (gen_random_uuid(), ${world.as(aidant).structureId}, ${usagerId}, ${world.aidants[aidant]}, 'mois', horloge(), horloge(), 0, 1)`
    await expect(forge('thomas')).rejects.toMatchObject({ constraint_name: 'mandat_apres_deces' })
    await expect(forge('fabrice')).rejects.not.toMatchObject({ constraint_name: 'mandat_apres_deces' })
  })

  it('une mesure de protection notée ici se dit au mandat suivant, et se demande ; ailleurs, rien ne se voit', async () => {
    const { id } = await world.signMandat({ persona: 'marcel', perimetre: ['logement'] })
    ok(await end(id, 'protection'))
    await later(40 * DAY)
    const elsewhere = await world.draft({ persona: 'marcel', aidant: 'fabrice' })
    const theirs = world.browser(await world.sessionOf('fabrice'))
    for (const step of ['accord?relire=oui', 'acceptation'])
      expect((await theirs.get(`/mandats/brouillons/${elsewhere}/${step}`)).html).not.toMatch(/mesure de protection/)

    const draft = await world.draft({ persona: 'marcel', perimetre: ['social'] })
    const browser = world.browser(await world.sessionOf('thomas'))
    expect((await browser.get(`/mandats/brouillons/${draft}/accord?relire=oui`)).html).toContain(
      'Quelqu’un est-il encore chargé de vos affaires',
    )
    const accept = `/mandats/brouillons/${draft}/acceptation`
    const page = await browser.get(accept)
    await expectValidHtml(page.html)
    expect(page.html).toMatch(/Une mesure de protection est notée[\s\S]*name="mesureFinie"/)
    const code = await world.freshCode('thomas')
    const refused = await browser.post(accept, { code })
    expect([refused.status, refused.html.includes('dites si elle a pris fin')]).toEqual([409, true])
    await expectValidHtml(refused.html)
    expect((await browser.post(accept, { code, mesureFinie: 'oui' })).location).toContain(`/mandats/${draft}?signe=1`)
  })

  it('nul ne ferme ses portes sans l’avoir écrit', async () => {
    const { usagerId } = await world.signMandat()
    const close = (who: Who) => world.db.tx(who, (tx) => tx.sql`select ferme_ses_portes(${usagerId})`)
    for (const who of [world.as('ines'), world.as('fabrice'), person(usagerId)])
      await expect(close(who)).rejects.toMatchObject({ code: '42501' })
  })

  it('les pages disent ce qui suit, et n’arrêtent rien sans la case', async () => {
    const { id } = await world.signMandat({ suivi: 'email' })
    const cookie = await world.sessionOf('ines')
    for (const path of ['renoncer', 'deces', 'protection']) {
      const answer = await world.get(`/mandats/${id}/${path}`, cookie)
      expect(answer.status).toBe(200)
      await expectValidHtml(await answer.text())
      const refused = await world.post(`/mandats/${id}/${path}`, {}, cookie)
      expect(refused.status).toBe(422)
      await expectValidHtml(await refused.text())
    }
    expect(await actionsOf(id)).toEqual(['mandat_signe'])
    const done = await world.post(`/mandats/${id}/deces`, { confirme: 'oui' }, cookie)
    expect(done.headers.get('location')).toBe(`/mandats/${id}/arret?fait=1`)
    const after = await (await world.get(`/mandats/${id}/arret`, cookie)).text()
    await expectValidHtml(after)
    expect(after).toContain('article 1991')
    expect(after).toMatch(/Rendre compte[\s\S]*relevé/)
    const hers = await (await world.get('/mon-espace', await world.sessionOf('odette'))).text()
    expect(hers).not.toContain('décès')
  })
})

describe('un arrêt demandé au service lui-même', () => {
  let operator: Db
  beforeAll(() => {
    operator = openDb({ url: world.database.operatorUrl, connections: 1 })
  })
  afterAll(() => operator.close())
  const by = { kind: 'operator' } as const

  it('l’exploitant l’enregistre sans lire de qui : fini à l’instant, signalé depuis la réception, dit une fois des deux côtés', async () => {
    const mandat = await world.signMandat({ perimetre: ['logement', 'social'], suivi: 'email' })
    const { id, usagerId } = mandat
    await later(DAY)
    const recuLe = await world.now()
    await later(HOUR)
    const since = ok(await recordDemarche(world.db, world.as('thomas'), uneDemarche(id)))
    await later(HOUR)
    await world.sql`delete from message`
    const stop = { mandatId: id, thematique: undefined, maniere: 'courrier', recuLe } as const
    ok(await recordStop(operator, by, stop))
    expect(await recordStop(operator, by, stop)).toEqual({ ok: false, refusal: 'deja_termine' })
    const at = await world.now()
    const rows = await world.sql`
      select a.revoked_at, a.revoked_how, r.recu_le, r.aidant_id
      from autorisation a join arret_recu r on r.autorisation_id = a.id where a.mandat_id = ${id}`
    expect(rows.map((row) => ({ ...row }))).toEqual(
      Array(2).fill({ revoked_at: at, revoked_how: 'revoque', recu_le: recuLe, aidant_id: null }),
    )
    expect((await world.lines(id)).slice(2).map(({ action, acteur }) => [action, acteur])).toEqual([
      ['autorisation_revoquee', 'operateur'],
      ['autorisation_revoquee', 'operateur'],
      ['mandat_termine', 'operateur'],
    ])
    expect([...(await world.db.tx(person(usagerId), (tx) => listSignalees(tx, { mandatId: id })))]).toEqual([since.id])

    // Told by the service: the operator reads nobody's address.
    expect(await world.messages()).toEqual([])
    expect(await announceOperatorEnds(world.db, quiet)).toBe(1)
    expect(await announceOperatorEnds(world.db, quiet)).toBe(0)
    const messages = await world.messages()
    expect(messages.map(({ cle }) => cle.split(':')[0])).toEqual(Array(3).fill('arret'))
    const hers = messages.find(({ destinataire }) => !destinataire.endsWith('@figeac.demo'))!
    expect(hers.corps).toMatch(/demande d’arrêt, reçue le .*Une démarche a été faite après la réception/s)
    expect(messages.find(({ destinataire }) => destinataire === AIDANTS.thomas.email)!.corps).toMatch(
      /le service Trait d’union a enregistré la demande .* d’arrêter un mandat/,
    )

    const both = `demande reçue le ${quand(recuLe)}, arrêt effectif le ${quand(at)}`
    for (const [path, cookie] of [
      ['/mon-espace', await world.sessionOf('odette')],
      [`/mandats/${id}`, await world.sessionOf('thomas')],
    ] as const)
      expect(await (await world.get(path, cookie)).text(), path).toContain(both)
    const journal = await (await world.get('/structure/journal', await world.sessionOf('nadia'))).text()
    expect(journal).toContain('L’exploitant du service')
    expect(journal.match(/Faite après l’arrivée de la demande d’arrêt/g)).toHaveLength(1)
  })

  it('la base ne le laisse ni se faire passer pour un aidant, ni arrêter sans demande, ni renoncer ; un aidant ne signe pas de ce nom', async () => {
    const mandat = await world.signMandat()
    const recuLe = mandat.signedAt
    const end = (who: Who, how: string, aidantId: string | null | undefined) =>
      (who.kind === 'operator' ? operator : world.db).tx(who, async (tx) => {
        await tx.sql`select set_config('app.mandat_id', ${mandat.id}, true)`
        const line = await append(tx, { action: 'autorisation_revoquee', mandat, contenu: {} })
        const [{ id }] = await tx.sql<[{ id: string }]>`
          update autorisation set revoked_at = horloge(), revoked_how = ${how}, revoked_journal_id = ${line.id}
          where mandat_id = ${mandat.id} returning id`
        if (aidantId !== undefined)
          await tx.sql`
            insert into arret_recu (autorisation_id, mandat_id, structure_id, usager_id, aidant_id, maniere, recu_le, journal_id)
            values (${id}, ${mandat.id}, ${mandat.structureId}, ${mandat.usagerId}, ${aidantId}, 'courrier', ${recuLe}, ${line.id})`
        const last = await append(tx, { action: 'mandat_termine', mandat, contenu: {} })
        await tx.sql`update mandat set ended_at = horloge(), ended_how = ${how}, ended_journal_id = ${last.id} where id = ${mandat.id}`
      })
    await expect(end(by, 'revoque', undefined)).rejects.toMatchObject({ constraint_name: 'fin_par_qui' })
    await expect(end(by, 'renonce', undefined)).rejects.toMatchObject({ constraint_name: 'fin_par_qui' })
    await expect(end(by, 'revoque', world.aidants.thomas)).rejects.toMatchObject({ constraint_name: 'arret_recu_de_sa_fin' })
    await expect(end(world.as('thomas'), 'revoque', null)).rejects.toMatchObject({ constraint_name: 'arret_recu_de_sa_fin' })
    await expect(operator.tx(by, (tx) => tx.sql`select usager_id from arret_recu`)).rejects.toMatchObject({ code: '42501' })
    expect(await operator.tx(by, (tx) => tx.sql`select mandat_id from arret_recu`)).toHaveLength(0)
    await expect(end(by, 'revoque', null)).resolves.toBeUndefined()
  })

  it('npm run mandat -- stop : dit d’abord ce qui s’arrêterait, puis arrête ; refuse ce qui ne se peut pas', async () => {
    const run = (...args: string[]) =>
      start(process.execPath, ['--import', 'tsx', 'src/mandat-command.ts', 'stop', ...args], {
        cwd: ROOT,
        env: { PATH: process.env.PATH, DATABASE_OPERATOR_URL: world.database.operatorUrl },
      }).ended
    const { id, signedAt } = await world.signMandat({ perimetre: ['logement', 'social'] })
    await later(DAY)
    const recu = ['--maniere', 'courrier', '--recu', `${jourDeChamp(signedAt, 'Europe/Paris')} 18:00`]
    const [alone, unknown, before, later_] = await Promise.all([
      run(id, '--maniere', 'pigeon'),
      run(randomUUID(), ...recu),
      run(id, '--maniere', 'courrier', '--recu', '01/01/2020 10:00', '--confirmer'),
      run(id, ...recu),
    ])
    expect(alone).toMatchObject({ code: 2, output: expect.stringMatching(/--maniere : [\s\S]*--recu : /) })
    expect(unknown).toMatchObject({ code: 1, output: expect.stringContaining('Aucun mandat n’a ce numéro') })
    expect(before).toMatchObject({ code: 1, output: expect.stringContaining('pas encore signé à cette date') })
    expect(later_).toMatchObject({ code: 3, output: expect.stringMatching(/S’arrêterait[\s\S]*ajoutez --confirmer/) })
    expect((await etatOf(id))[0]).toBe('actif')

    expect(await run(id.toUpperCase(), ...recu, '--quoi', 'social', '--confirmer')).toMatchObject({
      code: 0,
      output: expect.stringMatching(
        /C’est arrêté : .* pour santé et aides sociales ; demande reçue par courrier le .* à 18.h.00/,
      ),
    })
    expect(await etatOf(id)).toEqual(['actif', 'logement', ''])
    expect(await run(id, ...recu, '--confirmer')).toMatchObject({ code: 0 })
    expect(await run(id, ...recu, '--confirmer')).toMatchObject({ code: 0, output: 'C’est déjà arrêté.\n' })
    expect((await etatOf(id))[0]).toBe('termine')
  }, 60_000)
})

describe('la pause demandée au guichet, par téléphone ou par lettre', () => {
  it('tout aidant de la structure l’enregistre ; elle voit par qui, les deux côtés l’apprennent, et elle seule remet en route', async () => {
    const { id, usagerId } = await world.signMandat({ perimetre: ['logement', 'social'], suivi: 'sms' })
    await world.sql`delete from message`
    const ines = await world.sessionOf('ines')
    const address = `/mandats/${id}/pause`
    const asked = await (await world.get(address, ines)).text()
    await expectValidHtml(asked)
    expect(asked).toContain('Par le bulletin en bas de la feuille')
    expect(asked).not.toContain('J’arrête mon mandat')
    const refused = await world.post(address, { quoi: 'tout' }, ines)
    expect(refused.status).toBe(422)
    await expectValidHtml(await refused.text())
    expect(await etatOf(id)).toEqual(['actif', 'social logement', ''])

    const done = await world.post(address, { quoi: 'logement', maniere: 'telephone' }, ines)
    expect([done.status, done.headers.get('location')]).toEqual([303, `/mandats/${id}?fait=1`])
    expect(await etatOf(id)).toEqual(['actif', 'social', 'logement'])
    const line = (await world.lines(id)).at(-1)!
    expect([line.action, line.acteur, line.acteurId]).toEqual(['autorisation_suspendue', 'aidant', world.aidants.ines])
    expect(JSON.parse(line.payload!)).toEqual({ thematique: 'logement', maniere: 'telephone' })
    expect(await told()).toEqual([
      ['pause', 'sms', '+33612345678'],
      ['pause', 'email', 'nadia@figeac.demo'],
      ['pause', 'email', 'thomas@figeac.demo'],
    ])
    expect((await world.messages()).find(({ canal }) => canal === 'email')!.corps).toContain('un collègue a enregistré')
    expect(await recordDemarche(world.db, world.as('thomas'), uneDemarche(id))).toMatchObject({ refusal: 'hors_mandat' })

    const said = `demandée par téléphone, enregistrée par ${AIDANTS.ines.prenom} ${AIDANTS.ines.nom}`
    const office = await (await world.get(`/mandats/${id}?fait=1`, ines)).text()
    await expectValidHtml(office)
    expect(office).toContain(said)
    expect(office).toContain('Pause enregistrée')
    const hers = await (await world.get(`/mon-espace/mandats/${id}`, await world.sessionOf('odette'))).text()
    await expectValidHtml(hers)
    expect(hers).toContain(`pause demandée par téléphone, et enregistrée par ${AIDANTS.ines.prenom} ${AIDANTS.ines.nom}`)

    // Twice is once; the rest may follow; over an hour, the page says it no more.
    expect((await world.post(address, { quoi: 'logement', maniere: 'visite' }, ines)).status).toBe(303)
    expect(await recordPause(world.db, world.as('thomas'), { mandatId: id, maniere: 'courrier' })).toEqual({ ok: true })
    expect(await etatOf(id)).toEqual(['suspendu', '', 'social logement'])
    await later(HOUR)
    expect(await (await world.get(`/mandats/${id}?fait=1`, await world.sessionOf('thomas'))).text()).not.toContain(
      'Pause enregistrée',
    )
    ok(await resumeMandat(world.db, person(usagerId), { mandatId: id }))
    expect(await (await world.get(`/mandats/${id}`, await world.sessionOf('thomas'))).text()).not.toContain('enregistrée par')
  })

  it('ni d’un mandat d’ailleurs, ni fini, ni par une aidante suspendue', async () => {
    const mandat = await world.signMandat({ persona: 'odette' })
    const request = { mandatId: mandat.id, maniere: 'visite' } as const
    expect(await recordPause(world.db, world.as('fabrice'), request)).toEqual({ ok: false, refusal: 'introuvable' })
    await world.sql`update aidant set suspended_at = horloge() where id = ${world.aidants.ines}`
    expect(await recordPause(world.db, world.as('ines'), request)).toEqual({ ok: false, refusal: 'aidant_suspendu' })
    await world.sql`update aidant set suspended_at = null where id = ${world.aidants.ines}`
    ok(await stopMandat(world.db, person(mandat.usagerId), { mandatId: mandat.id }))
    expect(await recordPause(world.db, world.as('ines'), request)).toEqual({ ok: false, refusal: 'deja_termine' })
  })

  it('la base n’en croit pas l’application : ni au nom d’un collègue, ni au nom de la personne, ni par une suspendue, ni levée', async () => {
    const mandat = await world.signMandat()
    const write = (
      by: Who,
      aidantId: string | null,
      action: 'autorisation_suspendue' | 'autorisation_retablie' = 'autorisation_suspendue',
    ) =>
      world.db.tx(by, async (tx) => {
        const line = await append(tx, { action, mandat, contenu: {} })
        if (action === 'autorisation_retablie')
          return tx.sql`update suspension set until_at = horloge(), until_journal_id = ${line.id} where mandat_id = ${mandat.id} returning id`
        return tx.sql`
          insert into suspension (autorisation_id, mandat_id, structure_id, usager_id, from_at, journal_id, aidant_id, maniere)
          select id, mandat_id, structure_id, usager_id, horloge(), ${line.id}, ${aidantId}, ${aidantId && 'visite'}
          from autorisation where mandat_id = ${mandat.id} returning id`
      })
    const { thomas, ines } = world.aidants
    const another = { constraint_name: 'suspension_par_qui' }
    await expect(write(world.as('thomas'), ines)).rejects.toMatchObject(another)
    await expect(write(world.as('thomas'), null)).rejects.toMatchObject(another)
    await expect(write(person(mandat.usagerId), thomas)).rejects.toMatchObject(another)
    await expect(write(world.as('fabrice'), world.aidants.fabrice)).rejects.toThrow()
    await world.sql`update aidant set suspended_at = horloge() where id = ${ines}`
    await expect(write(world.as('ines'), ines)).rejects.toMatchObject({ constraint_name: 'suspension_aidant_actif' })
    await world.sql`update aidant set suspended_at = null where id = ${ines}`
    expect(await write(world.as('thomas'), thomas)).toHaveLength(1)
    // What she alone may lift: nothing moves.
    expect(await write(world.as('thomas'), thomas, 'autorisation_retablie')).toHaveLength(0)
  })
})

describe('une structure ferme', () => {
  it('tous ses mandats en cours finissent, chacun avec ses lignes ; deux fois ne font rien de plus ; les personnes sont prévenues une fois', async () => {
    const operator = openDb({ url: world.database.operatorUrl, connections: 1 })
    const { siret } = STRUCTURES.saintDenis
    const over = await world.signMandat({ persona: 'ibrahim', aidant: 'fabrice', duree: 'jour', perimetre: ['loisirs'] })
    await later(3 * DAY)
    const mandats = []
    for (let i = 0; i < 23; i++)
      mandats.push(
        await world.signMandat({
          persona: ['marcel', 'teiki', 'nassimah'][i % 3]!,
          aidant: 'fabrice',
          perimetre: [
            (['logement', 'social', 'famille', 'papiers', 'travail', 'transports', 'argent', 'loisirs'] as const)[
              Math.floor(i / 3)
            ]!,
          ],
          suivi: i % 3 === 0 ? 'papier' : 'sms',
        }),
      )
    const elsewhere = await world.signMandat({ persona: 'marcel', suivi: 'papier' })
    await world.sql`delete from message`
    const open = await findClosing(operator, siret)
    expect(open!.enCours).toBe(23)
    expect(await closeStructure(operator, '00000000000000')).toEqual({ ok: false, refusal: 'structure_inconnue' })
    expect(await closeStructure(operator, siret)).toEqual({ ok: true, ended: 23 })
    const before = await world.digest()
    expect(await closeStructure(operator, siret)).toEqual({ ok: true, ended: 0 })
    expect(await world.digest()).toEqual(before)
    for (const { id } of mandats) expect(await actionsOf(id)).toEqual(['mandat_signe', 'autorisation_revoquee', 'mandat_termine'])
    expect((await world.lines(mandats[0]!.id)).at(-1)!.acteur).toBe('operateur')
    expect(await actionsOf(over.id)).not.toContain('mandat_termine')
    expect((await etatOf(elsewhere.id))[0]).toBe('actif')
    expect(await world.sql`select 1 from structure where siret = ${siret} and suspended_at is not null`).toHaveLength(1)
    expect((await world.get('/personnes', await world.sessionOf('fabrice'))).status).toBe(303)

    await Promise.all([announceOperatorEnds(world.db, quiet), announceOperatorEnds(world.db, quiet)])
    await announceOperatorEnds(world.db, quiet)
    const closing = await told()
    expect(closing.filter(([, canal]) => canal === 'sms')).toEqual(Array(15).fill(['fermeture', 'sms', '+33612345678']))
    // Both sides: one message each, whatever the number of mandats.
    expect(closing.filter(([, canal]) => canal === 'email')).toEqual(
      [AIDANTS.fabrice.email, AIDANTS.jocelyne.email].map((email) => ['fermeture', 'email', email]),
    )
    await expect(operator.tx({ kind: 'operator' }, (tx) => tx.sql`select 1 from usager`)).rejects.toMatchObject({ code: '42501' })
    await operator.close()
  }, 60_000)
})

describe('une structure ferme, et', () => {
  const reopen = () =>
    world.sql`update structure set suspended_at = null, closed_at = null where siret = ${STRUCTURES.saintDenis.siret}`
  const closing = () =>
    world.sql`
      select j.id from journal j join journal_contenu c on c.journal_id = j.id
      where j.action = 'structure_modifiee' and c.payload like '%structure_fermee%'`
  let operator: Db
  beforeAll(() => {
    operator = openDb({ url: world.database.operatorUrl, connections: 1 })
  })
  afterAll(() => operator.close())
  beforeEach(reopen)

  it('était déjà suspendue : sa fermeture a sa ligne, une fois', async () => {
    await world.sql`update structure set suspended_at = horloge() where siret = ${STRUCTURES.saintDenis.siret}`
    const before = (await closing()).length
    await closeStructure(operator, STRUCTURES.saintDenis.siret)
    await closeStructure(operator, STRUCTURES.saintDenis.siret)
    expect(await closing()).toHaveLength(before + 1)
  })

  it('un message qui ne s’écrit pas ne retient pas les autres', async () => {
    const mandats = [
      await world.signMandat({ persona: 'marcel', aidant: 'fabrice', suivi: 'sms' }),
      await world.signMandat({ persona: 'teiki', aidant: 'fabrice', suivi: 'sms', contact: '+33611112222' }),
    ]
    await world.sql`delete from message`
    ok(await closeStructure(operator, STRUCTURES.saintDenis.siret))
    await world.sql.unsafe(`alter table message add constraint panne check (cle <> 'fermeture:${mandats[0]!.id}')`)
    const lines: LogLine[] = []
    await announceOperatorEnds(world.db, (_, line) => lines.push(line))
    await world.sql`alter table message drop constraint panne`
    expect((await world.messages()).map(({ cle }) => cle)).toContain(`fermeture:${mandats[1]!.id}`)
    expect(lines).toMatchObject([{ event: 'tache_echouee', reason: 'fins_par_l_exploitant', constraint: 'panne' }])
    await announceOperatorEnds(world.db, quiet)
    expect((await world.messages()).map(({ cle }) => cle)).toContain(`fermeture:${mandats[0]!.id}`)
  })

  it('l’opérateur ne lit d’aucune structure ouverte qui a donné quoi', async () => {
    await world.signMandat()
    await operator.tx({ kind: 'operator' }, async (tx) => {
      expect(await tx.sql`select thematique from autorisation where structure_id = ${world.structures.figeac}`).toHaveLength(0)
    })
    for (const query of ['select * from mandat', 'select journal_id from autorisation', 'select * from suspension'])
      await expect(
        operator.tx({ kind: 'operator' }, (tx) => tx.sql.call(null, Object.assign([query], { raw: [query] }))),
        query,
      ).rejects.toMatchObject({ code: '42501' })
  })
})

it('une structure nommée comme un site : la signature et l’arrêt sont écrits, le SMS sans lien', async () => {
  const rename = (nom: string) => world.sql`update structure set nom = ${nom} where id = ${world.structures.figeac}`
  const [{ nom }] = (await world.sql`select nom from structure where id = ${world.structures.figeac}`) as unknown as [
    { nom: string },
  ]
  await rename('Association www.aide.fr https://aide.fr')
  const { id, usagerId } = await world.signMandat({ suivi: 'sms' })
  ok(await stopMandat(world.db, person(usagerId), { mandatId: id }))
  await rename(nom)
  const sms = (await world.messages()).filter(({ canal }) => canal === 'sms')
  expect(sms).toHaveLength(2)
  for (const { corps } of sms) expect(corps).toMatch(/Association www aide\.fr https/)
})

it('la clé d’un message ne dit aucune thématique', async () => {
  const { id, usagerId } = await world.signMandat({ perimetre: ['logement', 'social'], suivi: 'sms' })
  for (const thematique of ['logement', 'social'] as const)
    ok(await stopMandat(world.db, person(usagerId), { mandatId: id, thematique }))
  const cles = (await world.messages()).map(({ cle }) => cle)
  expect(cles.filter((cle) => cle.startsWith('arret:'))).toHaveLength(6)
  for (const cle of cles) expect(cle).not.toMatch(/logement|social|tout/)
})

describe('renouveler', () => {
  const renew = (mandatId: string, thematiques: readonly string[] = ['logement'], aidant: 'thomas' | 'fabrice' = 'thomas') =>
    renewMandat(world.db, world.as(aidant), mandatId, { thematiques, duree: 'mois' })

  it('ouvre un brouillon de ce que le mandat tenait, et rien d’autre : la personne doit redire oui', async () => {
    const { id, usagerId } = await world.signMandat({ perimetre: ['logement', 'social'] })
    await later(60_000)
    const before = await world.digest()
    const { id: draft } = ok(await renew(id, ['logement']))
    const { brouillon: _, ...rest } = await world.digest()
    expect(before).toMatchObject(rest)
    const [row] = await world.sql`select perimetre, duree, identite, granted, usager_id from brouillon where id = ${draft}`
    expect(row).toEqual({ perimetre: ['logement'], duree: 'mois', identite: null, granted: null, usager_id: usagerId })
    expect((await etatOf(id))[0]).toBe('actif')
  })

  it('jamais un mandat arrêté avant sa fin, même sa date passée ; jamais plus large ; jamais d’une autre structure ; pas après un an', async () => {
    const stopped = await world.signMandat({ persona: 'marcel' })
    ok(await stopMandat(world.db, person(stopped.usagerId), { mandatId: stopped.id }))
    const partly = await world.signMandat({ perimetre: ['logement', 'social'] })
    ok(await stopMandat(world.db, person(partly.usagerId), { mandatId: partly.id, thematique: 'social' }))
    expect(await renew(stopped.id)).toEqual({ ok: false, refusal: 'termine_avant' })
    expect(await renew(partly.id, ['logement', 'social'])).toEqual({ ok: false, refusal: 'renouvellement_elargi' })
    expect(await renew(partly.id, ['logement'], 'fabrice')).toEqual({ ok: false, refusal: 'introuvable' })
    ok(await pauseMandat(world.db, person(partly.usagerId), { mandatId: partly.id }))
    expect(await renew(partly.id)).toEqual({ ok: false, refusal: 'en_pause' })
    ok(await resumeMandat(world.db, person(partly.usagerId), { mandatId: partly.id }))
    await world.sql`update structure set thematiques_desactivees = '{logement}' where id = ${world.structures.figeac}`
    expect(await renew(partly.id)).toEqual({ ok: false, refusal: 'aucune_thematique_proposee' })
    await world.sql`update structure set thematiques_desactivees = '{justice}' where id = ${world.structures.figeac}`
    await world.database.freeze(new Date(partly.expiresAt.getTime() + 365 * DAY - 1000))
    ok(await renew(partly.id))
    expect(await renew(stopped.id)).toEqual({ ok: false, refusal: 'termine_avant' })
    await later(1000)
    expect(await renew(partly.id)).toEqual({ ok: false, refusal: 'expire_depuis_un_an' })
  })

  it('par l’écran : les choix repris, la question de la protection posée de nouveau', async () => {
    const { id } = await world.signMandat({ perimetre: ['logement', 'social'], duree: 'semestre' })
    await later(11 * 60_000)
    const cookie = await world.sessionOf('ines')
    const path = `/mandats/${id}/renouveler`
    expect(await (await world.get(`/mandats/${id}`, cookie)).text()).toContain(`href="${path}"`)
    const page = await (await world.get(path, cookie)).text()
    await expectValidHtml(page)
    expect(page.match(/value="[a-z]+" checked/g)?.map((one) => /"(.+?)"/.exec(one)![1])).toEqual([
      'social',
      'logement',
      'semestre',
    ])
    expect(page).not.toContain('value="argent"')
    expect((await world.post(path, { thematiques: 'logement', duree: 'mois' }, cookie)).status).toBe(422)
    expect((await world.post(path, { protegee: 'non', thematiques: 'argent', duree: 'mois' }, cookie)).status).toBe(409)
    const protegee = await world.post(path, { protegee: 'oui', thematiques: 'logement', duree: 'mois' }, cookie)
    expect(await protegee.text()).toContain('Rien n’a été gardé')
    expect(await world.sql`select 1 from brouillon`).toHaveLength(0)
    const opened = await world.post(path, { protegee: 'non', thematiques: 'logement', duree: 'mois' }, cookie)
    expect(opened.headers.get('location')).toMatch(/^\/mandats\/brouillons\/[0-9a-f-]{36}\/identification$/)
    ok(await stopMandat(world.db, await world.asUsager('odette'), { mandatId: id }))
    const refused = await (await world.get(path, cookie)).text()
    await expectValidHtml(refused)
    expect(refused).toContain('Ce mandat ne se renouvelle pas')
    expect(await (await world.get(`/mandats/${id}`, cookie)).text()).not.toContain(`href="${path}"`)
  })
})
