import { dateFr } from '../form.ts'
import { naissancesPossibles } from './identite.ts'

/** What is looked for in the persons of a structure. */
export type Recherche =
  | { par: 'tout' }
  /** Each word must begin a word of her name. */
  | { par: 'nom'; texte: string }
  /** Birth dates as they may be stored ('1950', '1950-03', '1950-03-12'). */
  | { par: 'naissance'; dates: readonly string[] }
  | { par: 'annee'; annee: string }
  /** A date one has begun to type. */
  | { par: 'date_incomplete' }

export const RECHERCHE_MAX = 100
const day = dateFr('')

/** Reads the one box of the search: a name, or a birth date: 12/03/1985, 12031985, 03/1985, 1985. */
export function lireRecherche(saisie: string): Recherche {
  // Controls and invisible letters find nobody, and a zero byte is no text for the database.
  const texte = saisie.normalize('NFC').replace(/\p{C}/gu, '').trim().slice(0, RECHERCHE_MAX)
  if (texte === '') return { par: 'tout' }
  if (!/^[\d\s/.-]+$/.test(texte)) return { par: 'nom', texte }
  const whole = day.safeParse(texte.replace(/^(\d\d)(\d\d)(\d{4})$/, '$1/$2/$3'))
  if (whole.success) return { par: 'naissance', dates: naissancesPossibles(whole.data) }
  const [, month, year] =
    /^(\d{1,2})[/. -](\d{4})$/.exec(texte) ?? (/^\d{4}-\d\d$/.test(texte) ? [texte, texte.slice(5), texte.slice(0, 4)] : [])
  if (month && year && Number(month) >= 1 && Number(month) <= 12) return { par: 'naissance', dates: datesOf(year, month) }
  return /^(18|19|2\d)\d\d$/.test(texte) ? { par: 'annee', annee: texte } : { par: 'date_incomplete' }
}

/** Every way a birth of that month may be stored, the year alone included: an unknown month is no proof of another. */
const datesOf = (year: string, month: string) => {
  const prefix = `${year}-${month.padStart(2, '0')}`
  return [year, prefix, ...Array.from({ length: 31 }, (_, index) => `${prefix}-${String(index + 1).padStart(2, '0')}`)]
}
