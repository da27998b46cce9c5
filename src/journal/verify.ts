import type { Checkpoint } from './checkpoint.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { commitmentOf, type EntryFields, parseEntry } from './entry.ts'
import { growTree, type Hash, leafHash } from './merkle.ts'
import { cosignedAt, isSignedBy, parseNote, parseVkey, renamed, type Vkey } from './note.ts'
import { type RestaurationDite, type RestaurationGardee, readRestauration } from './restauration.ts'
import { collectTiles } from './tiles.ts'

/** What can be wrong, each with its sentence in views/journal/words.ts. */
export type FaultKind =
  | 'rang_manquant'
  | 'ligne_effacee'
  | 'colonnes_changees'
  | 'octets_changes'
  | 'octets_illisibles'
  | 'contenu_change'
  | 'contenu_efface_sans_ligne'
  | 'contenu_reste'
  | 'numero_manquant'
  | 'numero_en_double'
  | 'antidatee'
  | 'hors_de_l_arbre'
  | 'fait_disparu'
  | 'fait_sans_ligne'
  | 'fait_redate'
  | 'parties_changees'
  | 'perimetre_change'
  | 'dates_changees'
  | 'thematique_changee'
  | 'fait_change'
  | 'cle_changee'
  | 'tuile_changee'
  | 'tuile_manquante'
  | 'point_illisible'
  | 'point_non_signe'
  | 'point_change'
  | 'racine_differente'
  | 'fin_sans_point'
  | 'temoignage_faux'
  | 'temoin_illisible'
  | 'temoin_plus_loin'
  | 'temoin_autre_arbre'
  | 'restauration_fausse'
  | 'paquet_illisible'
  | 'paquet_coupe'
export type Fault = {
  kind: FaultKind
  /** The first broken line: its number in the journal and its place in the tree. */
  ligne?: number | undefined
  rang?: number | undefined
  /** One word of ours more: the table, the mandat, the size of the checkpoint. */
  ou?: string | undefined
}

/** `salt`: in base64url; `empreinte` too, as the line engages it. */
export type Content = { payload: string; salt: string } | { empreinte: string } | 'efface' | 'non_lu'
export type LeafRecord = {
  index: number
  id: number
  /** As stored, when it is. */
  hash?: Hash | undefined
  /** The frozen bytes, which are ASCII. */
  entry: string
  /** The line as its columns say it, when there are columns: as `rowText` writes them. */
  colonnes?: string | undefined
  content: Content
  /** False: the line says a fact that the tables do not have. */
  fact?: boolean | undefined
  /** Whether the words of that fact (what was agreed, what was done) are still there. */
  words?: boolean | undefined
}
/** A leaf whose line is gone. */
export type GoneRecord = { index: number; id: number; hash: Hash; gone: true }
export type PointRecord = {
  taille: number
  note: string
  racine?: Hash | undefined
  temoignages?: readonly { temoin: string; ligne: string }[] | undefined
}
type Counts = {
  lignes: number
  contenus: number
  effaces: number
  /** Persons whose erasure has its line. */
  personnes: number
  points: number
  temoignages: number
  tuiles: number
  mandats: number
  attente: number
}

export const NOTHING_COUNTED: Readonly<Counts> = {
  lignes: 0,
  contenus: 0,
  effaces: 0,
  personnes: 0,
  points: 0,
  temoignages: 0,
  tuiles: 0,
  mandats: 0,
  attente: 0,
}

/** All that was found of one kind: how many times, and the first of them. */
export type Faults = { kind: FaultKind; total: number; premieres: Fault[] }

/** What others kept of the tree; `vu`: when the witness says that it saw it, POSIX seconds, once its signature is verified. */
export type SeenPoint = Checkpoint & { vu?: number | undefined }

export type Verified = {
  counts: Counts
  size: number
  root: Hash
  /** The name that signs the tree now. */
  nom: string
  restaurations: readonly RestaurationDite[]
  /** How many lines others saw of the tree under its name; 0 when nobody did. `depuis`: how long lines have been written since, in ms. */
  vues: number
  depuis: number
  /** The first one found; `fautes`: all of them, in the order in which each kind was first met. */
  fault: Fault | undefined
  fautes: readonly Faults[]
  /** Where a fault broke the tree, and what could no longer be compared with it from there. */
  rompu: number | undefined
  nonCompares: { points: number; tuiles: number; temoins: number }
}

/** Of each kind, as many are kept; all are counted. */
const LISTED = 20
export function collectFaults() {
  const kinds = new Map<FaultKind, Faults>()
  const add = (fault: Fault) => {
    const known = kinds.get(fault.kind) ?? { kind: fault.kind, total: 0, premieres: [] }
    known.total++
    if (known.premieres.length < LISTED) known.premieres.push(fault)
    kinds.set(fault.kind, known)
  }
  return {
    add,
    /** What another has collected, after what is here. */
    take(others: readonly Faults[]) {
      for (const { kind, total, premieres } of others) {
        premieres.forEach(add)
        kinds.get(kind)!.total += total - premieres.length
      }
    },
    all: () => [...kinds.values()],
  }
}

/** What an audit asks of a line. */
type Said = Pick<EntryFields, 'at' | 'action' | 'usagerId' | 'mandatId' | 'mandatSeq' | 'commitment'>

/** Lines commit within seconds of being written: one dated earlier than its neighbours by more was not written then. */
const LATE_MS = 15 * 60_000
/** Lines wait seconds for their checkpoint: of those that a backup held without one, none had waited for more. */
const WAITED_MS = 24 * 3_600_000
/** The clock of a witness is its own: this much apart, it still saw what it says before the last line was written. */
const SEEN_MS = 3_600_000

/** As PostgreSQL writes the row of these columns: nothing for null, and no quotes, which none of them needs. */
const rowText = (line: EntryFields) =>
  `(${line.at},${line.action},${line.acteur},${line.acteurId ?? ''},${line.structureId ?? ''},${line.usagerId ?? ''},${line.mandatId ?? ''},${line.mandatSeq ?? ''},${line.cibleAidantId ?? ''},${line.commitment})`

/** A copy: the engine makes a part of a text hold the whole of it, which is a page of the journal. */
const own = (part: string) => Buffer.from(part).toString()

/** What bytes that are not ours still say. */
function readOther(entry: string): Said | undefined {
  try {
    const said = JSON.parse(entry) as Record<string, unknown>
    if (said.v !== 1 || Number.isNaN(Date.parse(String(said.at)))) return undefined
    return {
      at: String(said.at),
      action: said.action as EntryFields['action'],
      usagerId: said.usager_id as string,
      mandatId: said.mandat_id as string,
      mandatSeq: said.mandat_seq as number,
      commitment: String(said.commitment),
    }
  } catch {
    return undefined
  }
}

/** What each is given is compared, whatever was wrong before; `done` says what was. */
type Audit = {
  /** The rank that must come next. */
  readonly size: number
  done(): Verified
  /** What was found elsewhere, after all that is known here. */
  take(faults: readonly Faults[]): void
  fail(fault: Fault): void
  /** The next leaf of the tree, in order. */
  leaf(record: LeafRecord | GoneRecord): void
  /** A checkpoint, once the leaves it is over have been given. */
  point(record: PointRecord): void
  /** The tiles stored for those that were filled since the last time. */
  tiles(stored: readonly { level: number; index: number; hashes: Buffer; root: Hash }[]): void
  /** A line that has no leaf yet; `settled`: it should have one. */
  waiting(record: Pick<LeafRecord, 'id' | 'entry' | 'colonnes' | 'content'>, settled: boolean): void
  /** What can only be said when every line has been given, in the order of the journal. */
  end(): void
}

/**
 * Verifies a journal line after line, in memory that does not grow with it (a few words for each mandat, each person and each checkpoint seen).
 * `log`: the key that must have signed, under any of the names that the journal had; `seen`: checkpoints that others kept, to be found again at
 * their size; `restaurations`: what was said at each restore, where the tree changes its name and may lose an end that witnesses saw: as many lines
 * as it says, and no more. `tiles`: stored tiles will be given as they are filled; otherwise none is kept.
 */
export function openAudit({
  log,
  seen = [],
  restaurations = [],
  tiles = false,
}: {
  log: Vkey
  seen?: readonly SeenPoint[]
  restaurations?: readonly RestaurationGardee[]
  tiles?: boolean
}): Audit {
  const counts: Counts = { ...NOTHING_COUNTED }
  const nonCompares = { points: 0, tuiles: 0, temoins: 0 }
  const faults = collectFaults()
  const full: { level: number; index: number; hashes: Buffer; root: Hash }[] = []
  const tree = growTree(tiles ? collectTiles((tile) => void full.push(tile)) : undefined)
  /** Of each mandat: the number that must come, and those that came before their turn, with their lines. */
  const mandats = new Map<string, { next: number; early?: Map<number, { id: number; index: number | undefined }> }>()
  /** The first line of each person whose content is gone (a later line must say so), and the first whose content is there (none may). */
  const gone = new Map<string, { id: number; index: number }>()
  const kept = new Map<string, { id: number; index: number }>()
  const expected = new Map<number, SeenPoint[]>()
  for (const one of seen) expected.set(one.size, [...(expected.get(one.size) ?? []), one])
  /** What others saw, and was not found again yet; from the smallest. */
  const lost = new Set(seen.filter(({ size }) => size > 0).sort((a, b) => a.size - b.size))
  const told: RestaurationDite[] = []
  const facts = restaurations.map(({ payload }) => readRestauration(payload))
  const first = facts[0]?.avant
  let signing = first !== undefined && [first, ...facts.map((fact) => fact?.nom)].includes(log.name) ? renamed(log, first) : log
  let restores = 0
  let latest = Number.NEGATIVE_INFINITY
  let vues = { size: 0, at: 0 }
  let next = 0
  let rompu: number | undefined
  let pointed = 0
  /** Of the first line after the last checkpoint. */
  let unpointed = Number.POSITIVE_INFINITY
  let lastId: number | undefined

  /** What a line says, once its columns are found to say the same. */
  const read = ({ entry, colonnes, id }: Pick<LeafRecord, 'entry' | 'colonnes' | 'id'>, index?: number): Said | undefined => {
    const line = parseEntry(entry)
    const same = colonnes === undefined || (line && rowText(line) === colonnes)
    if (!same) faults.add({ kind: 'colonnes_changees', ligne: id, rang: index })
    const said = line ?? readOther(entry)
    if (!said) faults.add({ kind: 'octets_illisibles', ligne: id, rang: index })
    return said
  }
  const number = ({ mandatId: mandat, mandatSeq: seq }: Said, id: number, index: number | undefined) => {
    if (mandat == null) return
    const known = mandats.get(mandat) ?? { next: 1 }
    if (known.next === 1) mandats.set(own(mandat), known)
    if (!Number.isSafeInteger(seq) || seq! < known.next || known.early?.has(seq!))
      return faults.add({ kind: 'numero_en_double', ligne: id, rang: index, ou: mandat })
    if (seq === known.next) {
      known.next++
      while (known.early?.delete(known.next)) known.next++
      if (known.early?.size === 0) delete known.early
    } else {
      known.early ??= new Map()
      known.early.set(seq!, { id, index })
    }
  }
  const isKept = (content: Content, { commitment }: Said): boolean => {
    if (content === 'efface' || content === 'non_lu') return true
    if ('payload' in content && content.salt.length !== 43) return false
    return commitment === ('empreinte' in content ? content.empreinte : commitmentOf(content.salt, content.payload))
  }

  /** Another tree was seen than this one: said once of each name, with the ranks between which it changed. */
  const otherTree = (at: SeenPoint) => {
    faults.add({ kind: 'temoin_autre_arbre', rang: vues.size, ou: String(at.size) })
    for (const other of lost) if (other.origin === at.origin) lost.delete(other)
  }
  /**
   * The tree goes on under another name: whatever others saw of it under the former one is in what was kept, or in what is said to be lost.
   * `before`: when the last of the lines kept was written.
   */
  const restored = ({ commitment, at }: Said, id: number, before: number) => {
    const kept = restaurations[restores]
    const said = facts[restores]
    restores++
    const isTold = kept?.ligne === id && said?.avant === signing.name && commitmentOf(kept.salt, kept.payload) === commitment
    if (!isTold) faults.add({ kind: 'restauration_fausse', ligne: id, rang: tree.size })
    if (!said) {
      // Nothing says under which name the tree goes on.
      rompu ??= tree.size
      return
    }
    const ofIts = [...lost].filter(({ origin }) => origin === signing.name)
    const other = ofIts.find(({ size }) => size <= pointed)
    // Else a whole tree made anew, its checkpoints thrown away, would say that it was restored, and be compared with nothing of what was seen.
    const waited = (said.vues[signing.name] ?? 0) > pointed && unpointed < before - WAITED_MS
    // Seen before the last line kept was written, and the backup is later than that line: it held this checkpoint.
    const dropped = ofIts.some(({ size, vu }) => size > pointed && vu !== undefined && vu * 1000 < before - SEEN_MS)
    if (other) otherTree(other)
    else if (waited || dropped) faults.add({ kind: 'fin_sans_point', rang: pointed })
    const further = ofIts.findLast(({ size }) => size > (said.vues[signing.name] ?? 0))
    if (further) faults.add({ kind: 'temoin_plus_loin', rang: tree.size, ligne: lastId, ou: String(further.size) })
    for (const one of ofIts) lost.delete(one)
    if (isTold) told.push({ ...said, ligne: id, tenues: tree.size, at: new Date(at) })
    vues = { size: 0, at: 0 }
    signing = renamed(log, said.nom)
  }

  const examine = (said: Said, { id, index, content, fact, words }: LeafRecord) => {
    const here = { ligne: id, rang: index }
    const isThere = isKept(content, said)
    if (!isThere) faults.add({ kind: 'contenu_change', ...here })
    const at = Date.parse(said.at)
    if (at < latest - LATE_MS) faults.add({ kind: 'antidatee', ...here })
    const before = latest
    latest = Math.max(latest, at)
    if (index === pointed) unpointed = at
    number(said, id, index)
    if (fact === false) faults.add({ kind: 'fait_disparu', ...here, ou: said.action })

    const whose = said.usagerId ?? ''
    const erasure = said.action === 'donnees_effacees'
    if (erasure) {
      const left = kept.get(whose)
      if (left) faults.add({ kind: 'contenu_reste', ligne: left.id, rang: left.index, ou: String(id) })
      gone.delete(whose)
      counts.personnes++
    }
    const isGone = content === 'efface'
    if (isGone) counts.effaces++
    else if (isThere && content !== 'non_lu') counts.contenus++
    // What an erasure says of itself stays: neither excused by it, nor left behind.
    if ((isGone || words === false) && !gone.has(whose)) gone.set(own(whose), { id, index })
    if (((!isGone && content !== 'non_lu') || words) && !erasure && !kept.has(whose)) kept.set(own(whose), { id, index })
    if (said.action === 'restauration') restored(said, id, before)
  }

  const pointFault = (
    checkpoint: NonNullable<ReturnType<typeof parseCheckpoint>>,
    taille: number,
    racine: Hash | undefined,
  ): FaultKind | undefined => {
    if (rompu !== undefined) return undefined
    if (checkpoint.origin !== signing.name || !isSignedBy(checkpoint.note, signing)) return 'point_non_signe'
    if (checkpoint.size !== taille || (racine && !racine.equals(checkpoint.root))) return 'point_change'
    // Over more than there is: lines are missing at the end.
    if (taille !== tree.size) return 'rang_manquant'
    return checkpoint.root.equals(tree.root()) ? undefined : 'racine_differente'
  }

  /** Gives the leaf its place, and compares the tree with what others saw at this size. */
  const grow = (leaf: Hash) => {
    if (rompu !== undefined) return
    tree.push(leaf)
    for (const other of expected.get(tree.size) ?? []) {
      if (other.origin !== signing.name || !lost.has(other)) continue
      if (other.root.equals(tree.root())) {
        lost.delete(other)
        vues = { size: tree.size, at: latest }
      }
      // Lines that waited when the backup was made may have taken their places in another order: a restore that comes judges.
      else if (restores === restaurations.length) otherTree(other)
    }
  }

  return {
    get size() {
      return next
    },
    fail: faults.add,
    take: faults.take,
    done: () => {
      const fautes = faults.all()
      return {
        counts,
        size: tree.size,
        root: tree.root(),
        nom: signing.name,
        restaurations: told,
        vues: vues.size,
        depuis: tree.size > vues.size ? latest - vues.at : 0,
        fault: fautes[0]?.premieres[0],
        fautes,
        rompu,
        nonCompares,
      }
    },
    leaf(record) {
      const { id, index } = record
      const here = { ligne: id, rang: index }
      if (index !== next) {
        faults.add({ kind: 'rang_manquant', rang: next, ligne: lastId, ou: 'apres' })
        rompu ??= tree.size
      }
      next = index + 1
      if ('gone' in record) {
        faults.add({ kind: 'ligne_effacee', ...here })
        // Its leaf is still there, and the next checkpoint answers for it.
        grow(record.hash)
      } else {
        const said = read(record, index)
        const leaf = leafHash(record.entry)
        if (record.hash && !record.hash.equals(leaf)) faults.add({ kind: 'octets_changes', ...here })
        if (said) examine(said, record)
        grow(record.hash ?? leaf)
        counts.lignes++
      }
      lastId = id
    },
    point({ taille, note, racine, temoignages = [] }) {
      const checkpoint = parseCheckpoint(note)
      const kind = checkpoint ? pointFault(checkpoint, taille, racine) : 'point_illisible'
      const ou = String(taille)
      if (kind === 'rang_manquant') faults.add({ kind, rang: tree.size, ligne: lastId, ou: 'apres' })
      else if (kind === 'racine_differente') {
        faults.add({ kind, rang: pointed, ou })
        rompu = pointed
      } else if (kind) faults.add({ kind, ou })
      else if (rompu !== undefined) nonCompares.points++
      else {
        pointed = taille
        counts.points++
      }
      for (const { temoin, ligne } of temoignages) {
        const vkey = parseVkey(temoin)
        const signatures = parseNote(note + ligne)?.signatures
        if (checkpoint && vkey && signatures && cosignedAt(checkpoint.note.text, signatures, vkey) !== undefined)
          counts.temoignages++
        else faults.add({ kind: 'temoignage_faux', ou })
      }
    },
    tiles(stored) {
      if (rompu !== undefined) nonCompares.tuiles += stored.length
      for (const ours of rompu === undefined ? full.splice(0) : []) {
        const { level, index } = ours
        const tile = stored.find((one) => one.level === level && one.index === index)
        const ou = `${level}/${index}`
        if (!tile) faults.add({ kind: 'tuile_manquante', ou })
        else if (ours.hashes.equals(tile.hashes) && ours.root.equals(tile.root)) counts.tuiles++
        else {
          const at = Array.from({ length: 256 }, (_, i) => i * 32).find(
            (byte) => !ours.hashes.subarray(byte, byte + 32).equals(tile.hashes.subarray(byte, byte + 32)),
          )
          faults.add({ kind: 'tuile_changee', ou, ...(level === 0 && at !== undefined && { rang: index * 256 + at / 32 }) })
        }
      }
    },
    waiting(record, settled) {
      const { id: ligne, content } = record
      const said = read(record)
      if (!said) return
      // Whoever sequences says what is settled: of an older line than those placed since, nobody needs to say it.
      if (settled || Date.parse(said.at) < latest - LATE_MS) faults.add({ kind: 'hors_de_l_arbre', ligne })
      if (!isKept(content, said)) faults.add({ kind: 'contenu_change', ligne })
      number(said, ligne, undefined)
      // Of contents that were read before it: those that went since are excused too.
      if (said.action === 'donnees_effacees') gone.delete(said.usagerId ?? '')
      counts.attente++
    },
    end() {
      const late: Fault[] = []
      for (const [ou, { early }] of mandats) {
        const [first] = [...(early ?? [])].sort(([a], [b]) => a - b)
        if (first) late.push({ kind: 'numero_manquant', ligne: first[1].id, rang: first[1].index, ou })
      }
      counts.mandats = mandats.size - late.length
      for (const { id, index } of gone.values()) late.push({ kind: 'contenu_efface_sans_ligne', ligne: id, rang: index })
      late.sort((a, b) => (a.rang ?? Number.POSITIVE_INFINITY) - (b.rang ?? Number.POSITIVE_INFINITY))
      for (const fault of late) faults.add(fault)
      if (rompu !== undefined) {
        nonCompares.temoins = lost.size
        return
      }
      if (pointed < tree.size) faults.add({ kind: 'fin_sans_point', rang: pointed })
      const largest = new Map([...lost].map((one) => [one.origin, one.size]))
      for (const [origin, size] of largest)
        faults.add(
          origin === signing.name
            ? { kind: 'temoin_plus_loin', rang: tree.size, ligne: lastId, ou: String(size) }
            : { kind: 'temoin_illisible', ou: origin },
        )
    },
  }
}
