import { type Html, html } from '../kit/html.ts'

/** The same page in large type, to turn the screen to the person; and back. `more`: the rest of the address. */
export const ecriture = (grande: boolean, more: Readonly<Record<string, string>> = {}): Html => {
  const search = new URLSearchParams(grande ? more : { ...more, ecriture: 'grande' }).toString()
  return html`<p><a href="?${search}">${grande ? 'Écriture ordinaire' : 'Grande écriture'}</a></p>`
}
