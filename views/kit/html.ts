import { raw, html as template } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'

/** A piece of page that is already escaped. */
export type Html = HtmlEscapedString
/** What a template accepts where words are expected: text (escaped) or a piece of page (left as it is). */
export type Words = string | Html

/** The tagged template of every view: escapes what it is given; nothing, false and null show nothing; lists are joined. */
export const html = (strings: TemplateStringsArray, ...values: unknown[]): Html => {
  const made = template(strings, ...values)
  if (made instanceof Promise) throw new Error('a view received a promise: views are functions of their props')
  return made
}

/** Attributes by name, quoted and escaped, with a leading space; false, null and undefined are left out, true is a bare name. */
export const attributes = (list: Attributes): Html =>
  raw(
    Object.entries(list)
      .map(([name, value]) =>
        value === true ? ` ${name}` : value === false || value == null ? '' : html` ${raw(name)}="${String(value)}"`,
      )
      .join(''),
  )
export type Attributes = Record<string, string | number | boolean | null | undefined>
