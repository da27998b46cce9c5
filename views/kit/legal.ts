import type { Bloc } from '../../src/mandat/texte.ts'
import { type Html, html } from './html.ts'
import { telephoneAAppeler } from './words.ts'

/** Our legal Markdown laid out; its first title becomes a heading of level `top`. */
export const legal = (blocs: readonly Bloc[], top: 2 | 3): Html =>
  html`${blocs.map((bloc) => {
    if ('paragraphe' in bloc) return html`<p>${bloc.paragraphe}</p>`
    if ('liste' in bloc) return html`<ul>${bloc.liste.map((line) => html`<li>${line}</li>`)}</ul>`
    const level = top + bloc.niveau - 1
    return level === 2 ? html`<h2>${bloc.titre}</h2>` : level === 3 ? html`<h3>${bloc.titre}</h3>` : html`<h4>${bloc.titre}</h4>`
  })}`

/** Whom to turn to when nobody answers. */
export const defenseurDesDroits = html`<p>Vous pouvez écrire au Défenseur des droits, c’est gratuit : <a href="https://formulaire.defenseurdesdroits.fr/">formulaire en ligne</a>, téléphone ${telephoneAAppeler('09 69 39 00 00')}, ou courrier sans timbre : Défenseur des droits, Libre réponse 71120, 75342 Paris CEDEX 07.</p>`
