import { alert } from '../kit/alert.ts'
import { sentence } from '../kit/card.ts'
import { buttonLink, franceConnect } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'

/** The person's door. `down`: FranceConnect did not answer. */
export const connexionPage = ({ frame, down }: { frame: Frame; down?: boolean | undefined }) =>
  page(
    { ...frame, bare: true },
    'Mon espace',
    html`${
      down &&
      alert(
        'FranceConnect ne répond pas pour le moment',
        'Rien n’est perdu. Attendez quelques minutes, puis appuyez de nouveau sur le bouton.',
        'info',
      )
    }
    ${sentence('Ici, vous voyez ce qui est fait pour vous, et vous pouvez tout arrêter.')}
    <p>Pour être sûrs que c’est bien vous, nous passons par FranceConnect. Tapez vous-même votre mot de passe, sans que personne ne le voie.</p>
    ${franceConnect({ action: '/connexion/franceconnect' })}
    <h2>Sans FranceConnect</h2>
    ${buttonLink('J’ai un papier avec un code', '/mon-espace/code', { kind: 'secondary' })}
    <h2>Sans internet</h2>
    <p>Vous pouvez aussi arrêter en le disant à la structure qui vous aide, sur place, au téléphone ou par courrier.</p>`,
  )

/** After she left. */
export const fermePage = ({ frame }: { frame: Frame }) =>
  page(
    { ...frame, bare: true },
    'Votre espace est fermé',
    html`${sentence('La personne qui prendra cet appareil après vous ne verra rien de votre espace.')}
    ${buttonLink('Retour à l’accueil', '/', { kind: 'secondary' })}`,
  )
