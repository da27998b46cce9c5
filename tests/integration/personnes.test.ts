import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openDossier } from '../../src/audit/open.ts'
import { CATALOGUE } from '../../src/demarche/demarche.ts'
import { recordActeHorsMandat } from '../../src/demarche/record.ts'
import { stopMandat } from '../../src/mandat/stop.ts'
import { lireRecherche } from '../../src/usager/forms.ts'
import { findUsager, listPersonnes } from '../../src/usager/queries.ts'
import { expectValidHtml } from '../support/html.ts'
import { openWorld, type World } from '../support/personnes.ts'

const DAY = 24 * 3600 * 1000

let world: World
let thomas: string
/** Whole text of a page as one reads it, spaces made plain. */
const read = async (path: string, cookie: string): Promise<string> => {
  const answer = await world.get(path, cookie)
  expect(answer.status, path).toBe(200)
  const html = await answer.text()
  await expectValidHtml(html)
  return wordsOf(html)
}
const wordsOf = (html: string) =>
  html
    .slice(html.indexOf('<main'), html.indexOf('</main>'))
    .replace(/<[^>]*>/g, ' ')
    .replaceAll('&quot;', '"')
    .replace(/[\s\u00a0]+/g, ' ')
const rowOf = (page: string, nom: string) => new RegExp(`${nom}.*?(?=20\\d\\d au soir|$)`).exec(page)?.[0] ?? ''
const htmlOf = async (path: string, cookie: string) => (await world.get(path, cookie)).text()

beforeAll(async () => {
  world = await openWorld()
  thomas = await world.cookieOf({ aidantId: world.aidants.thomas, structureId: world.structures.figeac })
})
afterAll(() => world.close())

describe('la liste des personnes', () => {
  it('vide, dit par où commencer', async () => {
    expect(await read('/personnes', thomas)).toMatch(/Aucune personne .*commencez ici : Nouveau mandat/)
  })

  it('montre une ligne par personne, même avec deux mandats : nom, naissance, état, fin', async () => {
    const first = await world.sign({ persona: 'josiane', perimetre: ['logement'] })
    await world.sign({ persona: 'josiane', aidant: 'ines', perimetre: ['famille', 'social'], duree: 'semestre' })
    const page = await read('/personnes', thomas)
    expect(page).toMatch(
      /1 personne .*Josiane DELPECH nom de naissance : BOUSQUET .*2 novembre 1961 .*En cours 2 mandats en cours/,
    )
    const html = await htmlOf('/personnes', thomas)
    expect(html.match(new RegExp(`href="/personnes/${first.usagerId}"`, 'g'))).toHaveLength(1)
  })

  it('dit « se termine bientôt » dans le dernier tiers de la première fin, pas avant, avec « Renouveler » sur sa page, et « arrivé à sa fin » après', async () => {
    const { id, usagerId } = await world.sign({ persona: 'fatma', duree: 'mois' })
    // Signed a moment ago and far from its end, it is not offered; the next day, its own page offers it.
    expect(await read(`/mandats/${id}`, thomas)).not.toContain('Renouveler')
    await world.database.travel({ ms: DAY })
    thomas = await world.cookieOf({ aidantId: world.aidants.thomas, structureId: world.structures.figeac })
    expect(await read(`/mandats/${id}`, thomas)).toContain('Renouveler')
    expect(rowOf(await read('/personnes', thomas), 'Fatma')).toContain('En cours')
    expect(await read(`/personnes/${usagerId}`, thomas)).not.toContain('Renouveler')
    await world.database.travel({ ms: 21 * DAY })
    thomas = await world.cookieOf({ aidantId: world.aidants.thomas, structureId: world.structures.figeac })
    expect(rowOf(await read('/personnes', thomas), 'Fatma')).toContain('Se termine bientôt')
    expect(await read(`/personnes/${usagerId}`, thomas)).toMatch(/Se termine bientôt.*Renouveler/)
    await world.database.travel({ ms: 11 * DAY })
    thomas = await world.cookieOf({ aidantId: world.aidants.thomas, structureId: world.structures.figeac })
    expect(rowOf(await read('/personnes', thomas), 'Fatma')).toContain('Arrivé à sa fin')
    expect(await read(`/personnes/${usagerId}`, thomas)).toMatch(/Aucun mandat en cours.*Mandats finis.*Arrivé à sa fin/)
    // Her other mandat, of six months, has taken over.
    expect(rowOf(await read('/personnes', thomas), 'Josiane')).toMatch(/En cours(?! 2 mandats)/)
  })

  it('trouve sans accents ni casse, par le nom de naissance, par la date, et dit comment chercher sinon', async () => {
    for (const q of ['josiane', 'BOUSQ', 'délp', 'jo bous', '02/11/1961', '2.11.1961', '11/1961', '1961'])
      expect(await read(`/personnes?q=${encodeURIComponent(q)}`, thomas), q).toMatch(/1 personne trouvée .*Josiane DELPECH/)
    const nobody = await read('/personnes?q=zzz', thomas)
    expect(nobody).toMatch(/Aucune personne trouvée .*« zzz ».*Nouveau mandat/)
    expect(await read('/personnes?q=12%2F03', thomas)).toContain('Date à compléter')
  })

  it('est une page entière que htmx découpe : la même adresse, la même page, avec ou sans lui', async () => {
    const whole = await htmlOf('/personnes?q=jos', thomas)
    expect(whole).toMatch(/<form method="get" action="\/personnes"[^>]*hx-select="#resultats"/)
    expect(whole).toContain('<div id="resultats">')
    const asked = await world.app.request('/personnes?q=jos', { headers: { cookie: thomas, 'hx-request': 'true' } })
    expect(await asked.text()).toBe(whole)
  })

  it('garde ce qui est tapé sans l’interpréter, et ignore une suite de liste qui n’est pas la nôtre', async () => {
    const html = await htmlOf(`/personnes?q=${encodeURIComponent('"><b>é')}`, thomas)
    expect(html).not.toContain('<b>')
    await expectValidHtml(html)
    for (const apres of ['x', '1', randomUUID(), "' or 1=1 --", ''])
      expect(await read(`/personnes?apres=${encodeURIComponent(apres)}`, thomas), apres).toContain('Josiane DELPECH')
    expect((await world.get('/personnes?q=%00a%00', thomas)).status).toBe(200)
    expect((await world.get(`/personnes?q=${'é'.repeat(300)}`, thomas)).status).toBe(200)
  })

  it('s’arrête pour qui cherche comme une machine', async () => {
    await world.database.freeze(new Date('2030-01-01T10:00:00Z'))
    const ines = await world.cookieOf({ aidantId: world.aidants.ines, structureId: world.structures.figeac })
    const statuses: number[] = []
    for (let i = 0; i < 241; i++) statuses.push((await world.get('/personnes?q=jo', ines)).status)
    await world.database.freeze(null)
    expect(statuses.slice(0, 240).every((status) => status === 200)).toBe(true)
    expect(statuses[240]).toBe(429)
  })
})

describe('une autre structure', () => {
  let fabrice: string
  let samira: { figeac: string; saintDenis: string }
  let ibrahim: { id: string; usagerId: string }
  beforeAll(async () => {
    ibrahim = await world.sign({ persona: 'ibrahim', aidant: 'fabrice', structure: 'saintDenis' })
    fabrice = await world.cookieOf({ aidantId: world.aidants.fabrice, structureId: world.structures.saintDenis })
    const { figeac, saintDenis } = world.structures
    samira = {
      figeac: await world.cookieOf({ aidantId: world.aidants.samira, structureId: figeac }),
      saintDenis: await world.cookieOf({ aidantId: world.aidants.samira, structureId: saintDenis }),
    }
    thomas = await world.cookieOf({ aidantId: world.aidants.thomas, structureId: figeac })
  })

  it('ne voit ni la personne dans la liste, ni son dossier : introuvable, comme une inconnue', async () => {
    expect(await read('/personnes?q=ibrahim', thomas)).toContain('Aucune personne trouvée')
    const before = await countAcces()
    const answers = await Promise.all(
      [ibrahim.usagerId, randomUUID(), 'nimporte'].map(async (id) => {
        const answer = await world.get(`/personnes/${id}`, thomas)
        return [answer.status, wordsOf(await answer.text())]
      }),
    )
    expect(answers[0]![0]).toBe(404)
    expect(answers[1]).toEqual(answers[0])
    expect(answers[2]).toEqual(answers[0])
    expect(await countAcces()).toBe(before)
    expect(await read(`/personnes/${ibrahim.usagerId}`, fabrice)).toContain('Noter une démarche')
    const dossier = await (await world.get(`/personnes/${ibrahim.usagerId}`, fabrice)).text()
    // Of the menu and of the page: one name, one place.
    expect(
      new Set(dossier.match(/<a [^>]*>(?:<span>)?Nouveau mandat</g)!.map((link) => /href="([^"]+)"/.exec(link)![1])),
    ).toEqual(new Set(['/mandats/expliquer']))
  })

  it('qui agit pour deux structures ne voit que les personnes de celle choisie', async () => {
    expect(await read('/personnes', samira.figeac)).not.toContain('Ibrahim')
    expect(await read('/personnes', samira.saintDenis)).toContain('Ibrahim')
    expect(await read('/personnes', samira.saintDenis)).not.toContain('Josiane')
    expect((await world.get(`/personnes/${ibrahim.usagerId}`, samira.figeac)).status).toBe(404)
  })

  it('connaissant la même personne, n’en voit que ses propres mandats et démarches', async () => {
    const here = await world.sign({ persona: 'ibrahim', perimetre: ['papiers'] })
    expect(here.usagerId).toBe(ibrahim.usagerId)
    await world.note(ibrahim.id, { titre: 'Faite à La Réunion' }, 'fabrice')
    await world.note(here.id, { titre: 'Faite à Figeac', thematique: 'papiers' })
    const figeac = await read(`/personnes/${here.usagerId}`, thomas)
    expect(figeac).toContain('Faite à Figeac')
    expect(figeac).not.toContain('Faite à La Réunion')
    expect(await htmlOf(`/personnes/${here.usagerId}`, thomas)).not.toContain(ibrahim.id)
  })
})

describe('le dossier', () => {
  let marcel: { id: string; usagerId: string }
  let address: string
  beforeAll(async () => {
    marcel = await world.sign({ persona: 'marcel', perimetre: ['logement', 'social'], suivi: 'sms' })
    address = `/personnes/${marcel.usagerId}`
  })
  beforeEach(async () => {
    thomas = await world.cookieOf({ aidantId: world.aidants.thomas, structureId: world.structures.figeac })
  })
  const ines = () => world.cookieOf({ aidantId: world.aidants.ines, structureId: world.structures.figeac })

  it('s’ouvre à tous les aidants de la structure, avec de quoi noter et comment prévenir', async () => {
    for (const cookie of [thomas, await ines()]) {
      const page = await read(address, cookie)
      expect(await htmlOf(address, cookie)).toContain('<title>Dossier - ')
      expect(page).toMatch(/Marcel Louis GARRIGUES .*17 janvier 1939 .*Par SMS, au 06 12 34 56 78/)
      expect(page).toMatch(/Mandats en cours .*Santé, aides sociales et logement .*Noter une démarche .*Rien n’a encore été noté/)
      expect(await htmlOf(address, cookie)).toContain(`href="/mandats/${marcel.id}/demarches/nouvelle"`)
    }
  })

  it('laisse une trace de chaque ouverture, et d’elle seule', async () => {
    const before = await countAcces()
    await world.get('/personnes?q=marcel', thomas)
    expect(await countAcces()).toBe(before)
    await world.get(address, thomas)
    await world.get(address, thomas)
    expect(await countAcces()).toBe(before + 2)
    const [last] = await world.database.adminSql`
      select genre, aidant_id, structure_id, usager_id from acces order by id desc limit 1`
    expect(last).toEqual({
      genre: 'dossier_consulte',
      aidant_id: world.aidants.thomas,
      structure_id: world.structures.figeac,
      usager_id: marcel.usagerId,
    })
  })

  it('montre ce qui a été fait, le plus récent d’abord, par pages, les titres sensibles masqués', async () => {
    const sensible = CATALOGUE.find((item) => item.sensible && item.thematique === 'social')!
    await world.note(marcel.id, {
      code: sensible.code,
      titre: sensible.libelle,
      thematique: 'social',
      resultat: 'en_attente',
      etapeQuoi: 'Un secret',
    })
    for (let i = 1; i <= 21; i++) await world.note(marcel.id, { titre: `Démarche numéro ${i}` })
    const page = await read(address, thomas)
    expect(page).toMatch(/Démarche numéro 21 .*Démarche numéro 20 .*Démarche numéro 2 /)
    const [, next] = /href="([^"]*apres=[^"]*)"/.exec(await htmlOf(address, thomas))!
    const second = await read(next!.replaceAll('&amp;', '&'), thomas)
    expect(second).toMatch(/Démarche numéro 1 .*Démarche confidentielle/)
    for (const shown of [page, second]) {
      expect(shown).not.toContain(sensible.libelle)
      expect(shown).not.toContain('Un secret')
    }
    expect(await read(`${address}?apres=nimporte`, thomas)).toContain('Démarche numéro 21')
  })

  it('dit ce qui vient d’être noté, selon ce que c’était, sans le titre s’il est sensible ni rien d’une autre personne', async () => {
    const said = async (id: string) => (await read(`${address}?notee=${id}`, thomas)).slice(0, 400)
    const noted = await world.note(marcel.id, { titre: 'Chèque énergie' })
    expect(await said(idOf(noted))).toMatch(/Démarche notée Chèque énergie/)
    const sensible = CATALOGUE.find((item) => item.sensible && item.thematique === 'social')!
    const hidden = await world.note(marcel.id, { code: sensible.code, titre: sensible.libelle, thematique: 'social' })
    expect(await said(idOf(hidden))).toMatch(/Démarche notée La personne/)
    const outside = await recordActeHorsMandat(
      world.db,
      world.as('thomas'),
      {
        mandatId: marcel.id,
        envoi: randomUUID(),
        thematique: 'transports',
        titre: 'Carte grise',
        nature: 'demande',
        mode: 'a_sa_place',
        presence: 'absente',
        canal: 'guichet',
        resultat: 'deposee',
      },
      'Le délai finissait ce jour-là.',
    )
    expect(await said(idOf(outside))).toMatch(/Acte hors mandat noté Carte grise/)
    const other = await world.sign({ persona: 'toussaint' })
    const hers = await world.note(other.id, { titre: 'À quelqu’un d’autre' })
    for (const id of [idOf(hers), randomUUID(), 'x']) expect(await said(id)).not.toMatch(/notée? |d’autre/)
  })

  it('après l’arrêt, dit qu’on ne peut plus agir et cache le détail, sauf de ce qu’on a noté soi-même', async () => {
    await world.note(marcel.id, { titre: 'Notée par Inès' }, 'ines')
    await stopMandat(world.db, { kind: 'usager', usagerIds: [marcel.usagerId], niveau: 'identite' }, { mandatId: marcel.id })
    const page = await read(address, thomas)
    expect(page).toMatch(/Aucun mandat en cours Vous ne pouvez plus agir pour Marcel GARRIGUES/)
    expect(page).not.toMatch(/Par SMS|06 12/)
    expect(page).not.toContain('Notée par Inès')
    expect(page).toMatch(/Démarche Déposée, par Inès Delmas .*Carte grise/)
    expect(page).toMatch(/Arrêté À la demande de la personne.*Noter une démarche/)
    expect(await read(address, await ines())).toContain('Notée par Inès')
  })
})

describe('la direction', () => {
  it('n’ouvre comme un aidant que le dossier de qui elle accompagne ; celui des autres, avec une raison', async () => {
    const nadia = await world.cookieOf({ aidantId: world.aidants.nadia, structureId: world.structures.figeac })
    const theirs = await world.sign({ persona: 'abdelkader', perimetre: ['papiers', 'logement'] })
    const noted = idOf(await world.note(theirs.id))
    const reading = [`/mandats/${theirs.id}`, `/demarches/${noted}`, `/mandats/${theirs.id}/demarches/nouvelle`]
    const addresses = [`/personnes/${theirs.usagerId}`, ...reading]
    const before = await countAcces()
    for (const path of addresses) {
      const answer = await world.get(path, nadia)
      expect([path, answer.status, answer.headers.get('location'), await answer.text()]).toEqual([
        path,
        303,
        `/structure/personnes/${theirs.usagerId}`,
        '',
      ])
    }
    const reason = await world.get(`/structure/personnes/${theirs.usagerId}`, nadia)
    expect(reason.headers.get('location')).toBe(`/structure/personnes/${theirs.usagerId}/ouvrir`)
    expect(await countAcces()).toBe(before)
    // Whatever is asked of the database.
    const words = () =>
      world.db.tx(world.as('nadia'), async ({ sql }) => [
        (await sql`select titre from demarche_contenu where usager_id = ${theirs.usagerId}`).length,
        (await sql`select texte from mandat_contenu where usager_id = ${theirs.usagerId}`).length,
      ])
    expect(await words()).toEqual([0, 0])

    // With a reason she reads each page in full, and may note; her own list of persons still leads to the dossier she opened.
    const opening = { usagerId: theirs.usagerId, motif: 'controle', precision: null, envoi: randomUUID() } as const
    expect(await openDossier(world.db, { ...world.as('nadia'), kind: 'referent' }, opening)).toEqual({ ok: true })
    for (const path of reading) expect((await world.get(path, nadia)).status, path).toBe(200)
    expect(wordsOf(await (await world.get(`/mandats/${theirs.id}`, nadia)).text())).toContain('Le texte accepté, mot pour mot')
    expect((await world.get(`/personnes/${theirs.usagerId}`, nadia)).status).toBe(303)
    idOf(await world.note(theirs.id, { titre: 'Notée par Nadia' }, 'nadia'))
    // Of what she reads without a reason, her note changes nothing but itself.
    expect(await words()).toEqual([1, 0])
    const [opened] = await world.database.adminSql<{ at: Date }[]>`
      select opened_at as at from ouverture where usager_id = ${theirs.usagerId}`
    await world.database.freeze(new Date(opened!.at.getTime() + 15 * 60_000))
    try {
      for (const path of addresses)
        expect((await world.get(path, nadia)).headers.get('location'), path).toBe(`/structure/personnes/${theirs.usagerId}`)
      expect(await words()).toEqual([1, 0])
    } finally {
      await world.database.freeze(null)
    }
    const hers = await world.sign({ persona: 'conceicao', aidant: 'nadia' })
    for (const path of [`/personnes/${hers.usagerId}`, `/mandats/${hers.id}`])
      expect((await world.get(path, nadia)).status, path).toBe(200)
  })
})

describe('quand plus rien n’est en cours', () => {
  it('ni le texte accepté ni de quoi la joindre ne se lisent plus, sauf le texte par qui l’a fait signer', async () => {
    const mandat = await world.sign({ persona: 'laetitia', suivi: 'sms' })
    const reading = (aidant: 'thomas' | 'ines') =>
      world.db.tx(world.as(aidant), async (tx) => ({
        texte: (await tx.sql`select texte from mandat_contenu where mandat_id = ${mandat.id}`).length,
        telephone: (await findUsager(tx, mandat.usagerId))!.telephone,
      }))
    expect(await reading('ines')).toEqual({ texte: 1, telephone: '+33612345678' })
    await stopMandat(world.db, { kind: 'usager', usagerIds: [mandat.usagerId], niveau: 'identite' }, { mandatId: mandat.id })
    expect(await reading('ines')).toEqual({ texte: 0, telephone: null })
    expect(await reading('thomas')).toEqual({ texte: 1, telephone: null })
    const ines = await world.cookieOf({ aidantId: world.aidants.ines, structureId: world.structures.figeac })
    thomas = await world.cookieOf({ aidantId: world.aidants.thomas, structureId: world.structures.figeac })
    const page = await read(`/mandats/${mandat.id}`, ines)
    expect(page).toContain('lisent encore le texte accepté')
    // Whom to ask: who signed it, while he is there.
    expect(page).toContain('Demandez-les à Thomas Lacombe')
    expect(page).toContain('Accepté par Thomas Lacombe')
    await world.database.adminSql`update habilitation set ended_at = horloge() where aidant_id = ${world.aidants.thomas}`
    expect(await read(`/mandats/${mandat.id}`, ines)).toContain('Demandez-les à votre référent')
    await world.database.adminSql`update habilitation set ended_at = null where aidant_id = ${world.aidants.thomas}`
    expect(await read(`/mandats/${mandat.id}`, thomas)).toContain('Le texte accepté, mot pour mot')
  })
})

describe('les portes', () => {
  it('ne s’ouvrent ni sans session, ni à une personne aidée', async () => {
    const { usagerId } = await world.sign({ persona: 'laetitia' })
    const hers = await world.cookieOf({ usagerId })
    for (const path of ['/personnes', `/personnes/${usagerId}`]) {
      const nobody = await world.get(path)
      expect([nobody.status, nobody.headers.get('location')]).toEqual([303, `/connexion?suite=${encodeURIComponent(path)}`])
      expect((await world.get(path, hers)).status).toBe(404)
    }
  })
})

describe('vingt mille personnes', () => {
  const STRUCTURE = '33333333-0000-4000-8000-000000000001'
  beforeAll(async () => {
    const { adminSql } = world.database
    await adminSql.begin(async (sql) => {
      await sql`insert into structure (id, nom, siret, adresse, telephone) values (${STRUCTURE}, 'Ville', '10000000000001', '1 rue du Four', '0565500540')`
      await sql`insert into habilitation (aidant_id, structure_id) values (${world.aidants.thomas}, ${STRUCTURE})`
      await sql`set local session_replication_role = replica`
      await sql`
        insert into usager (id, sub, prenoms, nom_naissance, birthdate)
        select gen_random_uuid(), 'foule-' || i, array[case i % 3 when 0 then 'Marie' when 1 then 'Marc' else 'Zoé' end],
          case i % 4 when 0 then 'Martin' when 1 then 'Marchand' else 'Nom' || i end, to_char(date '1930-01-01' + i, 'YYYY-MM-DD')
        from generate_series(1, 20000) i`
      await sql`
        insert into dossier (structure_id, usager_id, tri, naissance)
        select ${STRUCTURE}, id, array_to_string(mots_ordonnes(nom_naissance || ' ' || prenoms[1]), ' '), birthdate
        from usager where sub like 'foule-%'`
      await sql`
        insert into dossier_mot (structure_id, usager_id, mot, tri)
        select d.structure_id, d.usager_id, mot, d.tri
        from dossier d join usager u on u.id = d.usager_id, unnest(mots(u.nom_naissance || ' ' || u.prenoms[1])) as mot
        where d.structure_id = ${STRUCTURE}`
    })
    await adminSql`analyze usager, dossier, dossier_mot`
  })

  /** Rows the database read to answer, with whole tables apart; the tenth time, when it no longer plans for these very words. */
  const cost = (q: string, pages: number) =>
    world.db.tx({ kind: 'aidant', aidantId: world.aidants.thomas, structureId: STRUCTURE }, async (tx) => {
      const recherche = lireRecherche(q)
      let apres: string | undefined
      for (let page = 1; page < pages; page++) apres = (await listPersonnes(tx, recherche, apres)).suivant
      for (let i = 0; i < 9; i++) await listPersonnes(tx, recherche, apres)
      const before = await counters(tx)
      await listPersonnes(tx, recherche, apres)
      const after = await counters(tx)
      return { rows: after.rows - before.rows, scans: after.scans - before.scans }
    })
  const counters = async (tx: Parameters<Parameters<typeof world.db.tx>[1]>[0]) => {
    const [row] = await tx.sql<{ rows: number; scans: number }[]>`
      select sum(coalesce(idx_tup_fetch, 0) + seq_tup_read)::int as rows, sum(seq_tup_read)::int as scans
      from pg_stat_xact_user_tables
      where relname in ('usager', 'dossier', 'dossier_mot')`
    return row!
  }

  it.each([
    ['', 1],
    ['', 40],
    ['mar', 1],
    ['mar', 40],
    ['martin', 1],
    ['1950', 5],
    ['03/1950', 1],
    ['12/03/1950', 1],
  ])('« %s », page %i : ne lit que de quoi remplir la page', async (q, pages) => {
    const { rows, scans } = await cost(q, pages)
    expect(scans).toBe(0)
    expect(rows).toBeLessThan(400)
  })

  it('« mar xyz » : le mot rare décide, le mot courant n’est pas parcouru', async () => {
    const { rows, scans } = await cost('mar xyz', 1)
    expect(scans).toBe(0)
    expect(rows).toBeLessThan(1_500)
  })
})

const idOf = (noted: { ok: boolean; id?: string }): string => {
  expect(noted).toMatchObject({ ok: true })
  return noted.id!
}
const countAcces = async () => {
  const [row] = await world.database.adminSql<{ count: number }[]>`select count(*)::int as count from acces`
  return row!.count
}
