import type { Membre } from '../../src/aidant/equipe-queries.ts'
import type { ResetRefusal } from '../../src/aidant/reset-factor.ts'
import { alert } from '../kit/alert.ts'
import { back } from '../kit/card.ts'
import { button, type Errors, errorSummary, form, input } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { de } from '../kit/words.ts'

type Refusal = Exclude<ResetRefusal, 'introuvable'>
type Props = { frame: Frame; membre: Membre; errors?: Errors; refusal?: Refusal | undefined }

const REFUSAL = {
  second_facteur_refuse: 'Ce code est faux ou a déjà servi. Attendez le suivant dans votre application, puis tapez-le.',
} as const satisfies Record<Refusal, string>

/** Asks a référent for her own code before she resets someone's second factor. */
export const facteurPage = ({ frame, membre, errors = {}, refusal }: Props) =>
  page(
    {
      ...frame,
      above: back(`${membre.prenom} ${membre.nom}`, `/structure/aidants/${membre.id}`),
      invalid: Object.keys(errors).length > 0,
    },
    'Réinitialiser un second facteur',
    html`${errorSummary(errors)}
    ${refusal && alert('Rien n’a changé', REFUSAL[refusal])}
    <p>Vérifiez d’abord, de vive voix, que la demande vient bien ${de(membre.prenom)} ${membre.nom}.</p>
    <ul>
      <li>Son application actuelle ne servira plus, et toutes ses sessions se ferment, dans chaque structure.</li>
      <li>Un lien part à ${membre.email} pour en associer une autre.</li>
      <li>Les autres référents en sont prévenus, et le journal le garde.</li>
    </ul>
    ${form(
      {},
      html`${input({
        name: 'code',
        label: 'Code de votre application d’authentification',
        hint: 'Un nouveau code : celui de la connexion ne sert pas deux fois.',
        type: 'code',
        error: errors.code,
      })}
      ${button('Réinitialiser', { kind: 'danger' })}`,
    )}`,
  )
