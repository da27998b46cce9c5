import type { CorrectRefusal } from '../../src/demarche/correct.ts'
import { faitsDe } from '../../src/demarche/demarche.ts'
import type { DemarcheRow } from '../../src/demarche/queries.ts'
import type { UsagerRow } from '../../src/usager/queries.ts'
import { alert } from '../kit/alert.ts'
import { back } from '../kit/card.ts'
import { button, checkbox, type Errors, errorSummary, form, input, radios, textarea, type Values } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { nomCourant, RESULTAT } from '../kit/words.ts'
import { champs } from './new.ts'
import { REFUSAL } from './words.ts'

const CORRECTION_REFUSEE = {
  introuvable: 'Le détail de cette démarche ne vous est plus visible : un référent peut ouvrir le dossier.',
  sans_titre: REFUSAL.sans_titre,
  montant_sans_presence: REFUSAL.montant_sans_presence,
  ensemble_sans_elle: REFUSAL.ensemble_sans_elle,
  rien_change: 'C’est déjà ce qui est noté.',
  corrigee_par_direction: 'Un référent a corrigé cette démarche : c’est à un référent de la corriger de nouveau.',
} as const satisfies Record<CorrectRefusal, string>

type Props = {
  frame: Frame
  demarche: DemarcheRow
  usager: UsagerRow
  values?: Values
  errors?: Errors
  refusal?: CorrectRefusal | undefined
}

const typed = (demarche: DemarcheRow): Values => {
  const { dureeMinutes: duree, montantCentimes, ...rest } = faitsDe(demarche)
  const montant = montantCentimes === null ? null : (montantCentimes / 100).toFixed(2).replace('.', ',')
  return Object.fromEntries(
    Object.entries({ ...rest, duree, montant }).flatMap(([name, value]) => (value === null ? [] : [[name, String(value)]])),
  )
}

/** What was noted, to be said otherwise beside it: what was noted first stays. */
export const correctionPage = ({ frame, demarche, usager, values = typed(demarche), errors = {}, refusal }: Props) =>
  page(
    {
      ...frame,
      heading: `Corriger : ${demarche.titre ?? 'démarche confidentielle'}`,
      above: back('Revenir à la démarche', `/demarches/${demarche.id}`),
      invalid: Object.keys(errors).length > 0,
    },
    'Corriger une démarche',
    html`${errorSummary(errors)}
    ${refusal && alert('Rien n’est corrigé', CORRECTION_REFUSEE[refusal])}
    <p>Pour <strong>${nomCourant(usager)}</strong>. Rien ne s’efface : ce qui était noté reste lisible, et la personne voit les deux.</p>
    <p>La thématique, la date, la nature et un titre de la liste ne se corrigent pas : dites que la démarche est notée par erreur, puis notez la bonne.</p>
    ${form(
      {},
      html`${checkbox({
        name: 'annulee',
        label: 'Notée par erreur : cette démarche n’a pas été faite',
        hint: 'Le reste du formulaire ne compte alors pas, sauf la raison.',
        checked: values.annulee !== undefined,
        error: errors.annulee,
        optional: true,
      })}
      ${textarea({ name: 'raison', label: 'Pourquoi corrigez-vous ?', hint: 'Écrivez-le à la personne, qui le lira : « vous ».', maxlength: 280, rows: 3, value: values.raison, error: errors.raison })}
      ${demarche.code === null && input({ name: 'titre', label: 'Titre', hint: '80 caractères au plus.', maxlength: 80, value: values.titre, error: errors.titre })}
      ${radios({ name: 'resultat', legend: 'Résultat', options: RESULTAT, value: values.resultat, error: errors.resultat, inline: true })}
      ${champs(values, errors, 'Rien : aucune.')}
      ${button('Enregistrer la correction')}`,
    )}`,
  )
