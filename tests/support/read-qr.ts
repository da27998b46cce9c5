import decode from 'qr/decode.js'

/** What a camera reads of the square drawn on a page by `qr` (views/kit/qr.ts). */
export function readQr(html: string): string {
  const [, side, path] = /<svg class="qr"[^>]* viewBox="0 0 (\d+) \d+".*?fill="#000" d="([^"]*)"/s.exec(html)!
  const size = Number(side) * 4
  const data = new Uint8Array(size * size * 4).fill(255)
  for (const [, x, y, run] of path!.matchAll(/M(\d+) (\d+)h(\d+)/g))
    for (let row = Number(y) * 4; row < Number(y) * 4 + 4; row++)
      for (let column = Number(x) * 4; column < (Number(x) + Number(run)) * 4; column++) {
        const at = (row * size + column) * 4
        data.fill(0, at, at + 3)
      }
  return decode({ width: size, height: size, data })
}
