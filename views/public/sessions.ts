import type { SessionOuverte } from '../../src/http/session-queries.ts'
import { success } from '../kit/alert.ts'
import { card } from '../kit/card.ts'
import { button, form } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { jourEtHeure, temps } from '../kit/words.ts'

type Props = {
  frame: Frame
  sessions: readonly SessionOuverte[]
  sessionId: string
  fuseau: string
  path: string
  fermee: boolean
}

/** Where she is signed in: this device first, then the others, each with the button that closes it. */
export const sessionsPage = ({ frame, sessions, sessionId, fuseau, path, fermee }: Props) => {
  const others = sessions.filter(({ id }) => id !== sessionId)
  const quand = (at: Date) => temps(at, jourEtHeure(at, fuseau))
  return page(
    frame,
    'Mes connexions',
    html`${fermee && success('C’est fermé', 'Voici les connexions encore ouvertes.')}
    ${sessions
      .filter(({ id }) => id === sessionId)
      .map(({ createdAt }) => card({ title: 'Cet appareil', body: html`<p>Vous y êtes depuis le ${quand(createdAt)}.</p>` }))}
    <h2>Ailleurs</h2>
    ${
      others.length > 0
        ? html`${others.map((one) =>
            card({
              level: 3,
              title: nom(one),
              body: html`<p>Ouvert le ${quand(one.createdAt)}, vu pour la dernière fois le ${quand(one.lastSeenAt)}, ${one.memeReseau ? 'depuis le même réseau que maintenant' : 'depuis un autre réseau'}.${one.niveau !== 'identite' && ' Ouvert avec le code de votre feuille.'}</p>`,
              foot: form(
                { action: `${path}/${one.id}/fermer` },
                button('Fermer cette connexion', {
                  kind: 'secondary',
                  attrs: { 'aria-label': `Fermer cette connexion : ${nom(one)}` },
                }),
              ),
            }),
          )}
    ${others.length > 1 && form({ action: `${path}/autres/fermer` }, button('Fermer toutes les autres connexions'))}
    <p>Une connexion que vous ne reconnaissez pas ? Fermez-la${frame.space === 'aidant' ? ', et dites-le à votre référent' : ''}.</p>`
        : html`<p class="empty">Aucune autre connexion n’est ouverte.</p>`
    }`,
  )
}

const nom = ({ appareil }: SessionOuverte) => appareil ?? 'Un appareil inconnu'
