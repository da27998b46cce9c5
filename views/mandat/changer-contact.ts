import type { AskRefusal } from '../../src/mandat/ask-contact.ts'
import type { ChangeRefusal } from '../../src/mandat/change-contact.ts'
import type { Attendu, AvecContact, Changement } from '../../src/mandat/contact-queries.ts'
import { deLaStructure } from '../../src/structure/nom.ts'
import type { Contacts } from '../../src/usager/queries.ts'
import { alert, success } from '../kit/alert.ts'
import { back, sentence } from '../kit/card.ts'
import { button, type Errors, errorSummary, form, hidden, input, type Values } from '../kit/form.ts'
import { type Html, html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { facts, timeline } from '../kit/table.ts'
import { jourEtHeure, liste, majuscule, nomComplet, suiviEnMots, telephoneEnMots, temps } from '../kit/words.ts'
import { lecteurField, suiviFields } from './contact.ts'
import { REFUSAL } from './refusals.ts'

type Props = {
  frame: Frame
  /** Her own pages, or those of the aidant who is with her. */
  elle: boolean
  /** Where these pages are. */
  ici: string
  usager: AvecContact
  values?: Values
  errors?: Errors
  refusal?: AskRefusal | ChangeRefusal | undefined
}

const REFUS = {
  ...REFUSAL,
  contact_structure: 'Cette adresse est celle d’un professionnel de la structure : elle ne peut pas servir ici.',
  plus_de_sms:
    'Plus aucun SMS ne peut partir aujourd’hui, vers ce numéro ou d’ici : choisissez l’e-mail ou le papier, ou recommencez demain.',
} as const

const above = ({ elle, usager }: Props) =>
  elle ? back('Mes données', '/mon-espace/donnees') : back('Son dossier', `/personnes/${usager.id}`)
const refused = ({ errors = {}, refusal }: Props): Html =>
  html`${errorSummary(errors)}${refusal && alert('Rien n’est changé', REFUS[refusal])}`
const du = (props: Props) => ({ ...props.frame, above: above(props), invalid: Object.keys(props.errors ?? {}).length > 0 })

/** How she is told today, another way to choose, and, for her, who changed it before. */
export const contactsPage = (
  props: Props & { contacts: readonly Contacts[]; fait: boolean; changements: readonly Changement[]; fuseau: string },
): string => {
  const { elle, ici, usager, contacts, values = {}, errors = {}, fait, changements, fuseau } = props
  return page(
    elle ? du(props) : { ...du(props), heading: `Comment prévenir ${nomComplet(usager)}` },
    elle ? 'Mes contacts' : 'Comment la prévenir',
    html`${refused(props)}${fait && success('C’est changé', 'Un dernier message est parti à l’ancien numéro et à l’ancienne adresse, s’il y en avait.')}
    ${elle && sentence('Voici où nous vous prévenons de ce qui change.')}
    ${facts([
      { term: 'Aujourd’hui', value: [...new Set(contacts.map(suiviEnMots))].join(' ; ') || suiviEnMots(usager) },
      { term: 'Gardé aussi', value: [...new Set(contacts.map(aussi))].filter(Boolean).join(', ') },
    ])}
    <h2>Changer</h2>
    <p>${
      elle
        ? 'Nous envoyons un code de six chiffres au nouveau numéro ou à la nouvelle adresse. Rien ne change avant que vous le tapiez ici.'
        : 'Seulement à sa demande, avec elle. Elle reçoit un code de six chiffres et vous le lit ; vous confirmez avec votre second facteur. Rien ne change avant.'
    } Ensuite, l’ancien numéro et l’ancienne adresse sont effacés. Un dernier message y est envoyé, pour le dire.</p>
    ${form(
      { action: ici },
      html`${suiviFields({ elle, hint: 'Un message ne dit jamais de quelle démarche il s’agit.', values, errors })}
      <p class="hint">Sur papier seulement, aucun code ne peut ${elle ? 'vous' : 'lui'} être envoyé. Avec ${elle ? 'votre feuille' : 'sa feuille'} « Pour vous seulement », ${elle ? 'vous lisez, mais vous n’arrêtez pas' : 'elle lit, mais n’arrête pas'} sur un écran. Pour arrêter : FranceConnect, le téléphone ou le courrier.${elle && html` <a href="/mon-espace/code-papier">Mon code papier</a>`}</p>
      ${button('Continuer', { icon: 'apres' })}`,
    )}
    ${
      elle &&
      html`<h2>Ce qui a changé</h2>
    ${timeline(
      changements.map(({ at, champs, acteur, prenom, nom, structureNom }) => ({
        when: temps(at, jourEtHeure(at, fuseau)),
        what: champs ? majuscule(liste(champs.map((champ) => CHAMP[champ]))) : 'Vos contacts',
        who:
          acteur === 'usager'
            ? 'Par vous, dans cet espace'
            : `Par ${prenom} ${nom}${structureNom ? `, ${deLaStructure(structureNom)}` : ''}`,
      })),
    )}`
    }`,
  )
}

/** What changed, without saying to what: what was there before is erased. */
const CHAMP = {
  telephone: 'votre numéro de mobile',
  email: 'votre adresse e-mail',
  suivi: 'la façon de vous prévenir',
} as const satisfies Record<NonNullable<Changement['champs']>[number], string>

/** What is kept and not used: given before, for another way. */
const aussi = ({ suivi, email, telephone }: Contacts) =>
  [suivi !== 'sms' && telephone && telephoneEnMots(telephone), suivi !== 'email' && email].filter(Boolean).join(', ')

/** The code received there, and who else reads it. */
export const codeContactPage = (props: Props & { attendu: Attendu }): string => {
  const { elle, ici, attendu, values = {}, errors = {}, refusal } = props
  const sms = attendu.suivi === 'sms'
  // Of whose it is too, the person learns nothing before she has shown that it is hers.
  const lecteur = attendu.partage && (!elle || refusal === 'lecteur_manquant')
  return page(
    { ...du(props), above: back('Une autre façon', ici) },
    sms ? 'Vérifier le numéro' : 'Vérifier l’adresse',
    html`${refused(props)}
    ${sentence(html`Un code de six chiffres part ${sms ? `au ${telephoneEnMots(attendu.contact)}` : `à ${attendu.contact}`}.`)}
    <p>${elle ? 'Tapez-le ici.' : 'La personne vous le lit. Votre second facteur est demandé ensuite.'} Ce code sert dix minutes, pour trois essais. Rien n’est changé pour l’instant.</p>
    ${form(
      {},
      html`${hidden('geste', 'prouver')}
      ${input({ name: 'recu', label: 'Code reçu', type: 'code', value: refusal === 'lecteur_manquant' ? values.recu : undefined, error: errors.recu })}
      ${lecteur && lecteurField({ sms, values, errors })}
      ${button('Changer', { icon: 'apres' })}`,
    )}
    <h2>Le code n’arrive pas ?</h2>
    ${form({}, html`${hidden('geste', 'renvoyer')}${button('Envoyer un autre code', { kind: 'secondary' })}`)}`,
  )
}
