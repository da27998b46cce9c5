import { attributes, type Html, html, type Words } from './html.ts'

export type Column<Row> = {
  head: string
  cell: (row: Row) => Words | number | undefined | false
  /** Right-aligned figures. */
  number?: boolean | undefined
}

/** A table; on a phone each row becomes a card whose first column is the title. `caption` is compulsory (hidden with `quiet`). */
export const table = <Row>(options: {
  caption: string
  quiet?: boolean | undefined
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  /** What is said when there is no row. */
  empty: Words
}): Html => {
  if (options.rows.length === 0) return html`<p class="empty">${options.empty}</p>`
  return html`<table class="cards"><caption${attributes({ class: options.quiet && 'sr' })}>${options.caption}</caption><thead><tr>${options.columns.map(
    ({ head, number }) => html`<th scope="col"${attributes({ class: number && 'number' })}>${head}</th>`,
  )}</tr></thead><tbody>${options.rows.map(
    (row) =>
      html`<tr>${options.columns.map((column, index) => {
        const cell = column.cell(row)
        return index === 0
          ? html`<th scope="row">${cell}</th>`
          : html`<td${attributes({ 'data-label': column.head, class: column.number && 'number' })}><span>${cell}</span></td>`
      })}</tr>`,
  )}</tbody></table>`
}

/** A link to the page after; shows nothing when there is none. */
export const pagination = ({ next, label = 'Pages' }: { next: string | undefined; label?: string }): Html | undefined =>
  next
    ? html`<nav class="pages" aria-label="${label}"><ul><li><a href="${next}" rel="next">Page suivante</a></li></ul></nav>`
    : undefined

/** Facts by name (« Durée », « 31 jours »); a fact without value is left out. */
export const facts = (list: readonly { term: Words; value: Words | number | undefined | false | null }[]): Html =>
  html`<dl class="facts">${list
    .filter(({ value }) => value !== undefined && value !== false && value !== null && value !== '')
    .map(({ term, value }) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>`

export type Moment = {
  /** Date and hour in words (`temps` of words.ts). */
  when: Words
  what: Words
  /** Who did it: person, aidant, structure are three facts. */
  who?: Words | undefined
  more?: Html | undefined
  /** `apart` for what is out of the ordinary (hors mandat, après coup, arrêt). */
  kind?: 'ordinary' | 'apart' | undefined
}

/** What happened, in order. */
export const timeline = (moments: readonly Moment[], empty: Words = 'Rien pour le moment.'): Html =>
  moments.length === 0
    ? html`<p class="empty">${empty}</p>`
    : html`<ol class="timeline">${moments.map(
        ({ when, what, who, more, kind }) =>
          html`<li${attributes({ class: kind === 'apart' && 'apart' })}><p class="when">${when}</p><p class="what">${what}</p>${who && html`<p class="by">${who}</p>`}${more}</li>`,
      )}</ol>`
