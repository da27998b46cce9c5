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
  thematique_absente: 'Choisissez une thématique de ce mandat.',
  thematique_arretee: 'Cette thématique n’est plus en cours : sa fiche ne peut pas être imprimée.',
  sceau_coupe:
    'Ce mandat a été scellé avec une clé volée, après le vol : il ne compte pas. Refaites-le avec la personne, ou prévenez le service.',
  plus_en_vigueur: 'Ce mandat n’est plus en cours : il n’y a plus rien à suivre ni à arrêter avec cette feuille.',
} as const satisfies Record<PapierRefusal, string>

/** product.md, word for word. */
export const PAPIER =
  'Ce papier n’est pas une procuration bancaire : avant de l’utiliser, vérifiez à cette adresse que le mandat n’est pas arrêté, et demandez une pièce d’identité à qui vous le montre.'

/** Of an attestation d'arrêt: it gives no power, it says that there is none left. */
export const PAPIER_ARRET =
  'Ce papier dit que le mandat est arrêté : la structure ne peut plus agir avec lui. Vérifiez-le à cette adresse, et gardez-le.'

/** The same, when some of it goes on. */
export const PAPIER_ARRET_EN_PARTIE =
  'Ce papier dit ce qui est arrêté : pour cela, la structure ne peut plus agir. Vérifiez-le à cette adresse, et gardez-le.'

/** What a paper says of the service. */
export type Service = {
  /** Origin, typed out on the paper. */
  publicUrl: string
  /** Name and postal address of who keeps it. */
  editeur: string | undefined
  /** Its papers bear it on each page: nobody must take one for true. */
  demo: boolean
}

export const DEMONSTRATION = 'démonstration'

/** Without `https://`: what one types. */
export const adresse = (service: Service, path: string): string => `${service.publicUrl.replace(/^https:\/\//, '')}${path}`

/** To the structure, which records the stop; or to the service, which has it recorded: nothing of hers needs the good will of who helps her. */
export const parCourrier = ({ nom, adresse }: { nom: string; adresse: string }, { editeur }: Service): string =>
  `${nom}, ${adresse}${editeur ? ` ; ou au service : ${editeur.replace(/\.$/, '')}` : ''}`
