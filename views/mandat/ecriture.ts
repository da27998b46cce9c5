import { button } from '../kit/form.ts'
import { type Html, html } from '../kit/html.ts'

/** The same page in large type, to turn the screen to the person; and back. `more`: the rest of the address. */
export const ecriture = (grande: boolean, more: Readonly<Record<string, string>>): Html => {
  const search = new URLSearchParams(grande ? more : { ...more, ecriture: 'grande' }).toString()
  return html`<p><a href="?${search}">${nom(grande)}</a></p>`
}

/** The same inside a form half filled: it is sent, and comes back with its answers. */
export const ecritureGardee = (grande: boolean): Html =>
  html`<p>${button(nom(grande), { name: 'reponse', value: 'relire', kind: 'link', action: grande ? '?relire=oui' : '?relire=oui&ecriture=grande' })}</p>`

const nom = (grande: boolean) => (grande ? 'Écriture ordinaire' : 'Grande écriture')
