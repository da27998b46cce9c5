import { type Attributes, attributes, type Html, html, type Words } from './html.ts'
import { type Icon, icon } from './icon.ts'

/** What was typed, as a form sends it; kept as it was when the form is shown again. */
type Value = string | readonly string[] | undefined
export type Values = Record<string, string | string[] | undefined>
/** First error of each field, a French sentence, in the order of the fields. */
export type Errors = Record<string, string | undefined>

type Field = {
  name: string
  label: Words
  hint?: Words | undefined
  value?: Value
  error?: string | undefined
  /** Adds « (facultatif) »; every other field is marked as required. */
  optional?: boolean | undefined
  /** When two forms of a page have the same field. Default: `champ-` + name. */
  id?: string | undefined
}

export type Choice = {
  value: string
  label: Words
  hint?: Words | undefined
  icon?: Icon | undefined
  /** A warning shown in the card (argent: the person signs a surendettement file herself). */
  warning?: Words | undefined
}
/** Choices in order: either `{ value: label }` (the tables of words.ts) or full choices. */
type Choices = Readonly<Record<string, string>> | readonly Choice[]

type InputKind = 'text' | 'email' | 'tel' | 'search' | 'date' | 'datetime-local' | 'code'

const fieldId = (field: { name: string; id?: string | undefined }) => field.id ?? `champ-${field.name}`
const first = (value: Value): string => (typeof value === 'string' ? value : (value?.[0] ?? ''))
const has = (value: Value, one: string): boolean => (typeof value === 'string' ? value === one : (value?.includes(one) ?? false))

const hintOf = (id: string, hint: Words | undefined) => hint && html`<p class="hint" id="${id}-aide">${hint}</p>`
const errorOf = (id: string, error: string | undefined) =>
  error && html`<p class="error" id="${id}-erreur">${icon('attention')}<span><span class="sr">Erreur : </span>${error}</span></p>`
const describedBy = (id: string, hint: unknown, error: unknown) =>
  [hint && `${id}-aide`, error && `${id}-erreur`].filter(Boolean).join(' ') || undefined
const facultatif = (optional: boolean | undefined) => optional && html` <span class="optional">(facultatif)</span>`

const around = (field: Field & { type?: InputKind | undefined }, id: string, hint: Words | undefined, control: Html) =>
  html`<div class="field${field.error ? ' refused' : ''}"><label for="${id}">${field.label}${facultatif(field.optional && field.type !== 'search')}</label>${hintOf(id, hint)}${errorOf(id, field.error)}${control}</div>`

/**
 * One line to type. `code` is a six-digit code (numbers keyboard, filled in from the message received).
 * `attrs` takes the rest (min, max, list…).
 */
export const input = (
  field: Field & {
    type?: InputKind | undefined
    autocomplete?: string | undefined
    inputmode?: 'text' | 'numeric' | 'decimal' | 'tel' | 'email' | 'search' | undefined
    maxlength?: number | undefined
    /** Width in characters expected: a short answer gets a short box. */
    size?: 4 | 8 | 12 | 20 | undefined
    attrs?: Attributes | undefined
  },
): Html => {
  const id = fieldId(field)
  const type = field.type ?? 'text'
  const code = type === 'code'
  return around(
    field,
    id,
    field.hint,
    html`<input${attributes({
      id,
      name: field.name,
      type: code ? 'text' : type,
      value: first(field.value),
      autocomplete: field.autocomplete ?? (code ? 'one-time-code' : 'off'),
      inputmode: field.inputmode ?? (code ? 'numeric' : undefined),
      maxlength: field.maxlength,
      class: code ? 'w8 code' : field.size && `w${field.size}`,
      spellcheck: code || type === 'email' ? 'false' : undefined,
      autocapitalize: code || type === 'email' ? 'none' : undefined,
      required: !field.optional,
      'aria-invalid': field.error && 'true',
      'aria-describedby': describedBy(id, field.hint, field.error),
      ...field.attrs,
    })}>`,
  )
}

/** Several lines; says how many characters are allowed, and how many are left when shown again. */
export const textarea = (field: Field & { maxlength: number; rows?: number | undefined }): Html => {
  const id = fieldId(field)
  const value = first(field.value)
  const left = field.maxlength - value.length
  const count =
    value === ''
      ? `${field.maxlength} caractères au plus`
      : left < 0
        ? `${-left} caractères de trop`
        : `Encore ${left} caractères possibles`
  const hint = html`${field.hint && html`${field.hint} `}<span class="count" data-maxlength="${field.maxlength}">${count}.</span>`
  return around(
    field,
    id,
    hint,
    html`<textarea${attributes({
      id,
      name: field.name,
      rows: field.rows ?? 4,
      maxlength: field.maxlength,
      autocomplete: 'off',
      required: !field.optional,
      'aria-invalid': field.error && 'true',
      'aria-describedby': describedBy(id, hint, field.error),
    })}>
${value}</textarea>`,
  )
}

export const select = (
  field: Field & {
    options: Choices /** First line, chosen when nothing is: « Choisir… » by default, false for none. */
    empty?: string | false | undefined
  },
): Html => {
  const id = fieldId(field)
  const empty = field.empty ?? (field.optional ? 'Non précisé' : 'Choisir…')
  return around(
    field,
    id,
    field.hint,
    html`<select${attributes({
      id,
      name: field.name,
      required: !field.optional && empty !== false,
      'aria-invalid': field.error && 'true',
      'aria-describedby': describedBy(id, field.hint, field.error),
    })}>${empty !== false && html`<option value="">${empty}</option>`}${choices(field.options).map(
      ({ value, label }) => html`<option${attributes({ value, selected: has(field.value, value) })}>${label}</option>`,
    )}</select>`,
  )
}

type Group = Omit<Field, 'label'> & {
  legend: Words
  options: Choices /** The legend is the page's question: written large. */
  large?: boolean | undefined
}

const choices = (options: Choices): readonly Choice[] =>
  Array.isArray(options)
    ? (options as readonly Choice[])
    : Object.entries(options as Record<string, string>).map(([value, label]) => ({ value, label }))

const group = (field: Group, type: 'radio' | 'checkbox', look: string): Html => {
  const id = fieldId(field)
  const radio = type === 'radio'
  return html`<fieldset${attributes({
    class: `field ${look}${field.error ? ' refused' : ''}`,
    role: radio && 'radiogroup',
    'aria-required': radio && !field.optional && 'true',
    'aria-invalid': radio && field.error && 'true',
    'aria-describedby': describedBy(id, field.hint, field.error),
  })}><legend${attributes({ class: field.large && 'large' })}>${field.legend}${facultatif(field.optional)}</legend>${hintOf(id, field.hint)}${errorOf(id, field.error)}<div class="choices">${choices(
    field.options,
  ).map((choice, index) => {
    const one = index === 0 ? id : `${id}-${index + 1}`
    const help = choice.hint || choice.warning
    return html`<div class="choice"><input${attributes({
      id: one,
      type,
      name: field.name,
      value: choice.value,
      checked: has(field.value, choice.value),
      'aria-invalid': !radio && field.error && 'true',
      'aria-describedby': help && `${one}-aide-choix`,
    })}><label for="${one}">${choice.icon && icon(choice.icon)}<span>${choice.label}</span></label>${
      help &&
      html`<div class="choice-help" id="${one}-aide-choix">${choice.hint && html`<p>${choice.hint}</p>`}${choice.warning && html`<p class="warning">${icon('attention')}<span>${choice.warning}</span></p>`}</div>`
    }</div>`
  })}</div></fieldset>`
}

export const radios = (field: Group & { /** On one line when there is room. */ inline?: boolean | undefined }): Html =>
  group(field, 'radio', field.inline ? 'inline' : 'list')

export const checkboxes = (field: Group): Html => group(field, 'checkbox', 'list')

/** One box to tick, whose label is the sentence agreed to. Sends `oui`. */
export const checkbox = (field: Omit<Field, 'value'> & { checked?: boolean | undefined }): Html => {
  const id = fieldId(field)
  return html`<div class="field single${field.error ? ' refused' : ''}">${errorOf(id, field.error)}<div class="choice"><input${attributes(
    {
      id,
      type: 'checkbox',
      name: field.name,
      value: 'oui',
      checked: field.checked,
      required: !field.optional,
      'aria-invalid': field.error && 'true',
      'aria-describedby': describedBy(id, field.hint, field.error),
    },
  )}><label for="${id}"><span>${field.label}</span></label></div>${hintOf(id, field.hint)}</div>`
}

/** Large cards to choose from, with title, examples, drawing and warning; `multiple` for boxes to tick. */
export const tiles = (field: Group & { multiple?: boolean | undefined }): Html =>
  group(field, field.multiple ? 'checkbox' : 'radio', 'tiles')

export const hidden = (name: string, value: string | number): Html => html`<input type="hidden" name="${name}" value="${value}">`

type ButtonKind = 'primary' | 'secondary' | 'danger' | 'link'
type ButtonLook = {
  kind?: ButtonKind | undefined
  icon?: Icon | undefined /** Full width, very large: the one gesture of the person's page. */
  large?: boolean | undefined
}

const look = (options: ButtonLook) => `button ${options.kind ?? 'primary'}${options.large ? ' large' : ''}`

/** Sends the form. `name`/`value` when the form has two answers; `action` posts the same form elsewhere. */
export const button = (
  label: Words,
  options: ButtonLook & {
    name?: string | undefined
    value?: string | undefined
    action?: string | undefined
    attrs?: Attributes | undefined
  } = {},
): Html =>
  html`<button type="submit"${attributes({ class: look(options), name: options.name, value: options.value, formaction: options.action, ...options.attrs })}>${options.icon && icon(options.icon)}<span>${label}</span></button>`

/** Prints the page, by `imprimer.js` (see Frame.script); without JavaScript, says how. */
export const imprimer = (): Html =>
  html`<p class="imprimer"><button type="button" class="button secondary" data-imprimer hidden><span>Imprimer</span></button><noscript>Pour imprimer : dans le menu de votre navigateur, « Imprimer ».</noscript></p>`

/** A link that looks like a button: it goes somewhere and changes nothing. */
export const buttonLink = (label: Words, href: string, options: ButtonLook = {}): Html =>
  html`<a${attributes({ href, class: look(options) })}>${options.icon && icon(options.icon)}<span>${label}</span></a>`

/** Buttons side by side, one under the other on a phone. `equal`: same size for both answers (« Je donne mon accord » / « Non, j’arrête »). */
export const buttons = (list: readonly (Html | false | undefined)[], options: { equal?: boolean | undefined } = {}): Html =>
  html`<div class="buttons${options.equal ? ' equal' : ''}">${list}</div>`

/**
 * A form; posts to the URL that shows it unless `action` says otherwise. The browser's own messages are off (`novalidate`): ours are in French
 * and linked to their fields.
 */
export const form = (
  options: {
    action?: string | undefined
    method?: 'post' | 'get' | undefined
    label?: string | undefined
    attrs?: Attributes | undefined
  },
  body: Html,
): Html =>
  html`<form${attributes({ method: options.method ?? 'post', action: options.action, 'aria-label': options.label, novalidate: true, ...options.attrs })}>${body}</form>`

/** What is to be mended, first thing in the page and where the focus is, each line leading to its field. Shows nothing when there is no error. */
export const errorSummary = (errors: Errors, ids: Record<string, string> = {}): Html | undefined => {
  const list = Object.entries(errors).filter((entry): entry is [string, string] => Boolean(entry[1]))
  if (list.length === 0) return undefined
  return html`<div class="alert refused" role="alert" tabindex="-1" autofocus id="erreurs"><h2>${icon('attention')}<span>${list.length === 1 ? 'Une réponse est à revoir' : `${list.length} réponses sont à revoir`}</span></h2><ul>${list.map(
    ([name, error]) => html`<li><a href="#${ids[name] ?? `champ-${name}`}">${error}</a></li>`,
  )}</ul></div>`
}

/**
 * A search that answers as one types, and works alone without JavaScript. `results` must wrap what it finds, in the same page.
 */
export const searchForm = (options: {
  action: string
  name: string
  label: Words
  hint?: Words | undefined
  value?: string | undefined
}): Html =>
  form(
    {
      action: options.action,
      method: 'get',
      attrs: { role: 'search', ...refreshing(options.action, 'input changed delay:200ms, submit') },
    },
    html`${input({ name: options.name, label: options.label, hint: options.hint, value: options.value, type: 'search', optional: true })}${button('Chercher', { icon: 'chercher' })}`,
  )

/** For a form: its answer takes the place of `results` alone, at each `trigger`. */
export const refreshing = (address: string, trigger: string) => ({
  class: 'search',
  'hx-get': address,
  'hx-trigger': trigger,
  'hx-target': '#resultats',
  'hx-select': '#resultats',
  'hx-swap': 'outerMorph',
  'hx-replace-url': 'true',
  'hx-sync': 'this:replace',
})

/** What a search refreshes. `count` is said aloud when it changes (« 3 personnes »). */
export const results = (count: string, body: Html): Html =>
  html`<div id="resultats"><p class="found" role="status">${count}</p>${body}</div>`

type WayIn = { action?: string }
const wayIn = (name: `${string}Connect`, site: string, { action }: WayIn): Html =>
  html`<form method="post"${attributes({ action })} class="fournisseur">${button(html`S’identifier avec <span class="entier">${name.slice(0, -7)}<wbr>Connect</span>`, { large: true })}<p><a href="${site}">Qu’est-ce que ${name} ?</a></p></form>`

/** The way in with FranceConnect, alone in its form, first means offered. */
export const franceConnect = (options: WayIn): Html => wayIn('FranceConnect', 'https://franceconnect.gouv.fr/', options)
/** The same for an aidant, with ProConnect. */
export const proConnect = (options: WayIn): Html => wayIn('ProConnect', 'https://www.proconnect.gouv.fr/', options)
