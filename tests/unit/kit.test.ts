import { brotliCompressSync, brotliDecompressSync, gunzipSync } from 'node:zlib'
import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { CATALOGUE } from '../../src/demarche/demarche.ts'
import { assets } from '../../src/http/assets.ts'
import { THEMATIQUES } from '../../src/mandat/mandat.ts'
import { deLaStructure, laStructure } from '../../src/structure/nom.ts'
import { mentionOf } from '../../views/journal/words.ts'
import { alert, etat } from '../../views/kit/alert.ts'
import { ASSETS, asset } from '../../views/kit/assets.ts'
import { card } from '../../views/kit/card.ts'
import { csv } from '../../views/kit/csv.ts'
import {
  button,
  checkboxes,
  errorSummary,
  form,
  franceConnect,
  input,
  radios,
  searchForm,
  select,
  textarea,
  tiles,
} from '../../views/kit/form.ts'
import { attributes, html } from '../../views/kit/html.ts'
import { ICONS } from '../../views/kit/icon.ts'
import { defenseurDesDroits } from '../../views/kit/legal.ts'
import { type Frame, page } from '../../views/kit/page.ts'
import { facts, pagination, table, timeline } from '../../views/kit/table.ts'
import {
  auSoir,
  DUREE,
  dateEcrite,
  deMots,
  enMots,
  euros,
  heure,
  ilYA,
  jour,
  jourDeChamp,
  jourEtHeure,
  liste,
  nombre,
  nomComplet,
  nomCourant,
  pluriel,
  RESULTAT,
  THEMATIQUE,
  telephoneAAppeler,
  telephoneEnMots,
} from '../../views/kit/words.ts'
import { accessibilitePage } from '../../views/public/accessibilite.ts'
import { errorPage } from '../../views/public/error.ts'
import { homePage } from '../../views/public/home.ts'
import { mentionsPage } from '../../views/public/mentions.ts'
import { notFoundPage } from '../../views/public/not-found.ts'
import { expectValidHtml } from '../support/html.ts'

const EVIL = `"'><script>alert(1)</script>&`
const ZONE = 'Europe/Paris'
const plain = (words: string) => words.replaceAll('\u00a0', ' ')

describe('échappement', () => {
  test('rien de ce qu’une personne tape ne devient une balise, dans aucun composant', async () => {
    const field = { name: 'x', label: EVIL, hint: EVIL, value: EVIL, error: EVIL }
    const choices = [{ value: EVIL, label: EVIL, hint: EVIL, warning: EVIL }]
    const frame: Frame = { space: 'aidant', who: { nom: EVIL, structure: EVIL, structures: 2 }, invalid: true }
    const made = page(
      frame,
      EVIL,
      html`${errorSummary({ x: EVIL })}${alert(EVIL, EVIL)}${card({ title: EVIL, state: 'actif', body: html`${EVIL}` })}${form(
        { action: `/x?${EVIL}` },
        html`${input(field)}${textarea({ ...field, name: 'y', maxlength: 280 })}${select({ ...field, name: 'z', options: choices })}${tiles({ ...field, name: 't', legend: EVIL, options: choices })}${button(EVIL, { name: EVIL, value: EVIL })}`,
      )}${facts([{ term: EVIL, value: EVIL }])}${timeline([{ when: EVIL, what: EVIL, who: EVIL }])}${table({ caption: EVIL, columns: [{ head: EVIL, cell: () => EVIL }], rows: [1], empty: '' })}`,
    )
    expect(made).not.toContain('<script>alert')
    expect(made).not.toContain(`"'>`)
  })
  test('une vue qui reçoit une promesse échoue au lieu d’afficher [object Promise]', () => {
    expect(() => html`${Promise.resolve('x')}`).toThrow('promise')
  })
  test('un attribut absent ou faux n’est pas écrit ; zéro l’est', () => {
    expect(attributes({ a: undefined, b: false, c: null, d: true, e: 0, f: '' }).toString()).toBe(' d e="0" f=""')
  })
})

describe('formulaires', () => {
  test('une erreur est liée à son champ, et le résumé y mène', () => {
    const made = input({ name: 'email', label: 'E-mail', hint: 'Le vôtre', error: 'Écrivez votre e-mail.' }).toString()
    expect(made).toContain('aria-invalid="true"')
    expect(made).toContain('aria-describedby="champ-email-aide champ-email-erreur"')
    expect(made).toContain('id="champ-email-erreur"')
    expect(errorSummary({ email: 'Écrivez votre e-mail.' })?.toString()).toContain('href="#champ-email"')
  })
  test('le résumé d’un groupe mène au premier choix', () => {
    expect(radios({ name: 'resultat', legend: 'Résultat', options: RESULTAT }).toString()).toContain(
      'id="champ-resultat" type="radio"',
    )
  })
  test('sans erreur, pas de résumé', () => {
    expect(errorSummary({ email: undefined })).toBeUndefined()
  })
  test('ce qui a été tapé revient', () => {
    expect(input({ name: 'a', label: 'A', value: 'gardé' }).toString()).toContain('value="gardé"')
    expect(textarea({ name: 'a', label: 'A', value: '\nligne', maxlength: 9 }).toString()).toContain('>\n\nligne</textarea>')
    const ticked = checkboxes({ name: 'a', legend: 'A', options: { un: 'Un', deux: 'Deux' }, value: ['deux'] }).toString()
    expect(ticked).toMatch(/value="deux" checked/)
    expect(ticked).not.toMatch(/value="un" checked/)
  })
  test('rien n’est coché d’avance', () => {
    expect(tiles({ name: 'duree', legend: 'Durée', options: DUREE }).toString()).not.toContain('checked')
  })
  test('le nombre de caractères restants se lit sans JavaScript', () => {
    expect(textarea({ name: 'n', label: 'N', maxlength: 280, value: 'x'.repeat(30) }).toString()).toContain(
      'Encore 250 caractères',
    )
    expect(textarea({ name: 'n', label: 'N', maxlength: 280, value: 'x'.repeat(292) }).toString()).toContain(
      '12 caractères de trop',
    )
  })
})

describe('pages', () => {
  const everything = html`${errorSummary({ perimetre: 'Choisissez au moins un sujet.' })}
    ${form(
      {},
      html`${tiles({ name: 'perimetre', legend: 'Sujets', multiple: true, options: THEMATIQUES.map((key) => ({ value: key, label: THEMATIQUE[key].titre, hint: THEMATIQUE[key].exemples, icon: key })), error: 'Choisissez au moins un sujet.' })}
      ${radios({ name: 'resultat', legend: 'Résultat', options: RESULTAT, inline: true })}${select({ name: 'duree', label: 'Durée', options: DUREE })}
      ${textarea({ name: 'note', label: 'Note', maxlength: 280, optional: true })}${input({ name: 'code', label: 'Code', type: 'code' })}${button('Enregistrer')}`,
    )}${searchForm({ action: '/personnes', name: 'q', label: 'Nom' })}${franceConnect({ action: '/connexion/franceconnect' })}
    ${table({
      caption: 'Personnes',
      columns: [
        { head: 'Nom', cell: () => 'Angela' },
        { head: 'État', cell: () => etat('suspendu') },
      ],
      rows: [1, 2],
      empty: '',
    })}
    ${pagination({ next: '/b' })}`
  const who = { nom: 'Angela Dubois', structure: 'CCAS de Figeac', structures: 2, referent: true }

  test.each(['public', 'aidant', 'usager', 'simulateur'] as const)('le HTML de l’espace %s est valide', async (space) => {
    await expectValidHtml(page({ space, demo: true, invalid: true, ...(space !== 'public' && { who }) }, 'Une page', everything))
  })
  test.each([
    ['accueil', homePage({ demo: true })],
    ['erreur', errorPage({ status: 503, reference: 'A1' })],
    ['erreur inconnue', errorPage({ status: 599, reference: 'A1' })],
    ['introuvable', notFoundPage()],
    ['accessibilité', accessibilitePage({ contact: 'aide@exemple.fr' })],
    ['mentions', mentionsPage({ demo: true })],
  ])('la page publique « %s » est valide', async (_, made) => {
    await expectValidHtml(made)
  })
  test('les pages de la personne n’ont aucun script, celles de l’aidant n’en ont que de chez nous', () => {
    expect(page({ space: 'usager', who }, 'Mes mandats', everything)).not.toContain('<script')
    expect(page({ space: 'aidant', who }, 'Personnes', everything).match(/<script[^>]*>/g)).toEqual([
      `<script src="${asset('htmx.min.js')}" defer>`,
      `<script src="${asset('aidant.js')}" defer>`,
    ])
  })
  test('la structure pour laquelle on agit est toujours écrite, et les aidants ne se gèrent que par un référent', () => {
    const aidant = page({ space: 'aidant', who: { nom: 'Karim', structure: 'CCAS de Figeac' }, bare: true }, 'Relire', html``)
    expect(aidant).toContain('<strong>CCAS de Figeac</strong>')
    expect(aidant).not.toContain('Changer de structure')
    expect(page({ space: 'aidant', who }, 'Personnes', html``)).toContain('/structure/aidants')
    expect(page({ space: 'aidant', who: { ...who, referent: false } }, 'Personnes', html``)).not.toContain('/structure/aidants')
  })
  test('se déconnecter est un formulaire, jamais un lien', () => {
    for (const space of ['aidant', 'usager'] as const)
      expect(page({ space, who }, 'Page', html``)).toMatch(/<form method="post" action="[^"]*deconnexion"/)
  })
})

describe('fichiers', () => {
  const app = new Hono().route('/', assets)
  const get = (path: string, encoding = '') => app.request(path, { headers: { 'accept-encoding': encoding } })

  test('chaque fichier est servi compressé, entier, avec son type, et pour toujours', async () => {
    for (const { url, type, bytes } of ASSETS.values()) {
      const br = await get(url, 'gzip, deflate, br;q=0.9')
      expect(br.headers.get('content-encoding')).toBe('br')
      expect(br.headers.get('content-type')).toBe(type)
      expect(br.headers.get('cache-control')).toContain('immutable')
      expect(br.headers.get('vary')).toBe('Accept-Encoding')
      expect(brotliDecompressSync(Buffer.from(await br.arrayBuffer())).equals(bytes)).toBe(true)
      const gzip = await get(url, 'br;q=0, gzip')
      expect(gunzipSync(Buffer.from(await gzip.arrayBuffer())).equals(bytes)).toBe(true)
      const whole = await get(url)
      expect(whole.headers.has('content-encoding')).toBe(false)
      expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true)
    }
  })
  test('aucun chemin ne mène à un autre fichier', async () => {
    const { url } = ASSETS.get('style.css')!
    const folder = url.slice(0, url.lastIndexOf('/'))
    for (const name of [
      '../package.json',
      '..%2fpackage.json',
      '..%2f..%2fpackage.json',
      'style%2f1-tokens.css',
      'constructor',
      '__proto__',
      '%00',
      '',
    ])
      expect((await get(`${folder}/${name}`)).status, name).toBe(404)
  })
  test('une ancienne adresse donne le fichier du jour, sans le garder', async () => {
    const old = await get('/assets/0000000000000000/style.css')
    expect(old.status).toBe(200)
    expect(old.headers.get('cache-control')).toBe('no-cache')
  })
  test('un fichier inconnu arrête la page au lieu de la laisser nue', () => {
    expect(() => asset('absent.css')).toThrow('absent.css')
  })
  test('budget : la feuille pèse moins de 10 ko, une première visite de la personne moins de 100 ko', () => {
    const size = (name: string) => brotliCompressSync(ASSETS.get(name)!.bytes).length
    expect(size('style.css')).toBeLessThan(10_000)
    expect(size('style.css') + size('icones.svg') + size('favicon.svg') + brotliCompressSync(homePage({})).length).toBeLessThan(
      100_000,
    )
    expect(size('style.css') + size('icones.svg') + size('htmx.min.js') + size('aidant.js')).toBeLessThan(180_000)
  })
  test('chaque dessin nommé existe dans le fichier des dessins', () => {
    const drawn = ASSETS.get('icones.svg')!.bytes.toString()
    for (const key of ICONS) expect(drawn).toContain(`<symbol id="${key}"`)
  })
})

describe('contraste', () => {
  const css = ASSETS.get('style.css')!.bytes.toString()
  const tokensIn = (block: string) =>
    Object.fromEntries([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map(([, name, value]) => [name!, value!]))
  const [light, dark, greyLight, greyDark] = [...css.matchAll(/(?::root|\.space-simulateur) \{([^}]*)\}/g)].map(([, block]) =>
    tokensIn(block!),
  )
  const luminance = (colour: string) => {
    const [r, g, b] = [1, 3, 5].map((at) => {
      const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
  }
  const contrast = (one: string, other: string) => {
    const [dim, bright] = [luminance(one), luminance(other)].toSorted((a, b) => a - b)
    return (bright! + 0.05) / (dim! + 0.05)
  }
  const texts: Record<string, string[]> = {
    ink: ['paper', 'surface', 'wash', 'rust-wash', 'leaf-wash', 'amber-wash'],
    soft: ['paper', 'surface', 'wash'],
    violet: ['paper', 'surface', 'wash'],
    'violet-deep': ['paper', 'surface', 'wash'],
    'on-violet': ['violet', 'violet-deep'],
    'on-band': ['band'],
    rust: ['paper', 'surface', 'rust-wash'],
    leaf: ['leaf-wash'],
    amber: ['surface', 'wash', 'amber-wash'],
  }
  const edges: Record<string, string[]> = { edge: ['paper', 'surface'], violet: ['line'] }

  test.each([
    ['clair', { ...light }],
    ['sombre', { ...light, ...dark }],
    ['simulateur clair', { ...light, ...greyLight }],
    ['simulateur sombre', { ...light, ...dark, ...greyLight, ...greyDark }],
  ])('%s : au moins 7 pour 1 pour les textes, 3 pour 1 pour les bords', (_, tokens: Record<string, string>) => {
    const weak = (pairs: Record<string, string[]>, least: number) =>
      Object.entries(pairs).flatMap(([front, grounds]) =>
        grounds
          .map((ground) => ({ pair: `${front} / ${ground}`, ratio: contrast(tokens[front]!, tokens[ground]!) }))
          .filter(({ ratio }) => ratio < least),
      )
    expect(weak(texts, 7)).toEqual([])
    expect(weak(edges, 3)).toEqual([])
  })
})

describe('mots', () => {
  test('les thématiques se disent dans leur ordre, entières, avec les bons petits mots', () => {
    expect(enMots(['logement', 'papiers'])).toBe('papiers et logement')
    expect(deMots(['logement'])).toBe('de logement')
    expect(deMots(['argent', 'logement'])).toBe('de logement, d’impôts, de budget et de consommation')
    expect(liste(['logement', 'papiers', 'impôts'])).toBe('logement, papiers et impôts')
    expect(liste([])).toBe('')
  })
  test('la structure est nommée avec son article, ou comme une structure quand on ne sait pas', () => {
    expect(laStructure('CCAS de Figeac')).toBe('le CCAS de Figeac')
    expect(deLaStructure('CCAS de Figeac')).toBe('du CCAS de Figeac')
    expect(laStructure('Association Horizon')).toBe('l’Association Horizon')
    expect(laStructure('Maison France services de Capdenac')).toBe('la Maison France services de Capdenac')
    expect(deLaStructure('Emmaüs Connect')).toBe('de la structure Emmaüs Connect')
    expect(laStructure('Pointe Rouge')).toBe('la structure Pointe Rouge')
  })
  test('un téléphone se lit comme il se dit, ici et outre-mer ; celui d’un autre pays reste entier', () => {
    for (const [number, said] of [
      ['+33612345678', '06 12 34 56 78'],
      ['05.65.12.34.56', '05 65 12 34 56'],
      ['+262692123456', '06 92 12 34 56'],
      ['+590690123456', '06 90 12 34 56'],
      ['+3225551234', '+3225551234'],
    ] as const)
      expect(plain(telephoneEnMots(number))).toBe(said)
  })
  test('un téléphone s’appelle d’un doigt, d’ici, d’outre-mer ou de l’étranger ; ce qui n’est pas un numéro se lit seulement', () => {
    for (const [number, called] of [
      ['05.65.12.34.56', '+33565123456'],
      ['+33612345678', '+33612345678'],
      ['02 62 40 04 00', '+262262400400'],
      ['0639 12 34 56', '+262639123456'],
      ['0590 12 34 56', '+590590123456'],
      ['0691 12 34 56', '+590691123456'],
      ['0594 12 34 56', '+594594123456'],
      ['0697 12 34 56', '+596697123456'],
      ['+3225551234', '+3225551234'],
    ] as const)
      expect(String(telephoneAAppeler(number))).toBe(`<a href="tel:${called}">${telephoneEnMots(number)}</a>`)
    expect(String(telephoneAAppeler('05 65 50 05 40'))).toContain('>05\u00a065\u00a050\u00a005\u00a040<')
    expect(telephoneAAppeler('poste <12>')).toBe(telephoneEnMots('poste <12>'))
    expect(String(defenseurDesDroits)).toContain('href="tel:+33969390000"')
  })
  test('le témoin de la démonstration ne passe pas pour un témoin extérieur', () => {
    expect(mentionOf(new Date(0), true)).toContain('un témoin extérieur l’a vu')
    expect(mentionOf(new Date(0), true, true)).toMatch(/démonstration.*ne prouve rien/)
    expect(mentionOf(new Date(0), true, true)).not.toContain('extérieur')
  })
  test('un nom d’usage, plusieurs prénoms, un nom de naissance', () => {
    const angela = { prenoms: ['Angela', 'Claire', 'Louise'], nomNaissance: 'Durand', nomUsage: 'Dubois' }
    expect(nomCourant(angela)).toBe('Angela Dubois')
    expect(plain(nomComplet(angela))).toBe('Angela Claire Louise Dubois (nom de naissance : Durand)')
    expect(nomComplet({ ...angela, nomUsage: null })).toBe('Angela Claire Louise Durand')
    expect(nomComplet({ ...angela, nomUsage: ' ' })).toBe('Angela Claire Louise Durand')
    expect(nomCourant({ prenoms: [], nomNaissance: 'Durand' })).toBe('Durand')
  })
  test('une naissance connue en partie ne montre jamais un jour inventé', () => {
    expect(plain(dateEcrite('1950-03-12'))).toBe('12 mars 1950')
    expect(plain(dateEcrite('1950-03-01'))).toBe('1er mars 1950')
    expect(plain(dateEcrite('1950-03'))).toBe('mars 1950 (jour inconnu)')
    expect(dateEcrite('1950')).toBe('1950 (jour et mois inconnus)')
  })
  test('un instant se dit dans le fuseau de la structure, pas dans celui du serveur', () => {
    const end = new Date('2027-03-03T22:59:59Z')
    expect(plain(auSoir(end, ZONE))).toBe('3 mars 2027 au soir')
    expect(plain(jour(end, 'Indian/Reunion'))).toBe('4 mars 2027')
    expect(plain(heure(new Date('2027-03-03T13:05:00Z'), ZONE))).toBe('14 h 05')
    expect(plain(heure(new Date('2027-07-03T22:00:00Z'), ZONE))).toBe('0 h 00')
    expect(plain(jourEtHeure(new Date('2026-12-31T23:30:00Z'), ZONE))).toBe('1er janvier 2027 à 0 h 30')
    expect(jourDeChamp(new Date('2026-12-31T23:30:00Z'), ZONE)).toBe('2027-01-01')
  })
  test('ce qui est récent se dit en jours du calendrier', () => {
    const now = new Date('2027-03-03T09:00:00Z')
    const ago = (iso: string) => plain(ilYA(new Date(iso), now, ZONE))
    expect(ago('2027-03-03T08:59:30Z')).toBe('à l’instant')
    expect(ago('2027-03-03T08:40:00Z')).toBe('il y a 20 minutes')
    expect(ago('2027-03-03T06:40:00Z')).toBe('aujourd’hui à 7 h 40')
    expect(ago('2027-03-02T22:30:00Z')).toBe('hier à 23 h 30')
    expect(ago('2027-02-28T10:00:00Z')).toBe('il y a 3 jours')
    expect(ago('2026-12-01T10:00:00Z')).toBe('le 1er décembre 2026')
    expect(ago('2027-03-04T10:00:00Z')).toBe('le 4 mars 2027 à 11 h 00')
  })
  test('les nombres et les pluriels', () => {
    expect(plain(nombre(12345))).toBe('12 345')
    expect(plain(euros(1250))).toBe('12,50 €')
    expect(plain(pluriel(0, 'démarche'))).toBe('0 démarche')
    expect(plain(pluriel(1, 'démarche'))).toBe('1 démarche')
    expect(plain(pluriel(2, 'démarche'))).toBe('2 démarches')
    expect(pluriel(0, 'démarche', 'démarches', 'Aucune démarche')).toBe('Aucune démarche')
  })
})

test('un thème ne donne en exemple aucune démarche que le catalogue range dans un autre', () => {
  const found = THEMATIQUES.flatMap((thematique) =>
    THEMATIQUE[thematique].exemples
      .split(', ')
      .filter((exemple) => exemple.includes(' '))
      .flatMap((exemple) => CATALOGUE.filter(({ libelle }) => libelle.includes(exemple)))
      .map(({ libelle, thematique: rangee }) => [libelle, thematique === rangee]),
  )
  expect(found.length).toBeGreaterThan(5)
  expect(found.filter(([, same]) => !same)).toEqual([])
})

test('qui a trop essayé sait combien attendre', () => {
  const said = (retryAfter?: number) => errorPage({ status: 429, reference: 'A1', retryAfter })
  expect(said(700)).toContain('Attendez 12\u00a0minutes, puis')
  expect(said(20)).toContain('Attendez une minute, puis')
  expect(said(48_600)).toContain('Attendez 14\u00a0heures, puis')
  expect(said()).toContain('Attendez un quart d’heure, puis')
})

test('un fichier pour tableur : marque UTF-8, points-virgules, guillemets, et aucune cellule qui serait une formule', () => {
  expect(csv([['a', 'b;"c"\n'], ['é']])).toBe('\ufeff"a";"b;""c""\n"\r\n"é"\r\n')
  for (const formule of ['=1', '+1', '-1', '@x', '\t=1', ' =1', '\u200b=1', '＝1', '\nx'])
    expect(csv([[formule]])).toBe(`\ufeff"'${formule}"\r\n`)
})
