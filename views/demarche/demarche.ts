import type { DemarcheRow } from '../../src/demarche/queries.ts'
import type { UsagerRow } from '../../src/usager/queries.ts'
import { alert } from '../kit/alert.ts'
import { back } from '../kit/card.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { facts } from '../kit/table.ts'
import {
  CANAL,
  etapeEnMots,
  euros,
  jourEtHeure,
  KIND,
  MINUTES,
  MODE,
  MOTIF_BLOCAGE,
  NATURE,
  nomComplet,
  PRESENCE,
  RESULTAT,
  THEMATIQUE,
  temps,
} from '../kit/words.ts'
import { KIND_EXPLIQUE } from './words.ts'

type Props = {
  frame: Frame
  demarche: DemarcheRow
  usager: UsagerRow
  /** For who noted it: what may be said of its line, and whether its proof is ready. */
  preuve?: { mention: string; prete: boolean } | undefined
}

/** One démarche as it was noted, for the aidants of its structure. Nothing in it can be changed. */
export const demarchePage = ({ frame, demarche, usager, preuve }: Props) => {
  const { fuseau, genre } = demarche
  const say = <K extends string | number>(words: Readonly<Record<K, string>>, value: K | null) => value !== null && words[value]
  return page(
    // The tab's title stays in the browser's history: it says nothing of what was done.
    {
      ...frame,
      heading: demarche.titre ?? (demarche.sensible ? 'Démarche confidentielle' : 'Démarche'),
      above: back(nomComplet(usager), `/personnes/${usager.id}`),
    },
    'Démarche',
    html`${
      demarche.titre === null &&
      alert(
        'Le détail n’est plus visible',
        'Aucun mandat de la personne n’est en cours dans votre structure : seule la personne et qui a noté la démarche peuvent encore la lire.',
        'info',
      )
    }
    ${genre !== 'reguliere' && alert(KIND[genre], KIND_EXPLIQUE[genre], 'info')}
    ${demarche.reclamation && html`<p>Réclamation : seules la personne et vous pouvez la lire.</p>`}
    ${facts([
      { term: 'Pour', value: nomComplet(usager) },
      { term: 'Thématique', value: say(titres, demarche.thematique) },
      { term: 'Résultat', value: RESULTAT[demarche.resultat] },
      { term: 'Faite le', value: html`${temps(demarche.doneAt, jourEtHeure(demarche.doneAt, fuseau))}, selon l’aidant` },
      {
        term: 'Notée le',
        value: html`${temps(demarche.recordedAt, jourEtHeure(demarche.recordedAt, fuseau))}, heure du service`,
      },
      { term: 'Par', value: `${demarche.aidantPrenom} ${demarche.aidantNom}, ${demarche.structureNom}` },
      { term: 'Raison de l’acte hors mandat', value: demarche.motifHorsMandat },
      { term: 'Administration', value: demarche.administration },
      { term: 'Nature', value: say(NATURE, demarche.nature) },
      { term: 'Comment', value: say(MODE, demarche.mode) },
      { term: 'Présence', value: say(PRESENCE, demarche.presence) },
      { term: 'Par quel moyen', value: say(CANAL, demarche.canal) },
      { term: 'Temps passé', value: say(MINUTES, demarche.dureeMinutes) },
      { term: 'Ce qui bloque', value: say(MOTIF_BLOCAGE, demarche.motifBlocage) },
      { term: 'Référence', value: demarche.reference },
      { term: 'Montant payé', value: demarche.montantCentimes !== null && euros(demarche.montantCentimes) },
      {
        term: 'Prochaine étape',
        value: etapeEnMots(demarche),
      },
      { term: 'Orientée vers', value: demarche.orientation },
      { term: 'Note', value: demarche.note },
    ])}
    <p><a href="/mandats/${demarche.mandatId}">Voir le mandat</a></p>
    ${preuve && preuveDe(demarche, preuve)}`,
  )
}

const preuveDe = ({ id }: DemarcheRow, { mention, prete }: NonNullable<Props['preuve']>) =>
  html`<h2>La preuve de cette ligne</h2>
    <p>${mention}</p>
    ${prete && html`<p><a href="/demarches/${id}/preuve.tlog-proof">Télécharger la preuve</a>, un fichier à garder si l’on vous demande ce que vous avez noté, et quand. Il contient la démarche.</p>`}`

const titres = Object.fromEntries(Object.entries(THEMATIQUE).map(([key, { titre }]) => [key, titre])) as Readonly<
  Record<keyof typeof THEMATIQUE, string>
>
