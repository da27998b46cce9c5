import { OUVERTURE_MINUTES } from '../../src/audit/audit.ts'
import type { UsagerRow } from '../../src/usager/queries.ts'
import { back } from '../kit/card.ts'
import { button, type Errors, errorSummary, form, hidden, radios, textarea, type Values } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { de, nomComplet } from '../kit/words.ts'
import { MOTIF_OUVERTURE } from './words.ts'

type Props = { frame: Frame; usager: UsagerRow; envoi: string; values?: Values; errors?: Errors }

/** Asks a référent why she opens a dossier. */
export const openPage = ({ frame, usager, envoi, values = {}, errors = {} }: Props) =>
  page(
    {
      ...frame,
      // The tab's title stays in the browser's history: it names nobody.
      heading: `Ouvrir le dossier ${de(nomComplet(usager))}`,
      above: back('Journal de la structure', '/structure/journal'),
      invalid: Object.keys(errors).length > 0,
    },
    'Ouvrir un dossier',
    html`${errorSummary(errors, { envoi: 'contenu', formulaire: 'contenu' })}
    <p>Vous y lirez ses mandats et ses démarches, même confidentielles, pendant ${OUVERTURE_MINUTES} minutes. <strong>La personne verra que vous l’avez ouvert, quand, et pourquoi.</strong></p>
    ${form(
      {},
      html`${hidden('envoi', envoi)}
      ${radios({ name: 'motif', legend: 'Pourquoi l’ouvrez-vous ?', options: MOTIF_OUVERTURE, value: values.motif, error: errors.motif })}
      ${textarea({
        name: 'precision',
        label: 'Précision',
        hint: 'Nécessaire pour une autre raison. La personne la lira.',
        maxlength: 280,
        rows: 3,
        optional: true,
        value: values.precision,
        error: errors.precision,
      })}
      ${button('Ouvrir le dossier')}`,
    )}`,
  )
