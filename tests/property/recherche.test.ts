import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Db, openDb } from '../../src/db.ts'
import { lireRecherche } from '../../src/usager/forms.ts'
import { mots, naissanceCertaine } from '../../src/usager/identite.ts'
import { listPersonnes, PAGE } from '../../src/usager/queries.ts'
import { freshDatabase, type TestDatabase } from '../support/database.ts'

/** The search against its simplest model: every person whose names hold, for each word typed, a word that begins so. */

type Someone = { id: string; prenoms: string[]; nomNaissance: string; nomUsage: string | null; birthdate: string; ici: boolean }

const HERE = '11111111-0000-4000-8000-000000000001'
const THERE = '11111111-0000-4000-8000-000000000002'
const AIDANT = '22222222-0000-4000-8000-000000000001'

const syllable = fc.constantFrom(
  'ma',
  'mar',
  'Mar',
  'tin',
  'é',
  'Ély',
  'ô',
  'ç',
  'ñu',
  'œu',
  'Ær',
  'ß',
  'ø',
  'li',
  'ne',
  'Dû',
  'o',
  'ÿ',
)
const word = fc.array(syllable, { minLength: 1, maxLength: 3 }).map((all) => all.join(''))
const glue = fc.constantFrom(' ', '-', '’', "'", ' - ')
const name = fc.tuple(word, fc.option(fc.tuple(glue, word))).map(([first, more]) => first + (more ? more.join('') : ''))
const birth = fc
  .tuple(fc.integer({ min: 1949, max: 1951 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 4 }))
  .map(([year, month, day]) => naissanceCertaine(`${year}-${two(month)}-${two(day)}`))
/** As the pages write them, or as one does in a hurry. */
const MOIS = ['janvier', 'févr.', 'Mars', 'avril']
const two = (n: number) => String(n).padStart(2, '0')
const someone = fc.record({
  id: fc.uuid({ version: 4 }),
  prenoms: fc.array(word, { minLength: 1, maxLength: 3 }),
  nomNaissance: name,
  nomUsage: fc.option(name),
  birthdate: birth,
  ici: fc.boolean(),
})

let database: TestDatabase
let db: Db
let people: Someone[]
beforeAll(async () => {
  database = await freshDatabase()
  db = openDb({ url: database.url, connections: 1 })
  people = fc.sample(someone, { numRuns: 240, seed: 20_261_121 })
  await database.adminSql.begin(async (sql) => {
    await sql`insert into aidant (id, email, prenom, nom) values (${AIDANT}, 'awa@exemple.fr', 'Awa', 'Diallo')`
    for (const [id, siret] of [
      [HERE, '26460001200015'],
      [THERE, '26460001200023'],
    ] as const) {
      await sql`insert into structure (id, nom, siret, adresse, telephone) values (${id}, 'CCAS', ${siret}, '1 rue du Four', '0565500540')`
      await sql`insert into habilitation (aidant_id, structure_id) values (${AIDANT}, ${id})`
    }
    for (const { id, prenoms, nomNaissance, nomUsage, birthdate, ici } of people) {
      await sql`
        insert into usager (id, sub, prenoms, nom_naissance, nom_usage, birthdate)
        values (${id}, ${id}, ${prenoms}, ${nomNaissance}, ${nomUsage}, ${birthdate})`
      await sql`insert into dossier (structure_id, usager_id) values (${ici ? HERE : THERE}, ${id})`
    }
  })
})
afterAll(async () => {
  await db.close()
  await database.drop()
})

/** Every page of a search, each with its length. */
async function searchAll(saisie: string): Promise<{ ids: string[]; pages: number[] }> {
  const ids: string[] = []
  const pages: number[] = []
  for (let apres: string | undefined; ; ) {
    const page = await db.tx({ kind: 'aidant', aidantId: AIDANT, structureId: HERE }, (tx) =>
      listPersonnes(tx, lireRecherche(saisie), apres),
    )
    ids.push(...page.personnes.map(({ id }) => id))
    pages.push(page.personnes.length)
    if (!page.suivant) return { ids, pages }
    apres = page.suivant
  }
}

const wordsOf = ({ prenoms, nomNaissance, nomUsage }: Someone) => mots([...prenoms, nomNaissance, nomUsage ?? ''].join(' '))
const idsOf = (holds: (one: Someone) => boolean) =>
  people
    .filter((one) => one.ici && holds(one))
    .map(({ id }) => id)
    .sort()

describe('la recherche d’une personne', () => {
  it('trouve toutes celles de la structure dont le nom a ces débuts de mots, une fois chacune, et aucune autre', async () => {
    const saisie = fc
      .array(
        word.chain((whole) => fc.integer({ min: 1, max: whole.length }).map((length) => whole.slice(0, length))),
        { minLength: 1, maxLength: 3 },
      )
      .chain((words) => glue.map((between) => words.join(between)))
    await fc.assert(
      fc.asyncProperty(saisie, async (typed) => {
        const asked = mots(typed)
        const { ids, pages } = await searchAll(typed)
        expect(ids.toSorted()).toEqual(
          idsOf((one) => asked.length > 0 && asked.every((mot) => wordsOf(one).some((held) => held.startsWith(mot)))),
        )
        expect(pages.slice(0, -1).every((length) => length === PAGE)).toBe(true)
      }),
      { numRuns: 150 },
    )
  })

  it('… quels que soient les accents, la casse et l’écriture des lettres', async () => {
    const mine = people.filter(({ ici }) => ici)
    const written = fc.constantFrom<(text: string) => string>(
      (text) => text,
      (text) => text.toUpperCase(),
      (text) => text.normalize('NFD'),
      (text) => text.normalize('NFD').replace(/\p{M}/gu, ''),
      (text) => `  ${text} `,
    )
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...mine), written, async (one, write) => {
        expect((await searchAll(write(`${one.nomNaissance} ${one.prenoms[0]}`))).ids).toContain(one.id)
      }),
      { numRuns: 80 },
    )
  })

  it('une date trouve qui est née ce jour-là, ou dont on ne sait que le mois ou l’année', async () => {
    const writings: [
      (y: string, m: string, d: string) => string,
      (birthdate: string, y: string, m: string, d: string) => boolean,
    ][] = [
      [(y, m, d) => `${d}/${m}/${y}`, (born, y, m, d) => [y, `${y}-${m}`, `${y}-${m}-${d}`].includes(born)],
      [(y, m, d) => `${Number(d)}.${Number(m)}.${y}`, (born, y, m, d) => [y, `${y}-${m}`, `${y}-${m}-${d}`].includes(born)],
      [(y, m, d) => `${d}${m}${y}`, (born, y, m, d) => [y, `${y}-${m}`, `${y}-${m}-${d}`].includes(born)],
      [(y, m, d) => `${y}-${m}-${d}`, (born, y, m, d) => [y, `${y}-${m}`, `${y}-${m}-${d}`].includes(born)],
      [
        (y, m, d) => `${Number(d)} ${MOIS[Number(m) - 1]} ${y}`,
        (born, y, m, d) => [y, `${y}-${m}`, `${y}-${m}-${d}`].includes(born),
      ],
      [(y, m, d) => `${d}${m}${y.slice(2)}`, (born, y, m, d) => [y, `${y}-${m}`, `${y}-${m}-${d}`].includes(born)],
      [(y, m) => `${MOIS[Number(m) - 1]} ${y}`, (born, y, m) => born === y || born.startsWith(`${y}-${m}`)],
      [(y, m) => `${m}${y}`, (born, y, m) => born === y || born.startsWith(`${y}-${m}`)],
      [(y, m) => `${m}/${y}`, (born, y, m) => born === y || born.startsWith(`${y}-${m}`)],
      [(y, m) => `${Number(m)} ${y}`, (born, y, m) => born === y || born.startsWith(`${y}-${m}`)],
      [(y, m) => `${y}-${m}`, (born, y, m) => born === y || born.startsWith(`${y}-${m}`)],
      [(y) => y, (born, y) => born.startsWith(y)],
    ]
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...writings),
        fc.integer({ min: 1948, max: 1951 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 5 }),
        async ([write, holds], year, month, day) => {
          const [y, m, d] = [String(year), two(month), two(day)]
          expect((await searchAll(write(y, m, d))).ids.toSorted()).toEqual(idsOf(({ birthdate }) => holds(birthdate, y, m, d)))
        },
      ),
      { numRuns: 150 },
    )
  })

  it('sans rien taper, donne toute la structure dans l’ordre des noms', async () => {
    const { ids } = await searchAll('')
    expect(ids.toSorted()).toEqual(idsOf(() => true))
    const rows = await database.adminSql<{ id: string }[]>`
      select usager_id as id from dossier where structure_id = ${HERE} order by tri, usager_id`
    expect(ids).toEqual(rows.map(({ id }) => id))
  })

  it('ne cherche pas une date à moitié tapée, ni des signes', async () => {
    for (const typed of [
      '1',
      '12/',
      '12/03/',
      '12/03/19',
      '31/02/1950',
      '12 mar',
      '12 mars',
      '12 mars 19',
      '31 février 1950',
      '12034',
      '13/1950',
      '0000',
      '9999',
      '00/1950',
      '...',
      '-',
      '’’',
      '#%_*',
    ])
      expect(await searchAll(typed), typed).toEqual({ ids: [], pages: [0] })
  })

  it('rend toujours une liste, quoi qu’on tape et où qu’on dise en être', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 120 }), fc.uuid(), async (typed, apres) => {
        const who = { kind: 'aidant', aidantId: AIDANT, structureId: HERE } as const
        const { personnes } = await db.tx(who, (tx) => listPersonnes(tx, lireRecherche(typed), apres))
        const first = await db.tx(who, (tx) => listPersonnes(tx, lireRecherche(typed), undefined))
        // Nobody of ours has that identifier: the first page.
        expect(personnes.map(({ id }) => id)).toEqual(first.personnes.map(({ id }) => id))
      }),
      { numRuns: 100 },
    )
  })
})
