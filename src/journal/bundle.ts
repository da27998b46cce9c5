import type { Checkpoint } from './checkpoint.ts'
import { base64, parseVkey, type Vkey } from './note.ts'
import type { RestaurationGardee } from './restauration.ts'
import { type Fault, type LeafRecord, NOTHING_COUNTED, openAudit, type PointRecord, type Verified } from './verify.ts'

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
  return typeof content === 'object' && 'payload' in content
    ? `${line}contenu ${content.salt.toString('base64url')} ${content.payload}\n`
    : line
}
export const bundlePoint = ({ taille, note, temoignages = [] }: PointRecord): string =>
  `point ${taille} ${Buffer.from(note).toString('base64')}\n${temoignages
    .map(({ temoin, ligne }) => `temoignage ${temoin} ${Buffer.from(ligne).toString('base64')}\n`)
    .join('')}`
export const bundleWaiting = ({ id, entry }: { id: number; entry: string }): string => `attente ${id} ${entry}\n`
export const bundleEnd = (lignes: number, points: number): string => `fin ${lignes} ${points}\n`

/**
 * Verifies a bundle as it is read, with no database. `log`: the key one knows; without it the bundle's own is taken, and `trusted` says so.
 */
export async function verifyBundle(
  lines: AsyncIterable<readonly string[]>,
  options: { log?: Vkey | undefined; seen?: readonly Checkpoint[]; progress?: (lignes: number) => void },
): Promise<Verified & { log: Vkey | undefined }> {
  const { seen = [], progress = () => {} } = options
  let log = options.log
  let audit: ReturnType<typeof openAudit> | undefined
  const restaurations: RestaurationGardee[] = []
  let number = 0
  let line: LeafRecord | undefined
  let point: PointRecord | undefined
  let ended = false
  const done = (fault: Fault | undefined) => ({
    ...(audit?.done(fault) ?? {
      counts: NOTHING_COUNTED,
      size: 0,
      root: Buffer.alloc(32),
      nom: '',
      restaurations: [],
      vues: 0,
      depuis: 0,
      fault,
    }),
    log,
  })
  /** Hands over the line or the checkpoint whose last record has come. */
  const flush = (): Fault | undefined => {
    const [leaf, last] = [line, point]
    line = undefined
    point = undefined
    return leaf ? audit!.leaf(leaf) : last ? audit!.point(last) : undefined
  }

  const take = (text: string): ReturnType<typeof done> | undefined => {
    number++
    const unreadable: Fault = { kind: 'paquet_illisible', ou: String(number) }
    const at = text.indexOf(' ')
    const [word, rest] = [text.slice(0, at), text.slice(at + 1)]
    if (ended || at < 0) return done(unreadable)
    if (number === 1) {
      if (text !== 'traitdunion-journal 1') return done(unreadable)
      return undefined
    }
    if (number === 2) {
      log ??= word === 'cle' ? parseVkey(rest) : undefined
      return log ? undefined : done(unreadable)
    }
    if (word === 'restauration' && !audit) {
      const [, ligne, salt, payload] = /^(\d{1,16}) ([\w-]{43}) (.*)$/s.exec(rest) ?? []
      if (payload === undefined) return done(unreadable)
      restaurations.push({ ligne: Number(ligne), salt: Buffer.from(salt!, 'base64url'), payload })
      return undefined
    }
    audit ??= openAudit({ log: log!, seen, restaurations })
    if (word === 'contenu' && line?.content === 'non_lu') {
      const [, salt, payload] = /^([\w-]{43}) (.*)$/s.exec(rest) ?? []
      if (salt === undefined && rest !== 'efface') return done(unreadable)
      line = { ...line, content: rest === 'efface' ? 'efface' : { salt: Buffer.from(salt!, 'base64url'), payload: payload! } }
      return undefined
    }
    if (word === 'temoignage' && point) {
      const [temoin = '', encoded = ''] = rest.split(' ')
      const ligne = base64(encoded)?.toString('utf8')
      if (ligne === undefined) return done(unreadable)
      point = { ...point, temoignages: [...(point.temoignages ?? []), { temoin, ligne }] }
      return undefined
    }
    const fault = flush()
    if (fault) return done(fault)
    if (word === 'ligne') {
      const [, index, id, entry] = /^(\d{1,16}) (\d{1,16}) (.*)$/s.exec(rest) ?? []
      if (entry === undefined) return done(unreadable)
      line = { index: Number(index), id: Number(id), entry, content: 'non_lu' }
      if (audit!.size % 4096 === 0) progress(audit!.size)
    } else if (word === 'point') {
      const [, taille, encoded] = /^(\d{1,16}) (\S+)$/.exec(rest) ?? []
      const note = encoded === undefined ? undefined : base64(encoded)
      if (!note) return done(unreadable)
      point = { taille: Number(taille), note: note.toString('utf8') }
    } else if (word === 'attente') {
      const [, id, entry] = /^(\d{1,16}) (.*)$/s.exec(rest) ?? []
      if (entry === undefined) return done(unreadable)
      const wrong = audit!.waiting({ id: Number(id), entry, content: 'non_lu' }, false)
      if (wrong) return done(wrong)
    } else if (word === 'fin') {
      if (rest !== `${audit!.counts.lignes} ${audit!.counts.points}`) return done({ kind: 'paquet_coupe', ou: String(number) })
      ended = true
    } else return done(unreadable)
    return undefined
  }

  for await (const batch of lines)
    for (const text of batch) {
      const over = take(text)
      if (over) return over
    }
  return done(ended ? audit!.end() : { kind: 'paquet_coupe', ou: String(number) })
}

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
