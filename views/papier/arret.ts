import type { ArretRecu } from '../../src/mandat/fin-queries.ts'
import type { Autorisation } from '../../src/mandat/mandat.ts'
import type { Papier } from '../../src/papier/papier.ts'
import { laStructure } from '../../src/structure/nom.ts'
import { dateEcrite, de, FIN, jour, jourEtHeure, MANIERE, nomComplet, THEMATIQUE } from '../kit/words.ts'
import { type FaitsMandat, siretEcrit, verifier } from './mandat.ts'
import { PAPIER_ARRET, PAPIER_ARRET_EN_PARTIE, type Service, TITRE } from './words.ts'

type Faits = Pick<FaitsMandat, 'numero' | 'contenu' | 'now' | 'code' | 'qr'> & {
  /** What is stopped, and nothing else. */
  arretees: readonly Autorisation[]
  /** The requests to stop that an aidant recorded. */
  recus: readonly ArretRecu[]
  /** What is still in force. */
  restent: readonly Autorisation[]
  service: Service
}

/** Says what is stopped, since when and by whom; nothing of what only came to its date. */
export const arretPapier = ({ numero, contenu, now, arretees, recus, restent, service, code, qr }: Faits): Papier => {
  const { structure, identite } = contenu
  const when = (at: Date) => jourEtHeure(at, structure.fuseau)
  const [structureNom, nom] = [laStructure(structure.nom), nomComplet(identite)]
  return {
    nom: 'arret',
    titre: TITRE.arret,
    pied: `Mandat ${numero}, imprimé le ${jour(now, structure.fuseau)}`,
    date: now,
    une: [
      { genre: 'petit', texte: `Mandat numéro ${numero}` },
      {
        genre: 'phrase',
        texte: `Le mandat ${de(nom)} est arrêté pour ${arretees.length === 1 ? 'ce thème' : 'ces thèmes'} : ${structureNom} n’a plus le droit de faire ces démarches.`,
      },
      {
        genre: 'parties',
        parties: [
          { titre: 'La personne', nom, lignes: [`Date de naissance : ${dateEcrite(identite.birthdate)}`] },
          { titre: 'La structure', nom: structure.nom, lignes: [`SIRET ${siretEcrit(structure.siret)}`, structure.adresse] },
        ],
      },
      {
        genre: 'tableau',
        legende: 'Ce qui est arrêté',
        colonnes: ['Thème', 'Arrêt effectif le', 'Comment'],
        lignes: arretees.map(({ thematique, revokedAt, revokedHow }) => [
          THEMATIQUE[thematique].titre,
          revokedAt ? when(revokedAt) : '',
          comment(
            revokedHow,
            recus.find((recu) => recu.thematique === thematique),
            structure.fuseau,
          ),
        ]),
      },
      ...(restent.length > 0
        ? [
            { genre: 'titre' as const, texte: 'Ce qui reste en cours' },
            { genre: 'liste' as const, lignes: restent.map(({ thematique }) => ({ texte: THEMATIQUE[thematique].titre })) },
          ]
        : []),
      {
        genre: 'texte',
        texte: `Les demandes envoyées avant l’arrêt ne sont pas annulées. Cette attestation dit l’état du mandat le ${when(now)}.`,
      },
      verifier({ service, code, qr }, restent.length > 0 ? PAPIER_ARRET_EN_PARTIE : PAPIER_ARRET),
    ],
    suite: [],
  }
}

/** A request that an aidant recorded also says when and how it had come: it may be well before. */
const comment = (how: Autorisation['revokedHow'], recu: ArretRecu | undefined, fuseau: string) =>
  [how && FIN[how], recu && `demande reçue ${MANIERE[recu.maniere]} le ${jourEtHeure(recu.recuLe, fuseau)}`]
    .filter(Boolean)
    .join(', ')
