import type { Checkpoint } from './checkpoint.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { type Action, commitmentOf, type EntryFields, entryText } from './entry.ts'
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

export type Content = { payload: string; salt: Buffer } | { empreinte: Buffer } | 'efface' | 'non_lu'
export type LeafRecord = {
  index: number
  id: number
  /** As stored, when it is. */
  hash?: Hash | undefined
  /** The frozen bytes, which are ASCII. */
  entry: string
  /** The line as its columns say it, when there are columns. */
  fields?: EntryFields | undefined
  content: Content
  /** False: the line says a fact that the tables do not have. */
  fact?: boolean | undefined
  /** Whether the words of that fact (what was agreed, what was done) are still there. */
  words?: boolean | undefined
}
export type PointRecord = {
  taille: number
  note: string
  racine?: Hash | undefined
  temoignages?: readonly { temoin: string; ligne: string }[] | undefined
}
export type Counts = {
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
  fault: Fault | undefined
}

/** What an audit asks of a line: of its columns once they are found to be its bytes, else of the bytes alone. */
type Said = Pick<EntryFields, 'at' | 'action' | 'usagerId' | 'mandatId' | 'mandatSeq' | 'commitment'>

/** Lines commit within seconds of being written: one dated earlier than its neighbours by more was not written then. */
const LATE_MS = 15 * 60_000
/** Lines wait seconds for their checkpoint: of those that a backup held without one, none had waited for more. */
const WAITED_MS = 24 * 3_600_000

function read(entry: string): Said | undefined {
  try {
    const said = JSON.parse(entry) as Record<string, unknown>
    const at = new Date(String(said.at))
    if (said.v !== 1 || Number.isNaN(at.getTime())) return undefined
    return {
      at,
      action: said.action as Action,
      usagerId: said.usager_id as string,
      mandatId: said.mandat_id as string,
      mandatSeq: said.mandat_seq as number,
      commitment: Buffer.from(String(said.commitment), 'base64url'),
    }
  } catch {
    return undefined
  }
}

type Audit = {
  readonly counts: Counts
  readonly size: number
  root(): Hash
  /** What was verified, and the first fault when there is one. */
  done(fault: Fault | undefined): Verified
  /** The next leaf of the tree, in order. */
  leaf(record: LeafRecord): Fault | undefined
  /** A checkpoint, once the leaves it is over have been given. */
  point(record: PointRecord): Fault | undefined
  /** A stored tile, once it is full. */
  tile(tile: { level: number; index: number; hashes: Buffer; root: Hash }): Fault | undefined
  /** A line that has no leaf yet; `settled`: it should have one. */
  waiting(record: Pick<LeafRecord, 'id' | 'entry' | 'fields' | 'content'>, settled: boolean): Fault | undefined
  /** What can only be said at the end; the first fault in the order of the journal. */
  end(): Fault | undefined
}

/**
 * Verifies a journal line after line, in memory that does not grow with it (a few words for each mandat and each person). `log`: the key that must have signed, under
 * any of the names that the journal had; `seen`: checkpoints that others kept, to be found again at their size; `restaurations`: what was said at
 * each restore, where the tree changes its name and may lose an end that witnesses saw: as many lines as it says, and no more. `tiles`: stored tiles
 * will be given as they are filled; otherwise none is kept.
 */
export function openAudit({
  log,
  seen = [],
  restaurations = [],
  tiles = false,
}: {
  log: Vkey
  seen?: readonly Checkpoint[]
  restaurations?: readonly RestaurationGardee[]
  tiles?: boolean
}): Audit {
  const counts: Counts = { ...NOTHING_COUNTED }
  const full: { level: number; index: number; hashes: Buffer; root: Hash }[] = []
  const tree = growTree(tiles ? collectTiles((tile) => void full.push(tile)) : undefined)
  /** Of each mandat: the number that must come, and those that came before their turn, with their lines. */
  const mandats = new Map<string, { next: number; early?: Map<number, { id: number; index: number | undefined }> }>()
  /** The first line of each person whose content is gone (a later line must say so), and the first whose content is there (none may). */
  const gone = new Map<string, { id: number; index: number }>()
  const kept = new Map<string, { id: number; index: number }>()
  const expected = new Map<number, Checkpoint[]>()
  for (const one of seen) expected.set(one.size, [...(expected.get(one.size) ?? []), one])
  /** What others saw, and was not found again yet. */
  const lost = new Set(seen.filter(({ size }) => size > 0))
  const told: RestaurationDite[] = []
  const facts = restaurations.map(({ payload }) => readRestauration(payload))
  const first = facts[0]?.avant
  let signing = first !== undefined && [first, ...facts.map((fact) => fact?.nom)].includes(log.name) ? renamed(log, first) : log
  let latest = Number.NEGATIVE_INFINITY
  let vues = { size: 0, at: 0 }
  let pointed = 0
  /** Of the first line after the last checkpoint. */
  let unpointed = Number.POSITIVE_INFINITY
  let lastId: number | undefined

  const bytesOf = ({ id, entry, fields }: Pick<LeafRecord, 'id' | 'entry' | 'fields'>, rang?: number): Fault | undefined => {
    if (!fields) return undefined
    let text: string | undefined
    try {
      text = entryText(fields)
    } catch {
      // A column that no line of ours could have.
    }
    return text === entry ? undefined : { kind: 'colonnes_changees', ligne: id, rang }
  }
  const number = ({ mandatId: mandat, mandatSeq: seq }: Said, id: number, index: number | undefined): Fault | undefined => {
    if (mandat == null) return undefined
    const known = mandats.get(mandat) ?? { next: 1 }
    if (!Number.isSafeInteger(seq) || seq! < known.next || known.early?.has(seq!))
      return { kind: 'numero_en_double', ligne: id, rang: index, ou: mandat }
    if (seq === known.next) {
      known.next++
      while (known.early?.delete(known.next)) known.next++
      if (known.early?.size === 0) delete known.early
    } else {
      known.early ??= new Map()
      known.early.set(seq!, { id, index })
    }
    mandats.set(mandat, known)
    return undefined
  }
  const isKept = (content: Content, { commitment }: Said): boolean => {
    if (content === 'efface' || content === 'non_lu') return true
    if ('payload' in content && content.salt.length !== 32) return false
    const found = 'empreinte' in content ? content.empreinte : commitmentOf(content.salt, content.payload)
    return found.equals(commitment)
  }

  /** The tree goes on under another name: whatever others saw of it under the former one is in what was kept, or in what is said to be lost. */
  const restored = (commitment: Buffer, id: number, at: number): Fault | undefined => {
    const wrong: Fault = { kind: 'restauration_fausse', ligne: id, rang: tree.size }
    const kept = restaurations[told.length]
    const said = facts[told.length]
    if (kept?.ligne !== id || said?.avant !== signing.name) return wrong
    if (!commitmentOf(kept.salt, kept.payload).equals(commitment)) return wrong
    // Else a whole tree made anew, its checkpoints thrown away, would say that it was restored, and be compared with nothing of what was seen.
    if ((said.vues[signing.name] ?? 0) > pointed && unpointed < latest - WAITED_MS)
      return { kind: 'fin_sans_point', rang: pointed }
    for (const other of lost) {
      if (other.origin !== signing.name) continue
      if (other.size <= pointed) return { kind: 'temoin_autre_arbre', ou: String(other.size) }
      if (other.size > (said.vues[signing.name] ?? 0))
        return { kind: 'temoin_plus_loin', rang: tree.size, ligne: lastId, ou: String(other.size) }
      lost.delete(other)
    }
    told.push({ ...said, ligne: id, tenues: tree.size, at: new Date(at) })
    vues = { size: 0, at: 0 }
    signing = renamed(log, said.nom)
    return undefined
  }

  return {
    counts,
    get size() {
      return tree.size
    },
    root: () => tree.root(),
    done: (fault) => {
      const depuis = tree.size > vues.size ? latest - vues.at : 0
      return {
        counts,
        size: tree.size,
        root: tree.root(),
        nom: signing.name,
        restaurations: told,
        vues: vues.size,
        depuis,
        fault,
      }
    },
    leaf(record) {
      const { id, index, entry, content } = record
      const here = { ligne: id, rang: index }
      if (index !== tree.size) return { kind: 'rang_manquant', rang: tree.size, ligne: lastId, ou: 'apres' }
      const changed = bytesOf(record, index)
      if (changed) return changed
      const leaf = leafHash(entry)
      if (record.hash && !record.hash.equals(leaf)) return { kind: 'octets_changes', ...here }
      const said = record.fields ?? read(entry)
      if (!said) return { kind: 'octets_illisibles', ...here }
      if (!isKept(content, said)) return { kind: 'contenu_change', ...here }
      const at = said.at.getTime()
      if (at < latest - LATE_MS) return { kind: 'antidatee', ...here }
      latest = Math.max(latest, at)
      if (index === pointed) unpointed = at
      const wrong = number(said, id, index)
      if (wrong) return wrong
      if (record.fact === false) return { kind: 'fait_disparu', ...here, ou: said.action }

      const whose = said.usagerId ?? ''
      const erasure = said.action === 'donnees_effacees'
      if (erasure) {
        const left = kept.get(whose)
        if (left) return { kind: 'contenu_reste', ligne: left.id, rang: left.index, ou: String(id) }
        gone.delete(whose)
        counts.personnes++
      }
      if (content === 'efface') counts.effaces++
      else if (content !== 'non_lu') counts.contenus++
      // What an erasure says of itself stays: neither excused by it, nor left behind.
      if ((content === 'efface' || record.words === false) && !gone.has(whose)) gone.set(whose, { id, index })
      const there = (content !== 'efface' && content !== 'non_lu') || record.words
      if (there && !erasure && !kept.has(whose)) kept.set(whose, { id, index })
      if (said.action === 'restauration') {
        const broken = restored(said.commitment, id, said.at.getTime())
        if (broken) return broken
      }

      tree.push(leaf)
      counts.lignes++
      lastId = id
      for (const other of expected.get(tree.size) ?? []) {
        if (other.origin !== signing.name) continue
        if (other.root.equals(tree.root())) {
          lost.delete(other)
          vues = { size: tree.size, at: latest }
        }
        // Lines that waited when the backup was made may have taken their places in another order: a restore that comes judges.
        else if (told.length === restaurations.length) return { kind: 'temoin_autre_arbre', ou: String(other.size) }
      }
      return undefined
    },
    point({ taille, note, racine, temoignages = [] }) {
      const ou = String(taille)
      const checkpoint = parseCheckpoint(note)
      if (!checkpoint) return { kind: 'point_illisible', ou }
      if (checkpoint.origin !== signing.name || !isSignedBy(checkpoint.note, signing)) return { kind: 'point_non_signe', ou }
      if (checkpoint.size !== taille || (racine && !racine.equals(checkpoint.root))) return { kind: 'point_change', ou }
      // Over more than there is: lines are missing at the end.
      if (taille !== tree.size) return { kind: 'rang_manquant', rang: tree.size, ligne: lastId, ou: 'apres' }
      if (!checkpoint.root.equals(tree.root())) return { kind: 'racine_differente', rang: pointed, ou }
      pointed = taille
      counts.points++
      for (const { temoin, ligne } of temoignages) {
        const vkey = parseVkey(temoin)
        const signatures = parseNote(note + ligne)?.signatures
        if (!vkey || !signatures || cosignedAt(checkpoint.note.text, signatures, vkey) === undefined)
          return { kind: 'temoignage_faux', ou }
        counts.temoignages++
      }
      return undefined
    },
    tile(tile) {
      const at = full.findIndex(({ level, index }) => level === tile.level && index === tile.index)
      const [ours] = at < 0 ? [] : full.splice(at, 1)
      const ou = `${tile.level}/${tile.index}`
      if (!ours?.hashes.equals(tile.hashes) || !ours.root.equals(tile.root)) {
        const first =
          ours && tile.level === 0
            ? Array.from({ length: 256 }, (_, i) => i).find(
                (i) => !ours.hashes.subarray(i * 32, i * 32 + 32).equals(tile.hashes.subarray(i * 32, i * 32 + 32)),
              )
            : undefined
        return { kind: 'tuile_changee', ou, ...(first !== undefined && { rang: tile.index * 256 + first }) }
      }
      counts.tuiles++
      return undefined
    },
    waiting(record, settled) {
      const changed = bytesOf(record)
      if (changed) return changed
      const said = record.fields ?? read(record.entry)
      if (!said) return { kind: 'octets_illisibles', ligne: record.id }
      // Whoever sequences says what is settled: of an older line than those placed since, nobody needs to say it.
      if (settled || said.at.getTime() < latest - LATE_MS) return { kind: 'hors_de_l_arbre', ligne: record.id }
      if (!isKept(record.content, said)) return { kind: 'contenu_change', ligne: record.id }
      const wrong = number(said, record.id, undefined)
      if (wrong) return wrong
      // Of contents that were read before it: those that went since are excused too.
      if (said.action === 'donnees_effacees') gone.delete(said.usagerId ?? '')
      counts.attente++
      return undefined
    },
    end() {
      counts.mandats = mandats.size
      const faults: Fault[] = []
      for (const [ou, { early }] of mandats) {
        const [first] = [...(early ?? [])].sort(([a], [b]) => a - b)
        if (first) faults.push({ kind: 'numero_manquant', ligne: first[1].id, rang: first[1].index, ou })
      }
      for (const { id, index } of gone.values()) faults.push({ kind: 'contenu_efface_sans_ligne', ligne: id, rang: index })
      faults.sort((a, b) => (a.rang ?? Number.POSITIVE_INFINITY) - (b.rang ?? Number.POSITIVE_INFINITY))
      if (faults[0]) return faults[0]
      if (pointed < tree.size) return { kind: 'fin_sans_point', rang: pointed }
      const [other] = [...lost].sort((a, b) => b.size - a.size)
      if (other && other.origin !== signing.name) return { kind: 'temoin_illisible', ou: other.origin }
      if (other) return { kind: 'temoin_plus_loin', rang: tree.size, ligne: lastId, ou: String(other.size) }
      return undefined
    },
  }
}
