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
}

/** What the aidant may print of a mandat. Printing is written in the journal, so each is a button. */
export const papiersDeLAidant = ({ here, actives, enCours, arrete }: Props): Html => {
  const print = (label: string, papier: string) =>
    form({ action: `${here}/papiers/${papier}` }, button(label, { kind: 'secondary' }))
  return html`<h2>Papiers</h2>
    ${buttons([
      print('Imprimer le mandat', 'mandat'),
      print('Imprimer le relevé des démarches', 'releve'),
      arrete && print('Imprimer l’attestation d’arrêt', 'arret'),
    ])}
    ${
      enCours &&
      html`<p>« Pour vous seulement » est la feuille de la personne, avec son code privé : remettez-la, n’en gardez pas de copie. Elle remplace la précédente.</p>
    ${buttons([print('Imprimer « Pour vous seulement »', 'pour-vous')])}`
    }
    ${
      actives.length > 0 &&
      more(
        'Une fiche pour un guichet : un seul thème',
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
    ${preuve(here)}`
}

/** For whoever checks without us: `npm run verify-mandat`. */
const preuve = (here: string): Html =>
  html`<p><a href="${here}/preuve.json" download>Le fichier de preuve, pour un juge ou un contrôle</a></p>`

/** What she may print of her own mandat. */
export const papiersDeLaPersonne = ({ here, arrete }: Pick<Props, 'here' | 'arrete'>): Html => {
  const print = (label: string, papier: string) =>
    form({ action: `${here}/papiers/${papier}` }, button(label, { kind: 'secondary' }))
  return html`<h2>Imprimer</h2>
    ${buttons([print('Mon mandat', 'mandat'), print('Ce qui a été fait', 'releve'), arrete && print('La preuve de l’arrêt', 'arret')])}
    ${preuve(here)}`
}
