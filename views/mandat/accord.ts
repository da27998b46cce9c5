import type { ActingRow, Brouillon } from '../../src/mandat/brouillon-queries.ts'
import { dernierJour, expiresAt } from '../../src/mandat/mandat.ts'
import { alert } from '../kit/alert.ts'
import { sentence, step } from '../kit/card.ts'
import {
  button,
  buttons,
  checkbox,
  checkboxes,
  type Errors,
  errorSummary,
  form,
  hidden,
  input,
  radios,
  type Values,
} from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { facts } from '../kit/table.ts'
import { auSoir, dateEcrite, deMots, laStructure, majuscule, nomComplet, THEMATIQUE } from '../kit/words.ts'
import { ETAPES } from './new.ts'
import { REFUSAL, type Refusal } from './refusals.ts'

type Props = {
  frame: Frame
  brouillon: Brouillon
  acting: ActingRow
  now: Date
  values?: Values
  errors?: Errors
  refusal?: Refusal | undefined
}

/** What she rereads, and her two buttons of the same size. */
export const accordPage = ({ frame, brouillon, acting, now, values = {}, errors = {}, refusal }: Props) => {
  const identite = brouillon.identite!
  // The sentence says what is ticked: it is read again whenever that changed.
  const sent = Object.keys(values).length > 0
  const chosen = brouillon.perimetre.filter((thematique) => !sent || values.thematiques?.includes(thematique))
  const end = expiresAt(now, brouillon.duree, acting.fuseau)
  const fin = auSoir(end, acting.fuseau)
  return page(
    { ...frame, bare: true, above: step(4, ETAPES), invalid: Object.keys(errors).length > 0 },
    'Relire ensemble, et dire oui ou non',
    html`${errorSummary(errors)}
    ${refusal && alert('Accord non enregistré', REFUSAL[refusal])}
    ${facts([
      { term: 'Vous êtes', value: nomComplet(identite) },
      { term: 'Né ou née', value: dateEcrite(identite.birthdate) },
      {
        term: 'Qui agira pour vous',
        value: `${majuscule(laStructure(acting.structureNom))}, avec ${acting.prenom} ${acting.nom} et ses collègues habilités`,
      },
      { term: 'Jusqu’à quand', value: fin },
    ])}
    ${form(
      {},
      html`${checkboxes({
        name: 'thematiques',
        legend: 'Pour ces démarches',
        hint: 'Vous pouvez décocher ce que vous ne voulez pas.',
        options: brouillon.perimetre.map((value) => ({
          value,
          label: THEMATIQUE[value].titre,
          hint: THEMATIQUE[value].exemples,
        })),
        value: chosen,
        error: errors.thematiques,
      })}
      ${
        chosen.length > 0 &&
        sentence(
          `Je donne mon accord : jusqu’au ${fin}, ${laStructure(acting.structureNom)} peut faire mes démarches ${deMots(chosen)} à ma place, et je peux arrêter quand je veux, sans dire pourquoi.`,
        )
      }
      ${hidden('lues', chosen.join(' '))}
      ${hidden('dernierJour', dernierJour(end, acting.fuseau))}
      ${checkbox({
        name: 'redit',
        label: 'La personne a redit avec ses mots qui, quoi, jusqu’à quand, et comment arrêter',
        checked: values.redit === 'oui',
        error: errors.redit,
      })}
      ${radios({
        name: 'suivi',
        legend: 'Comment la prévenir de ce qui change ?',
        hint: 'Un message ne dit jamais de quelle démarche il s’agit.',
        options: { papier: 'Sur papier, à chaque visite', sms: 'Par SMS', email: 'Par e-mail' },
        value: values.suivi,
        error: errors.suivi,
      })}
      ${input({ name: 'mobile', label: 'Son mobile', hint: 'Si vous avez choisi SMS.', type: 'tel', optional: true, size: 12, value: values.mobile, error: errors.mobile })}
      ${input({
        name: 'email',
        label: 'Son e-mail',
        hint: 'Si vous avez choisi e-mail. Le sien, jamais le vôtre ni celui de la structure.',
        type: 'email',
        optional: true,
        value: values.email ?? identite.email,
        error: errors.email,
      })}
      ${errors.reponse && alert('Choisissez un des deux boutons', errors.reponse)}
      ${buttons(
        [
          button('Je donne mon accord', { name: 'reponse', value: 'oui', large: true }),
          button('Non, j’arrête', { name: 'reponse', value: 'non', kind: 'secondary', large: true }),
        ],
        { equal: true },
      )}`,
    )}`,
  )
}
