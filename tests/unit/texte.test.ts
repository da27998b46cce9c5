import { expect, test } from 'vitest'
import { THEMATIQUES } from '../../src/mandat/mandat.ts'
import { blocs, explication, TEXTE_COURANT, texte, texteDuMandat, type Valeurs } from '../../src/mandat/texte.ts'

const valeurs: Valeurs = {
  structure: 'CCAS de Figeac',
  siret: '264 600 012 00017',
  thematiques: ['logement', 'argent'],
  fin: '3 mars 2027',
  adresse: 'https://mandats.exemple.fr/mon-espace',
}
const lu = (over: Partial<Valeurs> = {}) => texteDuMandat(TEXTE_COURANT, { ...valeurs, ...over })

test('un texte publié ne change plus d’une lettre : on écrit une nouvelle version', () => {
  expect(texte('fr-1')?.sha256).toBe('48cc8a5a68497d6f2c7394fc8a288e3d48fe23cf0b773dd8afd1164a208e05a8')
  expect(texte('fr-2')?.sha256).toBe('ee186ff6a979304b79bee96eedf6c098e6ab154d1f63f8edc45e2a00d5e3c1da')
  expect(texte('fr-3')?.sha256).toBe('32ccfcd956091c1fbb5f1f1429a013df60f9e4242c692dc084b65bf6eab9f7d7')
})

test('le texte courant existe, et se dit provisoire tant qu’il n’est pas relu', () => {
  expect(texte(TEXTE_COURANT)?.projet).toBe(true)
  expect(lu()).toContain('doit être relu par un juriste')
  expect(texte('fr-0')).toBeUndefined()
  expect(() => explication('fr-0', valeurs)).toThrow('no version')
})

test('dit la conservation comme elle se fait : du dernier mandat, et non de celui-ci', () => {
  expect(lu()).toContain('six ans après la fin de votre dernier mandat')
  expect(texteDuMandat('fr-2', valeurs)).toContain('six ans après la fin. La liste')
})

test('ne nomme que les thématiques accordées', () => {
  const themes = (text: string) => text.slice(text.indexOf('## Pour quelles'), text.indexOf('## Jusqu’à quand'))
  expect(themes(lu()).match(/^- (\p{L}+)/gmu)).toEqual(['- Logement', '- Argent'])
  expect(themes(lu({ thematiques: THEMATIQUES })).match(/^- /gm)).toHaveLength(THEMATIQUES.length)
  expect(lu()).not.toContain('[')
})

test('dit la structure, la fin et l’adresse, sans rien laisser à remplir', () => {
  const text = lu()
  for (const said of [valeurs.structure, valeurs.siret, 'jusqu’au 3 mars 2027 au soir', valeurs.adresse])
    expect(text).toContain(said)
  expect(text + explication(TEXTE_COURANT, valeurs)).not.toMatch(/[{}]/)
})

test('un nom de structure ne peut ni ajouter un paragraphe ni se remplir lui-même', () => {
  const text = lu({ structure: 'CCAS\n\n# Titre {fin}' })
  expect(text).toContain('« la structure » est CCAS # Titre {fin}, SIRET')
  expect(blocs(text)).toHaveLength(blocs(lu()).length)
})

test('se découpe en titres, paragraphes et listes, sans rien perdre', () => {
  const text = lu()
  const all = blocs(text)
  const words = (value: string) => value.replace(/[#\s-]+/g, '')
  expect(
    words(all.map((bloc) => ('titre' in bloc ? bloc.titre : 'liste' in bloc ? bloc.liste.join('') : bloc.paragraphe)).join('')),
  ).toBe(words(text))
  expect(all[0]).toEqual({ titre: 'Mandat pour vos démarches administratives', niveau: 1 })
  for (const bloc of all) if ('paragraphe' in bloc) expect(bloc.paragraphe).not.toMatch(/\n|^[#-]/)
})

test('n’emploie aucun des mots interdits, et dit que seul le français vaut', () => {
  for (const text of [lu({ thematiques: THEMATIQUES }), explication(TEXTE_COURANT, valeurs)]) {
    expect(text).not.toMatch(/consent|signature électronique|illectron|exclu|usager/i)
    expect(text).toContain('Seul le texte en français a une valeur légale.')
  }
})
