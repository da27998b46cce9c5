import { z } from 'zod'
import { anneeDeNaissance, choix, code6, codeImprime, dateFr } from '../form.ts'
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

const MOIS = 'janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre'.split(' ')
/** 1 to 12 from a month's name or what one has typed of it; undefined for any other word. */
const moisDe = (mot: string): number | undefined => {
  const typed = mot.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
  const found = typed.length < 3 ? [] : MOIS.filter((mois) => mois.startsWith(typed))
  return found.length === 1 ? MOIS.indexOf(found[0]!) + 1 : undefined
}

/** A date as the pages write it, in figures: « 12 mars 1954 », « 1er févr. 1954 », « mars 1954 ». Anything else is left as it is. */
function enChiffres(texte: string): string {
  const [, day, mot = '', year] = /^(?:(\d{1,2})(?:er)?\s+)?(\p{L}+)\.?(?:\s+(\d{1,4}))?$/iu.exec(texte) ?? []
  const month = moisDe(mot)
  // A month alone is a name: Mai, Juin and Avril are people's too.
  if (month === undefined || (day === undefined && year?.length !== 4)) return texte
  return [day, month, year].filter((part) => part !== undefined).join('/')
}

/** Reads the one box of the search: a name, or a birth date: 12/03/1985, 12 mars 1985, 12031985, 120385, 03/1985, 1985. */
export function lireRecherche(saisie: string): Recherche {
  // Controls and invisible letters find nobody, and a zero byte is no text for the database.
  const texte = enChiffres(saisie.normalize('NFC').replace(/\p{C}/gu, '').trim().slice(0, RECHERCHE_MAX))
  if (texte === '') return { par: 'tout' }
  if (!/^[\d\s/.-]+$/.test(texte)) return { par: 'nom', texte }
  const [, dayMonth, two] = /^(\d{4})(\d\d)$/.exec(texte) ?? []
  const [whole, earlier] = (two ? [`${dayMonth}20${two}`, `${dayMonth}19${two}`] : [texte]).map((one) =>
    day.safeParse(one.replace(/^(\d\d)(\d\d)(\d{4})$/, '$1/$2/$3')),
  )
  if (whole?.success || earlier?.success)
    return { par: 'naissance', dates: [whole, earlier].flatMap((one) => (one?.success ? naissancesPossibles(one.data) : [])) }
  const [, month, year] =
    /^(\d{1,2})[/. -](\d{4})$/.exec(texte) ??
    /^(\d\d)((?:19|20)\d\d)$/.exec(texte) ??
    (/^\d{4}-\d\d$/.test(texte) ? [texte, texte.slice(5), texte.slice(0, 4)] : [])
  if (month && year && Number(month) >= 1 && Number(month) <= 12) return { par: 'naissance', dates: datesOf(year, month) }
  return /^(18|19|2\d)\d\d$/.test(texte) ? { par: 'annee', annee: texte } : { par: 'date_incomplete' }
}

/** Every way a birth of that month may be stored, the year alone included: an unknown month is no proof of another. */
const datesOf = (year: string, month: string) => {
  const prefix = `${year}-${month.padStart(2, '0')}`
  return [year, prefix, ...Array.from({ length: 31 }, (_, index) => `${prefix}-${String(index + 1).padStart(2, '0')}`)]
}

export const codePriveForm = z.object({
  code: codeImprime(
    'Tapez le code écrit sur votre feuille.',
    'Le code a 12 lettres et chiffres, comme 7K3M-RQXB-9F8T : relisez-le sur votre feuille.',
  ),
  annee: anneeDeNaissance(
    'Tapez l’année de votre naissance.',
    'Écrivez l’année de votre naissance en quatre chiffres, comme 1950.',
  ),
})

export const preuveForm = z.object({ code: code6 })

const CHANGEMENTS = ['remplacer', 'annuler'] as const
export const changeCodeForm = z.object({ geste: choix(CHANGEMENTS, 'Choisissez ce que vous voulez faire.') })
