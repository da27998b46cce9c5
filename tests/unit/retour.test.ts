import { expect, test } from 'vitest'
import { retourPage } from '../../views/mandat/retour.ts'
import { expectValidHtml } from '../support/html.ts'

test.each([
  'espace',
  'reunion',
  'telephone',
] as const)('sans prénom, nom ou naissance (%s), la personne n’est pas renvoyée à FranceConnect, qui redirait la même chose', async (but) => {
  for (const refusal of ['prenom_manquant', 'nom_manquant', 'naissance_manquante'] as const) {
    const html = retourPage({ frame: { space: 'public' }, refusal, but })
    await expectValidHtml(html)
    expect(html).not.toMatch(/Réessayer|nouveau carré/)
    expect(html).toMatch(/même réponse.*la structure/s)
    // On the telephone that she was handed the square on, she was not opening her space.
    expect(html.includes('href="/mon-espace/code"')).toBe(but !== 'telephone')
  }
  expect(retourPage({ frame: { space: 'public' }, refusal: 'annule', but })).toMatch(/Réessayer|nouveau carré/)
})
