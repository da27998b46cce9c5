import { randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDossier } from '../../src/audit/open.ts'
import { openDb } from '../../src/db.ts'
import type { NewDemarche } from '../../src/demarche/demarche.ts'
import { listDemarches } from '../../src/demarche/queries.ts'
import { recordActeHorsMandat } from '../../src/demarche/record.ts'
import { listAcces, listDonnees, listStructuresDe } from '../../src/usager/queries.ts'
import { expectValidHtml } from '../support/html.ts'
import { openWorld, PUBLIC_URL, type World } from '../support/personnes.ts'

const DAY = 24 * 3600 * 1000

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world.close())

type Mandat = { id: string; usagerId: string }
const cookieOf = ({ usagerId }: { usagerId: string }) => world.cookieOf({ usagerId })
/** A page as one reads it, after checking that it is well written and asks nothing of JavaScript. */
const read = async (path: string, cookie?: string): Promise<string> => {
  const answer = await world.get(path, cookie)
  expect(answer.status, path).toBe(200)
  const html = await answer.text()
  await expectValidHtml(html)
  expect(html).not.toMatch(/<script| hx-| on[a-z]+=/)
  return wordsOf(html)
}
const wordsOf = (html: string) =>
  html
    .slice(html.indexOf('<main'), html.indexOf('</main>'))
    .replace(/<[^>]*>/g, ' ')
    .replace(/[\s\u00a0]+/g, ' ')
    .replace(/ ([,.)])/g, '$1')
const stop = async (mandat: Mandat, quoi = 'tout') =>
  world.post(`/mon-espace/mandats/${mandat.id}/arreter`, await cookieOf(mandat), { quoi })
/** Rows of every table, to tell that nothing moved but what may. */
const census = async () => {
  const tables = ['mandat', 'autorisation', 'journal', 'journal_contenu', 'demarche', 'message', 'connexion', 'acces']
  const counts = await Promise.all(
    tables.map(
      (table) => world.database.adminSql<{ n: number }[]>`select count(*)::int as n from ${world.database.adminSql(table)}`,
    ),
  )
  return counts.map(([row]) => row!.n)
}
const linesOf = async ({ id }: Mandat) =>
  (
    await world.database.adminSql<{ action: string }[]>`select action from journal where mandat_id = ${id} order by mandat_seq`
  ).map(({ action }) => action)
const acte = (mandat: Mandat, more: Partial<NewDemarche> = {}): NewDemarche => ({
  mandatId: mandat.id,
  envoi: randomUUID(),
  thematique: 'transports',
  titre: 'Carte grise',
  nature: 'demande',
  mode: 'a_sa_place',
  presence: 'absente',
  canal: 'guichet',
  resultat: 'deposee',
  ...more,
})

describe('la porte de la personne', () => {
  it('avec plusieurs mandats, chaque bouton dit duquel il s’agit à qui ne voit que son nom', async () => {
    await world.sign({ persona: 'nassimah', perimetre: ['loisirs'] })
    const last = await world.sign({ persona: 'nassimah', perimetre: ['transports'] })
    const page = await (await world.get('/mon-espace', await cookieOf(last))).text()
    await expectValidHtml(page)
    const named = [...page.matchAll(/<a [^>]*class="button[^>]*>(.*?)<\/a>/g)].map(([, inside]) =>
      inside!.replace(/<[^>]+>/g, ''),
    )
    expect(named).toContain('Arrêter : avec le CCAS de Figeac, vos démarches de loisirs, de sport et de culture')
    expect(new Set(named).size).toBe(named.length)
    expect(named.length).toBeGreaterThan(5)
  })

  it('explique en deux phrases et mène à FranceConnect, avec de quoi arrêter sans internet', async () => {
    const page = await read('/mon-espace/connexion')
    expect(page).toMatch(/vous voyez ce qui est fait pour vous.*S’identifier avec France ?Connect.*Sans internet/)
    const opened = await world.post('/connexion/franceconnect')
    expect(opened.status).toBe(303)
    const to = new URL(opened.headers.get('location')!)
    expect(to.origin).toBe(new URL(world.simulator.issuer).origin)
    const { nonce, state, prompt, redirect_uri } = Object.fromEntries(to.searchParams)
    expect({ prompt, redirect_uri }).toEqual({ prompt: 'login', redirect_uri: `${PUBLIC_URL}/connexion/franceconnect/retour` })
    expect(nonce).toMatch(/^[0-9a-f]{64}$/)
    expect(state).toMatch(/^[0-9a-f]{64}$/)
    expect(opened.headers.get('set-cookie')).toMatch(/navigateur=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax/)
    const [row] = await world.database.adminSql`select but, brouillon_id, nonce from connexion order by created_at desc limit 1`
    expect(row).toEqual({ but: 'espace', brouillon_id: null, nonce })
  })

  it('reste calme quand FranceConnect ne répond pas', async () => {
    const lost = await openWorld()
    await lost.simulator.close()
    const answer = await lost.post('/connexion/franceconnect')
    expect(answer.status).toBe(503)
    const html = await answer.text()
    await expectValidHtml(html)
    expect(wordsOf(html)).toMatch(/FranceConnect ne répond pas pour le moment Rien n’est perdu/)
    await lost.close()
  })

  it('ne s’ouvre pas d’un autre site, et s’arrête à soixante essais par adresse', async () => {
    const evil = await world.app.request('/connexion/franceconnect', {
      method: 'POST',
      headers: { origin: 'https://ailleurs.example', 'content-type': 'application/x-www-form-urlencoded' },
    })
    expect(evil.status).toBe(403)
    const from = (address: string) =>
      world.app.request(
        '/connexion/franceconnect',
        {
          method: 'POST',
          headers: { origin: PUBLIC_URL, 'content-type': 'application/x-www-form-urlencoded', 'x-forwarded-for': address },
        },
        { incoming: { socket: { remoteAddress: '127.0.0.1' } } },
      )
    await world.database.freeze(new Date('2030-01-01T10:00:00Z'))
    const statuses: number[] = []
    for (let i = 0; i < 61; i++) statuses.push((await from('203.0.113.7')).status)
    expect(new Set(statuses.slice(0, 60))).toEqual(new Set([303]))
    expect(statuses[60]).toBe(429)
    expect((await from('203.0.113.8')).status).toBe(303)
    await world.database.freeze(null)
  })

  it('garde ses pages pour elle : ni sans session, ni pour un aidant', async () => {
    const mandat = await world.sign({ persona: 'toussaint' })
    const aidant = await world.cookieOf({ aidantId: world.aidants.thomas, structureId: world.structures.figeac })
    const base = `/mon-espace/mandats/${mandat.id}`
    for (const path of ['/mon-espace', '/mon-espace/acces', '/mon-espace/donnees', base, `${base}/arreter`, `${base}/arret`]) {
      const nobody = await world.get(path)
      expect([nobody.status, nobody.headers.get('location')]).toEqual([
        303,
        `/mon-espace/connexion?suite=${encodeURIComponent(path)}`,
      ])
      expect((await world.get(path, aidant)).status).toBe(404)
    }
    expect((await world.post(`${base}/arreter`, aidant, { quoi: 'tout' })).status).toBe(404)
    expect((await world.post(`${base}/arreter`, undefined, { quoi: 'tout' })).status).toBe(303)
    expect(await linesOf(mandat)).toEqual(['mandat_signe'])
  })

  it('se referme : la session finit, le navigateur oublie tout', async () => {
    const mandat = await world.sign({ persona: 'toussaint' })
    const cookie = await cookieOf(mandat)
    const left = await world.post('/mon-espace/deconnexion', cookie)
    expect([left.status, left.headers.get('location')]).toEqual([303, '/mon-espace/deconnexion'])
    expect(left.headers.get('clear-site-data')).toBe('"cache", "storage"')
    expect(left.headers.get('set-cookie')).toMatch(/^session=; Max-Age=0/)
    expect(await read('/mon-espace/deconnexion')).toContain('Votre espace est fermé')
    expect((await world.get('/mon-espace', cookie)).status).toBe(303)
  })
})

describe('son espace', () => {
  it('dit en une phrase par mandat qui peut agir, pour quoi et jusqu’à quand', async () => {
    const mandat = await world.sign({ persona: 'odette', perimetre: ['logement', 'papiers'], duree: 'semestre' })
    const page = await read('/mon-espace', await cookieOf(mandat))
    expect(page).toMatch(
      /Le CCAS de Figeac peut faire vos démarches de papiers et de logement jusqu’au \d{1,2}(er)? \S+ 20\d\d au soir\./,
    )
    expect(page).toContain('Rien n’a encore été fait.')
  })

  it('montre chaque acte avec ses mots : qui, quand, quel résultat, quelle suite, et ce qui sort de l’ordinaire', async () => {
    const mandat = await world.sign({ persona: 'josiane', perimetre: ['logement', 'social'] })
    await world.note(mandat.id, {
      titre: 'Demande d’aide au logement',
      administration: 'CAF',
      resultat: 'en_attente',
      etapeQuoi: 'Envoyer l’avis d’imposition',
      etapeQui: 'personne',
      etapeQuand: '2027-03-03',
      reference: 'AL-12',
      note: 'Dossier complet',
      montantCentimes: 1250,
    })
    await world.database.travel({ ms: 2 * DAY })
    const [{ now }] = await world.database.adminSql<[{ now: Date }]>`select horloge() as now`
    await world.note(mandat.id, {
      titre: 'Appel à la mairie',
      doneAt: new Date(now.getTime() - 1.5 * DAY),
      resultat: 'bloquee',
      motifBlocage: 'langue',
    })
    await recordActeHorsMandat(world.db, world.as('thomas'), acte(mandat), 'Le délai finissait ce jour-là.')
    const cookie = await cookieOf(mandat)
    const page = await read(`/mon-espace/mandats/${mandat.id}`, cookie)
    expect(page).toMatch(
      /Carte grise Thomas Lacombe, du CCAS de Figeac La demande est envoyée\. Votre mandat ne permettait pas cette démarche\. Pourquoi l’aidant l’a faite : « Le délai finissait ce jour-là\. »/,
    )
    expect(page).toMatch(
      /Appel à la mairie .*C’est bloqué pour le moment\. Pourquoi : langue\. L’aidant l’a écrit plus tard, le /,
    )
    expect(page).toMatch(
      /Demande d’aide au logement .*On attend une réponse\. À vous de faire : Envoyer l’avis d’imposition, pour le 3 mars 2027/,
    )
    expect(page).toMatch(
      /Auprès de Caisse d’allocations familiales \(CAF\) .*Fait Avec vous, sur place .*Argent 12,50 € Numéro de dossier AL-12 Note de l’aidant Dossier complet/,
    )
    expect(page.indexOf('Carte grise')).toBeLessThan(page.indexOf('Appel à la mairie'))
    expect(page).toMatch(/Ce que vous avez accepté .*Le texte exact .*articles 1984 et suivants du code civil/)
    expect(await read('/mon-espace', cookie)).toMatch(/Ce qui a été fait dernièrement .*Carte grise .*Appel à la mairie/)
  })

  it('montre tout par pages, sans rien perdre', async () => {
    const mandat = await world.sign({ persona: 'fatma' })
    for (let i = 1; i <= 12; i++) await world.note(mandat.id, { titre: `Acte numéro ${i}.` })
    const cookie = await cookieOf(mandat)
    const html = await (await world.get(`/mon-espace/mandats/${mandat.id}`, cookie)).text()
    const next = /href="([^"]*apres=[^"]*)"/.exec(html)![1]!.replaceAll('&amp;', '&')
    const both = wordsOf(html) + (await read(next, cookie))
    for (let i = 1; i <= 12; i++) expect(both.split(`Acte numéro ${i}.`)).toHaveLength(2)
    expect(await read(`/mon-espace/mandats/${mandat.id}?apres=nimporte`, cookie)).toContain('Acte numéro 12.')
  })

  it('replie ce qui est fini, et dit quand plus personne n’a de droit', async () => {
    const mandat = await world.sign({ persona: 'odette-homonyme', duree: 'jour' })
    await world.database.travel({ ms: 3 * DAY })
    const page = await read('/mon-espace', await cookieOf(mandat))
    expect(page).toMatch(
      /En ce moment, personne n’a le droit de faire vos démarches ici\. .*Ce qui est fini \(1 mandat\) Le CCAS de Figeac : fini depuis le/,
    )
    expect(page).not.toContain('Arrêter')
    expect(await read(`/mon-espace/mandats/${mandat.id}/arret`, await cookieOf(mandat))).toMatch(/C’est fini/)
  })

  it('dit ce qu’on sait d’elle et qui la connaît', async () => {
    const mandat = await world.sign({ persona: 'josiane', perimetre: ['papiers'], suivi: 'email' })
    const page = await read('/mon-espace/donnees', await cookieOf(mandat))
    expect(page).toMatch(
      /Nom de naissance BOUSQUET Nom d’usage DELPECH Naissance 2 novembre 1961 Lieu de naissance En France, dans le Lot/,
    )
    expect(page).toMatch(/Votre choix Par e-mail, à josiane@example\.org .*Le CCAS de Figeac, téléphone 05 65 50 05 40/)
    for (const path of ['/mon-espace/donnees', `/mon-espace/mandats/${mandat.id}`]) {
      expect(await (await world.get(path, await cookieOf(mandat))).text()).toMatch(/<a href="tel:\+33565500540">05 65/)
    }
    // A country by its name, not by its number.
    const fatma = await world.sign({ persona: 'fatma', perimetre: ['papiers'] })
    expect(await read('/mon-espace/donnees', await cookieOf(fatma))).toContain('Lieu de naissance Algérie')
  })
})

describe('rien que le sien', () => {
  let hers: Mandat
  let theirs: Mandat
  beforeAll(async () => {
    hers = await world.sign({ persona: 'laetitia' })
    theirs = await world.sign({ persona: 'abdelkader' })
    await world.note(theirs.id, { titre: 'Secret d’Abdelkader' })
    const aidant = await world.cookieOf({ aidantId: world.aidants.thomas, structureId: world.structures.figeac })
    await world.get(`/personnes/${theirs.usagerId}`, aidant)
    await openDossier(
      world.db,
      { ...world.as('nadia'), kind: 'referent' },
      { usagerId: theirs.usagerId, motif: 'controle', precision: null, envoi: randomUUID() },
    )
  })

  it('le mandat d’une autre est introuvable, comme un inconnu, et ne s’arrête pas', async () => {
    const cookie = await cookieOf(hers)
    for (const rest of ['', '/arreter', '/arret']) {
      const [other, unknown] = await Promise.all(
        [theirs.id, randomUUID()].map(async (id) => {
          const answer = await world.get(`/mon-espace/mandats/${id}${rest}`, cookie)
          return [answer.status, wordsOf(await answer.text())]
        }),
      )
      expect(other![0]).toBe(404)
      expect(other).toEqual(unknown)
    }
    const before = await census()
    expect((await world.post(`/mon-espace/mandats/${theirs.id}/arreter`, cookie, { quoi: 'tout' })).status).toBe(404)
    expect(await census()).toEqual(before)
    for (const path of ['/mon-espace', '/mon-espace/acces', '/mon-espace/donnees'])
      expect(await read(path, cookie)).not.toMatch(/Abdelkader|EL AMRANI/i)
  })

  it('… les règles de la base y suffisent seules', async () => {
    const alone = openDb({ url: world.database.url, connections: 1, rlsOnly: true })
    const seen = await alone.tx({ kind: 'usager', usagerIds: [hers.usagerId], niveau: 'identite' }, async (tx) => ({
      donnees: await listDonnees(tx),
      acces: (await listAcces(tx, undefined)).acces,
      structures: await listStructuresDe(tx),
      demarches: (await listDemarches(tx, { mandatId: theirs.id })).demarches,
    }))
    await alone.close()
    expect(seen.donnees.map(({ id }) => id)).toEqual([hers.usagerId])
    expect([seen.acces, seen.demarches, seen.structures.length]).toEqual([[], [], 1])

    const sql = postgres(world.database.url, { max: 1, onnotice: () => {} })
    const tables = await world.database.adminSql<{ table: string; column: string }[]>`
      select c.table_name as table, c.column_name as column
      from information_schema.columns c
      join information_schema.tables t on t.table_name = c.table_name and t.table_schema = c.table_schema
      where c.table_schema = 'public' and (c.column_name = 'usager_id' or (c.table_name = 'usager' and c.column_name = 'id'))
        and has_column_privilege('traitdunion_app', c.table_name, c.column_name, 'select')`
    const others = await sql.begin(async (tx) => {
      await tx`select set_config('app.who', 'usager', true), set_config('app.usager_ids', ${`{${hers.usagerId}}`}, true), set_config('app.niveau', 'identite', true)`
      return Promise.all(
        tables.map(async ({ table, column }) => {
          const [row] = await tx<{ own: number; others: number }[]>`
            select count(*) filter (where ${tx(column)} = ${hers.usagerId})::int as own,
              count(*) filter (where ${tx(column)} <> ${hers.usagerId})::int as others
            from ${tx(table)}`
          return [table, row!.others, row!.own] as const
        }),
      )
    })
    await sql.end()
    expect(others.filter(([, foreign]) => foreign > 0)).toEqual([])
    expect(others.filter(([, , own]) => own > 0).map(([table]) => table)).toEqual(
      expect.arrayContaining(['usager', 'dossier', 'mandat', 'autorisation', 'mandat_contenu', 'journal', 'journal_contenu']),
    )
  })
})

describe('arrêter', () => {
  it('tient en deux gestes : un lien, puis un bouton ; demander la page ne fait rien', async () => {
    const mandat = await world.sign({ persona: 'odette', perimetre: ['transports'] })
    const cookie = await cookieOf(mandat)
    const space = await (await world.get('/mon-espace', cookie)).text()
    expect(space).toContain(`<a href="/mon-espace/mandats/${mandat.id}/arreter" class="button primary">`)
    const before = await census()
    const page = await read(`/mon-espace/mandats/${mandat.id}/arreter`, cookie)
    for (const method of ['GET', 'HEAD'])
      await world.app.request(`/mon-espace/mandats/${mandat.id}/arreter?quoi=tout`, { method, headers: { cookie } })
    expect(await census()).toEqual(before)
    expect(page).toMatch(/Dès que vous appuyez, c’est arrêté\. Vous n’avez pas à dire pourquoi\. Arrêter tout ce mandat Vous/)
    expect(page).not.toMatch(/un seul thème|\?|sûre?/)
    const done = await stop(mandat)
    expect([done.status, done.headers.get('location')]).toEqual([303, `/mon-espace/mandats/${mandat.id}/arret`])
    // Another of her mandats with this structure goes on: the page does not say that it may do nothing more.
    const after = await read(`/mon-espace/mandats/${mandat.id}/arret`, cookie)
    expect(after).toMatch(
      /n’a plus le droit de faire vos démarches de transports\. Vous avez un autre mandat avec le CCAS de Figeac/,
    )
    expect(after).toMatch(/il continue\. L’arrêter aussi/)
  })

  it('prend effet aussitôt : l’aidant ne peut plus rien noter de régulier, et le voit', async () => {
    const mandat = await world.sign({ persona: 'marcel', perimetre: ['logement'] })
    await world.note(mandat.id, { titre: 'Demande de logement social', administration: 'Mairie', reference: 'N-7' })
    await world.note(mandat.id, { titre: 'Chèque énergie', resultat: 'terminee' })
    await world.note(mandat.id, {
      titre: 'Caution',
      resultat: 'a_faire_par_la_personne',
      etapeQuoi: 'Signer le bail',
      etapeQui: 'aidant',
    })
    await stop(mandat)
    expect(await world.note(mandat.id)).toEqual({ ok: false, refusal: 'hors_mandat' })
    const aidant = await world.cookieOf({ aidantId: world.aidants.thomas, structureId: world.structures.figeac })
    expect(wordsOf(await (await world.get(`/personnes/${mandat.usagerId}`, aidant)).text())).toContain('Aucun mandat en cours')

    const page = await read(`/mon-espace/mandats/${mandat.id}/arret`, await cookieOf(mandat))
    expect(page).toMatch(
      /C’est arrêté depuis \d{1,2} h \d\d : le CCAS de Figeac n’a plus le droit de faire vos démarches, mais les demandes déjà envoyées, listées ici, ne sont pas annulées\./,
    )
    expect(page).toMatch(
      /Les demandes déjà envoyées Demande de logement social le .*, Mairie numéro de dossier : N-7 Ce qui est maintenant à vous de faire Signer le bail pour : Caution/,
    )
    expect(page).not.toContain('Chèque énergie')
    // Later, the hour alone would not tell.
    await world.database.travel({ ms: DAY })
    expect(await read(`/mon-espace/mandats/${mandat.id}/arret`, await cookieOf(mandat))).toMatch(/C’est arrêté depuis le \d/)
  })

  it('ce qui reste à faire : le dernier état de chaque demande, une fois ; une date passée est dite passée', async () => {
    const mandat = await world.sign({ persona: 'marcel', perimetre: ['travail'] })
    const hers = { thematique: 'travail', etapeQui: 'personne' } as const
    await world.note(mandat.id, { ...hers, titre: 'Retraite', etapeQuoi: 'Envoyer le relevé', etapeQuand: '2020-01-15' })
    await world.database.travel({ ms: 60_000 })
    await world.note(mandat.id, { ...hers, titre: 'Retraite', resultat: 'terminee', etapeQui: null, etapeQuoi: null })
    await world.note(mandat.id, { ...hers, titre: 'Actualisation', etapeQuoi: 'Actualiser', etapeQuand: '2020-01-15' })
    await world.note(mandat.id, { ...hers, titre: 'Formation', etapeQuoi: 'S’inscrire', etapeQuand: '2099-01-15' })
    await stop(mandat)
    const page = await read(`/mon-espace/mandats/${mandat.id}/arret`, await cookieOf(mandat))
    expect(page).not.toMatch(/Envoyer le relevé|Retraite/)
    expect(page).toContain('Actualiser, pour le 15 janvier 2020 : cette date est passée pour')
    expect(page).toMatch(/S’inscrire, pour le 15 janvier 2099 pour/)
  })

  it('ce qui reste à faire, d’après ses actes : le plus proche d’abord, ce qui revient, quels papiers et quels mots de passe', async () => {
    const mandat = await world.sign({ persona: 'marcel', perimetre: ['travail', 'logement'] })
    const note = (demarche: Parameters<typeof world.note>[1]) => world.note(mandat.id, { thematique: 'travail', ...demarche })
    await note({ titre: 'Formation', etapeQuoi: 'S’inscrire', etapeQui: 'aidant', etapeQuand: '2099-03-01' })
    await note({ titre: 'Retraite', etapeQuoi: 'Envoyer le relevé', etapeQui: 'personne', etapeQuand: '2099-01-15' })
    await note({ titre: 'Bilan', resultat: 'a_faire_par_la_personne', canal: 'courrier', mode: 'a_sa_place' })
    await note({ titre: 'Carte', canal: 'guichet', mode: 'avec_la_personne' })
    await note({ titre: 'Sécurité', administration: 'CPAM', canal: 'en_ligne_autre', mode: 'seule_avec_appui' })
    await note({
      code: 'ft-actualisation',
      titre: 'S’actualiser chaque mois',
      administration: 'France Travail',
      canal: 'en_ligne_autre',
    })
    await note({ titre: 'Carte Vitale', administration: 'CPAM', canal: 'en_ligne_autre', mode: 'a_sa_place' })
    await note({ titre: 'Soins', administration: 'CPAM/MSA', canal: 'en_ligne_autre', mode: 'a_sa_place' })
    await note({ titre: 'Recours', etapeQuoi: 'Répondre', etapeQui: 'administration' })
    await note({ thematique: 'logement', titre: 'Bail', canal: 'guichet', etapeQuoi: 'Signer le bail', etapeQui: 'personne' })
    await stop(mandat, 'travail')
    const page = await read(`/mon-espace/mandats/${mandat.id}/arret`, await cookieOf(mandat))
    expect(page).toContain(
      [
        'Ce qui est maintenant à vous de faire',
        'Envoyer le relevé, pour le 15 janvier 2099 pour : Retraite',
        'S’inscrire, pour le 1er mars 2099 pour : Formation L’aidant devait le faire.',
        'Continuer : Bilan',
        'Dire chaque mois sa situation à France Travail une date à ne pas manquer, chaque mois',
        'Reprendre vos papiers, s’ils sont chez l’aidant. Surtout : Bilan',
        'Changer vos mots de passe, si quelqu’un les connaît. Surtout : Assurance maladie (CPAM) ou MSA France Travail Tout ce qui a été fait',
      ].join(' '),
    )
  })

  it('deux fois ou dix à la fois, c’est arrêté une fois', async () => {
    const mandat = await world.sign({ persona: 'conceicao', perimetre: ['famille', 'etranger'] })
    const answers = await Promise.all(Array.from({ length: 6 }, () => stop(mandat)))
    answers.push(await stop(mandat), await stop(mandat, 'famille'))
    for (const answer of answers)
      expect([answer.status, answer.headers.get('location')]).toEqual([303, `/mon-espace/mandats/${mandat.id}/arret`])
    expect(await linesOf(mandat)).toEqual(['mandat_signe', 'autorisation_revoquee', 'autorisation_revoquee', 'mandat_termine'])
    expect(await messagesOf(mandat)).toHaveLength(3)
    expect((await world.get(`/mon-espace/mandats/${mandat.id}/arreter`, await cookieOf(mandat))).status).toBe(303)
  })

  it('un sujet à la fois : le reste continue, et le dernier arrêté finit le mandat', async () => {
    const mandat = await world.sign({ persona: 'jean-baptiste', perimetre: ['logement', 'transports', 'papiers'] })
    const cookie = await cookieOf(mandat)
    expect(await read(`/mon-espace/mandats/${mandat.id}/arreter`, cookie)).toMatch(
      /un seul thème Arrêter : papiers Arrêter : logement Arrêter : transports/,
    )
    await stop(mandat, 'logement')
    expect(await world.note(mandat.id)).toEqual({ ok: false, refusal: 'hors_mandat' })
    expect(await world.note(mandat.id, { thematique: 'transports' })).toMatchObject({ ok: true })
    expect(await read(`/mon-espace/mandats/${mandat.id}/arret`, cookie)).toMatch(
      // Nothing was sent for this one: the sentence announces no list.
      /n’a plus le droit de faire vos démarches de logement\. Le CCAS de Figeac peut faire vos démarches de papiers et de transports jusqu’au .*Aucune de vos demandes de logement n’attend de réponse/,
    )
    expect(await read('/mon-espace', cookie)).toMatch(/vos démarches de papiers et de transports jusqu’au/)
    expect(await read(`/mon-espace/mandats/${mandat.id}`, cookie)).toMatch(/Logement \([^)]*\) : arrêté le/)
    expect(await read(`/mon-espace/mandats/${mandat.id}/arreter`, cookie)).not.toContain('Arrêter : logement')
    // Each since its own moment, and no sooner nor later.
    await world.database.travel({ ms: DAY })
    await stop(mandat, 'transports')
    expect(await read(`/mon-espace/mandats/${mandat.id}/arret`, await cookieOf(mandat))).toMatch(
      /C’est arrêté depuis \d{1,2} h \d\d : .* vos démarches de transports, mais .*Déjà arrêté : vos démarches de logement, depuis le \d/,
    )
    // Pressed again from an old page: it is so already.
    expect((await stop(mandat, 'logement')).status).toBe(303)
    expect(await linesOf(mandat)).not.toContain('mandat_termine')
    await stop(mandat, 'papiers')
    expect((await linesOf(mandat)).filter((action) => action === 'mandat_termine')).toHaveLength(1)
    expect((await linesOf(mandat)).filter((action) => action === 'autorisation_revoquee')).toHaveLength(3)
  })

  it('prévient la personne, la direction et l’aidant qui avait signé, sans dire de quelle démarche', async () => {
    const mandat = await world.sign({ persona: 'toussaint', aidant: 'ines', perimetre: ['argent'], suivi: 'sms' })
    await stop(mandat)
    const messages = await messagesOf(mandat)
    expect(messages.map(({ canal, destinataire }) => `${canal} ${destinataire}`).sort()).toEqual([
      'email ines@figeac.demo',
      'email nadia@figeac.demo',
      'sms +33612345678',
    ])
    for (const { corps } of messages) expect(corps).not.toMatch(/PADOVANI|Toussaint|impôts|argent/i)
    expect(messages.find(({ canal }) => canal === 'sms')!.corps).toMatch(
      /votre mandat avec le CCAS de Figeac est arrete depuis \d/,
    )
  })

  it('refuse sans rien changer ce qui n’est pas dans le mandat, ou est déjà fini de lui-même', async () => {
    const mandat = await world.sign({ persona: 'odette', perimetre: ['loisirs'], duree: 'jour' })
    const before = await census()
    for (const quoi of ['justice', 'nimporte', '']) {
      const answer = await stop(mandat, quoi)
      expect([quoi, answer.status]).toEqual([quoi, 409])
      const html = await answer.text()
      await expectValidHtml(html)
      expect(wordsOf(html)).toMatch(/Rien n’a changé Ce thème n’est pas dans votre mandat/)
    }
    expect(await census()).toEqual(before)
    await world.database.travel({ ms: 3 * DAY })
    const late = await stop(mandat)
    expect([late.status, wordsOf(await late.text())]).toEqual([409, expect.stringContaining('déjà arrivé à sa fin')])
    expect(await linesOf(mandat)).toEqual(['mandat_signe'])
  })

  const messagesOf = ({ id }: Mandat) =>
    world.database.adminSql<{ canal: string; destinataire: string; corps: string }[]>`
      select canal, destinataire, corps from message where cle like ${`arret:${id}:%`}`
})

describe('qui a ouvert son dossier', () => {
  it('dit chaque aidant, son geste et ses heures, jour par jour, et à part la direction avec sa raison', async () => {
    const mandat = await world.sign({ persona: 'fatma', aidant: 'ines', perimetre: ['travail'] })
    const cookie = await cookieOf(mandat)
    const before = await read('/mon-espace/acces', cookie)
    expect(before).toContain('Le responsable n’a pas ouvert votre dossier à ce titre.')
    const aidant = await world.cookieOf({ aidantId: world.aidants.ines, structureId: world.structures.figeac })
    for (let i = 0; i < 2; i++) await world.get(`/personnes/${mandat.usagerId}`, aidant)
    await world.get(`/mandats/${mandat.id}`, aidant)
    await openDossier(
      world.db,
      { ...world.as('nadia'), kind: 'referent' },
      { usagerId: mandat.usagerId, motif: 'reclamation', precision: 'Une plainte reçue', envoi: randomUUID() },
    )
    // What she looks at with it is told with its reason, and not once more among the aidants.
    const nadia = await world.cookieOf({ aidantId: world.aidants.nadia, structureId: world.structures.figeac })
    for (const path of [`/structure/personnes/${mandat.usagerId}`, `/mandats/${mandat.id}`])
      expect((await world.get(path, nadia)).status).toBe(200)
    const page = await read('/mon-espace/acces', cookie)
    expect(page).toMatch(
      /Le responsable .*Nadia Belkacem, du CCAS de Figeac, pour vous répondre\. « Une plainte reçue » A lu un de vos mandats\. Les aidants/,
    )
    const [, aidants] = page.split('Les aidants ')
    expect(aidants).toMatch(
      /CCAS de Figeac \S+ \d{1,2}(er)? \S+ 20\d\d Inès Delmas a ouvert votre dossier à \d{1,2} h \d\d ?, et a lu un de vos mandats à \d/,
    )
    expect(aidants).not.toContain('Nadia')
    expect(aidants!.match(/Inès Delmas/g)).toHaveLength(1)
    expect(page).not.toMatch(/direction|directrice|référent/i)
  })

  it('dit chaque structure une fois, et ses jours dessous', async () => {
    const mandat = await world.sign({ persona: 'toussaint', perimetre: ['travail'] })
    await world.sign({ persona: 'toussaint', perimetre: ['travail'], aidant: 'fabrice', structure: 'saintDenis' })
    await world.database.adminSql`
      insert into acces (at, genre, aidant_id, structure_id, usager_id)
      select '2026-01-01T12:00:00+01:00'::timestamptz + i * interval '1 day', 'dossier_consulte', w.aidant, w.structure, ${mandat.usagerId}
      from generate_series(1, 30) i,
        (values (${world.aidants.thomas}::uuid, ${world.structures.figeac}::uuid),
          (${world.aidants.fabrice}::uuid, ${world.structures.saintDenis}::uuid)) as w (aidant, structure)`
    const [, aidants] = (await read('/mon-espace/acces', await cookieOf(mandat))).split('Les aidants ')
    for (const structure of ['CCAS de Figeac', 'France services Saint-Denis'])
      expect(aidants!.match(new RegExp(structure, 'g')), structure).toHaveLength(1)
    expect(aidants!.match(/a ouvert votre dossier/g)).toBeNull()
    expect(aidants!.match(/Thomas Lacombe, à 12 h 00/g)).toHaveLength(30)
  })

  it('remonte page par page, et compte les nombreuses fois d’un même jour', async () => {
    const mandat = await world.sign({ persona: 'marcel', perimetre: ['travail'] })
    const { adminSql } = world.database
    await adminSql`
      insert into acces (at, genre, aidant_id, structure_id, usager_id)
      select '2026-01-01T12:00:00+01:00'::timestamptz + i * interval '1 hour', 'dossier_consulte', ${world.aidants.thomas}, ${world.structures.figeac}, ${mandat.usagerId}
      from generate_series(1, 150) i`
    const cookie = await cookieOf(mandat)
    const html = await (await world.get('/mon-espace/acces', cookie)).text()
    expect(wordsOf(html)).toMatch(/Thomas Lacombe, 24 fois, entre 0 h 00 et 23 h 00/)
    const next = /href="([^"]*avant=[^"]*)"/.exec(html)![1]!
    const second = await read(next, cookie)
    expect(second).toMatch(/Jeudi 1er janvier 2026/)
    expect(second).not.toContain('Le responsable')
    expect(await read('/mon-espace/acces?avant=nimporte', cookie)).toBe(wordsOf(html))
  })
})

describe('le poids de ses pages', () => {
  it('première visite sous 100 ko, les suivantes sous 15 ko, sans script', async () => {
    const mandat = await world.sign({ persona: 'josiane', perimetre: ['travail', 'transports', 'loisirs'] })
    for (let i = 0; i < 12; i++)
      await world.note(mandat.id, { titre: `Une démarche ${i}`, thematique: 'travail', note: 'x'.repeat(280) })
    const cookie = await cookieOf(mandat)
    const html = await (await world.get('/mon-espace', cookie)).text()
    const files = new Set([...html.matchAll(/(?:href|src)="(\/assets\/[^"#]+)/g)].map(([, path]) => path!))
    let first = gzipSync(html).length
    for (const path of files) first += gzipSync(Buffer.from(await (await world.get(path)).arrayBuffer())).length
    expect(files.size).toBeLessThan(11)
    expect(first).toBeLessThan(100_000)
    for (const path of ['', `/mandats/${mandat.id}`, `/mandats/${mandat.id}/arreter`, '/acces', '/donnees']) {
      const page = await (await world.get(`/mon-espace${path}`, cookie)).text()
      expect(gzipSync(page).length, path).toBeLessThan(15_000)
    }
  })
})

describe('la grande écriture', () => {
  it('se choisit d’un lien, reste de page en page sans JavaScript, et part avec elle', async () => {
    const mandat = await world.sign({ persona: 'nassimah', perimetre: ['famille'] })
    const cookie = await cookieOf(mandat)
    const base = `/mon-espace/mandats/${mandat.id}`
    const ask = async (path: string, more = '') => {
      const answer = await world.get(path, cookie + more)
      return { html: await answer.text(), set: answer.headers.getSetCookie() }
    }
    const before = await ask(base)
    expect(before.html).toContain('<a href="?ecriture=grande">Grande écriture</a>')
    expect(before.html).not.toContain('class="grande"')
    const chosen = await ask(`${base}?ecriture=grande`)
    expect(chosen.html).toContain('<html lang="fr" class="grande">')
    expect(chosen.set).toEqual([expect.stringMatching(/ecriture=grande; Path=\/; HttpOnly; .*SameSite=Lax/)])
    expect((await ask('/mon-espace', '; ecriture=grande')).html).toContain('class="grande"')
    const back = await ask('/mon-espace?ecriture=ordinaire', '; ecriture=grande')
    expect(back.html).not.toContain('class="grande"')
    expect(back.set).toEqual([expect.stringMatching(/ecriture=; Max-Age=0/)])
    const left = await world.post('/mon-espace/deconnexion', `${cookie}; ecriture=grande`, {})
    expect(left.headers.getSetCookie().join()).toMatch(/ecriture=; Max-Age=0/)
  })
})
