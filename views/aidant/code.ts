import { alert } from '../kit/alert.ts'
import { type Attente, tropDEssais } from '../kit/attente.ts'
import { back } from '../kit/card.ts'
import { button, type Errors, errorSummary, form, input } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'

type Props = { frame: Frame; errors?: Errors; refusal?: 'code_refuse' | undefined; wait?: Attente }

export const codePage = ({ frame, errors = {}, refusal, wait }: Props) =>
  page(
    { ...frame, invalid: Object.keys(errors).length > 0, above: back('Recommencer', '/connexion') },
    'Tapez le code reçu',
    html`${errorSummary(errors)}${wait && tropDEssais(wait)}
    ${refusal && alert('Ce code n’ouvre pas de session', 'Il est faux, déjà utilisé, ou trop ancien : un code vit 10 minutes, l’adresse du message 15. Vérifiez-le, ou recommencez la connexion.')}
    <p>Si l’adresse et le premier code sont bons, un message vient de partir. Il contient un code de 6 chiffres, et une adresse à ouvrir dans ce navigateur.</p>
    ${form(
      { action: '/connexion/code' },
      html`${input({ name: 'code', label: 'Code reçu par e-mail', type: 'code', error: errors.code })}
      ${button('Se connecter')}`,
    )}`,
  )
