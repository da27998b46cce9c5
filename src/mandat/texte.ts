import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { estThematique, type Thematique } from './mandat.ts'

/**
 * The legal text: read aloud, agreed to, and pinned by its sha256 in the conditions. The file is a template; what fills it (structure,
 * thématiques, end) is in the conditions or follows from them, and what each thématique means is in the file itself, hence in the hash.
 */
type Texte = {
  version: string
  langue: 'fr'
  /** Of the file's bytes, hexadecimal. */
  sha256: string
  /** Not yet reviewed by a lawyer. */
  projet: boolean
  markdown: string
}

function load(version: string, projet: boolean): Texte {
  const bytes = readFileSync(new URL(`./textes/${version}.md`, import.meta.url))
  return {
    version,
    langue: 'fr',
    sha256: createHash('sha256').update(bytes).digest('hex'),
    projet,
    markdown: bytes.toString('utf8'),
  }
}

/** Every version ever agreed to, oldest first: none is ever removed or edited. */
const TEXTES = [load('fr-1', true), load('fr-2', true), load('fr-3', true)]

export const TEXTE_COURANT = 'fr-3'
export const texte = (version: string): Texte | undefined => TEXTES.find((one) => one.version === version)

const fill = (template: string, values: Record<string, string>) =>
  template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`texte: nothing to put in {${name}}`)
    // One line stays one line: a name cannot add a paragraph to the contract.
    return value.replace(/\s+/g, ' ').trim()
  })

/** The file's two parts, below its comment: the explanation, then the mandat. */
function parts(version: string): { explication: string; mandat: string } {
  const [explication, mandat] = (texte(version)?.markdown ?? '').replace(/^<!--.*?-->/s, '').split('\n---\n')
  if (!explication || !mandat) throw new Error(`texte: no version ${version}`)
  return { explication: explication.trim(), mandat: mandat.trim() }
}

/** What is read aloud before choosing. Markdown. */
export const explication = (version: string, values: { structure: string }): string => fill(parts(version).explication, values)

export type Valeurs = {
  structure: string
  siret: string
  thematiques: readonly Thematique[]
  /** The last day in words: « 3 mars 2027 ». */
  fin: string
  /** Where she sees and stops, typed out in full. */
  adresse: string
}

/** What is agreed to, word for word: keep this very string with the mandat. Markdown. */
export function texteDuMandat(version: string, { thematiques, ...values }: Valeurs): string {
  const chosen = parts(version).mandat.replace(/^- \[(\w+)\] (.*)\n/gm, (_, thematique: string, line: string) => {
    if (!estThematique(thematique)) throw new Error(`texte: unknown thématique ${thematique}`)
    return thematiques.includes(thematique) ? `- ${line}\n` : ''
  })
  return fill(chosen, values)
}

/** The same for what a structure is about to accept: what she rereads and what is sealed come from here, and from nowhere else. */
export const texteScelle = (
  version: string,
  words: {
    structureNom: string
    siret: string
    fuseau: string
    thematiques: readonly Thematique[]
    end: Date
    publicUrl: string
  },
): string =>
  texteDuMandat(version, {
    structure: words.structureNom,
    siret: words.siret,
    thematiques: words.thematiques,
    fin: jourEcrit(words.end, words.fuseau),
    adresse: `${words.publicUrl}/mon-espace`,
  })

/** « 1er mars 2027 ». */
export const jourEcrit = (at: Date, fuseau: string) =>
  new Intl.DateTimeFormat('fr-FR', { timeZone: fuseau, day: 'numeric', month: 'long', year: 'numeric' })
    .format(at)
    .replace(/^1 /, '1er ')

export type Bloc = { titre: string; niveau: 1 | 2 } | { paragraphe: string } | { liste: string[] }

/** The three shapes our legal Markdown has, for views to lay out. Plain text inside: nothing to interpret, all to escape. */
export const blocs = (markdown: string): Bloc[] =>
  markdown
    .split(/\n{2,}/)
    .map((bloc) => bloc.trim())
    .filter(Boolean)
    .map((bloc) => {
      if (bloc.startsWith('# ')) return { titre: bloc.slice(2), niveau: 1 }
      if (bloc.startsWith('## ')) return { titre: bloc.slice(3), niveau: 2 }
      if (bloc.startsWith('- ')) return { liste: bloc.split('\n').map((line) => line.slice(2)) }
      return { paragraphe: bloc }
    })
