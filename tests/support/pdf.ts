import { inflateSync } from 'node:zlib'

export type Pdf = {
  /** The words of each page in the order of its content, spaces left out: where a line ends says nothing. */
  pages: string[]
  /** All of them. */
  text: string
  /** Codes of the glyphs shown with a font, one list for each run. */
  glyphs(font: RegExp): string[][]
  fonts: { name: string; embedded: boolean }[]
  /** Types of the structure's elements, in the order of the file. */
  elements: string[]
  /** Languages said of a passage. */
  langues: string[]
  /** Alternative texts. */
  alternatives: string[]
  catalogue: string
  xmp: string
}

/** What of a word or a page may be compared: no space, of any kind. */
export const serre = (words: string): string => words.replace(/[\s\u200b]/g, '')

/**
 * Reads the PDFs that Typst writes, whose objects are all in the open: text through each font's own ToUnicode, structure, metadata. It certifies
 * nothing.
 */
export function readPdf(bytes: Uint8Array): Pdf {
  const file = Buffer.from(bytes).toString('latin1')
  if (!file.startsWith('%PDF-1.7')) throw new Error('not a PDF of ours')
  const objects = new Map([...file.matchAll(/(\d+) 0 obj\n([\s\S]*?)\nendobj/g)].map(([, id, body]) => [id!, body!]))
  const at = (body: string, key: string) => objects.get(new RegExp(`/${key} (\\d+) 0 R`).exec(body)?.[1] ?? '') ?? ''
  const stream = (body: string) => {
    const [, data = ''] = /stream\n([\s\S]*?)\nendstream/.exec(body) ?? []
    return body.includes('/FlateDecode') ? inflateSync(Buffer.from(data, 'latin1')).toString('latin1') : data
  }
  const all = [...objects.values()]
  const heads = all.map((body) => body.split(/\bstream\r?\n/)[0]!)
  const catalogue = heads.find((head) => /\/Type \/Catalog\b/.test(head)) ?? ''
  const contents: string[] = []
  const runs: { font: string; codes: string[]; page: number; text: string }[] = []
  heads
    .filter((head) => /\/Type \/Page\b(?!s)/.test(head))
    .forEach((page, index) => {
      const named = [...(/\/Font <<([\s\S]*?)>>/.exec(page)?.[1]?.matchAll(/\/(\w+) (\d+) 0 R/g) ?? [])].map(([, name, id]) => {
        const body = objects.get(id!)!
        return [name!, { name: /\/BaseFont \/(\S+)/.exec(body)![1]!, map: toUnicode(stream(at(body, 'ToUnicode'))) }] as const
      })
      const fonts = new Map(named)
      let font: (typeof named)[number][1] | undefined
      const content = stream(at(page, 'Contents'))
      contents.push(content)
      for (const token of tokens(content)) {
        if (token.font) font = fonts.get(token.font)
        if (!token.codes || !font) continue
        const { map } = font
        runs.push({
          font: font.name,
          codes: token.codes,
          page: index,
          text: token.codes.map((code) => map.get(code) ?? '').join(''),
        })
      }
    })
  const count = heads.filter((head) => /\/Type \/Page\b(?!s)/.test(head)).length
  const pages = [...Array(count).keys()].map((index) =>
    serre(
      runs
        .filter(({ page }) => page === index)
        .map(({ text }) => text)
        .join(''),
    ),
  )
  return {
    pages,
    text: pages.join(''),
    glyphs: (wanted) => runs.filter(({ font }) => wanted.test(font)).map(({ codes }) => codes),
    fonts: heads
      .filter((head) => /\/Subtype \/Type0\b/.test(head))
      .map((font) => {
        const descendant = objects.get(/\/DescendantFonts \[(\d+)/.exec(font)![1]!)!
        const embedded = /\/FontFile[23]? \d+ 0 R/.test(at(descendant, 'FontDescriptor'))
        return { name: /\/BaseFont \/(\S+)/.exec(font)![1]!, embedded }
      }),
    elements: heads.flatMap((head) => (/\/Type \/StructElem\b/.test(head) ? (/\/S \/(\w+)/.exec(head)?.[1] ?? []) : [])),
    langues: [...contents, ...heads.filter((head) => /\/Type \/StructElem\b/.test(head))].flatMap((where) =>
      [...where.matchAll(/\/Lang \(([^)]*)\)/g)].map(([, langue]) => langue!),
    ),
    alternatives: heads.flatMap((head) => {
      const found = /\/Type \/StructElem\b/.test(head) && /\/Alt (\([\s\S]*?[^\\]\)|<[0-9A-Fa-f\s]*>)/.exec(head)?.[1]
      return found ? [decoded(found)] : []
    }),
    catalogue,
    xmp: Buffer.from(all.map((body) => (/\/Type \/Metadata\b/.test(body) ? stream(body) : '')).join(''), 'latin1').toString(
      'utf8',
    ),
  }
}

/** Code of two bytes, in hexadecimal, to what it is in Unicode. */
function toUnicode(cmap: string): Map<string, string> {
  const map = new Map<string, string>()
  const words = (hex: string) => Buffer.from(hex, 'hex').swap16().toString('utf16le')
  for (const [, section] of cmap.matchAll(/beginbfchar([\s\S]*?)endbfchar/g))
    for (const [, code, hex] of section!.matchAll(/<(\w+)>\s*<(\w+)>/g)) map.set(code!.toLowerCase(), words(hex!))
  for (const [, section] of cmap.matchAll(/beginbfrange([\s\S]*?)endbfrange/g))
    for (const [, from, to, hex] of section!.matchAll(/<(\w+)>\s*<(\w+)>\s*<(\w+)>/g))
      for (let code = Number.parseInt(from!, 16); code <= Number.parseInt(to!, 16); code++) {
        const shifted = Number.parseInt(hex!, 16) + code - Number.parseInt(from!, 16)
        map.set(code.toString(16).padStart(4, '0'), words(shifted.toString(16).padStart(hex!.length, '0')))
      }
  return map
}

/** Fonts chosen and glyphs shown, in order. A string may hold parentheses, when they are balanced: no pattern reads it. */
function* tokens(content: string): Generator<{ font?: string; codes?: string[] }> {
  let strings: string[] = []
  for (let at = 0; at < content.length; ) {
    const sign = content[at]!
    if (sign === '(') {
      let depth = 0
      let end = at
      do {
        if (content[end] === '\\') end++
        else if (content[end] === '(') depth++
        else if (content[end] === ')') depth--
        end++
      } while (depth > 0)
      strings.push(content.slice(at, end))
      at = end
    } else if (sign === '<' && content[at + 1] !== '<') {
      const end = content.indexOf('>', at) + 1
      strings.push(content.slice(at, end))
      at = end
    } else {
      const [word] = /^(?:\/\w+ [\d.]+ Tf|[A-Za-z]+\b|[\s\S])/.exec(content.slice(at, at + 40))!
      const [, font] = /^\/(\w+) [\d.]+ Tf$/.exec(word) ?? []
      if (font) yield { font }
      if (word === 'TJ' || word === 'Tj')
        yield { codes: strings.flatMap((one) => bytesOf(one).toString('hex').match(/.{4}/g) ?? []) }
      if (/^[A-Za-z]+$/.test(word)) strings = []
      at += word.length
    }
  }
}

const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }
const bytesOf = (written: string): Buffer =>
  written.startsWith('<')
    ? Buffer.from(written.slice(1, -1).replace(/\s/g, ''), 'hex')
    : Buffer.from(
        written
          .slice(1, -1)
          .replace(/\\(?:([0-7]{1,3})|\r?\n|([\s\S]))/g, (_, octal?: string, one?: string) =>
            octal ? String.fromCharCode(Number.parseInt(octal, 8)) : one ? (ESCAPES[one] ?? one) : '',
          ),
        'latin1',
      )
const decoded = (written: string): string => {
  const bytes = bytesOf(written)
  return bytes[0] === 0xfe && bytes[1] === 0xff ? bytes.subarray(2).swap16().toString('utf16le') : bytes.toString('latin1')
}
