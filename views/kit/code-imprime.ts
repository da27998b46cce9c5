import { type Errors, input, type Values } from './form.ts'
import { type Html, html } from './html.ts'

/** What is typed from a paper: its code, and a year of birth. */
export const codeImprime = (labels: { code: string; annee: string }, values: Values, errors: Errors): Html => html`${input({
  name: 'code',
  label: labels.code,
  hint: 'Douze lettres et chiffres. Exemple : 7K3M\u2011RQXB\u20119F8T',
  maxlength: 40,
  size: 20,
  value: values.code,
  error: errors.code,
  attrs: { autocapitalize: 'characters', spellcheck: 'false' },
})}
    ${input({
      name: 'annee',
      label: labels.annee,
      hint: 'Quatre chiffres. Exemple : 1950',
      inputmode: 'numeric',
      maxlength: 10,
      size: 4,
      value: values.annee,
      error: errors.annee,
    })}`
