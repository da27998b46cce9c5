import { enRetard, type MotifContestation, REPONSE_JOURS } from '../../src/demarche/contestation.ts'
import type { ContestationRow } from '../../src/demarche/contestation-queries.ts'
import type { DemarcheRow } from '../../src/demarche/queries.ts'
import type { MandatEtat } from '../../src/mandat/queries.ts'
import { deLaStructure, laStructure } from '../../src/structure/nom.ts'
import type { Structure } from '../../src/usager/queries.ts'
import { alert } from '../kit/alert.ts'
import { back, sentence } from '../kit/card.ts'
import { motifs, note } from '../kit/contestation.ts'
import { button, buttonLink, checkbox, type Errors, errorSummary, form, type Values } from '../kit/form.ts'
import { type Html, html } from '../kit/html.ts'
import { defenseurDesDroits } from '../kit/legal.ts'
import { type Frame, page } from '../kit/page.ts'
import { facts, timeline } from '../kit/table.ts'
import { deMots, jourEtHeure, MANIERE, MOTIF_CONTESTATION, REPONSE, telephoneAAppeler, temps } from '../kit/words.ts'
import { acte } from './actes.ts'
import { remettre } from './sentences.ts'

type Props = {
  frame: Frame
  demarche: DemarcheRow
  mandat: MandatEtat
  /** Where this thématique goes on, or is paused: another mandat once it is renewed. */
  enCours: MandatEtat | undefined
  /** Latest first. */
  contestations: readonly ContestationRow[]
  structure: Structure
  /** Where she may say it: here, after a code sent to her, or by telephone, on paper, at the desk. */
  par: 'ici' | 'code' | 'autrement'
  now: Date
  values?: Values
  errors?: Errors
  /** What she has just said again, otherwise than what waits for its answer: it is not kept. */
  perdu?: { motif: MotifContestation; note: string | null; pause: string | null } | undefined
}

/** One act, and what she says of it when she does not agree. */
export const actePage = ({
  frame,
  demarche,
  mandat,
  enCours,
  contestations,
  structure,
  par,
  now,
  values = {},
  errors = {},
  perdu,
}: Props) => {
  const here = `/mon-espace/demarches/${demarche.id}`
  const open = contestations.filter(({ answeredAt }) => !answeredAt)
  // What was recorded for her waits too, and takes nothing from what she says herself.
  const hers = open.find(({ maniere }) => !maniere)
  const enVigueur = demarche.thematique && enCours?.enVigueur.includes(demarche.thematique) ? enCours : undefined
  return page(
    {
      ...frame,
      above: back('Ce qui a été fait', `/mon-espace/mandats/${mandat.id}#fait`),
      invalid: Object.keys(errors).length > 0,
    },
    'Une démarche faite pour vous',
    html`${errorSummary(errors)}
    ${perdu && hers && pasGarde(perdu, hers, demarche.fuseau)}
    ${timeline([acte(demarche, { seul: true, parCode: frame.parCode })])}
    ${contestations.length > 0 && html`<h2 id="desaccord">${open.length > 0 ? 'Vous n’êtes pas d’accord' : 'Ce qui a été dit'}</h2>`}
    ${open.length > 0 && sentence(html`C’est écrit : le responsable ${deLaStructure(structure.nom)} doit vous répondre dans les ${REPONSE_JOURS} jours.`)}
    ${contestations.map((one) => dit(one, demarche.fuseau, now))}
    ${!hers && html`<h2>Je ne suis pas d’accord</h2>`}
    ${!hers && open.length > 0 && sentence('Un aidant l’a écrit pour vous. Vous pouvez le dire aussi vous-même : le responsable lit les deux.')}
    ${
      hers
        ? html`${hers.enPause && !frame.parCode && html`<p><a href="/mon-espace/mandats/${(enCours ?? mandat).id}/reprise">Remettre en route</a></p>`}
      ${hers.enPause && html`<p><a href="/mon-espace/mandats/${(enCours ?? mandat).id}/pause">Rester en pause après la réponse</a></p>`}
      ${!hers.enPause && enVigueur && html`<p><a href="/mon-espace/mandats/${enVigueur.id}/pause">Mettre en pause, quand vous voulez</a></p>`}
      <p><a href="/mon-espace/mandats/${(enCours ?? mandat).id}/arreter">Arrêter, quand vous voulez</a></p>`
        : par === 'ici'
          ? contester(frame, demarche, enCours, structure, values, errors)
          : par === 'code'
            ? html`<p>Pour le dire, il faut d’abord un code, que nous vous envoyons.</p>${buttonLink('Je ne suis pas d’accord', `/mon-espace/confirmer?suite=${encodeURIComponent(here)}`)}`
            : autrement(structure)
    }`,
  )
}

/** Said otherwise from another tab: what is kept, and what is not, so that she does not wait for an answer to what nobody reads. */
const pasGarde = ({ motif, note, pause }: NonNullable<Props['perdu']>, hers: ContestationRow, fuseau: string): Html =>
  alert(
    'Ce que vous venez d’écrire n’est pas gardé',
    html`<p>Vous l’aviez déjà dit le ${jourEtHeure(hers.contestedAt, fuseau)} : c’est cela que le responsable lit, plus bas. Il doit d’abord y répondre.</p>
    <p>N’est pas gardé : « ${MOTIF_CONTESTATION[motif]} »${note !== null && html`, « ${note} »`}.${!hers.enPause && pause && ' La pause que vous avez cochée n’est pas mise.'}</p>`,
  )

/** What was said once, and what came of it. */
const dit = (one: ContestationRow, fuseau: string, now: Date): Html =>
  html`${facts([
    { term: 'Vous avez dit', value: MOTIF_CONTESTATION[one.motif] },
    { term: 'Vous avez ajouté', value: one.note },
    { term: 'Le', value: temps(one.contestedAt, jourEtHeure(one.contestedAt, fuseau)) },
    {
      term: 'Enregistré par',
      value:
        one.maniere &&
        one.recuLe &&
        `${one.recueParPrenom} ${one.recueParNom} : dit ${MANIERE[one.maniere]}, le ${jourEtHeure(one.recuLe, fuseau)}`,
    },
    {
      term: 'En attendant',
      value:
        !one.answeredAt &&
        !one.maniere &&
        (one.enPause
          ? `Vos démarches ${deMots([one.enPause])} sont en pause, jusqu’à la réponse ou quand vous voulez.`
          : 'Ce désaccord ne met rien en pause.'),
    },
    { term: 'Le responsable répond', value: one.reponse && REPONSE[one.reponse] },
    { term: 'Et ajoute', value: one.noteReponse },
    {
      term: 'Répondu',
      value: one.answeredAt && `par ${one.reponduParPrenom} ${one.reponduParNom}, le ${jourEtHeure(one.answeredAt, fuseau)}`,
    },
  ])}
  ${
    one.answeredAt
      ? html`<h3>Cette réponse ne vous convient pas ?</h3>${defenseurDesDroits}`
      : enRetard(one, now) && html`<h3>Personne ne vous a répondu</h3>${defenseurDesDroits}`
  }`

const contester = (
  frame: Frame,
  demarche: DemarcheRow,
  enCours: MandatEtat | undefined,
  structure: Structure,
  values: Values,
  errors: Errors,
): Html => {
  const { thematique, reclamation } = demarche
  return html`<p>${
    reclamation
      ? 'C’est une réclamation : le responsable saura seulement que vous n’êtes pas d’accord. Il n’en lira rien.'
      : `Le responsable ${deLaStructure(structure.nom)} lit ce que vous dites, et vous répond dans les ${REPONSE_JOURS} jours. Les autres aidants ne le voient pas. Si l’aidant est le seul responsable, c’est lui qui vous répond.`
  }</p>
  ${form(
    {},
    html`${motifs('Qu’est-ce qui ne va pas ?', values, errors)}
    ${!reclamation && note('Vous voulez ajouter quelque chose ?', 'Ce n’est pas obligatoire. Jamais de mot de passe ni de numéro personnel.', values, errors)}
    ${
      thematique && enCours?.enVigueur.includes(thematique)
        ? checkbox({
            name: 'pause',
            label: `Mettre en pause mes démarches ${deMots([thematique])} en attendant la réponse`,
            hint: `${remettre(frame)} Vous pouvez aussi tout arrêter. Les aidants verront la pause, pas ce que vous dites.`,
            checked: values.pause !== undefined,
            error: errors.pause,
            optional: true,
          })
        : html`<p>${enCours ? 'Ces démarches sont déjà en pause.' : 'Il n’y a rien à mettre en pause : vous ne donnez plus mandat pour ces démarches.'}</p>`
    }
    ${button('Je ne suis pas d’accord', { large: true })}`,
  )}`
}

/** Nothing she may do needs a screen. */
const autrement = ({ nom, telephone, adresse }: Structure): Html =>
  html`<p>Vous pouvez le dire :</p>
  <ul>
    <li>au téléphone ou sur place : ${laStructure(nom)}, ${telephoneAAppeler(telephone)}. Un autre aidant que celui qui a noté cette démarche, ou le responsable, doit l’écrire ;</li>
    <li>par lettre au responsable : ${adresse} ;</li>
    <li>ici, en vous connectant avec FranceConnect.</li>
  </ul>
  ${defenseurDesDroits}`
