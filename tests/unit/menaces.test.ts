import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '../..')
const doc = readFileSync(path.join(ROOT, 'docs/menaces.md'), 'utf8')
const files = readdirSync(path.join(ROOT, 'tests'), { recursive: true, encoding: 'utf8' }).filter((file) =>
  /\.test\.ts$|hostile-modes\.ts$/.test(file),
)

/** What stands between guillemets, those within left as they are. */
function quoted(text: string): string[] {
  const found: string[] = []
  let depth = 0
  let start = 0
  for (const [i, letter] of [...text].entries()) {
    if (letter === '«' && depth++ === 0) start = i + 1
    if (letter === '»' && --depth === 0) found.push(text.slice(start, i).trim())
  }
  return found
}
const plain = (text: string) => text.replaceAll('’', "'").replaceAll('\u00a0', ' ')
const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** Every test that a document names and that is not there; « … » stands for any words of the same line. */
function missing(text: string): string[] {
  const wrong: string[] = []
  // Each file with the quotes that follow it, up to the next file.
  for (const line of text.split('\n'))
    for (const [, name, after] of line.matchAll(/`(?:[\w/]+\/)?([\w-]+\.test\.ts|hostile-modes\.ts)`([^`]*)/g)) {
      const sources = files.filter((file) => path.basename(file) === name)
      if (sources.length === 0) wrong.push(`${name} n’existe pas`)
      const lines = sources.flatMap((file) => plain(readFileSync(path.join(ROOT, 'tests', file), 'utf8')).split('\n'))
      for (const quote of /^\s*(?::|et|,|\()/.test(after!) ? quoted(after!) : []) {
        const sought = new RegExp(
          plain(quote)
            .split('…')
            .map((part) => literal(part.trim()))
            .join('.*'),
        )
        if (!lines.some((one) => sought.test(one))) wrong.push(`${name} : « ${quote} » n’y est pas`)
      }
    }
  return wrong
}

/** OWASP ASVS 5.0.0: the requirements of levels 1 and 2 in these chapters, how many in each section. */
const ASVS = {
  'V6.1': 3,
  'V6.2': 12,
  'V6.3': 4,
  'V6.4': 4,
  'V6.5': 5,
  'V6.6': 3,
  'V6.8': 4,
  'V7.1': 3,
  'V7.2': 4,
  'V7.3': 2,
  'V7.4': 5,
  'V7.5': 2,
  'V7.6': 2,
  'V8.1': 2,
  'V8.2': 3,
  'V8.3': 1,
  'V8.4': 1,
  'V9.1': 3,
  'V9.2': 4,
  'V10.1': 2,
  'V10.2': 2,
  'V10.3': 4,
  'V10.4': 11,
  'V10.5': 5,
  'V10.6': 2,
  'V10.7': 3,
  'V14.1': 2,
  'V14.2': 4,
  'V14.3': 3,
  'V16.1': 1,
  'V16.2': 5,
  'V16.3': 4,
  'V16.4': 3,
  'V16.5': 3,
}

describe('docs/menaces.md', () => {
  it('ne nomme que des essais qui existent', () => {
    expect(missing(doc)).toEqual([])
  })

  it('… et un essai inventé se voit', () => {
    expect(missing('`sign-in.test.ts` : « une phrase que personne n’a écrite »')).toHaveLength(1)
    expect(missing('`nulle-part.test.ts`')).toEqual(['nulle-part.test.ts n’existe pas'])
    expect(missing('`sign-in.test.ts` : « n’adopte jamais un jeton… »')).toEqual([])
  })

  it('répond à chaque exigence ASVS de ces chapitres, une fois, par un essai ou une décision', () => {
    const rows = [...doc.matchAll(/^\| (V[\d.]+) \| (.+) \|$/gm)].map(([, number, rest]) => ({
      number,
      cells: rest!.split(' | '),
    }))
    const expected = Object.entries(ASVS).flatMap(([section, count]) =>
      Array.from({ length: count }, (_, i) => `${section}.${i + 1}`),
    )
    expect(rows.map(({ number }) => number)).toEqual(expected)
    for (const { number, cells } of rows) {
      const [level, what, verdict, proof] = cells
      expect({ number, cells: cells.length, level }).toEqual({ number, cells: 4, level: expect.stringMatching(/^[12]$/) })
      expect(['tenu', 'en partie', 'pas tenu', 'sans objet'], number).toContain(verdict)
      if (verdict === 'tenu') expect(/`[\w.-]+\.ts`|\]\(/.test(proof!), `${number} : tenu, par quoi ?`).toBe(true)
      expect(what!.length, number).toBeGreaterThan(10)
    }
  })
})
