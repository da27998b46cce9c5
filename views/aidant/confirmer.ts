import type { Confirme } from '../../src/aidant/moyens.ts'
import { alert } from '../kit/alert.ts'
import { back } from '../kit/card.ts'
import { button, type Errors, errorSummary, form, hidden, input } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { demanderCle } from './cle.ts'

type Props = {
  frame: Frame
  confirme: Confirme
  /** All that the form said, sent again with the factor. */
  fields: readonly (readonly [name: string, value: string])[]
  /** Of her passkeys, when she has one. */
  options: string | undefined
  secours: boolean
  errors?: Errors
  refusal?: 'second_facteur_refuse' | undefined
}

const QUOI = {
  ajouter: 'Vous allez ajouter un moyen de connexion.',
  retirer: 'Vous allez retirer un moyen de connexion.',
  codes: 'Vous allez créer des codes de secours. Ceux d’avant ne serviront plus.',
  reinitialiser: 'Vous allez retirer tous les moyens de connexion d’un membre de l’équipe.',
  ouvrir: 'Vous allez ouvrir le dossier d’une personne.',
  exporter: 'Vous allez emporter le journal de la structure.',
  signer: 'Vous allez accepter et signer un mandat.',
  contact: 'Vous allez changer comment une personne est prévenue.',
} as const satisfies Record<Confirme, string>

/** Where she was. A signature has none: its screen was lent, and leads nowhere else. */
const RETOUR: Partial<Record<Confirme, string>> = {
  ajouter: '/mes-moyens-de-connexion',
  retirer: '/mes-moyens-de-connexion',
  codes: '/mes-moyens-de-connexion',
  reinitialiser: '/structure/aidants',
  ouvrir: '/personnes',
  exporter: '/structure/journal',
  contact: '/personnes',
}

const REFUSAL = {
  second_facteur_refuse:
    'Ce code est faux ou a déjà servi, ou la clé d’accès n’est pas la vôtre. Attendez le code suivant de votre application, ou essayez encore avec votre clé.',
} as const

/** Asks an aidant for a fresh second factor; what she sent waits in the page. */
export const confirmerPage = ({ frame, confirme, fields, options, secours, errors = {}, refusal }: Props) => {
  const kept = html`${fields.map(([name, value]) => hidden(name, value))}`
  const retour = RETOUR[confirme]
  return page(
    {
      ...frame,
      bare: true,
      above: retour ? back('Revenir sans confirmer', retour) : undefined,
      script: options && 'cle.js',
      invalid: Object.keys(errors).length > 0,
    },
    'Confirmer que c’est vous',
    html`${errorSummary(errors, { signature: 'contenu' })}
    ${refusal && alert('Rien n’a changé', REFUSAL[refusal])}
    <p class="sentence">${QUOI[confirme]}</p>
    <p>Ce que vous avez choisi ou écrit est gardé dans cette page.</p>
    ${options && html`${demanderCle(options, 'Confirmer avec ma clé d’accès', { fields: kept })}<h2>Avec un code</h2>`}
    ${form(
      {},
      html`${kept}${input({
        name: 'code',
        label: 'Code de votre application d’authentification',
        hint: `Un nouveau code : celui de la connexion ne sert pas deux fois.${secours ? ' Sans votre téléphone, un code de secours.' : ''}`,
        type: 'code',
        error: errors.code,
      })}
      ${button('Confirmer avec ce code', { kind: options ? 'secondary' : 'primary' })}`,
    )}`,
  )
}
