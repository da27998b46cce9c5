import { lien } from './alert.ts'
import { attributes, type Html, html, type Words } from './html.ts'
import type { Etat } from './words.ts'

/** A block with a title; the person's pages show one per mandat. `state` draws the link between the person and the structure. */
export const card = (options: {
  title: Words
  level?: 2 | 3 | undefined
  state?: Etat | undefined
  body: Html
  foot?: Html | undefined
}): Html => {
  const title = html`${options.state && lien(options.state)}<span>${options.title}</span>`
  return html`<article class="card${options.state ? ` mandat ${options.state}` : ''}">${
    options.level === 3 ? html`<h3>${title}</h3>` : html`<h2>${title}</h2>`
  }${options.body}${options.foot && html`<div class="foot">${options.foot}</div>`}</article>`
}

/** A sentence the person must be able to read from afar, or have read to her. */
export const sentence = (words: Words): Html => html`<p class="sentence">${words}</p>`

/** The text of an explanation, read aloud together: very large. */
export const aloud = (body: Html): Html => html`<div class="aloud">${body}</div>`

/** Where one is in a journey: « Étape 2 sur 5 : Choisir ». For Frame.above. */
export const step = (number: number, names: readonly string[]): Html =>
  html`<p class="step"><span>Étape ${number} sur ${names.length}</span> <strong>${names[number - 1]}</strong></p><div class="steps" aria-hidden="true">${names.map(
    (_, index) => html`<i class="${index < number ? 'done' : ''}"></i>`,
  )}</div>`

/** A link back. For Frame.above. */
export const back = (label: Words, href: string): Html => html`<p class="back"><a href="${href}">${label}</a></p>`

/** More to read for who wants it; closed at first, unless something there was changed or is to be mended. */
export const more = (summary: Words, body: Html, open = false): Html =>
  html`<details class="more"${attributes({ open })}><summary>${summary}</summary><div>${body}</div></details>`
