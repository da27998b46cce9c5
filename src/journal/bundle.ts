import { EMPTY_ROOT } from './merkle.ts'
import { base64, parseVkey, type Vkey } from './note.ts'
import type { RestaurationGardee } from './restauration.ts'
import {
  type Fault,
  type LeafRecord,
  NOTHING_COUNTED,
  openAudit,
  type PointRecord,
  type SeenPoint,
  type Verified,
} from './verify.ts'

/*
 * A journal in one file of text, one record a line (docs/audit.md explains every byte):
 *   traitdunion-journal 1
 *   cle VKEY
 *   restauration NUMERO SEL FAITS     what each restore said, oldest first
 *   ligne RANG NUMERO OCTETS          the frozen bytes, as they are
 *   contenu SEL FAITS                 of the line above: salt in base64url, facts as they are; or `contenu efface`
 *   point TAILLE NOTE                 the signed checkpoint in base64, its cosignatures included
 *   temoignage VKEY LIGNE             of the checkpoint above, in base64
 *   attente NUMERO OCTETS             a line that had no place yet
 *   fin LIGNES POINTS
 */
export const bundleHead = (log: Vkey, restaurations: readonly RestaurationGardee[]): string =>
  `traitdunion-journal 1\ncle ${log.text}\n${restaurations
    .map(({ ligne, salt, payload }) => `restauration ${ligne} ${salt.toString('base64url')} ${payload}\n`)
    .join('')}`
export const bundleLeaf = ({ index, id, entry, content }: LeafRecord): string => {
  const line = `ligne ${index} ${id} ${entry}\n`
  if (content === 'efface') return `${line}contenu efface\n`
  return typeof content === 'object' && 'payload' in content ? `${line}contenu ${content.salt} ${content.payload}\n` : line
}
export const bundlePoint = ({ taille, note, temoignages = [] }: PointRecord): string =>
  `point ${taille} ${Buffer.from(note).toString('base64')}\n${temoignages
    .map(({ temoin, ligne }) => `temoignage ${temoin} ${Buffer.from(ligne).toString('base64')}\n`)
    .join('')}`
export const bundleWaiting = ({ id, entry }: { id: number; entry: string }): string => `attente ${id} ${entry}\n`
export const bundleEnd = (lignes: number, points: number): string => `fin ${lignes} ${points}\n`

/**
 * Verifies a bundle as it is read, with no database. `log`: the key one knows; without it the bundle's own is taken, and given back.
 */
export async function verifyBundle(
  lines: AsyncIterable<readonly string[]>,
  options: { log?: Vkey | undefined; seen?: readonly SeenPoint[]; progress?: (lignes: number) => void },
): Promise<Verified & { log: Vkey | undefined }> {
  const { seen = [], progress = () => {} } = options
  let log = options.log
  let audit: ReturnType<typeof openAudit> | undefined
  const restaurations: RestaurationGardee[] = []
  let number = 0
  let line: LeafRecord | undefined
  let point: PointRecord | undefined
  /** Records of each sort, as the last one must count them. */
  const records = { lignes: 0, points: 0 }
  let ended = false
  /** Hands over the line or the checkpoint whose last record has come. */
  const flush = () => {
    if (line) audit!.leaf(line)
    if (point) audit!.point(point)
    line = undefined
    point = undefined
  }

  /** False when this record cannot be read, or not there. */
  const take = (text: string): boolean => {
    number++
    const at = text.indexOf(' ')
    const [word, rest] = [text.slice(0, at), text.slice(at + 1)]
    if (ended || at < 0) return false
    if (number === 1) return text === 'traitdunion-journal 1'
    if (number === 2) {
      log ??= word === 'cle' ? parseVkey(rest) : undefined
      return log !== undefined
    }
    if (word === 'restauration' && !audit) {
      const [, ligne, salt, payload] = /^(\d{1,16}) ([\w-]{43}) (.*)$/s.exec(rest) ?? []
      if (payload === undefined) return false
      restaurations.push({ ligne: Number(ligne), salt: Buffer.from(salt!, 'base64url'), payload })
      return true
    }
    audit ??= openAudit({ log: log!, seen, restaurations })
    if (word === 'contenu' && line?.content === 'non_lu') {
      const [, salt, payload] = /^([\w-]{43}) (.*)$/s.exec(rest) ?? []
      if (salt === undefined && rest !== 'efface') return false
      line = { ...line, content: rest === 'efface' ? 'efface' : { salt: salt!, payload: payload! } }
      return true
    }
    if (word === 'temoignage' && point) {
      const [temoin = '', encoded = ''] = rest.split(' ')
      const ligne = base64(encoded)?.toString('utf8')
      if (ligne === undefined) return false
      point = { ...point, temoignages: [...(point.temoignages ?? []), { temoin, ligne }] }
      return true
    }
    flush()
    if (word === 'ligne') {
      const [, index, id, entry] = /^(\d{1,16}) (\d{1,16}) (.*)$/s.exec(rest) ?? []
      if (entry === undefined) return false
      line = { index: Number(index), id: Number(id), entry, content: 'non_lu' }
      if (records.lignes++ % 4096 === 0) progress(audit.size)
      return true
    }
    if (word === 'point') {
      const [, taille, encoded] = /^(\d{1,16}) (\S+)$/.exec(rest) ?? []
      const note = encoded === undefined ? undefined : base64(encoded)
      if (!note) return false
      point = { taille: Number(taille), note: note.toString('utf8') }
      records.points++
      return true
    }
    if (word === 'attente') {
      const [, id, entry] = /^(\d{1,16}) (.*)$/s.exec(rest) ?? []
      if (entry === undefined) return false
      audit.waiting({ id: Number(id), entry, content: 'non_lu' }, false)
      return true
    }
    if (word !== 'fin') return false
    if (rest !== `${records.lignes} ${records.points}`) audit.fail({ kind: 'paquet_coupe', ou: String(number) })
    ended = true
    return true
  }

  for await (const batch of lines)
    for (const text of batch) {
      if (take(text)) continue
      const fault: Fault = { kind: 'paquet_illisible', ou: String(number) }
      if (!audit) return { ...nothingOf(fault), log }
      audit.fail(fault)
    }
  if (!audit) return { ...nothingOf({ kind: 'paquet_coupe', ou: String(number) }), log }
  flush()
  if (ended) audit.end()
  else audit.fail({ kind: 'paquet_coupe', ou: String(number) })
  return { ...audit.done(), log }
}

/** Of a file whose very beginning cannot be read. */
const nothingOf = (fault: Fault): Verified => ({
  counts: NOTHING_COUNTED,
  size: 0,
  root: EMPTY_ROOT,
  nom: '',
  restaurations: [],
  vues: 0,
  depuis: 0,
  fault,
  fautes: [{ kind: fault.kind, total: 1, premieres: [fault] }],
  rompu: undefined,
  nonCompares: { points: 0, tuiles: 0, temoins: 0 },
})

/** Lines of a stream of text, without their ends, as many at a time as come; a line without an end is one too. */
export async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string[]> {
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    yield lines
  }
  if (rest !== '') yield [rest]
}
