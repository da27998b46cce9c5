import type { AnswerRefusal } from '../../src/demarche/answer.ts'
import type { RecordContestationRefusal } from '../../src/demarche/contest.ts'
import { enRetard, MANIERES_DE_LE_DIRE, REPONSE_JOURS, type Reponse } from '../../src/demarche/contestation.ts'
import type { AContester, ContestationRow } from '../../src/demarche/contestation-queries.ts'
import type { DemarcheRow } from '../../src/demarche/queries.ts'
import type { Contacts, UsagerRow } from '../../src/usager/queries.ts'
import { alert, success } from '../kit/alert.ts'
import { back } from '../kit/card.ts'
import { motifs, note } from '../kit/contestation.ts'
import { button, type Errors, errorSummary, form, input, radios, textarea, type Values } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { type Column, facts, table } from '../kit/table.ts'
import {
  jour,
  jourDeChamp,
  jourEtHeure,
  MANIERE,
  MOTIF_CONTESTATION,
  majuscule,
  nomCourant,
  REPONSE,
  resultatEnMots,
  temps,
} from '../kit/words.ts'
import { REFUSAL } from './words.ts'

type Typed = { values?: Values; errors?: Errors }
type RecueProps = Typed & {
  frame: Frame
  demarche: DemarcheRow
  usager: UsagerRow
  /** Who reads this page noted it: another records what she says of it. */
  auteur: boolean
  now: Date
  refusal?: RecordContestationRefusal | undefined
}

const RECUE_REFUSEE = {
  aidant_inactif: REFUSAL.aidant_inactif,
  auteur: 'Vous avez noté cette démarche : un collègue ou un référent doit l’enregistrer.',
  introuvable: 'Cette démarche n’existe pas dans votre structure.',
  recu_futur: 'Cette date n’est pas encore passée.',
  recu_avant_acte: 'À cette date, la démarche n’était pas encore faite.',
} as const satisfies Record<RecordContestationRefusal, string>

/** Records what she said at the desk, by telephone, by a letter: any aidant may but the author of the act, and the direction answers. */
export const contestationRecuePage = ({ frame, demarche, usager, auteur, now, values = {}, errors = {}, refusal }: RecueProps) =>
  page(
    {
      ...frame,
      above: back('Revenir à la démarche', `/demarches/${demarche.id}`),
      invalid: Object.keys(errors).length > 0,
    },
    'Enregistrer un désaccord',
    html`${errorSummary(errors)}
    ${refusal && alert('Rien n’est enregistré', RECUE_REFUSEE[refusal])}
    ${
      auteur
        ? html`<p>Vous avez noté cette démarche : ce n’est pas à vous d’écrire ce que la personne en dit. Un collègue ou un référent l’enregistre ; elle peut aussi le dire elle-même, dans son espace.</p>`
        : html`<p><strong>${nomCourant(usager)}</strong> n’est pas d’accord avec une démarche notée le ${jourEtHeure(demarche.recordedAt, demarche.fuseau)} par ${demarche.aidantPrenom} ${demarche.aidantNom}. Écrivez ce qu’elle dit, sans le juger : un référent lui répondra, et elle verra que vous l’avez enregistré.</p>
    ${form(
      {},
      html`${motifs('Que dit-elle ?', values, errors)}
      ${!demarche.reclamation && note('Ce qu’elle ajoute', 'Elle et les référents le liront.', values, errors)}
      ${radios({
        name: 'maniere',
        legend: 'Comment l’a-t-elle dit ?',
        options: MANIERES_DE_LE_DIRE.map((value) => ({ value, label: majuscule(MANIERE[value]) })),
        value: values.maniere,
        error: errors.maniere,
      })}
      ${input({
        name: 'recuLe',
        label: 'Quand ?',
        hint: 'Le jour et l’heure de son arrivée, par exemple 27/03/2026 14:05.',
        type: 'datetime-local',
        size: 20,
        value: values.recuLe,
        error: errors.recuLe,
        attrs: { max: `${jourDeChamp(now, demarche.fuseau)}T23:59` },
      })}
      ${button('Enregistrer')}`,
    )}`
    }`,
  )

type ListeProps = { frame: Frame; contestations: readonly AContester[]; fuseau: string; now: Date }

/** What the direction has to answer, and what it answered of late. */
export const contestationsPage = ({ frame, contestations, fuseau, now }: ListeProps) => {
  const columns: Column<AContester>[] = [
    { head: 'Personne', cell: (one) => html`<a href="/structure/contestations/${one.id}">${nomCourant(one)}</a>` },
    {
      head: 'Acte',
      cell: ({ titre, reclamation }) => titre ?? (reclamation ? 'Une réclamation' : 'Démarche confidentielle'),
    },
    { head: 'Ce qu’elle dit', cell: ({ motif }) => MOTIF_CONTESTATION[motif] },
    {
      head: 'Depuis le',
      cell: (one) =>
        html`${temps(one.contestedAt, jour(one.contestedAt, fuseau))}${enRetard(one, now) && html`, <strong>depuis plus de ${REPONSE_JOURS} jours</strong>`}`,
    },
  ]
  return page(
    frame,
    'Contestations',
    html`<p>Des personnes ne sont pas d’accord avec un acte noté par votre structure. C’est aux référents de leur répondre, dans les ${REPONSE_JOURS} jours. Qui a noté l’acte n’en voit rien ici, sauf s’il est seul à diriger : la personne peut craindre son aidant.</p>
    ${table({ caption: 'À répondre', columns, rows: contestations.filter(({ answeredAt }) => !answeredAt), empty: 'Rien à répondre.' })}
    ${table({
      caption: 'Réponse donnée',
      columns: [
        ...columns.slice(0, 3),
        {
          head: 'Réponse',
          cell: ({ reponse, answeredAt }) =>
            reponse !== null && answeredAt !== null && `${REPONSE[reponse]}, le ${jour(answeredAt, fuseau)}`,
        },
      ],
      rows: contestations.filter(({ answeredAt }) => answeredAt),
      empty: 'Aucune réponse encore.',
    })}`,
  )
}

const REPONSE_REFUSEE = {
  introuvable: 'Cette contestation n’est pas à vous de répondre.',
  deja_repondue: 'Une réponse avait déjà été donnée : une réponse se donne une seule fois.',
  dossier_referme: REFUSAL.dossier_referme,
  rien_de_corrige: 'Rien n’a été corrigé depuis qu’elle l’a dit : corrigez d’abord la démarche, puis répondez.',
} as const satisfies Record<AnswerRefusal, string>

type UneProps = Typed & {
  frame: Frame
  contestation: ContestationRow
  usager: UsagerRow & Contacts
  /** Undefined for a complaint, which its author and she alone read. */
  demarche: DemarcheRow | undefined
  fuseau: string
  now: Date
  refusal?: AnswerRefusal | undefined
  /** With the refusal `deja_repondue`: what was not recorded. */
  perdue?: { reponse: Reponse; note: string | null } | undefined
}

/** What she contests, and the answer: given once, with the dossier open. */
export const contestationPage = ({
  frame,
  contestation,
  usager,
  demarche,
  fuseau,
  now,
  values = {},
  errors = {},
  refusal,
  perdue,
}: UneProps) => {
  const { motif, contestedAt, maniere, recuLe, answeredAt, reponse, enPause, corrigeeDepuis } = contestation
  return page(
    {
      ...frame,
      heading: `${nomCourant(usager)} n’est pas d’accord`,
      above: back('Contestations', '/structure/contestations'),
      invalid: Object.keys(errors).length > 0,
    },
    'Contestation',
    html`${errorSummary(errors)}
    ${refusal && alert('Votre réponse n’est pas enregistrée', html`<p>${REPONSE_REFUSEE[refusal]}</p>${perdue && answeredAt && html`<p>Celle qui compte, plus bas, est de ${contestation.reponduParPrenom} ${contestation.reponduParNom}, le ${jourEtHeure(answeredAt, fuseau)}. Vous aviez choisi : « ${REPONSE[perdue.reponse]} »${perdue.note !== null && html`, et écrit : « ${perdue.note} »`}.</p>`}`)}
    ${answeredAt && !refusal && success('La personne a une réponse', usager.suivi === 'papier' ? 'Cette personne est prévenue sur papier : imprimez cette page, et remettez-la-lui vous-même.' : 'La réponse se lit dans son espace.')}
    ${
      demarche
        ? html`${facts([
            { term: 'Acte', value: html`<a href="/demarches/${demarche.id}">${demarche.titre ?? 'Démarche'}</a>` },
            { term: 'Fait le', value: jourEtHeure(demarche.doneAt, fuseau) },
            { term: 'Noté par', value: `${demarche.aidantPrenom} ${demarche.aidantNom}` },
            { term: 'Résultat', value: resultatEnMots(demarche) },
          ])}`
        : html`<p>C’est une réclamation : la personne et qui l’a notée sont seuls à la lire. Parlez-en avec la personne avant de répondre.</p>`
    }
    ${facts([
      { term: 'Elle dit', value: `« ${MOTIF_CONTESTATION[motif]} »` },
      { term: 'Elle ajoute', value: contestation.note },
      { term: 'Depuis le', value: temps(contestedAt, jourEtHeure(contestedAt, fuseau)) },
      {
        term: 'Enregistré par',
        value:
          maniere &&
          recuLe &&
          `${contestation.recueParPrenom} ${contestation.recueParNom} : dit ${MANIERE[maniere]}, le ${jourEtHeure(recuLe, fuseau)}`,
      },
      { term: 'En attendant', value: enPause && 'Cette thématique est en pause. Votre réponse y met fin.' },
      { term: 'Réponse', value: reponse && REPONSE[reponse] },
      { term: 'Ce que le référent ajoute', value: contestation.noteReponse },
      {
        term: 'Répondu',
        value:
          answeredAt &&
          `par ${contestation.reponduParPrenom} ${contestation.reponduParNom}, le ${jourEtHeure(answeredAt, fuseau)}`,
      },
    ])}
    ${
      !answeredAt &&
      html`<h2>Répondre</h2>
    ${enRetard(contestation, now) && html`<p><strong>Elle attend depuis plus de ${REPONSE_JOURS} jours.</strong></p>`}
    ${demarche && !corrigeeDepuis && html`<p>C’était faux ? <a href="/demarches/${demarche.id}/corriger">Corrigez d’abord la démarche</a>, puis revenez répondre.</p>`}
    ${form(
      {},
      html`${radios({ name: 'reponseDonnee', legend: 'Votre réponse', options: REPONSE, value: values.reponseDonnee, error: errors.reponseDonnee })}
      ${textarea({
        name: 'note',
        label: 'Ce que vous lui dites',
        hint: 'Obligatoire si vous maintenez ce qui a été fait. La personne le lira : une réponse se donne une seule fois.',
        maxlength: 280,
        rows: 3,
        value: values.note,
        error: errors.note,
        optional: true,
      })}
      ${button('Répondre à la personne')}`,
    )}`
    }`,
  )
}
