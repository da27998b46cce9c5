import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AIDANTS, STRUCTURES } from '../../src/demo/people.ts'
import { blocs, TEXTE_COURANT } from '../../src/mandat/texte.ts'
import { expectValidHtml } from '../support/html.ts'
import { type Browser, newWorld, type Page, PUBLIC_URL, type World } from '../support/world.ts'

const MINUTE = 60_000

let world: World
beforeAll(async () => {
  world = await newWorld({ simulator: true })
})
afterAll(() => world.close())
beforeEach(async () => {
  await world.database.freeze(null)
  await world.sql`delete from brouillon`
  await world.sql`delete from limite`
})

const signedIn = async (aidant: keyof typeof AIDANTS = 'thomas') => world.browser(await world.sessionOf(aidant))
const stepOf = (id: string, step: string) => `/mandats/brouillons/${id}/${step}`
const hiddenIn = (page: Page, name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page.html)?.[1] ?? ''
const yes = (page: Page, more: Record<string, string | string[]> = {}) => ({
  reponse: 'oui',
  redit: 'oui',
  suivi: 'papier',
  lues: hiddenIn(page, 'lues'),
  dernierJour: hiddenIn(page, 'dernierJour'),
  thematiques: hiddenIn(page, 'lues').split(' '),
  ...more,
})
const redit = (page: Page) => / checked(?= |>)/.test(/<input[^>]*name="redit"[^>]*>/.exec(page.html)![0])
/** What is read on the page: tags gone, spaces as one. */
const words = (html: string) =>
  html
    .replace(/<(style|script)[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .replaceAll('&quot;', '"')
    .replace(/[\s\u00a0]+/g, ' ')
const said = (html: string, sentence: string) => expect(words(html)).toContain(sentence)
/** The draft's page after her identification. */
const rereading = async (telling: Parameters<World['draft']>[0] = {}) => {
  const id = await world.draft({ perimetre: ['famille', 'logement'], ...telling, upTo: 'identite' })
  const browser = await signedIn()
  return { id, browser, accord: await browser.get(stepOf(id, 'accord')) }
}
const everything = async () => {
  const { session: _, limite: __, ...digest } = await world.digest()
  return digest
}
const choose = (browser: Browser, protegee: 'oui' | 'non') =>
  browser.post('/mandats/nouveau', { protegee, thematiques: ['logement'], duree: 'mois' })

describe('le texte qui sera scellé', () => {
  it('est sur la page où elle dit oui, mot pour mot, et c’est lui qui est gardé', async () => {
    const { id, browser, accord } = await rereading({ persona: 'josiane' })
    await browser.post(accord.url, yes(accord))
    await browser.post(stepOf(id, 'acceptation'), { code: await world.freshCode('thomas') })
    const [kept] = await world.sql<{ texte: string }[]>`select texte from mandat_contenu where mandat_id = ${id}`
    const shown = words(accord.html)
    for (const bloc of blocs(kept!.texte))
      for (const line of 'liste' in bloc ? bloc.liste : ['titre' in bloc ? bloc.titre : bloc.paragraphe])
        expect(shown).toContain(line.replace(/\s+/g, ' '))
    await expectValidHtml(accord.html)
  })

  it('est de la version lue à voix haute, qui ne promet que ce qui existe', async () => {
    const browser = await signedIn()
    const explained = await browser.get('/mandats/expliquer')
    expect(TEXTE_COURANT).toBe('fr-3')
    const { accord } = await rereading()
    said(accord.html, 'Texte fr-3, version de travail')
    for (const html of [explained.html, accord.html]) expect(words(html)).not.toMatch(/contest|doit répondre/i)
    said(explained.html, 'Déjà expliqué : choisir')
    said(explained.html, 'Comptez 10 minutes ; plus si la personne a oublié son mot de passe.')
    said(explained.html, 'Pour une autre langue, appelez un interprète.')
  })

  it('suit ce qui est coché quand elle relit', async () => {
    const { browser, accord } = await rereading()
    said(accord.html, 'Famille, scolarité : par exemple')
    const reread = await browser.post(accord.url, yes(accord, { thematiques: ['logement'] }))
    expect(words(reread.html)).not.toContain('Famille, scolarité : par exemple')
  })
})

describe('un mandat en remplace un autre', () => {
  it('la page du oui et celle de l’acceptation disent lequel, jusqu’à quand ; pas celui d’une autre structure', async () => {
    await world.database.freeze(new Date('2026-03-02T09:00:00Z'))
    await world.signMandat({ persona: 'marcel', perimetre: ['papiers', 'loisirs'], duree: 'an' })
    await world.signMandat({ aidant: 'fabrice', persona: 'marcel', perimetre: ['logement'], duree: 'an' })
    const { id, browser, accord } = await rereading({ persona: 'marcel', perimetre: ['papiers', 'logement'] })
    said(accord.html, 'Papiers : ceci remplace votre mandat jusqu’au 2 mars 2027 au soir.')
    expect(words(accord.html).match(/ceci remplace/g)).toHaveLength(1)
    said(accord.html, '« Non, j’arrête » arrête seulement cette nouvelle demande. Votre mandat d’aujourd’hui continue.')
    expect(words((await rereading({ persona: 'odette' })).accord.html)).not.toContain('cette nouvelle demande')
    await browser.post(accord.url, yes(accord))
    const acceptation = await browser.get(stepOf(id, 'acceptation'))
    said(acceptation.html, 'Papiers : ceci remplace son mandat jusqu’au 2 mars 2027 au soir.')
    await expectValidHtml(acceptation.html)
    // Unticked, it stays as it is.
    const other = await browser.get(`${stepOf(id, 'accord')}?relire=phrase&thematiques=logement`)
    expect(words(other.html)).not.toContain('ceci remplace')
  })
})

describe('une autre phrase n’est jamais acceptée en passant', () => {
  it('demandée pour d’autres thématiques, la page dit leur phrase, la case à cocher de nouveau, et n’écrit rien', async () => {
    const { browser, accord } = await rereading()
    const before = await everything()
    const page = await browser.get(`${accord.url}?relire=phrase&thematiques=logement`)
    expect([page.status, hiddenIn(page, 'lues'), redit(page)]).toEqual([200, 'logement', false])
    said(page.html, 'mes démarches de logement à ma place')
    const none = await browser.get(`${accord.url}?relire=phrase`)
    expect([none.status, hiddenIn(none, 'lues')]).toEqual([200, ''])
    expect(words(none.html)).not.toContain('Je donne mon accord : ')
    const wider = await browser.get(`${accord.url}?relire=phrase&thematiques=logement&thematiques=argent&thematiques=x`)
    expect(hiddenIn(wider, 'lues')).toBe('logement')
    expect(await everything()).toEqual(before)
    await expectValidHtml(page.html)
  })

  it('« Grande écriture » garde tout ce qui est répondu, ce qui est décoché d’abord, et n’écrit rien', async () => {
    const { browser, accord } = await rereading()
    const before = await everything()
    const answers = yes(accord, { reponse: 'relire', suivi: 'sms', mobile: '0611223344' })
    const large = await browser.post(`${accord.url}?relire=oui&ecriture=grande`, answers)
    expect([large.status, hiddenIn(large, 'lues'), redit(large)]).toEqual([200, 'famille logement', true])
    expect(large.html).toMatch(/<html lang="fr" class="grande">/)
    expect(large.html).toMatch(/name="suivi" value="sms"[^>]* checked/)
    expect(large.html).toContain('value="0611223344"')
    const fewer = await browser.post(`${accord.url}?relire=oui`, { ...answers, thematiques: 'logement' })
    expect([fewer.status, hiddenIn(fewer, 'lues'), redit(fewer)]).toEqual([200, 'logement', false])
    expect(fewer.html).not.toMatch(/class="grande"|role="alert"/)
    expect(await everything()).toEqual(before)
    await expectValidHtml(large.html)
  })

  it('rien de répondu : chaque réponse à revoir mène là où elle se donne', async () => {
    const { browser, accord } = await rereading()
    const page = await browser.post(accord.url, {})
    expect(page.status).toBe(422)
    said(page.html, 'Relisez la phrase')
    said(page.html, 'Choisissez l’un des deux boutons')
    await expectValidHtml(page.html)
  })

  it('un numéro faux avec une thématique décochée : la page dit les deux, et la case n’est plus cochée', async () => {
    const { id, browser, accord } = await rereading()
    const page = await browser.post(accord.url, yes(accord, { thematiques: ['logement'], suivi: 'sms', mobile: '12' }))
    expect([page.status, redit(page), hiddenIn(page, 'lues')]).toEqual([422, false, 'logement'])
    said(page.html, 'La phrase a changé')
    const same = await browser.post(accord.url, yes(accord, { suivi: 'sms', mobile: '12' }))
    expect([same.status, redit(same)]).toEqual([422, true])
    expect(words(same.html)).not.toContain('La phrase a changé')
    const [row] = await world.sql`select accord_at from brouillon where id = ${id}`
    expect(row!.accord_at).toBeNull()
  })
})

describe('l’écran prêté à la personne', () => {
  it('ne mène à la liste des personnes ni par le nom du service, ni après son non', async () => {
    const { browser, accord } = await rereading()
    const no = await browser.post(accord.url, { reponse: 'non' })
    said(no.html, 'Vous avez dit non')
    for (const html of [accord.html, no.html]) {
      expect(html).not.toMatch(/href="\/(personnes)?"/)
      expect(html).toMatch(/<p class="brand">/)
    }
    expect(no.html).toContain('href="/mandats/rendre"')
    expect((await browser.get('/mandats/nouveau')).html).toContain('<a class="brand" href="/personnes">')
  })

  it('« Expliquer » mène aux mandats en préparation, sans nommer personne', async () => {
    const browser = await signedIn()
    const { html } = await browser.get('/mandats/expliquer')
    expect(words(html)).not.toContain('Reprendre')
    await world.draft({ persona: 'josiane', upTo: 'identite' })
    const after = await browser.get('/mandats/expliquer')
    expect(after.html).toMatch(/href="\/mandats\/nouveau"[^>]*><span>Reprendre un mandat en préparation/)
    expect(after.html).not.toMatch(/DELPECH|Delpech/)
    await expectValidHtml(after.html)
  })
})

describe('une identité qui ne suffit pas', () => {
  it('sans prénom : dit que recommencer n’y changera rien, et ce qui est possible', async () => {
    const browser = await signedIn()
    const chosen = await choose(browser, 'non')
    const page = await browser.follow(await browser.atFranceConnect(await browser.post(chosen.location!, {}), 'sans-prenom'))
    expect(page.status).toBe(409)
    said(page.html, 'Recommencer donnera la même réponse')
    said(page.html, 'par la mairie de sa naissance ou par l’Insee')
    expect(page.html).not.toContain('Reprendre où vous en étiez')
    await expectValidHtml(page.html)
  })

  it('d’un renouvellement : une autre personne, ou la même dont l’état civil est corrigé, et la suite de chacune', async () => {
    const { id } = await world.signMandat({ persona: 'odette', perimetre: ['logement'] })
    const browser = await signedIn()
    const draft = await browser.post(`/mandats/${id}/renouveler`, { protegee: 'non', thematiques: 'logement', duree: 'mois' })
    const page = await browser.follow(await browser.atFranceConnect(await browser.post(draft.location!, {}), 'josiane'))
    expect(page.status).toBe(409)
    said(page.html, 'C’est quelqu’un d’autre')
    said(page.html, 'C’est bien elle, et son état civil a été corrigé')
    said(page.html, 'Commencez un nouveau mandat avec elle')
    await expectValidHtml(page.html)
  })
})

describe('aucun mandat n’est possible', () => {
  it.each([
    ['leo', 'La personne a moins de 18 ans'],
    ['camille', 'on ne se donne pas mandat à soi-même'],
  ])('%s : le brouillon est effacé, et la seule suite est le retour aux personnes', async (persona, sentence) => {
    if (persona === 'camille')
      await world.sql`update aidant set prenom = 'Camille', nom = 'Lescure' where id = ${world.aidants.thomas}`
    const browser = await signedIn()
    const chosen = await choose(browser, 'non')
    const page = await browser.follow(await browser.atFranceConnect(await browser.post(chosen.location!, {}), persona))
    await world.sql`update aidant set prenom = ${AIDANTS.thomas.prenom}, nom = ${AIDANTS.thomas.nom} where id = ${world.aidants.thomas}`
    expect(page.status).toBe(409)
    said(page.html, sentence)
    expect(page.html).not.toMatch(/brouillons|Reprendre|Réessayer/)
    // The person may still be reading: the list of everyone helped is one page further.
    expect(page.html).not.toContain('href="/personnes"')
    const between = await browser.get('/mandats/rendre')
    expect(page.html).toContain('href="/mandats/rendre"')
    expect(between.html).toContain('href="/personnes"')
    await expectValidHtml(between.html)
    said(page.html, 'À qui parler')
    await expectValidHtml(page.html)
    expect(await world.sql`select 1 from brouillon`).toHaveLength(0)
    expect(await world.sql`select 1 from connexion where brouillon_id is not null`).toHaveLength(0)
  })

  it('une personne protégée : rien n’est écrit, dans aucune table', async () => {
    const browser = await signedIn()
    const before = await everything()
    const page = await choose(browser, 'oui')
    expect(page.status).toBe(200)
    said(page.html, 'Rien n’a été gardé')
    expect(await everything()).toEqual(before)
  })

  it('dit en cours de route, il ne reste rien de ce qui était préparé, dans aucune table', async () => {
    const browser = await signedIn()
    const before = await everything()
    const id = await world.draft({ persona: 'voahangy', upTo: 'identite' })
    await browser.post(stepOf(id, 'choix'), { protegee: 'oui', thematiques: 'logement', duree: 'mois' })
    const { jwks_archive: _, journal: __, journal_contenu: ___, ...after } = await everything()
    expect(before).toMatchObject(after)
    expect(await world.tablesHolding(id)).toEqual([])
  })
})

describe('les mandats en préparation', () => {
  it('disent le nom tant qu’il est gardé, ce qui est accordé, et depuis quand', async () => {
    await world.database.freeze(new Date('2026-03-02T09:00:00Z'))
    const id = await world.draft({ persona: 'josiane', perimetre: ['famille', 'logement'], accordees: ['logement'] })
    await world.draft({ persona: 'odette', perimetre: ['loisirs'], upTo: 'choix' })
    const list = async () => {
      const page = await (await signedIn()).get('/mandats/nouveau')
      await expectValidHtml(page.html)
      return words(page.html)
    }
    await world.database.travel({ ms: 5 * MINUTE })
    expect(await list()).toMatch(/Josiane DELPECH : logement\W+commencé il y a 5 minutes/)
    expect(await list()).toContain('Reprendre : loisirs, sport et culture')
    // The worker has not passed yet.
    await world.database.travel({ ms: 26 * MINUTE })
    expect(await list()).not.toContain('DELPECH')
    expect(id).toBeTruthy()
  })

  it('s’effacent d’un bouton, les siens seulement', async () => {
    const id = await world.draft({ persona: 'josiane' })
    const [thomas, samira] = [await signedIn(), await signedIn('samira')]
    expect((await samira.post(stepOf(id, 'effacer'), {})).status).toBe(404)
    expect(await world.sql`select 1 from brouillon where id = ${id}`).toHaveLength(1)
    const erased = await thomas.post(stepOf(id, 'effacer'), {})
    expect([erased.status, erased.location]).toEqual([303, `${PUBLIC_URL}/mandats/nouveau`])
    expect(await world.tablesHolding(id)).toEqual([])
  })
})

describe('revenir en arrière', () => {
  it('après son oui : la page dit qu’il est donné, à quelle heure, et comment dire non', async () => {
    await world.database.freeze(new Date('2026-03-02T09:05:00Z'))
    const id = await world.draft({ persona: 'josiane' })
    const browser = await signedIn()
    for (const step of ['accord', 'identification']) {
      const page = await browser.follow(await browser.get(stepOf(id, step)))
      expect(page.status).toBe(200)
      said(page.html, 'Vous avez donné votre accord aujourd’hui à 10 h 05')
      expect(page.html).toContain(`href="${stepOf(id, 'acceptation')}"`)
      expect(words(page.html)).not.toMatch(/vous n’acceptez encore rien|Je donne mon accord/)
      await expectValidHtml(page.html)
    }
    // Reading it again, and answering again, stays possible.
    expect((await browser.get(`${stepOf(id, 'accord')}?relire=oui`)).html).toContain('Je donne mon accord')
    said((await browser.get(`${stepOf(id, 'identification')}?relire=oui`)).html, 'vous n’acceptez encore rien')
    const no = await browser.post(stepOf(id, 'accord'), { reponse: 'non' })
    said(no.html, 'Vous avez dit non, c’est votre droit')
    expect(await world.tablesHolding(id)).toEqual([])
  })

  it('son oui d’hier ne vaut plus pour le jour lu : la phrase est à relire', async () => {
    const before = new Date('2026-03-02T22:55:00Z')
    await world.database.freeze(before)
    const id = await world.draft({ persona: 'josiane' })
    await world.database.freeze(new Date(before.getTime() + 10 * MINUTE))
    const page = await (await signedIn()).get(stepOf(id, 'accord'))
    said(page.html, 'Je donne mon accord : ')
  })

  it('vers ce qui n’est plus en préparation, ou n’est pas à elle : la même page calme', async () => {
    const browser = await signedIn()
    const hers = await world.draft({ aidant: 'samira', structure: 'figeac' })
    const gone = await world.draft({ persona: 'josiane' })
    await browser.post(stepOf(gone, 'accord'), { reponse: 'non' })
    const pages = await Promise.all(
      [hers, gone, '00000000-0000-4000-8000-000000000000'].flatMap((id) =>
        ['choix', 'identification', 'accord', 'acceptation'].map((step) => browser.get(stepOf(id, step))),
      ),
    )
    for (const page of pages) {
      expect(page.status).toBe(404)
      said(page.html, 'Ce mandat n’est plus en préparation')
    }
    await expectValidHtml(pages[0]!.html)
    expect(new Set(pages.map(({ html }) => html.replace(/[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}/g, ''))).size).toBe(1)
  })
})

describe('qui lit et qui remplit', () => {
  it('ce qu’elle lit vient d’abord, en « vous » ; ce que l’aidant remplit vient ensuite, à part', async () => {
    const { accord } = await rereading({ persona: 'josiane' })
    const text = words(accord.html)
    const places = ['Vous êtes', 'Je donne mon accord : ', 'Pour l’aidant', 'La personne a redit', 'À vous de répondre'].map(
      (one) => text.indexOf(one),
    )
    expect(places).toEqual([...places].sort((a, b) => a - b))
    expect(places[0]).toBeGreaterThan(0)
    expect(text.slice(0, places[2])).not.toMatch(/La personne |Son mobile/)
    expect(text).not.toMatch(/Son (?:mobile|e-mail)[^.]{0,40}\(facultatif\)/)
  })

  it('dit comment elle est prévenue aujourd’hui, sans rien choisir pour elle', async () => {
    await world.signMandat({ persona: 'josiane', perimetre: ['loisirs'] })
    const { accord } = await rereading({ persona: 'josiane' })
    said(accord.html, 'Aujourd’hui : sur papier.')
    expect(accord.html).not.toMatch(/<input[^>]*name="suivi"[^>]* checked/)
    const unknown = await rereading({ persona: 'francoise' })
    expect(words(unknown.accord.html)).not.toContain('Aujourd’hui :')
  })

  it('les durées répondent à « Jusqu’à quand ? », un mois d’abord', async () => {
    await world.database.freeze(new Date('2026-03-02T09:00:00Z'))
    const page = await (await signedIn()).get('/mandats/nouveau')
    const labels = [...page.html.matchAll(/name="duree"[^>]*>\s*<label[^>]*><span>([^<]*)/g)].map(([, label]) => words(label!))
    expect(labels).toEqual([
      '1 mois (31 jours) : jusqu’au 2 avril 2026 au soir',
      'Une journée : jusqu’à demain, le 3 mars 2026 au soir',
      '3 mois (92 jours) : jusqu’au 2 juin 2026 au soir',
      '6 mois (182 jours) : jusqu’au 31 août 2026 au soir',
      '1 an (365 jours) : jusqu’au 2 mars 2027 au soir',
    ])
    expect(page.html).not.toMatch(/name="duree"[^>]* checked/)
    said(page.html, STRUCTURES.figeac.nom)
  })
})
