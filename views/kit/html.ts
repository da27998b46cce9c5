import { raw, html as template } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import { insecables } from '../../src/notification/insecables.ts'

/** A piece of page that is already escaped. */
export type Html = HtmlEscapedString
/** What a template accepts where words are expected: text (escaped) or a piece of page (left as it is). */
export type Words = string | Html

type Shape = { strings: TemplateStringsArray; words: readonly boolean[] }
/** What is read by machines, typed and sent back, or never cut: attributes, codes, the inside of a text box, the tab. */
const MARKUP = /(<(?:code|textarea|title)\b[\s\S]*?<\/(?:code|textarea|title)>|<[^>]*>)/
const HOLE = '\0'

/** A template with its French spaces made unbreakable, once for all; `words` tells which of its holes are read by people. */
const shapeOf = (strings: TemplateStringsArray): Shape => {
  const pieces = strings.join(HOLE).split(MARKUP)
  const made = pieces.map((piece, index) => (index % 2 ? piece : insecables(piece)))
  const shape = {
    strings: made.join('').split(HOLE) as readonly string[] as TemplateStringsArray,
    words: pieces.flatMap((piece, index) => Array<boolean>(piece.split(HOLE).length - 1).fill(index % 2 === 0)),
  }
  shapes.set(strings, shape)
  return shape
}
const shapes = new WeakMap<TemplateStringsArray, Shape>()

/**
 * The tagged template of every view: escapes what it is given; nothing, false and null show nothing; lists are joined. The spaces of French
 * punctuation become unbreakable in what is read, static or not, never in attributes, codes or text boxes.
 */
export const html = (source: TemplateStringsArray, ...values: unknown[]): Html => {
  const { strings, words } = shapes.get(source) ?? shapeOf(source)
  for (let index = 0; index < values.length; index++) {
    const value = values[index]
    if (typeof value === 'string' && words[index]) values[index] = insecables(value)
  }
  const made = template(strings, ...values)
  if (made instanceof Promise) throw new Error('a view received a promise: views are functions of their props')
  return made
}

/** The same piece, with `more` first thing in each element whose tag begins so. What people typed is escaped: no tag is theirs. */
export const within = (piece: Html, tag: string, more: Html): Html =>
  raw(String(piece).replace(new RegExp(`${tag}[^>]*>`, 'g'), (found) => found + more))

/** Attributes by name, quoted and escaped, with a leading space; false, null and undefined are left out, true is a bare name. */
export const attributes = (list: Attributes): Html =>
  raw(
    Object.entries(list)
      .map(([name, value]) =>
        value === true ? ` ${name}` : value === false || value == null ? '' : template` ${raw(name)}="${String(value)}"`,
      )
      .join(''),
  )
export type Attributes = Record<string, string | number | boolean | null | undefined>
