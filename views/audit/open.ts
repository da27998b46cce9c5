import { OUVERTURE_MINUTES } from '../../src/audit/audit.ts'
import type { UsagerRow } from '../../src/usager/queries.ts'
import { button, type Errors, errorSummary, form, hidden, input, radios, type Values } from '../kit/form.ts'
import { type Html, html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { de, nomComplet } from '../kit/words.ts'
import { MOTIF_OUVERTURE } from './words.ts'

type Props = {
  frame: Frame
  usager: UsagerRow
  envoi: string
  /** Where she came from. */
  retour: Html
  /** The contestation that she wants to read, once it is open. */
  vers?: string | undefined
  values?: Values
  errors?: Errors
}

/** Asks a référent why she opens a dossier. */
export const openPage = ({ frame, usager, envoi, retour, vers, values = {}, errors = {} }: Props) =>
  page(
    {
      ...frame,
      // The tab's title stays in the browser's history: it names nobody.
      heading: `Ouvrir le dossier ${de(nomComplet(usager))}`,
      above: retour,
      invalid: Object.keys(errors).length > 0,
    },
    'Ouvrir un dossier',
    html`${errorSummary(errors, { envoi: 'contenu', formulaire: 'contenu' })}
    ${vers && html`<p>Pour lire ce que la personne dit et lui répondre, ouvrez d’abord son dossier : vous y reviendrez aussitôt.</p>`}
    <p>Il faut une raison pour l’ouvrir. Vous y lirez ses mandats et ses démarches, même confidentielles, sauf les réclamations, pendant ${OUVERTURE_MINUTES} minutes. Si vous n’avez pas donné votre second facteur depuis 5 minutes, il vous sera demandé ensuite. <strong>La personne verra que vous l’avez ouvert, quand, et pourquoi.</strong></p>
    ${form(
      {},
      html`${hidden('envoi', envoi)}
      ${radios({ name: 'motif', legend: 'Pourquoi l’ouvrez-vous ?', options: MOTIF_OUVERTURE, value: values.motif, error: errors.motif })}
      ${input({
        name: 'precision',
        label: 'Précision',
        hint: 'Nécessaire seulement « pour une autre raison ». La personne la lira. 280 caractères au plus.',
        maxlength: 280,
        value: values.precision,
        error: errors.precision,
        // Neither always required nor always optional: the label says neither, the hint says when.
        attrs: { required: undefined },
      })}
      ${button('Ouvrir le dossier')}`,
    )}`,
  )
