import type { MandatEtat } from '../../src/mandat/queries.ts'
import { buttonLink } from '../kit/form.ts'
import type { Html } from '../kit/html.ts'

/** Beside « Arrêter »: what she may undo. Both when only a part is paused. */
export const pauseOuReprise = ({ id, enVigueur, enPause }: MandatEtat): Html[] => [
  ...(enPause.length > 0 ? [buttonLink('Remettre en route', `/mon-espace/mandats/${id}/reprise`, { kind: 'secondary' })] : []),
  ...(enVigueur.length > 0 ? [buttonLink('Mettre en pause', `/mon-espace/mandats/${id}/pause`, { kind: 'secondary' })] : []),
]
