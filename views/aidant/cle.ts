import { button, form, hidden } from '../kit/form.ts'
import { type Html, html } from '../kit/html.ts'

/** Asks the browser for a passkey, with the options given, then sends `fields`. Hidden where the browser has none, or no JavaScript. */
export const demanderCle = (options: string, label: string, { fields, creer }: { fields?: Html; creer?: boolean } = {}): Html =>
  html`${form(
    { attrs: { 'data-cle': creer ? 'creer' : 'signer', 'data-options': options, hidden: true } },
    html`${fields}${hidden('signature', '')}${button(label)}<p role="status" hidden>La clé d’accès n’a pas répondu. Vous pouvez essayer encore.</p>`,
  )}<noscript><p>Une clé d’accès demande JavaScript.</p></noscript>`

/** A button that leads to where a passkey is asked for; hidden likewise. */
export const allerALaCle = (label: string, action: string): Html =>
  form({ action, attrs: { 'data-cle': 'aller', hidden: true } }, button(label, { kind: 'secondary' }))
