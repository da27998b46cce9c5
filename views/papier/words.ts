import type { NomPapier, PapierRefusal } from '../../src/papier/papier.ts'

export const TITRE = {
  mandat: 'Mandat pour des démarches administratives',
  guichet: 'Mandat pour un seul thème',
  'pour-vous': 'Pour vous seulement',
  arret: 'Attestation d’arrêt',
  releve: 'Relevé des démarches',
  apercu: 'Aperçu du mandat, sans valeur juridique',
} as const satisfies Record<NomPapier, string>

/** One sentence for each reason a paper is not given. */
export const PAPIER_REFUSE = {
  rien_d_arrete: 'Rien n’est arrêté dans ce mandat : il n’y a pas d’arrêt à attester.',
  thematique_absente: 'Choisissez un thème de ce mandat.',
  thematique_arretee: 'Ce thème n’est plus en cours : sa fiche ne peut pas être imprimée.',
  sceau_coupe:
    'Ce mandat a été scellé avec une clé volée, après le vol : il ne compte pas. Refaites-le avec la personne, ou prévenez le service.',
  plus_en_vigueur: 'Ce mandat n’est plus en cours : il n’y a plus rien à suivre ni à arrêter avec cette feuille.',
} as const satisfies Record<PapierRefusal, string>

/** product.md, word for word. */
export const PAPIER =
  'Ce papier n’est pas une procuration bancaire : avant de l’utiliser, vérifiez à cette adresse que le mandat n’est pas arrêté, et demandez une pièce d’identité à qui vous le montre.'

/** Who keeps the service, and where to write to it. */
export type Service = {
  /** Origin, typed out on the paper. */
  publicUrl: string
  /** Name and postal address. */
  editeur: string | undefined
  contact: string | undefined
  /** Its papers bear it on each page: nobody must take one for true. */
  demo: boolean
}

export const DEMONSTRATION = 'démonstration'

/** Without `https://`: what one types. */
export const adresse = (service: Service, path: string): string => `${service.publicUrl.replace(/^https:\/\//, '')}${path}`

/** The service's own address, not only the structure's: nothing of hers needs the good will of who helps her. */
export const parCourrier = ({ editeur, contact }: Service): string =>
  editeur
    ? [editeur.replace(/\.$/, ''), contact].filter(Boolean).join(', ')
    : `ce service est une démonstration, sans adresse postale${contact ? ` (${contact})` : ''}`
