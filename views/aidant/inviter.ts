import { INVITATION_JOURS } from '../../src/aidant/equipe.ts'
import type { InviteRefusal } from '../../src/aidant/invite.ts'
import { alert } from '../kit/alert.ts'
import { back } from '../kit/card.ts'
import { button, type Errors, errorSummary, form, input, type Values } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'

type Props = { frame: Frame; values?: Values; errors?: Errors; refusal?: InviteRefusal | undefined }

const REFUSAL = {
  deja_membre:
    'Cette adresse est celle d’une personne de votre équipe. Si son accès est suspendu, rétablissez-le depuis sa page.',
  deja_invite: 'Cette adresse est déjà invitée : renvoyez l’invitation depuis la page « L’équipe ».',
} as const satisfies Record<InviteRefusal, string>

export const inviterPage = ({ frame, values = {}, errors = {}, refusal }: Props) => {
  const field = (name: string) => ({ name, value: values[name], error: errors[name] })
  return page(
    { ...frame, above: back('L’équipe', '/structure/aidants'), invalid: Object.keys(errors).length > 0 },
    'Inviter dans l’équipe',
    html`${errorSummary(errors)}
    ${refusal && alert('Invitation non envoyée', REFUSAL[refusal])}
    <p>Un lien part à son adresse : il sert une fois, pendant ${INVITATION_JOURS} jours. Les bénévoles, les stagiaires, les services civiques et les élus ne peuvent pas être aidants.</p>
    ${form(
      {},
      html`${input({ ...field('prenom'), label: 'Prénom', maxlength: 60 })}
      ${input({ ...field('nom'), label: 'Nom', maxlength: 60 })}
      ${input({ ...field('email'), label: 'Adresse e-mail professionnelle', hint: 'La sienne, que personne d’autre ne lit.', type: 'email' })}
      ${button('Envoyer l’invitation')}`,
    )}`,
  )
}
