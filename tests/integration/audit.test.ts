import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ACTIONS_CHERCHEES } from '../../src/audit/audit.ts'
import { exportJournal } from '../../src/audit/export.ts'
import { openDossier } from '../../src/audit/open.ts'
import { countMandats, findOuverture, listAidants, listLignes, listOuvertures } from '../../src/audit/queries.ts'
import type { Db, Tx } from '../../src/db.ts'
import type { NewDemarche } from '../../src/demarche/demarche.ts'
import { listDemarches } from '../../src/demarche/queries.ts'
import { recordActeHorsMandat, recordDemarche } from '../../src/demarche/record.ts'
import { RATES } from '../../src/http/rates.ts'
import { append } from '../../src/journal/append.ts'
import { writeExpired } from '../../src/mandat/expire.ts'
import { listMandats } from '../../src/mandat/queries.ts'
import { setThematiques } from '../../src/mandat/set-thematiques.ts'
import { terminateMandat } from '../../src/mandat/terminate.ts'
import { expectValidHtml } from '../support/html.ts'
import { type Aidant, envoiOf, type Mandat, openStory, type Story, type Structure } from '../support/story.ts'

let story: Story
let structure: Structure
let awa: Aidant
let paul: Aidant
let nadia: Aidant
let simone: Aidant
let voisine: Aidant
let jeanne: string
let mandat: Mandat
beforeAll(async () => {
  story = await openStory()
})
afterAll(() => story.close())
beforeEach(async () => {
  await story.database.freeze(null)
  structure = await story.structure()
  awa = await story.aidant(structure)
  paul = await story.aidant(structure, { prenom: 'Paul', nom: 'Rey' })
  nadia = await story.aidant(structure, { prenom: 'Nadia', nom: 'Belkacem', referent: true })
  simone = await story.aidant(structure, { prenom: 'Simone', nom: 'Aubry', referent: true })
  voisine = await story.aidant(await story.structure({ nom: 'Maison France services de Cahors' }), {
    prenom: 'Ève',
    nom: 'Lamy',
    referent: true,
  })
  jeanne = await story.usager([structure])
  mandat = await story.mandat(awa, jeanne, ['logement', 'papiers', 'social'])
})

const told = (more: Partial<NewDemarche>): NewDemarche => ({
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
const record = async (more: Partial<NewDemarche> = {}, by = awa) => {
  const done = await recordDemarche(story.db, by.as, told(more))
  if (!done.ok) throw new Error(done.refusal)
  return done.id
}
const HANDICAP = {
  code: 'mdph',
  thematique: 'social',
  titre: 'Demander une aide handicap (MDPH)',
  note: 'Certificat reçu',
} as const
const CNIL = { code: 'cnil-plainte', thematique: 'papiers', titre: 'Faire une plainte à la CNIL' } as const
const seconds = (at: Date, n: number) => new Date(at.getTime() + n * 1000)
const reading = <T>(by: Aidant, work: (tx: Tx) => Promise<T>) => story.db.tx(by.asReferent, work)
const personne = () => `/structure/personnes/${jeanne}`
const items = (html: string) =>
  [...html.matchAll(/<li( class="apart")?><p class="when">[\s\S]*?<\/li>/g)].map(([text, apart]) => ({
    text: text
      .replace(/<p><a href="[^"]*\.tlog-proof">[^<]*<\/a><\/p>/g, '')
      .replace(/<[^>]+>/g, ' ')
      .replace(/\s+/g, ' ')
      .trim(),
    apart: Boolean(apart),
  }))
const journal = async (query = '', by = nadia) => {
  const answer = await story.get(by, `/structure/journal${query}`)
  expect(answer.status).toBe(200)
  await expectValidHtml(answer.html)
  return { html: answer.html, items: items(answer.html), count: /role="status">([^<]+)</.exec(answer.html)![1] }
}
const open = (by: Aidant, more: Record<string, string | undefined> = {}) =>
  story.post(by, `${personne()}/ouvrir`, { envoi: randomUUID(), motif: 'controle', ...more })

describe('le journal de la structure', () => {
  it('dit qui, quoi, pour qui et quand, la plus récente ligne d’abord', async () => {
    await story.database.freeze(new Date('2026-11-10T13:05:30.250Z'))
    mandat = await story.mandat(awa, await story.usager([structure], { prenom: 'Omar', nom: 'Haddad' }), ['logement', 'papiers'])
    await record()
    await story.revoke(mandat, ['papiers'])
    await story.revoke(mandat, ['logement'])
    const { items: lines, count } = await journal('?du=2026-11-10&au=2026-11-10')
    expect(lines.map(({ text }) => text)).toEqual([
      '10 novembre 2026 à 14 h 05 Mandat arrêté à la demande de la personne La personne elle-même, Omar Haddad',
      '10 novembre 2026 à 14 h 05 Thématique arrêtée à la demande de la personne : Logement La personne elle-même, Omar Haddad',
      '10 novembre 2026 à 14 h 05 Thématique arrêtée à la demande de la personne : Papiers - Citoyenneté - Élections La personne elle-même, Omar Haddad',
      '10 novembre 2026 à 14 h 05 Démarche : Demander une aide au logement Awa Diop, pour Omar Haddad Logement, déposée',
      '10 novembre 2026 à 14 h 05 Mandat signé : papiers et logement, 1 mois (31 jours) Awa Diop, pour Omar Haddad',
    ])
    expect(count).toBe('5 lignes')
    expect(lines.some(({ apart }) => apart)).toBe(false)
  })

  it('compte les mandats par état : arrêtés et arrivés à leur fin ne font jamais un même nombre, ni ceux d’une autre structure', async () => {
    await story.database.freeze(new Date('2031-03-01T09:00:00Z'))
    const ici = await story.structure({ nom: 'CCAS de Gramat' })
    const aidant = await story.aidant(ici)
    const referente = await story.aidant(ici, { prenom: 'Rose', nom: 'Bru', referent: true })
    const ailleurs = await story.structure({ nom: 'CCAS de Lacapelle' })
    const autre = await story.aidant(ailleurs)
    const ada = await story.usager([ici, ailleurs])
    const compte = async (max?: number, db = story.db) => {
      const comptes = await db.tx(referente.asReferent, (tx) => countMandats(tx, max))
      return comptes === 'trop' ? comptes : comptes.map(({ etat, how, nombre }) => `${etat} ${how ?? '-'} ${nombre}`).sort()
    }
    expect(await compte()).toEqual([])
    expect((await journal('', referente)).html).toContain('Les mandats de la structure')

    const day = { duree: 'jour' } as const
    await story.mandat(aidant, ada, ['papiers'], day)
    const enPartie = await story.mandat(aidant, ada, ['logement', 'famille'], day)
    await story.revoke(enPartie, ['famille'])
    await story.revoke(await story.mandat(aidant, ada, ['justice'], day), ['justice'])
    await story.mandat(autre, ada, ['papiers', 'logement'], day)
    await story.mandat(autre, ada, ['loisirs'], { duree: 'an' })
    expect(await compte()).toEqual(['actif - 2', 'termine revoque 1'])

    // Past every one of those dates: stopped stays stopped, the rest came to its end.
    await story.database.freeze(new Date('2031-03-05T09:00:00Z'))
    await story.mandat(aidant, ada, ['argent'])
    await story.suspend(await story.mandat(aidant, ada, ['transports']), 'transports')
    const renonce = await story.mandat(aidant, ada, ['etranger'])
    expect(await terminateMandat(story.db, aidant.as, { mandatId: renonce.id, how: 'renonce' })).toMatchObject({ ok: true })
    await writeExpired(story.db, () => {})
    const tous = ['actif - 1', 'expire - 2', 'suspendu - 1', 'termine renonce 1', 'termine revoque 1']
    expect(await compte()).toEqual(tous)
    expect([await compte(6), await compte(5)]).toEqual([tous, 'trop'])
    expect(await compte(undefined, story.rls)).toEqual(tous)

    const { html } = await journal('', referente)
    const said = /<dl class="facts">([\s\S]*?)<\/dl>/
      .exec(html)![1]!
      .replace(/<dt>|<\/div>/g, '|')
      .replace(/<[^>]+>/g, ' ')
      .replaceAll('\u00a0', ' ')
    expect(
      said
        .split('|')
        .map((one) => one.replace(/\s+/g, ' ').trim())
        .filter(Boolean),
    ).toEqual([
      'En cours 1',
      'En pause 1',
      'Arrivé à sa fin 2 mandats',
      'Arrêté 2 mandats : 1 à la demande de la personne, 1 par la structure',
    ])
    // Each number leads to its own list, of as many lines.
    for (const [, query] of html.matchAll(/<dd>[^<]*<a href="\/structure\/journal(\?action=\w+)">/g)) {
      const listed = await journal(query, referente)
      expect([query, listed.count]).toEqual([query, '2 lignes'])
      expect(listed.html).not.toContain('Les mandats de la structure')
    }
    expect(html.match(/<dd>[^<]*<a /g)).toHaveLength(2)
  })

  it('met à part, calmement, ce qui a été fait hors mandat ou noté après coup', async () => {
    await story.database.freeze(seconds(mandat.signedAt, 25 * 3600))
    await record({ doneAt: mandat.signedAt })
    await recordActeHorsMandat(
      story.db,
      awa.as,
      told({ thematique: 'loisirs', code: null, titre: 'Club de lecture' }),
      'Demandé au guichet',
    )
    const { items: lines } = await journal()
    expect(lines[0]!.text).toMatch(/Acte hors mandat : Club de lecture Awa Diop.*Loisirs.*Faite le.*Raison : Demandé au guichet/)
    expect(lines[1]!.text).toMatch(/Démarche : Demander une aide.*Notée après coup : faite le/)
    expect(lines.map(({ apart }) => apart)).toEqual([true, true, false])
    expect((await journal('?action=apres_coup')).items).toHaveLength(1)
  })

  it('ne dit ni le titre ni la thématique de ce qui est confidentiel, même par un filtre, même à son auteure', async () => {
    await record(HANDICAP)
    await record(CNIL)
    await open(nadia)
    await record(HANDICAP, nadia)
    await record({ code: null, thematique: 'social', titre: 'Lettre au médecin' })
    for (const query of ['', '?action=demarche_realisee']) {
      const { html, items: lines } = await journal(query)
      expect(lines.filter(({ text }) => text.includes('Démarche confidentielle'))).toHaveLength(4)
      expect(lines.map(({ text }) => text).join()).not.toMatch(/handicap|CNIL|Certificat|médecin|Social -|Papiers -/)
      expect(html).not.toMatch(/MDPH|mdph|médecin/)
    }
    // Only the signature, whose périmètre names it.
    for (const thematique of ['social', 'papiers'])
      expect((await journal(`?thematique=${thematique}`)).items.map(({ text }) => /Mandat signé/.test(text))).toEqual([true])
    // A complaint is told from no other confidential démarche.
    const shown = await reading(nadia, (tx) => listLignes(tx, VIDE, structure.fuseau, undefined))
    expect(
      shown.lignes
        .filter(({ action }) => action === 'demarche_realisee')
        .map(({ titre, thematique, resultat, doneAt }) => [titre, thematique, resultat, doneAt]),
    ).toEqual(Array.from({ length: 4 }, () => [null, null, null, null]))
    // … an open dossier changes nothing here.
    await open(nadia)
    expect((await journal()).html).not.toMatch(/handicap|CNIL|médecin/)
  })

  it('ne distingue pas une réclamation d’une autre démarche confidentielle, même notée après coup, même à son auteure', async () => {
    await story.database.freeze(seconds(mandat.signedAt, 25 * 3600))
    await open(nadia)
    await record({ ...CNIL, doneAt: mandat.signedAt }, nadia)
    const [line] = (await journal()).items
    expect(line!.text).toMatch(/Démarche confidentielle Nadia Belkacem, pour Jeanne Valadié$/)
    expect(line!.apart).toBe(false)
    expect((await journal('?action=apres_coup')).items).toEqual([])
  })

  it('se filtre par période, à la seconde de minuit dans le fuseau de la structure', async () => {
    const reunion = await story.structure({ nom: 'CCAS de Saint-Denis', fuseau: 'Indian/Reunion' })
    const marie = await story.aidant(reunion, { referent: true })
    const there = await story.usager([reunion])
    // Midnight of 10 November at La Réunion is 20:00 UTC the day before.
    for (const at of [
      '2026-11-09T19:59:59.999Z',
      '2026-11-09T20:00:00.000Z',
      '2026-11-10T19:59:59.999Z',
      '2026-11-10T20:00:00.000Z',
    ]) {
      await story.database.freeze(new Date(at))
      await story.db.tx(marie.asReferent, (tx) =>
        append(tx, { action: 'contact_modifie', structureId: reunion.id, usagerId: there, contenu: { champs: ['email'] } }),
      )
    }
    const days = async (query: string) => (await journal(query, marie)).count
    expect(await days('?du=2026-11-10&au=2026-11-10')).toBe('2 lignes')
    expect(await days('?du=10/11/2026')).toBe('3 lignes')
    expect(await days('?au=2026-11-10')).toBe('3 lignes')
    expect(await days('?au=2026-11-08')).toBe('Aucune ligne')
  })

  it('se filtre par aidant, thématique et action, ensemble ou non', async () => {
    await record()
    await record({ code: null, thematique: 'papiers', titre: 'Passeport' }, paul)
    const texts = async (query: string) => (await journal(query)).items.map(({ text }) => text.replace(/^.*? h \d\d /, ''))
    expect(await texts(`?aidant=${paul.id}`)).toEqual([
      expect.stringMatching(/^Démarche : Passeport Paul Rey, pour .* Papiers - Citoyenneté - Élections, déposée$/),
    ])
    expect(await texts('?thematique=logement')).toHaveLength(2)
    expect(await texts('?thematique=logement&action=demarche_realisee')).toHaveLength(1)
    expect(await texts(`?thematique=logement&action=demarche_realisee&aidant=${paul.id}`)).toEqual([])
    expect(await texts('?action=mandat_signe')).toHaveLength(1)
    const { html } = await journal(`?aidant=${paul.id}&thematique=logement&action=mandat_signe&du=2026-01-02`)
    expect(html).toMatch(/<option value="[^"]+" selected>Paul Rey/)
    expect(html).toMatch(/<option value="logement" selected/)
    expect(html).toContain('value="2026-01-02"')
  })

  it('un filtre insensé se dit, et n’est jamais une panne', async () => {
    for (const query of [
      '?du=hier',
      '?au=2026-13-01',
      '?aidant=%00',
      '?thematique=rien',
      '?action=drop',
      '?du=2026-03-02&au=2026-03-01',
      '?aidant=%FF',
    ]) {
      const answer = await story.get(nadia, `/structure/journal${query}`)
      expect([query, answer.status]).toEqual([query, 422])
      expect(answer.html).toContain('id="erreurs"')
      // Also where htmx looks.
      const [, found] = answer.html.split('id="resultats"')
      expect(found).toContain('Filtre à revoir')
      // … and as an error, not as a search that found nothing.
      expect(found).toMatch(/class="alert refused" role="alert"/)
      expect(found).not.toContain('class="empty"')
      await expectValidHtml(answer.html)
    }
    const { html } = await story.get(nadia, '/structure/journal?du=2026-03-02&au=2026-03-01')
    expect(html).toMatch(/id="champ-au-erreur"/)
    expect(html.split('id="resultats"')[1]).toContain('href="#champ-au"')
    for (const query of ['?avant=x', '?avant=-1', '?avant=99999999999999999999', '?rien=1', '?du=&au=', '?avant=0'])
      expect((await story.get(nadia, `/structure/journal${query}`)).status).toBe(200)
  })

  it('les filtres posés s’effacent d’un lien, que le filtre soit bon ou non', async () => {
    const link = '<a href="/structure/journal">Effacer les filtres</a>'
    for (const query of ['?action=dossier_ouvert', '?du=2026-03-02&au=2026-03-01'])
      expect((await story.get(nadia, `/structure/journal${query}`)).html.split('id="resultats"')[1]).toContain(link)
    for (const query of ['', '?du=&avant=1']) expect((await journal(query)).html).not.toContain('Effacer les filtres')
  })

  it('ne propose de chercher que ce que le service écrit', async () => {
    const files = (readdirSync('src', { recursive: true, encoding: 'utf8' }) as string[]).filter(
      (name) => name.endsWith('.ts') && !/^(rows\.ts|demo|journal.entry\.ts|audit.audit\.ts)/.test(name),
    )
    const written = files.flatMap((name) =>
      [...readFileSync(`src/${name}`, 'utf8').matchAll(/\baction: ([^,\n]+)/g)].flatMap(([, said]) =>
        [...said!.matchAll(/'(\w+)'/g)].map(([, action]) => action!),
      ),
    )
    expect(written).toContain('mandat_signe')
    expect(ACTIONS_CHERCHEES.filter((action) => !written.includes(action))).toEqual([])
    const offered = [...(await journal()).html.matchAll(/<option value="(\w+)"/g)].map(([, value]) => value)
    expect(offered).toEqual(expect.arrayContaining([...ACTIONS_CHERCHEES, 'apres_coup']))
    expect(offered).not.toContain('session_deleguee')
    expect(offered).toContain('structure_modifiee')
  })

  it('ce que la structure offre, changé, se dit et se cherche', async () => {
    expect(await setThematiques(story.db, nadia.asReferent, ['logement'])).toEqual({ ok: true })
    const { count, html } = await journal('?action=structure_modifiee')
    expect(count).toBe('1 ligne')
    expect(html).toContain('Thématiques de la structure changées')
  })

  const exported = async (who: Aidant, fields: Record<string, string>) =>
    story.post(who, '/structure/journal/export', { ...fields, code: await story.freshCode(who) })

  it('s’exporte tel que filtré, masqué comme à l’écran, et le journal le garde', async () => {
    const omar = await story.usager([structure], { prenom: '=HYPERLINK("x")', nom: 'Haddad' })
    mandat = await story.mandat(awa, omar, ['logement', 'papiers', 'social'])
    await record()
    await record(HANDICAP)
    await record(CNIL)
    await record({ code: null, thematique: 'papiers', titre: '+33 ; un "acte"' }, awa)
    const filter = { action: 'demarche_realisee', aidant: awa.id }
    const shown = await journal(`?${new URLSearchParams(filter)}`)
    const asked = await story.post(nadia, '/structure/journal/export', { ...filter, forme: 'csv' })
    expect([asked.status, asked.html.includes('Vous allez emporter le journal')]).toEqual([403, true])
    expect(asked.html).toContain('<a href="/structure/journal">Revenir sans confirmer</a>')
    // The answer being a file, this page stays: it says so, and not of a page to print.
    expect(asked.html).toContain('cette page ne changera pas')
    expect((await story.post(nadia, '/structure/journal/export', { forme: 'page' })).html).not.toContain('ne changera pas')
    const { status, html: file } = await exported(nadia, { ...filter, forme: 'csv' })
    expect([status, file.startsWith('"Ligne";"Date"')]).toEqual([200, true])
    expect(file).not.toMatch(/MDPH|handicap|Certificat|CNIL|Social/)
    const rows = file.split('\r\n').slice(1, -1)
    expect(rows).toHaveLength(4)
    expect(rows[0]).toContain(
      `"Démarche : +33 ; un ""acte""";"Papiers - Citoyenneté - Élections, déposée";"Awa Diop";"'=HYPERLINK(""x"") Haddad"`,
    )
    expect(rows[1]).toContain('"Démarche confidentielle";"";"Awa Diop"')
    expect(shown.items.map(({ text }) => text.includes('confidentielle'))).toEqual(
      rows.map((row) => row.includes('confidentielle')),
    )

    const printed = await exported(nadia, { ...filter, forme: 'page' })
    await expectValidHtml(printed.html)
    expect(items(printed.html)).toEqual(shown.items)
    expect(printed.html).toContain('Filtre : Awa Diop ; Démarche')
    expect(shown.html).toContain('Filtre : Awa Diop ; Démarche')
    const kept = await journal('?action=export')
    expect(kept.items.map(({ text }) => text.replace(/^.* à \d+ h \d+ /, ''))).toEqual([
      'Journal exporté Nadia Belkacem',
      'Journal exporté Nadia Belkacem',
    ])
  })

  it('ne s’exporte ni par une aidante, ni d’une autre structure, ni plus de vingt fois par heure', async () => {
    await record()
    const lines = await story.count('journal')
    expect((await story.post(awa, '/structure/journal/export', { forme: 'csv' })).status).toBe(404)
    expect((await story.post(nadia, '/structure/journal/export', { forme: 'csv', du: 'hier' })).status).toBe(422)
    expect(await story.count('journal')).toBe(lines)
    const other = await exported(voisine, { forme: 'csv' })
    expect([other.status, other.html.includes('Valadié')]).toEqual([200, false])
    const statuses: number[] = []
    await story.database.freeze(new Date('2026-11-10T13:05:30Z'))
    for (let n = 0; n <= RATES.export.count; n++) statuses.push((await exported(simone, { forme: 'csv' })).status)
    expect([...new Set(statuses.slice(0, -1)), statuses.at(-1)]).toEqual([200, 429])
  })

  it('trop de lignes pour un export : rien ne part, rien n’est écrit', async () => {
    await record()
    const filtre = { du: null, au: null, aidant: null, thematique: null, action: null }
    const taken = (max: number) => exportJournal(story.db, nadia.asReferent, filtre, 'Europe/Paris', async () => true, max)
    const lines = await story.count('journal')
    expect(await taken(1)).toEqual({ ok: false, refusal: 'trop_de_lignes' })
    expect(await story.count('journal')).toBe(lines)
    expect(await taken(lines)).toMatchObject({ ok: true })
  })

  it('un titre entre parenthèses ne se suit pas d’autres parenthèses', async () => {
    await record({ code: null, thematique: 'papiers', titre: 'Acte de naissance (né à l’étranger)', resultat: 'en_attente' })
    expect((await journal()).items[0]!.text).toMatch(
      /Démarche : Acte de naissance \(né à l’étranger\) Awa Diop, pour Jeanne Valadié Papiers - Citoyenneté - Élections, en attente$/,
    )
  })

  it('tourne ses pages sans sauter ni répéter une ligne, le filtre gardé', async () => {
    for (let n = 0; n < 64; n++) await record()
    const seen: string[] = []
    let query: string | undefined = '?action=demarche_realisee'
    let pages = 0
    while (query !== undefined) {
      const { html, items: lines, count } = await journal(query)
      expect(count).toBe('64 lignes')
      seen.push(...lines.map(({ text }) => text))
      const next: string | undefined = /href="\/structure\/journal(\?[^"]+)" rel="next"/.exec(html)?.[1]?.replaceAll('&amp;', '&')
      expect(html.includes('lignes les plus récentes')).toBe(pages > 0)
      query = next
      pages++
    }
    expect([pages, seen.length]).toEqual([3, 64])
    expect(seen.every((text) => text.includes('Démarche : '))).toBe(true)
  })

  it('n’est qu’à la direction, et qu’à celle de cette structure', async () => {
    await record()
    for (const path of ['/structure/journal', personne(), `${personne()}/ouvrir`]) {
      expect([path, (await story.get(awa, path)).status]).toEqual([path, 404])
      expect([path, (await story.get(undefined, path)).status]).toEqual([path, 303])
    }
    expect((await open(awa)).status).toBe(404)
    expect((await journal('', voisine)).count).toBe('Aucune ligne')
    for (const path of [personne(), `${personne()}/ouvrir`, '/structure/personnes/rien', `/structure/personnes/${randomUUID()}`])
      expect([path, (await story.get(voisine, path)).status]).toEqual([path, 404])
    expect((await open(voisine)).status).toBe(404)
    // And with row-level security alone.
    const reads: ((tx: Tx) => Promise<unknown[]>)[] = [
      async (tx) => (await listLignes(tx, VIDE, structure.fuseau, undefined)).lignes,
      (tx) => listOuvertures(tx, [jeanne]),
      async (tx) => (await listAidants(tx)).filter(({ id }) => [awa.id, paul.id, nadia.id].includes(id)),
    ]
    await open(nadia)
    for (const read of reads) {
      expect(await story.rls.tx(nadia.asReferent, read)).not.toEqual([])
      expect(await story.rls.tx(voisine.asReferent, read)).toEqual([])
    }
    expect(
      await openDossier(story.rls, voisine.asReferent, {
        usagerId: jeanne,
        motif: 'urgence',
        precision: null,
        envoi: randomUUID(),
      }),
    ).toEqual({
      ok: false,
      refusal: 'introuvable',
    })
  })
})

describe('ouvrir un dossier', () => {
  const page = (by = nadia) => story.get(by, personne())

  it('sans raison : rien d’autre que la question', async () => {
    await record(HANDICAP)
    const before = [await story.count('journal'), await story.count('acces'), await story.count('ouverture')]
    const closed = await page()
    expect([closed.status, closed.location, closed.html]).toEqual([303, `${personne()}/ouvrir`, ''])
    const asked = await story.get(nadia, `${personne()}/ouvrir`)
    expect(asked.html).toContain('La personne verra que vous l’avez ouvert')
    expect(asked.html).toContain('même confidentielles, sauf les réclamations')
    // It may be needed: the label does not say otherwise, nor is it always.
    expect(asked.html).toMatch(/<label for="champ-precision">Précision<\/label>/)
    expect(asked.html).not.toMatch(/name="precision"[^>]* required/)
    await expectValidHtml(asked.html)
    expect([await story.count('journal'), await story.count('acces'), await story.count('ouverture')]).toEqual(before)
    // Whatever she asks of the database, with nothing of ours in between.
    const words = await story.rls.tx(nadia.asReferent, async ({ sql }) => [
      ...(await sql`select titre from demarche_contenu where usager_id = ${jeanne}`),
      ...(await sql`select payload from journal_contenu where usager_id = ${jeanne} and payload like '%handicap%'`),
    ])
    expect(words).toEqual([])
    const { demarches } = await reading(nadia, (tx) => listDemarches(tx, { usagerIds: [jeanne] }))
    expect(demarches).toMatchObject([{ titre: null, thematique: null, note: null }])
  })

  it.each([
    ['sans motif', { motif: undefined }, 'Choisissez une raison'],
    ['un motif inconnu', { motif: 'curiosite' }, 'Choisissez une des réponses'],
    ['une autre raison sans la dire', { motif: 'autre' }, 'Dites quelle est cette raison.'],
    ['une précision trop longue', { motif: 'urgence', precision: 'a'.repeat(281) }, '280 caractères'],
    ['un secret dans la précision', { motif: 'urgence', precision: 'mdp : Soleil31' }, 'mot de passe'],
    ['un formulaire incomplet', { envoi: undefined }, 'incomplet'],
  ])('est refusé, rien n’est ouvert : %s', async (_name, fields, words) => {
    const before = await story.count('journal')
    const refused = await open(nadia, fields)
    expect(refused.status).toBe(422)
    expect(refused.html).toContain(words)
    await expectValidHtml(refused.html)
    expect([await story.count('journal'), (await page()).status]).toEqual([before, 303])
  })

  it('avec une raison : mandats et démarches, même confidentielles, jamais les réclamations ; et la personne le voit', async () => {
    await record(HANDICAP)
    await record(CNIL)
    const opened = await open(nadia, { motif: 'autre', precision: 'Demande de sa fille <b>' })
    expect([opened.status, opened.location]).toEqual([303, personne()])
    const { status, html } = await page()
    expect(status).toBe(200)
    await expectValidHtml(html)
    expect(html).toContain('<title>Dossier - ')
    for (const words of ['Demander une aide handicap (MDPH)', 'Social - Santé']) expect(html).toContain(words)
    expect(html).toContain('Certificat reçu')
    expect(html).toMatch(/papiers, santé, aides sociales et logement/i)
    expect(html).toContain('Pour une autre raison : Demande de sa fille &lt;b&gt;')
    expect(html).not.toContain('CNIL')

    const seen = await story.db.tx({ kind: 'usager', usagerIds: [jeanne], niveau: 'identite' }, (tx) =>
      listOuvertures(tx, [jeanne]),
    )
    expect(seen).toMatchObject([
      {
        motif: 'autre',
        precision: 'Demande de sa fille <b>',
        aidantPrenom: 'Nadia',
        aidantNom: 'Belkacem',
        structureNom: structure.nom,
      },
    ])
    const autre = await story.usager([structure])
    expect(
      await story.db.tx({ kind: 'usager', usagerIds: [autre], niveau: 'identite' }, (tx) => listOuvertures(tx, [jeanne])),
    ).toEqual([])
    expect(
      await story.database.adminSql`
      select action, acteur_id, usager_id, mandat_id from journal where structure_id = ${structure.id} order by id desc limit 1`,
    ).toMatchObject([{ action: 'dossier_ouvert', acteur_id: nadia.id, usager_id: jeanne, mandat_id: null }])
    expect(await story.database.adminSql`select genre, aidant_id from acces where usager_id = ${jeanne}`).toMatchObject([
      { genre: 'dossier_consulte', aidant_id: nadia.id },
    ])
    expect((await journal()).items[0]!.text).toMatch(
      /Dossier ouvert par un référent : pour une autre raison Nadia Belkacem, pour Jeanne Valadié Raison : Demande de sa fille/,
    )
  })

  it('d’un mandat dont une partie est arrêtée, dit laquelle', async () => {
    await story.revoke(mandat, ['logement'])
    await open(nadia)
    expect((await page()).html).toContain('N’est plus en cours pour : logement')
  })

  it('ramène d’où elle vient : du journal, ou de la liste des personnes', async () => {
    expect((await journal()).html).toContain(`href="${personne()}?de=journal"`)
    const back = (html: string) => /<p class="back"><a href="([^"]+)">([^<]+)</.exec(html)!.slice(1)
    for (const [de, expected] of [
      ['?de=journal', ['/structure/journal', 'Journal de la structure']],
      ['', ['/personnes', 'Personnes']],
      ['?de=//ailleurs', ['/personnes', 'Personnes']],
    ] as const) {
      jeanne = await story.usager([structure])
      const closed = await story.get(nadia, `${personne()}${de}`)
      expect(back((await story.get(nadia, closed.location!)).html)).toEqual(expected)
      const opened = await story.post(nadia, closed.location!, { envoi: randomUUID(), motif: 'controle' })
      expect(back((await story.get(nadia, opened.location!)).html)).toEqual(expected)
    }
  })

  it('mène de chaque mandat et de chaque démarche à sa page, qui se lit tant que le dossier est ouvert', async () => {
    const at = new Date('2026-11-10T13:05:30.250Z')
    await story.database.freeze(at)
    jeanne = await story.usager([structure])
    mandat = await story.mandat(awa, jeanne, ['social', 'papiers'])
    const id = await record(HANDICAP)
    const complaint = await record(CNIL)
    const read = () => story.get(nadia, `/demarches/${id}`)
    expect(await read()).toMatchObject({ status: 303, location: personne(), html: '' })
    await open(nadia)
    const { html } = await page()
    for (const path of [`/mandats/${mandat.id}`, `/demarches/${id}`]) expect(html).toContain(`href="${path}"`)
    const one = await read()
    expect(one.status).toBe(200)
    await expectValidHtml(one.html)
    expect(one.html).toContain('Certificat reçu')
    expect((await story.get(nadia, `/demarches/${complaint}`)).status).toBe(404)
    expect(await story.get(simone, `/demarches/${id}`)).toMatchObject({ status: 303, html: '' })
    expect(await story.get(voisine, `/demarches/${id}`)).toMatchObject({ status: 404 })
    expect(
      await story.database.adminSql`select genre, aidant_id from acces where usager_id = ${jeanne} order by id desc limit 1`,
    ).toMatchObject([{ genre: 'demarche_consultee', aidant_id: nadia.id }])
    await story.database.freeze(seconds(at, 15 * 60))
    expect(await read()).toMatchObject({ status: 303, location: personne(), html: '' })
  })

  describe('noter pour une personne qu’elle n’accompagne pas', () => {
    const nouvelle = () => `/mandats/${mandat.id}/demarches/nouvelle`
    const horsMandat = () => `/mandats/${mandat.id}/demarches/hors-mandat`
    const sent = (envoi: string = randomUUID()) => ({ envoi, demarche: 'hlm', resultat: 'deposee', motif: 'Demandé au guichet' })
    const written = async () => [await story.count('journal'), await story.count('acces'), await story.count('demarche')]

    it('sans dossier ouvert : ni le formulaire, ni un acte, ni une ligne au journal', async () => {
      const before = await written()
      for (const path of [nouvelle(), horsMandat()]) {
        expect([path, await story.get(nadia, path)]).toEqual([path, { status: 303, location: personne(), html: '' }])
        for (const fields of [sent(), { envoi: 'x' }])
          expect([path, await story.post(nadia, path, fields)]).toEqual([path, { status: 303, location: personne(), html: '' }])
        expect((await story.get(voisine, path)).status).toBe(404)
        expect((await story.post(voisine, path, sent())).status).toBe(404)
      }
      expect(await written()).toEqual(before)
      // Whatever the application asks.
      await expect(record({}, nadia)).rejects.toThrow('dossier_referme')
      expect(await written()).toEqual(before)
    })

    it('dossier ouvert avec une raison : elle note, et n’en lit pas davantage une fois les quinze minutes passées', async () => {
      const at = new Date('2026-11-10T13:05:30.250Z')
      await story.database.freeze(at)
      jeanne = await story.usager([structure])
      mandat = await story.mandat(awa, jeanne, ['logement', 'social'])
      await record(HANDICAP)
      await open(nadia)
      const shown = await story.get(nadia, nouvelle())
      expect(shown.status).toBe(200)
      expect((await story.get(nadia, horsMandat())).status).toBe(200)
      const done = await story.post(nadia, nouvelle(), sent())
      expect([done.status, done.location]).toEqual([303, expect.stringMatching(`^${personne()}\\?notee=`)])
      const told = await story.get(nadia, done.location!)
      expect(told.html).toContain('Démarche notée')
      await expectValidHtml(told.html)
      await story.database.freeze(seconds(at, 15 * 60))
      const own = done.location!.split('notee=')[1]!
      for (const path of [nouvelle(), `/demarches/${own}`]) expect((await story.get(nadia, path)).location).toBe(personne())
      const words = await story.rls.tx(nadia.as, async ({ sql }) => [
        ...(await sql`select titre from demarche_contenu where usager_id = ${jeanne} and demarche_id <> ${own}`),
        ...(await sql`select texte from mandat_contenu where usager_id = ${jeanne}`),
      ])
      expect(words).toEqual([])
    })

    it('refermé à l’instant où elle enregistre : un refus qui mène à l’ouvrir, et rien n’est noté', async () => {
      const at = new Date('2026-11-12T13:05:30.250Z')
      await story.database.freeze(at)
      jeanne = await story.usager([structure])
      mandat = await story.mandat(awa, jeanne, ['logement', 'social'])
      await open(nadia)
      const before = await written()
      // The check has passed; the quarter of an hour ends as the write begins, the one transaction that may be done twice.
      const { tx } = story.db
      Object.assign(story.db, {
        tx: async (...[who, work, options]: Parameters<Db['tx']>) => {
          if (options?.retryable && who.kind === 'aidant') await story.database.freeze(seconds(at, 15 * 60))
          return tx(who, work, options)
        },
      })
      const answer = await story.post(nadia, nouvelle(), sent())
      Object.assign(story.db, { tx })
      // As before anything is written: with the form kept where forms are (kept-form.test.ts), she opens it again.
      expect([answer.status, answer.location]).toEqual([303, personne()])
      const [lines, , demarches] = await written()
      expect([lines, demarches]).toEqual([before[0], before[2]])
    })

    it('celle dont elle a signé un mandat, sans rien ouvrir', async () => {
      jeanne = await story.usager([structure])
      mandat = await story.mandat(nadia, jeanne, ['logement'])
      expect((await story.get(nadia, nouvelle())).status).toBe(200)
      const done = await story.post(nadia, nouvelle(), sent())
      expect(done.location).toMatch(`/personnes/${jeanne}?notee=`)
      expect(done.location).not.toContain('/structure/')
      expect((await story.get(nadia, `/demarches/${done.location!.split('notee=')[1]}`)).status).toBe(200)
    })
  })

  it('vaut pour qui l’a demandé, pour cette personne, et quinze minutes à la seconde près', async () => {
    const at = new Date('2026-11-10T13:05:30.250Z')
    await story.database.freeze(at)
    jeanne = await story.usager([structure])
    mandat = await story.mandat(awa, jeanne, ['social'])
    await record(HANDICAP)
    await open(nadia)
    expect((await page()).html).toContain('Dossier ouvert jusqu’à 14 h 20')
    expect((await page(simone)).status).toBe(303)
    expect((await story.get(nadia, `/structure/personnes/${await story.usager([structure])}`)).status).toBe(303)
    const titles = async () =>
      (await reading(nadia, (tx) => listDemarches(tx, { usagerIds: [jeanne] }))).demarches.map(({ titre }) => titre)

    await story.database.freeze(seconds(at, 15 * 60 - 1))
    expect([(await page()).status, await titles()]).toEqual([200, [HANDICAP.titre]])
    await story.database.freeze(seconds(at, 15 * 60))
    expect([(await page()).status, await titles()]).toEqual([303, [null]])
    await story.database.freeze(seconds(at, 15 * 60 + 1))
    expect([(await page()).status, await titles()]).toEqual([303, [null]])
    expect(await reading(nadia, (tx) => findOuverture(tx, jeanne))).toBeUndefined()
    await open(nadia)
    expect((await page()).status).toBe(200)
  })

  it('envoyé deux fois, même ensemble, n’ouvre qu’une fois et n’écrit qu’une ligne', async () => {
    const asked = await story.get(nadia, `${personne()}/ouvrir`)
    const envoi = envoiOf(asked.html)
    const before = [await story.count('journal'), await story.count('ouverture')]
    const answers = await Promise.all([0, 1, 2, 3].map(() => open(nadia, { envoi })))
    expect(answers.map(({ status }) => status)).toEqual([303, 303, 303, 303])
    expect([await story.count('journal'), await story.count('ouverture')]).toEqual([before[0]! + 1, before[1]! + 1])
  })

  it('le formulaire d’une ouverture passée n’ouvre rien, et le dit : autre personne, ou quinze minutes finies', async () => {
    const at = new Date('2026-11-10T13:05:30.250Z')
    await story.database.freeze(at)
    const envoi = randomUUID()
    expect((await open(nadia, { envoi })).status).toBe(303)
    const autre = await story.usager([structure])
    const other = await story.post(nadia, `/structure/personnes/${autre}/ouvrir`, { envoi, motif: 'controle' })
    await story.database.freeze(seconds(at, 15 * 60))
    const late = await open(nadia, { envoi })
    for (const refused of [other, late]) {
      expect(refused.status).toBe(409)
      expect(refused.html).toContain('Ce formulaire avait déjà servi')
      expect(envoiOf(refused.html)).not.toBe(envoi)
      await expectValidHtml(refused.html)
    }
  })

  it('tourne les pages des démarches, et un repère inventé ramène à la première', async () => {
    for (let n = 0; n < 23; n++) await record()
    await open(nadia)
    const first = await page()
    expect(items(first.html)).toHaveLength(20)
    const next = /href="([^"]+)" rel="next"/.exec(first.html)![1]!
    const second = await story.get(nadia, next)
    await expectValidHtml(second.html)
    expect(items(second.html)).toHaveLength(3)
    for (const apres of [
      'x',
      `99999999999999_${randomUUID()}`,
      `-99999999999999_${randomUUID()}`,
      `-9999999999999_${randomUUID()}`,
      '0_x',
      '%00',
    ])
      expect([apres, (await story.get(nadia, `${personne()}?apres=${apres}`)).status]).toEqual([apres, 200])
    expect(await reading(nadia, (tx) => listMandats(tx, [jeanne]))).toHaveLength(1)
  })
})

const VIDE = { du: null, au: null, aidant: null, thematique: null, action: null }
