import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { setMembre } from '../../src/aidant/set-membre.ts'
import type { Filtre } from '../../src/audit/forms.ts'
import { openDossier } from '../../src/audit/open.ts'
import { listLignes } from '../../src/audit/queries.ts'
import { type Db, openDb, type Who } from '../../src/db.ts'
import { answerContestation } from '../../src/demarche/answer.ts'
import { contestDemarche, recordContestation } from '../../src/demarche/contest.ts'
import { findContestation, listAContester, listContestations } from '../../src/demarche/contestation-queries.ts'
import { correctDemarche } from '../../src/demarche/correct.ts'
import type { Faits } from '../../src/demarche/demarche.ts'
import { findDemarche, findFaits } from '../../src/demarche/queries.ts'
import { recordDemarche } from '../../src/demarche/record.ts'
import type { AidantKey } from '../../src/demo/people.ts'
import { append } from '../../src/journal/append.ts'
import { listSignalees } from '../../src/mandat/fin-queries.ts'
import { pauseMandat } from '../../src/mandat/pause.ts'
import { findMandat } from '../../src/mandat/queries.ts'
import { recordPause } from '../../src/mandat/record-pause.ts'
import { recordStop } from '../../src/mandat/record-stop.ts'
import { resumeMandat } from '../../src/mandat/resume.ts'
import { stopMandat } from '../../src/mandat/stop.ts'
import { terminateMandat } from '../../src/mandat/terminate.ts'
import { eraseUsager } from '../../src/usager/erase.ts'
import { openTree } from '../support/arbre.ts'
import { expectValidHtml } from '../support/html.ts'
import { newWorld, ok, type Told, uneDemarche, type World } from '../support/world.ts'

const DAY = 24 * 3600 * 1000
let world: World
let alone: Db
let mandat: Told
let her: Who & { kind: 'usager' }
let day = 0

beforeAll(async () => {
  world = await newWorld()
  alone = openDb({ url: world.database.url, connections: 2, rlsOnly: true })
})
afterAll(async () => {
  await alone.close()
  await world.close()
})
beforeEach(async () => {
  await world.database.freeze(new Date(Date.UTC(2026, 2, 2 + 400 * day++, 10, 0, 5)))
  await world.sql`delete from message`
  mandat = await world.signMandat({ persona: 'josiane', perimetre: ['logement', 'social'], suivi: 'sms' })
  her = await world.asUsager('josiane')
  await world.sql`delete from message`
})
const later = (ms: number) => world.database.travel({ ms })
const note = async (
  aidant: AidantKey = 'thomas',
  more: Parameters<typeof uneDemarche>[2] = {},
  thematique: 'logement' | 'social' = 'logement',
) => ok(await recordDemarche(world.db, world.as(aidant), uneDemarche(mandat.id, thematique, more))).id
const contest = (demarcheId: string, more: Partial<Parameters<typeof contestDemarche>[2]> = {}, by = her) =>
  contestDemarche(world.db, by, { demarcheId, motif: 'pas_demande', note: null, pause: false, ...more })
const read = (id: string, by: Who = her) => world.db.tx(by, (tx) => findDemarche(tx, id))
const said = (id: string, by: Who = her) => world.db.tx(by, (tx) => listContestations(tx, id))
const openFor = async (referent: AidantKey, motif = 'reclamation' as const) =>
  ok(
    await openDossier(world.db, world.asReferent(referent), {
      usagerId: mandat.usagerId,
      motif,
      precision: null,
      envoi: randomUUID(),
    }),
  )
const reply = (id: string, more: Partial<Parameters<typeof answerContestation>[2]> = {}, by: AidantKey = 'nadia') =>
  answerContestation(world.db, world.asReferent(by), {
    contestationId: id,
    reponse: 'maintenue',
    note: 'Le rendez-vous le demandait.',
    ...more,
  })
const answer = async (...asked: Parameters<typeof reply>) => {
  await openFor(asked[2] ?? 'nadia')
  return reply(...asked)
}
const etat = async () => {
  const found = (await world.db.tx(her, (tx) => findMandat(tx, mandat.id)))!
  return [found.etat, found.enVigueur.join(' '), found.enPause.join(' ')]
}
const actions = async () => (await world.lines(mandat.id)).map(({ action }) => action)
const told = async () => (await world.messages()).map(({ cle, destinataire }) => `${cle.split(':')[0]} ${destinataire}`).sort()
const refused = (work: Promise<unknown>, constraint: string) =>
  expect(work).rejects.toMatchObject({ constraint_name: constraint })
const FAITS: Faits = {
  titre: 'Un courrier à la mairie',
  administration: null,
  resultat: 'terminee',
  mode: 'avec_la_personne',
  presence: 'presente',
  canal: 'courrier',
  dureeMinutes: null,
  motifBlocage: null,
  reference: null,
  montantCentimes: null,
  etapeQuoi: null,
  etapeQui: null,
  etapeQuand: null,
  orientation: null,
  note: null,
}

/** Another référent of Figeac, who did not note it. */
const nommeReferent = (aidant: AidantKey, referent: boolean) =>
  world.sql`update habilitation set referent = ${referent} where aidant_id = ${world.aidants[aidant]} and structure_id = ${world.structures.figeac}`

describe('la personne n’est pas d’accord', () => {
  it('qui est nommé référent apprend ce qui attend sa réponse, une fois ; pas l’auteur, ni qui le nomme, ni quand rien n’attend', async () => {
    const nommer = async (aidant: AidantKey, by: AidantKey, geste: 'designer' | 'retirer' = 'designer') => {
      await world.sql`delete from message`
      ok(await setMembre(world.db, world.asReferent(by), { aidantId: world.aidants[aidant], geste }))
      return (await world.messages()).map(({ destinataire, chemin }) => [destinataire, chemin])
    }
    const waits = (aidant: AidantKey) =>
      world.db.tx(
        world.asReferent('nadia'),
        (tx) => tx.sql`select nommee_attendue(${world.aidants[aidant]}, ${world.structures.figeac}) as attendue`,
      )
    const ANSWER = '/structure/contestations'
    try {
      expect(await nommer('ines', 'nadia')).toEqual([])
      await nommer('ines', 'nadia', 'retirer')
      await openFor('nadia')
      // Nadia's own: she does not read it as soon as another may, and is told nothing of it.
      const id = await note('nadia')
      ok(await contest(id))
      expect(await nommer('ines', 'nadia')).toEqual([['ines@figeac.demo', ANSWER]])
      expect((await world.messages())[0]!.corps).not.toMatch(/Josiane|Nadia|logement/)
      // At no other time, and not for the author.
      expect(await waits('ines')).toEqual([{ attendue: false }])
      await nommer('nadia', 'ines', 'retirer')
      expect(await nommer('nadia', 'ines')).toEqual([])
      ok(await answer((await said(id))[0]!.id, {}, 'ines'))
    } finally {
      await nommeReferent('nadia', true)
      await nommeReferent('ines', false)
    }
  })

  it('sa ligne, la pause qu’elle a voulue, un mot à elle et à la direction : rien à l’auteur', async () => {
    const id = await note('ines')
    ok(await contest(id, { note: 'Je voulais attendre.', pause: true }))
    expect(await actions()).toEqual(['mandat_signe', 'demarche_realisee', 'demarche_contestee', 'autorisation_suspendue'])
    expect(await etat()).toEqual(['actif', 'social', 'logement'])
    expect((await told()).filter((one) => one.startsWith('contestation'))).toEqual([
      'contestation +33612345678',
      'contestation nadia@figeac.demo',
    ])
    for (const { corps } of await world.messages()) expect(corps).not.toMatch(/logement|bailleur|Josiane|attendre/i)
    const direction = (await world.messages()).find(
      ({ destinataire, cle }) => destinataire.startsWith('nadia') && cle.startsWith('contestation'),
    )
    expect(direction?.chemin).toBe('/structure/contestations')
    expect(await said(id)).toMatchObject([
      { motif: 'pas_demande', note: 'Je voulais attendre.', reponse: null, enPause: 'logement' },
    ])
    // No word of hers in a line.
    expect(JSON.stringify(await world.sql`select entry from journal`)).not.toContain('attendre')
    // Said again while it waits: said once.
    ok(await contest(id, { motif: 'autre' }))
    expect(await actions()).toHaveLength(4)
  })

  it('ni l’auteur, ni un collègue, ni une autre structure ne lisent qu’elle conteste', async () => {
    const id = await note('thomas')
    ok(await contest(id, { note: 'Il ne m’écoute pas.' }))
    const [row] = await said(id)
    const other = await world.signMandat({ persona: 'marcel' }).then(() => world.asUsager('marcel'))
    for (const db of [world.db, alone]) {
      const seen = async (by: Who) => [
        (await db.tx(by, (tx) => listContestations(tx, id))).length,
        (await db.tx(by, (tx) => findDemarche(tx, id)))?.contestation ?? null,
      ]
      for (const by of [
        world.as('thomas'),
        world.as('samira'),
        world.asReferent('thomas'),
        world.asReferent('jocelyne'),
        world.as('nadia'),
      ])
        expect(await seen(by)).toEqual([0, null])
      expect(await seen(world.asReferent('nadia'))).toMatchObject([1, { id: row!.id }])
      expect(await seen(other)).toEqual([0, null])
    }
    // Her words wait for the dossier to be open.
    const noteOf = async () => (await world.db.tx(world.asReferent('nadia'), (tx) => findContestation(tx, row!.id)))!.note
    expect(await noteOf()).toBeNull()
    await openFor('nadia')
    expect(await noteOf()).toBe('Il ne m’écoute pas.')
    await later(16 * 60_000)
    expect(await noteOf()).toBeNull()
  })

  it('qui dirige et a noté l’acte ne répond pas tant qu’un autre le peut, ni après l’avoir écarté', async () => {
    await nommeReferent('samira', true)
    try {
      await openFor('nadia')
      const id = await note('nadia')
      ok(await contest(id))
      const [row] = await said(id)
      expect((await told()).filter((one) => one.includes('@'))).toEqual([expect.stringContaining('contestation samira@')])
      expect(await answer(row!.id, {}, 'nadia')).toEqual({ ok: false, refusal: 'introuvable' })
      await refused(
        world.sql.begin(async (sql) => {
          await sql`insert into journal (action, acteur, acteur_id, structure_id, usager_id, mandat_id, commitment)
            values ('contestation_repondue', 'aidant', ${world.aidants.nadia}, ${mandat.structureId}, ${mandat.usagerId}, ${mandat.id}, ${Buffer.alloc(32)})`
          await sql`update contestation set reponse = 'maintenue', answered_at = horloge(), answered_by = ${world.aidants.nadia},
            answered_journal_id = (select max(id) from journal) where id = ${row!.id}`
        }),
        'contestation_par_qui',
      )
      // Sending the other one away opens nothing to her: not to read, not to answer, nor when she is back.
      const nadias = () =>
        Promise.all([world.db, alone].map((db) => db.tx(world.asReferent('nadia'), (tx) => listContestations(tx, id))))
      for (const geste of ['retirer', 'suspendre', 'retablir'] as const) {
        ok(await setMembre(world.db, world.asReferent('nadia'), { aidantId: world.aidants.samira, geste }))
        expect(await nadias()).toEqual([[], []])
        expect(await answer(row!.id, {}, 'nadia')).toEqual({ ok: false, refusal: 'introuvable' })
        expect((await read(id, world.asReferent('nadia')))!.contestation).toBeNull()
      }
      await nommeReferent('ines', true)
      ok(await answer(row!.id, {}, 'ines'))
    } finally {
      await nommeReferent('samira', false)
      await nommeReferent('ines', false)
    }
  })

  it('qui dirigeait seule quand la personne l’a dit lui répond, tant que personne d’autre ne dirige', async () => {
    await openFor('nadia')
    const id = await note('nadia')
    ok(await contest(id))
    const [row] = await said(id)
    await nommeReferent('samira', true)
    try {
      expect(await answer(row!.id, {}, 'nadia')).toEqual({ ok: false, refusal: 'introuvable' })
    } finally {
      await nommeReferent('samira', false)
    }
    ok(await answer(row!.id, {}, 'nadia'))
  })

  it('nommé quand personne ne dirigeait plus, qui a noté l’acte ne lit ni ne répond ; un autre, oui', async () => {
    const id = await note('thomas')
    await nommeReferent('nadia', false)
    try {
      ok(await contest(id, { pause: true }))
      const [row] = await said(id)
      await nommeReferent('thomas', true)
      expect(await said(id, world.asReferent('thomas'))).toEqual([])
      expect(await answer(row!.id, {}, 'thomas')).toEqual({ ok: false, refusal: 'introuvable' })
      await nommeReferent('thomas', false)
      await nommeReferent('nadia', true)
      ok(await answer(row!.id))
    } finally {
      await nommeReferent('thomas', false)
      await nommeReferent('nadia', true)
    }
  })

  it('dite pour elle d’abord, la sienne s’écrit quand même, avec sa pause ; chacune attend sa réponse', async () => {
    const id = await note()
    await later(60_000)
    const recue = { demarcheId: id, motif: 'autre', note: 'Elle confond.', maniere: 'visite', recuLe: await world.now() } as const
    await later(60_000)
    const record = (by: AidantKey) => recordContestation(world.db, world.as(by), recue)
    ok(await record('ines'))
    ok(await contest(id, { note: 'Non.', pause: true }))
    expect(await said(id)).toMatchObject([
      { motif: 'pas_demande', note: 'Non.', maniere: null, enPause: 'logement' },
      { motif: 'autre', note: 'Elle confond.', maniere: 'visite', enPause: null },
    ])
    const ids = (await said(id)).map((one) => one.id)
    expect(await world.db.tx(world.asReferent('nadia'), listAContester)).toEqual(
      expect.arrayContaining(ids.map((one) => expect.objectContaining({ id: one, answeredAt: null }))),
    )
    ok(await answer(ids[1]!))
    expect(await etat()).toEqual(['actif', 'social', 'logement'])
    expect((await read(id))!.contestation).toMatchObject({ id: ids[0], answeredAt: null })
    ok(await answer(ids[0]!))
    expect(await etat()).toEqual(['actif', 'social logement', ''])
    // At the same moment too.
    const both = await note()
    await Promise.all([
      contest(both, { pause: true }).then(ok),
      recordContestation(world.db, world.as('ines'), { ...recue, demarcheId: both, recuLe: await world.now() }).then(ok),
    ])
    expect((await said(both)).map(({ maniere, enPause }) => [maniere, enPause]).sort()).toEqual([
      [null, 'logement'],
      ['visite', null],
    ])
  })

  it('qui a noté l’acte n’enregistre pas ce qu’elle en dit : un collègue ou la direction le fait', async () => {
    const id = await note()
    const recuLe = await world.now()
    const record = (by: AidantKey) =>
      recordContestation(world.db, world.as(by), { demarcheId: id, motif: 'autre', note: null, maniere: 'visite', recuLe })
    expect(await record('thomas')).toEqual({ ok: false, refusal: 'auteur' })
    const page = await (await world.get(`/demarches/${id}/contestation`, await world.sessionOf('thomas'))).text()
    await expectValidHtml(page)
    expect(page).toContain('Un collègue ou un référent l’enregistre')
    expect(page).not.toContain('name="motif"')
    ok(await record('samira'))
  })

  it('par un aidant qui l’entend : comment et quand ; elle voit qui l’a enregistré ; deux fois, une seule ligne', async () => {
    const id = await note('thomas')
    const { doneAt } = (await read(id))!
    await later(DAY)
    const recue = { demarcheId: id, motif: 'inexact' as const, note: 'C’était en mai.', maniere: 'telephone' as const }
    const record = (recuLe: Date, by: AidantKey = 'ines') => recordContestation(world.db, world.as(by), { ...recue, recuLe })
    expect(await record(new Date(doneAt.getTime() - 60_000))).toEqual({ ok: false, refusal: 'recu_avant_acte' })
    expect(await record(new Date((await world.now()).getTime() + 60_000))).toEqual({ ok: false, refusal: 'recu_futur' })
    const recuLe = new Date(doneAt.getTime() + 60_000)
    ok(await record(recuLe))
    ok(await record(recuLe, 'samira'))
    expect(await said(id)).toMatchObject([{ maniere: 'telephone', recuLe, recueParPrenom: 'Inès', note: 'C’était en mai.' }])
    expect((await actions()).filter((one) => one === 'demarche_contestee')).toHaveLength(1)
    expect(await recordContestation(world.db, world.as('fabrice'), { ...recue, recuLe })).toEqual({
      ok: false,
      refusal: 'introuvable',
    })
  })

  it('d’une réclamation, la direction sait seulement qu’elle n’est pas d’accord : aucun mot n’est gardé', async () => {
    const id = await note('thomas', { nature: 'reclamation' })
    ok(await contest(id, { note: 'Elle parle de la directrice.' }))
    const [row] = await said(id)
    expect(row!.note).toBeNull()
    await openFor('nadia')
    expect(await world.db.tx(world.asReferent('nadia'), (tx) => listAContester(tx))).toEqual(
      expect.arrayContaining([expect.objectContaining({ id: row!.id, titre: null, reclamation: true })]),
    )
    expect(await read(id, world.asReferent('nadia'))).toBeUndefined()
    expect(await correctDemarche(world.db, world.asReferent('nadia'), { demarcheId: id, faits: null, raison: 'Non' })).toEqual({
      ok: false,
      refusal: 'introuvable',
    })
    ok(await answer(row!.id, { reponse: 'reconnue', note: null }))
  })
})

describe('la direction répond', () => {
  it('une fois ; la pause qui l’attendait est finie, celle que la personne a voulue reste', async () => {
    const id = await note()
    ok(await pauseMandat(world.db, her, { mandatId: mandat.id, thematique: 'social' }))
    ok(await contest(id, { pause: true }))
    expect(await etat()).toEqual(['suspendu', '', 'social logement'])
    await world.sql`delete from message`
    const [row] = await said(id)
    ok(await answer(row!.id))
    expect(await etat()).toEqual(['actif', 'logement', 'social'])
    expect(await answer(row!.id, { reponse: 'reconnue' })).toEqual({ ok: false, refusal: 'deja_repondue' })
    expect(await said(id)).toMatchObject([
      { reponse: 'maintenue', noteReponse: 'Le rendez-vous le demandait.', reponduParPrenom: 'Nadia' },
    ])
    expect(await told()).toEqual(['reponse +33612345678', 'reponse nadia@figeac.demo', 'reponse thomas@figeac.demo'])
    expect((await actions()).slice(-2)).toEqual(['contestation_repondue', 'autorisation_retablie'])
    // A pause that she lifts herself is told the aidants in the same words.
    const mails = async () =>
      (await world.messages())
        .filter(({ canal }) => canal === 'email')
        .map(({ destinataire, sujet, corps, chemin }) => ({
          destinataire,
          sujet,
          corps: corps.replace(/Depuis [^,]*/, ''),
          chemin,
        }))
        .sort((a, b) => (a.destinataire < b.destinataire ? -1 : 1))
    const answered = await mails()
    await world.sql`delete from message`
    ok(await resumeMandat(world.db, her, { mandatId: mandat.id, thematique: 'social' }))
    expect(await mails()).toEqual(answered)
    // Answered, she may say it again.
    ok(await contest(id, { motif: 'autre' }))
    expect(await said(id)).toHaveLength(2)
  })

  it('renouvelé depuis, c’est le mandat en cours qui attend la réponse', async () => {
    const id = await note()
    const old = mandat
    await later(60_000)
    mandat = await world.signMandat({ persona: 'josiane', perimetre: ['logement', 'social'], suivi: 'sms' })
    const hers = await world.sessionOf('josiane')
    expect(await (await world.get(`/mon-espace/demarches/${id}`, hers)).text()).toContain('name="pause"')
    ok(await contest(id, { pause: true }))
    expect(await etat()).toEqual(['actif', 'social', 'logement'])
    expect(await said(id)).toMatchObject([{ enPause: 'logement' }])
    const page = await (await world.get(`/mon-espace/demarches/${id}`, hers)).text()
    expect(page).toContain(`/mon-espace/mandats/${mandat.id}/arreter`)
    await world.sql`delete from message`
    ok(await answer((await said(id))[0]!.id))
    expect(await etat()).toEqual(['actif', 'social logement', ''])
    const paths = (await world.messages()).map(({ chemin }) => chemin).filter((one) => one !== null)
    expect(new Set(paths)).toEqual(new Set([`/mandats/${mandat.id}`]))
    expect((await world.lines(old.id)).at(-1)!.action).toBe('contestation_repondue')
  })

  it('non cochée en le disant, la pause reste à un geste, jusqu’à la réponse', async () => {
    const id = await note()
    ok(await contest(id))
    const hers = await world.sessionOf('josiane')
    const page = async () => (await world.get(`/mon-espace/demarches/${id}`, hers)).text()
    expect(await page()).toContain(`href="/mon-espace/mandats/${mandat.id}/pause">Mettre en pause`)
    const liste = await (await world.get('/mon-espace', hers)).text()
    expect(liste).toMatch(/Vous avez dit que vous n’êtes pas d’accord, le [^.<]*\. Pas encore de réponse\./)
    ok(await pauseMandat(world.db, her, { mandatId: mandat.id, thematique: 'logement' }))
    expect(await page()).not.toContain('/pause"')
    ok(await resumeMandat(world.db, her, { mandatId: mandat.id, thematique: 'logement' }))
  })

  it('arrêté depuis, la page dit qu’il n’y a rien à mettre en pause', async () => {
    const id = await note()
    ok(await stopMandat(world.db, her, { mandatId: mandat.id, thematique: 'logement' }))
    const hers = await world.sessionOf('josiane')
    const here = `/mon-espace/demarches/${id}`
    const page = await (await world.get(here, hers)).text()
    await expectValidHtml(page)
    expect(page).toContain('Il n’y a rien à mettre en pause')
    expect(page).not.toContain('name="pause"')
    expect((await world.post(here, { motif: 'autre', pause: 'oui' }, hers)).status).toBe(303)
    const ensuite = await (await world.get(here, hers)).text()
    expect(ensuite).toContain('Ce désaccord ne met rien en pause.')
    expect(ensuite).not.toContain('/pause"')
  })

  it('au journal de la structure, qui a noté l’acte et dirige ne lit ni le désaccord, ni la réponse, ni qui a levé la pause', async () => {
    await nommeReferent('samira', true)
    try {
      await openFor('nadia')
      const id = await note('nadia')
      ok(await contest(id, { pause: true }))
      ok(await answer((await said(id))[0]!.id, {}, 'samira'))
      ok(await pauseMandat(world.db, her, { mandatId: mandat.id, thematique: 'social' }))
      ok(await resumeMandat(world.db, her, { mandatId: mandat.id, thematique: 'social' }))
      const sees = (db: Db, by: AidantKey, filtre = {}) =>
        db.tx(world.asReferent(by), async (tx) =>
          (await listLignes(tx, filtre as Filtre, 'Europe/Paris', undefined)).lignes.filter(
            ({ mandatId }) => mandatId === mandat.id,
          ),
        )
      const [suspendue, retablie] = ['autorisation_suspendue', 'autorisation_retablie']
      for (const db of [world.db, alone]) {
        const nadias = await sees(db, 'nadia')
        expect(nadias.map(({ action }) => action)).toEqual([
          ...[retablie, suspendue, retablie, suspendue],
          ...['demarche_realisee', 'mandat_signe'],
        ])
        // One that she lifted herself, and one lifted with the answer, are told alike.
        const told = nadias.filter(({ action }) => action === retablie)
        const alike = told.map(({ id: _, at: __, thematique: ___, ...row }) => row)
        expect(alike[0]).toEqual(alike[1])
        for (const aidant of ['samira', 'nadia'] as const)
          expect((await sees(db, 'nadia', { aidant: world.aidants[aidant] })).map(({ action }) => action)).not.toContain(retablie)
        expect((await sees(db, 'samira')).map(({ action }) => action)).toEqual(
          expect.arrayContaining(['demarche_contestee', 'contestation_repondue']),
        )
      }
      // The pause says nothing of what it waited for, and the line of its end has no proof here: its bytes name who wrote it.
      const lines = (await world.lines(mandat.id)).filter(({ action }) => action !== 'mandat_signe')
      const nadia = await world.sessionOf('nadia')
      const facts = async (line: number) => world.db.tx(world.asReferent('nadia'), (tx) => findFaits(tx, line))
      for (const { id: line, action } of lines) {
        const { status } = await world.get(`/structure/journal/${line}/preuve.tlog-proof`, nadia)
        const hidden = ['demarche_contestee', 'contestation_repondue', retablie].includes(action)
        expect([action, status === 404]).toEqual([action, hidden])
        if (action === suspendue)
          expect(await facts(line)).toMatchObject({ payload: expect.stringMatching(/^{"thematique":"\w+"}$/) })
      }
      const page = await (await world.get('/structure/journal', nadia)).text()
      await expectValidHtml(page)
      expect(page).not.toContain('Samira Benali</')
    } finally {
      await nommeReferent('samira', false)
    }
  })

  it('ni l’application, ni un aidant, ne lisent sur une pause ce qu’elle attend', async () => {
    const id = await note()
    ok(await contest(id, { pause: true }))
    const [pause] = await world.sql<
      { id: string }[]
    >`select id from suspension where contestation_id = (select id from contestation where demarche_id = ${id})`
    const holder = { kind: 'usager', usagerIds: her.usagerIds, niveau: 'code_prive', imprimePar: mandat.structureId } as const
    for (const by of [her, holder, world.as('thomas'), world.asReferent('nadia')])
      await expect(world.db.tx(by, (tx) => tx.sql`select contestation_id from suspension`)).rejects.toMatchObject({
        code: '42501',
      })
    const waits = (by: Who) =>
      world.db.tx(by, async (tx) => (await tx.sql`select attend_une_reponse(${pause!.id}) as waits`)[0]!.waits)
    expect([await waits(her), await waits(holder), await waits(world.asReferent('nadia'))]).toEqual([true, false, true])
    await nommeReferent('thomas', true)
    try {
      expect(await waits(world.asReferent('thomas'))).toBe(false)
    } finally {
      await nommeReferent('thomas', false)
    }
  })

  it('ne remet pas en route ce que la personne a arrêté, ni ce qu’elle a repris elle-même', async () => {
    const [one, two] = [await note(), await note('thomas', {}, 'social')]
    ok(await contest(one, { pause: true }))
    ok(await contest(two, { pause: true }))
    ok(await stopMandat(world.db, her, { mandatId: mandat.id, thematique: 'logement' }))
    ok(await resumeMandat(world.db, her, { mandatId: mandat.id, thematique: 'social' }))
    ok(await pauseMandat(world.db, her, { mandatId: mandat.id, thematique: 'social' }))
    const before = await actions()
    for (const id of [one, two]) ok(await answer((await said(id))[0]!.id))
    expect((await actions()).slice(before.length)).toEqual(['contestation_repondue', 'contestation_repondue'])
    expect(await etat()).toEqual(['suspendu', '', 'social'])
  })

  it('arrêtée au même moment sous le mandat renouvelé, la thématique ne revient pas', async () => {
    const id = await note()
    await later(60_000)
    mandat = await world.signMandat({ persona: 'josiane', perimetre: ['logement', 'social'], suivi: 'sms' })
    ok(await contest(id, { pause: true }))
    const [row] = await said(id)
    await openFor('nadia')
    await world.sql`delete from message`
    const waiting = (sql: World['sql'], count: number) =>
      vi.waitFor(async () => {
        const found = await sql`select 1 from pg_locks where not granted`
        expect(found).toHaveLength(count)
      })
    const both = await world.sql.begin(async (sql) => {
      const held = sql as unknown as World['sql']
      await held`select 1 from mandat where id = ${mandat.id} for update`
      const stop = stopMandat(world.db, her, { mandatId: mandat.id })
      await waiting(held, 1)
      const answered = reply(row!.id)
      await waiting(held, 2)
      return [stop, answered] as const
    })
    ok(await both[0])
    ok(await both[1])
    expect((await actions()).slice(-1)).toEqual(['mandat_termine'])
    expect(await told()).toEqual([
      'arret +33612345678',
      'arret nadia@figeac.demo',
      'arret thomas@figeac.demo',
      'reponse +33612345678',
    ])
    for (const { corps } of await world.messages()) expect(corps).not.toMatch(/plus en pause|pause est finie/)
  })

  it('ne lève pas la pause que la personne a demandée depuis, ni à l’écran ni par lettre ; elle seule la lève, et les deux le sont', async () => {
    const asked = [
      () => pauseMandat(world.db, her, { mandatId: mandat.id }),
      () => recordPause(world.db, world.as('ines'), { mandatId: mandat.id, thematique: 'logement', maniere: 'courrier' }),
    ]
    for (const pause of asked) {
      const id = await note()
      ok(await contest(id, { pause: true }))
      await world.sql`delete from message`
      const was = await etat()
      ok(await pause())
      // To an aidant what was paused is, since when and no more.
      expect((await told()).some((one) => one.includes('@'))).toBe((await etat())[1] !== was[1])
      expect(await told()).toContain('pause +33612345678')
      expect(await pause()).toEqual({ ok: false, refusal: 'deja_en_pause' })
      const [row] = await said(id)
      expect(row!.enPause).toBeNull()
      await world.sql`delete from message`
      ok(await answer(row!.id))
      expect((await etat())[2]).toContain('logement')
      expect((await told()).filter((one) => one.includes('@'))).toEqual([])
      await later(1000)
      ok(await resumeMandat(world.db, her, { mandatId: mandat.id }))
      expect(await etat()).toEqual(['actif', 'social logement', ''])
    }
  })

  it('ce que la personne a arrêté n’est plus dit en pause', async () => {
    const id = await note()
    ok(await contest(id, { pause: true }))
    ok(await stopMandat(world.db, her, { mandatId: mandat.id, thematique: 'logement' }))
    expect(await said(id)).toMatchObject([{ enPause: null }])
  })

  it('dossier ouvert, et la base le tient ; ce qui était écrit est gardé le temps de le rouvrir', async () => {
    const id = await note()
    ok(await contest(id))
    const [row] = await said(id)
    expect(await reply(row!.id)).toEqual({ ok: false, refusal: 'dossier_referme' })
    const { nadia } = world.aidants
    const forced = world.db.tx(world.asReferent('nadia'), async (tx) => {
      const line = await append(tx, {
        action: 'contestation_repondue',
        mandat,
        contenu: { contestation: row!.id, reponse: 'maintenue' },
        sensible: true,
      })
      await tx.sql`update contestation set reponse = 'maintenue', answered_at = ${tx.now}, answered_by = ${nadia}, answered_journal_id = ${line.id}
        where id = ${row!.id}`
    })
    await expect(forced).rejects.toMatchObject({ code: '42501' })
    const sent = { reponse: 'maintenue', note: 'Le rendez-vous était pris.' }
    const kept = await world.post(`/structure/contestations/${row!.id}`, sent, await world.sessionOf('nadia'))
    expect([kept.status, await kept.text()]).toEqual([403, expect.stringContaining('Le rendez-vous était pris.')])
    ok(await answer(row!.id))
  })

  it('après un décès, personne ne lui écrit, sous aucune de ses identités ; la direction est prévenue', async () => {
    mandat = await world.signMandat({ persona: 'odette', perimetre: ['logement', 'social'], suivi: 'sms' })
    her = await world.asUsager('odette')
    const [one, two, three] = [await note(), await note(), await note()]
    ok(await contest(one, { pause: true }))
    const other = await world.signMandat({ persona: 'lucienne', aidant: 'fabrice', perimetre: ['papiers'] })
    await world.sql.begin(async (sql) => {
      await sql`alter table usager disable trigger personne_journalisee`
      await sql`update usager set personne_id = (select personne_id from usager where id = ${mandat.usagerId}) where id = ${other.usagerId}`
    })
    await world.sql`alter table usager enable trigger personne_journalisee`
    ok(await terminateMandat(world.db, world.as('fabrice'), { mandatId: other.id, how: 'deces' }))
    await world.sql`delete from message`
    ok(await answer((await said(one))[0]!.id))
    ok(await contest(two))
    const recuLe = (await read(three))!.doneAt
    ok(
      await recordContestation(world.db, world.as('ines'), {
        demarcheId: three,
        motif: 'autre',
        note: null,
        maniere: 'visite',
        recuLe,
      }),
    )
    expect((await told()).filter((one) => !one.includes('@'))).toEqual([])
    expect((await told()).filter((one) => one.startsWith('contestation nadia@'))).toHaveLength(2)
  })

  it('« c’est corrigé » veut une correction, faite depuis', async () => {
    const id = await note()
    ok(await correctDemarche(world.db, world.as('thomas'), { demarcheId: id, faits: FAITS, raison: 'Une faute de frappe.' }))
    ok(await contest(id, { motif: 'inexact' }))
    const [row] = await said(id)
    expect(await answer(row!.id, { reponse: 'corrigee', note: null })).toEqual({ ok: false, refusal: 'rien_de_corrige' })
    await openFor('nadia')
    ok(await correctDemarche(world.db, world.asReferent('nadia'), { demarcheId: id, faits: null, raison: 'Elle était absente.' }))
    ok(await answer(row!.id, { reponse: 'corrigee', note: null }))
  })
})

describe('une correction', () => {
  it('s’ajoute : l’ancien reste lisible, tous lisent le nouveau, au même niveau que l’acte', async () => {
    const id = await note('thomas', { reference: 'A-12' })
    ok(await correctDemarche(world.db, world.as('thomas'), { demarcheId: id, faits: FAITS, raison: 'Mauvais destinataire.' }))
    const holder = { kind: 'usager', usagerIds: her.usagerIds, niveau: 'code_prive', imprimePar: mandat.structureId } as const
    for (const by of [her, holder, world.as('thomas'), world.as('ines'), world.asReferent('nadia')])
      expect(await read(id, by)).toMatchObject({
        titre: 'Un courrier à la mairie',
        resultat: 'terminee',
        reference: null,
        correction: {
          annulee: false,
          raison: 'Mauvais destinataire.',
          avant: { titre: 'Un courrier au bailleur', reference: 'A-12', resultat: 'deposee' },
        },
      })
    expect(await correctDemarche(world.db, world.as('thomas'), { demarcheId: id, faits: FAITS, raison: 'Encore' })).toEqual({
      ok: false,
      refusal: 'rien_change',
    })
    expect((await world.sql`select resultat from demarche where id = ${id}`)[0]!.resultat).toBe('deposee')
  })

  it('sans titre elle est refusée, et l’acte reste à corriger ; la date d’une étape veut son étape', async () => {
    const id = await note('thomas')
    const thomas = await world.sessionOf('thomas')
    const fields = {
      resultat: 'terminee',
      mode: 'avec_la_personne',
      presence: 'presente',
      canal: 'courrier',
      raison: 'Une faute.',
    }
    const send = async (more: Record<string, string>) => {
      const answer = await world.post(`/demarches/${id}/corriger`, { ...fields, ...more }, thomas)
      return [answer.status, await answer.text()]
    }
    expect(await send({ titre: ' ' })).toEqual([409, expect.stringContaining('Écrivez quelle démarche a été faite.')])
    expect((await read(id))!.correction).toBeNull()
    expect(await send({ titre: 'Un courrier', etapeQuand: '2026-06-01' })).toEqual([
      422,
      expect.stringContaining('Écrivez ce qu’il reste à faire.'),
    ])
    expect((await send({ titre: 'Un courrier' }))[0]).toBe(303)
    expect((await world.get(`/demarches/${id}/corriger`, thomas)).status).toBe(200)
  })

  it('notée par erreur, elle ne cache pas la vraie demande, ni à la personne qui arrête, ni à l’aidant ; et n’est plus signalée', async () => {
    const papier = { mode: 'a_sa_place', canal: 'courrier', reference: null } as const
    await note('thomas', { titre: 'Une lettre', ...papier, reference: 'VRAIE-1' })
    await later(3600_000)
    const recuLe = await world.now()
    await later(3600_000)
    const [same, other] = [
      await note('thomas', { titre: 'Une lettre', ...papier }),
      await note('thomas', { titre: 'Une erreur', ...papier }),
    ]
    for (const demarcheId of [same, other])
      ok(await correctDemarche(world.db, world.as('thomas'), { demarcheId, faits: null, raison: 'Autre personne.' }))
    await later(1000)
    ok(await recordStop(world.db, world.as('thomas'), { mandatId: mandat.id, maniere: 'courrier', recuLe }))
    expect((await world.db.tx(her, (tx) => listSignalees(tx, { mandatId: mandat.id }))).size).toBe(0)
    const pages = [
      await world.get(`/mon-espace/mandats/${mandat.id}/arret`, await world.sessionOf('josiane')),
      await world.get(`/mandats/${mandat.id}/arret`, await world.sessionOf('thomas')),
    ]
    for (const page of pages) {
      const html = await page.text()
      expect(html).toContain('<strong>Une lettre</strong>')
      expect(html).not.toContain('Une erreur')
    }
    const journal = await (
      await world.get(`/structure/journal?du=${recuLe.toISOString().slice(0, 10)}`, await world.sessionOf('nadia'))
    ).text()
    expect(journal).toContain('Démarche corrigée : Une erreur')
    expect(journal.match(/"\/demarches\/[^"]+"/g)).toEqual([other, same].map((id) => `"/demarches/${id}"`))
    expect(journal.match(/Notée par erreur/g)).toHaveLength(4)
    expect(journal.match(/, déposée/g)).toHaveLength(1)
  })

  it('notée par erreur : plus rien n’est attendu', async () => {
    const id = await note('thomas', { etapeQuoi: 'Appeler', etapeQui: 'aidant' })
    ok(await correctDemarche(world.db, world.as('thomas'), { demarcheId: id, faits: null, raison: 'Autre personne.' }))
    expect(await read(id)).toMatchObject({ resultat: 'abandonnee', etapeQuoi: null, correction: { annulee: true } })
  })

  it('par son auteur ou la direction ; ce qu’un acte ne peut pas être reste refusé', async () => {
    const id = await note('thomas')
    const by = (who: AidantKey, faits: Partial<Faits> = {}) =>
      correctDemarche(world.db, world.as(who), { demarcheId: id, faits: { ...FAITS, ...faits }, raison: 'Une raison.' })
    await refused(by('ines'), 'correction_par_qui')
    expect(await by('fabrice')).toEqual({ ok: false, refusal: 'introuvable' })
    expect(await by('thomas', { presence: 'absente', mode: 'avec_la_personne' })).toEqual({
      ok: false,
      refusal: 'ensemble_sans_elle',
    })
    expect(await by('thomas', { presence: 'absente', mode: 'a_sa_place', montantCentimes: 100 })).toEqual({
      ok: false,
      refusal: 'montant_sans_presence',
    })
  })

  it('de la direction, son auteur ne la reprend pas : ni à l’écran, ni la base contournée', async () => {
    const id = await note('thomas')
    const correct = (who: 'thomas' | 'nadia', faits: Faits | null) =>
      correctDemarche(world.db, who === 'nadia' ? world.asReferent('nadia') : world.as('thomas'), {
        demarcheId: id,
        faits,
        raison: 'Une raison.',
      })
    ok(await correct('thomas', FAITS))
    ok(await contest(id))
    const thomas = await world.sessionOf('thomas')
    expect((await world.get(`/demarches/${id}/corriger`, thomas)).status).toBe(200)
    await openFor('nadia')
    ok(await correct('nadia', null))
    ok(await reply((await said(id))[0]!.id, { reponse: 'corrigee', note: null }))
    expect(await correct('thomas', FAITS)).toEqual({ ok: false, refusal: 'corrigee_par_direction' })
    expect((await world.get(`/demarches/${id}/corriger`, thomas)).status).toBe(404)
    expect(await (await world.get(`/demarches/${id}`, thomas)).text()).not.toContain('/corriger')
    await refused(
      world.sql.begin(async (sql) => {
        await sql`insert into journal (action, acteur, acteur_id, structure_id, usager_id, mandat_id, commitment)
          values ('demarche_corrigee', 'aidant', ${world.aidants.thomas}, ${mandat.structureId}, ${mandat.usagerId}, ${mandat.id}, ${Buffer.alloc(32)})`
        await sql`insert into correction (id, demarche_id, mandat_id, structure_id, usager_id, aidant_id, annulee, resultat, corrected_at, journal_id)
          values (${randomUUID()}, ${id}, ${mandat.id}, ${mandat.structureId}, ${mandat.usagerId}, ${world.aidants.thomas}, false, 'terminee', horloge(),
            (select max(id) from journal))`
      }),
      'correction_par_qui',
    )
    ok(await correct('nadia', FAITS))
    expect((await read(id))!.correction).toMatchObject({ annulee: false, parDirection: true })
  })

  it('d’un acte confidentiel, ses mots se lisent comme ceux de l’acte, et pas avec le papier', async () => {
    const id = await note('thomas', {}, 'social')
    expect((await read(id))!.sensible).toBe(true)
    ok(await correctDemarche(world.db, world.as('thomas'), { demarcheId: id, faits: FAITS, raison: 'Secret.' }))
    const holder = { kind: 'usager', usagerIds: her.usagerIds, niveau: 'contact_prouve', imprimePar: mandat.structureId } as const
    for (const by of [holder, world.asReferent('nadia')])
      for (const db of [world.db, alone]) {
        const seen = await db.tx(by, (tx) => findDemarche(tx, id))
        expect(seen).toMatchObject({ titre: null, resultat: 'terminee', correction: { raison: null, avant: undefined } })
      }
    const journal = await (await world.get('/structure/journal', await world.sessionOf('nadia'))).text()
    expect(journal).toContain('Démarche corrigée : démarche confidentielle')
    expect(journal).not.toContain(id)
  })
})

describe('avec le papier', () => {
  it('elle conteste une fois son contact prouvé, et ses mots n’y sont pas montrés', async () => {
    const id = await note()
    const as = (niveau: 'code_prive' | 'contact_prouve') =>
      ({ kind: 'usager', usagerIds: her.usagerIds, niveau, imprimePar: mandat.structureId }) as const
    await expect(contest(id, {}, as('code_prive'))).rejects.toMatchObject({ code: '42501' })
    ok(await contest(id, { note: 'Non.', pause: true }, as('contact_prouve')))
    // An aidant may have printed it: the sheet alone does not tell that she complained.
    for (const db of [world.db, alone]) {
      expect(await db.tx(as('code_prive'), (tx) => listContestations(tx, id))).toEqual([])
      expect((await db.tx(as('code_prive'), (tx) => findDemarche(tx, id)))!.contestation).toBeNull()
    }
    expect(await said(id, as('contact_prouve'))).toMatchObject([{ motif: 'pas_demande', note: null }])
    expect(await said(id)).toMatchObject([{ note: 'Non.' }])
    // What is confidential has no page there.
    const secret = await note('thomas', {}, 'social')
    expect(await contest(secret, {}, as('contact_prouve'))).toEqual({ ok: false, refusal: 'introuvable' })
  })
})

describe('la base a le dernier mot', () => {
  const line = (action: string, acteur: 'usager' | AidantKey, sql: World['sql']) => sql`
    insert into journal (action, acteur, acteur_id, structure_id, usager_id, mandat_id, commitment)
    values (${action}, ${acteur === 'usager' ? 'usager' : 'aidant'}, ${acteur === 'usager' ? mandat.usagerId : world.aidants[acteur]},
      ${mandat.structureId}, ${mandat.usagerId}, ${mandat.id}, ${Buffer.alloc(32)})
    returning id`
  const insert = (sql: World['sql'], id: string, demarcheId: string, ligne: number, more: Record<string, unknown> = {}) => sql`
    insert into contestation ${sql({
      id,
      demarche_id: demarcheId,
      mandat_id: mandat.id,
      structure_id: mandat.structureId,
      usager_id: mandat.usagerId,
      motif: 'autre',
      contested_at: new Date(0),
      journal_id: ligne,
      ...more,
    })}`
  const inTx = (work: (sql: World['sql']) => Promise<unknown>) => world.sql.begin((sql) => work(sql as unknown as World['sql']))

  it('refuse une contestation sans sa ligne, de l’acte d’une autre, d’un aidant qui ne dit pas comment, ou deux ouvertes', async () => {
    const id = await note()
    const other = await world.signMandat({ persona: 'marcel' })
    const his = ok(await recordDemarche(world.db, world.as('thomas'), uneDemarche(other.id))).id
    const [past] = await world.sql<
      { id: number }[]
    >`select id from journal where action = 'demarche_realisee' and mandat_id = ${mandat.id}`
    await refused(
      inTx((sql) => insert(sql, randomUUID(), id, past!.id)),
      'ligne_du_fait',
    )
    const under = (acteur: 'usager' | AidantKey, demarcheId: string, more = {}) =>
      inTx(async (sql) => {
        const [written] = await line('demarche_contestee', acteur, sql)
        await insert(sql, randomUUID(), demarcheId, written!.id, more)
      })
    await refused(under('usager', his), 'contestation_de_son_acte')
    await refused(under('thomas', id), 'ligne_du_fait')
    const recorded = { aidant_id: world.aidants.thomas, maniere: 'visite', recu_le: await world.now() }
    await refused(under('thomas', id, recorded), 'contestation_par_un_autre')
    // The line says nothing more of it, or for anyone to read: not whole.
    await refused(under('usager', id), 'demarche_discrete')
    ok(await correctDemarche(world.db, world.as('thomas'), { demarcheId: id, faits: FAITS, raison: 'Une faute.' }))
    ok(await contest(id))
    await refused(under('usager', id), 'contestation_ouverte')
    await expect(world.db.tx(her, (tx) => tx.sql`update contestation set motif = 'autre'`)).rejects.toMatchObject({
      code: '42501',
    })
    await expect(world.db.tx(her, (tx) => tx.sql`delete from contestation`)).rejects.toMatchObject({ code: '42501' })
    await expect(world.sql`delete from contestation`).rejects.toThrow()
    await expect(world.sql`delete from correction`).rejects.toThrow()
  })

  it('ne laisse répondre ni la personne, ni un aidant, ni deux fois, ni « corrigé » sans correction', async () => {
    const id = await note()
    ok(await contest(id))
    const [row] = await said(id)
    const reply = (acteur: AidantKey, reponse = 'maintenue', action = 'contestation_repondue') =>
      inTx(async (sql) => {
        const [written] = await line(action, acteur, sql)
        await sql`update contestation set reponse = ${reponse}, answered_at = horloge(), answered_by = ${world.aidants[acteur]},
          answered_journal_id = ${written!.id} where id = ${row!.id}`
      })
    await refused(reply('nadia', 'maintenue', 'demarche_corrigee'), 'ligne_du_fait')
    await refused(reply('thomas'), 'contestation_par_qui')
    await refused(reply('nadia', 'corrigee'), 'contestation_corrigee')
    await reply('nadia')
    await refused(reply('nadia'), 'contestation_repondue_une_fois')
    await expect(
      world.db.tx(world.as('thomas'), (tx) => line('contestation_repondue', 'thomas', tx.sql as unknown as World['sql'])),
    ).rejects.toMatchObject({ code: '42501' })
  })

  it('n’attache une pause qu’à la contestation de sa thématique, et ne laisse la direction la lever qu’en répondant', async () => {
    const id = await note()
    ok(await contest(id, { pause: true }))
    const [row] = await said(id)
    const [paused] = await world.sql<{ id: string }[]>`select id from suspension where contestation_id = ${row!.id}`
    const lift = (by: Who, acteur: 'usager' | AidantKey) =>
      world.db.tx(by, async (tx) => {
        const sql = tx.sql as unknown as World['sql']
        const [written] = await line('autorisation_retablie', acteur, sql)
        const { count } =
          await sql`update suspension set until_at = horloge(), until_journal_id = ${written!.id} where id = ${paused!.id}`
        return count
      })
    await refused(lift(world.asReferent('nadia'), 'nadia'), 'reprise_par_qui')
    expect(await lift(world.as('thomas'), 'thomas')).toBe(0)
    await refused(
      world.db.tx(her, async (tx) => {
        const sql = tx.sql as unknown as World['sql']
        const [written] = await line('autorisation_suspendue', 'usager', sql)
        await sql`insert into suspension (autorisation_id, mandat_id, structure_id, usager_id, from_at, journal_id, contestation_id)
          select id, mandat_id, structure_id, usager_id, horloge(), ${written!.id}, ${row!.id} from autorisation
          where mandat_id = ${mandat.id} and thematique = 'social'`
      }),
      'suspension_contestee',
    )
    // A pause of her own is nobody's to lift.
    ok(await pauseMandat(world.db, her, { mandatId: mandat.id, thematique: 'social' }))
    const own = world.db.tx(world.asReferent('nadia'), async (tx) => {
      const sql = tx.sql as unknown as World['sql']
      const [written] = await line('autorisation_retablie', 'nadia', sql)
      return (
        await sql`update suspension set until_at = horloge(), until_journal_id = ${written!.id} where id <> ${paused!.id} and mandat_id = ${mandat.id}`
      ).count
    })
    expect(await own).toBe(0)
  })
})

describe('à l’écran', () => {
  it('elle le dit en deux gestes, la direction répond, elle lit la réponse', async () => {
    const id = await note('thomas')
    const hers = await world.sessionOf('josiane')
    const list = await (await world.get(`/mon-espace/mandats/${mandat.id}`, hers)).text()
    expect(list).toContain(`<a href="/mon-espace/demarches/${id}">Je ne suis pas d’accord</a>`)
    const html = await (await world.get(`/mon-espace/demarches/${id}`, hers)).text()
    await expectValidHtml(html)
    expect(html).not.toMatch(/checked/)
    const empty = await world.post(`/mon-espace/demarches/${id}`, {}, hers)
    expect([empty.status, await empty.text()]).toEqual([422, expect.stringContaining('Choisissez ce qui ne va pas.')])
    const secret = await world.post(
      `/mon-espace/demarches/${id}`,
      { motif: 'autre', note: 'FR76 3000 6000 0112 3456 7890 189' },
      hers,
    )
    expect([secret.status, await secret.text()]).toEqual([422, expect.stringContaining('IBAN')])
    expect(
      (
        await world.post(
          `/mon-espace/demarches/${id}`,
          { motif: 'inexact', note: 'Ce n’était pas le bailleur.', pause: 'oui' },
          hers,
        )
      ).status,
    ).toBe(303)
    const waiting = await (await world.get(`/mon-espace/demarches/${id}`, hers)).text()
    await expectValidHtml(waiting)
    expect(waiting).toContain('doit vous répondre')
    expect(waiting).not.toContain('Défenseur des droits')
    await later(16 * DAY)
    const again = await world.sessionOf('josiane')
    expect(await (await world.get(`/mon-espace/demarches/${id}`, again)).text()).toContain('Défenseur des droits')

    const referent = await world.sessionOf('nadia')
    const first = await (await world.get('/personnes', referent)).text()
    await expectValidHtml(first)
    expect(first).toMatch(/À faire<\/h2>[\s\S]*href="\/structure\/contestations">\d+ contestations? atten/)
    // Whose act it is reads of it nowhere.
    expect(await (await world.get('/personnes', await world.sessionOf('thomas'))).text()).not.toContain('À faire')
    const due = await (await world.get('/structure/contestations', referent)).text()
    await expectValidHtml(due)
    expect(due).toContain('depuis plus de 15 jours')
    const [row] = await said(id)
    const one = `/structure/contestations/${row!.id}`
    expect((await world.get(one, referent)).headers.get('location')).toBe(
      `/structure/personnes/${mandat.usagerId}/ouvrir?suite=${encodeURIComponent(one)}`,
    )
    // Closed while she wrote: her choice waits in the page with her words.
    const kept = await (await world.post(one, { reponseDonnee: 'maintenue', note: 'Vous l’aviez demandé.' }, referent)).text()
    for (const said of ['name="reponseDonnee" value="maintenue"', 'Vous l’aviez demandé.']) expect(kept).toContain(said)
    await openFor('nadia')
    const asking = await (await world.get(one, referent)).text()
    await expectValidHtml(asking)
    expect(asking).toContain('Ce n’était pas le bailleur.')
    expect((await world.post(one, { reponseDonnee: 'maintenue' }, referent)).status).toBe(422)
    expect((await world.post(one, { reponseDonnee: 'corrigee' }, referent)).status).toBe(409)
    const correcting = await (await world.get(`/demarches/${id}/corriger`, referent)).text()
    await expectValidHtml(correcting)
    const fields = {
      titre: 'Un courrier à la mairie',
      resultat: 'deposee',
      mode: 'avec_la_personne',
      presence: 'presente',
      canal: 'courrier',
    }
    expect((await world.post(`/demarches/${id}/corriger`, fields, referent)).status).toBe(422)
    expect((await world.post(`/demarches/${id}/corriger`, { ...fields, raison: 'Elle a raison.' }, referent)).status).toBe(303)
    expect((await world.post(one, { reponseDonnee: 'corrigee', note: 'Merci de l’avoir dit.' }, referent)).status).toBe(303)
    await expectValidHtml(await (await world.get(one, referent)).text())
    const answered = await (await world.get(`/mon-espace/demarches/${id}`, again)).text()
    await expectValidHtml(answered)
    for (const words of ['Vous avez raison : c’est corrigé', 'Merci de l’avoir dit.', 'Un courrier au bailleur', 'Corrigée le'])
      expect(answered).toContain(words)
    const journal = await (await world.get('/structure/journal?action=demarche_contestee', referent)).text()
    expect(journal).toContain('Démarche contestée')
  })

  it('dans deux onglets, ce qui n’est pas gardé est dit : à elle, puis à la direction ; envoyé deux fois, rien de plus', async () => {
    const id = await note('thomas')
    const here = `/mon-espace/demarches/${id}`
    const hers = await world.sessionOf('josiane')
    const said1 = { motif: 'inexact', note: 'Ce n’était pas moi.' }
    for (let n = 0; n < 2; n++) expect((await world.post(here, said1, hers)).status).toBe(303)
    for (const other of [
      { ...said1, motif: 'pas_demande' },
      { ...said1, note: 'Ni mon bailleur.' },
      { ...said1, pause: 'oui' },
    ]) {
      const dropped = await world.post(here, other, hers)
      const html = await dropped.text()
      await expectValidHtml(html)
      expect(dropped.status).toBe(409)
      for (const words of ['n’est pas gardé', 'Ce n’était pas moi.', other.note]) expect(html).toContain(words)
      expect(html.includes('La pause que vous avez cochée n’est pas mise.')).toBe('pause' in other)
    }
    expect(await said(id)).toMatchObject([{ motif: 'inexact', note: 'Ce n’était pas moi.', enPause: null }])

    await openFor('nadia')
    const referent = await world.sessionOf('nadia')
    const one = `/structure/contestations/${(await said(id))[0]!.id}`
    const reply1 = { reponseDonnee: 'maintenue', note: 'Vous l’aviez demandé.' }
    for (let n = 0; n < 2; n++) expect((await world.post(one, reply1, referent)).status).toBe(303)
    for (const other of [
      { ...reply1, reponseDonnee: 'reconnue' },
      { ...reply1, note: 'Nous regrettons.' },
    ]) {
      const dropped = await world.post(one, other, referent)
      const html = await dropped.text()
      await expectValidHtml(html)
      expect(dropped.status).toBe(409)
      for (const words of ['n’est pas enregistrée', 'est de Nadia Belkacem, le ', 'Vous aviez choisi', other.note])
        expect(html).toContain(words)
      expect(html).not.toContain('La personne a une réponse')
    }
    expect(await said(id)).toMatchObject([{ reponse: 'maintenue', noteReponse: 'Vous l’aviez demandé.' }])
    expect(await (await world.get(`/demarches/${id}`, referent)).text()).toMatch(/réponse le [^:]*, «\sNous maintenons/)
  })

  it('ce qu’elle lit : quel thème est en pause, comment le reprendre, en combien de jours on lui répond, et ce que voient les aidants', async () => {
    const id = await note('thomas')
    const sansSuite = await note('thomas', { resultat: 'a_faire_par_la_personne' })
    const hers = await world.sessionOf('josiane')
    const page = async () => (await world.get(`/mon-espace/demarches/${id}`, hers)).text()
    expect(await page()).toContain('Les aidants verront la pause, pas ce que vous dites.')
    expect(await page()).toContain('vous répond dans les 15 jours')
    const typed = await world.post(`/mon-espace/demarches/${id}`, { motif: 'autre', note: 'mdp : Soleil31' }, hers)
    expect(await typed.text()).toMatch(/il n’appartient qu’à vous\./)
    ok(await contest(id, { pause: true }))
    for (const words of [
      'doit vous répondre dans les 15 jours',
      'Vos démarches de logement sont en pause',
      `<a href="/mon-espace/mandats/${mandat.id}/reprise">Remettre en route</a>`,
    ])
      expect(await page()).toContain(words)
    // Of an act noted before its next step was asked for, she reads whom to ask.
    expect(await (await world.get(`/mon-espace/demarches/${sansSuite}`, hers)).text()).toContain(
      'Demandez à Thomas Lacombe ce qu’il vous reste à faire.',
    )
    const mine = (await world.messages()).find(({ cle, canal }) => cle.startsWith('contestation') && canal === 'sms')
    expect(mine!.corps).toContain('sous 15 jours')
    await openFor('nadia')
    const dossier = await world.get(`/structure/personnes/${mandat.usagerId}`, await world.sessionOf('nadia'))
    expect(await dossier.text()).toContain('En cours, logement en pause')
  })

  it('le bulletin ne sert pas à un désaccord, l’auteur ne l’enregistre pas, ni la direction ce qui attend déjà', async () => {
    const id = await note('thomas')
    const link = `/demarches/${id}/contestation`
    const aidant = await world.sessionOf('ines')
    const form = await (await world.get(link, aidant)).text()
    expect(form).toContain('value="courrier"')
    expect(form).not.toContain('bulletin')
    const slip = await world.post(link, { motif: 'autre', maniere: 'bulletin', recuLe: '2026-03-02T10:00' }, aidant)
    expect(slip.status).toBe(422)
    const page = async (who: AidantKey) => (await world.get(`/demarches/${id}`, await world.sessionOf(who))).text()
    expect(await page('ines')).toContain(link)
    expect(await page('thomas')).not.toContain(link)
    await openFor('nadia')
    expect(await page('nadia')).toContain(link)
    ok(await contest(id))
    expect(await page('nadia')).not.toContain(link)
    expect(await page('ines')).toContain(link)
  })

  it('ouvrir le dossier pour répondre ramène à la contestation, et à rien d’autre', async () => {
    const id = await note('thomas')
    ok(await contest(id))
    const referent = await world.sessionOf('nadia')
    const one = `/structure/contestations/${(await said(id))[0]!.id}`
    const door = (await world.get(one, referent)).headers.get('location')!
    const html = await (await world.get(door, referent)).text()
    await expectValidHtml(html)
    expect(html).toContain('Pour lire ce que la personne dit et lui répondre')
    expect(html).toMatch(/href="\/structure\/contestations"[^>]*>[^<]*(<[^>]*>)*[^<]*Contestations/)
    const open = (address: string) =>
      world.post(address, { motif: 'reclamation', envoi: randomUUID() }, referent).then(({ headers }) => headers.get('location'))
    expect(await open(door)).toBe(one)
    for (const suite of [
      '//ailleurs.example/',
      'https://ailleurs.example',
      '/structure/contestations/../equipe',
      '/mon-espace/code',
    ])
      expect(await open(`${door.split('?')[0]}?suite=${encodeURIComponent(suite)}`)).toBe(
        `/structure/personnes/${mandat.usagerId}`,
      )
  })

  it('notée par erreur, elle n’est dite « abandonnée » dans aucune liste', async () => {
    const id = await note('thomas')
    ok(await correctDemarche(world.db, world.as('thomas'), { demarcheId: id, faits: null, raison: 'Autre personne.' }))
    await openFor('nadia')
    const lists = [
      ['thomas', `/personnes/${mandat.usagerId}`, 'Par Thomas Lacombe'],
      ['nadia', `/structure/personnes/${mandat.usagerId}`, 'Notée par Thomas Lacombe'],
    ] as const
    for (const [who, address, words] of lists) {
      const html = await (await world.get(address, await world.sessionOf(who))).text()
      expect(html).toContain(words)
      expect(html).not.toContain('Abandonnée')
    }
  })

  it('un aidant enregistre ce qu’il entend, et ne lit pas qu’elle conteste', async () => {
    const id = await note('thomas')
    const hers = await world.sessionOf('josiane')
    const aidant = await world.sessionOf('ines')
    const page = await (await world.get(`/demarches/${id}/contestation`, aidant)).text()
    await expectValidHtml(page)
    await later(2 * 60_000)
    const recuLe = new Date((await world.now()).getTime() - 60_000)
      .toLocaleString('sv-SE', { timeZone: 'Europe/Paris' })
      .slice(0, 16)
      .replace(' ', 'T')
    const done = await world.post(`/demarches/${id}/contestation`, { motif: 'pas_demande', maniere: 'visite', recuLe }, aidant)
    expect([done.status, done.headers.get('location')]).toEqual([303, `/demarches/${id}?fait=1`])
    expect(await said(id)).toHaveLength(1)
    const still = await (await world.get(`/mon-espace/demarches/${id}`, hers)).text()
    await expectValidHtml(still)
    for (const words of ['Un aidant l’a écrit pour vous', 'name="motif"', 'name="pause"']) expect(still).toContain(words)
    expect(await (await world.get(`/demarches/${id}`, aidant)).text()).not.toContain('Contestée')
    // Which of the two a pause is, they are not told, nor anything that one of them is not.
    await world.sql`delete from message`
    ok(await pauseMandat(world.db, her, { mandatId: mandat.id }))
    const pages = [
      `/mandats/${mandat.id}`,
      `/mandats/${mandat.id}/pause`,
      `/mandats/${mandat.id}/renouveler`,
      `/personnes/${mandat.usagerId}`,
    ]
    const seen = await Promise.all(pages.map(async (path) => (await world.get(path, aidant)).text()))
    for (const words of [...seen, ...(await world.messages()).map(({ corps }) => corps)])
      expect(words).not.toMatch(/qu’elle ne l’a pas remis|lle seule peut/)
    expect(seen.filter((words) => words.includes('tant que dure cette pause'))).toHaveLength(3)
    expect((await world.get(`/demarches/${id}/corriger`, aidant)).status).toBe(404)
  })
})

describe('ce qui reste', () => {
  it('la vérification s’y retrouve, avant et après l’effacement de la personne', async () => {
    // Its own journal, whose clock only goes forward.
    const shared = world
    world = await newWorld()
    try {
      mandat = await world.signMandat({ persona: 'josiane' })
      her = await world.asUsager('josiane')
      const id = await note()
      ok(await contest(id, { note: 'Non.', pause: true }))
      ok(await correctDemarche(world.db, world.as('thomas'), { demarcheId: id, faits: FAITS, raison: 'Oui.' }))
      ok(await answer((await said(id))[0]!.id, { reponse: 'corrigee', note: 'Voilà.' }))
      ok(await contest(id, { pause: true }))
      ok(await recordPause(world.db, world.as('ines'), { mandatId: mandat.id, thematique: 'logement', maniere: 'courrier' }))
      ok(await resumeMandat(world.db, her, { mandatId: mandat.id, thematique: 'logement' }))
      // Renewed since: what waits for this answer is of another mandat.
      const renewed = await note('ines')
      mandat = await world.signMandat({ persona: 'josiane' })
      ok(await contest(renewed, { pause: true }))
      ok(await answer((await said(renewed))[0]!.id))
      ok(await contest(renewed, { pause: true }))
      const tree = openTree(world.database)
      const verify = async () => {
        await tree.settle()
        for (const as of ['admin', 'auditor'] as const) expect((await tree.verify([], as)).fault).toBeUndefined()
      }
      await verify()
      ok(await stopMandat(world.db, her, { mandatId: mandat.id }))
      const operator = openDb({ url: world.database.operatorUrl, connections: 1 })
      for (const words of ['Voilà.', 'Un courrier à la mairie']) expect(await world.tablesHolding(words)).not.toEqual([])
      ok(await eraseUsager(operator, { numero: mandat.id, motif: 'demande', confirmed: true }))
      await operator.close()
      await verify()
      await tree.close()
      for (const words of ['Voilà.', 'Un courrier à la mairie']) expect(await world.tablesHolding(words)).toEqual([])
    } finally {
      await world.close()
      world = shared
    }
  })
})
