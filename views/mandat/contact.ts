import type { Brouillon } from '../../src/mandat/brouillon-queries.ts'
import { type Lecteur, resteADire } from '../../src/mandat/contact.ts'
import { alert } from '../kit/alert.ts'
import { step } from '../kit/card.ts'
import { button, buttonLink, buttons, type Errors, errorSummary, form, hidden, input, radios, type Values } from '../kit/form.ts'
import { type Html, html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { telephoneEnMots } from '../kit/words.ts'
import { ETAPES } from './new.ts'
import { REFUSAL, type Refusal } from './refusals.ts'

type Props = {
  frame: Frame
  brouillon: Brouillon
  values?: Values
  errors?: Errors
  refusal?: Refusal | undefined
}

const LECTEUR = {
  personne: 'Personne d’autre',
  famille: 'Quelqu’un de la famille',
  proche: 'Un ami ou un voisin',
  professionnel: 'Un professionnel',
  ne_sait_pas: 'On ne sait pas',
} as const satisfies Record<Lecteur, string>

/** How she is told, and where: asked of the aidant, or of her. */
export const suiviFields = ({
  elle,
  hint,
  values,
  errors,
}: {
  elle?: boolean
  hint: string
  values: Values
  errors: Errors
}): Html => html`
      ${radios({
        name: 'suivi',
        legend: `Comment ${elle ? 'vous' : 'la'} prévenir de ce qui change ?`,
        hint,
        options: SUIVI,
        value: values.suivi,
        error: errors.suivi,
      })}
      ${input({
        name: 'mobile',
        label: `${elle ? 'Votre' : 'Son'} mobile, si c’est ${elle ? 'votre' : 'son'} choix`,
        type: 'tel',
        size: 12,
        value: values.mobile,
        error: errors.mobile,
        attrs: { required: false },
      })}
      ${input({
        name: 'email',
        label: `${elle ? 'Votre' : 'Son'} adresse e-mail, si c’est ${elle ? 'votre' : 'son'} choix`,
        hint: elle ? undefined : 'La sienne, jamais la vôtre ni celle de la structure.',
        type: 'email',
        value: values.email,
        error: errors.email,
        attrs: { required: false },
      })}`
const SUIVI = { papier: 'Sur papier, à chaque visite', sms: 'Par SMS', email: 'Par e-mail' } as const

/** Of a contact known to be shared. */
export const lecteurField = ({ sms, values, errors }: { sms: boolean; values: Values; errors: Errors }): Html =>
  radios({
    name: 'lecteur',
    legend: sms ? 'Qui d’autre lit ce téléphone ?' : 'Qui d’autre lit cette boîte ?',
    hint: `D’autres ont donné ${sms ? 'ce même numéro' : 'cette même adresse'}. Les nouvelles seront donc données aussi sur papier.`,
    options: LECTEUR,
    value: values.lecteur,
    error: errors.lecteur,
  })

/** Between her yes and the structure's: is it her telephone, and hers alone? */
export const contactPage = ({ frame, brouillon, values = {}, errors = {}, refusal }: Props) => {
  const sms = brouillon.suivi === 'sms'
  const reste = resteADire(brouillon)
  const epuise = refusal === 'plus_de_sms'
  return page(
    { ...frame, bare: true, above: step(4, ETAPES), invalid: Object.keys(errors).length > 0 },
    sms ? 'Vérifier le numéro' : 'Vérifier l’adresse',
    html`${errorSummary(errors)}
    ${refusal && alert('Pas encore vérifié', REFUSAL[refusal])}
    <p>L’accord est noté. Le mandat n’existe pas encore : il reste cette vérification, puis le code de l’aidant.</p>
    ${
      reste.code &&
      !epuise &&
      html`<p>Un code de six chiffres part ${sms ? `au ${telephoneEnMots(brouillon.contact!)}` : `à ${brouillon.contact!}`}. Demandez-le à la personne : elle le lit, ou le tape elle-même.</p>`
    }
    ${form(
      {},
      html`${hidden('geste', 'prouver')}
      ${reste.code && input({ name: 'code', label: 'Code reçu', type: 'code', error: errors.code })}
      ${reste.lecteur && lecteurField({ sms, values, errors })}
      ${button('Continuer', { icon: 'apres' })}`,
    )}
    <h2>${epuise ? 'Continuer sans SMS' : reste.code ? 'Le code n’arrive pas ?' : 'Plutôt sur papier ?'}</h2>
    ${buttons([
      reste.code &&
        !epuise &&
        form({}, html`${hidden('geste', 'renvoyer')}${button('Envoyer un autre code', { kind: 'secondary' })}`),
      epuise &&
        buttonLink('Donner une adresse e-mail', `/mandats/brouillons/${brouillon.id}/accord?relire=oui`, { kind: 'secondary' }),
      form({}, html`${hidden('geste', 'papier')}${button('Prévenir sur papier', { kind: 'secondary' })}`),
    ])}
    ${reste.code && html`<p class="hint">Sans code, ${sms ? 'ce numéro' : 'cette adresse'} ne peut pas servir. Sur papier, la parole de la personne suffit.</p>`}`,
  )
}
