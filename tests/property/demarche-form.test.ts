import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  CANAUX,
  CATALOGUE,
  DUREES_MINUTES,
  ETAPES_QUI,
  MODES,
  MOTIFS_BLOCAGE,
  NATURES,
  PRESENCES,
  RESULTATS,
} from '../../src/demarche/demarche.ts'
import { AUTRE, demarcheForm, horsMandatForm } from '../../src/demarche/forms.ts'
import { THEMATIQUES } from '../../src/mandat/mandat.ts'
import { findSecret } from '../../src/sans-secret.ts'
import { expectValidHtml } from '../support/html.ts'
import { type Aidant, type Mandat, openStory, type Story } from '../support/story.ts'

let story: Story
let awa: Aidant
let mandat: Mandat
beforeAll(async () => {
  story = await openStory()
  const structure = await story.structure()
  awa = await story.aidant(structure)
  mandat = await story.mandat(awa, await story.usager([structure]), ['logement', 'papiers', 'social'])
  // An hour of the mandat is past, so that « faite le » has room.
  await story.database.travel(new Date(mandat.signedAt.getTime() + 3_600_000))
})
afterAll(() => story.close())

const address = (end: string) => `/mandats/${mandat.id}/demarches/${end}`
const rows = async () => [await story.count('demarche'), await story.count('demarche_contenu'), await story.count('journal')]

const names = [...new Set([...Object.keys(demarcheForm.shape), ...Object.keys(horsMandatForm.shape), 'inconnu', '__proto__'])]
const oneOf = (values: readonly (string | number)[]) => fc.constantFrom(...values.map(String))
const anything = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 100 }),
  oneOf([...RESULTATS, ...NATURES, ...PRESENCES, ...THEMATIQUES, ...CATALOGUE.slice(0, 10).map(({ code }) => code), AUTRE]),
  fc.uuid(),
  oneOf([
    '',
    ' ',
    '0',
    '-1',
    '1e9',
    'null',
    '12,50',
    '\u0000',
    '\ud800',
    "'; drop table demarche; --",
    '<script>',
    '2026-02-30',
    '9999-12-31T23:59',
    '1850-01-01T00:00',
    '31/12/2150 23:59',
  ]),
)

describe('le formulaire d’une démarche', () => {
  it('quoi qu’on envoie, ce n’est jamais une panne, et rien n’est écrit à moitié', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.array(fc.tuple(fc.constantFrom(...names), anything), { maxLength: 24 }),
          // Nearly right, so that it goes far.
          fc
            .tuple(complete, fc.array(fc.tuple(fc.constantFrom(...names), anything), { maxLength: 2 }))
            .map(([fields, others]) => Object.entries({ ...said(fields), ...Object.fromEntries(others) })),
        ),
        fc.constantFrom('nouvelle', 'hors-mandat'),
        async (fields, end) => {
          const [before] = await rows()
          const sent = await story.postBody(awa, address(end), new URLSearchParams(fields).toString())
          expect([303, 409, 422]).toContain(sent.status)
          const after = await rows()
          expect(after[0]! - before!).toBe(sent.status === 303 ? 1 : 0)
          expect(after[0]).toBe(after[1])
        },
      ),
      { numRuns: 300 },
    )
  })

  it('la page d’un refus reste une page valide, quoi qu’on ait tapé', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom(...names), anything), { maxLength: 12 }), async (fields) => {
        const sent = await story.postBody(awa, address('nouvelle'), new URLSearchParams(fields).toString())
        if (sent.status !== 303) await expectValidHtml(sent.html)
      }),
      // Nothing but a character that no field takes: refused, and nothing of it is left to show.
      { numRuns: 60, examples: [[names.map((name): [string, string] => [name, '\u0000'])]] },
    )
  })

  it('une réponse complète est toujours enregistrée, et une fois, même envoyée deux fois', async () => {
    await fc.assert(
      fc.asyncProperty(complete, fc.constantFrom('nouvelle', 'hors-mandat'), async (fields, end) => {
        const [demarches, contenus, lines] = await rows()
        // Drawn twice, it is another démarche that looks the same.
        const form = { ...fields, motif: 'Demandé par téléphone', encore: 'oui' }
        const sent = await story.post(awa, address(end), form)
        expect([sent.status, errorsOf(sent.html)]).toEqual([303, []])
        const again = await story.post(awa, address(end), form)
        expect([again.status, again.location]).toEqual([303, sent.location])
        expect(await rows()).toEqual([demarches! + 1, contenus! + 1, lines! + 1])
        expect(await kept(sent.location!.split('notee=')[1]!)).toMatchObject({
          resultat: fields.resultat,
          note: fields.note?.trim() || null,
          duree_minutes: fields.duree ? Number(fields.duree) : null,
          montant_centimes: fields.montant ? Math.round(Number(fields.montant.replace(',', '.')) * 100) : null,
        })
      }),
      { numRuns: 200 },
    )
  })
})

const said = (fields: Record<string, string | undefined>) =>
  Object.fromEntries(Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined))
const errorsOf = (html: string) => [...html.matchAll(/<a href="#champ-[^"]+">([^<]+)/g)].map(([, words]) => words)
const kept = async (id: string) => {
  const [row] = await story.database.adminSql`
    select d.resultat, c.note, d.duree_minutes, c.montant_centimes
    from demarche d
    join demarche_contenu c on c.demarche_id = d.id
    where d.id = ${id}`
  return row
}

const letters = [..."abcdefghijklmnopqrstuvwxyzéèàçœÉ0123456789 '’-,.;()!?«»"]
const words = (max: number) =>
  fc
    .string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: max })
    .map((text) => text.trim() || 'x')
    .filter((text) => findSecret(text) === undefined)
const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined })
const inside = CATALOGUE.filter(({ thematique }) => ['logement', 'papiers', 'social'].includes(thematique)).map(
  ({ code }) => code,
)
const local = (at: Date) =>
  new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Paris', dateStyle: 'short', timeStyle: 'short' })
    .format(at)
    .replace(' ', 'T')

const complete = fc
  .record({
    envoi: fc.uuid(),
    what: fc.oneof(
      oneOf(inside).map((demarche) => ({ demarche })),
      fc.record({
        demarche: fc.constantFrom(undefined, AUTRE),
        titre: words(80),
        thematique: oneOf(['logement', 'papiers', 'social']),
      }),
    ),
    resultat: oneOf(RESULTATS),
    minutes: maybe(fc.integer({ min: 0, max: 60 })),
    nature: maybe(oneOf(NATURES)),
    mode: maybe(oneOf(MODES)),
    presence: maybe(oneOf(PRESENCES)),
    canal: maybe(oneOf(CANAUX)),
    duree: maybe(oneOf(DUREES_MINUTES)),
    administration: maybe(words(80)),
    motifBlocage: maybe(oneOf(MOTIFS_BLOCAGE)),
    reference: maybe(words(40)),
    montant: maybe(
      fc
        .tuple(fc.nat(999_998), fc.integer({ min: 1, max: 99 }))
        .map(([euros, cents]) => `${euros},${String(cents).padStart(2, '0')}`),
    ),
    etape: maybe(
      fc.record({
        etapeQuoi: words(120),
        etapeQui: maybe(oneOf(ETAPES_QUI)),
        etapeQuand: maybe(fc.constantFrom('2027-02-28', '1/3/2027')),
      }),
    ),
    orientation: maybe(words(120)),
    note: maybe(words(280)),
  })
  // Money, and payments, are only ever in her presence; with her, she is there or at least knows.
  .map(({ what, etape, minutes, ...rest }) => ({
    ...rest,
    ...what,
    ...(rest.resultat === 'a_faire_par_la_personne' && { etapeQuoi: 'Signer' }),
    ...etape,
    faiteLe: minutes === undefined ? undefined : local(new Date(mandat.signedAt.getTime() + minutes * 60_000)),
    presence:
      rest.montant || rest.nature === 'paiement' || (rest.presence === 'absente' && rest.mode !== 'a_sa_place')
        ? 'presente'
        : rest.presence,
  })) as fc.Arbitrary<Record<string, string | undefined> & { envoi: string; resultat: string }>
