import type { ActingRow, Brouillon, Connue } from '../../src/mandat/brouillon-queries.ts'
import { vueDe } from '../../src/mandat/confirmation.ts'
import { laStructure } from '../../src/structure/nom.ts'
import { alert } from '../kit/alert.ts'
import { step } from '../kit/card.ts'
import { button, buttons, checkbox, type Errors, errorSummary, form, hidden, input } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { facts } from '../kit/table.ts'
import { auSoirDu, enMots, jour, majuscule, nomComplet, telephoneEnMots } from '../kit/words.ts'
import { ETAPES } from './new.ts'
import { REFUSAL, type Refusal } from './refusals.ts'
import { remplacements } from './remplacements.ts'

type Props = {
  frame: Frame
  brouillon: Brouillon
  acting: ActingRow
  connue: Connue | undefined
  /** She signed in by ProConnect: she authenticates there again, in the place of a code. */
  parProconnect: boolean
  /** She has a passkey: it may sign in the place of a code. */
  parCle: boolean
  errors?: Errors
  refusal?: Refusal | undefined
}

export const acceptationPage = ({ frame, brouillon, acting, connue, parProconnect, parCle, errors = {}, refusal }: Props) => {
  const mesure =
    connue?.protegeeLe &&
    html`${alert('Une mesure de protection est notée', `Votre structure l’a notée le ${jour(connue.protegeeLe, acting.fuseau)}. Tant qu’elle dure, aucun mandat n’est possible : demandez à la personne chargée de ses affaires, ou au tribunal judiciaire.`, 'warning')}
    ${checkbox({ name: 'mesureFinie', label: 'La mesure a pris fin : je l’ai vérifié avec la personne, sur un papier du tribunal.', error: refusal === 'protection_notee' ? REFUSAL.protection_notee : undefined })}`
  return page(
    {
      ...frame,
      bare: true,
      above: step(5, ETAPES),
      script: parCle ? 'cle.js' : undefined,
      invalid: Object.keys(errors).length > 0,
    },
    'Accepter pour la structure',
    html`${errorSummary(errors)}
    ${refusal && alert('Mandat non signé', html`${REFUSAL[refusal]} ${again(brouillon.id, refusal)}`)}
    <p>La personne a donné son accord. Reprenez l’écran : ${parProconnect ? 'votre identification' : 'votre code'} engage ${laStructure(acting.structureNom)}.</p>
    ${facts([
      { term: 'La personne', value: brouillon.identite ? nomComplet(brouillon.identite) : undefined },
      { term: 'Thématiques', value: majuscule(enMots(brouillon.granted ?? brouillon.perimetre)) },
      { term: 'Jusqu’au', value: brouillon.dernierJour ? auSoirDu(brouillon.dernierJour) : undefined },
      { term: 'Pour la prévenir', value: brouillon.suivi && prevenue(brouillon) },
    ])}
    ${remplacements(connue, brouillon.granted ?? brouillon.perimetre, 'son', acting.fuseau)}
    ${
      parProconnect
        ? html`<p>ProConnect va vous demander de vous identifier de nouveau, avec votre second facteur. Au retour, le mandat est signé.</p>
    ${form({ action: `/mandats/brouillons/${brouillon.id}/confirmation` }, html`${mesure}${button('Signer avec ProConnect', { large: true })}`)}`
        : form(
            {},
            html`${mesure}${input({
              name: 'code',
              label: 'Code de votre application d’authentification',
              hint: 'Un nouveau code : celui de la connexion ne sert pas deux fois.',
              type: 'code',
              error: errors.code,
            })}
      ${parCle && hidden('vue', vueDe(brouillon))}
      ${buttons([button('Accepter et signer le mandat'), parCle && button('Signer avec ma clé d’accès', { kind: 'secondary', name: 'par', value: 'cle', attrs: { 'data-cle': 'aller', hidden: true } })])}`,
          )
    }`,
  )
}

const prevenue = ({ suivi, contact, contactPartage }: Brouillon) => {
  if (suivi === 'papier' || !contact) return 'Sur papier, à chaque visite'
  return `${suivi === 'sms' ? `Par SMS, au ${telephoneEnMots(contact)}` : `Par e-mail, à ${contact}`}${contactPartage ? ', et aussi sur papier' : ''}`
}

const again = (id: string, refusal: Refusal) =>
  refusal === 'phrase_a_relire'
    ? html`<a href="/mandats/brouillons/${id}/accord?relire=oui">Relire la phrase ensemble</a>`
    : refusal !== 'second_facteur_refuse' &&
      refusal !== 'protection_notee' &&
      html`<a href="/mandats/brouillons/${id}/identification?relire=oui">Recommencer l’identification</a>`
