import { attendReponse, derniersEtats } from '../../src/demarche/demarche.ts'
import type { DemarcheRow } from '../../src/demarche/queries.ts'
import type { Bloc, Papier } from '../../src/papier/papier.ts'
import { laStructure } from '../../src/structure/nom.ts'
import {
  auSoir,
  contestationEnMots,
  correctionEnMots,
  dateEcrite,
  etapeEnMots,
  euros,
  FAITE_APRES_DEMANDE,
  jour,
  jourEtHeure,
  KIND,
  MOTIF_BLOCAGE,
  nomComplet,
  resultatEnMots,
  THEMATIQUE,
  telephoneEnMots,
} from '../kit/words.ts'
import type { FaitsMandat } from './mandat.ts'
import { TITRE } from './words.ts'

type Faits = Pick<FaitsMandat, 'numero' | 'contenu' | 'expiresAt' | 'arret' | 'now'> & {
  /** As their reader may see them, latest first. */
  demarches: readonly DemarcheRow[]
  /** There are older ones: the paper says so. */
  coupe: boolean
  /** Those done after her request to stop had come. */
  signalees: ReadonlySet<string>
}

/** What was done with a mandat and what is expected, to be read together at each visit. */
export const relevePapier = ({ numero, contenu, expiresAt, arret, now, demarches, coupe, signalees }: Faits): Papier => {
  const { structure, identite } = contenu
  const { fuseau } = structure
  // Noted again since, what was to be done or waited for was: the latest says where it stands.
  const expected = derniersEtats(demarches).filter((one) => one.titre !== null && (one.etapeQuoi !== null || attendReponse(one)))
  const hidden = demarches.some(({ titre }) => titre === null)
  return {
    nom: 'releve',
    titre: TITRE.releve,
    pied: `Mandat ${numero}, relevé du ${jour(now, fuseau)}`,
    date: now,
    une: [],
    suite: [
      {
        genre: 'phrase',
        texte: `Ce que ${laStructure(structure.nom)} a fait pour ${nomComplet(identite)} avec ce mandat, jusqu’au ${jourEtHeure(now, fuseau)}.`,
      },
      {
        genre: 'petit',
        texte: `Date de naissance : ${dateEcrite(identite.birthdate)}. Mandat donné jusqu’au ${auSoir(expiresAt, fuseau)}.`,
      },
      ...(arret ? [{ genre: 'avis' as const, texte: arret }] : []),
      { genre: 'titre', texte: 'Ce qui est attendu' },
      ...attendu(expected, hidden, fuseau),
      ...fait(demarches, signalees, fuseau),
      ...(coupe
        ? [
            {
              genre: 'avis' as const,
              texte: `Ce relevé s’arrête aux ${demarches.length} démarches les plus récentes. Les autres se lisent sur internet, ou se demandent à la structure.`,
            },
          ]
        : []),
      { genre: 'titre', texte: 'Si une ligne est fausse' },
      {
        genre: 'texte',
        texte: `Dites-le à l’aidant ou au responsable de la structure : ${telephoneEnMots(structure.telephone)}, ${structure.adresse}. Votre désaccord est alors noté, et le responsable doit vous répondre. Une ligne notée n’est jamais changée : une correction s’écrit à côté. Gardez ce papier. Sans réponse, vous pouvez écrire au Défenseur des droits (09 69 39 00 00) ou à la CNIL (www.cnil.fr).`,
      },
    ],
  }
}

const attendu = (expected: readonly DemarcheRow[], hidden: boolean, fuseau: string): Bloc[] => [
  ...(expected.length > 0
    ? [
        {
          genre: 'liste' as const,
          lignes: expected.map((one) => ({
            fort: titreDe(one),
            texte: `${etapeEnMots(one, 'à vous') ?? `Une réponse${one.administration ? ` (${one.administration})` : ''}`} (démarche du ${jour(one.doneAt, fuseau)})`,
          })),
        },
      ]
    : []),
  ...(hidden
    ? [
        {
          genre: 'avis' as const,
          texte:
            'Une démarche confidentielle peut avoir une suite, qui n’est pas écrite ici : demandez-la à l’aidant nommé plus bas, ou lisez-la dans votre espace.',
        },
      ]
    : expected.length === 0
      ? [{ genre: 'texte' as const, texte: 'Rien n’est attendu pour le moment.' }]
      : []),
]

const fait = (demarches: readonly DemarcheRow[], signalees: ReadonlySet<string>, fuseau: string): Bloc[] =>
  demarches.length === 0
    ? [
        { genre: 'titre', texte: 'Ce qui a été fait' },
        { genre: 'texte', texte: 'Rien n’a encore été fait.' },
      ]
    : [
        {
          genre: 'tableau',
          legende: 'Ce qui a été fait, le plus récent en premier',
          colonnes: ['Quand', 'Quoi', 'Par qui', 'Résultat'],
          lignes: demarches.map((one) => [
            jourEtHeure(one.doneAt, fuseau),
            [
              titreDe(one),
              [
                one.thematique && THEMATIQUE[one.thematique].titre,
                one.administration,
                one.reference && `dossier ${one.reference}`,
              ]
                .filter(Boolean)
                .join(', '),
              one.montantCentimes !== null && `payé : ${euros(one.montantCentimes)}`,
              one.genre !== 'reguliere' && KIND[one.genre],
              one.motifHorsMandat && `raison : ${one.motifHorsMandat}`,
              signalees.has(one.id) && FAITE_APRES_DEMANDE,
              one.note && `« ${one.note} »`,
              correctionEnMots(one),
              contestationEnMots(one, 'La personne a dit qu’elle n’est pas d’accord,'),
            ]
              .filter(Boolean)
              .join('\n'),
            `${one.aidantPrenom} ${one.aidantNom}`,
            [resultatEnMots(one), one.motifBlocage && MOTIF_BLOCAGE[one.motifBlocage]].filter(Boolean).join('\n'),
          ]),
        },
      ]

const titreDe = ({ titre, sensible }: DemarcheRow): string => titre ?? (sensible ? 'Démarche confidentielle' : 'Démarche')
