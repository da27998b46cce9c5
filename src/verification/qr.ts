import { _BYTES, _ECC_BLOCKS, _GF256, _tests, _WORDS_PER_BLOCK } from 'qr'

const ECC = 'quartile'
/** Modules of silence around the symbol, asked for by ISO/IEC 18004. */
const MARGE = 4

/** A symbol as an image to print at 50 mm at least; black on white whatever is around. */
export function qrSvg(url: string): string {
  const { modules } = qrOf(url)
  const side = modules.length + 2 * MARGE
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${side} ${side}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h${side}v${side}h-${side}z"/><path d="${traits(modules, MARGE)}"/></svg>`
}

/** The dark modules of a symbol as a path: one stroke for each run of them, which takes fewer bytes and leaves no hairline between two. */
export const traits = (modules: readonly (readonly boolean[])[], marge: number): string =>
  modules
    .flatMap((row, y) => {
      const runs = row.map((dark) => (dark ? '1' : '0')).join('')
      return [...runs.matchAll(/1+/g)].map(
        ({ index, 0: run }) => `M${index + marge} ${y + marge}h${run.length}v1h-${run.length}z`,
      )
    })
    .join('')

/**
 * The address in byte mode, then the digits of its fragment in numeric mode, which take 3⅓ bits each instead of 8. `qr` writes symbols of
 * one mode only, so the two segments and their blocks are made here, from its tables, and its tests' door draws them: see docs/adr/0013.
 */
export function qrOf(url: string): { version: number; modules: boolean[][] } {
  const [, prefix, digits] = /^(.*?)([0-9]*)$/.exec(url)!
  const bytes = Buffer.from(prefix!)
  for (let version = 1; version <= 40; version++) {
    const room = capacity(version)
    const stream = bits(bytes, digits!, version)
    if (stream.length > room.data * 8) continue
    const drawn = _tests.drawSymbol(version, ECC, interleave(padded(stream, room.data), room))
    const at = [...Array(drawn.size).keys()]
    return { version, modules: at.map((y) => at.map((x) => _tests.matGet(drawn, x, y) === 1)) }
  }
  throw new Error('qr: too long for any symbol')
}

function capacity(version: number) {
  const total = _BYTES[version - 1]!
  const words = _WORDS_PER_BLOCK[ECC][version - 1]!
  const blocks = _ECC_BLOCKS[ECC][version - 1]!
  return { total, words, blocks, data: total - words * blocks }
}
type Capacity = ReturnType<typeof capacity>

const binary = (value: number, length: number) => value.toString(2).padStart(length, '0')

/** The two segments, as a text of 0 and 1. */
function bits(bytes: Uint8Array, digits: string, version: number): string {
  const written = `0100${binary(bytes.length, version < 10 ? 8 : 16)}${[...bytes].map((byte) => binary(byte, 8)).join('')}`
  if (digits === '') return written
  const threes = digits.match(/.{1,3}/g)!.map((some) => binary(Number(some), [0, 4, 7, 10][some.length]!))
  return `${written}0001${binary(digits.length, version < 10 ? 10 : version < 27 ? 12 : 14)}${threes.join('')}`
}

/** Ended, then filled to the symbol's size as the standard says. */
function padded(stream: string, size: number): Uint8Array {
  const ended = stream + '0'.repeat(Math.min(4, size * 8 - stream.length))
  const words = ended.match(/.{1,8}/g)!.map((word) => Number.parseInt(word.padEnd(8, '0'), 2))
  return Uint8Array.from({ length: size }, (_, index) => words[index] ?? ((index - words.length) % 2 === 0 ? 0xec : 0x11))
}

/** Cut in blocks, each with its Reed-Solomon words, and woven together. */
function interleave(data: Uint8Array, { total, words, blocks }: Capacity): Uint8Array {
  const short = blocks - (total % blocks)
  const length = Math.floor(total / blocks) - words
  const pieces: Uint8Array[] = []
  for (let start = 0, index = 0; index < blocks; index++) {
    const end = start + length + (index < short ? 0 : 1)
    pieces.push(data.subarray(start, end))
    start = end
  }
  const generator = generatorOf(words)
  const checks = pieces.map((piece) => _tests.rsEcc(piece, generator))
  const woven = (rows: Uint8Array[], longest: number) =>
    [...Array(longest).keys()].flatMap((index) => rows.flatMap((row) => (index < row.length ? [row[index]!] : [])))
  return Uint8Array.from([...woven(pieces, length + 1), ...woven(checks, words)])
}

/** (x - 1)(x - α)…(x - αⁿ⁻¹), without its first coefficient. */
function generatorOf(degree: number): Uint8Array {
  const { exp, log } = _GF256
  const times = (a: number, b: number) => (a === 0 || b === 0 ? 0 : exp[log[a]! + log[b]!]!)
  let polynomial = [1]
  for (let root = 0; root < degree; root++)
    polynomial = [...polynomial, 0].map((one, index) => one ^ times(polynomial[index - 1] ?? 0, exp[root]!))
  return Uint8Array.from(polynomial.slice(1))
}
