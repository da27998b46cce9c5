import type { DemarcheRow } from '../../src/demarche/queries.ts'
import type { UsagerRow } from '../../src/usager/queries.ts'
import { alert, success } from '../kit/alert.ts'
import { back, more } from '../kit/card.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { facts } from '../kit/table.ts'
import {
  CANAL,
  contestationEnMots,
  correctionEnMots,
  faitsNotes,
  jourEtHeure,
  KIND,
  MINUTES,
  MODE,
  MOTIF_BLOCAGE,
  NATURE,
  nomComplet,
  PRESENCE,
  resultatEnMots,
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
  /** She noted it, or directs the structure. */
  corrige: boolean
  /** She comes from recording what the person said. */
  fait: boolean
}

/** One démarche as it was noted, for the aidants of its structure. Nothing in it is changed: what was wrong is corrected beside it. */
export const demarchePage = ({ frame, demarche, usager, preuve, corrige, fait }: Props) => {
  const { genre } = demarche
  const [corrigee, contestee] = [correctionEnMots(demarche), contestationEnMots(demarche)]
  return page(
    // The tab's title stays in the browser's history: it says nothing of what was done.
    {
      ...frame,
      heading: demarche.titre ?? (demarche.sensible ? 'Démarche confidentielle' : 'Démarche'),
      above: back(nomComplet(usager), `/personnes/${usager.id}`),
    },
    'Démarche',
    html`${fait && success('C’est enregistré', 'Un référent doit répondre à la personne. Elle veut aussi une pause ? Enregistrez-la sur la page du mandat.')}
    ${
      demarche.titre === null &&
      alert(
        'Le détail n’est plus visible',
        'Aucun mandat de la personne n’est en cours dans votre structure : seule la personne et qui a noté la démarche peuvent encore la lire.',
        'info',
      )
    }
    ${genre !== 'reguliere' && alert(KIND[genre], KIND_EXPLIQUE[genre], 'info')}
    ${corrigee && alert(demarche.correction?.annulee ? 'Notée par erreur' : 'Corrigée', corrigee, 'info')}
    ${contestee && alert('Contestée', html`<p>${contestee}.</p><p><a href="/structure/contestations/${demarche.contestation?.id}">${demarche.contestation?.answeredAt ? 'Lire la réponse' : 'Répondre à la personne'}</a></p>`, 'info')}
    ${demarche.reclamation && html`<p>Réclamation : seules la personne et vous pouvez la lire.</p>`}
    ${faits(demarche, usager)}
    ${
      demarche.correction?.avant &&
      more(
        'Ce qui était noté d’abord',
        html`<p>${demarche.correction.avant.titre}</p>${faits(demarche.correction.avant, usager)}`,
      )
    }
    <p><a href="/mandats/${demarche.mandatId}">Voir le mandat</a></p>
    ${
      // What its author must not record, nor the direction when it already waits for its answer, which is said above.
      !preuve &&
      (!demarche.contestation || demarche.contestation.answeredAt) &&
      html`<p><a href="/demarches/${demarche.id}/contestation">La personne n’est pas d’accord : l’enregistrer</a></p>`
    }
    ${corrige && demarche.titre !== null && html`<p><a href="/demarches/${demarche.id}/corriger">Corriger</a></p>`}
    ${preuve && preuveDe(demarche, preuve)}`,
  )
}

const say = <K extends string | number>(words: Readonly<Record<K, string>>, value: K | null) => value !== null && words[value]

const faits = (demarche: DemarcheRow, usager: UsagerRow) => {
  const { fuseau } = demarche
  return facts([
    { term: 'Pour', value: nomComplet(usager) },
    { term: 'Thématique', value: demarche.thematique && THEMATIQUE[demarche.thematique].titre },
    { term: 'Résultat', value: resultatEnMots(demarche) },
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
    ...faitsNotes(demarche),
  ])
}

const preuveDe = ({ id }: DemarcheRow, { mention, prete }: NonNullable<Props['preuve']>) =>
  html`<h2>La preuve de cette ligne</h2>
    <p>${mention}</p>
    ${prete && html`<p><a href="/demarches/${id}/preuve.tlog-proof">Télécharger la preuve</a>, un fichier à garder si l’on vous demande ce que vous avez noté, et quand. Il contient la démarche.</p>`}`
