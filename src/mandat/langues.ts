import { readFileSync } from 'node:fs'
import { explication, TEXTE_COURANT } from './texte.ts'

/** Languages in which the explanation may one day be read aloud. Only what is loaded below exists; nothing is translated by a machine. */
export const LANGUES = {
  fr: { nom: 'Français', lang: 'fr', dir: 'ltr' },
  facile: { nom: 'Français facile', lang: 'fr', dir: 'ltr' },
  en: { nom: 'English', lang: 'en', dir: 'ltr' },
  ar: { nom: 'العربية', lang: 'ar', dir: 'rtl' },
  prs: { nom: 'دری', lang: 'prs', dir: 'rtl' },
  ps: { nom: 'پښتو', lang: 'ps', dir: 'rtl' },
} as const satisfies Record<string, { nom: string; lang: string; dir: 'ltr' | 'rtl' }>
type Langue = keyof typeof LANGUES

/** The explanation in one language. It helps to understand: what is agreed to is the French text. */
export type Lecture = {
  langue: Langue
  version: string
  /** Reread by someone who speaks it and was not who wrote it: the mark at the head of its file. */
  relu: boolean
  /**
   * The very words that are agreed to: read aloud whether reread or not, for there is no mandat without them. That no lawyer has read them
   * yet is said in them, not here.
   */
  faitFoi?: true
  markdown: (values: { structure: string }) => string
}

const read = (version: string) => readFileSync(new URL(`./textes/${version}.md`, import.meta.url), 'utf8')
/** The head says who reread it, « Relu par … » ; a draft says that nobody has. */
const estRelu = (version: string) => /^<!--[^>]*\bRelu par\b/.test(read(version))

const file = (version: string) => {
  const text = read(version)
    .replace(/^<!--.*?-->/s, '')
    .trim()
  return ({ structure }: { structure: string }) => text.replaceAll('{structure}', structure.replace(/\s+/g, ' ').trim())
}

const LECTURES: readonly Lecture[] = [
  {
    langue: 'fr',
    version: TEXTE_COURANT,
    faitFoi: true,
    relu: estRelu(TEXTE_COURANT),
    markdown: (values) => explication(TEXTE_COURANT, values),
  },
  { langue: 'facile', version: 'facile-1', relu: estRelu('facile-1'), markdown: file('facile-1') },
]

/** What may be read aloud here: the binding words, what was reread, and in the demonstration the drafts too. */
export const lecturesOffertes = (demo: boolean, all: readonly Lecture[] = LECTURES): readonly Lecture[] =>
  all.filter(({ relu, faitFoi }) => faitFoi || relu || demo)

/** French when nothing was asked; undefined when what was asked is not offered. */
export const lectureDe = (langue: string | undefined, demo: boolean, all?: readonly Lecture[]): Lecture | undefined =>
  lecturesOffertes(demo, all).find((one) => one.langue === (langue ?? 'fr'))
