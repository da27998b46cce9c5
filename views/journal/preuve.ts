import type { ProveRefusal } from '../../src/journal/prove.ts'
import { back } from '../kit/card.ts'
import { html } from '../kit/html.ts'
import { type Frame, page } from '../kit/page.ts'
import { PROVE_REFUSAL } from './words.ts'

export const pasDePreuvePage = ({ frame, refusal, retour }: { frame: Frame; refusal: ProveRefusal; retour: string }) =>
  page({ ...frame, above: back('Revenir', retour) }, 'Pas encore de preuve', html`<p>${PROVE_REFUSAL[refusal]}</p>`)
