/**
 * A table for a spreadsheet set in French: UTF-8 said by its mark, semicolons, lines of RFC 4180, every cell in quotes. What a spreadsheet would
 * run as a formula begins with an apostrophe (OWASP, « CSV Injection »).
 */
export const csv = (rows: readonly (readonly string[])[]): string =>
  `\ufeff${rows.map((row) => `${row.map(cell).join(';')}\r\n`).join('')}`

const FORMULE = /^[\s\p{C}]*[=+\-@＝＋－＠]|^[\t\r\n]/u
const cell = (text: string) => `"${(FORMULE.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
