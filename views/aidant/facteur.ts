import type { Membre } from '../../src/aidant/equipe-queries.ts'
import { back } from '../kit/card.ts'
import { button, form } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { de } from '../kit/words.ts'

/** What resetting someone's factors does, before a référent is asked for her own. */
export const facteurPage = ({ frame, membre }: { frame: Frame; membre: Membre }) =>
  page(
    { ...frame, above: back(`${membre.prenom} ${membre.nom}`, `/structure/aidants/${membre.id}`) },
    'Réinitialiser un second facteur',
    html`<p>Vérifiez d’abord, de vive voix, que la demande vient bien ${de(membre.prenom)} ${membre.nom}.</p>
    <ul>
      <li>Son application, ses clés d’accès et ses codes de secours ne serviront plus, et toutes ses sessions se ferment, dans chaque structure.</li>
      <li>Un lien part à ${membre.email} pour associer une autre application.</li>
      <li>Les autres référents en sont prévenus, et le journal le garde.</li>
    </ul>
    <p>Votre propre second facteur vous sera demandé.</p>
    ${form({}, button('Réinitialiser', { kind: 'danger' }))}`,
  )
