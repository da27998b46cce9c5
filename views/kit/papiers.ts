import type { Autorisation } from '../../src/mandat/mandat.ts'
import { more } from './card.ts'
import { button, buttons, form } from './form.ts'
import { type Html, html } from './html.ts'
import { THEMATIQUE } from './words.ts'

type Props = {
  /** Address of the mandat's page. */
  here: string
  /** What may be shown at a counter. */
  actives: readonly Autorisation[]
  /** Something is in force. */
  enCours: boolean
  /** Something was stopped. */
  arrete: boolean
  /** Read by the direction, with a reason: it prints what says a fact, no code nor sheet for a counter. */
  direction: boolean
}

const printerOf = (here: string) => (label: string, papier: string) =>
  form({ action: `${here}/papiers/${papier}` }, button(label, { kind: 'secondary' }))

/** What the aidant may print of a mandat. Printing is written in the journal, so each is a button. */
export const papiersDeLAidant = ({ here, actives, enCours, arrete, direction }: Props): Html => {
  const print = printerOf(here)
  return html`<h2>Papiers</h2>
    ${buttons([
      print('Imprimer le mandat', 'mandat'),
      print('Imprimer le relevé des démarches', 'releve'),
      arrete && print('Imprimer l’attestation d’arrêt', 'arret'),
    ])}
    ${
      enCours &&
      !direction &&
      html`<p>« Pour vous seulement » est la feuille de la personne, avec son code privé : remettez-la, n’en gardez pas de copie. Elle remplace la précédente.</p>
    ${buttons([print('Imprimer « Pour vous seulement »', 'pour-vous')])}`
    }
    ${
      actives.length > 0 &&
      !direction &&
      more(
        'Une fiche pour un guichet : une seule thématique',
        form(
          { action: `${here}/papiers/guichet` },
          buttons(
            actives.map(({ thematique }) =>
              button(THEMATIQUE[thematique].titre, { name: 'thematique', value: thematique, kind: 'secondary' }),
            ),
          ),
        ),
      )
    }
    ${
      !direction &&
      more(
        PREUVE,
        html`<p>Ce fichier contient l’identité de la personne : remettez-le à qui l’a demandé, et ne le laissez pas sur cet ordinateur.</p>
    ${form({ action: `${here}/preuve.json` }, buttons([button('Télécharger le fichier de preuve', { kind: 'secondary' })]))}`,
      )
    }`
}

/** For whoever checks without us: `npm run verify-mandat`. */
const PREUVE = 'Le fichier de preuve, pour un juge ou un contrôle'

/** What she may print of her own mandat. */
export const papiersDeLaPersonne = ({ here, enCours, arrete }: Omit<Props, 'actives' | 'direction'>): Html => {
  const print = printerOf(here)
  return html`<h2>Imprimer</h2>
    ${buttons([print('Mon mandat', 'mandat'), print('Ce qui a été fait', 'releve'), arrete && print('La preuve de l’arrêt', 'arret')])}
    ${
      enCours &&
      html`<p>Votre feuille « Pour vous seulement » porte un code qui ouvre cet espace sans FranceConnect, et de quoi arrêter par courrier. L’imprimer remplace le code de toutes celles que vous avez.</p>
    ${buttons([print('Ma feuille, avec un nouveau code', 'pour-vous')])}`
    }
    <p><a href="${here}/preuve.json" download>${PREUVE}</a></p>`
}
