import type { Invitation } from '../../src/aidant/join.ts'
import { laStructure } from '../../src/structure/nom.ts'
import { alert, success } from '../kit/alert.ts'
import { type Attente, tropDEssais } from '../kit/attente.ts'
import { button, buttonLink, type Errors, errorSummary, form, hidden, input } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { facts } from '../kit/table.ts'
import { associer, CODE_FAUX } from './associer.ts'

/**
 * What the mailed address shows, whatever it is worth: nothing happens until the button is pressed. `sel`: of the key that her telephone has already
 * been given, when she must `wait`.
 */
export const commencerPage = ({ frame, wait, sel }: { frame: Frame; wait?: Attente; sel?: string | undefined }) =>
  page(
    frame,
    'Votre invitation',
    html`${wait && tropDEssais(wait)}<p>Vous avez reçu un lien pour agir dans Trait d’union, ou pour associer une nouvelle application d’authentification.</p>
    <p>Gardez votre téléphone à portée de main : il va servir.</p>
    ${form({}, html`${sel && hidden('sel', sel)}${button('Continuer', { large: true })}`)}`,
  )

export const fermeePage = ({ frame }: { frame: Frame }) =>
  page(
    frame,
    'Ce lien ne mène plus nulle part',
    html`<p class="sentence">Il a déjà servi, il a plus de 7 jours, il a été annulé ou mal recopié.</p>
    <p>Si vous avez déjà un compte, connectez-vous. Sinon, demandez un nouveau lien à la personne qui dirige votre structure.</p>
    ${buttonLink('Aller à la connexion', '/connexion', { kind: 'secondary' })}`,
  )

export const rejointPage = ({
  frame,
  structure,
  connexionLocale,
}: {
  frame: Frame
  structure: string
  connexionLocale: boolean
}) =>
  page(
    frame,
    'Vous êtes dans l’équipe',
    html`${success(`Vous pouvez agir pour ${laStructure(structure)}`)}
    <p>${
      connexionLocale
        ? 'Connectez-vous comme d’habitude, avec votre application d’authentification, puis choisissez cette structure.'
        : 'Connectez-vous avec ProConnect, au nom de cette structure.'
    }</p>
    ${buttonLink('Aller à la connexion', '/connexion')}`,
  )

type Props = {
  frame: Frame
  invitation: Invitation
  /** To pair an authenticator; absent for who has one already. */
  cle: { sel: string; cle: string; adresse: string } | undefined
  errors?: Errors
  refusal?: 'code_faux' | undefined
}

const REFUSAL = { code_faux: CODE_FAUX } as const

/** Where the link leads: a structure to join, an authenticator to pair, or both. */
export const rejoindrePage = ({ frame, invitation, cle, errors = {}, refusal }: Props) => {
  const { genre, structureNom, prenom, nom, email } = invitation
  const arrivee = genre === 'arrivee'
  return page(
    { ...frame, invalid: Object.keys(errors).length > 0 },
    arrivee ? 'Rejoindre une équipe' : 'Associer une application',
    html`${errorSummary(errors, { sel: 'contenu' })}
    ${refusal && alert('Application non associée', REFUSAL[refusal])}
    ${facts([
      { term: 'Structure', value: structureNom },
      { term: 'Vous', value: `${prenom} ${nom}` },
      { term: 'E-mail', value: email },
    ])}
    ${
      cle
        ? html`<p>Pour entrer, il faudra chaque fois un code de votre téléphone, en plus d’un code reçu par e-mail.</p>
    ${associer(cle)}`
        : html`<p>Vous gardez votre compte et votre application d’authentification : il n’y a qu’à accepter.</p>`
    }
    ${form(
      {},
      html`${hidden('geste', 'accepter')}${
        cle &&
        html`${hidden('sel', cle.sel)}${input({ name: 'code', label: 'Code affiché par l’application', type: 'code', error: errors.code })}`
      }
      ${button(arrivee ? 'Rejoindre l’équipe' : 'Associer cette application')}`,
    )}
    ${arrivee && cle && html`<p>Vous lirez ensuite les conditions d’utilisation : sans les accepter, rien ne s’ouvre.</p>`}`,
  )
}
