import { LANGUES, type Lecture } from '../../src/mandat/langues.ts'
import { blocs } from '../../src/mandat/texte.ts'
import { alert } from '../kit/alert.ts'
import { aloud, step } from '../kit/card.ts'
import { buttonLink, buttons } from '../kit/form.ts'
import { attributes, html } from '../kit/html.ts'
import { legal } from '../kit/legal.ts'
import { type Frame, page } from '../kit/page.ts'
import { ecriture } from './ecriture.ts'
import { ETAPES } from './new.ts'

type Props = {
  frame: Frame
  structure: string
  lecture: Lecture
  /** All that may be read aloud here. */
  offertes: readonly Lecture[]
  /** There are drafts to take up again: named elsewhere, since this screen is turned to the person. */
  reprendre: boolean
}

/** What is read aloud, screen turned to the person, before anything is chosen. */
export const explainPage = ({ frame, structure, lecture, offertes, reprendre }: Props) => {
  const { lang, dir } = LANGUES[lecture.langue]
  const grande = frame.grande === true
  return page(
    { ...frame, above: step(1, ETAPES), script: 'ecoute.js' },
    'Expliquer ensemble',
    html`<p>Comptez 10 minutes ; plus si la personne a oublié son mot de passe. Vous pouvez vous arrêter à chaque étape.</p>
    ${buttons([
      buttonLink('Déjà expliqué : choisir', '/mandats/nouveau', { kind: 'secondary' }),
      reprendre && buttonLink('Reprendre un mandat en préparation', '/mandats/nouveau', { kind: 'secondary' }),
    ])}
    ${ecriture(grande, lecture.langue === 'fr' ? {} : { langue: lecture.langue })}
    ${
      offertes.length > 1 &&
      html`<nav aria-label="Langues"><ul class="row">${offertes.map(({ langue }) => {
        const { nom, lang } = LANGUES[langue]
        return html`<li><a${attributes({ href: addressOf(langue, grande), lang: lang === 'fr' ? undefined : lang, hreflang: lang, 'aria-current': langue === lecture.langue && 'true' })}>${nom}</a></li>`
      })}</ul></nav>`
    }
    <p class="hint">Pour une autre langue, appelez un interprète.</p>
    ${!lecture.relu && !lecture.faitFoi && alert('Brouillon non relu', 'Ce texte n’a pas encore été relu : il n’est montré que dans la démonstration.', 'warning')}
    <button type="button" class="button secondary" data-ecoute="${lang}" data-arret="Arrêter la lecture" hidden>Écouter</button>
    <div${attributes({ id: 'texte-lu', lang: lang === 'fr' ? undefined : lang, dir: dir === 'rtl' && 'rtl' })}>${aloud(legal(blocs(lecture.markdown({ structure })), 2))}</div>
    ${buttons([buttonLink('Choisir ensemble', '/mandats/nouveau', { icon: 'apres' })])}`,
  )
}

const addressOf = (langue: string, grande: boolean) => {
  const search = new URLSearchParams({ ...(langue !== 'fr' && { langue }), ...(grande && { ecriture: 'grande' }) }).toString()
  return search ? `?${search}` : '/mandats/expliquer'
}
