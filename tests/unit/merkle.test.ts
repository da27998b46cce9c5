import { createHash, generateKeyPairSync } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { checkpointText, originOf, parseCheckpoint, signCheckpoint } from '../../src/journal/checkpoint.ts'
import {
  consistencyRanges,
  EMPTY_ROOT,
  growTree,
  type Hash,
  inclusionRanges,
  leafHash,
  type Range,
  rangeHash,
  verifyConsistency,
  verifyInclusion,
} from '../../src/journal/merkle.ts'
import {
  cosignatureLine,
  cosignedAt,
  isSignedBy,
  openSigner,
  parseNote,
  parseVkey,
  type Signer,
  WITNESS_KEY,
} from '../../src/journal/note.ts'
import { isTemoigne, parsePolicy } from '../../src/journal/policy.ts'
import { parseProof, proofText, verifyProof } from '../../src/journal/proof.ts'
import { collectTiles, nodesFrom, parseTilePath, tilePath, tilesFor, widthIn } from '../../src/journal/tiles.ts'
import { judge, parseSubmission, submissionText } from '../../src/journal/witness.ts'

/** RFC 6962 word for word, over lists of entries: slow, and shares nothing with what it checks. */
const sha = (...parts: Uint8Array[]) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
const naive = (entries: readonly Buffer[]) => {
  const known = new Map<string, Buffer>()
  const k = (n: number) => 2 ** Math.ceil(Math.log2(n) - 1)
  const mth = (from: number, n: number): Buffer => {
    const key = `${from}/${n}`
    const found = known.get(key)
    if (found) return found
    const made =
      n === 0
        ? sha()
        : n === 1
          ? sha(Uint8Array.of(0), entries[from]!)
          : sha(Uint8Array.of(1), mth(from, k(n)), mth(from + k(n), n - k(n)))
    known.set(key, made)
    return made
  }
  const path = (m: number, from: number, n: number): Buffer[] => {
    if (n === 1) return []
    return m < k(n)
      ? [...path(m, from, k(n)), mth(from + k(n), n - k(n))]
      : [...path(m - k(n), from + k(n), n - k(n)), mth(from, k(n))]
  }
  const subproof = (m: number, from: number, n: number, b: boolean): Buffer[] => {
    if (m === n) return b ? [] : [mth(from, n)]
    return m <= k(n)
      ? [...subproof(m, from, k(n), b), mth(from + k(n), n - k(n))]
      : [...subproof(m - k(n), from + k(n), n - k(n), false), mth(from, k(n))]
  }
  return {
    root: (n: number) => mth(0, n),
    path: (m: number, n: number) => path(m, 0, n),
    proof: (m: number, n: number) => subproof(m, 0, n, true),
  }
}

/** Our tree of these entries: its tiles as they would be stored, and how to read any hash of it from them. */
const grow = (entries: readonly Buffer[]) => {
  const full: { level: number; index: number; hashes: Buffer }[] = []
  const all = new Map<string, Hash>()
  const collect = collectTiles((tile) => void full.push(tile))
  const tree = growTree((level, index, hash) => {
    all.set(`${level}/${index}`, hash)
    collect(level, index, hash)
  })
  const roots = [tree.root()]
  for (const entry of entries) {
    tree.push(leafHash(entry))
    roots.push(tree.root())
  }
  const tile = (size: number, level: number, index: number) =>
    Buffer.concat(Array.from({ length: widthIn(size, level, index) }, (_, i) => all.get(`${level * 8}/${index * 256 + i}`)!))
  const fast = (ranges: readonly Range[]) =>
    ranges.map((range) => rangeHash(range, (level, index) => all.get(`${level}/${index}`)!))
  /** Through the tiles, as the service does. */
  const prove = (size: number, ranges: readonly Range[]) => {
    const nodes = nodesFrom(tilesFor(size, ranges).map((one) => ({ ...one, hashes: tile(size, one.level, one.index) })))
    return ranges.map((range) => rangeHash(range, nodes))
  }
  return { roots, full, tile, fast, prove }
}

const ENTRIES = Array.from({ length: 300 }, (_, i) => Buffer.from(`ligne ${i}`))
/** Sizes whose proofs are read from tiles: it is long, since a tile keeps one height in eight. */
const TILED = [1, 2, 100, 257]
const theirs = naive(ENTRIES)
const ours = grow(ENTRIES)

describe('l’arbre (RFC 6962)', () => {
  it('les vecteurs publiés de Certificate Transparency', () => {
    const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
    const roots = [
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
      '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ]
    const tree = grow(leaves.map((leaf) => Buffer.from(leaf, 'hex')))
    expect(tree.roots.map((root) => root.toString('hex'))).toEqual(roots)
    // The proofs printed with them.
    const hex = (proof: readonly Hash[]) => proof.map((one) => one.toString('hex'))
    expect(hex(tree.prove(8, inclusionRanges(0, 8)))).toEqual([
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ])
    expect(hex(tree.prove(8, consistencyRanges(6, 8)))).toEqual([
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ])
  })

  it('de 0 à 300 lignes : la racine d’une autre écriture de la RFC', () => {
    for (let size = 0; size <= 300; size++) expect(ours.roots[size]!.equals(theirs.root(size)), `${size}`).toBe(true)
  })

  it('reprise à n’importe quelle taille, la croissance donne le même arbre', () => {
    for (const size of [0, 1, 2, 3, 7, 8, 255, 256, 257, 299]) {
      const open: Buffer[] = []
      for (let level = 0; 256 ** level <= size; level++) open.push(ours.tile(size, level, Math.floor(size / 256 ** (level + 1))))
      const peaks: Hash[] = []
      for (let bit = 9, at = 0; bit >= 0; bit--)
        if (size & (1 << bit)) {
          peaks.push(ours.prove(size, [[at, at + 2 ** bit]])[0]!)
          at += 2 ** bit
        }
      const full: Buffer[] = []
      const tree = growTree(
        collectTiles(({ hashes }) => void full.push(hashes), open),
        { size, peaks },
      )
      for (const entry of ENTRIES.slice(size)) tree.push(leafHash(entry))
      expect([tree.size, tree.root().equals(ours.roots[300]!)]).toEqual([300, true])
      expect(full.map((hashes) => hashes.length)).toEqual(size < 256 ? [8192] : [])
    }
  })

  it('de 1 à 300 lignes, chaque preuve d’inclusion est celle de la RFC, et se vérifie', () => {
    for (let size = 1; size <= 300; size++)
      for (let index = 0; index < size; index++) {
        const ranges = inclusionRanges(index, size)
        const proof = TILED.includes(size) ? ours.prove(size, ranges) : ours.fast(ranges)
        const expected = theirs.path(index, size)
        if (proof.length !== expected.length || !proof.every((one, i) => one.equals(expected[i]!)))
          expect.fail(`${index}/${size}`)
        const leaf = leafHash(ENTRIES[index]!)
        if (!verifyInclusion(leaf, index, size, proof, ours.roots[size]!)) expect.fail(`${index}/${size} refusée`)
        // Another place, another size, another leaf: refused.
        if (size > 1 && verifyInclusion(leaf, (index + 1) % size, size, proof, ours.roots[size]!))
          expect.fail(`${index}/${size} ailleurs`)
        if (verifyInclusion(leafHash(Buffer.from('autre')), index, size, proof, ours.roots[size]!))
          expect.fail(`${index}/${size} autre`)
        if (verifyInclusion(leaf, index, size, [...proof, EMPTY_ROOT], ours.roots[size]!))
          expect.fail(`${index}/${size} trop long`)
      }
  })

  it('de 1 à 300 lignes, chaque preuve de cohérence est celle de la RFC, et se vérifie', () => {
    for (let newer = 1; newer <= 300; newer++)
      for (let older = 1; older <= newer; older++) {
        const ranges = consistencyRanges(older, newer)
        const proof = TILED.includes(newer) ? ours.prove(newer, ranges) : ours.fast(ranges)
        const expected = theirs.proof(older, newer)
        if (proof.length !== expected.length || !proof.every((one, i) => one.equals(expected[i]!)))
          expect.fail(`${older} → ${newer}`)
        const [was, is] = [
          { size: older, root: ours.roots[older]! },
          { size: newer, root: ours.roots[newer]! },
        ]
        if (!verifyConsistency(was, is, proof)) expect.fail(`${older} → ${newer} refusée`)
        if (verifyConsistency({ ...was, root: EMPTY_ROOT }, is, proof)) expect.fail(`${older} → ${newer} autre passé`)
        if (older < newer && verifyConsistency(was, { ...is, root: EMPTY_ROOT }, proof))
          expect.fail(`${older} → ${newer} autre présent`)
        if (verifyConsistency(was, is, [...proof, EMPTY_ROOT])) expect.fail(`${older} → ${newer} trop long`)
      }
  })

  it('une preuve d’un plus petit arbre n’en prouve pas un plus grand', () => {
    for (const [index, size, claimed] of [
      [0, 4, 8],
      [3, 4, 5],
      [0, 1, 2],
      [100, 128, 256],
    ] as const) {
      const leaf = leafHash(ENTRIES[index]!)
      const proof = ours.fast(inclusionRanges(index, size))
      const check = (of: number) => verifyInclusion(leaf, index, of, proof, ours.roots[size]!)
      expect([check(size), check(claimed)]).toEqual([true, false])
    }
    const [two, four] = [2, 4].map((size) => ({ size, root: ours.roots[size]! })) as [
      { size: number; root: Hash },
      { size: number; root: Hash },
    ]
    const proof = ours.fast(consistencyRanges(2, 4))
    expect([verifyConsistency(two, four, proof), verifyConsistency(two, { ...four, size: 8 }, proof)]).toEqual([true, false])
  })

  it('un seul bit changé dans une preuve, ou dans la racine, la fait refuser', () => {
    const flips = (hashes: readonly Hash[], check: (flipped: Hash[]) => boolean, what: string) => {
      for (let bit = 0; bit < hashes.length * 256; bit++) {
        const flipped = hashes.map((one) => Buffer.from(one))
        flipped[Math.floor(bit / 256)]![Math.floor((bit % 256) / 8)]! ^= 1 << (bit % 8)
        if (check(flipped)) expect.fail(`${what}, bit ${bit}`)
      }
    }
    for (const [index, size] of [
      [0, 2],
      [3, 7],
      [6, 7],
      [255, 257],
      [256, 257],
      [123, 300],
    ] as const) {
      const [leaf, proof, root] = [leafHash(ENTRIES[index]!), ours.prove(size, inclusionRanges(index, size)), ours.roots[size]!]
      flips([leaf, root, ...proof], ([l, r, ...p]) => verifyInclusion(l!, index, size, p, r!), `inclusion ${index}/${size}`)
    }
    for (const [older, newer] of [
      [1, 2],
      [3, 7],
      [4, 7],
      [6, 8],
      [256, 257],
      [255, 300],
      [128, 256],
    ] as const) {
      const proof = ours.prove(newer, consistencyRanges(older, newer))
      const check = ([a, b, ...p]: Hash[]) => verifyConsistency({ size: older, root: a! }, { size: newer, root: b! }, p)
      flips([ours.roots[older]!, ours.roots[newer]!, ...proof], check, `cohérence ${older} → ${newer}`)
    }
  })
})

describe('les tuiles (C2SP tlog-tiles)', () => {
  it.each([
    [{ level: 0, index: 0, width: 256 }, '0/000'],
    [{ level: 0, index: 0, width: 5 }, '0/000.p/5'],
    [{ level: 1, index: 999, width: 256 }, '1/999'],
    [{ level: 0, index: 1000, width: 256 }, '0/x001/000'],
    [{ level: 2, index: 1_234_067, width: 17 }, '2/x001/x234/067.p/17'],
    [{ level: 63, index: 9_007_199_254_740, width: 1 }, '63/x009/x007/x199/x254/740.p/1'],
  ])('%j est à %s', (tile, path) => {
    expect(tilePath(tile)).toBe(path)
    expect(parseTilePath(path)).toEqual(tile)
  })

  it.each([
    '0/0',
    '0/00',
    '00/000',
    '64/000',
    '0/000.p/0',
    '0/000.p/256',
    '0/000.p/05',
    '0/001/000',
    '0/x000/001',
    '0/000/',
    '-1/000',
    '0/x001',
    '0/000.p/',
    'entries/000',
  ])('%s n’est pas une adresse', (path) => {
    expect(parseTilePath(path)).toBeUndefined()
  })

  it('70 000 lignes : les tuiles que dit la norme', () => {
    expect([
      widthIn(70_000, 0, 272),
      widthIn(70_000, 0, 273),
      widthIn(70_000, 1, 0),
      widthIn(70_000, 1, 1),
      widthIn(70_000, 2, 0),
    ]).toEqual([256, 112, 256, 17, 1])
    expect([widthIn(256, 0, 0), widthIn(256, 0, 1), widthIn(256, 1, 0)]).toEqual([256, 0, 1])
  })

  it('une tuile pleine est ses 256 empreintes, et sa racine commence le niveau suivant', () => {
    expect(ours.full.map(({ level, index, hashes }) => [level, index, hashes.length])).toEqual([[0, 0, 8192]])
    expect(ours.full[0]!.hashes.equals(ours.tile(300, 0, 0))).toBe(true)
    expect(ours.tile(300, 1, 0).equals(theirs.root(256))).toBe(true)
  })
})

const SEED = Buffer.from('302e020100300506032b657004220420', 'hex')
/** RFC 8032 §7.1, test 1: the key of all who try. */
const pem = (seed: string) =>
  `-----BEGIN PRIVATE KEY-----\n${Buffer.concat([SEED, Buffer.from(seed, 'hex')]).toString('base64')}\n-----END PRIVATE KEY-----\n`
const LOG_SEED = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'
const WITNESS_SEED = '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'
let log: Signer
let witness: Signer
beforeAll(() => {
  log = openSigner(pem(LOG_SEED), 'mandats.exemple.fr/journal')
  witness = openSigner(pem(WITNESS_SEED), 'temoin.exemple.fr/w1', WITNESS_KEY)
})

describe('les points de contrôle (C2SP signed-note, tlog-checkpoint)', () => {
  const checkpoint = {
    origin: 'mandats.exemple.fr/journal',
    size: 2,
    root: Buffer.from('fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125', 'hex'),
  }
  /** Written by hand; key id and signature by another program (openssl and sha256sum). */
  const NOTE = `mandats.exemple.fr/journal
2
+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU=

— mandats.exemple.fr/journal zMrQeke8nAMvGXbVnG+99gGka10lhGPUg06EMWmTIRaOaaDWLMfB21iITuwfsVgCFNOEr8VacbieM3FF61svhG+AOQ8=
`

  it('l’adresse du service sans son protocole, et /journal', () => {
    expect(originOf('https://mandats.exemple.fr')).toBe('mandats.exemple.fr/journal')
    expect(originOf('http://localhost:3000')).toBe('localhost:3000/journal')
  })

  it('sont ces octets-là', () => {
    expect(checkpointText(checkpoint)).toBe(NOTE.slice(0, NOTE.indexOf('\n\n') + 1))
    expect(signCheckpoint(log, checkpoint)).toBe(NOTE)
    const parsed = parseCheckpoint(NOTE)!
    expect(parsed).toMatchObject(checkpoint)
    expect(isSignedBy(parsed.note, log.vkey)).toBe(true)
  })

  it('la clé publique se lit et s’écrit d’une seule façon', () => {
    expect(log.vkey.text).toBe('mandats.exemple.fr/journal+cccad07a+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea')
    expect(parseVkey(log.vkey.text)!.key.equals(log.vkey.key)).toBe(true)
    expect(parseVkey(witness.vkey.text)).toMatchObject({ name: 'temoin.exemple.fr/w1', type: WITNESS_KEY })
    for (const wrong of [
      log.vkey.text.replace('+', '+0'),
      `${log.vkey.text}=`,
      log.vkey.text.replace('mandats', 'mandat'),
      'nom+00000000+AA==',
      '',
    ])
      expect(parseVkey(wrong)).toBeUndefined()
  })

  it('une clé d’une autre sorte, ou un nom avec une espace, n’ouvre rien', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    expect(() => openSigner(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, 'a')).toThrow()
    expect(() => openSigner(pem(LOG_SEED), 'un nom')).toThrow()
  })

  it('un seul bit changé, où que ce soit, les fait refuser', () => {
    const bytes = Buffer.from(NOTE)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      const parsed = parseCheckpoint(flipped.toString('utf8'))
      if (parsed && isSignedBy(parsed.note, log.vkey)) expect.fail(`bit ${bit} : ${flipped.toString('utf8')}`)
    }
  })

  it('une signature fausse au nom d’une clé connue refuse la note, même à côté d’une bonne', () => {
    const other = signCheckpoint(log, { ...checkpoint, size: 3 }).split('\n\n')[1]!
    expect(isSignedBy(parseNote(NOTE + other)!, log.vkey)).toBe(false)
    // Of an unknown key, a signature says nothing.
    const stranger = signCheckpoint(openSigner(pem(WITNESS_SEED), 'ailleurs'), checkpoint).split('\n\n')[1]!
    expect(isSignedBy(parseNote(NOTE + stranger)!, log.vkey)).toBe(true)
  })

  it.each([
    ['sans signature', 'a\n1\nAAAA\n\n'],
    ['sans ligne vide', 'a\n1\n— b AAAAAAA=\n'],
    ['avec un caractère de commande', 'a\r\n1\nAAAA\n\n— b AAAAAAA=\n'],
    ['sans fin de ligne', `${'a\n1\nAAAA\n\n— b AAAAAAA='}`],
    ['un zéro devant la taille', NOTE.replace('\n2\n', '\n02\n')],
    ['une taille qui ne tient pas dans un nombre', NOTE.replace('\n2\n', '\n9007199254740993\n')],
    ['une racine d’une autre longueur', NOTE.replace('+sVCA', '+sVC')],
    ['une racine écrite autrement', NOTE.replace('wSU=', 'wSV=')],
  ])('ne se lit pas : %s', (_name, text) => {
    expect(parseCheckpoint(text)).toBeUndefined()
  })
})

describe('les témoins (C2SP tlog-cosignature, tlog-witness)', () => {
  const noted = (size: number) => signCheckpoint(log, { origin: log.vkey.name, size, root: ours.roots[size]! })
  const asked = (older: number, newer: number, more: Partial<{ old: number; proof: Hash[]; signed: string }> = {}) =>
    parseSubmission(
      submissionText(
        more.old ?? older,
        more.proof ?? ours.prove(newer, consistencyRanges(older, newer)),
        more.signed ?? noted(newer),
      ),
    )!
  const known = (size: number) => ({ size, root: ours.roots[size]! })

  it('une cosignature dit l’heure, et ne vaut que pour ce point, ce témoin et cette heure', () => {
    const { text } = parseNote(noted(7))!
    const line = cosignatureLine(witness, text, 1_679_315_147)
    const signatures = parseNote(noted(7) + line)!.signatures
    expect(cosignedAt(text, signatures, witness.vkey)).toBe(1_679_315_147)
    expect(cosignedAt(text, signatures, log.vkey)).toBeUndefined()
    expect(cosignedAt(parseNote(noted(8))!.text, signatures, witness.vkey)).toBeUndefined()
    const bytes = Buffer.from(line.split(' ')[2]!.trim(), 'base64')
    expect(bytes.subarray(4, 12).readBigUInt64BE()).toBe(1_679_315_147n)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      const forged = parseNote(`${noted(7)}— ${witness.vkey.name} ${flipped.toString('base64')}\n`)!
      if (cosignedAt(text, forged.signatures, witness.vkey) !== undefined) expect.fail(`bit ${bit}`)
    }
  })

  it.each([
    ['la première fois', 0, 7, 200],
    ['la suite', 7, 300, 200],
    ['la même, redemandée', 7, 7, 200],
  ])('acceptent %s', (_name, older, newer, status) => {
    expect(judge(asked(older, newer), log.vkey, known(older))).toMatchObject({ status })
  })

  it('refusent, chacun avec son code', () => {
    const stranger = openSigner(pem(WITNESS_SEED), log.vkey.name)
    expect(judge(asked(0, 7), undefined, known(0))).toEqual({ status: 404 })
    expect(judge(asked(0, 7), openSigner(pem(LOG_SEED), 'ailleurs').vkey, known(0))).toEqual({ status: 404 })
    expect(
      judge(asked(0, 7, { signed: signCheckpoint(stranger, { origin: log.vkey.name, ...known(7) }) }), log.vkey, known(0)),
    ).toEqual({ status: 403 })
    expect(judge(asked(7, 7, { old: 8, proof: [] }), log.vkey, known(8))).toEqual({ status: 400 })
    expect(judge(asked(0, 7), log.vkey, known(5))).toEqual({ status: 409, size: 5 })
    expect(judge(asked(7, 7), log.vkey, { size: 7, root: ours.roots[6]! })).toEqual({ status: 409, size: 7 })
    expect(judge(asked(5, 7, { proof: [] }), log.vkey, known(5))).toEqual({ status: 422 })
    expect(judge(asked(0, 7, { proof: [EMPTY_ROOT] }), log.vkey, known(0))).toEqual({ status: 422 })
    expect(judge(asked(5, 7), log.vkey, { size: 5, root: ours.roots[4]! })).toEqual({ status: 422 })
  })

  it.each(['', 'old 5\n', `old 05\n\n${'x'}`, 'new 5\n\n', `old 5\nAAAA\n\n`, `old -1\n\n`])('ne se lit pas : %j', (body) => {
    expect(parseSubmission(body + (body.endsWith('\n\n') ? noted(7) : ''))).toBeUndefined()
  })

  it('jamais plus de 63 lignes de preuve', () => {
    const many = (count: number) => parseSubmission(submissionText(1, Array<Hash>(count).fill(EMPTY_ROOT), noted(7)))
    expect([many(63) !== undefined, many(64)]).toEqual([true, undefined])
  })
})

describe('la preuve d’une ligne (C2SP tlog-proof)', () => {
  const signed = () => {
    const note = signCheckpoint(log, { origin: log.vkey.name, size: 300, root: ours.roots[300]! })
    return note + cosignatureLine(witness, parseNote(note)!.text, 1_700_000_000)
  }
  const text = () => proofText({ index: 123, path: ours.prove(300, inclusionRanges(123, 300)), signed: signed() })

  it('se lit, se vérifie, et dit quels témoins ont vu le point', () => {
    const proof = parseProof(text())!
    expect(proof).toMatchObject({ index: 123 })
    expect(verifyProof(proof, leafHash(ENTRIES[123]!), log.vkey, [witness.vkey])).toEqual({
      ok: true,
      seen: new Map([['temoin.exemple.fr/w1', 1_700_000_000]]),
    })
    expect(verifyProof(proof, leafHash(ENTRIES[122]!), log.vkey)).toEqual({ ok: false, refusal: 'pas_dans_l_arbre' })
    expect(verifyProof(proof, leafHash(ENTRIES[123]!), witness.vkey)).toEqual({ ok: false, refusal: 'autre_journal' })
    const stranger = openSigner(pem(WITNESS_SEED), log.vkey.name).vkey
    expect(verifyProof(proof, leafHash(ENTRIES[123]!), stranger)).toEqual({ ok: false, refusal: 'point_non_signe' })
    expect(parseProof(text().replace('index', 'extra AAAA\nindex'))?.extra?.length).toBe(3)
  })

  it('un seul bit changé, hors de la ligne d’un témoin, la fait refuser', () => {
    const bytes = Buffer.from(text().slice(0, text().lastIndexOf('— ')))
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      const proof = parseProof(flipped.toString('utf8'))
      if (proof && !proof.extra && verifyProof(proof, leafHash(ENTRIES[123]!), log.vkey).ok) expect.fail(`bit ${bit}`)
    }
  })
})

describe('la règle de quorum (C2SP tlog-policy)', () => {
  const vkeys = () =>
    ['a', 'b', 'c'].map((name, i) => openSigner(pem(`${i + 1}`.padStart(64, '0')), `${name}.exemple`, WITNESS_KEY).vkey.text)

  it('dit quand c’est assez', () => {
    const [a, b, c] = vkeys() as [string, string, string]
    const policy = parsePolicy(
      `# trois témoins, de deux organismes\nwitness A ${a} https://a.exemple/\n\nwitness B ${b}\nwitness C ${c}\ngroup AB any A B\ngroup tous all AB C\nquorum tous\n`,
    )
    expect(policy.witnesses.map(({ name, url }) => [name, url])).toEqual([
      ['A', 'https://a.exemple/'],
      ['B', undefined],
      ['C', undefined],
    ])
    expect([[a], [a, b], [a, c], [b, c], [c], [], ['inconnue', c]].map((seen) => isTemoigne(policy, seen))).toEqual([
      false,
      false,
      true,
      true,
      false,
      false,
      false,
    ])
  })

  it('sans quorum, rien n’est jamais témoigné', () => {
    expect(isTemoigne(parsePolicy('quorum none'), [])).toBe(false)
  })

  it.each([
    '',
    'quorum A',
    'witness A pas-une-cle\nquorum A',
    'groupe',
    'quorum none\nquorum none',
    'group G any A\nquorum G',
  ])('ne se lit pas : %j', (text) => {
    expect(() => parsePolicy(text)).toThrow()
  })

  it('deux fois la même clé, un nom pris, un seuil impossible : refusés', () => {
    const [a, b] = vkeys() as [string, string]
    for (const text of [
      `witness A ${a}\nwitness B ${a}\nquorum A`,
      `witness A ${a}\nwitness A ${b}\nquorum A`,
      `witness A ${a}\ngroup G 2 A\nquorum G`,
    ])
      expect(() => parsePolicy(text)).toThrow()
  })
})
