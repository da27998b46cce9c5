import { type Html, html, type Words } from './html.ts'
import { type Icon, icon } from './icon.ts'
import { ETAT, type Etat } from './words.ts'

type AlertKind = 'info' | 'warning' | 'refused' | 'success'
const DRAWING = { info: 'information', warning: 'attention', refused: 'attention', success: 'fait' } as const satisfies Record<
  AlertKind,
  Icon
>

/** Something to read before the rest. `refused` (the default) is said at once by screen readers. */
export const alert = (title: Words, text?: Words | undefined, kind: AlertKind = 'refused'): Html =>
  html`<div class="alert ${kind}" role="${kind === 'refused' ? 'alert' : 'status'}"><h2>${icon(DRAWING[kind])}<span>${title}</span></h2>${text && html`<div>${text}</div>`}</div>`

/** What has just been done, after a redirect. */
export const success = (title: Words, text?: Words | undefined): Html => alert(title, text, 'success')

/** The state of a mandat: words and a link drawn whole, paused or open; never colour alone. */
export const etat = (state: Etat, words: Words = ETAT[state]): Html =>
  html`<span class="etat ${state}">${lien(state)}<span>${words}</span></span>`

const TRAIT = { actif: 'M14 8h12', suspendu: 'M16.5 8h.01M23.5 8h.01', expire: '', termine: '' } as const satisfies Record<
  Etat,
  string
>

/** Two dots and what joins them: a hyphen in force, two points when paused, nothing when ended. */
export const lien = (state: Etat): Html =>
  html`<svg class="lien ${state}" aria-hidden="true" viewBox="0 0 40 16" width="40" height="16"><circle cx="5" cy="8" r="5"></circle>${TRAIT[state] && html`<path d="${TRAIT[state]}"></path>`}<circle cx="35" cy="8" r="5"></circle></svg>`
