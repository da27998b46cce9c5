import { alert } from '../kit/alert.ts'
import { button, type Errors, errorSummary, form, input, type Values } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'

type Props = { frame: Frame; suite?: string | undefined; values?: Values; errors?: Errors }

export const signInPage = ({ frame, suite, values = {}, errors = {} }: Props) =>
  page(
    { ...frame, invalid: Object.keys(errors).length > 0 },
    'Connexion des aidants',
    html`${errorSummary(errors)}
    ${suite && alert('Connectez-vous pour continuer', 'Vous arriverez ensuite sur la page demandée.', 'info')}
    ${form(
      { action: suite ? `/connexion?suite=${encodeURIComponent(suite)}` : '/connexion' },
      html`${input({ name: 'email', label: 'Adresse e-mail professionnelle', type: 'email', autocomplete: 'username', value: values.email, error: errors.email })}
      ${input({ name: 'code', label: 'Code de votre application d’authentification', hint: 'Les 6 chiffres affichés en ce moment.', type: 'code', error: errors.code })}
      ${button('Continuer')}`,
    )}
    <p>Ensuite, un message arrive à cette adresse avec un second code.</p>`,
  )
