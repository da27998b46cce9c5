import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Tx } from '../../src/db.ts'
import { type Alerte, CATALOGUE, type NewDemarche } from '../../src/demarche/demarche.ts'
import { findDemarche, findMoment, listDemarches, listRecents } from '../../src/demarche/queries.ts'
import { recordActeHorsMandat, recordDemarche } from '../../src/demarche/record.ts'
import { THEMATIQUES } from '../../src/mandat/mandat.ts'
import { expectValidHtml } from '../support/html.ts'
import { type Aidant, envoiOf, type Mandat, openStory, type Story, type Structure } from '../support/story.ts'

let story: Story
let figeac: Structure
let cahors: Structure
let awa: Aidant
let paul: Aidant
let etrangere: Aidant
let jeanne: string
let mandat: Mandat
beforeAll(async () => {
  story = await openStory()
  figeac = await story.structure()
  cahors = await story.structure({ nom: 'Maison France services de Cahors' })
  awa = await story.aidant(figeac)
  paul = await story.aidant(figeac, { prenom: 'Paul', nom: 'Rey' })
  etrangere = await story.aidant(cahors, { prenom: 'Ève', nom: 'Lamy' })
})
afterAll(() => story.close())
beforeEach(async () => {
  await story.database.freeze(null)
  jeanne = await story.usager([figeac])
  mandat = await story.mandat(awa, jeanne, ['logement', 'papiers', 'social', 'argent'])
})

const told = (more: Partial<NewDemarche> = {}): NewDemarche => ({
  mandatId: mandat.id,
  envoi: randomUUID(),
  thematique: 'logement',
  code: 'aide-logement',
  titre: 'Demander une aide au logement',
  nature: 'demande',
  mode: 'avec_la_personne',
  presence: 'presente',
  canal: 'en_ligne_franceconnect',
  resultat: 'deposee',
  ...more,
})
const record = (more?: Partial<NewDemarche>, by = awa) => recordDemarche(story.db, by.as, told(more))
const seconds = (at: Date, n: number) => new Date(at.getTime() + n * 1000)
const nouvelle = () => `/mandats/${mandat.id}/demarches/nouvelle`
const horsMandat = () => `/mandats/${mandat.id}/demarches/hors-mandat`
const reading = <T>(by: Aidant, work: (tx: Tx) => Promise<T>) => story.db.tx(by.as, work)
const recordedRow = async (id: string) => {
  const [row] = await story.database.adminSql<Record<string, unknown>[]>`
    select d.*, c.*, j.action, j.acteur_id, j.mandat_seq, jc.sensible as ligne_sensible, jc.payload
    from demarche d
    join demarche_contenu c on c.demarche_id = d.id
    join journal j on j.id = d.journal_id
    join journal_contenu jc on jc.journal_id = j.id
    where d.id = ${id}`
  return row!
}
const localHour = (at: Date, zone = 'Europe/Paris') =>
  new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' }).format(at).replace(' ', 'T')

describe('noter une démarche', () => {
  it('se fait en une page et trois gestes : une tuile, un résultat, enregistrer', async () => {
    const page = await story.get(awa, nouvelle())
    expect(page.status).toBe(200)
    await expectValidHtml(page.html)
    // What is sent by someone who opens nothing: every field of the page, empty or with its default.
    const sent = await story.post(awa, nouvelle(), {
      envoi: envoiOf(page.html),
      demarche: 'aide-logement',
      resultat: 'deposee',
      titre: '',
      thematique: '',
      faiteLe: '',
      nature: 'demande',
      mode: 'avec_la_personne',
      presence: 'presente',
      canal: 'en_ligne_franceconnect',
      duree: '',
      administration: '',
      note: '',
    })
    expect(sent.status).toBe(303)
    const [, usagerId, id] = /^\/personnes\/([0-9a-f-]{36})\?notee=([0-9a-f-]{36})$/.exec(sent.location!)!
    expect(usagerId).toBe(jeanne)
    expect(await recordedRow(id!)).toMatchObject({
      genre: 'reguliere',
      action: 'demarche_realisee',
      acteur_id: awa.id,
      mandat_seq: 2,
      thematique: 'logement',
      code: 'aide-logement',
      titre: 'Demander une aide au logement',
      administration: 'CAF/MSA',
      resultat: 'deposee',
      presence: 'presente',
      motif_hors_mandat: null,
    })
  })

  it('dit à côté de chaque démarche ce qu’elle demande : qui signe, qui paie, ce qui sera confidentiel, les arnaques', async () => {
    const all = await story.mandat(awa, await story.usager([figeac]), THEMATIQUES)
    const { html } = await story.get(awa, `/mandats/${all.id}/demarches/nouvelle`)
    await expectValidHtml(html)
    const cards = html.split('<div class="choice">').slice(1)
    const warned = (code: string) => {
      const card = cards.find((one) => one.includes(` value="${code}"`))
      return /<p class="warning">[\s\S]*?<span>([^<]*)<\/span>/.exec(card!)?.[1]?.replace(/\s/g, ' ')
    }
    for (const [alerte, words] of Object.entries({
      paiement: 'la personne doit être là, et taper elle-même sa carte',
      signature_personne: 'La personne signe elle-même : vous ne pouvez que préparer.',
      timbre: 'c’est la personne qui le paie',
      fraude: 'faux sites et aux faux conseillers',
      reclamation: 'Ne sera lue que par la personne et par vous.',
      patrimoine: 'reprises sur la succession',
      donnees_sante: 'Touche à la santé',
      donnees_penales: 'Touche à la justice pénale',
    } satisfies Record<Exclude<Alerte, `echeance:${string}`>, string>)) {
      const concerned = CATALOGUE.filter(({ alertes }) => alertes.includes(alerte as Alerte)).map(({ code }) => code)
      expect(concerned).not.toEqual([])
      expect([alerte, concerned.filter((code) => !warned(code)?.includes(words))]).toEqual([alerte, []])
      expect([alerte, CATALOGUE.filter(({ code }) => warned(code)?.includes(words)).map(({ code }) => code)]).toEqual([
        alerte,
        concerned,
      ])
    }
    expect(warned('surendettement')).toBe('La personne signe elle-même : vous ne pouvez que préparer.')
  })

  it('garde toutes les précisions, les montants en centimes et les heures dans le fuseau de la structure', async () => {
    await story.database.freeze(seconds(mandat.signedAt, 7200))
    const doneAt = seconds(mandat.signedAt, 3600)
    const sent = await story.post(awa, nouvelle(), {
      envoi: randomUUID(),
      demarche: 'autre',
      titre: 'Facture d’eau',
      thematique: 'logement',
      resultat: 'bloquee',
      faiteLe: localHour(doneAt),
      nature: 'paiement',
      mode: 'a_sa_place',
      presence: 'presente',
      canal: 'telephone',
      duree: '30',
      administration: 'Régie des eaux',
      motifBlocage: 'pas_d_interlocuteur',
      reference: 'F-2026-118',
      montant: '1 250,5 €',
      etapeQuoi: 'Rappeler',
      etapeQui: 'aidant',
      etapeQuand: '27/03/2027',
      orientation: 'Point conseil budget',
      note: 'Vu avec elle.\nÀ revoir.',
    })
    expect(sent.status).toBe(303)
    const id = sent.location!.split('notee=')[1]!
    expect(await recordedRow(id)).toMatchObject({
      titre: 'Facture d’eau',
      code: null,
      nature: 'paiement',
      mode: 'a_sa_place',
      canal: 'telephone',
      duree_minutes: 30,
      administration: 'Régie des eaux',
      motif_blocage: 'pas_d_interlocuteur',
      reference: 'F-2026-118',
      montant_centimes: 125_050,
      etape_quoi: 'Rappeler',
      etape_qui: 'aidant',
      etape_quand: '2027-03-27',
      orientation: 'Point conseil budget',
      note: 'Vu avec elle.\nÀ revoir.',
      done_at: new Date(Math.floor(doneAt.getTime() / 60_000) * 60_000),
    })
    const detail = await story.get(awa, `/demarches/${id}`)
    await expectValidHtml(detail.html)
    expect(detail.html).toContain('1 250,50 €')
    expect(detail.html).toContain('27 mars 2027')
  })

  it('propose d’abord ce qui a été fait il y a peu, jamais ce qui est confidentiel, et rien hors du mandat', async () => {
    await record({ code: 'visale', titre: 'Demander la garantie Visale' })
    await record({ code: 'mdph', thematique: 'social', titre: 'Demander une aide handicap (MDPH)' })
    expect(await reading(awa, (tx) => listRecents(tx, jeanne))).toEqual(['visale'])
    const { html } = await story.get(awa, nouvelle())
    expect(/name="demarche" value="([^"]+)"/.exec(html)![1]).toBe('visale')
    const offered = [...html.matchAll(/name="demarche" value="([^"]+)"/g)].map(([, code]) => code)
    expect(offered).toContain('impots-payer')
    expect(offered).not.toContain('casier')
    expect(new Set(offered).size).toBe(offered.length)
    expect(html).toContain('taper elle-même sa carte')
  })

  it('n’enregistre qu’une fois ce qui est envoyé deux fois, même ensemble', async () => {
    const before = await story.count('demarche')
    const envoi = randomUUID()
    const fields = { envoi, demarche: 'aide-logement', resultat: 'deposee' }
    const answers = await Promise.all([0, 1, 2, 3].map(() => story.post(awa, nouvelle(), fields)))
    expect(new Set(answers.map(({ location }) => location)).size).toBe(1)
    expect(await story.count('demarche')).toBe(before + 1)
  })

  it('ne prend pas le formulaire d’un autre mandat pour un envoi répété', async () => {
    const done = await record()
    expect(done.ok).toBe(true)
    const [{ envoi } = { envoi: '' }] = await story.database.adminSql<{ envoi: string }[]>`
      select envoi from demarche where mandat_id = ${mandat.id}`
    const autre = await story.mandat(awa, await story.usager([figeac]), ['logement'])
    const sent = await story.post(awa, `/mandats/${autre.id}/demarches/nouvelle`, {
      envoi,
      demarche: 'aide-logement',
      resultat: 'deposee',
    })
    expect(sent.status).toBe(409)
    expect(envoiOf(sent.html)).not.toBe(envoi)
    expect(sent.html).toContain('avait déjà servi')
  })

  it.each([
    ['sans démarche', { resultat: 'deposee' }, 'Choisissez une démarche.'],
    ['sans résultat', { demarche: 'aide-logement' }, 'Choisissez un résultat.'],
    ['autre, sans titre', { demarche: 'autre', resultat: 'deposee' }, 'Écrivez quelle démarche'],
    ['un titre sans thématique', { titre: 'Eau', resultat: 'deposee' }, 'Choisissez sa thématique.'],
    [
      'deux démarches à la fois',
      { demarche: 'hlm', titre: 'Eau', thematique: 'logement', resultat: 'deposee' },
      'vous en avez écrit une autre',
    ],
    ['une démarche inconnue', { demarche: 'rien', resultat: 'deposee' }, 'Choisissez une des réponses proposées.'],
    ['un NIR', { demarche: 'hlm', resultat: 'deposee', note: '2 50 03 46 042 118 19' }, 'numéro de sécurité sociale'],
    ['un IBAN', { demarche: 'hlm', resultat: 'deposee', reference: 'FR7630006000011234567890189' }, 'IBAN'],
    ['une carte', { demarche: 'hlm', resultat: 'deposee', note: '4970 1000 0000 0055' }, 'carte bancaire'],
    ['un mot de passe', { demarche: 'hlm', resultat: 'deposee', note: 'mdp CAF : Soleil31' }, 'mot de passe'],
    ['un secret dans le titre', { titre: 'mdp : Soleil31', thematique: 'logement', resultat: 'deposee' }, 'mot de passe'],
    ['un secret dans le montant', { demarche: 'hlm', resultat: 'deposee', montant: '4970100000000055' }, 'carte bancaire'],
    ['un montant illisible', { demarche: 'hlm', resultat: 'deposee', montant: 'beaucoup' }, 'par exemple 12,50'],
    ['un montant nul', { demarche: 'hlm', resultat: 'deposee', montant: '0,00' }, 'par exemple 12,50'],
    ['un montant immense', { demarche: 'hlm', resultat: 'deposee', montant: '999999999' }, 'trop grand'],
    ['une étape sans quoi', { demarche: 'hlm', resultat: 'deposee', etapeQui: 'aidant' }, 'ce qu’il reste à faire'],
    ['une suite pour elle sans quoi', { demarche: 'hlm', resultat: 'a_faire_par_la_personne' }, 'ce qu’il reste à faire'],
    ['une note trop longue', { demarche: 'hlm', resultat: 'deposee', note: 'a'.repeat(281) }, '280 caractères au plus'],
    ['une date impossible', { demarche: 'hlm', resultat: 'deposee', faiteLe: '31/02/2026 10:00' }, 'Écrivez la date'],
  ])('est refusé, les réponses gardées : %s', async (_name, fields, words) => {
    const before = [await story.count('demarche'), await story.count('journal')]
    const envoi = randomUUID()
    const sent = await story.post(awa, nouvelle(), {
      envoi,
      etapeQuand: '2027-01-04',
      etapeQuoi: '',
      orientation: 'CIDFF',
      ...fields,
      ...('etapeQui' in fields ? {} : { etapeQuand: '' }),
    })
    expect(sent.status).toBe(422)
    expect(sent.html).toContain(words)
    expect(sent.html).toContain('value="CIDFF"')
    expect(envoiOf(sent.html)).toBe(envoi)
    await expectValidHtml(sent.html)
    expect([await story.count('demarche'), await story.count('journal')]).toEqual(before)
  })

  it('refuse un paiement en l’absence de la personne, et une date à venir, en gardant les réponses', async () => {
    const payment = { demarche: 'impots-payer', resultat: 'terminee', montant: '12,50', presence: 'absente', reference: 'ROLE-3' }
    const paid = await story.post(awa, nouvelle(), { envoi: randomUUID(), ...payment })
    expect(paid.status).toBe(409)
    expect(paid.html).toContain('en l’absence de la personne')
    expect(paid.html).toContain('value="ROLE-3"')
    expect(paid.html).toContain('href="#champ-presence"')
    const without = await story.post(awa, nouvelle(), {
      envoi: randomUUID(),
      demarche: 'hlm',
      resultat: 'deposee',
      presence: 'absente',
    })
    expect(without.html).toMatch(/<details class="more" open>[\s\S]*id="champ-presence-erreur"[\s\S]*ne se fait pas sans elle/)
    await expectValidHtml(paid.html)
    expect((await story.post(awa, nouvelle(), { envoi: randomUUID(), ...payment, presence: 'presente' })).status).toBe(303)

    const later = localHour(seconds(new Date(), 3600))
    const future = await story.post(awa, nouvelle(), {
      envoi: randomUUID(),
      demarche: 'hlm',
      resultat: 'deposee',
      faiteLe: later,
    })
    expect(future.status).toBe(409)
    expect(future.html).toContain('n’est pas encore passée')
    // At its field, open and named in the summary.
    expect(future.html).toContain('href="#champ-faiteLe"')
    expect(future.html).toMatch(/<details class="more" open>[\s\S]*id="champ-faiteLe-erreur"[\s\S]*aria-invalid="true"/)
    expect(future.html).not.toContain('Démarche non enregistrée')
  })

  it('vide, dit en une fois tout ce qui manque ; un champ refusé ne cache pas les autres', async () => {
    const empty = await story.post(awa, nouvelle(), { envoi: randomUUID(), etapeQui: 'personne', montant: 'beaucoup' })
    expect(empty.status).toBe(422)
    for (const field of ['demarche', 'resultat', 'montant', 'etapeQuoi']) expect(empty.html).toContain(`href="#champ-${field}"`)
    // What is refused already is not refused twice, nor taken for an absence.
    const long = await story.post(awa, nouvelle(), { envoi: randomUUID(), titre: 'x'.repeat(81) })
    expect(long.html).toContain('href="#champ-titre"')
    expect(long.html).not.toContain('Choisissez une démarche.')
  })
})

describe('la même démarche, notée une deuxième fois dans les dix minutes', () => {
  const fields = { demarche: 'hlm', resultat: 'deposee', note: 'Dossier complet' }
  const again = (more: Record<string, string> = {}, by = awa) =>
    story.post(by, nouvelle(), { ...fields, envoi: randomUUID(), ...more })
  const count = async () => {
    const [row] = await story.database.adminSql<{ n: number }[]>`
      select count(*)::int as n from demarche where mandat_id = ${mandat.id}`
    return row!.n
  }

  it('« Précédent » puis « Enregistrer » ne la note pas deux fois : la page le dit, et mène à celle qui l’est', async () => {
    const first = await again()
    const id = first.location!.split('notee=')[1]!
    const second = await again()
    expect(second.status).toBe(409)
    expect(second.html).toMatch(/Vous avez déjà noté cette démarche à <time[^>]*>\d+ h \d\d<\/time>/)
    expect(second.html).toContain(`href="/demarches/${id}"`)
    await expectValidHtml(second.html)
    expect(await count()).toBe(1)
    // The form itself still asks: only the button of the warning says that it is another.
    expect((await again({ note: 'Relu' })).status).toBe(409)
  })

  it('se note quand même, telle qu’elle était écrite, quand l’aidante dit que c’en est une autre', async () => {
    await again()
    const { html } = await again()
    const form = /<form[^>]*aria-label="La noter une deuxième fois"[^>]*>([\s\S]*?)<\/form>/.exec(html)![1]!
    const kept = Object.fromEntries(
      [...form.matchAll(/name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [name!, value!]),
    )
    expect(kept).toMatchObject({ ...fields, encore: 'oui' })
    const sent = await story.post(awa, nouvelle(), kept)
    expect(sent.status).toBe(303)
    expect(await count()).toBe(2)
    // Sent twice, this one too is noted once.
    expect((await story.post(awa, nouvelle(), kept)).location).toBe(sent.location)
    expect(await count()).toBe(2)
  })

  it('hors du mandat aussi', async () => {
    const outside = { demarche: 'amende-payer', resultat: 'terminee', motif: 'La personne le demandait ce jour-là.' }
    expect((await story.post(awa, horsMandat(), { ...outside, envoi: randomUUID() })).status).toBe(303)
    const second = await story.post(awa, horsMandat(), { ...outside, envoi: randomUUID() })
    expect([second.status, second.html.includes('Vous avez déjà noté')]).toEqual([409, true])
  })

  it('ne se confond ni avec un autre résultat, ni avec celle d’une collègue, ni avec un autre moment, ni avec celle d’il y a dix minutes', async () => {
    const signed = mandat.signedAt.getTime()
    await story.database.freeze(new Date(signed + 3_600_000))
    expect((await again()).status).toBe(303)
    expect((await again({ resultat: 'terminee' })).status).toBe(303)
    expect((await again({}, paul)).status).toBe(303)
    const local = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Paris', dateStyle: 'short', timeStyle: 'short' })
    const faiteLe = local.format(new Date(signed + 1_800_000)).replace(' ', 'T')
    expect((await again({ faiteLe })).status).toBe(303)
    expect((await again({ faiteLe })).status).toBe(409)
    await story.database.freeze(new Date(signed + 3_600_000 + 599_000))
    expect((await again()).status).toBe(409)
    await story.database.freeze(new Date(signed + 3_600_000 + 600_000))
    expect((await again()).status).toBe(303)
  })
})

describe('le moment où elle a été faite', () => {
  it('la minute présente et celle de la signature sont dans le mandat, la minute d’avant la signature ne l’est pas', async () => {
    // Signed at 14:05:30, noted at 14:05:40: « 14:05 » is neither before the signature nor in the future.
    await story.database.freeze(new Date('2026-11-10T13:05:30.250Z'))
    mandat = await story.mandat(awa, jeanne, ['loisirs'])
    await story.database.freeze(new Date('2026-11-10T13:05:40.250Z'))
    const fields = { titre: 'Club de lecture', thematique: 'loisirs', resultat: 'terminee' }
    const now = await story.post(awa, nouvelle(), { ...fields, envoi: randomUUID(), faiteLe: '2026-11-10T14:05' })
    expect(now.status).toBe(303)
    expect(await recordedRow(now.location!.split('notee=')[1]!)).toMatchObject({ genre: 'reguliere', done_at: mandat.signedAt })

    const before = await story.post(awa, nouvelle(), { ...fields, envoi: randomUUID(), faiteLe: '10/11/2026 14:04' })
    expect(before.status).toBe(409)
    expect(before.html).toContain('avant le mandat')
    const after = await story.post(awa, nouvelle(), { ...fields, envoi: randomUUID(), faiteLe: '2026-11-10T14:06' })
    expect(after.status).toBe(409)
    expect(after.html).toContain('n’est pas encore passée')
  })

  it('se lit sur l’horloge de la structure, à La Réunion comme à Paris, l’été comme l’hiver', async () => {
    const reunion = await story.structure({ nom: 'CCAS de Saint-Denis', fuseau: 'Indian/Reunion' })
    const marie = await story.aidant(reunion)
    const there = await story.mandat(marie, await story.usager([reunion]), ['papiers'], { fuseau: 'Indian/Reunion' })
    const at = (by: Aidant, id: string, local: string) => reading(by, (tx) => findMoment(tx, id, local))
    expect(await at(marie, there.id, '2026-07-14T10:00')).toEqual(new Date('2026-07-14T06:00:00Z'))
    expect(await at(awa, mandat.id, '2026-07-14T10:00')).toEqual(new Date('2026-07-14T08:00:00Z'))
    expect(await at(awa, mandat.id, '2026-01-14T10:00')).toEqual(new Date('2026-01-14T09:00:00Z'))
    expect(await at(etrangere, mandat.id, '2026-01-14T10:00')).toBeUndefined()
  })

  it('décide de ce qu’elle est, à une seconde près', async () => {
    const start = mandat.signedAt
    const noted = async (doneAt: Date, at: Date) => {
      await story.database.freeze(at)
      const done = await record({ doneAt })
      return done.ok ? done.genre : done.refusal
    }
    const end = mandat.expiresAt
    expect(await noted(start, start)).toBe('reguliere')
    expect(await noted(seconds(start, -1), seconds(start, 5))).toBe('hors_mandat')
    expect(await noted(start, seconds(start, 24 * 3600))).toBe('reguliere')
    expect(await noted(start, seconds(start, 24 * 3600 + 1))).toBe('apres_coup')
    expect(await noted(seconds(end, -1), seconds(end, -1))).toBe('reguliere')
    expect(await noted(seconds(end, -1), end)).toBe('apres_coup')
    expect(await noted(end, end)).toBe('hors_mandat')
    expect(await noted(seconds(end, 1), seconds(end, 2))).toBe('hors_mandat')
  })

  it('… et après un arrêt : dedans jusqu’à la seconde de l’arrêt, jamais après', async () => {
    await story.database.freeze(seconds(mandat.signedAt, 60))
    const stop = await story.revoke(mandat, ['logement'])
    await story.database.freeze(seconds(stop, 1))
    expect(await record({ doneAt: seconds(stop, -1) })).toMatchObject({ ok: true, genre: 'apres_coup' })
    expect(await record({ doneAt: stop })).toEqual({ ok: false, refusal: 'hors_mandat' })
    expect(await record()).toEqual({ ok: false, refusal: 'hors_mandat' })
    expect(await record({ code: null, titre: 'Passeport', thematique: 'papiers' })).toMatchObject({
      ok: true,
      genre: 'reguliere',
    })
  })

  it('est décidé à nouveau quand le mandat finit entre la lecture de l’heure et l’écriture de la ligne', async () => {
    const { adminSql } = story.database
    await adminSql.unsafe(`create function attend() returns trigger language plpgsql as 'begin perform pg_sleep(0.6); return new; end';
      create trigger attend before insert on journal for each row execute function attend()`)
    try {
      await story.database.travel(seconds(mandat.expiresAt, -0.4))
      expect(await record({ doneAt: seconds(mandat.expiresAt, -60) })).toMatchObject({ ok: true, genre: 'apres_coup' })
    } finally {
      await adminSql.unsafe('drop trigger attend on journal; drop function attend()')
      await story.database.travel(new Date())
    }
  })
})

describe('hors du mandat', () => {
  const casier = { titre: 'Casier judiciaire', thematique: 'justice', resultat: 'deposee' }

  it('rien n’est perdu : la page dit pourquoi, garde tout, et offre l’acte hors mandat avec sa raison', async () => {
    const envoi = randomUUID()
    const refused = await story.post(awa, nouvelle(), { envoi, ...casier, note: 'Urgent' })
    expect(refused.status).toBe(409)
    expect(refused.html).toContain('Le mandat ne couvre pas les démarches de justice.')
    expect(refused.html).toContain(`action="${horsMandat()}"`)
    expect(refused.html).toContain('value="Casier judiciaire"')
    expect(refused.html).toMatch(/<option value="justice" selected/)
    expect(refused.html).toMatch(/value="deposee" checked/)
    expect(refused.html).toMatch(/>\s*Urgent<\/textarea>/)
    expect(envoiOf(refused.html)).toBe(envoi)
    await expectValidHtml(refused.html)

    // Sent from that page as a démarche inside the mandat, and refused: the reason she typed is not lost.
    for (const fields of [casier, { ...casier, resultat: '' }]) {
      const back = await story.post(awa, nouvelle(), { envoi, ...fields, motif: 'Demandé au guichet' })
      expect(back.status).toBe(fields.resultat ? 409 : 422)
      expect(back.html).toMatch(/>\s*Demandé au guichet<\/textarea>/)
      await expectValidHtml(back.html)
    }

    for (const motif of [undefined, '', '  ', 'oui', 'a'.repeat(281), 'mdp : Soleil31']) {
      const without = await story.post(awa, horsMandat(), { envoi, ...casier, motif })
      expect(without.status).toBe(422)
      await expectValidHtml(without.html)
    }
    expect(await reading(awa, (tx) => listDemarches(tx, { mandatId: mandat.id }))).toMatchObject({ demarches: [] })

    const sent = await story.post(awa, horsMandat(), {
      envoi,
      ...casier,
      note: 'Urgent',
      motif: 'Demandé par téléphone, rendez-vous demain.',
    })
    expect(sent.status).toBe(303)
    expect(await recordedRow(sent.location!.split('notee=')[1]!)).toMatchObject({
      genre: 'hors_mandat',
      action: 'acte_hors_mandat',
      motif_hors_mandat: 'Demandé par téléphone, rendez-vous demain.',
      thematique: 'justice',
      note: 'Urgent',
    })
    // Shown at once to the person, reason included.
    const { demarches } = await story.db.tx({ kind: 'usager', usagerIds: [jeanne], niveau: 'identite' }, (tx) =>
      listDemarches(tx, { usagerIds: [jeanne] }),
    )
    expect(demarches).toMatchObject([
      { genre: 'hors_mandat', titre: 'Casier judiciaire', motifHorsMandat: 'Demandé par téléphone, rendez-vous demain.' },
    ])
  })

  it('ce qui se révèle être dans le mandat est noté comme tel, sans raison', async () => {
    const sent = await story.post(awa, horsMandat(), {
      envoi: randomUUID(),
      demarche: 'hlm',
      resultat: 'deposee',
      motif: 'Je croyais que non',
    })
    expect(await recordedRow(sent.location!.split('notee=')[1]!)).toMatchObject({ genre: 'reguliere', motif_hors_mandat: null })
  })

  it('en y venant droit, un seul bouton, et d’abord ce que le mandat ne couvre pas', async () => {
    const { html } = await story.get(awa, horsMandat())
    await expectValidHtml(html)
    expect(html.match(/Enregistrer/g)).toHaveLength(1)
    expect(html).not.toContain('de ce mandat')
    const codes = [...html.matchAll(/name="demarche" value="([^"]+)"/g)].map(([, code]) => code)
    expect(codes.indexOf('hlm')).toBeGreaterThan(codes.indexOf('autre'))
    expect(codes.slice(0, 8)).not.toContain('hlm')
  })

  it('en pause, ce qui est arrêté n’est plus dit ni proposé', async () => {
    const at = await story.revoke(mandat, ['logement'])
    for (const thematique of ['papiers', 'social', 'argent'] as const) await story.suspend(mandat, thematique)
    await story.database.freeze(seconds(at, 3600))
    const { html } = await story.get(awa, nouvelle())
    await expectValidHtml(html)
    expect(html.replaceAll('\u00a0', ' ')).toMatch(/Le mandat [^(]*\(papiers, santé, [^)]*\) est en pause/)
    expect(html).not.toMatch(/Le mandat [^(]*\([^)]*logement[^)]*\)/)
    const codes = [...html.matchAll(/name="demarche" value="([^"]+)"/g)].map(([, code]) => code)
    expect(codes).not.toContain('hlm')
    expect(html).toContain('<option value="logement">Logement (hors du mandat)')
    expect(html).not.toContain('Papiers - Citoyenneté - Élections (hors du mandat)')
  })

  it('un mandat arrêté, fini ou en pause se dit, et laisse noter ce qui a été fait avant', async () => {
    const at = localHour(seconds(mandat.signedAt, 60))
    await story.database.freeze(seconds(mandat.signedAt, 3600))
    await story.suspend(mandat, 'logement')
    await story.database.freeze(seconds(mandat.signedAt, 3601))
    const paused = await story.post(awa, nouvelle(), { envoi: randomUUID(), demarche: 'hlm', resultat: 'deposee' })
    expect(paused.status).toBe(409)
    expect(paused.html).toContain('étaient en pause')

    await story.revoke(mandat, ['logement', 'papiers', 'social', 'argent'])
    const page = await story.get(awa, nouvelle())
    expect(page.html).toContain('est arrêté depuis le')
    expect(page.html.indexOf('name="faiteLe"')).toBeLessThan(page.html.indexOf('<summary>Plus de précisions'))
    await expectValidHtml(page.html)
    const late = await story.post(awa, nouvelle(), { envoi: randomUUID(), demarche: 'hlm', resultat: 'deposee', faiteLe: at })
    expect(late.status).toBe(303)
    expect(await recordedRow(late.location!.split('notee=')[1]!)).toMatchObject({ genre: 'apres_coup' })
    const after = await story.post(awa, nouvelle(), { envoi: randomUUID(), demarche: 'hlm', resultat: 'deposee' })
    expect(after.html).toContain('après l’arrêt des démarches de logement')
    expect(after.html).toContain('à la demande de la personne')

    jeanne = await story.usager([figeac])
    mandat = await story.mandat(awa, jeanne, ['logement'], { duree: 'jour' })
    await story.database.freeze(seconds(mandat.expiresAt, 60))
    expect((await story.get(awa, nouvelle())).html).toContain('est arrivé à sa fin le')
    const expired = await story.post(awa, nouvelle(), { envoi: randomUUID(), demarche: 'hlm', resultat: 'deposee' })
    expect(expired.html).toContain('après la fin du mandat')
    await expectValidHtml((await story.get(awa, horsMandat())).html)
  })
})

describe('le formulaire', () => {
  it('montre la personne : la trace en reste, et elle la lit', async () => {
    const before = await story.count('acces')
    await story.get(awa, nouvelle())
    await story.get(etrangere, nouvelle())
    expect(await story.count('acces')).toBe(before + 1)
    expect(await story.database.adminSql`select genre, aidant_id from acces where usager_id = ${jeanne}`).toMatchObject([
      { genre: 'dossier_consulte', aidant_id: awa.id },
    ])
  })
})

describe('qui peut noter et lire', () => {
  it('tout aidant de la structure s’en sert ; ceux d’une autre structure, et les inconnus, ne trouvent rien', async () => {
    const done = await record({}, paul)
    expect(done.ok).toBe(true)
    const id = done.ok ? done.id : ''
    const fields = { envoi: randomUUID(), demarche: 'hlm', resultat: 'deposee', motif: 'Pour voir si' }
    const before = await story.count('journal')
    for (const mandatId of [mandat.id, randomUUID(), 'rien'])
      for (const end of ['nouvelle', 'hors-mandat']) {
        expect((await story.get(etrangere, `/mandats/${mandatId}/demarches/${end}`)).status).toBe(404)
        expect((await story.post(etrangere, `/mandats/${mandatId}/demarches/${end}`, fields)).status).toBe(404)
        expect(
          (await story.post(etrangere, `/mandats/${mandatId}/demarches/${end}`, { ...fields, faiteLe: '2026-01-01T10:00' }))
            .status,
        ).toBe(404)
        expect((await story.post(etrangere, `/mandats/${mandatId}/demarches/${end}`, { resultat: 'rien' })).status).toBe(404)
      }
    expect((await story.get(etrangere, `/demarches/${id}`)).status).toBe(404)
    expect((await story.get(etrangere, `/demarches/${randomUUID()}`)).status).toBe(404)
    expect((await story.get(awa, `/demarches/${id}`)).status).toBe(200)
    expect(await story.count('journal')).toBe(before)
    // And with row-level security alone.
    for (const table of ['demarche', 'demarche_contenu', 'mandat', 'journal', 'journal_contenu']) {
      const seenBy = (who: Aidant) =>
        story.rls.tx(who.as, async ({ sql }) => [...(await sql`select 1 as one from ${sql(table)} where usager_id = ${jeanne}`)])
      expect([table, await seenBy(etrangere)]).toEqual([table, []])
      expect([table, await seenBy(paul)]).not.toEqual([table, []])
    }
    const reads: ((tx: Tx) => Promise<unknown>)[] = [
      (tx: Tx) => findDemarche(tx, id),
      (tx: Tx) => findMoment(tx, mandat.id, '2026-01-01T10:00'),
      async (tx: Tx) => (await listDemarches(tx, { usagerIds: [jeanne] })).demarches[0],
      async (tx: Tx) => (await listDemarches(tx, { mandatId: mandat.id })).demarches[0],
      async (tx: Tx) => (await listRecents(tx, jeanne))[0],
    ]
    for (const work of reads) {
      expect(await story.rls.tx(awa.as, work)).toBeDefined()
      expect(await story.rls.tx(etrangere.as, work)).toBeUndefined()
    }
    expect(await recordDemarche(story.rls, etrangere.as, told())).toEqual({ ok: false, refusal: 'introuvable' })
    expect(await recordActeHorsMandat(story.rls, etrangere.as, told(), 'Pour voir si')).toEqual({
      ok: false,
      refusal: 'introuvable',
    })
  })

  it('qui n’est pas connecté est envoyé à la connexion, avec la page demandée', async () => {
    const { status, location } = await story.get(undefined, nouvelle())
    expect([status, location]).toEqual([303, `/connexion?suite=${encodeURIComponent(nouvelle())}`])
  })

  it('une aidante suspendue ne note plus rien, formulaire déjà ouvert compris', async () => {
    const partie = await story.aidant(figeac, { prenom: 'Lou', nom: 'Vial' })
    const { html } = await story.get(partie, nouvelle())
    await story.database.adminSql`update aidant set suspended_at = horloge() where id = ${partie.id}`
    const before = await story.count('journal')
    const sent = await story.post(partie, nouvelle(), { envoi: envoiOf(html), demarche: 'hlm', resultat: 'deposee' })
    expect(sent.status).toBe(303)
    expect(sent.location).toMatch(/^\/connexion/)
    // Even past the session's door, the database says no, in a sentence and not in a failure.
    expect(await record({}, partie)).toEqual({ ok: false, refusal: 'aidant_inactif' })
    expect(await story.count('journal')).toBe(before)
  })

  it('lire le détail se note dans le journal des accès', async () => {
    const done = await record()
    const accesses = async () =>
      Array.from(
        await story.database.adminSql`
          select genre, aidant_id, structure_id from acces where usager_id = ${jeanne} and genre = 'demarche_consultee'`,
      )
    await story.get(etrangere, `/demarches/${done.ok && done.id}`)
    expect(await accesses()).toEqual([])
    await story.get(paul, `/demarches/${done.ok && done.id}`)
    expect(await accesses()).toEqual([{ genre: 'demarche_consultee', aidant_id: paul.id, structure_id: figeac.id }])
  })
})

describe('ce qui est confidentiel', () => {
  const mdph = {
    code: 'mdph',
    thematique: 'social',
    titre: 'Demander une aide handicap (MDPH)',
    note: 'Certificat reçu',
  } as const
  const cnil = { code: 'cnil-plainte', thematique: 'papiers', titre: 'Faire une plainte à la CNIL' } as const
  const idOf = (done: Awaited<ReturnType<typeof record>>) => (done.ok ? done.id : '')

  it('n’a ni titre ni thématique dans une liste d’aidant, même la sienne ; son détail se lit', async () => {
    const id = idOf(await record(mdph))
    for (const reader of [awa, paul]) {
      const { demarches } = await reading(reader, (tx) => listDemarches(tx, { usagerIds: [jeanne] }))
      expect(demarches).toMatchObject([
        {
          id,
          sensible: true,
          titre: null,
          thematique: null,
          code: null,
          administration: null,
          note: null,
          nature: null,
          canal: null,
        },
      ])
      expect(JSON.stringify(demarches)).not.toMatch(/handicap|social|MDPH|Certificat/)
      expect(await reading(reader, (tx) => findDemarche(tx, id))).toMatchObject({ titre: mdph.titre, note: 'Certificat reçu' })
    }
    const detail = await story.get(paul, `/demarches/${id}`)
    expect(detail.html).toContain('Demander une aide handicap')
    await expectValidHtml(detail.html)
    expect(await recordedRow(id)).toMatchObject({ ligne_sensible: true })
  })

  it('n’est plus lisible que par son auteure quand aucun mandat n’est en cours ; la personne lit toujours tout', async () => {
    const id = idOf(await record(mdph))
    const plain = idOf(await record())
    await story.database.freeze(seconds(mandat.signedAt, 60))
    await story.revoke(mandat, ['logement', 'papiers', 'social', 'argent'])
    expect(await reading(paul, (tx) => findDemarche(tx, id))).toMatchObject({ titre: null, thematique: null, note: null })
    expect(await reading(paul, (tx) => findDemarche(tx, plain))).toMatchObject({ titre: null, thematique: 'logement' })
    expect(await reading(awa, (tx) => findDemarche(tx, id))).toMatchObject({ titre: mdph.titre })
    const page = await story.get(paul, `/demarches/${id}`)
    expect(page.status).toBe(200)
    expect(page.html).toContain('Démarche confidentielle')
    expect(page.html).not.toMatch(/handicap|Social|Certificat/)
    await expectValidHtml(page.html)
    const hers = await story.db.tx({ kind: 'usager', usagerIds: [jeanne], niveau: 'identite' }, (tx) =>
      listDemarches(tx, { usagerIds: [jeanne] }),
    )
    expect(hers.demarches.map(({ titre }) => titre).sort()).toEqual([mdph.titre, 'Demander une aide au logement'].sort())
    const autre = await story.usager([figeac])
    const none = await story.db.tx({ kind: 'usager', usagerIds: [autre], niveau: 'identite' }, (tx) =>
      listDemarches(tx, { usagerIds: [jeanne] }),
    )
    expect(none.demarches).toEqual([])
  })

  it('une réclamation n’existe que pour la personne et son auteure, quoi qu’on demande à la base', async () => {
    const id = idOf(await record(cnil))
    const byNature = idOf(await record({ nature: 'reclamation' }))
    expect((await story.get(paul, `/demarches/${id}`)).status).toBe(404)
    const own = await story.get(awa, `/demarches/${id}`)
    expect(own.html).toContain('Réclamation : seules la personne et vous')
    await expectValidHtml(own.html)
    const referent = { ...paul.asReferent }
    for (const who of [paul.as, referent])
      for (const demarcheId of [id, byNature]) {
        const found = await story.rls.tx(who, async ({ sql }) => [
          ...(await sql`select id from demarche where id = ${demarcheId}`),
          ...(await sql`select demarche_id from demarche_contenu where demarche_id = ${demarcheId}`),
          ...(await sql`select jc.payload from journal_contenu jc join demarche d on d.journal_id = jc.journal_id where d.id = ${demarcheId}`),
          ...(await sql`select payload from journal_contenu where sensible and usager_id = ${jeanne}`),
        ])
        expect(found).toEqual([])
      }
    const hers = await story.db.tx({ kind: 'usager', usagerIds: [jeanne], niveau: 'identite' }, (tx) =>
      listDemarches(tx, { usagerIds: [jeanne] }),
    )
    expect(hers.demarches).toHaveLength(2)
    expect(hers.demarches.every(({ reclamation, titre }) => reclamation && titre)).toBe(true)
  })

  it('des pages se suivent sans en sauter ni en répéter, même notées à la même minute', async () => {
    const doneAt = mandat.signedAt
    const ids = new Set<string>()
    for (let n = 0; n < 7; n++) ids.add(idOf(await record({ doneAt: n < 5 ? doneAt : null })))
    const seen: string[] = []
    let apres: Parameters<typeof listDemarches>[2]
    do {
      const page = await reading(awa, (tx) => listDemarches(tx, { mandatId: mandat.id }, apres, 3))
      seen.push(...page.demarches.map(({ id }) => id))
      apres = page.suivant
    } while (apres)
    expect(seen).toHaveLength(7)
    expect(new Set(seen)).toEqual(ids)
  })
})
