import { alert } from '../kit/alert.ts'
import { sentence } from '../kit/card.ts'
import { buttonLink } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { REFUSAL, type Refusal } from './refusals.ts'

type Props = { frame: Frame; refusal: Refusal; but?: 'mandat' | 'espace' | undefined; brouillonId?: string | null | undefined }

/** After a round trip that did not end well: calm, without technical words, with the way on. */
export const retourPage = ({ frame, refusal, but, brouillonId }: Props) =>
  page(
    { ...frame, bare: true },
    refusal === 'personne_inconnue' ? 'Aucun mandat à votre nom' : 'L’identification n’a pas abouti',
    html`${alert(but === 'espace' ? 'Votre espace ne s’est pas ouvert' : 'Rien n’est signé', but === 'espace' ? withoutChoices(REFUSAL[refusal]) : REFUSAL[refusal], 'info')}
    ${
      brouillonId
        ? buttonLink('Reprendre où vous en étiez', `/mandats/brouillons/${brouillonId}/identification`)
        : but === 'espace'
          ? buttonLink('Réessayer', '/mon-espace/connexion')
          : buttonLink('Retour à l’accueil', '/')
    }`,
  )

/** On her own device there are no choices to keep. */
const withoutChoices = (sentence: string) =>
  sentence.replace(/ Vos choix sont gardés(?:\.| : (.))/, (_, next?: string) => (next ? ` ${next.toUpperCase()}` : ''))

export const refusedPage = ({ frame }: { frame: Frame }) =>
  page(
    { ...frame, bare: true },
    'C’est non, et c’est bien ainsi',
    html`${sentence('Vous avez dit non, c’est votre droit : aucun mandat n’existe, ce service n’a rien gardé sur vous, et vous pouvez demander une autre aide.')}
    ${buttonLink('Rendre l’écran à l’aidant', '/personnes', { kind: 'secondary' })}`,
  )

/** Her no, said on a page left open after the mandat was signed: it exists, and she can end it. */
export const tooLatePage = ({ frame, mandatId }: { frame: Frame; mandatId: string }) =>
  page(
    { ...frame, bare: true },
    'Ce mandat est déjà signé',
    html`${alert('Le mandat existe', 'Il a été signé avant ce non, qui n’a donc rien effacé. Vous pouvez l’arrêter tout de suite, sans dire pourquoi, dans votre espace.', 'info')}
    ${buttonLink('Ouvrir votre espace pour l’arrêter', '/mon-espace/connexion')}
    ${buttonLink('Voir le mandat', `/mandats/${mandatId}`, { kind: 'secondary' })}`,
  )
