import type { MandatEtat } from '../../src/mandat/queries.ts'
import { buttonLink } from '../kit/form.ts'
import type { Html } from '../kit/html.ts'

/**
 * « Arrêter », and beside it what she may undo: both when only a part is paused. `sansPreuve`: opened with the code of her paper, and no code may
 * be sent to her, so that neither would do anything here.
 */
export const gestes = ({ id, enVigueur, enPause }: MandatEtat, sansPreuve: boolean): Html[] =>
  sansPreuve
    ? [buttonLink('Comment arrêter', '/mon-espace/confirmer')]
    : [
        buttonLink('Arrêter', `/mon-espace/mandats/${id}/arreter`, { icon: 'arret' }),
        ...(enPause.length > 0
          ? [buttonLink('Remettre en route', `/mon-espace/mandats/${id}/reprise`, { kind: 'secondary' })]
          : []),
        ...(enVigueur.length > 0
          ? [buttonLink('Mettre en pause', `/mon-espace/mandats/${id}/pause`, { kind: 'secondary' })]
          : []),
      ]
