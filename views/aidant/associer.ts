import { type Html, html } from '../kit/html.ts'
import { qr } from '../kit/qr.ts'

/** How to pair an authenticator application: the square, or the key to type. */
export const associer = ({ cle, adresse }: { cle: string; adresse: string }): Html =>
  html`<ol>
      <li>Sur votre téléphone, installez une application d’authentification (FreeOTP, par exemple).</li>
      <li>Dans cette application, ajoutez un compte en photographiant ce carré.
        ${qr(adresse, 'Carré à photographier avec votre application d’authentification')}
        <p>Vous ne pouvez pas le photographier ? Tapez cette clé : <strong class="code">${cle.replace(/(.{4})(?=.)/g, '$1 ')}</strong><br>Ou, si vous lisez cette page sur ce téléphone, <a href="${adresse}">ouvrez l’application</a>.</p></li>
      <li>Tapez ici le code de 6 chiffres qu’elle affiche.</li>
    </ol>`

export const CODE_FAUX =
  'Ce code n’est pas celui que donne la clé affichée ici. Supprimez un essai d’avant dans votre application, puis recommencez avec cette clé.'
