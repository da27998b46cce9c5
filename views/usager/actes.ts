import type { DemarcheRow } from '../../src/demarche/queries.ts'
import { more } from '../kit/card.ts'
import { type Html, html } from '../kit/html.ts'
import { facts, type Moment } from '../kit/table.ts'
import {
  CANAL,
  dateEcrite,
  deLaStructure,
  euros,
  heure,
  jour,
  jourLong,
  MINUTES,
  MOTIF_BLOCAGE,
  NATURE,
  RESULTAT_POUR_VOUS,
  THEMATIQUE,
  temps,
} from '../kit/words.ts'

/** One act said to the person: who, when, what came of it, what comes next; the rest is folded. */
export const acte = (demarche: DemarcheRow, options: { short?: boolean } = {}): Moment => {
  const { titre, doneAt, fuseau, genre } = demarche
  return {
    when: temps(doneAt, `${jourLong(doneAt, fuseau)}, à ${heure(doneAt, fuseau)}`),
    what: titre ?? 'Une démarche (son détail n’est plus gardé)',
    who: qui(demarche),
    more: html`<p>${issue(demarche)}</p>
    ${apart(demarche)}
    ${suite(demarche)}
    ${!options.short && more('Tous les détails', details(demarche))}`,
    kind: genre === 'reguliere' ? 'ordinary' : 'apart',
  }
}

/** « Awa Diallo, du CCAS de Figeac ». */
export const qui = ({
  aidantPrenom,
  aidantNom,
  structureNom,
}: Pick<DemarcheRow, 'aidantPrenom' | 'aidantNom' | 'structureNom'>) =>
  `${aidantPrenom} ${aidantNom}, ${deLaStructure(structureNom)}`

const issue = ({ resultat, motifBlocage }: DemarcheRow) =>
  html`${RESULTAT_POUR_VOUS[resultat]}${motifBlocage && ` Pourquoi : ${MOTIF_BLOCAGE[motifBlocage].toLowerCase()}.`}`

const apart = ({ genre, recordedAt, fuseau, motifHorsMandat }: DemarcheRow): Html | false => {
  if (genre === 'apres_coup') return html`<p>L’aidant l’a écrit plus tard, le ${jour(recordedAt, fuseau)}.</p>`
  if (genre !== 'hors_mandat') return false
  return html`<p><strong>Votre mandat ne permettait pas cette démarche.</strong>${motifHorsMandat && html` Pourquoi l’aidant l’a faite : «\u00a0${motifHorsMandat}\u00a0»`}</p>`
}

/** What comes next, and whose turn it is. */
const suite = ({ etapeQuoi, etapeQui, etapeQuand }: DemarcheRow): Html | false =>
  etapeQuoi !== null &&
  html`<p>${ENSUITE[etapeQui ?? 'aucun']} ${etapeQuoi}${etapeQuand && html`, <strong>le ${dateEcrite(etapeQuand)}</strong>`}</p>`

const ENSUITE = {
  personne: html`<strong>À vous de faire :</strong>`,
  aidant: 'L’aidant doit encore :',
  administration: 'Ensuite :',
  aucun: 'Ensuite :',
}

const PRESENCE_POUR_VOUS = {
  presente: 'Oui',
  absente_prevenue: 'Non, mais on vous avait prévenu(e)',
  absente: 'Non',
} as const
const MODE_POUR_VOUS = {
  avec_la_personne: 'Avec vous',
  a_sa_place: 'À votre place',
  seule_avec_appui: 'Par vous-même, avec un appui',
} as const

/** Everything that was recorded of it. */
const details = (demarche: DemarcheRow): Html => {
  const { thematique, nature, administration, mode, presence, canal, dureeMinutes, reference, montantCentimes } = demarche
  const { orientation, note, recordedAt, fuseau } = demarche
  return facts([
    { term: 'Sujet', value: thematique && THEMATIQUE[thematique].titre },
    { term: 'Auprès de', value: administration },
    { term: 'Sorte de démarche', value: nature && NATURE[nature] },
    { term: 'Comment', value: canal && CANAL[canal] },
    { term: 'Fait', value: mode && MODE_POUR_VOUS[mode] },
    { term: 'Vous étiez là', value: presence && PRESENCE_POUR_VOUS[presence] },
    { term: 'Temps passé', value: dureeMinutes && MINUTES[dureeMinutes] },
    { term: 'Argent', value: montantCentimes !== null && euros(montantCentimes) },
    { term: 'Numéro de dossier', value: reference },
    { term: 'On vous a conseillé', value: orientation },
    { term: 'Note de l’aidant', value: note },
    { term: 'Écrit dans le journal', value: temps(recordedAt, `${jour(recordedAt, fuseau)} à ${heure(recordedAt, fuseau)}`) },
  ])
}
