import { buttonLink } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'

export const RENDRE = '/mandats/rendre'

/** Between the screen lent to the person and the list of everyone helped: nothing of anybody, until the aidant has it back. */
export const rendrePage = ({ frame }: { frame: Frame }) =>
  page(
    { ...frame, bare: true },
    'Rendez l’écran à votre aidant',
    html`<p>C’est fini pour vous ici. La suite est pour l’aidant.</p>
    ${buttonLink('Je suis l’aidant : continuer', '/personnes', { kind: 'secondary' })}`,
  )
