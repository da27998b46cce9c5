import { alert } from '../kit/alert.ts'
import { type Attente, tropDEssais } from '../kit/attente.ts'
import { button, type Errors, errorSummary, form, input, proConnect, type Values } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { allerALaCle } from './cle.ts'

type Props = {
  frame: Frame
  suite?: string | undefined
  /** Which ways in are offered; one at least. */
  ways: { proconnect: boolean; local: boolean }
  values?: Values
  errors?: Errors
  wait?: Attente | undefined
}

export const signInPage = ({ frame, suite, ways, values = {}, errors = {}, wait }: Props) =>
  page(
    { ...frame, script: ways.local ? 'cle.js' : undefined, invalid: Object.keys(errors).length > 0 },
    'Connexion des aidants',
    html`${errorSummary(errors)}${wait && tropDEssais(wait)}
    ${suite && alert('Connectez-vous pour continuer', 'Vous arriverez ensuite sur la page demandée.', 'info')}
    ${ways.proconnect && proConnect({ action: towards('/connexion/proconnect', suite) })}
    ${ways.local && locale(suite, values, errors, ways.proconnect)}`,
  )

const locale = (suite: string | undefined, values: Values, errors: Errors, second: boolean) =>
  html`${second && html`<h2>Ou avec votre adresse e-mail</h2>`}
    ${form(
      { action: towards('/connexion', suite) },
      html`${input({ name: 'email', label: 'Adresse e-mail professionnelle', type: 'email', autocomplete: 'username', value: values.email, error: errors.email })}
      ${input({ name: 'code', label: 'Code de votre application d’authentification', hint: 'Les 6 chiffres affichés en ce moment, ou un code de secours.', type: 'code', error: errors.code })}
      ${button('Continuer')}`,
    )}
    <p>Ensuite, un message arrive à cette adresse avec un second code.</p>
    ${allerALaCle('Me connecter avec une clé d’accès', towards('/connexion/cle', suite))}`

const towards = (path: string, suite: string | undefined) => (suite ? `${path}?suite=${encodeURIComponent(suite)}` : path)
