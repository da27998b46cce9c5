import type { Lien } from '../../src/mandat/telephone-queries.ts'
import { alert } from '../kit/alert.ts'
import { back, sentence, step } from '../kit/card.ts'
import { button, type Errors, errorSummary, form, franceConnect, hidden, input } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { qr } from '../kit/qr.ts'
import { ETAPES } from './new.ts'
import { REFUSAL, type Refusal } from './refusals.ts'

type Props = {
  frame: Frame
  brouillonId: string
  lien: Lien
  publicUrl: string
  errors?: Errors
  refusal?: Refusal | undefined
}

/** On the aidant's screen: the square to photograph, then the digits that her telephone shows. */
export const telephonePage = ({ frame, brouillonId, lien, publicUrl, errors = {}, refusal }: Props) =>
  page(
    {
      ...frame,
      bare: true,
      above: html`${back('S’identifier ici plutôt', `/mandats/brouillons/${brouillonId}/identification`)}${step(3, ETAPES)}`,
      invalid: Object.keys(errors).length > 0,
    },
    'Sur son téléphone',
    html`${errorSummary(errors)}
    ${refusal && alert('Rien n’est relié', REFUSAL[refusal])}
    ${
      lien.fini
        ? alert('Ce carré ne sert plus', 'Il dure dix minutes. Affichez-en un autre.', 'info')
        : lien.ouvert
          ? html`<p>Son téléphone a ouvert la page. La personne s’identifie elle-même, puis lit un code.</p>`
          : html`<p>La personne photographie ce carré avec son téléphone, puis s’identifie elle-même. Il sert une fois, pendant dix minutes.</p>
    ${qr(`${publicUrl}/t/${lien.jeton}`, 'Carré à photographier avec le téléphone de la personne')}`
    }
    ${form(
      {},
      html`${hidden('geste', 'relier')}
      ${input({
        name: 'code',
        label: 'Code affiché sur son téléphone',
        hint: 'La personne vous le lit. Ne le prenez que d’elle, ici, en face de vous.',
        type: 'code',
        error: errors.code,
      })}
      ${button('Continuer', { icon: 'apres' })}`,
    )}
    ${form({}, html`${hidden('geste', 'ouvrir')}${button('Afficher un autre carré', { kind: 'secondary' })}`)}`,
  )

/** On her telephone: nothing of what is being prepared, only what she is about to do. The same words for any address. */
export const lienPage = ({ demo }: { demo: boolean }) =>
  page(
    { space: 'public', demo, bare: true },
    'Vous identifier',
    html`${alert('Continuez seulement si la personne qui vous aide est en face de vous', 'Si vous avez reçu cette adresse par un message, fermez cette page.', 'info')}
    ${sentence('Tapez vous-même votre mot de passe, sans que personne ne le voie : pour l’instant, vous n’acceptez encore rien.')}
    ${franceConnect({})}
    <p>Ensuite, cette page vous donnera un code à lire à la personne qui vous aide.</p>`,
  )

/** On her telephone, once identified and FranceConnect closed. */
export const codePage = ({ demo, code }: { demo: boolean; code: string }) =>
  page(
    { space: 'public', demo, bare: true },
    'Lisez ce code',
    html`${sentence('Lisez ce code à la personne qui vous aide, en face de vous :')}
    <p class="digits">${code.slice(0, 3)}\u00a0${code.slice(3)}</p>
    <p>Ne le donnez à personne d’autre, ni par téléphone, ni par message. Il sert une fois, pendant dix minutes.</p>
    <p>Vous n’avez encore rien accepté : la suite se lit ensemble, sur l’écran de la personne qui vous aide.</p>`,
  )

export const sansCodePage = ({ demo }: { demo: boolean }) =>
  page(
    { space: 'public', demo, bare: true },
    'Il n’y a pas de code à lire ici',
    html`${sentence('Le code a déjà servi, et la suite est sur l’écran de la personne qui vous aide ; ou ses dix minutes sont passées. Rien n’est gardé ici.')}
    <p>S’il reste quelque chose à faire, demandez-lui d’afficher un nouveau carré.</p>`,
  )
