/*
 * How a structure is named in a sentence: on screens, and in the messages written with a mandat, on floors below the views.
 */

/** First words that tell which article a name takes. */
const ARTICLES: readonly [RegExp, 'le' | 'la' | 'l’'][] = [
  [/^(CCAS|CIAS|PIMMS|centre|conseil|département|secours|service|relais|foyer|point|bus|réseau|groupement)(?!\p{L})/iu, 'le'],
  [
    /^(maison|mairie|mission|caisse|communauté|commune|croix|médiathèque|bibliothèque|régie|fondation|ligue|résidence|ville)(?!\p{L})/iu,
    'la',
  ],
  [/^(association|espace|union|unité|accueil|antenne|atelier|hôpital|établissement|épicerie|EHPAD|UDAF|office)(?!\p{L})/iu, 'l’'],
]
const article = (nom: string) => ARTICLES.find(([start]) => start.test(nom))?.[1]

/** « le CCAS de Figeac », « la structure Horizon » when the first word does not tell. */
export const laStructure = (nom: string): string => {
  const found = article(nom)
  return found === undefined ? `la structure ${nom}` : found === 'l’' ? `l’${nom}` : `${found} ${nom}`
}

/** « du CCAS de Figeac », « de la structure Horizon ». */
export const deLaStructure = (nom: string): string => (article(nom) === 'le' ? `du ${nom}` : `de ${laStructure(nom)}`)

/** « au CCAS de Figeac », « à la structure Horizon ». */
export const aLaStructure = (nom: string): string => (article(nom) === 'le' ? `au ${nom}` : `à ${laStructure(nom)}`)
