import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { LANGUES, type Lecture, lectureDe, lecturesOffertes } from '../../src/mandat/langues.ts'
import { explainPage } from '../../views/mandat/explain.ts'
import { expectValidHtml } from '../support/html.ts'

/** No translation of ours: only what is needed to lay a page out from right to left. */
const ARABE: Lecture = {
  langue: 'ar',
  version: 'ar-essai',
  relu: true,
  markdown: ({ structure }) => `# سلام\n\nسلام ${structure}\n\n- سلام`,
}
const BROUILLON: Lecture = { ...ARABE, langue: 'ps', version: 'ps-essai', relu: false }

const shown = (lecture: Lecture, offertes: readonly Lecture[] = [lecture], grande = false) =>
  explainPage({ frame: { space: 'aidant', grande }, structure: 'CCAS de Figeac', lecture, offertes, reprendre: false })

test('en service, seul ce qui a été relu est offert ; la démonstration montre aussi les brouillons', () => {
  const names = (demo: boolean) => lecturesOffertes(demo).map(({ langue }) => langue)
  expect(names(false)).toEqual(['fr'])
  expect(names(true)).toEqual(['fr', 'facile'])
  expect(lectureDe(undefined, false)?.langue).toBe('fr')
  expect(lectureDe('facile', false)).toBeUndefined()
  for (const langue of ['en', 'ar', 'prs', 'ps', 'xx', '', 'toString', '__proto__'])
    expect(lectureDe(langue, true)).toBeUndefined()
  const all = [...lecturesOffertes(false), ARABE, BROUILLON]
  expect(lecturesOffertes(false, all).map(({ langue }) => langue)).toEqual(['fr', 'ar'])
  expect(lectureDe('ps', false, all)).toBeUndefined()
})

test('chaque version dit que seul le français vaut', () => {
  for (const lecture of lecturesOffertes(true))
    expect(lecture.markdown({ structure: 'CCAS' })).toContain('Seul le texte en français a une valeur légale.')
})

test('une langue qui s’écrit de droite à gauche est posée ainsi, et dite telle', async () => {
  const html = shown(ARABE)
  expect(html).toMatch(/<div id="texte-lu" lang="ar" dir="rtl">/)
  expect(html).toMatch(/data-ecoute="ar"/)
  await expectValidHtml(html)
  for (const lecture of lecturesOffertes(true)) expect(shown(lecture)).not.toContain('dir="rtl"')
  expect(Object.values(LANGUES).filter(({ dir }) => dir === 'rtl')).toHaveLength(3)
})

test('un brouillon dit qu’il n’est pas relu, et rien d’autre ne le dit', async () => {
  expect(shown(BROUILLON)).toContain('Brouillon non relu')
  expect(shown(ARABE)).not.toContain('Brouillon non relu')
  await expectValidHtml(shown(BROUILLON, [ARABE, BROUILLON], true))
})

test('la grande écriture se garde d’une langue à l’autre', () => {
  const [fr, facile] = lecturesOffertes(true)
  const html = shown(facile!, [fr!, facile!], true)
  expect(html).toContain('<html lang="fr" class="grande">')
  expect(html).toContain('href="?ecriture=grande"')
  expect(html).toContain('href="?langue=facile&amp;ecriture=grande"')
  expect(html).toContain('href="?langue=facile">Écriture ordinaire')
})

test('en français facile, les phrases sont courtes', () => {
  const facile = lecturesOffertes(true).find(({ langue }) => langue === 'facile')!
  const phrases = facile.markdown({ structure: 'CCAS' }).split(/[.:\n]+/)
  for (const phrase of phrases) expect([phrase, phrase.split(/\s+/).length <= 16]).toEqual([phrase, true])
})

test('le français qui fait foi est lu même avant relecture, et ne se dit relu que si son fichier le dit', () => {
  const [fr] = lecturesOffertes(false)
  const text = readFileSync(new URL('../../src/mandat/textes/fr-3.md', import.meta.url), 'utf8')
  expect(text).toContain('aucun juriste ne l’a encore relue')
  expect(fr).toMatchObject({ langue: 'fr', faitFoi: true, relu: false })
  expect(shown(fr!)).not.toContain('Brouillon non relu')
})
