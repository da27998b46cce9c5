import { hash } from 'node:crypto'

/** 32 bytes. */
export type Hash = Buffer
/** Leaves from..upto-1 of the log. */
export type Range = readonly [from: number, upto: number]
/** The hash of the perfect subtree over leaves index × 2^level … (index + 1) × 2^level − 1. */
export type Nodes = (level: number, index: number) => Hash

// By way of a string: Node makes one in a third of the time that it takes to make a buffer.
const sha256 = (bytes: Buffer): Hash => Buffer.from(hash('sha256', bytes, 'binary'), 'latin1')
// Written and hashed at once, never kept: a million lines are three million of these.
const scratch = Buffer.alloc(16_384)
const nodeBytes = Buffer.alloc(65, 1)

/** SHA-256(head ‖ body); a text is its UTF-8 bytes. */
export function digestAfter(head: Buffer, body: Buffer | string, encoding: 'binary' | 'base64url'): string {
  // A character is three bytes at most.
  if (head.length + body.length * 3 > scratch.length)
    return hash('sha256', Buffer.concat([head, Buffer.from(body as string)]), encoding)
  scratch.set(head)
  const written = typeof body === 'string' ? scratch.write(body, head.length) : body.copy(scratch, head.length)
  return hash('sha256', scratch.subarray(0, head.length + written), encoding)
}
const LEAF = Buffer.of(0)
/** RFC 6962 §2.1: SHA-256(0x00 ‖ entry). */
export const leafHash = (entry: Buffer | string): Hash => Buffer.from(digestAfter(LEAF, entry, 'binary'), 'latin1')
/** RFC 6962 §2.1: SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Hash, right: Hash): Hash {
  nodeBytes.set(left, 1)
  nodeBytes.set(right, 33)
  return sha256(nodeBytes)
}
/** RFC 6962 §2.1: the root of a tree without a leaf. */
export const EMPTY_ROOT: Hash = sha256(Buffer.alloc(0))

// Sizes go beyond 2^31, where JavaScript's bit operators wrap: arithmetic only.
const half = (n: number) => Math.floor(n / 2)
const isOdd = (n: number) => n % 2 === 1

/** Largest power of two smaller than n, for n ≥ 2. */
function splitOf(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

/** Hash of a range that RFC 6962 hashes as a tree of its own. */
export function rangeHash([from, upto]: Range, nodes: Nodes): Hash {
  const size = upto - from
  const level = Math.log2(size)
  if (Number.isInteger(level) && from % size === 0) return nodes(level, from / size)
  const k = splitOf(size)
  return nodeHash(rangeHash([from, from + k], nodes), rangeHash([from + k, upto], nodes))
}

/** What `rangeHash` will ask for. */
export function nodesOf([from, upto]: Range): { level: number; index: number }[] {
  const size = upto - from
  const level = Math.log2(size)
  if (Number.isInteger(level) && from % size === 0) return [{ level, index: from / size }]
  const k = splitOf(size)
  return [...nodesOf([from, from + k]), ...nodesOf([from + k, upto])]
}

/** RFC 6962 §2.1.1, PATH(index, D[size]): from the leaf's sibling to the child of the root. */
export function inclusionRanges(index: number, size: number): Range[] {
  if (!(index >= 0 && index < size)) throw new RangeError('inclusion: no such leaf')
  const path = (m: number, from: number, n: number): Range[] => {
    if (n === 1) return []
    const k = splitOf(n)
    return m < k ? [...path(m, from, k), [from + k, from + n]] : [...path(m - k, from + k, n - k), [from, from + k]]
  }
  return path(index, 0, size)
}

/** RFC 6962 §2.1.2, PROOF(older, D[newer]); empty when one of them is the other, or nothing. */
export function consistencyRanges(older: number, newer: number): Range[] {
  if (!(older >= 0 && older <= newer)) throw new RangeError('consistency: the older tree is the smaller')
  const subproof = (m: number, from: number, n: number, whole: boolean): Range[] => {
    if (m === n) return whole ? [] : [[from, from + n]]
    const k = splitOf(n)
    return m <= k
      ? [...subproof(m, from, k, whole), [from + k, from + n]]
      : [...subproof(m - k, from + k, n - k, false), [from, from + k]]
  }
  return older === 0 ? [] : subproof(older, 0, newer, true)
}

/** RFC 9162 §2.1.3.2: whether this leaf is at this index of the tree of that root. */
export function verifyInclusion(leaf: Hash, index: number, size: number, proof: readonly Hash[], root: Hash): boolean {
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(index) || index < 0 || index >= size) return false
  let [fn, sn, r] = [index, size - 1, leaf]
  for (const p of proof) {
    if (sn === 0) return false
    if (isOdd(fn) || fn === sn) {
      r = nodeHash(p, r)
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)]
    } else r = nodeHash(r, p)
    ;[fn, sn] = [half(fn), half(sn)]
  }
  return sn === 0 && r.equals(root)
}

/** RFC 9162 §2.1.4.2: whether the newer tree only adds leaves to the older one. */
export function verifyConsistency(
  older: { size: number; root: Hash },
  newer: { size: number; root: Hash },
  proof: readonly Hash[],
): boolean {
  if (!Number.isSafeInteger(older.size) || !Number.isSafeInteger(newer.size) || older.size < 0 || older.size > newer.size)
    return false
  if (older.size === 0) return proof.length === 0 && older.root.equals(EMPTY_ROOT)
  if (older.size === newer.size) return proof.length === 0 && older.root.equals(newer.root)
  const path = Number.isInteger(Math.log2(older.size)) ? [older.root, ...proof] : [...proof]
  const first = path.shift()
  if (!first) return false
  let [fn, sn] = [older.size - 1, newer.size - 1]
  while (isOdd(fn)) [fn, sn] = [half(fn), half(sn)]
  let [fr, sr] = [first, first]
  for (const c of path) {
    if (sn === 0) return false
    if (isOdd(fn) || fn === sn) {
      fr = nodeHash(c, fr)
      sr = nodeHash(c, sr)
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)]
    } else sr = nodeHash(sr, c)
    ;[fn, sn] = [half(fn), half(sn)]
  }
  return sn === 0 && fr.equals(older.root) && sr.equals(newer.root)
}

export type Tree = {
  readonly size: number
  push(leaf: Hash): void
  /** RFC 6962 §2.1, MTH of what was pushed. */
  root(): Hash
}

/**
 * A tree that grows leaf by leaf and keeps log₂(size) hashes. `onNode` is told each perfect subtree once, when its last leaf comes.
 * `peaks`: the perfect subtrees of what is already there, from the largest.
 */
export function growTree(
  onNode: (level: number, index: number, hash: Hash) => void = () => {},
  start: { size: number; peaks: readonly Hash[] } = { size: 0, peaks: [] },
): Tree {
  const peaks = [...start.peaks]
  let size = start.size
  return {
    get size() {
      return size
    },
    push(leaf) {
      let [level, index, top] = [0, size, leaf]
      onNode(level, index, top)
      for (; isOdd(index); index = half(index)) {
        top = nodeHash(peaks.pop()!, top)
        onNode(++level, half(index), top)
      }
      peaks.push(top)
      size++
    },
    root: () => (peaks.length === 0 ? EMPTY_ROOT : peaks.reduceRight((right, left) => nodeHash(left, right))),
  }
}

/** The perfect subtrees that a tree of this size is made of, from the largest. */
export function peaksOf(size: number): { level: number; index: number }[] {
  return size === 0 ? [] : nodesOf([0, size])
}
