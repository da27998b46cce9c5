import { type Attente, tropDEssais } from '../kit/attente.ts'
import { button, form } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'

/** What the mailed address shows: nothing happens until the button is pressed. */
export const lienPage = ({ frame, wait }: { frame: Frame; wait?: Attente }) =>
  page(
    frame,
    'Ouvrir votre session',
    html`${wait && tropDEssais(wait)}<p>Vous avez demandé à vous connecter à Trait d’union dans ce navigateur.</p>
    ${form({}, button('Ouvrir ma session', { large: true }))}
    <p>Ce n’est pas le bon navigateur ? Revenez à la page où vous avez commencé, et tapez le code du message.</p>`,
  )
