import type { Brouillon } from '../../src/mandat/brouillon-queries.ts'
import { back, sentence, step } from '../kit/card.ts'
import { button, buttonLink, buttons, form, hidden } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { heure } from '../kit/words.ts'
import { ETAPES } from './new.ts'

type Props = { frame: Frame; brouillon: Brouillon; fuseau: string }

/** Come back to after her yes: it is given, and can still become a no. */
export const accordDonnePage = ({ frame, brouillon, fuseau }: Props) => {
  const here = `/mandats/brouillons/${brouillon.id}`
  return page(
    {
      ...frame,
      bare: true,
      above: html`${back('Relire, et répondre à nouveau', `${here}/accord?relire=oui`)}${step(4, ETAPES)}`,
    },
    'C’est dit',
    html`${sentence(`Vous avez donné votre accord aujourd’hui à ${heure(brouillon.accordAt!, fuseau)}.`)}
    <p>Rien n’est encore signé : la structure doit accepter à son tour.</p>
    ${buttons(
      [
        buttonLink('Accepter pour la structure', `${here}/acceptation`),
        form(
          { action: `${here}/accord` },
          html`${hidden('reponse', 'non')}${button('Finalement non, j’arrête', { kind: 'secondary' })}`,
        ),
      ],
      { equal: true },
    )}`,
  )
}
