import { type Autorisation, etatAutorisation, type Thematique } from '../mandat/mandat.ts'
import { texte } from '../mandat/texte.ts'

export type NomPapier = 'mandat' | 'guichet' | 'pour-vous' | 'arret' | 'releve' | 'apercu'

/** A line of a list; `fort` is written before it in bold. */
export type Ligne = { fort?: string; texte: string }

/** What a paper is made of, whatever lays it out (Typst or HTML). Plain text inside: nothing to interpret, all to escape. */
export type Bloc =
  | { genre: 'titre' | 'soustitre' | 'phrase' | 'texte' | 'avis' | 'petit'; texte: string }
  | { genre: 'liste'; lignes: readonly Ligne[] }
  | { genre: 'parties'; parties: readonly { titre: string; nom: string; lignes: readonly string[] }[] }
  | { genre: 'tableau'; legende: string; colonnes: readonly string[]; lignes: readonly (readonly string[])[] }
  /** `qr` is the SVG of the code, 50 mm wide at least once printed; `lire` says it to who cannot see it. `code`, which shows all of the mandat, only where the sheet does. */
  | {
      genre: 'verifier'
      titre: string
      texte: string
      lignes: readonly Ligne[]
      code?: string | undefined
      qr: string
      lire: string
    }
  | { genre: 'code'; code: string }
  /** The slip: cut off, filled in by hand, sent. */
  | {
      genre: 'coupon'
      couper: string
      titre: string
      lignes: readonly Ligne[]
      cases: readonly string[]
      blancs: readonly string[]
    }

export type Papier = {
  nom: NomPapier
  titre: string
  /** At the foot of every page, without the name of a person. */
  pied: string
  /** When it is printed; the file's own date. */
  date: Date
  /** Across each page, for what has no value. */
  filigrane?: string | undefined
  /** Holds on one page, in the largest letters that it allows. */
  une: readonly Bloc[]
  /** The pages that follow. */
  suite: readonly Bloc[]
}

/** Why a paper is not given. */
export type PapierRefusal = 'rien_d_arrete' | 'thematique_absente' | 'thematique_arretee' | 'plus_en_vigueur' | 'sceau_coupe'

/** What was ended before its date; replaced by a newer accord, nothing was stopped. */
export const arretees = <A extends Autorisation>(autorisations: readonly A[]): A[] =>
  autorisations.filter(({ revokedAt, revokedHow }) => revokedAt && revokedHow !== 'remplace')
export const enCours = <A extends Autorisation>(autorisations: readonly A[], at: Date): A[] =>
  autorisations.filter((one) => ['actif', 'suspendu'].includes(etatAutorisation(one, at).etat))

export function refusalOfPapier(
  papier: NomPapier,
  { autorisations, thematique, now }: { autorisations: readonly Autorisation[]; thematique: string | undefined; now: Date },
): PapierRefusal | undefined {
  if (papier === 'guichet') {
    const asked = autorisations.find((one) => one.thematique === thematique)
    if (!asked) return 'thematique_absente'
    if (etatAutorisation(asked, now).etat !== 'actif') return 'thematique_arretee'
  }
  if (papier === 'arret' && arretees(autorisations).length === 0) return 'rien_d_arrete'
  if (papier === 'pour-vous' && enCours(autorisations, now).length === 0) return 'plus_en_vigueur'
  return undefined
}

/**
 * What each thématique covers, in the words of the text that was agreed to: a version of it is never edited, so a paper printed again years
 * later says the same.
 */
export function lignesDuTexte(version: string, perimetre: readonly Thematique[]): Ligne[] {
  const lines = [...(texte(version)?.markdown ?? '').matchAll(/^- \[(\w+)\] (.*?) : (.*)$/gm)]
  return perimetre.map((thematique) => {
    const [, , fort, rest] = lines.find(([, name]) => name === thematique) ?? []
    if (!fort || !rest) throw new Error(`papier: the text ${version} does not say what ${thematique} is`)
    // The number of an article stays with its word at the end of a line.
    return { fort, texte: rest.replace(/(articles?|[LR]\.) (?=[\dLR])/g, '$1\u00a0') }
  })
}
