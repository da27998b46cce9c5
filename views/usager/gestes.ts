import type { MandatEtat } from '../../src/mandat/queries.ts'
import { buttonLink } from '../kit/form.ts'
import { type Html, html } from '../kit/html.ts'

/**
 * « Arrêter », and beside it what she may undo: both when only a part is paused. `sansPreuve`: opened with the code of her paper, and no code may
 * be sent to her, so that neither would do anything here. `sujet`: which mandat, after each name, where several are shown.
 */
export const gestes = ({ id, enVigueur, enPause }: MandatEtat, sansPreuve: boolean, sujet?: Html | false): Html[] =>
  sansPreuve
    ? [buttonLink('Comment arrêter', '/mon-espace/confirmer')]
    : [
        buttonLink(html`Arrêter${sujet}`, `/mon-espace/mandats/${id}/arreter`, { icon: 'arret' }),
        ...(enPause.length > 0
          ? [buttonLink(html`Remettre en route${sujet}`, `/mon-espace/mandats/${id}/reprise`, { kind: 'secondary' })]
          : []),
        ...(enVigueur.length > 0
          ? [buttonLink(html`Mettre en pause${sujet}`, `/mon-espace/mandats/${id}/pause`, { kind: 'secondary' })]
          : []),
      ]
