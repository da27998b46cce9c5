import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'

type Asset = { url: string; type: string; bytes: Buffer }

const PUBLIC = new URL('../../public/', import.meta.url)
const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
}

const filesIn = (folder: URL) =>
  readdirSync(folder, { withFileTypes: true })
    .filter((file) => file.isFile() && extname(file.name) in TYPES)
    .map((file) => file.name)
    .sort()

/** The sheet is written in parts and served whole: one request instead of six on a slow phone. */
const STYLE = new URL('style/', PUBLIC)
const style = Buffer.concat(filesIn(STYLE).map((name) => readFileSync(new URL(name, STYLE))))

const named = (name: string, bytes: Buffer): [string, Asset] => {
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16)
  return [name, { url: `/assets/${hash}/${name}`, type: TYPES[extname(name)]!, bytes }]
}

/** Everything the service gives to browsers besides pages, by name, read once at start. */
export const ASSETS: ReadonlyMap<string, Asset> = new Map([
  named('style.css', style),
  ...filesIn(PUBLIC).map((name) => named(name, readFileSync(new URL(name, PUBLIC)))),
])

/** The address of a file of `public/`; it changes with its content, so that it may be kept for ever. */
export const asset = (name: string): string => {
  const found = ASSETS.get(name)
  if (!found) throw new Error(`no file named ${name} in public/`)
  return found.url
}
