import { CONFIRMATION, type Confirme, DEFI_MINUTES } from '../../src/aidant/moyens.ts'
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
  parCode: boolean
  secours: boolean
  /** The address of what she sent, when she signed in by ProConnect: it may say again who she is. */
  versProconnect: string | undefined
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

/** A browser leaves the page as it was when the answer is a file. */
const telechargement = (fields: Props['fields']) =>
  fields.some(([name, value]) => name === 'forme' && value === 'csv') &&
  html`<p>Le fichier ira dans vos téléchargements, et cette page ne changera pas : quand il y est, c’est fait, revenez au journal.</p>`

/** Asks an aidant for a fresh second factor; what she sent waits in the page. */
export const confirmerPage = (props: Props) => {
  const { frame, confirme, fields, options, parCode, secours, versProconnect, errors = {}, refusal } = props
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
    ${refusal && alert('Rien n’a changé', `${REFUSAL[refusal]}${versProconnect ? ' Ce que ProConnect confirme ne sert qu’une fois, pendant cinq minutes.' : ''}`)}
    <p class="sentence">${QUOI[confirme]}</p>
    <p>Ce que vous avez choisi ou écrit est gardé dans cette page.</p>
    ${telechargement(fields)}
    ${
      versProconnect &&
      html`<p>ProConnect va vous demander de vous identifier de nouveau, avec votre second facteur.</p>
    ${form(
      { action: CONFIRMATION },
      html`${hidden('confirme', confirme)}${hidden('vers', versProconnect)}${hidden('fields', new URLSearchParams(fields.map(([...pair]) => pair)).toString())}${button('Confirmer avec ProConnect')}`,
    )}`
    }
    ${options && demanderCle(options, 'Confirmer avec ma clé d’accès', { fields: kept })}
    ${(options || versProconnect) && parCode && html`<h2>Avec un code</h2>`}
    ${
      (parCode || !versProconnect) &&
      form(
        {},
        html`${kept}${input({
          name: 'code',
          label: 'Code de votre application d’authentification',
          hint: `Un nouveau code : celui de la connexion ne sert pas deux fois.${secours ? ' Sans votre téléphone, un code de secours.' : ''}`,
          type: 'code',
          error: errors.code,
        })}
      ${button('Confirmer avec ce code', { kind: options || versProconnect ? 'secondary' : 'primary' })}`,
      )
    }`,
  )
}

/** Back from ProConnect, which said again who she is: what she sent goes on with one more click. */
export const reconnuePage = ({
  frame,
  confirme,
  vers,
  fields,
}: Pick<Props, 'frame' | 'confirme' | 'fields'> & { vers: string }) =>
  page(
    { ...frame, bare: true, above: back('Revenir sans confirmer', RETOUR[confirme] ?? '/personnes') },
    'ProConnect vous a reconnu',
    html`<p class="sentence">${QUOI[confirme]}</p>
    <p>Rien n’est encore fait. Vous avez ${DEFI_MINUTES} minutes.</p>
    ${telechargement(fields)}
    ${form({ action: vers }, html`${fields.map(([name, value]) => hidden(name, value))}${hidden('proconnect', 'oui')}${button('Confirmer')}`)}`,
  )
