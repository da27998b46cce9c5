import type { MandatContenu } from '../../src/mandat/queries.ts'
import { blocs } from '../../src/mandat/texte.ts'
import type { Bloc, Ligne, Papier } from '../../src/papier/papier.ts'
import { aLaStructure } from '../../src/structure/nom.ts'
import { auSoir, dateEcrite, jour, jourEtHeure, nomComplet, telephoneEnMots } from '../kit/words.ts'
import { adresse, PAPIER, parCourrier, type Service, TITRE } from './words.ts'

export type FaitsMandat = {
  numero: string
  /** As they were that day. */
  contenu: Pick<MandatContenu, 'texte' | 'identite' | 'structure' | 'aidant' | 'accord'>
  thematiques: readonly Ligne[]
  expiresAt: Date
  /** Said on top when the mandat is not in force any more: the rest reads as signed. */
  arret?: string | undefined
  /** Of the paper: what a third party types, unless it would show more than the paper does, and what its camera reads. */
  code?: string | undefined
  qr: string
  now: Date
  service: Service
}

/** The mandat itself, as it was signed: one page that says all, then the text, word for word. `seul`: for one thématique, at a counter. */
export const mandatPapier = (faits: FaitsMandat, seul = false): Papier => {
  const { contenu, thematiques, now } = faits
  const { fuseau } = contenu.structure
  const nom = nomComplet(contenu.identite)
  return {
    nom: seul ? 'guichet' : 'mandat',
    titre: TITRE[seul ? 'guichet' : 'mandat'],
    pied: `Mandat ${faits.numero}, imprimé le ${jour(now, fuseau)}`,
    date: now,
    une: [
      { genre: 'petit', texte: `Mandat numéro ${faits.numero}` },
      ...(faits.arret ? [{ genre: 'avis' as const, texte: faits.arret }] : []),
      {
        genre: 'phrase',
        texte: `${nom} donne mandat ${aLaStructure(contenu.structure.nom)} pour faire ${seul ? 'les démarches de ce thème' : 'ces démarches'} à sa place et en son nom, jusqu’au ${auSoir(faits.expiresAt, fuseau)}.`,
      },
      parties(contenu, nom, contenu.identite.birthdate),
      { genre: 'titre', texte: thematiques.length === 1 ? 'Pour ce thème, et aucun autre' : 'Pour ces thèmes, et aucun autre' },
      { genre: 'liste', lignes: thematiques },
      { genre: 'titre', texte: 'L’accord' },
      {
        genre: 'texte',
        texte: `Accord donné en ligne le ${jourEtHeure(new Date(contenu.accord.at), fuseau)} par ${nom}, la personne nommée ci-dessus, qui s’est identifiée avec FranceConnect. Mandat gratuit, au sens de l’article 1984 du code civil, pour des actes d’administration seulement.`,
      },
      ...(seul ? [] : arreter(faits)),
      verifier({ ...faits, code: seul ? undefined : faits.code }),
    ],
    suite: seul ? [] : legal(contenu.texte),
  }
}

/** `naissance`: `YYYY-MM-DD`, unknown before she identifies herself. */
const parties = (
  { structure, aidant }: Pick<FaitsApercu, 'structure' | 'aidant'>,
  nom: string,
  naissance: string | undefined,
): Bloc => ({
  genre: 'parties',
  parties: [
    { titre: 'La personne', nom, lignes: naissance ? [`Date de naissance : ${dateEcrite(naissance)}`] : [] },
    {
      titre: 'La structure',
      nom: structure.nom,
      lignes: [
        `SIRET ${siretEcrit(structure.siret)}`,
        structure.adresse,
        telephoneEnMots(structure.telephone),
        `Aidant : ${aidant.prenom} ${aidant.nom}, et ses collègues habilités`,
      ],
    },
  ],
})

/** « 123 456 789 00012 ». */
export const siretEcrit = (siret: string) => siret.replace(/^(\d{3})(\d{3})(\d{3})(\d{5})$/, '$1\u00a0$2\u00a0$3\u00a0$4')

const arreter = ({ contenu, service }: FaitsMandat): Bloc[] => [
  { genre: 'titre', texte: 'Pour tout arrêter, quand vous voulez, sans dire pourquoi' },
  {
    genre: 'liste',
    lignes: [
      { fort: 'Sur internet', texte: `${adresse(service, '/mon-espace')}, avec FranceConnect` },
      {
        fort: 'Par téléphone ou sur place',
        texte: `${telephoneEnMots(contenu.structure.telephone)}, ${contenu.structure.adresse}`,
      },
      { fort: 'Par courrier', texte: parCourrier(contenu.structure, service) },
      {
        fort: 'Vos droits',
        texte: 'lire vos données, les faire corriger, vous y opposer : demandez à la structure, ou à la CNIL (www.cnil.fr)',
      },
    ],
  },
]

/** `texte`: what whoever is shown this paper must know. */
export const verifier = ({ service, code, qr }: Pick<FaitsMandat, 'service' | 'code' | 'qr'>, texte = PAPIER): Bloc => ({
  genre: 'verifier',
  titre: 'À qui ce papier est montré',
  texte,
  // The page that reads the QR knows nothing of a code.
  lignes: [
    {
      fort: 'Adresse',
      texte: code
        ? `${adresse(service, '/verifier')}, avec le code et l’année de naissance ; ou photographiez le carré`
        : `celle du code QR, ${adresse(service, '/v')}. Sans appareil photo, demandez le mandat entier : il porte un code à taper`,
    },
  ],
  code,
  qr,
  lire: 'Code QR : il ouvre la page qui vérifie ce papier.',
})

/** What was agreed to, word for word. */
const legal = (markdown: string): Bloc[] =>
  blocs(markdown).map((bloc) => {
    if ('paragraphe' in bloc) return { genre: 'texte', texte: bloc.paragraphe }
    if ('liste' in bloc) return { genre: 'liste', lignes: bloc.liste.map((texte) => ({ texte })) }
    return { genre: bloc.niveau === 1 ? 'titre' : 'soustitre', texte: bloc.titre }
  })

type FaitsApercu = {
  nom: string | undefined
  naissance: string | undefined
  structure: { nom: string; siret: string; adresse: string; telephone: string; fuseau: string }
  aidant: { prenom: string; nom: string }
  thematiques: readonly Ligne[]
  texte: string
  /** If it were signed today. */
  fin: Date
  now: Date
}

/** What will be printed, before anything is agreed to: it says on each page that it has no value, and carries no number nor code. */
export const apercuPapier = ({ structure, aidant, ...faits }: FaitsApercu): Papier => ({
  nom: 'apercu',
  titre: TITRE.apercu,
  pied: `Aperçu sans valeur juridique, imprimé le ${jour(faits.now, structure.fuseau)}`,
  date: faits.now,
  filigrane: 'sans valeur juridique',
  une: [
    { genre: 'avis', texte: 'Sans valeur juridique : rien n’est accepté, ce papier ne donne aucun droit à personne.' },
    {
      genre: 'phrase',
      texte: `${faits.nom ?? 'La personne'} donnerait mandat ${aLaStructure(structure.nom)} pour faire ces démarches à sa place et en son nom, jusqu’au ${auSoir(faits.fin, structure.fuseau)} si l’accord est donné aujourd’hui.`,
    },
    parties({ structure, aidant }, faits.nom ?? 'Son nom viendra de FranceConnect', faits.naissance),
    {
      genre: 'titre',
      texte: faits.thematiques.length === 1 ? 'Pour ce thème, et aucun autre' : 'Pour ces thèmes, et aucun autre',
    },
    { genre: 'liste', lignes: faits.thematiques },
  ],
  suite: [
    {
      genre: 'avis',
      texte:
        'Le texte qui sera proposé à la personne. Il parle du jour où elle aura dit oui : rien de ce qu’il dit n’a encore eu lieu.',
    },
    ...legal(faits.texte),
  ],
})
