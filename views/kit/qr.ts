import encodeQR from 'qr'
import { traits } from '../../src/verification/qr.ts'
import { type Html, html } from './html.ts'

/** Modules of silence around the symbol, asked for by ISO/IEC 18004. */
const MARGE = 4

/** A square to photograph from a screen: black on white, whatever the colours around. `label`: what a screen reader says of it. */
export const qr = (text: string, label: string): Html => {
  const modules = encodeQR(text, 'raw', { ecc: 'medium', border: MARGE })
  const side = modules.length
  return html`<svg class="qr" role="img" aria-label="${label}" viewBox="0 0 ${side} ${side}" width="${side * 6}" height="${side * 6}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h${side}v${side}H0z"></path><path fill="#000" d="${traits(modules, 0)}"></path></svg>`
}
