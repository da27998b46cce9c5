import { type Hash, type Nodes, nodeHash, nodesOf, type Range } from './merkle.ts'

/** tlog-tiles: 256 hashes at heights 0, 8, 16… of the tree; `width` is less than 256 in the last one of its level only. */
export type Tile = { level: number; index: number; width: number }
export const WIDTH = 256

/** `0/x001/x234/067`, `0/000.p/5` */
export function tilePath({ level, index, width }: Tile): string {
  const groups = String(index)
    .padStart(Math.ceil(String(index).length / 3) * 3, '0')
    .match(/.{3}/g)!
  const path = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/')
  return `${level}/${path}${width < WIDTH ? `.p/${width}` : ''}`
}

/** undefined for whatever `tilePath` would not have written. */
export function parseTilePath(path: string): Tile | undefined {
  const [, level, groups, width] = /^(\d{1,2})\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path) ?? []
  if (level === undefined || groups === undefined) return undefined
  const tile = {
    level: Number(level),
    index: Number(groups.replace(/[x/]/g, '')),
    width: width === undefined ? WIDTH : Number(width),
  }
  return tile.level < 64 && tile.width > 0 && Number.isSafeInteger(tile.index) && tilePath(tile) === path ? tile : undefined
}

/** How many hashes the tile has in a tree of this size: 0 when it does not exist yet. */
export const widthIn = (size: number, level: number, index: number): number =>
  Math.max(0, Math.min(WIDTH, Math.floor(size / WIDTH ** level) - index * WIDTH))

/** The tiles that hold what these ranges are made of, each once. */
export function tilesFor(size: number, ranges: readonly Range[]): Tile[] {
  const tiles = new Map<string, Tile>()
  for (const node of ranges.flatMap(nodesOf)) {
    const { level, index } = placeOf(node.level, node.index)
    tiles.set(`${level}/${index}`, { level, index, width: widthIn(size, level, index) })
  }
  return [...tiles.values()]
}

/** The tile of a node, and which of its hashes the node is over. */
function placeOf(level: number, index: number) {
  const over = 2 ** (level % 8)
  const first = index * over
  return { level: Math.floor(level / 8), index: Math.floor(first / WIDTH), offset: first % WIDTH, over }
}

/** Hashes of the tree, computed from its tiles as they were read. */
export function nodesFrom(tiles: readonly { level: number; index: number; hashes: Buffer }[]): Nodes {
  const read = new Map(tiles.map(({ level, index, hashes }) => [`${level}/${index}`, hashes]))
  return (level, index) => {
    const place = placeOf(level, index)
    const hashes = read.get(`${place.level}/${place.index}`)
    if (!hashes || hashes.length < (place.offset + place.over) * 32)
      throw new Error(`tile ${place.level}/${place.index} is missing`)
    const fold = (offset: number, over: number): Hash =>
      over === 1
        ? hashes.subarray(offset * 32, offset * 32 + 32)
        : nodeHash(fold(offset, over / 2), fold(offset + over / 2, over / 2))
    return fold(place.offset, place.over)
  }
}

/** A listener of `growTree` that hands out each tile when it is full. `open`: the partial tiles of the tree as it stands, by level. */
export function collectTiles(
  onFull: (tile: { level: number; index: number; hashes: Buffer; root: Hash }) => void,
  open: readonly Buffer[] = [],
) {
  const partial = open.map((hashes) => Array.from({ length: hashes.length / 32 }, (_, i) => hashes.subarray(i * 32, i * 32 + 32)))
  return (height: number, index: number, hash: Hash) => {
    if (height % 8 > 0) return
    const level = height / 8
    // The root of 256 hashes is the first of a new level: it comes right after the last of them.
    if (level > 0) {
      const full = Buffer.concat(partial[level - 1]!)
      partial[level - 1] = []
      onFull({ level: level - 1, index, hashes: full, root: hash })
    }
    partial[level] ??= []
    partial[level].push(hash)
  }
}
