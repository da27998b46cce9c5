import { blocs, explication, TEXTE_COURANT } from '../../src/mandat/texte.ts'
import { aloud, step } from '../kit/card.ts'
import { buttonLink } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { legal } from '../kit/legal.ts'
import { type Frame, page } from '../kit/page.ts'
import { ETAPES } from './new.ts'

/** What is read aloud, screen turned to the person, before anything is chosen. */
export const explainPage = ({ frame, structure }: { frame: Frame; structure: string }) =>
  page(
    { ...frame, above: step(1, ETAPES) },
    'Expliquer ensemble',
    html`<p>Comptez 10 minutes ; plus si la personne a oublié son mot de passe. Vous pouvez vous arrêter à chaque étape.</p>
    ${buttonLink('Déjà expliqué : choisir', '/mandats/nouveau', { kind: 'secondary' })}
    ${aloud(legal(blocs(explication(TEXTE_COURANT, { structure })), 2))}
    ${buttonLink('Choisir ensemble', '/mandats/nouveau', { icon: 'apres' })}`,
  )
