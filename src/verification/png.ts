import { inflateSync } from 'node:zlib'

/** A picture as `qr/decode.js` takes it: red, green, blue, opacity, one byte each. */
type Picture = { width: number; height: number; data: Uint8Array }

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex')
/** Samples of a pixel by colour type: grey, colours, palette, grey and opacity, colours and opacity. */
const SAMPLES: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }
const MOST = 100_000_000

export const isPng = (bytes: Buffer): boolean => bytes.subarray(0, 8).equals(SIGNATURE)

/** Reads a PNG; undefined for those that nothing here makes (interlaced, 16 bits a sample, broken). */
export function readPng(bytes: Buffer): Picture | undefined {
  const chunks: { type: string; data: Buffer }[] = []
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    chunks.push({ type: bytes.toString('latin1', at + 4, at + 8), data: bytes.subarray(at + 8, at + 8 + length) })
    at += 12 + length
  }
  const header = chunks.find(({ type }) => type === 'IHDR')?.data
  if (header?.length !== 13) return undefined
  const [width, height, depth, color, interlaced] = [
    header.readUInt32BE(0),
    header.readUInt32BE(4),
    header[8]!,
    header[9]!,
    header[12],
  ]
  const samples = SAMPLES[color]
  if (!samples || depth > 8 || (depth < 8 && samples > 1) || interlaced || width * height * 4 > MOST) return undefined
  const row = Math.ceil((width * samples * depth) / 8)
  const lines = unfilter(Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data)), {
    row,
    height,
    step: Math.max(1, (samples * depth) >> 3),
  })
  if (!lines) return undefined
  const palette = chunks.find(({ type }) => type === 'PLTE')?.data
  const data = new Uint8Array(width * height * 4)
  const sample = (y: number, index: number) => {
    const at = index * depth
    return (lines[y * row + (at >> 3)]! >> (8 - depth - (at & 7))) & (2 ** depth - 1)
  }
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const values = Array.from({ length: samples }, (_, index) => sample(y, x * samples + index))
      const grey = (values[0]! * 255) / (2 ** depth - 1)
      const colors =
        color === 3
          ? [0, 1, 2].map((index) => palette?.[values[0]! * 3 + index] ?? 0)
          : samples < 3
            ? [grey, grey, grey]
            : values.slice(0, 3)
      data.set([...colors, color === 4 || color === 6 ? values.at(-1)! : 255], (y * width + x) * 4)
    }
  return { width, height, data }
}

/** The five filters of the format, undone. */
function unfilter(
  compressed: Buffer,
  { row, height, step }: { row: number; height: number; step: number },
): Uint8Array | undefined {
  let raw: Buffer
  try {
    raw = inflateSync(compressed, { maxOutputLength: MOST })
  } catch {
    return undefined
  }
  if (raw.length < (row + 1) * height) return undefined
  const lines = new Uint8Array(row * height)
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (row + 1)]!
    for (let x = 0; x < row; x++) {
      const left = x < step ? 0 : lines[y * row + x - step]!
      const up = y === 0 ? 0 : lines[(y - 1) * row + x]!
      const corner = x < step || y === 0 ? 0 : lines[(y - 1) * row + x - step]!
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter]
      if (guess === undefined) return undefined
      lines[y * row + x] = raw[y * (row + 1) + 1 + x]! + guess
    }
  }
  return lines
}

const paeth = (a: number, b: number, c: number) => {
  const [da, db, dc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)]
  return da <= db && da <= dc ? a : db <= dc ? b : c
}
